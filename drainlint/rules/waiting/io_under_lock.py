"""DRN311."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.lock import UnderLock
from drainlint.rule import LOCKED, Rule, any_of, does, on_drain_path


class IoUnderLock(Rule[UnderLock]):
    """What is saved or sent is written under the lock that guards it.

    The disk or the network decides how long everybody else waits, and a drain that saves its
    state stops all work that should be finishing meanwhile. Copy under the lock, save outside.

    Bad:
        import json

        class Cache:
            def __init__(self):
                self.lock = threading.Lock()
                self.data = {}

            def close(self):
                with self.lock:
                    json.dump(self.data, open(self.path, "w"))

            def get(self, key):
                with self.lock:
                    return self.data[key]

    Good:
        import json

        class Cache:
            def __init__(self):
                self.lock = threading.Lock()
                self.data = {}

            def close(self):
                with self.lock:
                    copy = dict(self.data)
                json.dump(copy, open(self.path, "w"))

            def get(self, key):
                with self.lock:
                    return self.data[key]
    """

    code = "DRN311"
    level = on_drain_path(Level.WARNING, Level.NOTE)
    words = LOCKED & (
        does("io", "write", "network", "flush")
        | any_of("save", "dump", "persist", "snapshot", "checkpoint")
    )

    def check(self, noun: UnderLock) -> Iterator[Finding]:
        """Flag what is written or sent under a lock that others need for something else."""
        if not noun.sends or not (noun.saves or noun.drain is not None):
            return
        lock = noun.lock
        if not lock.takers or lock.is_only_for_writing or lock.only_life or noun.is_asynchronous:
            return
        yield self.found(
            noun,
            f"`{noun.text}` writes or sends while it holds `{lock.text}`, and all who need "
            "the lock wait for the disk or the network",
            lock.taken,
            *lock.takers[:3],
            remedy="copy under the lock, and write the copy after it was given back",
        )
