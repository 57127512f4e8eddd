"""DRN302."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.deadline import Bound
from drainlint.model.wait import Wait
from drainlint.rule import UNKNOWN_WAITS, Rule, does, on_drain_path
from drainlint.rules.waiting import at_most, is_left_alone, on_the_way
from drainlint.words import BLOCKING, UNBOUNDED


class UnboundedWait(Rule[Wait]):
    """A wait for an event, a result or a child has no timeout.

    Whoever was to set, finish or end it may be gone: then the wait never ends, and neither does a
    stop that needs this thread. Give it a timeout and look at what it returns.

    Bad:
        def fetch(pool: concurrent.futures.Executor):
            return pool.submit(load).result()

    Good:
        def fetch(pool: concurrent.futures.Executor):
            return pool.submit(load).result(timeout=10)
    """

    code = "DRN302"
    level = on_drain_path(Level.ERROR, Level.WARNING)
    words = UNKNOWN_WAITS | does("wait", "killall", ways=(BLOCKING, UNBOUNDED))

    def check(self, wait: Wait) -> Iterator[Finding]:
        """Flag a blocking wait on a known thing that nothing bounds."""
        if wait.verb != "wait" or wait.awaited:
            return
        if not wait.deadline.is_none and wait.deadline.bound is not Bound.HANDED_ON:
            return
        if is_left_alone(wait) or wait.idle or wait.runs_its_job:
            return
        if wait.woken_by_stop and wait.in_loop and not _is_the_stop(wait):
            return
        yield self.found(
            wait,
            f"`{wait.text}` can wait for ever{on_the_way(wait)}",
            wait.related(wait.place, "no deadline"),
            remedy="give it a timeout, and look at what it says when the time runs out",
            level=_level(wait),
        )


def _is_the_stop(wait: Wait) -> bool:
    """Whether it is a stop method itself that waits, and no loop that a stop wakes."""
    return wait.drain is not None and wait.drain.sort == "method" and len(wait.drain.steps) == 1


def _level(wait: Wait) -> Level | None:
    beside = wait.drain is not None or bool(wait.function.worker)
    if wait.killed or wait.is_brief or wait.is_attended or wait.has_bounded_jobs:
        return Level.NOTE
    if wait.deadline.bound is Bound.HANDED_ON:
        return Level.NOTE
    if (wait.is_facade or wait.in_its_pools_block) and not beside:
        return Level.NOTE
    return at_most(wait)
