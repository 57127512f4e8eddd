"""DRN108."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.loop import Loop
from drainlint.rule import POLLS, Rule, always

SECOND = 1.0


class LogEachPoll(Rule[Loop]):
    """A polling loop logs on every turn, several times a second.

    A drain of a few seconds writes hundreds of equal lines, which hide the one that matters and
    take time themselves. Log when the number has changed, or every n-th turn.

    Bad:
        class Pool:
            def close(self):
                while self.in_flight > 0:
                    log.info("waiting, %d in flight", self.in_flight)
                    time.sleep(0.02)

    Good:
        class Pool:
            def close(self):
                last = -1
                while self.in_flight > 0:
                    if self.in_flight != last:
                        last = self.in_flight
                        log.info("waiting, %d in flight", last)
                    time.sleep(0.02)
    """

    code = "DRN108"
    level = always(Level.NOTE)
    words = POLLS

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag the first log call that every turn of a fast polling loop makes."""
        often = loop.turn is not None and loop.turn < SECOND
        if not loop.reports or not often or not loop.questions or not loop.waits_by_asking:
            return
        report = loop.reports[0]
        yield self.found(
            loop,
            f"`{report.text}` writes {loop.wakeups} while the loop waits",
            loop.related(loop.place, "the loop"),
            remedy="log when something has changed",
            at=report.place,
        )
