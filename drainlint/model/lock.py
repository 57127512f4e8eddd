"""A call that is made while a lock is held: whoever else needs the lock waits as long."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.deadline import Deadline
from drainlint.model.noun import Noun

MOMENT = 0.5
"""Seconds for which a lock may be held while somebody is waited for."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is held around something, and who else takes it."""

    text: str
    """As written where it is taken."""
    taken: Related
    """Where it is taken."""
    takers: tuple[Related, ...] = ()
    """Other functions that wait for it."""
    stoppers: tuple[Related, ...] = ()
    """Those of them that run while the program stops."""
    busy: tuple[Related, ...] = ()
    """Those of them that write, send, take or call back under it themselves."""
    only_life: bool = False
    """Only methods that start or stop something take it: it keeps a stop from running twice."""

    @property
    def holds_up_a_stop(self) -> bool:
        """Whether a stop takes it for something else than others hold it for."""
        return any(s not in self.busy for s in self.stoppers)

    @property
    def is_only_for_writing(self) -> bool:
        """Whether everybody who takes it does so to write, send, take or call back."""
        return len(self.busy) == len(self.takers)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderLock(Noun):
    """A call that may take long, made with a lock held."""

    text: str
    """The call, for messages."""
    does: str
    """`wait`, `remote` (waits for another host or process), `callback` (runs what a user of the
    class handed in); empty where it is only sent or written."""
    lock: Lock
    deadline: Deadline
    through: Related | None = None
    """Where it waits, if that is in a function which is called with the lock held."""
    needed: Related | None = None
    """Where the side that is waited for takes the same lock: it cannot go on."""
    sends: bool = False
    """It hands something over to a host or a disk."""
    saves: bool = False
    """Its function is there to save, flush or take a snapshot."""
    is_asynchronous: bool = False
    """A coroutine waits, with a lock of the event loop's."""

    @property
    def is_short(self) -> bool:
        """Whether it is over within a moment, whoever is held up."""
        seconds = self.deadline.seconds
        return seconds is not None and 0 < seconds <= MOMENT
