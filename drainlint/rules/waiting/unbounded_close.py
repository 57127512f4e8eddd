"""DRN314."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.close import Close
from drainlint.rule import DRAINS, Rule, always, any_of, does


class UnboundedClose(Rule[Close]):
    """A close on the drain path waits for others, and nothing bounds it.

    An executor waits for its slowest job, a server for its slowest request, a client for a peer
    that may be gone. The stop hangs in the middle, and what was to follow is skipped when the
    platform kills the process. Close from a thread, or under a timeout, that the drain can give up.

    Bad:
        class Service:
            def __init__(self):
                self.pool = concurrent.futures.ThreadPoolExecutor()

            def stop(self):
                self.pool.shutdown(wait=True)

    Good:
        class Service:
            def __init__(self):
                self.pool = concurrent.futures.ThreadPoolExecutor()

            def stop(self):
                self.pool.shutdown(wait=False, cancel_futures=True)
                concurrent.futures.wait(self.running, timeout=20)
    """

    code = "DRN314"
    level = always(Level.WARNING)
    words = (
        any_of("ThreadPoolExecutor", "ProcessPoolExecutor", "wait_closed")
        | does("close", "flush", "register")
    ) & (DRAINS | does("register"))

    def check(self, close: Close) -> Iterator[Finding]:
        """Flag a close that can wait for ever while the program stops."""
        if not close.may_never_end or close.own_job or not (close.drain or close.hooked):
            return
        when = "at the exit" if close.drain is None else f"while it stops ({close.drain.root})"
        yield self.found(
            close,
            f"`{close.text}` waits for {close.waits_for} {when}, however long that takes",
            close.endless_job,
            remedy="bound it: close from a thread that is waited for with a timeout, or use "
            "`wait_for`",
            level=Level.ERROR if close.endless_job is not None else None,
        )
