"""A wait for a child process that still has something to hand over."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.noun import Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildWait(Noun):
    """A join or wait of a child whose queue or pipe is not read before."""

    text: str
    """The wait, for messages."""
    child: str
    channel: str
    """The queue, pipe or stream that the child writes to, as written."""
    fed: Related | None = None
    """Where the child is made, and given what it writes to."""
    read: Related | None = None
    """Where it is read, too late; None where it never is."""
    is_bounded: bool = False
    """The wait has a timeout, so that it ends although the child does not."""
    is_brief: bool = False
    """All that the child has to say fits into its pipe: it only tells a version or a number."""
