"""Moments: deadlines and starts that a program computes from a clock."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.noun import Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Noun):
    """A statement that computes a deadline, or notes the start from which time is counted."""

    name: str
    """The name or attribute that holds it."""
    clock: str
    """The call that tells the time, as written."""
    is_wall_clock: bool
    """People and NTP set the clock, forwards and backwards."""
    bounds: Related | None = None
    """Where it bounds a wait or a loop; None where it is only shown, stored or sent."""
    only_differences: bool = False
    """Every use compares it with the same clock or subtracts one from the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleMoment(Noun):
    """The first use of a deadline that ran while the program waited for the request to stop."""

    name: str
    text: str
    """What uses it, for messages."""
    computed: Related
    """Where the deadline is computed."""
    waited: Related | None = None
    """Where the request to stop is waited for in between."""
