"""A pause: time that passes for its own sake."""

from dataclasses import dataclass

from drainlint.model.noun import Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Noun):
    """A sleep, or a timed wait that serves as one."""

    text: str
    """The call, for messages."""
    seconds: float | None
    """The longest it can take, where that is known."""
    cancellable: bool = False
    """Whoever cancels the task or kills the greenlet ends it (`asyncio.sleep`, `gevent.sleep`)."""
    event: str = ""
    """The event that cuts it short (`stop.wait(5)`); empty for a plain sleep."""
    is_timed_wait: bool = False
    """It waits on an event for a while, rather than sleep."""
    in_loop: bool = False
    is_a_step: bool = False
    """It is one of its function's steps, taken once on every way through it: no idle pause."""
    is_rest_of_period: bool = False
    """It takes what is left of a period: a loop that ends its turns so keeps time."""
    lets_traffic_drain: bool = False
    """It follows the switching off of readiness: the load balancer is given time to notice."""
    interrupted_by_signal: bool = False
    """It is the main flow's, where no handler returns: a signal cuts it short."""

    ends_by_raising: bool = False
    """It is the main flow's, and a signal handler that raises ends it."""
    in_signal_handler: bool = False
    """Its function is registered with `signal.signal`."""

    @property
    def can_be_cut_short(self) -> bool:
        """Whether a stop can end it early."""
        return self.cancellable or bool(self.event)

    @property
    def is_short(self) -> bool:
        """Whether it is too short to speak of."""
        return self.seconds is not None and self.seconds <= self.min_sleep

    @property
    def shown(self) -> str:
        """How long, for messages: `0.5 s`, or nothing where that is not known."""
        return "" if self.seconds is None else f"{self.seconds:g} s"
