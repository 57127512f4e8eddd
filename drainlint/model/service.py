"""A service: a class with a lifetime, what it starts and holds, and what tells it to stop.

`Service` is the short form, which every function of the class refers to: names of attributes.
`Lifetime` is the whole table: who creates, starts, stops and joins each of them, and where. It
costs a walk over every call of the class, so it is made only for those who ask.
"""

from dataclasses import dataclass

from drainlint.model.deadline import Bound, Deadline
from drainlint.model.place import Place


@dataclass(frozen=True, slots=True)
class Service:
    """A class that starts, opens or holds something that must be stopped."""

    name: str
    path: str
    place: Place
    """The line of its `class`."""
    stop_signals: tuple[str, ...] = ()
    """Attributes that somebody sets to make its loops end."""
    stop_events: tuple[str, ...] = ()
    """Those of them that can be waited for."""
    workers: tuple[str, ...] = ()
    """Attributes that hold threads, processes, tasks, pools and the like; `self` for itself."""
    resources: tuple[str, ...] = ()
    """Attributes that hold what must be closed."""

    @property
    def has_stop_signal(self) -> bool:
        """Whether something can be set to make its loops end."""
        return bool(self.stop_signals)

    @property
    def short_name(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Act:
    """Something done to an attribute: it is created, started, set, read, stopped or joined."""

    function: str
    """Qualified name of the function that does it."""
    path: str
    place: Place
    text: str
    """The call, for messages; for an assignment `self.worker = ...`."""
    deadline: Deadline | None = None
    """For a call that waits: what bounds it; None where it does not wait, or nothing is known."""

    @property
    def waits_for_ever(self) -> bool:
        """Whether nothing bounds it."""
        return self.deadline is not None and self.deadline.bound in (Bound.NONE, Bound.HANDED_ON)

    @property
    def short_function(self) -> str:
        """The last part of the function's name."""
        return self.function.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Held:
    """An attribute that holds something with a lifetime."""

    name: str
    """`self` where the instance itself is the worker: a subclass of `Thread`."""
    sort: str
    """`worker`, `resource`, or `service` for another class with a lifetime."""
    nature: str
    """`thread`, `executor`, `session`, ...; empty for a class of the project without a base."""
    type: str
    """The class's own name."""
    owner: str
    """Qualified name of the class that binds it: a base, where it is inherited."""
    several: bool = False
    """It is a container of such things."""
    created: tuple[Act, ...] = ()
    handed_in: tuple[Act, ...] = ()
    """Where it is taken over from a parameter: somebody else made it."""
    started: tuple[Act, ...] = ()
    stopped: tuple[Act, ...] = ()
    """Asked to end: stopped, cancelled, closed, terminated."""
    joined: tuple[Act, ...] = ()
    """Waited for until it has ended."""
    asked: tuple[Act, ...] = ()
    """Asked whether it still runs: `is_alive()`, `done()`."""

    @property
    def is_stopped(self) -> bool:
        """Whether somebody asks it to end."""
        return bool(self.stopped)

    @property
    def is_joined(self) -> bool:
        """Whether somebody waits until it has ended."""
        return bool(self.joined)

    @property
    def is_given(self) -> bool:
        """Whether somebody else made it, and the class only uses it."""
        return bool(self.handed_in) and not self.created

    @property
    def joined_without_deadline(self) -> bool:
        """Whether a wait for its end can last for ever."""
        return any(act.waits_for_ever for act in self.joined)

    @property
    def is_left_behind(self) -> bool:
        """Whether the class makes or starts it, and nobody asks it to end or waits for that."""
        return bool(self.created or self.started) and not (self.stopped or self.joined)


@dataclass(frozen=True, slots=True)
class StopSignal:
    """An attribute that somebody sets to make a loop end."""

    name: str
    nature: str
    """`event`, `aio-event`, `flag`, or `queue` for one that takes an end marker."""
    owner: str
    """Qualified name of the class that binds it."""
    set_by: tuple[Act, ...] = ()
    read_by: tuple[Act, ...] = ()
    """Waits for it and questions about it; of a flag the functions whose loops test it."""

    @property
    def is_set(self) -> bool:
        """Whether anybody sets it."""
        return bool(self.set_by)

    @property
    def is_read(self) -> bool:
        """Whether anybody heeds it."""
        return bool(self.read_by)

    @property
    def can_be_waited_for(self) -> bool:
        """Whether a loop can sleep on it instead of asking again and again."""
        return self.nature != "flag"


@dataclass(frozen=True, slots=True)
class Lifetime(Service):
    """A service with the whole story of everything that it holds."""

    held: tuple[Held, ...] = ()
    signals: tuple[StopSignal, ...] = ()
    submits: tuple[Act, ...] = ()
    """Where work is handed to its queues, pools and executors."""

    def attribute(self, name: str) -> Held | None:
        """What an attribute holds; None for one without a lifetime."""
        return next((one for one in self.held if one.name == name), None)

    def signal(self, name: str) -> StopSignal | None:
        """The stop signal of that name."""
        return next((one for one in self.signals if one.name == name), None)

    @property
    def own_workers(self) -> tuple[Held, ...]:
        """What runs beside the main flow on its behalf."""
        return tuple(one for one in self.held if one.sort == "worker")

    @property
    def unjoined_workers(self) -> tuple[Held, ...]:
        """Workers that it creates or starts, and whose end nobody waits for."""
        return tuple(
            one
            for one in self.own_workers
            if (one.created or one.started) and not one.is_joined and one.name != "self"
        )

    @property
    def endless_joins(self) -> tuple[Act, ...]:
        """Waits for the end of what it holds that can last for ever."""
        return tuple(act for one in self.held for act in one.joined if act.waits_for_ever)

    @property
    def is_only_a_user(self) -> bool:
        """Whether all that it holds was made by others, and it starts and signals nothing."""
        return not self.signals and all(one.is_given for one in self.held)
