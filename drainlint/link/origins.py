"""Where things come from, and who else has them: bindings, constructions, calls."""

from collections.abc import Collection, Iterator

from drainlint.index.entries import Binding
from drainlint.link.names import ClassId, FunctionId, Variable
from drainlint.link.program import Program
from drainlint.model.expression import Attribute, Call, Comprehension, Expression, Lambda, Name

DEPTH = 5
"""Through how many names something is followed to its construction."""

Identity = tuple[ClassId | FunctionId, str]
"""An attribute of a class, or a variable of a function or module."""


def ways(program: Program, key: FunctionId, path: str) -> Iterator[tuple[FunctionId, Binding]]:
    """Every way in which a name, or an attribute of one's own, gets its value."""
    resolved = program.names.resolve(key, path) if path else None
    if resolved is not None and isinstance(resolved.symbol, ClassId) and len(resolved.rest) == 1:
        yield from program.classes.bindings(resolved.symbol, resolved.rest[0])
    if resolved is None or not isinstance(resolved.symbol, Variable):
        return
    scope, name = resolved.symbol.scope, resolved.symbol.name
    if not resolved.rest:
        if program.names.is_function(scope):
            for way in program.names.function(scope).bindings.get(name, ()):
                yield scope, way
        return
    owner = program.classes.owner(scope)
    if owner is not None and name == program.classes.self_name(scope) and len(resolved.rest) == 1:
        yield from program.classes.bindings(owner, resolved.rest[0])


def identity(program: Program, key: FunctionId, path: str, depth: int = 0) -> Identity | None:
    """What a path names, the same for all that name it; None where that is not known."""
    resolved = program.names.resolve(key, path) if path else None
    if resolved is None:
        return None
    if isinstance(resolved.symbol, ClassId) and len(resolved.rest) == 1:
        return _of_class(program, resolved.symbol, resolved.rest[0])
    if not isinstance(resolved.symbol, Variable):
        return None
    scope, name = resolved.symbol.scope, resolved.symbol.name
    if not resolved.rest:
        alias = _alias(program, scope, name)
        if alias and alias != path and depth < DEPTH:
            return identity(program, scope, alias, depth + 1)
        return (scope, name)
    head, _, attribute = path.rpartition(".")
    kind = program.kinds.of(key, Name(head))
    if kind is not None and kind.nature == "class":
        kind = kind.element
    owner = program.kinds.project_class(kind)
    return None if owner is None else _of_class(program, owner, attribute)


def _of_class(program: Program, owner: ClassId, attribute: str) -> Identity:
    """An attribute belongs to the topmost class of the project that binds it."""
    bound = [one for one in program.classes.project_line(owner) if _binds(program, one, attribute)]
    return (bound[-1] if bound else owner, attribute)


def _binds(program: Program, owner: ClassId, attribute: str) -> bool:
    if attribute in program.names.klass(owner).bindings:
        return True
    return any(
        f"{program.classes.self_name(function)}.{attribute}" in entry.bindings
        for function, entry in program.classes.members(owner)
    )


def _alias(program: Program, scope: FunctionId, name: str) -> str:
    """The path that a local name stands for: `lock = self._lock`."""
    if not program.names.is_function(scope):
        return ""
    bound = program.names.function(scope).bindings.get(name, ())
    if len(bound) != 1 or bound[0].how != "assign" or bound[0].items:
        return ""
    return bound[0].value.path


def made(
    program: Program, key: FunctionId, expression: Expression, depth: int = 0
) -> Iterator[tuple[FunctionId, Call]]:
    """The calls that made a thing, or the things a collection holds, followed through names."""
    if depth > DEPTH:
        return
    match expression:
        case Call():
            yield key, expression
            if expression.receiver is not None and expression.method in _PASSING:
                yield from made(program, key, expression.receiver, depth + 1)
            for argument in expression.arguments:
                yield from made(program, key, argument.value, depth + 1)
        case Lambda():
            return
        case Comprehension(element=element, clauses=clauses):
            yield from made(program, key, element, depth + 1)
            for clause in clauses:
                yield from made(program, key, clause.iterable, depth + 1)
        case Attribute(value=value):
            yield from made(program, key, value, depth + 1)
        case Name(dotted=dotted):
            for scope, way in ways(program, key, dotted):
                if way.how != "annotation":
                    yield from made(program, scope, way.value, depth + 1)
        case _:
            for part in expression.parts:
                yield from made(program, key, part, depth + 1)


_PASSING = frozenset({"pop", "popleft", "get", "values", "items", "copy", "keys"})


def calls_on(
    program: Program, key: FunctionId, path: str, methods: Collection[str]
) -> Iterator[tuple[FunctionId, Call]]:
    """The calls of these methods, anywhere in the file, on the very thing that a path names."""
    thing = identity(program, key, path)
    if thing is None:
        return
    for name, entry in program.names.modules[key.path].functions.items():
        scope = FunctionId(key.path, name)
        for call in entry.calls:
            receiver = call.receiver
            if call.method not in methods or receiver is None or not receiver.path:
                continue
            if identity(program, scope, receiver.path) == thing:
                yield scope, call


def runs(program: Program, key: FunctionId, call: Call) -> Iterator[FunctionId]:
    """The functions of the project that a call hands on to be run elsewhere."""
    known = program.facts(key, call)
    for one in known[0].runs if known is not None else ():
        handed = call.argument(one.argument, one.at)
        if handed is not None:
            yield from program.graph.handed(key, handed)
    through = program.graph.handed_through.get(key)
    if through and program.graph.targets(key, call):
        for argument in call.arguments:
            yield from (f for f in program.graph.handed(key, argument.value) if f in through)
    owner = program.kinds.project_class(program.kinds.of(key, call))
    run = None if owner is None else program.classes.method(owner, "run")
    if run is not None and program.roles.registered(run):
        yield run
