"""The map of a program as a plain value: entries, lifetimes, drain paths with their waits."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from drainlint.model.deadline import Bound, Deadline
from drainlint.model.delivery import Delivery
from drainlint.model.made import Made
from drainlint.model.service import Held, Lifetime


def bound_of(deadline: Deadline, around: str = "") -> str:
    """What bounds a wait, in words: `none`, `5 s`, the expression, the timeout around it."""
    text = f"`{deadline.text}`" if deadline.text else "an expression"
    match deadline.bound:
        case Bound.NONE:
            return f"`{around}` around it" if around else "none"
        case Bound.CONSTANT:
            return deadline.shown
        case Bound.HANDED_ON:
            return f"{text}, none by default"
        case Bound.CALLER if deadline.seconds is not None:
            return f"{text}, {deadline.seconds:g} s by default"
    return text


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in a file."""

    path: str
    """Relative to the project's root, with forward slashes."""
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class MappedWait:
    """Something on a drain path that takes time: a wait, a pause, a loop that waits by asking."""

    sort: str
    """`wait`, `pause`, `loop`."""
    text: str
    spot: Spot
    deadline: Deadline
    around: str = ""
    """The enclosing timeout, as written; empty for none."""
    limit: str = ""
    """What bounds it and is no timeout, in words: "at most 10 turns"; empty for nothing."""
    remarks: tuple[str, ...] = ()
    """What else bears on it: "on every turn of a loop", "cancelled before"."""

    @property
    def is_unbounded(self) -> bool:
        """Whether nothing bounds it."""
        return self.deadline.is_none and not self.around and not self.limit

    @property
    def bound(self) -> str:
        """What bounds it, in words."""
        return self.limit or bound_of(self.deadline, self.around)


@dataclass(frozen=True, slots=True)
class Node:
    """A function on a drain path, with its waits and the functions it calls that wait in turn."""

    name: str
    spot: Spot
    waits: tuple[MappedWait, ...] = ()
    calls: tuple["Node", ...] = ()
    called_on: int = 0
    """The line on which the function above calls it; 0 for a root."""
    again: int = 0
    """It is drawn in full elsewhere: the number of that drain path; 0 where it is drawn here."""

    @property
    def branches(self) -> tuple["MappedWait | Node", ...]:
        """Its waits and calls, in the order of the lines on which they stand."""
        lines: list[tuple[int, MappedWait | Node]] = [(w.spot.line, w) for w in self.waits]
        lines += [(call.called_on, call) for call in self.calls]
        return tuple(branch for _, branch in sorted(lines, key=lambda item: item[0]))

    def walk(self) -> Iterator["Node"]:
        """The node and all below it, in the order they are drawn."""
        yield self
        for call in self.calls:
            yield from call.walk()


@dataclass(frozen=True, slots=True)
class DrainPath:
    """A way through the program when it stops, from its root."""

    number: int
    """By which entries and other paths refer to it."""
    sort: str
    """`signal`, `exit-hook`, `shutdown-hook`, `method`, `context`, `finally`, `after-wait`."""
    label: str
    """The root as people say it: "signal handler `on_term`"."""
    triggers: tuple[str, ...]
    """The signals it is registered for, where they are known."""
    by_name: bool
    """Its name is the only evidence that it is one."""
    root: Node

    @property
    def waits(self) -> tuple[MappedWait, ...]:
        """All that is drawn below the root."""
        return tuple(wait for node in self.root.walk() for wait in node.waits)


@dataclass(frozen=True, slots=True)
class Handler:
    """Something that an entry has called when the program is to stop."""

    label: str
    spot: Spot
    """Of its definition."""
    registered: Spot | None
    """Where it is registered; None for a `finally` or what follows a wait."""
    triggers: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    """The stop signals that it sets: `Worker.alive`."""
    path: int = 0
    """The number of its drain path; 0 where nothing on it waits."""
    remarks: tuple[str, ...] = ()
    """What else is known of it: "raises", "does nothing"."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a program begins."""

    sort: str
    name: str
    spot: Spot
    handlers: tuple[Handler, ...] = ()
    services: tuple[str, ...] = ()
    """The services of the map that it makes."""


@dataclass(frozen=True, slots=True)
class MappedService:
    """A lifetime, and who inherits it unchanged."""

    lifetime: Lifetime
    heirs: tuple[str, ...] = ()
    """Classes whose whole lifetime is this one's."""
    base: str = ""
    """The class that shows the rest; empty where all is shown here."""
    makes: tuple[Made, ...] = ()
    """The calls that make what it holds."""

    def maker(self, held: Held) -> Made | None:
        """The first call that makes what an attribute holds."""
        return next((m for m in self.makes if m.kept.partition(".")[2] == held.name), None)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the map does not show unless it is asked for everything."""

    entries: int = 0
    """Entries in tests and examples, and those without handlers, services and drain paths."""
    users: int = 0
    """Classes that only hold what others gave them."""
    quiet: int = 0
    """Roots of drain paths without waits."""
    drawn: int = 0
    """Stop methods that are drawn within other paths."""
    side: int = 0
    """Roots in tests and examples."""
    made: int = 0
    """Workers and resources of functions that are ended where they are made."""


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """What the model knows of a program."""

    entries: tuple[Entry, ...] = ()
    handlers: tuple[Handler, ...] = ()
    """Signal handlers and hooks that are registered where no entry is known to lead."""
    services: tuple[MappedService, ...] = ()
    made: tuple[Made, ...] = ()
    """Workers and resources that no attribute of a service keeps."""
    deliveries: tuple[Delivery, ...] = ()
    """Who receives messages, and what becomes of them."""
    paths: tuple[DrainPath, ...] = ()
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def unbounded(self) -> int:
        """How many waits on drain paths nothing bounds."""
        return sum(wait.is_unbounded for path in self.paths for wait in path.waits)
