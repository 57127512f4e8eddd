"""What hands functions on to be run elsewhere: calls, decorators, classes of libraries."""

from collections.abc import Iterator
from functools import cached_property

from drainlint.knowledge import CallFacts, Knowledge, Runs
from drainlint.knowledge.names import named
from drainlint.link.classes import Classes
from drainlint.link.kinds import Kinds
from drainlint.link.names import ClassId, FunctionId, Library, Names, Variable
from drainlint.link.targets import Targets
from drainlint.model.expression import Await, Call, Constant, Expression, Name

LOOPS_OWN = "asyncio.AbstractEventLoop.create_task"
"""What `self.worker.loop.create_task` is where only its name tells that it is a loop's."""
HOOKS = frozenset({"startup-hook", "shutdown-hook"})
HANDED = 6
"""Through how many functions of the project a handed-on callable is followed."""
WRAPPING = frozenset({"partial", "partialmethod", "WeakMethod"})
"""Calls that give what calls their first argument."""


class Runners(Targets):
    """Answers who runs what he is given, as what, and which function that is."""

    def __init__(self, names: Names, classes: Classes, kinds: Kinds, knowledge: Knowledge) -> None:
        """Take the project's names, classes and kinds, and what is known of libraries."""
        super().__init__(names, classes, kinds)
        self.knowledge = knowledge

    def handed(self, scope: FunctionId, expression: Expression) -> tuple[FunctionId, ...]:
        """Like `named`, and for a coroutine (`create_task(self.run())`) the function behind it."""
        if isinstance(expression, Await):
            return self.handed(scope, expression.value)
        found = self.named(scope, expression)
        if not found and isinstance(expression, Call):
            return self.targets(scope, expression)
        return found

    @cached_property
    def _runners(self) -> frozenset[str]:
        """The last names of all that runs what it is given: `Thread`, `submit`, `signal`."""
        calls = {name for name, facts in self.knowledge.calls.items() if facts.runs}
        others = {other for other, name in self.knowledge.aliases.items() if name in calls}
        return frozenset(name.rpartition(".")[2] for name in calls | others)

    def running(self, scope: FunctionId, call: Call) -> CallFacts | None:
        """The facts of a call that runs what it is given; None for the many that do not.

        Its name tells it, unless it is a plain one, which an import or an assignment may give.
        """
        path = call.func.path
        if call.method == "append" and (hooked := self._appended(path)) is not None:
            return hooked
        if call.method not in self._runners:
            resolved = self.names.resolve(scope, path) if path and "." not in path else None
            symbol = None if resolved is None else resolved.symbol
            if isinstance(symbol, Library):
                if symbol.dotted.rpartition(".")[2] not in self._runners:
                    return None
            elif not isinstance(symbol, Variable):
                return None
        known = self.kinds.facts(scope, call)
        if known is None and call.method == "create_task" and call.receiver is not None:
            called_loop = named("event-loop", call.receiver.path)
            return self.knowledge.call(LOOPS_OWN) if called_loop else None
        return None if known is None else known[0]

    def _appended(self, path: str) -> CallFacts | None:
        """What adds to a framework's own list of hooks: `app.on_shutdown.append(close)`."""
        *owner, hooks, _ = path.split(".") if path.count(".") > 1 else ("", "")
        role = self.knowledge.decorators.get(f"*.{hooks}", "") if owner else ""
        if role not in HOOKS:
            return None
        return CallFacts(path, does="register", runs=(Runs(role, at=0),))

    def given(
        self, scope: FunctionId, value: Expression, hops: int = 0
    ) -> Iterator[tuple[FunctionId, FunctionId]]:
        """What a value may be, and who hands it on: a caller, where it comes by a parameter."""
        while isinstance(value, Call) and value.method in WRAPPING and value.arguments:
            value = value.arguments[0].value
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
                yield from self.given(caller, given, hops + 1)

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

    @cached_property
    def _decorators(self) -> frozenset[str]:
        """The last names of all decorators that give a role."""
        listed = {name.partition("(")[0].rpartition(".")[2] for name in self.knowledge.decorators}
        return self._runners | listed

    def _dotted_names(self, scope: FunctionId, path: str) -> Iterator[str]:
        resolved = self.names.resolve(scope, path)
        if resolved is not None and isinstance(resolved.symbol, Library):
            yield ".".join([resolved.symbol.dotted, *resolved.rest])
        head, dot, last = path.rpartition(".")
        if dot and last in self._decorators:
            kind = self.kinds.of(scope, Name(head))
            if kind is not None:
                yield f"{kind.library}.{last}"
            yield f"*.{last}"

    def roles_by_class(self, key: ClassId) -> Iterator[tuple[FunctionId, str]]:
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
