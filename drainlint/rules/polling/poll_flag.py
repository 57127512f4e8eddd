"""DRN102."""

from collections.abc import Iterator

from drainlint.finding import Finding
from drainlint.model.loop import Loop
from drainlint.rule import POLLS, Rule
from drainlint.rules.polling import by_deadline, heard, pause_notes


class PollFlag(Rule[Loop]):
    """A loop does nothing but sleep until a flag, a counter or an event has changed.

    The change is noticed up to one pause late, and a flag that is never set (its thread died, its
    peer went away) holds the loop for ever. An `Event` or `Condition` with a timeout wakes at once
    and tells when the time ran out.

    Bad:
        class Pool:
            def close(self):
                self.closing = True
                while self.in_flight > 0:
                    time.sleep(0.05)

    Good:
        class Pool:
            def close(self):
                self.closing = True
                with self.idle:
                    self.idle.wait_for(lambda: self.in_flight == 0, timeout=20)
    """

    code = "DRN102"
    level = by_deadline
    words = POLLS

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag a pure wait that asks flags or counters only."""
        asks = loop.waits_for("flag")
        others = loop.asks("queue", "liveness", "parent", "external", "everything")
        if asks is None or others or not loop.waits_by_asking:
            return
        yield self.found(
            loop,
            f"this loop sleeps until `{asks.text}` changes{heard(loop, asks)}",
            *pause_notes(loop, asks),
            remedy="wait on an `Event` or `Condition` with a timeout, set by whoever changes it",
            about=tuple(p.place for p in loop.pauses),
        )
