"""DRN309."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.wait import Wait
from drainlint.rule import Levels, Rule, does
from drainlint.rules.waiting import is_far_from_the_stop, is_left_alone, on_the_way

HANDLERS = frozenset({"request-handler", "signal-handler", "loop-signal-handler", "consumer"})


def _level(wait: Wait) -> Level:
    if is_far_from_the_stop(wait) or wait.is_brief or wait.is_attended:
        return Level.NOTE
    if wait.drain is not None and not wait.is_for_another:
        return Level.WARNING if wait.drain.by_name else Level.ERROR
    beside = wait.function.worker or wait.function.roles & HANDLERS
    return Level.WARNING if beside else Level.NOTE


class SubprocessWithoutTimeout(Rule[Wait]):
    """A child process is run to its end without a timeout.

    `subprocess.run` waits for as long as the child pleases: one that asks a question, or hangs on a
    mount, holds its caller for ever. With `timeout=` the child is killed when the time runs out.

    Bad:
        class Volume:
            def close(self):
                subprocess.run(["umount", self.path])

    Good:
        class Volume:
            def close(self):
                subprocess.run(["umount", self.path], timeout=10)
    """

    code = "DRN309"
    level = Levels(Level.ERROR, _level)
    words = does("process")

    def check(self, wait: Wait) -> Iterator[Finding]:
        """Flag a child that is run to its end without a bound, the main flow's own aside."""
        if wait.verb != "process" or not wait.can_be_bounded or not wait.deadline.is_none:
            return
        if is_left_alone(wait) or (wait.drain is None and _is_script(wait)):
            return
        yield self.found(
            wait,
            f"`{wait.text}` waits for its child for ever{on_the_way(wait)}",
            wait.related(wait.place, "no timeout"),
            remedy="give it `timeout=`: the child is killed when it runs out",
        )


def _is_script(wait: Wait) -> bool:
    return wait.function.main or wait.function.helper
