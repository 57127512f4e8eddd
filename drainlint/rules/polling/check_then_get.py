"""DRN110."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.take import CheckedTake
from drainlint.rule import Rule, always, any_of, does


class CheckThenGet(Rule[CheckedTake]):
    """A blocking `get()` relies on a check made before that the queue is not empty.

    Between the check and the `get()` another thread or process may take the last item. The `get()`
    then waits for ever, usually in the drain itself, when nobody puts any more. `get_nowait()`
    checks and takes in one step.

    Bad:
        class Pool:
            def __init__(self):
                self.jobs = queue.Queue()
                self.thread = threading.Thread(target=self.work)

            def work(self):
                while (job := self.jobs.get()) is not None:
                    job()

            def close(self):
                while not self.jobs.empty():
                    self.jobs.get()

    Good:
        class Pool:
            def __init__(self):
                self.jobs = queue.Queue()
                self.thread = threading.Thread(target=self.work)

            def work(self):
                while (job := self.jobs.get()) is not None:
                    job()

            def close(self):
                with contextlib.suppress(queue.Empty):
                    while True:
                        self.jobs.get_nowait()
    """

    code = "DRN110"
    level = always(Level.WARNING)
    cwe = 367
    words = does("take") & any_of("empty", "qsize")

    def check(self, take: CheckedTake) -> Iterator[Finding]:
        """Flag a take that waits for ever once somebody else was faster."""
        yield self.found(
            take,
            f"`{take.text}` relies on `{take.check.text}`,"
            " and waits for ever where another taker was faster",
            take.related(take.check.place, "checked here"),
            take.other,
            remedy="use `get_nowait()` and handle `Empty`",
        )
