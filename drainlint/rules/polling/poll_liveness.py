"""DRN103."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.loop import Loop
from drainlint.rule import POLLS, Levels, Rule
from drainlint.rules.polling import by_deadline, held, pause_notes


def _level(loop: Loop) -> Level:
    """Nothing wakes a child when its parent is gone, and whoever watches for that ends nothing."""
    return by_deadline.of(loop) if loop.asks("liveness") else Level.NOTE


class PollLiveness(Rule[Loop]):
    """A loop does nothing but sleep until a thread, process, task or result is done.

    The end is noticed up to one pause late, and a worker that hangs holds the loop for ever.
    `join(timeout)`, `wait(timeout)` and `result(timeout)` wake at the end itself; one deadline for
    all of them keeps the total known.

    Bad:
        workers = [threading.Thread(target=work) for _ in range(4)]

        def stop():
            while any(w.is_alive() for w in workers):
                time.sleep(0.1)

    Good:
        workers = [threading.Thread(target=work) for _ in range(4)]

        def stop():
            deadline = time.monotonic() + 20
            for worker in workers:
                worker.join(max(0.0, deadline - time.monotonic()))
    """

    code = "DRN103"
    level = Levels(Level.ERROR, _level)
    words = POLLS

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag a pure wait that asks whether somebody is alive or done."""
        asks = loop.asks("liveness") or loop.asks("parent")
        if asks is None or not loop.waits_by_asking:
            return
        yield self.found(
            loop,
            f"this loop asks `{asks.text}` again and again{held(loop)}",
            *pause_notes(loop, asks),
            remedy="`join`, `wait` or `result` with what is left of one deadline",
            about=tuple(p.place for p in loop.pauses),
        )
