"""A take that relies on a check made before it."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.loop import Step
from drainlint.model.noun import Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTake(Noun):
    """A blocking take without a timeout, after a check that its queue was not empty."""

    text: str
    """The call, for messages."""
    check: Step
    """The check: `q.empty()`."""
    other: Related | None = None
    """Where somebody else takes from the same queue."""
