"""An await in code that runs because its task ends, perhaps because it was cancelled."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.noun import Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleanup(Noun):
    """What is awaited in a `finally`, in a handler of cancellation, or after a cancel."""

    text: str
    """The await, for messages."""
    section: str
    """`finally`, `except Cancelled`, or the cancel that it follows, as written."""
    follows: bool = False
    """It follows the cancel of the scope that it stands in."""
    header: Related | None = None
    """What can be cancelled: the statement whose cleanup it is."""
    cancelled_again: bool = False
    """Its library cancels at every await until the scope ends, not once (trio, anyio)."""
    shielded: bool = False
    """A scope around it keeps cancellation out."""
    closes_at_once: bool = False
    """What is awaited closes all the same when it is cancelled."""
    spent: str = ""
    """The deadline that it shares with what is cleaned up, and gets the rest of; empty for none."""
