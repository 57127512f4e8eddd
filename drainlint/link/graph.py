"""Who calls whom, and which functions are handed on to be run elsewhere."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import NamedTuple

from drainlint.index.entries import MODULE, FunctionEntry
from drainlint.knowledge import Knowledge
from drainlint.link.classes import Classes
from drainlint.link.kinds import Kinds
from drainlint.link.names import FunctionId, Names
from drainlint.link.results import parameters_of
from drainlint.link.runners import Runners
from drainlint.link.sharing import Sharing
from drainlint.model.expression import (
    Call,
    Constant,
    Expression,
    Group,
    Name,
)
from drainlint.model.place import Place

Passed = dict[FunctionId, dict[str, list[tuple[FunctionId, Expression]]]]
"""What callers pass to each parameter of a function: the caller, and the value as it writes it."""

PUTS = "__setitem__"


@dataclass(frozen=True, slots=True)
class Registration:
    """A function handed on, by a call or a decorator, to be run in a role."""

    role: str
    target: FunctionId
    scope: FunctionId
    """The function that hands it on: the caller of a helper, where it goes through one."""
    place: Place
    call: Call | None = None
    """None for a decorator, or a method that a library calls on its subclasses."""
    registered_in: FunctionId | None = None
    """The function that the call stands in."""


class _Entering(NamedTuple):
    """A call of a function, and the functions of the project that it may enter, by number."""

    call: int
    targets: tuple[int, ...]
    guessed: bool = False


class _Passing(NamedTuple):
    """What a function passes to a parameter of another otherwise than by calling it."""

    target: int
    parameter: str
    value: Expression
    line: int = 0
    """Where something is put under a key, which calls the target."""


class _Resolved(NamedTuple):
    """What the index tells of one function."""

    scope: int
    entering: list[_Entering]
    passing: list[_Passing]
    referenced: list[int]


class _Handing(NamedTuple):
    """A registration, as it goes from one process to another."""

    role: str
    target: int
    scope: int
    """Who hands the target on; the target itself where its decorator does."""
    registered_in: int
    call: int
    """The number of the registering call; -1 for a decorator."""


class Graph(Runners):
    """The calls of a project, resolved; built once from the index."""

    def __init__(
        self,
        names: Names,
        classes: Classes,
        kinds: Kinds,
        knowledge: Knowledge,
        sharing: Sharing,
    ) -> None:
        """Resolve every call; twice, because what callers pass tells what parameters are."""
        super().__init__(names, classes, kinds, knowledge)
        self.callees: dict[FunctionId, dict[FunctionId, Place]] = {}
        self.callers: dict[FunctionId, set[FunctionId]] = {}
        self.referenced: set[FunctionId] = set()
        """Functions that are mentioned as values: somebody else may call them."""
        self.guessed: set[tuple[FunctionId, FunctionId]] = set()
        """Calls, as caller and callee, that may as well enter another function of a table."""
        self._functions = [key for key, _ in names.functions()]
        self._numbers = {key: number for number, key in enumerate(self._functions)}
        self._resolve_calls(sharing)
        self.registrations = tuple(self._registrations(sharing))
        names.forget()

    @cached_property
    def handed_through(self) -> Mapping[FunctionId, Container[FunctionId]]:
        """What functions hand on to be run through others: `self.spawn(self.work())`."""
        found: dict[FunctionId, set[FunctionId]] = {}
        for one in self.registrations:
            if one.registered_in not in (None, one.scope):
                found.setdefault(one.scope, set()).add(one.target)
        return found

    # Calls

    def _resolve_calls(self, sharing: Sharing) -> None:
        """Resolve by names and kinds; then once more what parameters hide, by what is passed."""
        paths = sorted(self.names.modules)
        passed: Passed = {}
        entered: dict[int, set[int]] = {}
        guesses: set[tuple[FunctionId, FunctionId]] = set()
        for resolved in chain.from_iterable(sharing.each(paths, self._resolved)):
            scope = self._functions[resolved.scope]
            calls = self.names.function(scope).calls
            for entering in resolved.entering:
                targets = [self._functions[number] for number in entering.targets]
                self._enter(scope, calls[entering.call], targets, passed)
                entered.setdefault(resolved.scope, set()).add(entering.call)
                if entering.guessed:
                    guesses.update((scope, target) for target in targets)
            self._pass(scope, resolved.passing, passed)
            self.referenced.update(self._functions[number] for number in resolved.referenced)
        self.kinds.arguments = passed
        self.kinds.forget()
        found = sharing.each(paths, partial(self._resolved_by_arguments, entered=entered))
        self.kinds.forget()
        for number, entering in chain.from_iterable(found):
            scope = self._functions[number]
            targets = [self._functions[target] for target in entering.targets]
            call = self.names.function(scope).calls[entering.call]
            self._enter(scope, call, targets, passed)
        self.guessed.update(guess for guess in guesses if not self._is_sure(*guess))

    def _in_file(self, path: str) -> Iterator[tuple[FunctionId, FunctionEntry]]:
        for name, entry in self.names.modules[path].functions.items():
            yield FunctionId(path, name), entry

    def _resolved(self, path: str) -> list[_Resolved]:
        """What the functions of a file enter, pass on and mention, as far as names tell."""
        found = []
        for scope, entry in self._in_file(path):
            entering: list[_Entering] = []
            passing: list[_Passing] = []
            mentioned: dict[FunctionId, None] = {}
            for number, call in enumerate(entry.calls):
                targets = self._entered(scope, call)
                if not targets and call.receiver is None:
                    targets = self._dispatched(scope, call)
                if targets:
                    guessed = len(targets) > 1 and self._chooses(scope, call)
                    numbers = tuple(self._numbers[target] for target in targets)
                    entering.append(_Entering(number, numbers, guessed))
                passing += self._started_with(scope, call)
                for argument in call.arguments:
                    if not isinstance(argument.value, Constant):
                        mentioned.update(dict.fromkeys(self.named(scope, argument.value)))
            passing += self._put_into(scope, entry)
            if entering or passing or mentioned:
                numbers_of = [self._numbers[target] for target in mentioned]
                found.append(_Resolved(self._numbers[scope], entering, passing, numbers_of))
        return found

    def _resolved_by_arguments(
        self, path: str, entered: Mapping[int, Container[int]]
    ) -> list[tuple[int, _Entering]]:
        """What methods the functions of a file enter where only what is passed to them tells."""
        found = []
        for scope, entry in self._in_file(path):
            known = entered.get(self._numbers[scope], ())
            for number, call in enumerate(entry.calls):
                if call.receiver is None or call.method not in self.classes.member_names:
                    continue
                if number not in known and (targets := self.targets(scope, call)):
                    numbers = tuple(self._numbers[target] for target in targets)
                    found.append((self._numbers[scope], _Entering(number, numbers)))
        return found

    def _pass(self, scope: FunctionId, passing: Iterable[_Passing], passed: Passed) -> None:
        for one in passing:
            target = self._functions[one.target]
            if one.line:
                self._call(scope, target, Place(one.line, 1, one.line, 0))
            given = passed.setdefault(target, {}).setdefault(one.parameter, [])
            given.append((scope, one.value))

    def _call(self, caller: FunctionId, callee: FunctionId, place: Place) -> None:
        self.callees.setdefault(caller, {}).setdefault(callee, place)
        self.callers.setdefault(callee, set()).add(caller)

    def _chooses(self, scope: FunctionId, call: Call) -> bool:
        """Whether a call enters one of several functions, by a table or a name put together."""
        if call.receiver is None:
            return not self._entered(scope, call)
        kind = self.kinds.of(scope, call.receiver)
        return kind is not None and bool(kind.also)

    def _is_sure(self, caller: FunctionId, callee: FunctionId) -> bool:
        """Whether a function is also called by its own name."""
        calls = self.names.function(caller).calls
        return any(
            callee in self._entered(caller, call) and not self._chooses(caller, call)
            for call in calls
        )

    def _put_into(self, scope: FunctionId, entry: FunctionEntry) -> Iterator[_Passing]:
        """`signals["TERM"] = on_term` calls the `__setitem__` of a class of the project."""
        for path, ways in entry.bindings.items():
            put = [way for way in ways if way.how == "element"] if self._keepers else []
            for target in self.methods(self.kinds.of(scope, Name(path)), PUTS) if put else ():
                for parameter in self.names.function(target).parameters[2:]:
                    for way in put:
                        number = self._numbers[target]
                        yield _Passing(number, parameter.name, way.value, way.line)

    @cached_property
    def _keepers(self) -> bool:
        """Whether any class of the project takes things under a key."""
        return any(PUTS in entry.methods for _, entry in self.names.classes())

    def _enter(
        self, scope: FunctionId, call: Call, targets: Iterable[FunctionId], passed: Passed
    ) -> None:
        for target in targets:
            self._call(scope, target, call.place)
            callee = self.names.function(target)
            bound = bool(callee.owner) and not _is_static(callee)
            for name, value in parameters_of(callee, call, bound=bound):
                passed.setdefault(target, {}).setdefault(name, []).append((scope, value))

    def _started_with(self, scope: FunctionId, call: Call) -> Iterator[_Passing]:
        """`Thread(target=work, args=(q,))` and `submit(work, q)` pass arguments on, too."""
        facts = self.running(scope, call)
        for runs in facts.runs if facts is not None else ():
            handed = call.argument(runs.argument, runs.at)
            if handed is None:
                continue
            listed = call.argument("args")
            if isinstance(listed, Group):
                values = list(listed.items)
            else:
                values = [a.value for a in call.arguments[(runs.at or 0) + 1 :] if not a.name]
            for target in self.named(scope, handed):
                callee = self.names.function(target)
                plain = [p.name for p in callee.parameters if not p.star]
                if callee.owner and not _is_static(callee):
                    plain = plain[1:]
                for name, value in zip(plain, values, strict=False):
                    yield _Passing(self._numbers[target], name, value)

    def _registrations(self, sharing: Sharing) -> Iterator[Registration]:
        found = sharing.each(sorted(self.names.modules), self._registered)
        for one in chain.from_iterable(found):
            target, owner = self._functions[one.target], self._functions[one.registered_in]
            if one.call < 0:
                line = self.names.function(target).first_line
                place = Place(line, 1, line, 0)
                yield Registration(one.role, target, self.names.enclosing(target), place)
            else:
                call = self.names.function(owner).calls[one.call]
                yield Registration(
                    one.role, target, self._functions[one.scope], call.place, call, owner
                )
        yield from self._called_methods()

    def _registered(self, path: str) -> list[_Handing]:
        """What the functions of a file, and their decorators, hand on."""
        found = []
        for scope, entry in self._in_file(path):
            owner = self._numbers[scope]
            outer = self.names.enclosing(scope)
            roles = (self.decorator_role(outer, decorator) for decorator in entry.decorators)
            found += [_Handing(role, owner, owner, owner, -1) for role in roles if role]
            for number, call in enumerate(entry.calls):
                facts = self.running(scope, call)
                for runs in facts.runs if facts is not None else ():
                    value = call.argument(runs.argument, runs.at)
                    for handing, target in self.given(scope, value) if value is not None else ():
                        numbers = self._numbers[target], self._numbers[handing]
                        found.append(_Handing(runs.role, *numbers, owner, number))
        return found

    def _called_methods(self) -> Iterator[Registration]:
        """Methods that a library calls on instances of its subclasses: `run`, `do_GET`."""
        seen: set[tuple[FunctionId, str]] = set()
        for key, entry in self.names.classes():
            for method, role in self.roles_by_class(key):
                if (method, role) not in seen:
                    seen.add((method, role))
                    place = Place(entry.line, 1, entry.line, 0)
                    yield Registration(role, method, FunctionId(key.path, MODULE), place)


def _is_static(entry: FunctionEntry) -> bool:
    return any(d.path == "staticmethod" for d in entry.decorators)
