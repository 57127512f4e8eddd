"""A `try`: what it lets pass when its program, task or greenlet is asked to stop, and what not."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.noun import Noun
from drainlint.model.place import Place


@dataclass(frozen=True, slots=True)
class Catch:
    """An `except` clause, or the `suppress` of a `with`."""

    place: Place
    text: str
    """`except CancelledError`, for messages."""
    natures: frozenset[str] = frozenset()
    """What it catches, as the knowledge tables say: `cancellation`, `interrupt`, `errors`, ..."""
    named: bool = False
    """It names what asks to stop, rather than catch it along with everything else."""
    reraises: bool = False
    """Every way through it raises."""
    may_raise: bool = False
    """Some way through it raises."""
    keeps: bool = False
    """The exception is stored or handed on: somebody else hears of it."""
    leaves: str = ""
    """How it ends for sure, if it does not raise: `return`, `break`; empty where it goes on."""
    awaits: tuple[Related, ...] = ()
    """What it awaits."""

    @property
    def catches_cancellation(self) -> bool:
        """Whether it catches the cancellation of a task or greenlet."""
        return bool(self.natures & {"cancellation", "everything"})

    @property
    def catches_interrupt(self) -> bool:
        """Whether it catches what Ctrl-C and an exit raise."""
        return bool(self.natures & {"interrupt", "exit-request", "everything"})

    @property
    def swallows(self) -> bool:
        """Whether nobody else ever hears of what it caught."""
        return not (self.reraises or self.may_raise or self.keeps)

    @property
    def is_for_threads(self) -> bool:
        """Whether it names the cancellation of futures of threads, not that of tasks."""
        return "future-cancellation" in self.natures


@dataclass(frozen=True, slots=True, kw_only=True)
class TryBlock(Noun):
    """A `try` statement, or a `with suppress(...)`."""

    catches: tuple[Catch, ...] = ()
    body: Place
    """From the first to the last statement of what it guards."""
    awaits: tuple[Related, ...] = ()
    """What its body awaits: there a cancellation strikes."""
    waits_or_loops: bool = False
    """Its body holds a loop, or a call that may wait."""
    in_loop: bool = False
    """Each turn of a loop enters it."""
    last_act: bool = False
    """Nothing follows it in its function."""
    cancels_itself: bool = False
    """What it awaits was cancelled by the function itself, just before."""
    cleanup: tuple[Related, ...] = ()
    """What its `finally` and its handlers of cancellation await."""
    leaves_finally: Related | None = None
    """The `return`, `break` or `raise` in its `finally` that drops the exception."""
    skipped: tuple[Related, ...] = ()
    """Steps in its body that tell or release somebody, and that an exception before skips."""

    @property
    def swallowing(self) -> tuple[Catch, ...]:
        """The clauses that end a cancellation, or a wish to exit, here."""
        struck = bool(self.awaits)
        return tuple(
            catch
            for catch in self.catches
            if catch.swallows
            and ((struck and catch.catches_cancellation) or catch.catches_interrupt)
        )

    @property
    def goes_on(self) -> bool:
        """Whether a loop goes on with its next turn after something was swallowed."""
        return self.in_loop and any(not catch.leaves for catch in self.swallowing)
