"""DRN304."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.deadline import Bound
from drainlint.model.wait import Wait
from drainlint.rule import DRAINS, UNKNOWN_WAITS, Levels, Rule, any_of, does
from drainlint.rules.waiting import (
    CERTAIN_STOPS,
    is_far_from_the_stop,
    is_left_alone,
    leaves_a_block,
)


def _level(wait: Wait) -> Level:
    certain = wait.drain is not None and wait.drain.sort in CERTAIN_STOPS
    return Level.ERROR if certain else Level.WARNING


class UnboundedAwait(Rule[Wait]):
    """A coroutine that runs while the service stops awaits others without a timeout.

    One task that hangs, or swallows its cancellation, holds up the whole stop until the platform
    kills the process. Put the awaits under one `asyncio.timeout()`, and say who was late.

    Bad:
        class Consumer:
            async def stop(self):
                await asyncio.gather(*self.tasks)

    Good:
        class Consumer:
            async def stop(self):
                async with asyncio.timeout(20):
                    await asyncio.gather(*self.tasks)
    """

    code = "DRN304"
    level = Levels(Level.ERROR, _level)
    words = (
        any_of("await", "yield")
        & (
            any_of("await name", "shield", "wrap_future", "wait_for")
            | UNKNOWN_WAITS
            | does("join", "wait", "close", "bound")
        )
        & DRAINS
    )

    def check(self, wait: Wait) -> Iterator[Finding]:
        """Flag an await on the drain path that neither a timeout nor a handled cancel bounds."""
        if wait.verb not in ("join", "wait", "await", "close") or not wait.awaited:
            return
        handed_on = wait.deadline.bound is Bound.HANDED_ON
        at_most_told = handed_on or leaves_a_block(wait) or is_far_from_the_stop(wait)
        harmless = wait.killed or wait.is_brief or at_most_told
        if not wait.drain or not wait.awaited_here or not (wait.deadline.is_none or handed_on):
            return
        if is_left_alone(wait) or wait.cancelled:
            return
        if wait.verb == "close" and wait.nature != "server":
            return
        yield self.found(
            wait,
            f"`{wait.text}` can wait for ever while the service stops ({wait.drain.root})",
            wait.related(wait.place, "no deadline"),
            remedy="put it under one `asyncio.timeout()` with what is left of the drain budget",
            level=Level.NOTE if harmless else None,
        )
