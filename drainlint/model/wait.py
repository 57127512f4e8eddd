"""A wait: a call that may hold its caller up until somebody else has done something."""

from dataclasses import dataclass

from drainlint.model.deadline import Deadline
from drainlint.model.noun import Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Noun):
    """A call that waits, and what bounds it."""

    text: str
    """The call, for messages."""
    verb: str
    """`join`, `wait`, `take`, `put`, `lock`, `close`, `network`, `process`, `select`."""
    subject: str
    """What is waited for, as written; empty for a plain function."""
    nature: str = ""
    """What it is: `thread`, `queue`, `event`, ...; empty where that is not known."""
    type: str = ""
    """The class's own name, where it is known."""
    deadline: Deadline
    awaited: bool = False
    """It gives an awaitable, or is awaited: a coroutine waits, not a thread."""
    blocks: bool = False
    """It blocks the thread, and thus an event loop."""
    handed_over: bool = False
    """It is not called here but handed to somebody who will (`run_in_executor(None, t.join)`)."""
    bounded_by: str = ""
    """The enclosing timeout, where there is one."""
    ended: str = ""
    """Why what is waited for has provably ended already; empty where it may go on."""
    killed: bool = False
    """What is waited for was sent SIGKILL just before."""
    woken_by_stop: bool = False
    """It stands in a loop, and the class's stop sets or notifies what it waits for."""
    idle: bool = False
    """It is the main flow's one wait for the request to stop."""
    own_job: bool = False
    """It stands in the implementation of what waits: a lock's `acquire`, a future's `result`."""
    locks: tuple[str, ...] = ()
    """The locks that are held around it, as written."""
    in_loop: bool = False

    @property
    def is_unbounded(self) -> bool:
        """Whether nothing at all bounds it, here or around it."""
        return self.deadline.is_none and not self.bounded_by
