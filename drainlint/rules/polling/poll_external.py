"""DRN106."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.loop import Loop
from drainlint.rule import POLLS, Levels, Rule
from drainlint.rules.polling import by_deadline, held, pause_notes


def _level(loop: Loop) -> Level:
    """Attempts that are counted end soon enough, wherever they are made.

    A deadline is what such a wait needs; only a stop itself should not be held up for so long.
    """
    by_name = loop.drain is None or loop.drain.by_name
    bounded = loop.counts_attempts or (bool(loop.deadline) and by_name)
    return Level.NOTE if bounded else by_deadline.of(loop)


def _remedy(loop: Loop) -> str:
    if loop.deadline:
        return "let the stop event end its pauses: `stop.wait(...)` in place of a sleep"
    return "give it a deadline, and a pause that the stop event ends"


class PollExternal(Rule[Loop]):
    """A loop does nothing but ask a file, a process, a database or a service whether it is ready.

    The world outside often has no event to wait for, so polling may be the only way; then it needs
    a deadline, and a pause that a stop cuts short. Without a deadline a peer that never answers
    holds the loop for ever.

    Bad:
        def wait_until_ready(url):
            while True:
                if requests.get(url, timeout=5).json()["status"] == "ready":
                    break
                time.sleep(1)

    Good:
        def wait_until_ready(url):
            # the service keeps the request open until it is ready
            requests.get(url, params={"wait": 20}, timeout=25).raise_for_status()
    """

    code = "DRN106"
    level = Levels(Level.ERROR, _level)
    words = POLLS

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag a pure wait that asks the world outside."""
        asks = loop.asks("external")
        if asks is None or not loop.waits_by_asking:
            return
        yield self.found(
            loop,
            f"this loop asks `{asks.text}` again and again{held(loop)}",
            *pause_notes(loop, asks),
            remedy=_remedy(loop),
            about=tuple(p.place for p in loop.pauses),
        )
