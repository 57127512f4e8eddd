"""DRN305."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.wait import Wait
from drainlint.rule import Rule, always, any_of, does
from drainlint.words import BOUNDED

LOOKS = {
    "join": "ask `is_alive()` (or `exitcode`) afterwards, and say who was late",
    "lock": "look at what it returns: without the lock, do not go on",
    "wait": "look at what it returns, and cancel, kill or report who was late",
}


class UncheckedTimeout(Rule[Wait]):
    """A timeout runs out, and nobody looks.

    `join(5)` returns the same whether the thread has ended or not; an event's `wait(5)` and a
    lock's `acquire(timeout=5)` say so in a result that is dropped. What follows goes on as if all
    were well: it closes what the late worker still uses, and reports a clean stop.

    Bad:
        class Pool:
            def stop(self):
                self.worker.join(5)
                self.connection.close()

    Good:
        class Pool:
            def stop(self):
                self.worker.join(5)
                if self.worker.is_alive():
                    log.error("%s is late, its work is lost", self.worker.name)
                self.connection.close()
    """

    code = "DRN305"
    level = always(Level.WARNING)
    words = any_of("join(x)") | does("join", "lock", "wait", ways=(BOUNDED,))

    def check(self, wait: Wait) -> Iterator[Finding]:
        """Flag a bounded wait whose outcome nobody looks at."""
        if wait.verb not in LOOKS or not wait.is_bounded_here or wait.handed_over:
            return
        if (
            wait.cancelled
            or wait.seen
            or wait.is_pause
            or wait.hands_on
            or wait.own_job
            or wait.ended
            or wait.killed
        ):
            return
        yield self.found(
            wait,
            f"nobody looks whether `{wait.text}` ran out of time",
            wait.related(wait.place, f"gives up after {wait.deadline.shown}"),
            remedy=LOOKS[wait.verb],
        )
