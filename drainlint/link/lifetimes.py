"""Lifetimes: the whole table of a class that starts or holds something to be stopped."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from drainlint.index.entries import Binding, FunctionEntry
from drainlint.link.acts import Acts, is_marker
from drainlint.link.graph import Graph
from drainlint.link.names import ClassId, FunctionId, Library
from drainlint.link.services import STOPPERS, Services
from drainlint.link.values import Values
from drainlint.link.verbs import METHODS, Done
from drainlint.model.expression import Call, Comprehension, Constant, Expression, Name
from drainlint.model.kind import Kind
from drainlint.model.place import Place
from drainlint.model.service import Act, Held, Lifetime, Service, StopSignal

RUNNING = frozenset({"task", "executor", "pool", "popen", "aio-process", "group", "task-group"})
"""Natures of what runs from the moment it is made."""
HANDS_OUT = re.compile(r"get_|current|instance$")
"""Functions of libraries that give what is there already: `IOLoop.current`, `get_event_loop`."""
QUEUES = frozenset({"queue", "aio-queue"})
TAKES_WORK = frozenset({*QUEUES, "executor", "pool", "group", "task-group", "scheduler"})


class Lifetimes:
    """Builds the lifetime of a class for whoever asks, once."""

    def __init__(self, services: Services, graph: Graph, values: Values) -> None:
        """Take the services of a project, its calls, and what its timeouts come to."""
        self.services = services
        self.graph = graph
        self.values = values
        self._cache: dict[ClassId, Lifetime | None] = {}

    def all(self) -> Iterator[tuple[ClassId, Lifetime]]:
        """Every lifetime of the project, in the order of paths and definitions."""
        for key, _ in self.graph.names.classes():
            found = self.of(key)
            if found is not None:
                yield key, found

    def of_function(self, key: FunctionId) -> Lifetime | None:
        """The lifetime of the class whose method a function is, or is nested in."""
        owner = self.graph.classes.owner(key)
        return None if owner is None else self.of(owner)

    def of(self, key: ClassId) -> Lifetime | None:
        """The lifetime of a class; None for a class that is no service."""
        if key not in self._cache:
            service = self.services.of(key)
            self._cache[key] = None if service is None else self._made(key, service)
        return self._cache[key]

    def _made(self, key: ClassId, service: Service) -> Lifetime:
        acts: dict[tuple[str, str], dict[Act, Call | None]] = defaultdict(dict)
        for done in self._done(key):
            acts[done.attribute, done.word].setdefault(done.act, done.call)
        held = [self._held(key, name, acts) for name in (*service.workers, *service.resources)]
        signals = [self._signal(key, name, acts) for name in service.stop_signals]
        return Lifetime(
            service.name,
            service.path,
            service.place,
            service.stop_signals,
            service.stop_events,
            service.workers,
            service.resources,
            tuple(one for one in held if one is not None),
            (*signals, *self._markers(key, acts)),
            tuple(self._submits(key, acts)),
        )

    def _done(self, key: ClassId) -> Iterator[Done]:
        acts = Acts(self.graph, self.values, key)
        yield from acts.inside()
        own = set(self.graph.classes.project_line(key))
        for function, call in self._calls:
            if self.graph.classes.owner(function) not in own:
                yield from acts.outside(function, call)

    @cached_property
    def _calls(self) -> tuple[tuple[FunctionId, Call], ...]:
        """Every call of the project that may be an act upon some object."""
        return tuple(
            (function, call)
            for function, entry in self.graph.names.functions()
            for call in entry.calls
            if call.method in METHODS and call.receiver is not None and call.receiver.path
        )

    # What it holds

    def _held(
        self, key: ClassId, name: str, acts: Mapping[tuple[str, str], dict[Act, Call | None]]
    ) -> Held | None:
        found = self.services.held(key, name)
        if found is None:
            return None
        sort, kind = found
        made = list(self._ways(key, name))
        created = tuple(dict.fromkeys(act for act, parameter in made if not parameter))
        given = tuple(dict.fromkeys(act for act, parameter in made if parameter))
        started = _acts(acts, name, "start")
        entered = _acts(acts, name, "enter")
        if kind.nature in RUNNING:
            started = (*created, *started)
        joined = _acts(acts, name, "join")
        waits = sort == "worker"
        whole = self.graph.kinds.attribute(key, name) if name != "self" else kind
        return Held(
            name,
            sort,
            kind.nature,
            kind.short,
            self._owner(key, name),
            whole is not None and whole is not kind,
            created,
            given,
            tuple(dict.fromkeys((*started, *(() if waits else entered)))),
            (*_acts(acts, name, "stop"), *entered),
            (*joined, *(entered if waits else ())),
            _acts(acts, name, "ask"),
        )

    def _owner(self, key: ClassId, name: str) -> str:
        """The class that binds an attribute, the nearest first."""
        for one in self.graph.classes.project_line(key):
            for scope, _ in self.graph.classes.bindings(one, name):
                owner = self.graph.classes.owner(scope)
                if (owner or ClassId(scope.path, scope.name)) == one:
                    return one.name
        return key.name

    def _ways(self, key: ClassId, name: str) -> Iterator[tuple[Act, bool]]:
        """Where an attribute gets its value, and whether from a parameter."""
        for scope, way in self.graph.classes.bindings(key, name):
            if way.how not in ("assign", "element", "enter"):
                continue
            if self._is_handed_in(scope, way.value):
                yield self._bound(scope, way, name), True
            if self._is_made(scope, way.value):
                yield self._bound(scope, way, name), False

    def _entry(self, scope: FunctionId) -> FunctionEntry | None:
        return self.graph.names.modules[scope.path].functions.get(scope.name)

    def _is_handed_in(self, scope: FunctionId, value: Expression) -> bool:
        """Whether a value comes from a parameter, or is what a library hands out: `current()`."""
        if isinstance(value, Call):
            return self._is_handed_out(scope, value)
        entry = self._entry(scope)
        if entry is None or isinstance(value, Comprehension):
            return False
        parameters = {p.name for p in entry.parameters}
        return any(
            part.path in parameters or (isinstance(part, Call) and self._is_handed_out(scope, part))
            for part in (value, *value.parts)
        )

    def _is_handed_out(self, scope: FunctionId, call: Call) -> bool:
        if not HANDS_OUT.match(call.method):
            return False
        resolved = self.graph.names.resolve(scope, call.func.path) if call.func.path else None
        return resolved is not None and isinstance(resolved.symbol, Library)

    def _is_made(self, scope: FunctionId, value: Expression) -> bool:
        """Whether a value is made on the spot, or was made by a call just before."""
        if self._has_maker(scope, value):
            return True
        entry = self._entry(scope)
        bindings = entry.bindings if entry is not None else {}
        locals_ = [part.path for part in value.walk() if "." not in part.path]
        ways = (way for name in locals_ for way in bindings.get(name, ()))
        return any(self._has_maker(scope, way.value) for way in ways)

    def _has_maker(self, scope: FunctionId, value: Expression) -> bool:
        return any(
            isinstance(part, Call) and not self._is_handed_out(scope, part) for part in value.walk()
        )

    def _bound(self, scope: FunctionId, way: Binding, name: str) -> Act:
        verb = "put into" if way.how == "element" else "="
        place = Place(way.line, 1, way.line, 0)
        return Act(scope.name, scope.path, place, f"{name} {verb} {way.value.text}")

    # What stops it

    def _signal(
        self, key: ClassId, name: str, acts: Mapping[tuple[str, str], dict[Act, Call | None]]
    ) -> StopSignal:
        kind = self.graph.kinds.attribute(key, name)
        owner = self._owner(key, name)
        if kind is not None and "event" in kind.nature:
            readers = (*_acts(acts, name, "read"), *_acts(acts, name, "join"))
            return StopSignal(name, kind.nature, owner, _acts(acts, name, "set"), _sorted(readers))
        setters = tuple(self._flag_setters(key, name))
        return StopSignal(name, "flag", owner, setters, tuple(self._flag_readers(key, name)))

    def _flag_setters(self, key: ClassId, name: str) -> Iterator[Act]:
        """Who gives a flag the value that ends the loop."""
        ways = [
            (scope, way, way.value.value)
            for scope, way in self.graph.classes.bindings(key, name)
            if way.how == "assign"
            and isinstance(way.value, Constant)
            and isinstance(way.value.value, bool)
        ]
        ways += self._set_from_outside(key, name)
        ending = next((v for s, _, v in ways if STOPPERS.match(s.name.rpartition(".")[2])), None)
        if ending is None:
            first = next((v for s, _, v in ways if _begins(key, s)), True)
            ending = not first
        for scope, way, value in ways:
            if value is ending and not _begins(key, scope):
                place = Place(way.line, 1, way.line, 0)
                yield Act(scope.name, scope.path, place, f"{name} = {way.value.text}")

    def _set_from_outside(
        self, key: ClassId, name: str
    ) -> Iterator[tuple[FunctionId, Binding, bool]]:
        own = set(self.graph.classes.project_line(key))
        for function, path, way in self._truths.get(name, ()):
            if self.graph.classes.owner(function) in own:
                continue
            kind = self.graph.kinds.of(function, Name(path.rpartition(".")[0]))
            found = self.graph.kinds.project_class(kind)
            value = getattr(way.value, "value", None)
            if found in own and isinstance(value, bool):
                yield function, way, value

    @cached_property
    def _truths(self) -> Mapping[str, list[tuple[FunctionId, str, Binding]]]:
        """Assignments of True and False to attributes, by the attribute's name."""
        found: dict[str, list[tuple[FunctionId, str, Binding]]] = defaultdict(list)
        for function, entry in self.graph.names.functions():
            for path, ways in entry.bindings.items():
                if "." in path:
                    name = path.rpartition(".")[2]
                    found[name].extend(
                        (function, path, way)
                        for way in ways
                        if isinstance(way.value, Constant) and isinstance(way.value.value, bool)
                    )
        return found

    def _flag_readers(self, key: ClassId, name: str) -> Iterator[Act]:
        classes = self.graph.classes
        for one in (*classes.project_line(key), *classes.children(key)):
            for function, entry in classes.members(one):
                me = classes.self_name(function)
                if f"{me}.{name}" in entry.asked:
                    place = Place(entry.line, entry.column, entry.line, 0)
                    yield Act(
                        function.name, function.path, place, f"the loop of `{entry.short_name}`"
                    )

    def _markers(
        self, key: ClassId, acts: Mapping[tuple[str, str], dict[Act, Call | None]]
    ) -> Iterator[StopSignal]:
        """Queues into which a stop method puts an end marker."""
        for (name, word), done in list(acts.items()):
            kind = self.graph.kinds.attribute(key, name) if word == "submit" else None
            if kind is None or kind.nature not in QUEUES:
                continue
            setters = tuple(
                act
                for act, call in done.items()
                if call is not None and is_marker(call) and STOPPERS.match(act.short_function)
            )
            if setters:
                owner = self._owner(key, name)
                yield StopSignal(name, "queue", owner, setters, _acts(acts, name, "read"))

    def _submits(
        self, key: ClassId, acts: Mapping[tuple[str, str], dict[Act, Call | None]]
    ) -> Iterator[Act]:
        """Where work is handed to what the class holds."""
        for (name, word), done in sorted(acts.items(), key=lambda item: item[0]):
            kind = self._taker(key, name) if word == "submit" else None
            if kind is not None and kind.nature in TAKES_WORK:
                yield from (a for a, call in done.items() if call is None or not is_marker(call))

    def _taker(self, key: ClassId, name: str) -> Kind | None:
        return None if name == "self" else self.graph.kinds.attribute(key, name)


def _acts(
    acts: Mapping[tuple[str, str], dict[Act, Call | None]], name: str, word: str
) -> tuple[Act, ...]:
    return _sorted(acts.get((name, word), ()))


def _sorted(acts: Iterator[Act] | dict[Act, Call | None] | tuple[Act, ...]) -> tuple[Act, ...]:
    """In the order of files and lines."""
    return tuple(sorted(acts, key=lambda act: (act.path, act.place)))


def _begins(key: ClassId, scope: FunctionId) -> bool:
    """Whether a scope makes the instance: `__init__`, or the class's own body."""
    return scope.name.rpartition(".")[2] in ("__init__", "__post_init__", "__new__", key.name)
