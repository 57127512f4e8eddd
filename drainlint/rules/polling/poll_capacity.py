"""DRN107."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.loop import Loop
from drainlint.rule import POLLS, Rule, always
from drainlint.rules.polling import pause_notes


class PollCapacity(Rule[Loop]):
    """A loop sleeps until a queue or a set of workers has room.

    A bounded queue gives that back-pressure by itself: `put` blocks until there is room, and wakes
    at once. A semaphore does the same for workers. Both take a timeout, so that a stop is heard.

    Bad:
        jobs = queue.Queue()

        def feed(messages):
            for message in messages:
                while jobs.qsize() > 100:
                    time.sleep(0.01)
                jobs.put(message)

    Good:
        jobs = queue.Queue(maxsize=100)

        def feed(messages):
            for message in messages:
                jobs.put(message, timeout=20)
    """

    code = "DRN107"
    level = always(Level.WARNING)
    words = POLLS

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag a loop that sleeps while there is no room."""
        asks = loop.asks_for_room
        if asks is None or not loop.polls or not (loop.is_pure_wait or asks.where == "take"):
            return
        yield self.found(
            loop,
            f"this loop sleeps until `{asks.text}` says that there is room",
            *pause_notes(loop, asks),
            remedy="bound the queue and `put` with a timeout, or hold a semaphore for each worker",
            about=tuple(p.place for p in loop.pauses),
        )
