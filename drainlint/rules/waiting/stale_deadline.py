"""DRN313."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.clock import StaleMoment
from drainlint.rule import DRAINS, Rule, always, any_of, does
from drainlint.words import KEEPS_DEADLINE, KEEPS_MOMENT


class StaleDeadline(Rule[StaleMoment]):
    """A drain gets a deadline that was computed before anybody asked for it.

    The service runs for days, then the request to stop comes, and the time for the drain is long
    over: every wait returns at once, and nothing is drained. Compute the deadline when the wait
    for the request to stop has ended.

    Bad:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())

        def main():
            deadline = time.monotonic() + 25
            stop.wait()
            worker.join(deadline - time.monotonic())

    Good:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())

        def main():
            stop.wait()
            deadline = time.monotonic() + 25
            worker.join(deadline - time.monotonic())
    """

    code = "DRN313"
    level = always(Level.ERROR)
    words = does("clock", "wall-clock") & (any_of(KEEPS_DEADLINE, KEEPS_MOMENT) | DRAINS)

    def check(self, moment: StaleMoment) -> Iterator[Finding]:
        """Flag the first use of a deadline that ran while the program waited to be stopped."""
        yield self.found(
            moment,
            f"`{moment.name}` was computed before the request to stop came, and is over when "
            f"`{moment.text}` uses it",
            moment.computed,
            moment.waited,
            remedy="compute it after the wait for the request to stop",
        )
