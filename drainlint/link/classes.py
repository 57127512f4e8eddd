"""Classes across modules: bases, methods, and where each attribute gets its value."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

from drainlint.index.entries import Binding, FunctionEntry
from drainlint.link.names import ClassId, FunctionId, Library, Names
from drainlint.model.expression import Call

DEPTH = 20
"""How many bases are followed before a hierarchy is given up as circular."""


class Classes:
    """The class hierarchy of a project."""

    def __init__(self, names: Names) -> None:
        """Take the project's names."""
        self.names = names
        self._lines: dict[ClassId, tuple[ClassId | Library, ...]] = {}
        self._project_lines: dict[ClassId, tuple[ClassId, ...]] = {}
        self._attributes: dict[ClassId, dict[str, list[tuple[FunctionId, Binding]]]] = {}
        self._uses: dict[ClassId, Mapping[str, AbstractSet[str]]] = {}
        self._asked: dict[ClassId, frozenset[str]] = {}
        self._instances: dict[FunctionId, tuple[ClassId | None, str]] = {}
        self._methods: dict[tuple[ClassId, str], FunctionId | None] = {}
        self._overriding: dict[tuple[ClassId, str], tuple[FunctionId, ...]] = {}

    def line(self, key: ClassId) -> tuple[ClassId | Library, ...]:
        """The class and its bases, nearest first; bases outside the project as `Library`."""
        if key not in self._lines:
            self._lines[key] = (key,)
            found: dict[ClassId | Library, None] = {key: None}
            for base in self.names.klass(key).bases:
                path = getattr(base, "value", base).path  # Generic[T] derives from Generic
                resolved = self.names.resolve(self.names.enclosing(key), path) if path else None
                if resolved is None:
                    continue
                match resolved.symbol:
                    case ClassId() as parent if not resolved.rest:
                        found.update(dict.fromkeys(self.line(parent)))
                    case Library() as parent:
                        found[parent] = None
            self._lines[key] = tuple(found)
        return self._lines[key]

    def project_line(self, key: ClassId) -> tuple[ClassId, ...]:
        """The class and those of its bases that belong to the project."""
        if key not in self._project_lines:
            own = tuple(one for one in self.line(key) if isinstance(one, ClassId))
            self._project_lines[key] = own
        return self._project_lines[key]

    @cached_property
    def _children(self) -> dict[ClassId, list[ClassId]]:
        found: dict[ClassId, list[ClassId]] = defaultdict(list)
        for key, _ in self.names.classes():
            for base in self.project_line(key):
                if base != key:
                    found[base].append(key)
        return dict(found)

    def children(self, key: ClassId) -> list[ClassId]:
        """Every class of the project that derives from this one, directly or not."""
        return self._children.get(key, [])

    def method(self, key: ClassId, name: str) -> FunctionId | None:
        """The method that an instance of this very class has under `name`."""
        asked = (key, name)
        if asked not in self._methods:
            self._methods[asked] = next(
                (
                    FunctionId(one.path, f"{one.name}.{name}")
                    for one in self.project_line(key)
                    if f"{one.name}.{name}" in self.names.modules[one.path].functions
                ),
                None,
            )
        return self._methods[asked]

    def overriding(self, key: ClassId, name: str) -> tuple[FunctionId, ...]:
        """The methods that subclasses have in the place of this class's `name`."""
        asked = (key, name)
        if asked not in self._overriding:
            self._overriding[asked] = tuple(
                FunctionId(child.path, f"{child.name}.{name}")
                for child in self._children.get(key, ())
                if name in self.names.klass(child).methods
            )
        return self._overriding[asked]

    def methods_called(self, name: str) -> list[FunctionId]:
        """The methods of this name, of any class of the project."""
        return self._by_name.get(name, [])

    @cached_property
    def _by_name(self) -> Mapping[str, list[FunctionId]]:
        found: dict[str, list[FunctionId]] = defaultdict(list)
        for key, entry in self.names.functions():
            if entry.owner:
                found[entry.short_name].append(key)
        return dict(found)

    @cached_property
    def member_names(self) -> frozenset[str]:
        """The names of all methods, and of all attributes that anything is put into."""
        found = {name for _, klass in self.names.classes() for name in klass.bindings}
        for _, entry in self.names.functions():
            if entry.owner:
                found.add(entry.short_name)
            found.update(path.rpartition(".")[2] for path in entry.bindings if "." in path)
        return frozenset(found)

    def owner(self, key: FunctionId) -> ClassId | None:
        """The class whose method this is, also for a function nested in a method."""
        return self._instance(key)[0]

    def self_name(self, key: FunctionId) -> str:
        """What a method, or a function nested in one, calls its instance; empty for none."""
        return self._instance(key)[1]

    def _instance(self, key: FunctionId) -> tuple[ClassId | None, str]:
        found = self._instances.get(key)
        if found is None:
            functions = self.names.modules[key.path].functions
            name = key.name
            found = (None, "")
            while name:
                entry = functions.get(name)
                if entry is not None and entry.owner:
                    found = (ClassId(key.path, entry.owner), _first_parameter(entry))
                    break
                name = name.rpartition(".")[0]
            self._instances[key] = found
        return found

    def members(self, key: ClassId) -> Iterator[tuple[FunctionId, FunctionEntry]]:
        """The methods of a class, and the functions and lambdas nested in them."""
        yield from self._members.get(key, ())

    @cached_property
    def _members(self) -> dict[ClassId, list[tuple[FunctionId, FunctionEntry]]]:
        found: dict[ClassId, list[tuple[FunctionId, FunctionEntry]]] = defaultdict(list)
        for key, entry in self.names.functions():
            owner = self.owner(key)
            if owner is not None:
                found[owner].append((key, entry))
        return dict(found)

    def used(self, key: ClassId, attribute: str) -> frozenset[str]:
        """The methods that the class and its bases call on an attribute."""
        return frozenset(
            method
            for one in self.project_line(key)
            for method in self._used(one).get(attribute, ())
        )

    def _used(self, key: ClassId) -> Mapping[str, AbstractSet[str]]:
        if key not in self._uses:
            found: dict[str, set[str]] = defaultdict(set)
            for function, entry in self.members(key):
                me = f"{self.self_name(function)}."
                for call in entry.calls:
                    path = call.func.path
                    if path.startswith(me) and path.count(".") == 2:  # noqa: PLR2004 - self.x.method
                        found[path.split(".")[1]].update(uses(call, entry))
            self._uses[key] = found
        return self._uses[key]

    def asked(self, key: ClassId) -> frozenset[str]:
        """The attributes that the tests of a class's own loops read."""
        if key not in self._asked:
            self._asked[key] = frozenset(
                path.partition(".")[2]
                for function, entry in self.members(key)
                for path in entry.asked
                if path.startswith(f"{self.self_name(function)}.")
            )
        return self._asked[key]

    def bindings(self, key: ClassId, attribute: str) -> Iterator[tuple[FunctionId, Binding]]:
        """Every way in which an attribute gets its value, in this class and its bases."""
        for one in self.project_line(key):
            yield from self._own(one).get(attribute, ())

    def attributes(self, key: ClassId) -> frozenset[str]:
        """The names of all attributes, those of bases included."""
        return frozenset(a for one in self.project_line(key) for a in self._own(one))

    def binds(self, key: ClassId, attribute: str) -> bool:
        """Whether a class itself, not a base, gives an attribute its value."""
        return attribute in self._own(key)

    def _own(self, key: ClassId) -> dict[str, list[tuple[FunctionId, Binding]]]:
        if key not in self._attributes:
            found: dict[str, list[tuple[FunctionId, Binding]]] = defaultdict(list)
            scope = FunctionId(key.path, key.name)
            for name, ways in self.names.klass(key).bindings.items():
                found[name].extend((scope, way) for way in ways)
            for function, entry in self.members(key):
                me = self.self_name(function)
                if not me:
                    continue
                for path, ways in entry.bindings.items():
                    head, dot, attribute = path.partition(".")
                    if dot and head == me and "." not in attribute:
                        found[attribute].extend((function, way) for way in ways)
            self._attributes[key] = dict(found)
        return self._attributes[key]


def uses(call: Call, entry: FunctionEntry) -> Iterator[str]:
    """What a call in a function says of the thing that it is made on, in the words of the tables.

    `set`, `set()` where it has no arguments, and `plain wait` where no coroutine makes it.
    """
    yield call.method
    if not call.arguments:
        yield f"{call.method}()"
    if not entry.is_async:
        yield f"plain {call.method}"


def _first_parameter(entry: FunctionEntry) -> str:
    if any(d.path == "staticmethod" for d in entry.decorators):
        return ""
    return entry.parameters[0].name if entry.parameters else ""
