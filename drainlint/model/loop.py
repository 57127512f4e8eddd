"""A loop: what it asks, how it pauses, how it ends."""

from dataclasses import dataclass

from drainlint.model.noun import Noun
from drainlint.model.pause import Pause
from drainlint.model.place import Place


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a loop asks on every turn to learn whether it may end or go on."""

    sort: str
    """`queue`, `flag`, `liveness`, `external`, `everything`."""
    text: str
    place: Place
    subject: str = ""
    """What is asked about, as written: `q` in `q.empty()`."""
    where: str = "condition"
    """`condition`, `exit` (a test that leaves the loop), `take` (a test before it takes or goes on)."""
    certain: bool = True
    """It was recognised by more than the name of a method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop(Noun):
    """A `while` or `for`, with what its own body does; nested loops are loops of their own."""

    text: str
    """Its header, for messages."""
    questions: tuple[Question, ...] = ()
    pauses: tuple[Pause, ...] = ()
    """Those of its own body."""
    is_pure_wait: bool = False
    """It does nothing but wait: only pauses, logging, counters, checks and refreshes."""
    deadline: str = ""
    """What bounds it, in words: "its condition", "at most 10 turns"; empty for nothing."""
    blocks_on_question: bool = False
    """Its body waits for a while on the very thing it asks about: it does not poll."""
    turns: float | None = None
    """How many turns it has at most, where that is known."""
    blocks: bool = False
    """Something in its body other than a pause waits, reads or calls what is not known."""

    def asks(self, *sorts: str) -> Question | None:
        """The first question of one of these sorts."""
        return next((q for q in self.questions if q.sort in sorts), None)

    @property
    def sleeps(self) -> tuple[Pause, ...]:
        """The pauses that really take time (`sleep(0)` does not)."""
        return tuple(p for p in self.pauses if p.seconds is None or p.seconds > 0)

    @property
    def pause_is_cut_short(self) -> bool:
        """Whether a stop cuts every pause short: it then still polls, but ends at once."""
        return bool(self.sleeps) and all(p.event for p in self.sleeps)

    @property
    def wakeups(self) -> str:
        """How often it wakes, for messages."""
        known = [p.seconds for p in self.sleeps if p.seconds]
        if len(known) != len(self.sleeps) or not known:
            return "on every turn"
        each = sum(known)
        if each >= 1:
            return f"every {each:g} s"
        return f"{1 / each:.0f} times a second"
