"""DRN104."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.loop import Loop
from drainlint.rule import Rule, always, any_of


class PollGetNowait(Rule[Loop]):
    """A loop takes without blocking, and sleeps or spins when there is nothing to take.

    That is polling with another name: what arrives waits for up to one pause, and an idle service
    keeps waking up. A blocking `get()` wakes at once, and an end marker or a timeout lets a stop
    end it.

    Bad:
        jobs = queue.Queue()

        def work():
            while running:
                try:
                    job = jobs.get_nowait()
                except queue.Empty:
                    time.sleep(0.05)
                    continue
                job()

    Good:
        jobs = queue.Queue()

        def work():
            while (job := jobs.get()) is not STOP:
                job()
    """

    code = "DRN104"
    level = always(Level.WARNING)
    words = any_of("while")

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag a loop that goes on after a take that did not wait found nothing."""
        if not loop.attempts or loop.is_own_job or loop.blocks_on_question:
            return
        take = loop.attempts[0]
        idle = f"sleeps, waking {loop.wakeups}," if loop.sleeps else "spins"
        yield self.found(
            loop,
            f"this loop takes with `{take.text}`, which never waits,"
            f" and {idle} when there is nothing",
            loop.related(take.place, "takes here without waiting"),
            *(loop.related(p.place, f"wakes {loop.wakeups}") for p in loop.sleeps[:1]),
            remedy="take with a timeout, or wait for an end marker",
            about=tuple(p.place for p in loop.pauses),
        )
