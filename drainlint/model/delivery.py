"""A delivery: a message is received, worked on, and acknowledged, in this order or another."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.noun import Noun
from drainlint.model.place import Place


@dataclass(frozen=True, slots=True)
class Step:
    """Something done with a message."""

    text: str
    """The call, for messages."""
    place: Place
    verb: str = ""
    """As the knowledge tables say: `ack`, `commit`, `put`, `spawn`; empty for any other call."""
    cleanup: bool = False
    """It stands in a `finally`, or in a handler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Noun):
    """What one function does with the messages, items or jobs that it receives."""

    how: str
    """`callback` (it is called with each), `loop` (it iterates), `take` (it asks for one)."""
    received: Related
    """Where: the definition, the loop, the call."""
    message: str
    """What it calls the message."""
    worked_on: tuple[Step, ...] = ()
    """What is done with it here, in source order."""
    handed_to: tuple[Step, ...] = ()
    """Given to another worker or queue, which works on it later."""
    acknowledged: tuple[Step, ...] = ()
    """Told to the broker or queue that it is done with."""

    @property
    def is_acknowledged_first(self) -> bool:
        """Whether it is acknowledged before anything is done with it."""
        work = (*self.worked_on, *self.handed_to)
        if not (self.acknowledged and work):
            return False
        return self.acknowledged[0].place < min(step.place for step in work)

    @property
    def is_acknowledged_while_worked_on(self) -> bool:
        """Whether it is acknowledged here although somebody else works on it."""
        if not (self.handed_to and self.acknowledged):
            return False
        return self.acknowledged[-1].place > self.handed_to[0].place

    @property
    def may_stay_unacknowledged(self) -> bool:
        """Whether an error in the work skips every acknowledgement."""
        return bool(self.acknowledged) and not any(step.cleanup for step in self.acknowledged)
