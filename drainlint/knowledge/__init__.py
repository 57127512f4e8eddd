"""What libraries do, as data: which calls wait, how their timeouts work, who runs what.

The tables are the `*.toml` files beside this module; users extend the same tables in their
configuration. Every fact has a source. `README.md` beside them says what each key means.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import cache, cached_property
from importlib import resources
from typing import Any, TypeVar

from drainlint.knowledge.names import TABLE

FOREVER = float("inf")
"""The bound, in seconds, of a wait that has none."""


@dataclass(frozen=True, slots=True)
class Runs:
    """A callable that a call hands on to be run elsewhere or later."""

    role: str
    """As what it runs: `thread`, `process`, `task`, `signal-handler`, `exit-hook`, ..."""
    argument: str = ""
    """The parameter's name."""
    at: int | None = None
    """The parameter's position, from 0, not counting `self`."""


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """A library's class."""

    name: str
    """Dotted name under which it is documented."""
    nature: str
    """The sort of thing it is: `thread`, `queue`, `event`, `future`, ..."""
    base: str = ""
    """Another type whose methods it has."""
    same: tuple[str, ...] = ()
    """Other dotted names for it (re-exports, factories that return it)."""
    element: str = ""
    """What iterating over it gives, as a type."""
    used_as: tuple[tuple[str, ...], ...] = ()
    """Sets of methods; whoever is used with all of one set is taken for this type.

    `set()` is a call without arguments, `plain wait` one that no coroutine makes.
    """
    through: tuple[str, ...] = ()
    """Methods through which others do their work: a subclass with its own changes what they do."""
    entered: str = ""
    """The type that `with ... as` binds; empty for the object itself."""
    methods: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Roles, each with the methods of a subclass that the library calls: `run`, `do_*`."""
    source: str = ""

    def role(self, method: str) -> str:
        """What a subclass's method runs as, because the library calls it; empty for others."""
        for role, patterns in self.methods:
            if any(_matches(pattern, method) for pattern in patterns):
                return role
        return ""


def _matches(pattern: str, method: str) -> bool:
    """Whether a method is meant by `run`, by `do_*`, or by `*`: whatever is public."""
    if not pattern.endswith("*"):
        return method == pattern
    return method.startswith(pattern[:-1]) and not (pattern == "*" and method.startswith("_"))


@dataclass(frozen=True, slots=True)
class CallFacts:
    """A library's function or method."""

    name: str
    """Dotted name: `time.sleep`, `threading.Thread.join`."""
    does: str = ""
    """The verb: `join`, `wait`, `take`, `put`, `sleep`, `ask`, `exit`, `hard-exit`, ..."""
    timeout: str = ""
    """The parameter that bounds it; empty where there is none."""
    at: int | None = None
    """That parameter's position, from 0, not counting `self`."""
    unit: str = "s"
    """`s` or `ms`."""
    default: float = FOREVER
    """Its bound without that parameter, in seconds; 0 does not wait."""
    none: str = "forever"
    """What `None` means: `forever`, `default`, `error`."""
    zero: str = "poll"
    """What 0 means: `poll` (do not wait) or `forever`."""
    negative: str = "poll"
    """What a negative number means: `poll`, `forever`, `error`."""
    blocking: str = ""
    """The parameter that switches waiting off."""
    blocking_at: int | None = None
    outcome: str = ""
    """What tells that the time ran out: `nothing`, `false`, `none`, `raises X`, `not-done`."""
    asynchronous: bool = False
    """It gives an awaitable, and waits only where that is awaited."""
    blocks: bool = False
    """It blocks the thread and thus an event loop (network, process, database)."""
    asks: str = ""
    """What a question is about: `queue`, `flag`, `liveness`, `parent`, `external`, `everything`."""
    returns: str = ""
    """The type of its result, in the syntax of annotations."""
    runs: tuple[Runs, ...] = ()
    signals: tuple[str, ...] = ()
    """Signals that it installs handlers for (`asyncio.run`: SIGINT; `uvicorn.run`: both)."""
    source: str = ""

    @property
    def waits(self) -> bool:
        """Whether it may hold its caller up."""
        return self.does in WAITING


WAITING = frozenset(
    {
        "join",
        "wait",
        "take",
        "put",
        "close",
        "network",
        "process",
        "select",
        "lock",
        "flush",
        "killall",
    }
)
"""The verbs of calls that may hold their caller up."""


DEPTH = 10
"""Bases of a type that are looked at; a damaged user table may hold a circle."""


