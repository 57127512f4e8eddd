"""DRN401."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.exit import Exit
from drainlint.rule import Levels, Rule, any_of, does


def _level(exit_: Exit) -> Level:
    function = exit_.function
    if function.helper or (function.command_line and function.service is None):
        return Level.NOTE
    return Level.ERROR if exit_.function.service is not None else Level.WARNING


class ExitOutsideMain(Rule[Exit]):
    """Code outside the main flow ends the whole program.

    Whoever calls it cannot know, and cannot drain: the exit passes through workers, locks and
    buffers that others still use. Raise an exception of your own, and let the main flow decide.

    Bad:
        class Store:
            def connect(self):
                try:
                    self.connection = open_connection()
                except OSError:
                    sys.exit("no database")

    Good:
        class Store:
            def connect(self):
                try:
                    self.connection = open_connection()
                except OSError as fault:
                    raise StoreUnavailableError from fault
    """

    code = "DRN401"
    level = Levels(Level.ERROR, _level)
    cwe = 382
    words = any_of("exit", "quit", "SystemExit") | does("exit")

    def check(self, exit_: Exit) -> Iterator[Finding]:
        """Flag an exit that is neither the main flow's nor a child's own."""
        if exit_.sort != "exit" or exit_.function.main or exit_.at_import:
            return
        if (
            exit_.in_child
            or exit_.daemonises
            or exit_.in_handler_of_import
            or exit_.in_command_line
        ):
            return
        if exit_.runs_as_process or exit_.in_signal_handler or exit_.caught:
            return
        yield self.found(
            exit_,
            f"`{exit_.text}` ends the program from `{exit_.function.short_name}`",
            remedy="raise an exception, and let the main flow drain and exit",
        )
