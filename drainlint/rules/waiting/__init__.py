"""Waiting: no deadline, or one that nobody checks."""

from drainlint.finding import Level
from drainlint.model.noun import Noun
from drainlint.model.wait import Wait

CERTAIN_STOPS = frozenset({"signal", "shutdown-hook"})
"""Roots of drain paths that the platform itself enters when it stops the program."""


def on_the_way(wait: Wait) -> str:
    """Who is held up by a wait without an end; for messages."""
    if wait.drain is not None:
        return f" while the service stops ({wait.drain.root})"
    if wait.function.worker:
        return f", and with it {wait.function.worker}"
    return ""


FAR = 4
"""Steps from the root of a drain path after which a wait is somebody else's to bound."""


def is_far_from_the_stop(noun: Noun) -> bool:
    """Whether it is so deep in what a stop calls that the bound belongs further up."""
    return noun.drain is not None and len(noun.drain.steps) >= FAR


def leaves_a_block(noun: Noun) -> bool:
    """Whether it only leaves the block of something that is no service, and ends nothing there."""
    return noun.drain is not None and noun.drain.sort == "context" and noun.drain.by_name


def at_most(wait: Wait) -> Level | None:
    """A wait farther below a stop is no worse than one elsewhere; None leaves the rule's level."""
    farther = wait.drain is not None and len(wait.drain.steps) > FAR
    return Level.WARNING if farther else None


def is_left_alone(wait: Wait) -> bool:
    """Whether it cannot wait for ever after all, or whether waiting is its function's job."""
    return bool(wait.ended or wait.own_job or wait.bounded_by)
