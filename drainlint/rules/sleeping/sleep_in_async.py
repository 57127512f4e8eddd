"""DRN202."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.blocking import Blocking
from drainlint.rule import UNKNOWN_WAITS, Levels, Rule, any_of, does
from drainlint.words import BLOCKING


def _level(blocking: Blocking) -> Level:
    function = blocking.function
    return Level.NOTE if function.command_line and function.service is None else Level.ERROR


class SleepInAsync(Rule[Blocking]):
    """A coroutine sleeps or blocks its thread, and the whole event loop with it.

    Nothing else runs meanwhile: no other task, no signal callback, no timeout, no cancellation. A
    request to stop is not even seen. Await the asynchronous form, or hand the call to a thread
    with `asyncio.to_thread`.

    Bad:
        async def refresh():
            time.sleep(5)

    Good:
        async def refresh():
            await asyncio.sleep(5)
    """

    code = "DRN202"
    level = Levels(Level.ERROR, _level)
    cwe = 1322
    words = any_of("async", "yield") & (
        UNKNOWN_WAITS | does("sleep", "join", "wait", "close", ways=(BLOCKING,))
    )

    def check(self, blocking: Blocking) -> Iterator[Finding]:
        """Flag every call that holds the event loop's thread."""
        verb = "sleeps in" if blocking.sleeps else "blocks"
        yield self.found(
            blocking,
            f"`{blocking.text}` {verb} the event loop of `{blocking.function.short_name}`",
            blocking.through,
            remedy="await `asyncio.sleep`"
            if blocking.sleeps and blocking.through is None
            else "await the asynchronous form, or hand it to `asyncio.to_thread`",
        )
