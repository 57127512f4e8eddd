"""DRN306."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.wait import Wait
from drainlint.rule import DRAINS, Levels, Rule, any_of, does
from drainlint.rules.waiting import is_far_from_the_stop

STOPPING = frozenset({"join", "wait", "bound", "await", "take", "lock", "close"})
REMEDY = "compute one deadline before, and give each wait what is left of it"


def _known(wait: Wait) -> float | None:
    """The seconds that this wait, its turns and those before it come to."""
    total = wait.total
    return None if total is None else total + sum(e.seconds for e in wait.earlier)


def _level(wait: Wait) -> Level:
    if is_far_from_the_stop(wait):
        return Level.NOTE
    total = _known(wait)
    return Level.ERROR if total is not None and total > wait.budget else Level.WARNING


class TimeoutsAddUp(Rule[Wait]):
    """Each of several waits has a timeout, and together they take longer than a stop may.

    A loop that gives every worker five seconds takes a minute for twelve of them; waits in a row
    add up in the same way. The platform does not add: it kills the process when its own time is
    over. Compute one deadline first, and give each wait what is left of it.

    Bad:
        class Pool:
            def stop(self):
                for worker in self.workers:
                    worker.join(timeout=5)
                    if worker.is_alive():
                        log.error("%s is late", worker.name)

    Good:
        class Pool:
            def stop(self):
                deadline = time.monotonic() + 20
                for worker in self.workers:
                    worker.join(timeout=max(0.0, deadline - time.monotonic()))
                    if worker.is_alive():
                        log.error("%s is late", worker.name)
    """

    code = "DRN306"
    level = Levels(Level.ERROR, _level)
    words = (any_of("join(x)") | does("join", "wait", "bound", "take", "lock", "close")) & (
        DRAINS | any_of("join(x)") | does("join")
    )

    def check(self, wait: Wait) -> Iterator[Finding]:
        """Flag a bounded wait that a loop repeats, or that takes a row of waits over the budget."""
        over = wait.ended or wait.killed
        if wait.verb not in STOPPING or wait.is_pause or wait.hands_on or over:
            return
        if wait.repeats is not None and _matters(wait):
            place = wait.repeats.place
            story = wait.related(place, f"once for each of `{wait.repeats.text}`")
            yield self.found(wait, _loop_message(wait), story, remedy=REMEDY)
        elif wait.repeats is None and _crosses(wait):
            row = [wait.related(e.place, f"up to {e.seconds:g} s") for e in wait.earlier]
            yield self.found(wait, _row_message(wait), *row, remedy=REMEDY)


def _matters(wait: Wait) -> bool:
    """Whether a loop's waits are a stop's, and not known to stay within the budget."""
    total = wait.total
    if wait.drain is None and wait.verb != "join":
        return False
    return total is None or total > wait.budget


def _crosses(wait: Wait) -> bool:
    """Whether it is this wait with which those before it exceed the budget."""
    before = sum(e.seconds for e in wait.earlier)
    own = wait.deadline.seconds or 0.0
    return own <= wait.budget and before <= wait.budget < before + own


def _loop_message(wait: Wait) -> str:
    each = wait.deadline.shown
    if wait.repeats is not None and wait.repeats.count is not None:
        return f"`{wait.text}` adds up to {wait.repeats.count:g} x {each}, more than the drain budget of {wait.budget:g} s"  # noqa: E501 - one sentence
    return f"`{wait.text}` waits up to {each} for each one, and the times add up"


def _row_message(wait: Wait) -> str:
    row = " + ".join(f"{e.seconds:g}" for e in wait.earlier)
    return f"with `{wait.text}` the waits add up to {row} + {wait.deadline.seconds:g} s, more than the drain budget of {wait.budget:g} s"  # noqa: E501 - one sentence
