"""Polling: waiting by asking."""

from collections.abc import Iterator

from drainlint.finding import Level, Related
from drainlint.model.loop import Loop, Question
from drainlint.rule import Levels


def _of(loop: Loop) -> Level:
    """A pure wait's deadline decides; a pause that a stop cuts short takes one step off."""
    if loop.drain is None:
        level = Level.NOTE if loop.deadline else Level.WARNING
    else:
        level = Level.WARNING if loop.deadline or loop.drain.by_name else Level.ERROR
    return level.lower if loop.pause_is_cut_short else level


by_deadline = Levels(Level.ERROR, _of)
"""On the drain path error without a deadline and warning with one, elsewhere warning and note."""


def held(loop: Loop) -> str:
    """What the deadline, or its absence, means; for messages."""
    if loop.deadline:
        return (
            f", bounded by {loop.deadline}{_in_all(loop)}: whoever waits learns of it {_late(loop)}"
        )
    if loop.drain is not None:
        return " without a deadline while the service stops"
    if loop.notices_a_stop:
        return " without a deadline"
    return " without a deadline, and notices nothing during a pause"


def heard(loop: Loop, asks: Question) -> str:
    """What the deadline means for what is asked; who waits to be stopped needs none."""
    idles = loop.drain is None and not loop.deadline and loop.hears_a_stop(asks)
    return f", and hears of it {_late(loop)}" if idles else held(loop)


def _in_all(loop: Loop) -> str:
    """How long counted turns take together, their pauses alone."""
    if not loop.turns or not loop.turn:
        return ""
    return f" of {loop.turn:g} s, {loop.turns * loop.turn:g} s in all"


def _late(loop: Loop) -> str:
    return "a pause late" if loop.turn is None else f"up to {loop.turn:g} s late"


def pause_notes(loop: Loop, asks: Question) -> Iterator[Related]:
    """Where a loop asks, and how often it wakes."""
    if asks.place != loop.place:
        yield loop.related(asks.place, "asks here")
    for pause in loop.sleeps[:1]:
        yield loop.related(pause.place, f"wakes {loop.wakeups}")
