"""DRN315."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.knowledge import WAITING
from drainlint.model.limit import Flaw, Limit
from drainlint.rule import Rule, always, any_of, does
from drainlint.words import BLOCKING, ODD_LIMIT, UNBOUNDED


class BrokenTimeout(Rule[Limit]):
    """A timeout is given, and does not bound the wait.

    It stands where another parameter belongs, counts in another unit, is a moment where a length
    of time is wanted, means "for ever" as 0, or bounds one turn of a loop that never ends. The
    code reads as if it were safe, and the stop hangs all the same.

    Bad:
        jobs = queue.Queue()

        def take():
            return jobs.get(5)

    Bad:
        def stop(worker: threading.Thread):
            while worker.is_alive():
                worker.join(1)

    Good:
        jobs = queue.Queue()

        def take():
            return jobs.get(timeout=5)

    Good:
        def stop(worker: threading.Thread):
            worker.join(20)
            if worker.is_alive():
                log.error("%s did not end", worker.name)
    """

    code = "DRN315"
    level = always(Level.ERROR)
    words = does(*WAITING, "bound", "stop") & (
        any_of(ODD_LIMIT, "while") | does(*WAITING, ways=(BLOCKING, UNBOUNDED)) | does("stop")
    )

    def check(self, limit: Limit) -> Iterator[Finding]:
        """Flag a timeout that does not do what it says."""
        yield self.found(
            limit,
            f"`{limit.text}` {limit.flaw.value.format(given=limit.given)}",
            limit.seen,
            remedy="give it a length of time by name, in the unit that it counts in",
            level=_level(limit),
        )


def _level(limit: Limit) -> Level:
    if limit.flaw is Flaw.AGAIN and limit.drain is None:
        return Level.NOTE  # a join in turns, so that the main thread hears signals meanwhile
    return Level.ERROR if limit.certain else Level.WARNING
