"""A thread held up inside a coroutine: the event loop stands still."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.noun import Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking(Noun):
    """A sleep or blocking call in an `async def`, directly or through a plain helper."""

    text: str
    """The call in the coroutine."""
    sleeps: bool = False
    """It sleeps; anything else waits for somebody."""
    through: Related | None = None
    """Where the helper blocks, if it is one."""
    what: str = ""
    """What blocks there, for messages."""
