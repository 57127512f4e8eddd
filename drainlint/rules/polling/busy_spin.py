"""DRN105."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.loop import Loop
from drainlint.rule import Rule, always, any_of

FEW = 100
"""A `for` over so many turns is over before anybody notices."""
MOMENT = 1.0
"""Seconds; so short a spin holds up nobody."""


class BusySpin(Rule[Loop]):
    """A loop waits for something without any pause at all.

    It burns a whole core, and with the interpreter's lock it takes the time of the very thread it
    waits for. Wait on an `Event`, a `Condition` or the queue itself, with a deadline.

    Bad:
        class Client:
            def flush(self):
                while not self.sent:
                    pass

    Good:
        class Client:
            def flush(self):
                if not self.all_sent.wait(timeout=5):
                    raise TimeoutError
    """

    code = "DRN105"
    level = always(Level.ERROR)
    cwe = 835
    words = any_of("while")

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag a pure wait on what others change, in which nothing takes time."""
        asks = loop.asks("queue", "flag", "liveness", "parent", "everything")
        few = loop.turns is not None and loop.turns <= FEW
        brief = loop.lasts is not None and loop.lasts <= MOMENT
        if asks is None or few or brief or not loop.spins or loop.is_own_job or not asks.certain:
            return
        yield self.found(
            loop,
            f"this loop spins on `{asks.text}` without a pause and burns a core",
            loop.related(asks.place, "asks here") if asks.place != loop.place else None,
            *(loop.related(p.place, "takes no time") for p in loop.pauses[:1]),
            remedy="wait on an `Event` or `Condition`, or in the queue's `get`, with a timeout",
            about=tuple(p.place for p in loop.pauses),
        )
