"""A loop: what it asks, how it pauses, how it ends."""

from dataclasses import dataclass

from drainlint.model.noun import Noun
from drainlint.model.pause import Pause
from drainlint.model.place import Place


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a loop asks on every turn to learn whether it may end or go on."""

    sort: str
    """`queue`, `flag`, `liveness`, `parent`, `external`, `everything`."""
    text: str
    place: Place
    subject: str = ""
    """What is asked about, as written: `q` in `q.empty()`."""
    where: str = "condition"
    """`condition`, `exit` (a test that leaves the loop), `take` (before it takes or goes on)."""
    certain: bool = True
    """It was recognised by more than the name of a method."""
    waited: bool = False
    """The loop's body waits for a while on the very thing: that is no polling."""
    room: bool = False
    """It asks whether there is room: `q.full()`, `len(tasks) >= limit`."""


def is_about(text: str, attribute: str) -> bool:
    """Whether a question, as written, reads an attribute: `self.stopped.is_set()`."""
    return attribute in text.removesuffix("()").split(".")


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a loop does in its own body, for what a rule says about it."""

    text: str
    place: Place


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
    lasts: float | None = None
    """The seconds that a clock grants it at most, where a number says so."""
    blocks: bool = False
    """Something in its body other than a pause waits, reads or calls what is not known."""
    idle_turns: bool = False
    """A turn on which a queue has nothing does nothing at all, pauses aside."""
    is_own_job: bool = False
    """It stands in the implementation of what waits: a lock's `acquire`, a queue's `get`."""
    keeps_time: bool = False
    """Every turn takes a fixed time, and works off what is there: it begins with a pause, or ends
    with the rest of its period."""
    idles: bool = False
    """Some pause is taken when there is nothing to do; others are back-offs after failures."""
    attempts: tuple[Step, ...] = ()
    """What it takes without blocking, where it goes on when there is nothing."""
    reports: tuple[Step, ...] = ()
    """What it logs or prints on every turn, changed or not."""
    losers: tuple[Step, ...] = ()
    """Timers and tasks that it makes on every turn and leaves behind."""

    @property
    def only_waits(self) -> bool:
        """Whether it is a pure wait."""
        return self.is_pure_wait

    def asks(self, *sorts: str) -> Question | None:
        """The first question of one of these sorts that the body does not wait on."""
        return next((q for q in self.questions if q.sort in sorts and not q.waited), None)

    def waits_for(self, sort: str) -> Question | None:
        """What it waits for: the first question of a sort that is not for the request to stop.

        A loop that leaves at a stop asks for that too, and may ask for nothing else.
        """
        asked = [q for q in self.questions if q.sort == sort and not q.waited]
        others = (q for q in asked if not self.hears_a_stop(q))
        return next(others, asked[0] if asked else None)

    def hears_a_stop(self, question: Question) -> bool:
        """Whether a question is whether the loop's own service is to stop."""
        service = self.function.service
        stops = () if service is None else service.stop_signals
        return any(is_about(question.text, signal) for signal in stops)

    @property
    def asks_for_room(self) -> Question | None:
        """The first question whether there is room."""
        return next((q for q in self.questions if q.room and not q.waited), None)

    @property
    def sleeps(self) -> tuple[Pause, ...]:
        """The pauses that really take time (`sleep(0)` does not)."""
        return tuple(p for p in self.pauses if p.seconds is None or p.seconds > 0)

    @property
    def polls(self) -> bool:
        """Whether it sleeps between questions that it could wait on instead."""
        return bool(self.sleeps) and not self.blocks_on_question and not self.is_own_job

    @property
    def waits_by_asking(self) -> bool:
        """Whether it does nothing else than sleep between its questions."""
        return self.is_pure_wait and self.polls

    @property
    def spins(self) -> bool:
        """Whether nothing takes time on a turn that finds nothing."""
        if self.sleeps or not self.idle_turns:
            return False
        takes = any(q.where == "take" and q.sort == "queue" for q in self.questions)
        return self.is_pure_wait or takes

    @property
    def pause_is_cut_short(self) -> bool:
        """Whether a stop cuts every pause short: it then still polls, but ends at once."""
        return bool(self.sleeps) and all(p.event or p.ends_by_raising for p in self.sleeps)

    @property
    def notices_a_stop(self) -> bool:
        """Whether a request to stop can end every pause, one way or the other."""
        return all(p.can_be_cut_short or p.interrupted_by_signal for p in self.sleeps)

    @property
    def turn(self) -> float | None:
        """The seconds that its pauses take on each turn, where that is known."""
        known = [p.seconds for p in self.sleeps if p.seconds]
        return sum(known) if known and len(known) == len(self.sleeps) else None

    @property
    def counts_attempts(self) -> bool:
        """Whether it is a `for` over so and so many attempts."""
        return self.turns is not None or self.deadline.startswith("`range(")

    @property
    def wakeups(self) -> str:
        """How often it wakes, for messages."""
        each = self.turn
        if each is None:
            return "on every turn"
        if each >= 1:
            return f"every {each:g} s"
        return f"{1 / each:.0f} times a second"
