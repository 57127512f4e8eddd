"""DRN301."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.deadline import Bound
from drainlint.model.wait import Wait
from drainlint.rule import Rule, any_of, does, on_drain_path
from drainlint.rules.waiting import at_most, is_left_alone, on_the_way
from drainlint.words import BLOCKING, UNBOUNDED


class UnboundedJoin(Rule[Wait]):
    """A `join()` without a timeout waits for ever for whoever hangs.

    One worker that is stuck in a call holds up the whole stop, until the platform kills the process
    and everything that was still to be saved is lost. Give the join what is left of the drain
    budget, and look at `is_alive()` afterwards.

    Bad:
        class Pool:
            def close(self):
                for worker in self.workers:
                    worker.join()

    Good:
        class Pool:
            def close(self):
                deadline = time.monotonic() + 20
                for worker in self.workers:
                    worker.join(max(0.0, deadline - time.monotonic()))
                    if worker.is_alive():
                        log.error("%s did not end", worker.name)
    """

    code = "DRN301"
    level = on_drain_path(Level.ERROR, Level.WARNING)
    words = any_of("join(x)") | does("join", ways=(BLOCKING, UNBOUNDED))

    def check(self, wait: Wait) -> Iterator[Finding]:
        """Flag a join of a thread, process, queue, ... that nothing bounds."""
        handed_on = wait.deadline.bound is Bound.HANDED_ON
        if wait.verb != "join" or wait.awaited or not (wait.deadline.is_none or handed_on):
            return
        if is_left_alone(wait):
            return
        yield self.found(
            wait,
            f"`{wait.text}` can wait for ever{on_the_way(wait)}",
            wait.related(wait.place, "no deadline"),
            remedy=_remedy(wait),
            level=Level.NOTE if handed_on or _is_soon_over(wait) else at_most(wait),
        )


def _is_soon_over(wait: Wait) -> bool:
    return wait.killed or wait.gave_result or wait.hands_on


def _remedy(wait: Wait) -> str:
    if wait.nature in ("queue", "pool"):
        return f"a {wait.nature} has no `join` with a timeout: join from a thread that is waited for with one, or count what is open"  # noqa: E501 - one sentence
    if wait.deadline.bound is Bound.HANDED_ON:
        return f"by default nothing bounds it: give `{wait.deadline.text}` a real default"
    return "give it what is left of the drain budget and look at `is_alive()` afterwards"
