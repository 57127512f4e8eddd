"""DRN310."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.lock import UnderLock
from drainlint.rule import LOCKED, UNKNOWN_WAITS, Rule, always, any_of, does


class WaitUnderLock(Rule[UnderLock]):
    """A wait holds a lock that others need, perhaps the very worker that is waited for.

    If the worker takes the same lock before it ends, neither goes on: the stop hangs until the
    platform kills the process. If it does not, everybody else who needs the lock waits as long.
    Change the state under the lock, give the lock back, and wait then.

    Bad:
        class Service:
            def __init__(self):
                self.lock = threading.Lock()
                self.closed = False
                self.worker = threading.Thread(target=self.run)

            def stop(self):
                with self.lock:
                    self.closed = True
                    self.worker.join(10)

            def run(self):
                with self.lock:
                    work()

    Good:
        class Service:
            def __init__(self):
                self.lock = threading.Lock()
                self.closed = False
                self.worker = threading.Thread(target=self.run)

            def stop(self):
                with self.lock:
                    self.closed = True
                self.worker.join(10)

            def run(self):
                with self.lock:
                    work()
    """

    code = "DRN310"
    level = always(Level.ERROR)
    cwe = 833
    words = (
        any_of("await name")
        | UNKNOWN_WAITS
        | does("join", "wait", "take", "put", "close", "network", "process", "select", "lock")
        | does("sleep", "bound", "killall")
    ) & LOCKED

    def check(self, noun: UnderLock) -> Iterator[Finding]:
        """Flag what can take long under a lock that the other side, or a stop, needs."""
        level = _level(noun)
        if level is None:
            return
        held = f"`{noun.text}` {_what(noun)} while it holds `{noun.lock.text}`"
        why = f", which {noun.needed.text.partition(' waits')[0]} needs" if noun.needed else ""
        yield self.found(
            noun,
            f"{held}{why}",
            noun.lock.taken,
            noun.through,
            *(noun.lock.takers[:3] if noun.needed is None else (noun.needed,)),
            remedy="give the lock back before you wait: only the change of state needs it",
            level=level,
        )


def _level(noun: UnderLock) -> Level | None:
    if noun.needed is not None:
        return Level.NOTE if noun.is_short else Level.ERROR
    if noun.is_asynchronous or not noun.lock.takers:
        return None
    if noun.does == "callback":
        return Level.WARNING if noun.lock.holds_up_a_stop else None
    if not noun.deadline.is_none or not noun.does:
        return None
    if noun.lock.only_life:
        return Level.NOTE
    if noun.does == "remote":
        return Level.ERROR if noun.lock.holds_up_a_stop else None
    return Level.ERROR


def _what(noun: UnderLock) -> str:
    if noun.does == "callback":
        return "runs a user's code"
    return "can wait for ever" if noun.deadline.is_none else "waits"
