"""DRN101."""

from collections.abc import Iterator

from drainlint.finding import Finding
from drainlint.model.loop import Loop
from drainlint.rule import POLLS, Rule
from drainlint.rules.polling import by_deadline, held, pause_notes


class PollQueue(Rule[Loop]):
    """A loop asks a queue whether it has work, then sleeps, instead of waiting for work.

    A stop request is noticed only after the pause, every item waits up to one whole pause, and an
    idle service keeps waking up. Waiting for empty has the same fault, and a queue that is empty
    says nothing about the item in hand. `get()` waits exactly as long as needed, and an end marker
    wakes it at once; `task_done()` and `join()` tell when the work is done.

    Bad:
        jobs = queue.Queue()

        while running:
            if not jobs.empty():
                handle(jobs.get())
            time.sleep(0.1)

    Bad:
        def close(jobs: queue.Queue) -> None:
            while jobs.qsize() > 0:
                time.sleep(0.01)

    Good:
        jobs = queue.Queue()

        while (job := jobs.get()) is not STOP:
            handle(job)
    """

    code = "DRN101"
    level = by_deadline
    words = POLLS

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag a loop that sleeps in its own body and asks a queue before it ends or takes."""
        asks = loop.asks("queue")
        if asks is None or not loop.polls or not loop.idles:
            return
        if not asks.certain and not loop.is_pure_wait:
            return
        if loop.keeps_time and asks.where == "take":
            return
        yield self.found(
            loop,
            f"this loop polls `{asks.text}`{held(loop)}",
            *pause_notes(loop, asks),
            remedy="wait in `get()`, which an end marker wakes, or in `join()` with `task_done()`",
            about=tuple(p.place for p in loop.pauses),
        )