@dataclass(frozen=True)
class Knowledge:
    """All tables, merged; looked up by dotted name."""

    types: Mapping[str, TypeFacts]
    calls: Mapping[str, CallFacts]
    decorators: Mapping[str, str]
    """Decorator -> role of the function it decorates."""
    aliases: Mapping[str, str]
    """Other names -> the name under which a type or call is listed."""

    def type(self, dotted: str) -> TypeFacts | None:
        """The facts about a class, under any of its names."""
        return self.types.get(self.aliases.get(dotted, dotted))

    def call(self, dotted: str) -> CallFacts | None:
        """The facts about a function, or about the method `dotted` of a listed type."""
        return self.calls.get(self.aliases.get(dotted, dotted))

    def base(self, dotted: str) -> TypeFacts | None:
        """The facts about a class that others derive from; it may be listed by a pattern.

        Generated code has one base for each service: `*_pb2_grpc.*Servicer`.
        """
        found = self.type(dotted)
        if found is None:
            name = next((p for p in self._patterns if fnmatchcase(dotted, p)), "")
            found = self.types.get(name)
        return found

    @cached_property
    def last_names(self) -> frozenset[str]:
        """The last parts of the names of all calls: no other method is one that is listed."""
        return frozenset(name.rpartition(".")[2] for name in (*self.calls, *self.aliases))

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        return tuple(name for name in self.types if "*" in name)

    def role(self, base: str, method: str) -> str:
        """What a method of a subclass runs as, by the library's class that it derives from."""
        facts, seen, role = self.base(base), 0, ""
        while facts and not role and seen < DEPTH:
            role = facts.role(method)
            facts, seen = self.type(facts.base) if facts.base else None, seen + 1
        return role

    def method(self, type_name: str, method: str) -> CallFacts | None:
        """The facts about a method, looked for along the type's bases."""
        seen = 0
        facts = self.type(type_name)
        while facts and seen < DEPTH:
            if found := self.calls.get(f"{facts.name}.{method}"):
                return found
            facts, seen = self.type(facts.base) if facts.base else None, seen + 1
        return None


Entry = TypeVar("Entry", TypeFacts, CallFacts)


class BadKnowledgeError(ValueError):
    """A table of facts has an unknown key or a value of the wrong kind; the text says which."""


def _entry(kind: type[Entry], where: str, name: str, values: Mapping[str, Any]) -> Entry:
    known = {f.name for f in fields(kind)} - {"name"}
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            msg = f"{where}: {name!r}: unknown key {key!r}"
            raise BadKnowledgeError(msg)
        if key == "runs" and kind is CallFacts:
            value = tuple(Runs(**run) for run in value)  # noqa: PLW2901
        elif key == "used_as":
            value = tuple(tuple(methods) for methods in value)  # noqa: PLW2901
        elif key == "methods":
            value = tuple((role, tuple(names)) for role, names in value.items())  # noqa: PLW2901
        elif isinstance(value, list):
            value = tuple(value)  # noqa: PLW2901
        elif key == "default":
            value = FOREVER if value == "forever" else float(value)  # noqa: PLW2901
        made[key] = value
    try:
        return kind(name=name, **made)
    except TypeError as fault:
        msg = f"{where}: {name!r}: {fault}"
        raise BadKnowledgeError(msg) from None


def _merge(into: dict[str, dict[str, Any]], where: str, table: Mapping[str, Any]) -> None:
    source = table.get("source", "")
    for name, values in table.get("type", {}).items():
        entry = _entry(TypeFacts, where, name, values)
        into["types"][name] = entry if entry.source else replace(entry, source=source)
        for other in entry.same:
            into["aliases"][other] = name
    for name, values in table.get("call", {}).items():
        call = _entry(CallFacts, where, name, values)
        into["calls"][name] = call if call.source else replace(call, source=source)
    into["decorators"].update(table.get("decorator", {}))
    into["aliases"].update(table.get("alias", {}))
    for key in table.keys() - {"source", "type", "call", "decorator", "alias"}:
        msg = f"{where}: unknown table {key!r}"
        raise BadKnowledgeError(msg)


@cache
def _shipped() -> Knowledge:
    return _load({})


def _load(extra: Mapping[str, Any]) -> Knowledge:
    parts: dict[str, dict[str, Any]] = {"types": {}, "calls": {}, "decorators": {}, "aliases": {}}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml") and file.name != TABLE:
            _merge(parts, file.name, tomllib.loads(file.read_text("utf-8")))
    _merge(parts, "knowledge", extra)
    return Knowledge(**parts)


def load(extra: Mapping[str, Any] | None = None) -> Knowledge:
    """The shipped tables, extended by a user's own.

    Raises BadKnowledgeError where `extra` has an unknown key or a wrong value.
    """
    return _load(extra) if extra else _shipped()
