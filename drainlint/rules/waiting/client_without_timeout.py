"""DRN308."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.wait import Wait
from drainlint.rule import Rule, does, on_drain_path
from drainlint.rules.waiting import at_most, is_left_alone, on_the_way
from drainlint.words import BLOCKING, UNBOUNDED


class ClientWithoutTimeout(Rule[Wait]):
    """A network call waits for ever by default, and nothing bounds it.

    A peer that accepts the connection and never answers holds the caller for good: the worker
    cannot be joined, the request is never finished, the stop never ends. Give every call to the
    network a timeout, well below the drain budget.

    Bad:
        import urllib.request

        def fetch(url):
            return urllib.request.urlopen(url).read()

    Good:
        import urllib.request

        def fetch(url):
            return urllib.request.urlopen(url, timeout=10).read()
    """

    code = "DRN308"
    level = on_drain_path(Level.ERROR, Level.WARNING)
    words = does("network", ways=(BLOCKING, UNBOUNDED)) | does(
        "client", "limits", "take", ways=(UNBOUNDED,)
    )

    def check(self, wait: Wait) -> Iterator[Finding]:
        """Flag a call to the network, or a client made for it, without a timeout."""
        if not wait.deadline.is_none or not wait.can_be_bounded or is_left_alone(wait):
            return
        takes = wait.verb == "take" and wait.nature in ("session", "consumer")
        if not takes and wait.verb not in ("network", "client", "limits"):
            return
        if wait.ready or (wait.awaited and wait.verb == "network"):
            return
        yield self.found(
            wait,
            f"`{wait.text}` waits for ever for a peer that does not answer{on_the_way(wait)}",
            wait.related(wait.place, "no timeout"),
            remedy="give it a timeout well below the drain budget",
            level=Level.NOTE if _is_one_off(wait) else at_most(wait),
        )


def _is_one_off(wait: Wait) -> bool:
    """Whether a program asks once and ends: whoever started it sees that it hangs."""
    return wait.function.main and wait.drain is None and not wait.in_loop
