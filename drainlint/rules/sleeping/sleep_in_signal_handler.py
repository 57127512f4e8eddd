"""DRN204."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.pause import Pause
from drainlint.rule import PAUSES, Rule, always, any_of
from drainlint.words import HANDLES_SIGNALS


class SleepInSignalHandler(Rule[Pause]):
    """A signal handler pauses, and the main thread with it.

    A handler runs between two steps of the main thread, which stands still meanwhile: it cannot
    release a lock, finish a request or see a second signal in order. A handler sets a flag or an
    event; the main flow does the rest.

    Bad:
        def on_term(signum, frame):
            time.sleep(5)
            sys.exit(0)

        signal.signal(signal.SIGTERM, on_term)

    Good:
        stop = threading.Event()

        def on_term(signum, frame):
            stop.set()

        signal.signal(signal.SIGTERM, on_term)
    """

    code = "DRN204"
    level = always(Level.ERROR)
    words = PAUSES & any_of(HANDLES_SIGNALS)

    def check(self, pause: Pause) -> Iterator[Finding]:
        """Flag every pause of a function that is registered for a signal."""
        takes_time = pause.seconds is None or pause.seconds > 0
        if pause.in_signal_handler and takes_time:
            yield self.found(
                pause,
                f"`{pause.text}` holds up the main thread in the signal handler"
                f" `{pause.function.short_name}`",
                remedy="set an event in the handler, and pause where the main flow waits for it",
            )
