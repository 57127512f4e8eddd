"""Classes with a lifetime: what they start and hold, and what tells them to stop."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from drainlint.index.entries import Binding
from drainlint.link.classes import Classes
from drainlint.link.kinds import Kinds
from drainlint.link.names import ClassId, FunctionId
from drainlint.model.expression import Call, Constant, Lambda
from drainlint.model.kind import Kind
from drainlint.model.place import Place
from drainlint.model.service import Service

WORKERS = frozenset(
    {"thread", "process", "timer", "greenlet", "group", "executor", "pool", "task", "popen"}
    | {"aio-process", "task-group", "scheduler"}
)
RESOURCES = frozenset(
    {"server", "socket", "session", "consumer", "producer", "channel", "connection", "loop"}
    | {"selector"}
)
EVENTS = frozenset({"event", "aio-event"})
STOP_WORDS = re.compile(
    r"stop|quit|exit|shut|clos|terminat|running|runnable|alive|active|done|finish|cancel|kill|drain"
    r"|abort|halt|dead|die|end(ed|ing)?$"
)
STOPPERS = re.compile(
    r"_*(async_)?((stop|close|aclose|shutdown|drain|terminate|kill|abort|quit|cancel|halt|exit"
    r"|finish|end|disconnect|destroy|__exit__|__aexit__|__del__)"
    r"|(handle|on|request|set|signal|sig)_?\w*(stop|sig|term|exit|quit|shut|clos|kill|drain|abort"
    r"|interrupt|cancel|halt|end$|int$|done|handler))"
)
"""Names of methods that ask for an end: `stop`, `close_all`, `on_sigterm`, `request_stop`."""
DEPTH = 5
"""Through how many classes that hold each other a lifetime is looked for."""


@dataclass(frozen=True, slots=True)
class _Own:
    """Attributes of a class, by what they hold."""

    workers: tuple[str, ...]
    resources: tuple[str, ...]
    signals: tuple[str, ...]
    parts: tuple[tuple[str, ClassId], ...]
    """Those that hold instances of other classes of the project."""
    opens: bool
    """It makes one of its resources itself, where it does not only use what it was given."""

    @property
    def lives(self) -> bool:
        """Whether whoever holds it has something to stop."""
        return bool(self.workers or self.signals or self.opens)


class Services:
    """Which classes of a project are services."""

    def __init__(self, classes: Classes, kinds: Kinds) -> None:
        """Take the project's classes, and the kinds of their attributes."""
        self.classes = classes
        self.kinds = kinds
        self._cache: dict[ClassId, Service | None] = {}
        self._own: dict[ClassId, _Own] = {}

    def of_function(self, key: FunctionId) -> Service | None:
        """The service whose method a function is, or is nested in."""
        owner = self.classes.owner(key)
        return None if owner is None else self.of(owner)

    def borrows(self, key: FunctionId) -> bool:
        """Whether all that a method's class has to stop was handed in: it is another's to end."""
        owner = self.classes.owner(key)
        if owner is None:
            return False
        own = self._holds(owner)
        made = (name for name, _ in own.parts if self._opens(owner, name))
        return not own.lives and not own.resources and next(made, None) is None

    def lives(self, key: FunctionId) -> bool:
        """Whether a method's class starts, opens or signals something, not only uses it."""
        owner = self.classes.owner(key)
        return owner is not None and (self._lives(owner) or self.waits_for_its_work(key))

    def is_stopped_by(self, key: FunctionId) -> bool:
        """Whether a method named for an end is that of a service, or waits for work in flight."""
        return self.of_function(key) is not None or self.waits_for_its_work(key)

    def of(self, key: ClassId) -> Service | None:
        """The service that a class is; None where it holds nothing that must be stopped."""
        if key not in self._cache:
            own = self._holds(key)
            services = (name for name, inner in own.parts if inner != key and self._lives(inner))
            workers = sorted({*own.workers, *services}, key=lambda name: (name != "self", name))
            self._cache[key] = None
            if workers or own.resources or own.signals:
                line = self.classes.names.klass(key).line
                events = tuple(s for s in own.signals if self._nature(key, s) == "event")
                self._cache[key] = Service(
                    key.name,
                    key.path,
                    Place(line, 1, line, 0),
                    own.signals,
                    events,
                    tuple(workers),
                    own.resources,
                )
        return self._cache[key]

    def waits_for_its_work(self, key: FunctionId) -> bool:
        """Whether a method waits until what its class counts, in other methods, is done.

        `while self.in_flight > 0: ...`, `self.idle.wait_for(lambda: self.in_flight == 0)`: that is
        what a stop does for those who are still at work, and no other end of a thing.
        """
        owner, entry = self.classes.owner(key), self.classes.names.function(key)
        own = f"{self.classes.self_name(key)}."
        tests = [turn.test for turn in entry.turns]
        given = (a.value for c in entry.calls if c.method == "wait_for" for a in c.arguments)
        tests += [value.body for value in given if isinstance(value, Lambda)]
        read = {e.path.removeprefix(own) for t in tests for e in t.walk() if e.path.startswith(own)}
        return owner is not None and any(
            len({scope for scope, way in ways if way.how == "augment" and scope != key}) > 1
            for ways in (tuple(self.classes.bindings(owner, name)) for name in read)
        )

    def held(self, key: ClassId, name: str) -> tuple[str, Kind] | None:
        """What sort of thing with a lifetime an attribute holds, and the kind of that thing.

        `worker`, `resource`, or `service` for an instance of another class of the project. Of a
        container what it contains counts.
        """
        kind = self.kinds.instance(key) if name == "self" else self.kinds.attribute(key, name)
        element = kind.element if kind is not None and kind.element is not None else kind
        if kind is None or element is None or kind.nature in ("function", "class", "module"):
            return None
        parts = (element, *(part for part in element.items if part is not None))
        for sort, natures in (("worker", WORKERS), ("resource", RESOURCES)):
            for part in parts:
                if part.nature in natures:
                    return sort, part
        inner = self.kinds.project_class(element)
        return None if inner is None or name == "self" else ("service", element)

    def _holds(self, key: ClassId) -> "_Own":
        """What a class holds by itself, whatever the classes of its attributes turn out to be."""
        if key not in self._own:
            found: dict[str, list[str]] = {"worker": [], "resource": []}
            parts = []
            for name in ("self", *sorted(self.classes.attributes(key))):
                sort, kind = self.held(key, name) or ("", None)
                inner = self.kinds.project_class(kind) if sort == "service" else None
                if inner is not None:
                    parts.append((name, inner))
                elif sort:
                    found[sort].append(name)
            self._own[key] = _Own(
                tuple(found["worker"]),
                tuple(found["resource"]),
                tuple(sorted(self._stop_signals(key))),
                tuple(parts),
                any(name == "self" or self._opens(key, name) for name in found["resource"]),
            )
        return self._own[key]

    def _opens(self, key: ClassId, name: str) -> bool:
        """Whether a resource is made by a call, and not only handed in."""
        return any(
            isinstance(part, Call)
            for _, way in self.classes.bindings(key, name)
            for part in way.value.walk()
            if way.how != "annotation"
        )

    def _lives(self, key: ClassId) -> bool:
        """Whether a class, or one within a few steps of what it holds, has a lifetime of its own.

        Each class is asked what it holds by itself, so that the answer does not depend on the
        order of questions where classes hold each other.
        """
        seen, wave = {key}, [key]
        for _ in range(DEPTH):
            if any(self._holds(one).lives for one in wave):
                return True
            reached = dict.fromkeys(part for one in wave for _, part in self._holds(one).parts)
            wave = [one for one in reached if one not in seen]
            seen.update(wave)
        return False

    def _nature(self, key: ClassId, name: str) -> str:
        kind = self.kinds.attribute(key, name)
        return "" if kind is None else kind.nature

    def _stop_signals(self, key: ClassId) -> Iterator[str]:
        for name in self.classes.attributes(key):
            kind = self.kinds.attribute(key, name)
            if kind is not None and kind.nature in EVENTS:
                if STOP_WORDS.search(name.lower()) or self._set_in_stopper(key, name):
                    yield name
            elif self._is_flag(key, name):
                yield name

    def _set_in_stopper(self, key: ClassId, name: str) -> bool:
        for one in self.classes.project_line(key):
            for function, entry in self.classes.members(one):
                path = f"{self.classes.self_name(function)}.{name}.set"
                if STOPPERS.match(entry.short_name) and any(
                    c.func.path == path for c in entry.calls
                ):
                    return True
        return False

    def _is_flag(self, key: ClassId, name: str) -> bool:
        """A truth value that one method sets and another, in a stop, sets the other way round."""
        values: dict[bool, list[tuple[FunctionId, Binding]]] = {True: [], False: []}
        for scope, way in self.classes.bindings(key, name):
            if way.how != "assign":
                continue
            if not isinstance(way.value, Constant) or not isinstance(way.value.value, bool):
                continue
            values[way.value.value].append((scope, way))
        if not (values[True] and values[False]):
            return False
        if not self._asked(key, name):
            return False
        setters = {scope.name.rpartition(".")[2] for side in values.values() for scope, _ in side}
        return bool(STOP_WORDS.search(name.lower())) or any(
            STOPPERS.match(setter) for setter in setters
        )

    def _asked(self, key: ClassId, name: str) -> bool:
        """Whether a loop of the class ends by this attribute."""
        hierarchy = (*self.classes.project_line(key), *self.classes.children(key))
        return any(name in self.classes.asked(one) for one in hierarchy)
