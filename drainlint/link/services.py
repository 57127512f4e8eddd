"""Classes with a lifetime: what they start and hold, and what tells them to stop."""

import re
from collections.abc import Iterator

from drainlint.index.entries import Binding
from drainlint.link.classes import Classes
from drainlint.link.kinds import Kinds
from drainlint.link.names import ClassId, FunctionId
from drainlint.model.expression import Constant
from drainlint.model.function import Service

WORKERS = frozenset(
    {"thread", "process", "timer", "greenlet", "group", "executor", "pool", "task", "popen", "aio-process", "task-group", "scheduler"}  # fmt: skip
)
RESOURCES = frozenset(
    {"server", "socket", "session", "consumer", "producer", "channel", "connection", "loop", "selector"}  # fmt: skip
)
EVENTS = frozenset({"event", "aio-event"})
STOP_WORDS = re.compile(
    r"stop|quit|exit|shut|clos|terminat|running|runnable|alive|active|done|finish|cancel|kill|drain|abort|halt|dead|die|end(ed|ing)?$"  # noqa: E501 - one alternation
)
STOPPERS = re.compile(
    r"_*(async_)?(stop|close|aclose|shutdown|drain|terminate|kill|abort|quit|cancel|halt|exit|finish|end|disconnect|destroy|handle_|on_|signal|sig|request|set_|__exit__|__aexit__|__del__)"  # noqa: E501 - one alternation
)
DEPTH = 4


class Services:
    """Which classes of a project are services."""

    def __init__(self, classes: Classes, kinds: Kinds) -> None:
        """Take the project's classes, and the kinds of their attributes."""
        self.classes = classes
        self.kinds = kinds
        self._cache: dict[ClassId, Service | None] = {}

    def of_function(self, key: FunctionId) -> Service | None:
        """The service whose method a function is, or is nested in."""
        owner = self.classes.owner(key)
        return None if owner is None else self.of(owner)

    def of(self, key: ClassId, depth: int = 0) -> Service | None:
        """The service that a class is; None where it starts, opens and holds nothing to be stopped."""
        if key in self._cache:
            return self._cache[key]
        if depth > DEPTH:
            return None
        self._cache[key] = None
        workers, resources = [], []
        own = self.kinds.instance(key)
        if own.nature in WORKERS:
            workers.append("self")
        elif own.nature in RESOURCES:
            resources.append("self")
        for name in sorted(self.classes.attributes(key)):
            kind = self.kinds.attribute(key, name)
            element = kind.element if kind is not None and kind.element is not None else kind
            if kind is None or element is None or kind.nature == "function":
                continue
            if element.nature in WORKERS:
                workers.append(name)
            elif element.nature in RESOURCES:
                resources.append(name)
            else:
                inner = self.kinds.project_class(element)
                if inner is not None and inner != key and self.of(inner, depth + 1) is not None:
                    workers.append(name)
        signals = tuple(sorted(self._stop_signals(key)))
        if workers or resources or signals:
            events = tuple(s for s in signals if self._nature(key, s) == "event")
            self._cache[key] = Service(
                key.name, key.path, signals, events, tuple(workers), tuple(resources)
            )
        return self._cache[key]

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
