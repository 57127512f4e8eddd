"""DRN403."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.exit import Exit
from drainlint.rule import Levels, Rule, any_of, does


def _level(exit_: Exit) -> Level:
    return Level.NOTE if exit_.second_signal else Level.ERROR


class HardExit(Rule[Exit]):
    """The process ends on the spot: no `finally`, no exit hook, no flush.

    Work in flight, buffered output and everything that other threads were about to save is lost.
    Let the main flow end by itself after a bounded drain; keep `os._exit` for the child of a fork
    and for those who ask a second time.

    Bad:
        class Supervisor:
            def on_crash(self):
                os._exit(1)

    Good:
        class Supervisor:
            def on_crash(self):
                self.failed = True
                self.stopped.set()
    """

    code = "DRN403"
    level = Levels(Level.ERROR, _level)
    words = any_of("SIGKILL") | does("hard-exit")

    def check(self, exit_: Exit) -> Iterator[Finding]:
        """Flag a hard exit that is neither a child's own nor a parent's that daemonises."""
        if exit_.sort == "exit" or exit_.in_child or exit_.daemonises:
            return
        if exit_.sort == "exec" and (exit_.drain is None or exit_.last_act):
            return
        yield self.found(
            exit_,
            f"`{exit_.text}` ends the process without `finally`, exit hooks or flushing",
            remedy="tell the main flow to stop, and let it end after a bounded drain",
        )
