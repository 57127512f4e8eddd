"""DRN312."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.cleanup import Cleanup
from drainlint.rule import Rule, always, any_of
from drainlint.words import ODD_LIMIT


class CleanupAlreadyCancelled(Rule[Cleanup]):
    """Cleanup awaits in a scope that is cancelled, or on a deadline that is spent.

    trio and anyio cancel at every await until the scope ends: the first await of a `finally`
    raises at once, and what was to be flushed, sent or handed back is not. Shield the cleanup, in
    a scope with a deadline of its own. In asyncio the same happens to cleanup that is given what
    is left of the deadline that has just run out.

    Bad:
        import trio

        async def serve(connection):
            try:
                await connection.run()
            finally:
                await connection.send_goodbye()

    Bad:
        async def drain(deadline):
            loop = asyncio.get_running_loop()
            try:
                await asyncio.wait_for(work(), deadline - loop.time())
            finally:
                await asyncio.wait_for(flush(), deadline - loop.time())

    Good:
        import trio

        async def serve(connection):
            try:
                await connection.run()
            finally:
                with trio.move_on_after(5, shield=True):
                    await connection.send_goodbye()

    Good:
        async def drain(deadline):
            loop = asyncio.get_running_loop()
            try:
                await asyncio.wait_for(work(), deadline - loop.time())
            finally:
                await asyncio.wait_for(flush(), max(5.0, deadline - loop.time()))
    """

    code = "DRN312"
    level = always(Level.ERROR)
    words = (
        any_of("async")
        & any_of("await in cleanup", "cancel", "TimeoutError")
        & any_of("await in cleanup", "cancel", ODD_LIMIT)
    )

    def check(self, cleanup: Cleanup) -> Iterator[Finding]:
        """Flag cleanup that the cancellation, or the deadline, which it answers cuts short too."""
        if cleanup.spent:
            yield self.found(
                cleanup,
                f"`{cleanup.text}` gets what is left of `{cleanup.spent}`, which is nothing once "
                "it has run out",
                cleanup.header,
                remedy="give the cleanup a few seconds of its own",
            )
        elif cleanup.cancelled_again and not (cleanup.shielded or cleanup.closes_at_once):
            where = "after" if cleanup.follows else "in"
            yield self.found(
                cleanup,
                f"`{cleanup.text}` {where} `{cleanup.section}` is cancelled before it begins",
                cleanup.header,
                remedy="await it in a shielded scope with a deadline of its own: "
                "`move_on_after(5, shield=True)`",
            )
