"""A close that waits: for jobs, for handlers, for the other side."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.deadline import Deadline
from drainlint.model.noun import Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Noun):
    """A call (or the end of a `with`) that closes something and waits while it does."""

    text: str
    """The call, for messages."""
    subject: str
    """What is closed, as written."""
    nature: str
    """What it is: `executor`, `server`, `session`, ...; empty where that is not known."""
    waits_for: str
    """What it waits for, in words."""
    deadline: Deadline
    bounded_by: str = ""
    """The enclosing timeout, where there is one."""
    bounded_jobs: bool = False
    """Every job that it waits for is seen to end in time."""
    endless_job: Related | None = None
    """A job of it that never ends by itself."""
    hooked: bool = False
    """It is not called here but registered to be called at the exit."""
    own_job: bool = False
    """It stands in the implementation of what is closed."""

    @property
    def may_never_end(self) -> bool:
        """Whether nothing at all bounds it."""
        return self.deadline.is_none and not self.bounded_by and not self.bounded_jobs
