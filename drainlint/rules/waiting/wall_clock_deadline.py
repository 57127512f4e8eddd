"""DRN316."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.clock import Moment
from drainlint.rule import Rule, any_of, does, on_drain_path
from drainlint.rules.waiting import is_far_from_the_stop
from drainlint.words import KEEPS_MOMENT


class WallClockDeadline(Rule[Moment]):
    """A deadline is computed with a clock that can be set.

    When the time is corrected, by hand or by NTP, the deadline is suddenly over or moves away
    for hours: the drain is cut off, or never ends. `time.monotonic()` only goes forward.

    Bad:
        class Pool:
            def drain(self):
                deadline = time.time() + 20
                for worker in self.workers:
                    worker.join(max(0.0, deadline - time.time()))

    Good:
        class Pool:
            def drain(self):
                deadline = time.monotonic() + 20
                for worker in self.workers:
                    worker.join(max(0.0, deadline - time.monotonic()))
    """

    code = "DRN316"
    level = on_drain_path(Level.WARNING, Level.NOTE)
    words = does("wall-clock") & any_of(KEEPS_MOMENT)

    def check(self, moment: Moment) -> Iterator[Finding]:
        """Flag a deadline, or a start that time is counted from, on a clock that can be set."""
        if not moment.is_wall_clock or moment.bounds is None:
            return
        yield self.found(
            moment,
            f"`{moment.name}` bounds a wait by `{moment.clock}`, a clock that can be set",
            moment.bounds,
            remedy="take `time.monotonic()` here and wherever it is compared"
            if moment.only_differences
            else "keep a second moment from `time.monotonic()` for the wait",
            level=Level.NOTE if is_far_from_the_stop(moment) else None,
        )
