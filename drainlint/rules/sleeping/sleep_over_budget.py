"""DRN203."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.pause import Pause
from drainlint.rule import TIMED, Rule, any_of, does, on_drain_path
from drainlint.words import BLOCKING


class SleepOverBudget(Rule[Pause]):
    """A single pause is longer than all the time that a stop may take.

    The platform sends SIGKILL when the grace period is over, 30 seconds after SIGTERM in
    Kubernetes. A pause that nothing cuts short and that is longer than that cannot end in time,
    whatever else the drain does.

    Bad:
        def refresh(self):
            time.sleep(60)

    Good:
        def refresh(self):
            self.stopped.wait(60)
    """

    code = "DRN203"
    level = on_drain_path(Level.ERROR, Level.WARNING)
    words = (
        any_of("sleep") | does("sleep", ways=(BLOCKING,)) | does("wait", ways=(BLOCKING,), on=TIMED)
    )

    def check(self, pause: Pause) -> Iterator[Finding]:
        """Flag a pause of known length that a stop cannot end in time."""
        if pause.seconds is None or pause.seconds <= pause.budget:
            return
        if pause.can_be_cut_short or pause.interrupted_by_signal:
            return
        yield self.found(
            pause,
            f"`{pause.text}` pauses for up to {pause.shown},"
            f" longer than the drain budget of {pause.budget:g} s",
            remedy="pause with `stop.wait(...)` on an `Event` that the stop sets",
        )
