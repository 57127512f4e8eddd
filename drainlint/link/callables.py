"""Functions as values: what a name, a table of handlers or a name put together may stand for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from drainlint.link.classes import Classes
from drainlint.link.kinds import Kinds
from drainlint.link.names import FunctionId, Module, Names, Variable
from drainlint.model.expression import (
    Arithmetic,
    Attribute,
    Await,
    Call,
    Comprehension,
    Conditional,
    Constant,
    Expression,
    Group,
    Lambda,
    Logic,
    Name,
    Subscript,
    Text,
    Walrus,
)
from drainlint.model.kind import Kind

STEPS = 6
"""Through how many names, tables and loops a function is looked for."""
LOOKUPS = frozenset({"get", "pop", "setdefault"})
"""Methods of a table that give one of its values; what they are given besides is a value, too."""
COPIES = frozenset({"copy", "dict", "OrderedDict", "MappingProxyType", "list", "tuple", "deepcopy"})
"""Calls whose result holds what their arguments (or the object they are called on) hold."""
SHORTEST = 3
"""Characters that a beginning or end must have to tell which names are put together with it."""
PLACEHOLDER = re.compile(r"%\(?\w*\)?s|%r|%d|\{[^{}]*\}")


class Entry(NamedTuple):
    """One of the things that a table or list holds."""

    scope: FunctionId
    """Where it is written."""
    key: Expression | None
    """Under which it is held; None in a list, and where that is not known."""
    value: Expression


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Names that are put together: `"handle_" + name`."""

    before: str = ""
    after: str = ""
    exact: bool = False
    """It is one whole name, `before`."""

    def matches(self, name: str) -> bool:
        if self.exact:
            return name == self.before
        known = len(self.before) + len(self.after)
        ends = name.startswith(self.before) and name.endswith(self.after)
        return SHORTEST <= known < len(name) and ends


