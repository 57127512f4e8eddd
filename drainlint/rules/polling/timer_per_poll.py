"""DRN109."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.loop import Loop
from drainlint.rule import Rule, always, any_of, does


class TimerPerPoll(Rule[Loop]):
    """A waiting loop makes a new timer or task on every turn and leaves the old one behind.

    `asyncio.wait` does not cancel what did not finish first. The loser goes on: it piles up with
    each turn, and a forgotten `queue.get()` later takes a message that nobody reads. A short
    `wait_for` in a loop makes a task and a timer for each of its many turns.

    Bad:
        async def work(jobs, stop):
            while not stop.is_set():
                done, _ = await asyncio.wait(
                    {asyncio.create_task(jobs.get()), asyncio.create_task(stop.wait())},
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in done:
                    handle(task.result())

    Good:
        async def work(jobs, stop):
            stopped = asyncio.create_task(stop.wait())
            while not stop.is_set():
                job = asyncio.create_task(jobs.get())
                await asyncio.wait({job, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not job.done():
                    job.cancel()
                    break
                handle(job.result())
    """

    code = "DRN109"
    level = always(Level.WARNING)
    words = any_of("while") & (any_of("Timer", "call_later") | does("wait", "bound"))

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag the first thing that each turn makes and leaves behind."""
        for loser in loop.losers[:1]:
            yield self.found(
                loop,
                f"every turn of this loop makes `{loser.text}` anew and leaves the last one behind",
                loop.related(loser.place, "made on every turn"),
                remedy="make it once before the loop, or cancel the losers in the same turn",
                about=tuple(p.place for p in loop.pauses),
            )
