"""DRN317."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.child import ChildWait
from drainlint.rule import Rule, always, any_of, does


class JoinBeforeRead(Rule[ChildWait]):
    """A child is waited for before what it wrote is read.

    A child process cannot end while its queue or pipe still holds what nobody has taken: its
    feeder thread, or its write, waits for a reader who waits for the child. A few kilobytes are
    enough. Read first, then join.

    Bad:
        def work(results):
            results.put(load())

        def collect():
            results = multiprocessing.Queue()
            child = multiprocessing.Process(target=work, args=(results,))
            child.start()
            child.join()
            return results.get()

    Good:
        def work(results):
            results.put(load())

        def collect():
            results = multiprocessing.Queue()
            child = multiprocessing.Process(target=work, args=(results,))
            child.start()
            found = results.get(timeout=20)
            child.join(5)
            return found
    """

    code = "DRN317"
    level = always(Level.ERROR)
    cwe = 833
    words = any_of("poll()", "PIPE") | does("join", "wait", on=("popen", "aio-process", "process"))

    def check(self, wait: ChildWait) -> Iterator[Finding]:
        """Flag a wait for a child whose output is read afterwards, or never."""
        when = "before it is read" if wait.read is not None else "and nobody reads it"
        yield self.found(
            wait,
            f"`{wait.text}` waits for `{wait.child}`, which cannot end while `{wait.channel}` is "
            f"full, {when}",
            wait.fed,
            wait.read,
            remedy=_remedy(wait),
            level=_level(wait),
        )


def _level(wait: ChildWait) -> Level | None:
    if wait.is_brief:
        return Level.NOTE
    return Level.WARNING if wait.is_bounded else None


def _remedy(wait: ChildWait) -> str:
    if wait.channel.endswith(("stdout", "stderr")):
        return "read to the end first, or use `communicate()`"
    if wait.channel.endswith("=PIPE"):
        return "give it `subprocess.DEVNULL`, or use `run(..., capture_output=True)`"
    return "read what it sends first, then join"
