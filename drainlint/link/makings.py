"""Builds workers and resources: what a function makes that lives on, who keeps and who ends it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypedDict

from drainlint.finding import Confidence, Related
from drainlint.index.entries import MAIN, MODULE, Binding, FunctionEntry
from drainlint.link.graph import Registration
from drainlint.link.lifetimes import HANDS_OUT, RUNNING
from drainlint.link.names import ClassId, FunctionId, Library, Variable
from drainlint.link.program import Program
from drainlint.link.roots import shown
from drainlint.link.services import RESOURCES, WORKERS
from drainlint.link.verbs import VERBS, Verbs, act_of
from drainlint.model.deadline import FOREVER
from drainlint.model.expression import (
    Await,
    Call,
    Comprehension,
    Conditional,
    Constant,
    Expression,
    Group,
    Logic,
    Name,
    Starred,
    Subscript,
    Walrus,
)
from drainlint.model.function import Drain, Function
from drainlint.model.kind import Kind
from drainlint.model.made import Resource, Worker
from drainlint.model.place import Place
from drainlint.model.service import Act

FILLS = frozenset({"append", "add", "appendleft", "insert", "put", "setdefault"})
"""Methods that put what they are given into the container they are called on."""
LOOKS = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter", "enumerate", "zip"})
ROUNDS = 3
"""Through how many local names a thing is followed."""

_Acts = dict[str, dict[Act, None]]


class _Common(TypedDict):
    """What workers and resources have in common."""

    path: str
    place: Place
    function: Function
    drain: Drain | None
    confidence: Confidence
    text: str
    nature: str
    type: str
    kept: str
    several: bool
    in_loop: bool
    within: bool
    handed_on: tuple[Act, ...]
    stopped: tuple[Act, ...]


class _Making(NamedTuple):
    """A call that makes something with a lifetime, and where."""

    key: FunctionId
    entry: FunctionEntry
    call: Call
    kind: Kind


@dataclass(frozen=True)
class Makings:
    """Finds what the functions of a program make."""

    program: Program

    def of(self, key: FunctionId) -> Iterator[Worker | Resource]:
        """What a function makes, in source order."""
        entry = self.program.names.function(key)
        for call in entry.calls:
            kind = self._made_kind(key, call)
            if kind is not None:
                yield self._noun(_Making(key, entry, call, kind))

    def _made_kind(self, key: FunctionId, call: Call) -> Kind | None:
        """What a call makes; None where it only finds, or makes nothing that lives on."""
        if HANDS_OUT.match(call.method):
            return None
        path = call.func.path
        resolved = self.program.names.resolve(key, path) if path else None
        makes = resolved is not None and isinstance(resolved.symbol, ClassId | Library)
        if not makes and self.program.facts(key, call) is None:
            return None
        kind = self.program.kinds.of(key, call)
        if kind is not None and kind.nature == "coroutine":
            kind = kind.element
        return kind if kind is not None and kind.nature in WORKERS | RESOURCES else None

    def _noun(self, one: _Making) -> Worker | Resource:
        kept, several, entered = self._keeper(one)
        names = self._names(one, kept)
        acts = self._acts(one, kept, names)
        key, call = one.key, one.call
        within = entered or any(e.value is call or e.value.path in names for e in one.entry.entered)
        line = call.place.line
        common = _Common(
            path=key.path,
            place=call.place,
            function=self.program.function(key),
            drain=self.program.drain(key, line),
            confidence=one.kind.evidence,
            text=call.text,
            nature=one.kind.nature,
            type=one.kind.short,
            kept=kept,
            several=several,
            in_loop=any(t.first_line < line <= t.last_line for t in one.entry.turns),
            within=within,
            handed_on=tuple(acts["hand"]),
            stopped=tuple(acts["stop"]),
        )
        if one.kind.nature in WORKERS:
            return Worker(
                **common,
                runs=tuple(self._runs(one)),
                daemon=self._daemon(one, names),
                running=one.kind.nature in RUNNING,
                started=tuple(acts["start"]),
                joined=tuple(acts["join"]),
                asked=tuple(acts["ask"]),
            )
        return Resource(**common, given_to=tuple(self._users(one, names)), used=tuple(acts["use"]))

    # Who keeps it

    def _keeper(self, one: _Making) -> tuple[str, bool, bool]:
        """The name that keeps it, whether with others, and whether a `with` does."""
        found = [
            (path, _is_several(way), way.how == "enter")
            for path, ways in one.entry.bindings.items()
            for way in ways
            if _gives(way.value, one.call)
        ]
        local = {path for path, _, _ in found if "." not in path}
        further = [
            (path, way.how == "element", any(entered for _, _, entered in found))
            for path, ways in one.entry.bindings.items()
            for way in ways
            if way.value.path in local and ("." in path or way.how == "element")
        ]
        of_objects = [one for one in (*found, *further) if "." in one[0]]
        return next(iter((*of_objects, *further, *found)), ("", False, False))

    def _names(self, one: _Making, kept: str) -> frozenset[str]:
        """The names in its function that stand for it, or hold it among others."""
        names = {kept} if kept else set()
        bindings = one.entry.bindings
        names |= {path for path, ways in bindings.items() if _binds(ways, one.call)}
        for _ in range(ROUNDS):
            for path, ways in bindings.items():
                for way in ways:
                    if any(value.path in names for value in _taken_from(way.value)):
                        names.add(path)
        return frozenset(names)

    # What is done with it

    def _acts(self, one: _Making, kept: str, names: frozenset[str]) -> _Acts:
        found: _Acts = defaultdict(dict)
        head, dot, attribute = kept.partition(".")
        if dot and head == self.program.classes.self_name(one.key):
            self._of_attribute(one, attribute, found)
        for key, entry in self._seen_from(one, names):
            for call in entry.calls:
                self._of_call(one, key, call, names, found)
            for awaited in entry.awaits:
                if awaited.value.path in names:
                    text = f"await {awaited.value.text}"
                    found["join"][act_of(key, awaited.place, text, FOREVER)] = None
        for value in one.entry.checkpoints:
            if _gives(value, one.call):
                text = f"await {one.call.text}"
                found["join"][act_of(one.key, one.call.place, text, FOREVER)] = None
        for result in one.entry.results:
            if _gives(result, one.call) or any(v.path in names for v in _taken_from(result)):
                place = one.call.place
                found["hand"][act_of(one.key, place, f"return {result.text}", None)] = None
        return found

    def _of_attribute(self, one: _Making, attribute: str, found: _Acts) -> None:
        """What the class does with the attribute that keeps it."""
        lifetime = self.program.lifetimes.of_function(one.key)
        held = None if lifetime is None else lifetime.attribute(attribute)
        if held is None or lifetime is None:
            return
        for word, acts in (
            ("start", held.started),
            ("stop", held.stopped),
            ("join", held.joined),
            ("ask", held.asked),
        ):
            found[word].update(dict.fromkeys(acts))
        known = {act.place for acts in found.values() for act in acts}
        owner = self.program.classes.owner(one.key)
        if owner is None:
            return
        for key, entry in self.program.classes.members(owner):
            path = f"{self.program.classes.self_name(key)}.{attribute}"
            for call in entry.calls:
                used = call.receiver is not None and call.receiver.path == path
                if used and call.place.first_line not in known:
                    found["use"][act_of(key, call.place, call.text, None)] = None

    def _seen_from(
        self, one: _Making, names: frozenset[str]
    ) -> Iterator[tuple[FunctionId, FunctionEntry]]:
        """The functions that can see its names: its own, for a global all of the module."""
        yield one.key, one.entry
        module = one.key.name in (MODULE, MAIN)
        shared = {n for n in names if "." not in n and (module or n in one.entry.shared)}
        if not shared:
            return
        for name, entry in self.program.names.modules[one.key.path].functions.items():
            key = FunctionId(one.key.path, name)
            if key != one.key and any(self._is_global(key, n) for n in shared):
                yield key, entry

    def _is_global(self, key: FunctionId, name: str) -> bool:
        resolved = self.program.names.resolve(key, name)
        if resolved is None or not isinstance(resolved.symbol, Variable):
            return False
        return resolved.symbol.scope.name in (MODULE, MAIN)

    def _of_call(
        self, one: _Making, key: FunctionId, call: Call, names: frozenset[str], found: _Acts
    ) -> None:
        receiver = call.receiver
        upon = receiver is not None and (receiver is one.call or receiver.path in names)
        if upon and call.method not in FILLS:
            done = list(Verbs(self.program.graph, self.program.values).called(key, call, ""))
            for act in done:
                found[act.word if act.word in _WORDS else "use"][act.act] = None
            if not done:
                found["use"][act_of(key, call.place, call.text, None)] = None
            return
        values = [a.value for a in call.arguments]
        given = any(_gives(v, one.call) or _holds(v, names) for v in values)
        if given and call is not one.call and not (call.method in FILLS and receiver is not None):
            self._of_giving(key, call, found)

    def _of_giving(self, key: FunctionId, call: Call, found: _Acts) -> None:
        """What a function does to what it is given: `gather(*tasks)`; others take it over."""
        known = self.program.facts(key, call)
        does = known[0].does if known is not None else ""
        words = ("join",) if does == "bound" else VERBS.get(does, ())
        words = tuple(word for word in words if word in ("join", "stop"))
        if call.func.path in LOOKS:
            return
        verbs = Verbs(self.program.graph, self.program.values)
        deadline = verbs.deadline(key, call, known[0]) if known and "join" in words else None
        for word in words or ("hand",):
            found[word][act_of(key, call.place, call.text, deadline)] = None

    # What it is

    @cached_property
    def _registered(self) -> dict[int, list[Registration]]:
        found: dict[int, list[Registration]] = defaultdict(list)
        for registration in self.program.graph.registrations:
            if registration.call is not None:
                found[id(registration.call)].append(registration)
        return found

    def _runs(self, one: _Making) -> Iterator[Related]:
        """The functions that a worker runs."""
        targets = [r.target for r in self._registered.get(id(one.call), ())]
        owner = self.program.kinds.project_class(one.kind)
        run = None if owner is None else self.program.classes.method(owner, "run")
        for target in dict.fromkeys([*targets, *([] if run is None else [run])]):
            entry = self.program.names.function(target)
            place = Place(entry.line, entry.column, entry.line, 0)
            yield Related(target.path, place, shown(entry))

    def _daemon(self, one: _Making, names: frozenset[str]) -> bool | None:
        """Whether it is said to be a daemon: by argument, attribute, method, or its class."""
        said = [one.call.argument("daemon")]
        for name in names:
            said += [way.value for way in one.entry.bindings.get(f"{name}.daemon", ())]
        for call in one.entry.calls:
            upon = call.receiver is not None and call.receiver.path in names
            if upon and call.method == "setDaemon" and call.arguments:
                said.append(call.arguments[0].value)
        owner = self.program.kinds.project_class(one.kind)
        if owner is not None:
            said += [way.value for _, way in self.program.classes.bindings(owner, "daemon")]
            for _, entry in self.program.classes.members(owner):
                said += [c.argument("daemon") for c in entry.calls if c.method == "__init__"]
        known = [v.value for v in said if isinstance(v, Constant) and isinstance(v.value, bool)]
        return known[-1] if known else None

    def _users(self, one: _Making, names: frozenset[str]) -> Iterator[str]:
        """The workers that are made with it."""
        for call in one.entry.calls:
            given = any(_holds(part, names) for a in call.arguments for part in a.value.walk())
            if given and call is not one.call:
                kind = self._made_kind(one.key, call)
                if kind is not None and kind.nature in WORKERS:
                    other = _Making(one.key, one.entry, call, kind)
                    yield self._keeper(other)[0] or call.text


_WORDS = frozenset({"start", "stop", "join", "ask"})


def _gives(value: Expression, call: Call) -> bool:
    """Whether an expression's value is what a call makes, or holds it."""
    if value is call:
        return True
    match value:
        case Await(value=inner) | Walrus(value=inner) | Starred(value=inner):
            return _gives(inner, call)
        case Conditional(body=body, otherwise=otherwise):
            return _gives(body, call) or _gives(otherwise, call)
        case Logic(values=values):
            return any(_gives(one, call) for one in values)
        case Group(items=items):
            return any(_gives(one, call) for one in items)
        case Comprehension(element=element):
            return _gives(element, call)
    return False


def _holds(value: Expression, names: frozenset[str]) -> bool:
    return any(one.path in names for one in _taken_from(value))


def _taken_from(value: Expression) -> Iterator[Expression]:
    """The names that an expression is, or takes something out of."""
    if value.path:
        yield value
        return
    match value:
        case Await(value=inner) | Walrus(value=inner) | Starred(value=inner):
            yield from _taken_from(inner)
        case Subscript(value=inner):
            yield from _taken_from(inner)
        case Group(items=items):
            for one in items:
                yield from _taken_from(one)
        case Comprehension(element=Name() | Call(), clauses=clauses):
            for clause in clauses:
                yield from _taken_from(clause.iterable)
        case Call() if value.func.path in LOOKS:
            for argument in value.arguments:
                yield from _taken_from(argument.value)
        case Call() if value.method in ("values", "items", "copy", "pop", "get"):
            if value.receiver is not None:
                yield from _taken_from(value.receiver)


def _binds(ways: Iterable[Binding], call: Call) -> bool:
    return any(_gives(way.value, call) for way in ways)


def _is_several(way: Binding) -> bool:
    return way.how == "element" or isinstance(way.value, Comprehension | Group)
