"""DRN303."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.wait import Wait
from drainlint.rule import Rule, any_of, does, on_drain_path
from drainlint.rules.waiting import is_far_from_the_stop, is_left_alone
from drainlint.words import UNBOUNDED

REMEDIES = {
    "take": "give it a timeout, or let whoever stops put an end marker",
    "put": "use `put_nowait`, or a timeout, and set a stop event for those who are busy",
    "lock": "give it a timeout and look at what it returns",
}


class UnboundedTake(Rule[Wait]):
    """Something is taken, acquired or handed over without a timeout, and nobody may come.

    Whoever was to put, release or make room may have ended already, or hang: then the stop hangs,
    too. An end marker for a queue that is full waits for the very worker that is to end. A worker
    that takes in an endless loop, with neither an end marker nor a stop signal, never ends at all.

    Bad:
        class Writer:
            def __init__(self):
                self.lines = queue.Queue(maxsize=100)
                self.thread = threading.Thread(target=self.write)

            def stop(self):
                self.lines.put(None)

    Good:
        class Writer:
            def __init__(self):
                self.lines = queue.Queue(maxsize=100)
                self.thread = threading.Thread(target=self.write)

            def stop(self):
                try:
                    self.lines.put(None, timeout=5)
                except queue.Full:
                    self.stopping.set()
    """

    code = "DRN303"
    level = on_drain_path(Level.ERROR, Level.WARNING)
    words = does("take", "lock", "put", ways=(UNBOUNDED,)) | any_of("while")  # under another name

    def check(self, wait: Wait) -> Iterator[Finding]:
        """Flag a take, put or acquire without a bound on the drain path, or in an endless loop."""
        if not wait.deadline.is_none or is_left_alone(wait) or wait.ready:
            return
        if wait.verb not in REMEDIES or (wait.verb == "lock" and wait.awaited):
            return
        if wait.endless == "" and (wait.drain is None or _is_consumer(wait)):
            return
        if wait.verb == "put" and not wait.marker:
            return
        at_most_told = is_far_from_the_stop(wait) or _comes_to_its_end(wait)
        level = Level.NOTE if at_most_told else None
        yield self.found(wait, _message(wait), remedy=REMEDIES[wait.verb], level=level)


def _is_consumer(wait: Wait) -> bool:
    """Whether what takes in a loop is a worker, or only by its name a stop: that is its work."""
    by_name = wait.drain is not None and wait.drain.by_name
    at_work = bool(wait.function.worker) and wait.verb == "take"
    return wait.in_loop and (at_work or (by_name and wait.verb != "lock"))


def _comes_to_its_end(wait: Wait) -> bool:
    """Whether a main flow reads what a command says, where it winds up: then both are at an end."""
    return wait.nature == "popen-pipe" and wait.drain is not None and wait.drain.sort == "finally"


def _message(wait: Wait) -> str:
    if wait.drain is None:
        return f"`{wait.text}` is all that `{wait.endless}` waits for, and nothing ends {wait.function.worker}"  # noqa: E501 - one sentence
    if wait.marker:
        return f"`{wait.text}` waits for room in a queue that may be full while the service stops ({wait.drain.root})"  # noqa: E501 - one sentence
    return f"`{wait.text}` can wait for ever while the service stops ({wait.drain.root})"
