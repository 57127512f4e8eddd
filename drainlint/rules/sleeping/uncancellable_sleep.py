"""DRN201."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.pause import Pause
from drainlint.rule import Levels, Rule, any_of, does
from drainlint.words import BLOCKING

MOMENT = 1.0
"""Seconds; a step so short, on no way of a stop, holds nobody up."""


def _level(pause: Pause) -> Level:
    function = pause.function
    certain = pause.drain is not None and not pause.drain.by_name
    stops = function.service is not None and bool(function.service.stop_signals)
    served = "request-handler" in function.roles
    if function.worker or certain or served:
        return Level.ERROR
    if _settles(pause):
        return Level.WARNING if stops else Level.NOTE
    return Level.ERROR if stops else Level.WARNING


def _settles(pause: Pause) -> bool:
    """Whether it is one short step; what is a thread may take it again in a loop not seen here."""
    service = pause.function.service
    again = pause.drain is not None or (service is not None and "self" in service.workers)
    brief = pause.seconds is not None and pause.seconds <= MOMENT
    return brief and pause.is_a_step and not again


class UncancellableSleep(Rule[Pause]):
    """`time.sleep` pauses where a request to stop should be heard.

    Python resumes the sleep after a signal handler that returns, and no other thread can end it: a
    stop waits for the whole pause. `stop.wait(n)` on an `Event` pauses just as long and ends at
    once when the event is set.

    Bad:
        class Poller:
            def __init__(self):
                self.stopped = threading.Event()
                self.thread = threading.Thread(target=self.run)

            def run(self):
                while not self.stopped.is_set():
                    self.poll()
                    time.sleep(5)

    Good:
        class Poller:
            def __init__(self):
                self.stopped = threading.Event()
                self.thread = threading.Thread(target=self.run)

            def run(self):
                while not self.stopped.wait(5):
                    self.poll()
    """

    code = "DRN201"
    level = Levels(Level.ERROR, _level)
    words = any_of("sleep") | does("sleep", ways=(BLOCKING,))

    def check(self, pause: Pause) -> Iterator[Finding]:
        """Flag a plain sleep that may be longer than the shortest that matters."""
        if pause.is_short or pause.can_be_cut_short or pause.is_timed_wait:
            return
        if pause.interrupted_by_signal or pause.lets_traffic_drain:
            return
        yield self.found(
            pause,
            f"`{pause.text}` cannot be cut short{_who(pause)}",
            remedy=_remedy(pause),
        )


def _who(pause: Pause) -> str:
    function = pause.function
    if pause.drain is not None:
        return f": {pause.drain.root} waits for {_all(pause)}"
    if function.worker:
        return f": {function.worker} hears a stop only afterwards{_late(pause)}"
    return f" by a request to stop{_late(pause)}"


def _all(pause: Pause) -> str:
    return f"up to {pause.shown}" if pause.shown else "all of it"


def _late(pause: Pause) -> str:
    return f", up to {pause.shown} late" if pause.shown else ""


def _remedy(pause: Pause) -> str:
    service = pause.function.service
    signals = () if service is None else service.stop_events
    if signals:
        return f"pause with `self.{signals[0]}.wait(...)`, which the stop ends"
    return "pause with `stop.wait(...)` on an `Event` that the stop sets"
