"""DRN402."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.exit import Exit
from drainlint.rule import Rule, always, any_of, does


class ExitInWorker(Rule[Exit]):
    """An exit in a thread, executor job, task or callback ends only that.

    In a thread `SystemExit` ends the thread without a word, and the process lives on without its
    worker; an executor stores it until somebody asks for the result; an event loop is torn down
    around its other tasks. Tell the main flow that it is over: set its stop event, or hand it the
    exception.

    Bad:
        def work():
            if not connect():
                sys.exit(1)

        threading.Thread(target=work).start()

    Good:
        def work():
            if connect():
                serve()
            else:
                failed.set()

        threading.Thread(target=work).start()
    """

    code = "DRN402"
    level = always(Level.ERROR)
    cwe = 382
    words = any_of("exit", "quit", "SystemExit") | does("exit")

    def check(self, exit_: Exit) -> Iterator[Finding]:
        """Flag an exit in what runs beside the main flow, in the same process."""
        if exit_.sort != "exit" or not exit_.in_worker or exit_.in_child or exit_.caught:
            return
        yield self.found(
            exit_,
            f"`{exit_.text}` {_effect(exit_)}",
            remedy="set the main flow's stop event or hand it the exception, and return",
        )


def _effect(exit_: Exit) -> str:
    if exit_.tears_loop:
        return f"in {exit_.in_worker} tears the event loop down around its other tasks"
    return f"ends only {exit_.in_worker}, not the program"