class Callables:
    """Answers which functions of the project a value may be."""

    def __init__(self, names: Names, classes: Classes, kinds: Kinds) -> None:
        """Take the project's names, classes and kinds."""
        self.names = names
        self.classes = classes
        self.kinds = kinds

    def methods(self, kind: Kind | None, method: str) -> tuple[FunctionId, ...]:
        """The methods of the project that `method` on a thing of this kind may enter."""
        of = kind.element if kind is not None and kind.nature == "class" else kind
        if of is not None and of.also:
            alone = (replace(of, also=()), *of.also)
            return tuple(dict.fromkeys(f for one in alone for f in self.methods(one, method)))
        owner = self.kinds.project_class(of)
        if owner is None:
            return ()
        own = self.classes.method(owner, method)
        if own is None:
            held = self.kinds.attribute(owner, method)
            if held is not None and held.nature == "function" and held.is_project:
                path, name = held.definition
                own = FunctionId(path, name)
        found = dict.fromkeys(() if own is None else (own,))
        found.update(dict.fromkeys(self.classes.overriding(owner, method)))
        return tuple(found)

    def named(self, scope: FunctionId, expression: Expression) -> tuple[FunctionId, ...]:
        """The functions of the project that an expression hands on, without calling them."""
        if isinstance(expression, Constant):
            return ()
        match expression:
            case Name():
                return self._by_name(scope, expression.dotted)
            case Lambda(function=function):
                written = self.names.lambda_(scope, function)
                return () if written is None else (written,)
            case Conditional(body=body, otherwise=otherwise):
                return (*self.named(scope, body), *self.named(scope, otherwise))
            case Logic(values=values):
                return tuple(f for v in values for f in self.named(scope, v))
            case Call() if expression.method in ("partial", "partialmethod", "WeakMethod", "wraps"):
                first = expression.arguments[0].value if expression.arguments else None
                return () if first is None else self.named(scope, first)
        return self._by_name(scope, expression.path) if expression.path else ()

    def _by_name(self, scope: FunctionId, path: str) -> tuple[FunctionId, ...]:
        resolved = self.names.resolve(scope, path)
        if resolved is None:
            return ()
        if isinstance(resolved.symbol, FunctionId) and not resolved.rest:
            return (resolved.symbol,)
        head, dot, last = path.rpartition(".")
        if not dot or last not in self.classes.member_names:
            return ()
        if isinstance(resolved.symbol, Variable):
            entry = self.names.function(resolved.symbol.scope)
            if not resolved.rest and resolved.symbol.name not in entry.bindings:
                return ()
            return self.methods(self.kinds.of(scope, Name(head)), last)
        return ()

    # Tables, loops and names put together

    def possible(self, scope: FunctionId, value: Expression) -> tuple[FunctionId, ...]:
        """Like `named`, also for what is taken out of a table or looked up by its name."""
        return self.named(scope, value) or tuple(dict.fromkeys(self._possible(scope, value, 0)))

    def _possible(self, scope: FunctionId, value: Expression, steps: int) -> Iterator[FunctionId]:
        named = self.named(scope, value)
        if named or steps > STEPS:
            yield from named
            return
        match value:
            case Name():
                yield from self._of_variable(scope, value.dotted, steps)
            case Subscript(value=table, index=key):
                yield from self._of_table(scope, table, key, steps)
            case Walrus(value=inner) | Await(value=inner):
                yield from self._possible(scope, inner, steps + 1)
            case Conditional(body=body, otherwise=otherwise):
                yield from self._possible(scope, body, steps + 1)
                yield from self._possible(scope, otherwise, steps + 1)
            case Logic(values=values):
                for one in values:
                    yield from self._possible(scope, one, steps + 1)
            case Call() if value.func.path == "getattr":
                yield from self._by_text(scope, value, steps)
            case Call() if value.method in LOOKUPS and value.receiver is not None:
                first = value.arguments[0].value if value.arguments else None
                yield from self._of_table(scope, value.receiver, first, steps)
                for argument in value.arguments[1:]:
                    yield from self.named(scope, argument.value)

    def _of_variable(self, scope: FunctionId, name: str, steps: int) -> Iterator[FunctionId]:
        resolved = self.names.resolve(scope, name)
        if resolved is None or resolved.rest or not isinstance(resolved.symbol, Variable):
            return
        owner, name = resolved.symbol.scope, resolved.symbol.name
        for way in self.names.function(owner).bindings.get(name, ()):
            if way.how == "assign" and not way.items:
                yield from self._possible(owner, way.value, steps + 1)
            elif way.how == "each":
                for where, one in self._turns(owner, way.value, way.items, steps):
                    yield from self._possible(where, one, steps + 1)

    def _turns(
        self, scope: FunctionId, iterable: Expression, items: tuple[int, ...], steps: int
    ) -> Iterator[tuple[FunctionId, Expression]]:
        """What a loop's target is on each turn: `for number, handler in HANDLERS.items()`."""
        if isinstance(iterable, Call) and iterable.receiver is not None:
            pairs, values = iterable.method == "items", iterable.method == "values"
            if (pairs and items == (1,)) or (values and not items):
                held = self.held(scope, iterable.receiver, steps)
                yield from ((one.scope, one.value) for one in held)
            if pairs or values:
                return
        for one in self.held(scope, iterable, steps):
            value = one.value
            if not items:
                yield one.scope, value
            elif isinstance(value, Group) and value.kind != "dict" and items[0] < len(value.items):
                yield one.scope, value.items[items[0]]

    def _of_table(
        self, scope: FunctionId, table: Expression, key: Expression | None, steps: int
    ) -> Iterator[FunctionId]:
        """The functions that a table holds, under a constant key only that one."""
        wanted = key.text if key is not None and _is_constant(key) else ""
        held = list(self.held(scope, table, steps))
        exact = [one for one in held if wanted and one.key is not None and one.key.text == wanted]
        for one in exact or held:
            yield from self._possible(one.scope, one.value, steps + 1)

    def held(self, scope: FunctionId, table: Expression, steps: int = 0) -> Iterator[Entry]:
        """What a table or list holds."""
        if steps > STEPS:
            return
        match table:
            case Group(items=items, keys=keys):
                named = keys or (None,) * len(items)
                yield from (Entry(scope, k, v) for k, v in zip(named, items, strict=True))
            case Comprehension(kind="dict" | "list", element=element):
                yield Entry(scope, None, element)
            case Arithmetic(left=Expression() as left, operator="|" | "+", right=right):
                yield from self.held(scope, left, steps + 1)
                yield from self.held(scope, right, steps + 1)
            case Logic(values=values):
                for one in values:
                    yield from self.held(scope, one, steps + 1)
            case Call() if table.method in COPIES:
                inner = [a for a in table.arguments if a.name in ("", "*", "**")]
                sources = [a.value for a in inner]
                if not sources and table.receiver is not None:
                    sources = [table.receiver]
                for source in sources:
                    yield from self.held(scope, source, steps + 1)
                for argument in table.arguments:
                    if argument.name not in ("", "*", "**"):
                        yield Entry(scope, Constant(argument.name), argument.value)
            case Name(dotted=dotted):
                yield from self._held_by_name(scope, dotted, steps)

    def _held_by_name(self, scope: FunctionId, dotted: str, steps: int) -> Iterator[Entry]:
        """What a table under a name holds: a variable, an attribute, a parameter."""
        resolved = self.names.resolve(scope, dotted)
        if resolved is None or not isinstance(resolved.symbol, Variable):
            return
        owner, name = resolved.symbol.scope, resolved.symbol.name
        if resolved.rest:
            head, _, attribute = dotted.rpartition(".")
            kind = self.kinds.of(scope, Name(head))
            holder = self.kinds.project_class(
                kind.element if kind is not None and kind.nature == "class" else kind
            )
            ways = [] if holder is None else list(self.classes.bindings(holder, attribute))
        else:
            entry = self.names.function(owner)
            ways = [(owner, way) for way in entry.bindings.get(name, ())]
            yield from self._passed(owner, name)
        for where, way in ways:
            if way.how == "element":
                yield Entry(where, None, way.value)
            elif way.how == "assign" and not way.items:
                yield from self.held(where, way.value, steps + 1)

    def _passed(self, scope: FunctionId, name: str) -> Iterator[Entry]:
        """What callers put into a `**table` parameter, name by name, or hand over as a table."""
        parameters = self.names.function(scope).parameters
        parameter = next((p for p in parameters if p.name == name), None)
        passed = self.kinds.arguments.get(scope, {}) if parameter is not None else {}
        if parameter is not None and parameter.star == "**":
            plain = {p.name for p in parameters}
            for key, values in passed.items():
                if key not in plain:
                    yield from (Entry(caller, Constant(key), value) for caller, value in values)
        for caller, value in passed.get(name, ()):
            if isinstance(value, Group):
                yield from self.held(caller, value, 0)

    def _by_text(self, scope: FunctionId, call: Call, steps: int) -> Iterator[FunctionId]:
        """`getattr(self, "handle_" + name)`: every method whose name can be put together so."""
        if len(call.arguments) < 2:  # noqa: PLR2004 - an object and a name
            return
        patterns = tuple(self._patterns(scope, call.arguments[1].value, steps))
        if not patterns:
            return
        target = call.arguments[0].value
        for name, function in self._members(scope, target):
            if any(pattern.matches(name) for pattern in patterns):
                yield function
        for argument in call.arguments[2:]:
            yield from self.named(scope, argument.value)

    def _members(self, scope: FunctionId, value: Expression) -> Iterator[tuple[str, FunctionId]]:
        """The methods of an object, those of heirs included, or the functions of a module."""
        resolved = self.names.resolve(scope, value.path) if value.path else None
        if resolved is not None and isinstance(resolved.symbol, Module) and not resolved.rest:
            path = resolved.symbol.path
            for name, entry in self.names.modules[path].functions.items():
                if entry.name == entry.short_name:
                    yield name, FunctionId(path, name)
            return
        kind = self.kinds.of(scope, value)
        owner = self.kinds.project_class(
            kind.element if kind is not None and kind.nature == "class" else kind
        )
        if owner is None:
            return
        seen: set[str] = set()
        for one in (*self.classes.project_line(owner), *self.classes.children(owner)):
            for name in self.names.klass(one).methods:
                if name not in seen or one not in self.classes.project_line(owner):
                    seen.add(name)
                    yield name, FunctionId(one.path, f"{one.name}.{name}")

    def _patterns(self, scope: FunctionId, value: Expression, steps: int) -> Iterator[_Pattern]:
        """The names that an expression may come to."""
        if steps > STEPS:
            return
        match value:
            case Constant(value=str(text)):
                yield _Pattern(text, exact=True)
            case Text(before=before, after=after) if before or after:
                yield _Pattern(before, after)
            case Arithmetic(left=Constant(value=str(text)), operator="%"):
                yield _template(text)
            case Arithmetic(left=Constant(value=str(text)), operator="+"):
                yield _Pattern(text)
            case Arithmetic(operator="+", right=Constant(value=str(text))):
                yield _Pattern(after=text)
            case Call(func=Attribute(value=Constant(value=str(text)), name="format")):
                yield _template(text)
            case Conditional(body=body, otherwise=otherwise):
                yield from self._patterns(scope, body, steps + 1)
                yield from self._patterns(scope, otherwise, steps + 1)
            case Name(dotted=dotted):
                resolved = self.names.resolve(scope, dotted)
                if resolved is None or not isinstance(resolved.symbol, Variable) or resolved.rest:
                    return
                owner, name = resolved.symbol.scope, resolved.symbol.name
                for way in self.names.function(owner).bindings.get(name, ()):
                    if way.how == "assign" and not way.items:
                        yield from self._patterns(owner, way.value, steps + 1)
                    elif way.how == "each":
                        for where, one in self._turns(owner, way.value, way.items, steps + 1):
                            yield from self._patterns(where, one, steps + 1)


def _is_constant(key: Expression) -> bool:
    """Whether a key is the same on every call: a constant, or a name in capitals."""
    return isinstance(key, Constant) or key.path.rpartition(".")[2].isupper()


def _template(text: str) -> _Pattern:
    """The names that a template with one placeholder comes to."""
    before, *rest = PLACEHOLDER.split(text)
    return _Pattern(before, rest[-1]) if rest else _Pattern(text, exact=True)
