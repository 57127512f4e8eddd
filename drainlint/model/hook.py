"""What is registered to be called when the program stops: signal handlers and exit hooks."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.noun import Noun

OTHERS = frozenset(
    {"SIGCHLD", "SIGCLD", "SIGWINCH", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGPIPE", "SIGURG"}
    | {"SIGIO", "SIGPOLL", "SIGTTIN", "SIGTTOU", "SIGCONT", "SIGINFO", "SIGTRAP", "SIGTSTP"}
)
"""Signals that ask for something else, whoever sends them."""
RELOADS = frozenset({"SIGHUP"})
"""Signals that, where they have a handler of their own, ask a daemon to read its settings anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook(Noun):
    """A registration: the noun's function is the one that registers."""

    text: str
    """The call, for messages."""
    handler: str
    """What is registered, as people say it: `Server.on_term`, `SIG_IGN`."""
    defined: Related | None = None
    """The function of the project that it is; None for a library's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalHandler(Hook):
    """`signal.signal`, `loop.add_signal_handler`, or a library's own way to register."""

    signals: tuple[str, ...] = ()
    """What it is registered for, where that is known."""
    on_loop: bool = False
    """It is called by the event loop, not between two instructions."""
    sets: tuple[str, ...] = ()
    """The flags, events and queues by which it tells the main flow."""
    raises: bool = False
    """It raises or exits, itself or in what it always calls."""
    acts: bool = False
    """It does anything at all."""
    ignores: bool = False
    """It is `SIG_IGN`."""
    restores: bool = False
    """It is `SIG_DFL`, or what was registered before."""
    keeps_previous: bool = False
    """What was registered before is kept."""
    in_worker: str = ""
    """The worker that registers it: "thread target `run`"; empty in the main flow."""
    in_coroutine: bool = False

    @property
    def asks_to_stop(self) -> bool:
        """Whether it may be for a signal that asks the program to stop."""
        return not self.signals or any(signal not in OTHERS for signal in self.signals)

    @property
    def hears_sigterm(self) -> bool:
        """Whether it answers the signal that platforms send, as far as that is known."""
        return not self.ignores and (not self.signals or "SIGTERM" in self.signals)

    @property
    def is_deaf(self) -> bool:
        """Whether the signal comes to nothing: ignored, or handled by doing nothing."""
        return self.ignores or (self.defined is not None and not self.acts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitHook(Hook):
    """`atexit.register`, `weakref.finalize`, a framework's hook for its shutdown."""

    sort: str
    """`exit-hook`, `finaliser`, `shutdown-hook`, `lifespan`."""
    also_on_signal: bool = False
    """A signal handler leads to the same function."""

    @property
    def is_skipped_by_signals(self) -> bool:
        """Whether only the interpreter's own exit calls it, which an unhandled SIGTERM skips."""
        return self.sort in ("exit-hook", "finaliser") and not self.also_on_signal
