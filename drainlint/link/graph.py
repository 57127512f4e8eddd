"""Who calls whom, and which functions are handed on to be run elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from drainlint.index.entries import MODULE, FunctionEntry
from drainlint.knowledge import CallFacts, Knowledge, Runs
from drainlint.link.classes import Classes
from drainlint.link.kinds import Kinds
from drainlint.link.names import ClassId, FunctionId, Library, Names, Variable
from drainlint.link.results import parameters_of
from drainlint.link.targets import Targets
from drainlint.model.expression import (
    Await,
    Call,
    Constant,
    Expression,
    Group,
    Name,
)
from drainlint.model.place import Place

Passed = dict[FunctionId, dict[str, list[tuple[FunctionId, Expression]]]]
"""What callers pass to each parameter of a function: the caller, and the value as it writes it."""

HANDED = 6
"""Through how many functions of the project a handed-on callable is followed."""
PUTS = "__setitem__"


@dataclass(frozen=True, slots=True)
class Registration:
    """A function handed on, by a call or a decorator, to be run in a role."""

    role: str
    target: FunctionId
    scope: FunctionId
    """The function that hands it on: the caller of a helper, where it goes through one."""
    place: Place
    facts: CallFacts | None = None
    call: Call | None = None
    """None for a decorator, or a method that a library calls on its subclasses."""


class Graph(Targets):
    """The calls of a project, resolved; built once from the index."""

    def __init__(self, names: Names, classes: Classes, kinds: Kinds, knowledge: Knowledge) -> None:
        """Resolve every call; twice, because what callers pass tells what parameters are."""
        super().__init__(names, classes, kinds)
        self.knowledge = knowledge
        self.callees: dict[FunctionId, dict[FunctionId, Place]] = {}
        self.callers: dict[FunctionId, set[FunctionId]] = {}
        self.referenced: set[FunctionId] = set()
        """Functions that are mentioned as values: somebody else may call them."""
        self.guessed: set[tuple[FunctionId, FunctionId]] = set()
        """Calls, as caller and callee, that may as well enter another function of a table."""
        self._resolve_calls()
        self.registrations = tuple(self._registrations())

    # Calls

    def _resolve_calls(self) -> None:
        """Resolve by names and kinds; then once more what parameters hide, by what is passed."""
        passed: Passed = {}
        open_: list[tuple[FunctionId, Call]] = []
        guesses: set[tuple[FunctionId, FunctionId]] = set()
        for scope, entry in self.names.functions():
            for call in entry.calls:
                targets = self._entered(scope, call)
                if not targets and call.receiver is None:
                    targets = self._dispatched(scope, call)
                if len(targets) > 1 and self._chooses(scope, call):
                    guesses.update((scope, target) for target in targets)
                self._enter(scope, call, targets, passed)
                self._started_with(scope, call, passed)
                if not targets and call.receiver is not None:
                    open_.append((scope, call))
                for argument in call.arguments:
                    if not isinstance(argument.value, Constant):
                        self.referenced.update(self.named(scope, argument.value))
            self._put_into(scope, entry, passed)
        self.kinds.arguments = passed
        self.kinds.forget()
        for scope, call in open_:
            self._enter(scope, call, self.targets(scope, call), passed)
        self.guessed.update(guess for guess in guesses if not self._is_sure(*guess))

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

    def _put_into(self, scope: FunctionId, entry: FunctionEntry, passed: Passed) -> None:
        """`signals["TERM"] = on_term` calls the `__setitem__` of a class of the project."""
        for path, ways in entry.bindings.items():
            put = [way for way in ways if way.how == "element"] if self._keepers else []
            for target in self.methods(self.kinds.of(scope, Name(path)), PUTS) if put else ():
                place = Place(put[0].line, 1, put[0].line, 0)
                self.callees.setdefault(scope, {}).setdefault(target, place)
                self.callers.setdefault(target, set()).add(scope)
                values = [p.name for p in self.names.function(target).parameters][2:]
                for name in values:
                    given = passed.setdefault(target, {}).setdefault(name, [])
                    given.extend((scope, way.value) for way in put)

    @cached_property
    def _keepers(self) -> bool:
        """Whether any class of the project takes things under a key."""
        return any(PUTS in entry.methods for _, entry in self.names.classes())

    def _enter(
        self, scope: FunctionId, call: Call, targets: tuple[FunctionId, ...], passed: Passed
    ) -> None:
        for target in targets:
            self.callees.setdefault(scope, {}).setdefault(target, call.place)
            self.callers.setdefault(target, set()).add(scope)
            callee = self.names.function(target)
            bound = bool(callee.owner) and not _is_static(callee)
            for name, value in parameters_of(callee, call, bound=bound):
                passed.setdefault(target, {}).setdefault(name, []).append((scope, value))

    def _started_with(
        self,
        scope: FunctionId,
        call: Call,
        found: Passed,
    ) -> None:
        """`Thread(target=work, args=(q,))` and `submit(work, q)` pass arguments on, too."""
        facts = self._running(scope, call)
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
                    found.setdefault(target, {}).setdefault(name, []).append((scope, value))

    def handed(self, scope: FunctionId, expression: Expression) -> tuple[FunctionId, ...]:
        """Like `named`, and for a coroutine (`create_task(self.run())`) the function behind it."""
        if isinstance(expression, Await):
            return self.handed(scope, expression.value)
        found = self.named(scope, expression)
        if not found and isinstance(expression, Call):
            return self.targets(scope, expression)
        return found

    # Registrations

    @cached_property
    def _runners(self) -> frozenset[str]:
        """The last names of all that runs what it is given: `Thread`, `submit`, `signal`."""
        calls = {name for name, facts in self.knowledge.calls.items() if facts.runs}
        others = {other for other, name in self.knowledge.aliases.items() if name in calls}
        return frozenset(name.rpartition(".")[2] for name in calls | others)

    def _running(self, scope: FunctionId, call: Call) -> CallFacts | None:
        """The facts of a call that runs what it is given; None for the many that do not.

        Its name tells it, unless it is a plain one, which an import or an assignment may give.
        """
        path = call.func.path
        if call.method not in self._runners:
            resolved = self.names.resolve(scope, path) if path and "." not in path else None
            symbol = None if resolved is None else resolved.symbol
            if isinstance(symbol, Library):
                if symbol.dotted.rpartition(".")[2] not in self._runners:
                    return None
            elif not isinstance(symbol, Variable):
                return None
        known = self.kinds.facts(scope, call)
        return None if known is None else known[0]

    def _registrations(self) -> Iterator[Registration]:
        for scope, entry in self.names.functions():
            yield from self._decorated(scope, entry)
            for call in entry.calls:
                facts = self._running(scope, call)
                if facts is not None:
                    for runs in facts.runs:
                        yield from self._handed_on(scope, call, facts, runs)
        yield from self._called_methods()

    def _handed_on(
        self, scope: FunctionId, call: Call, facts: CallFacts, runs: Runs
    ) -> Iterator[Registration]:
        value = call.argument(runs.argument, runs.at)
        if value is None:
            return
        for handing, target in self._given(scope, value):
            yield Registration(runs.role, target, handing, call.place, facts, call)

    def _given(
        self, scope: FunctionId, value: Expression, hops: int = 0
    ) -> Iterator[tuple[FunctionId, FunctionId]]:
        """What a value may be, and who hands it on: a caller, where it comes by a parameter."""
        found = self.handed(scope, value) or self.possible(scope, value)
        yield from ((scope, target) for target in found)
        path = value.path
        resolved = self.names.resolve(scope, path) if path else None
        if resolved is None or resolved.rest or not isinstance(resolved.symbol, Variable):
            return
        entry = self.names.function(resolved.symbol.scope)
        if hops >= HANDED or not any(p.name == resolved.symbol.name for p in entry.parameters):
            return
        passed = self.kinds.arguments.get(resolved.symbol.scope, {})
        for caller, given in passed.get(resolved.symbol.name, ()):
            if caller != resolved.symbol.scope:
                yield from self._given(caller, given, hops + 1)

    def _decorated(self, scope: FunctionId, entry: FunctionEntry) -> Iterator[Registration]:
        outer = self.names.enclosing(scope)
        for decorator in entry.decorators:
            role = self.decorator_role(outer, decorator)
            if role:
                place = Place(entry.first_line, 1, entry.first_line, 0)
                yield Registration(role, scope, outer, place)

    def decorator_role(self, scope: FunctionId, decorator: Expression) -> str:
        """The role that a decorator gives to the function below it; empty for none."""
        func = decorator.func if isinstance(decorator, Call) else decorator
        if not func.path:
            return ""
        for name in self._decorator_names(scope, decorator):
            if role := self.knowledge.decorators.get(name):
                return role
            facts = self.knowledge.call(name)
            if facts is not None and facts.runs:
                return facts.runs[0].role
        return ""

    def _decorator_names(self, scope: FunctionId, decorator: Expression) -> Iterator[str]:
        """The names under which a decorator may be listed, most certain first.

        One that depends on its first argument is listed with it: `*.on_event(shutdown)`.
        """
        arguments = decorator.arguments if isinstance(decorator, Call) else ()
        first = arguments[0].value if arguments else None
        func = decorator.func if isinstance(decorator, Call) else decorator
        for name in self._dotted_names(scope, func.path):
            if isinstance(first, Constant) and isinstance(first.value, str):
                yield f"{name}({first.value})"
            yield name

    def _dotted_names(self, scope: FunctionId, path: str) -> Iterator[str]:
        resolved = self.names.resolve(scope, path)
        if resolved is not None and isinstance(resolved.symbol, Library):
            yield ".".join([resolved.symbol.dotted, *resolved.rest])
        head, dot, last = path.rpartition(".")
        if dot:
            kind = self.kinds.of(scope, Name(head))
            if kind is not None:
                yield f"{kind.library}.{last}"
            yield f"*.{last}"

    def _called_methods(self) -> Iterator[Registration]:
        """Methods that a library calls on instances of its subclasses: `run`, `do_GET`."""
        seen: set[tuple[FunctionId, str]] = set()
        for key, entry in self.names.classes():
            for method, role in self._roles_by_class(key):
                if (method, role) not in seen:
                    seen.add((method, role))
                    place = Place(entry.line, 1, entry.line, 0)
                    yield Registration(role, method, FunctionId(key.path, MODULE), place)

    def _roles_by_class(self, key: ClassId) -> Iterator[tuple[FunctionId, str]]:
        """The methods of a class, mixed in ones included, and what a library runs them as."""
        bases = [base for one in self.classes.line(key) if (base := self._listed(one, key))]
        if not bases:
            return
        for one in self.classes.project_line(key):
            for name in self.names.klass(one).methods:
                role = next((r for base in bases if (r := self.knowledge.role(base, name))), "")
                if role and self.classes.method(key, name) == (one.path, f"{one.name}.{name}"):
                    yield FunctionId(one.path, f"{one.name}.{name}"), role

    def _listed(self, base: ClassId | Library, of: ClassId) -> str:
        """The dotted name of a base whose methods a library calls; empty for any other class.

        It may be the project's own where that is the library, or was generated into it.
        """
        if isinstance(base, Library):
            dotted = base.dotted
        elif base == of:
            return ""
        else:
            dotted = f"{self.names.module_name(base.path)}.{base.name}"
        return dotted if self.knowledge.base(dotted) is not None else ""


def _is_static(entry: FunctionEntry) -> bool:
    return any(d.path == "staticmethod" for d in entry.decorators)
