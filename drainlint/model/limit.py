"""A timeout as it is given, where it does not do what it says."""

from dataclasses import dataclass
from enum import Enum

from drainlint.finding import Related
from drainlint.model.noun import Noun


class Flaw(Enum):
    """Why a timeout does not bound, in words that follow the call."""

    MISPLACED = "takes `{given}` for its switch, not for a timeout, and waits for ever"
    ZERO_IS_FOREVER = "waits for ever: 0 means no timeout here"
    OR_FOREVER = "turns a timeout of 0 into no timeout: `{given}`"
    TESTED_AWAY = "has no timeout where `{given}` is 0: a timeout of 0 waits for ever"
    CLOCK_TIME = "gets a clock time, `{given}`, for a length of time, and waits for years"
    MILLISECONDS = "gets milliseconds, `{given}`, where it counts seconds"
    SECONDS = "gets seconds, `{given}`, where it counts milliseconds"
    NOBODY_WAITS = "gives {given} of grace and returns at once: nobody waits for its event"
    AGAIN = "is made anew until `{given}` is over, so its timeout bounds nothing"
    THEN_FOREVER = "waits for ever for what `{given}` has already given up on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Noun):
    """A wait whose timeout is none, or not the one that is meant."""

    text: str
    """The call, for messages."""
    flaw: Flaw
    given: str
    """What is given for the timeout (or instead of it), as written."""
    certain: bool = False
    """The value provably does not bound."""
    seen: Related | None = None
    """Where what is given comes from, or the earlier wait on the same thing."""
