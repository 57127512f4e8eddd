"""Calls of what a user of a class handed in earlier, to be kept: whose code runs is not known."""

from drainlint.link.names import FunctionId, Variable
from drainlint.link.origins import ways
from drainlint.link.program import Program
from drainlint.model.expression import Call, Constant, Expression, Name


def is_callback(program: Program, key: FunctionId, call: Call) -> bool:
    """Whether a call runs what a user of the class handed in earlier, to be kept."""
    if not isinstance(call.func, Name) or program.facts(key, call) is not None:
        return False
    kind = program.kinds.of(key, call.func)
    if program.graph.targets(key, call) or (kind is not None and kind.nature == "class"):
        return False
    return _is_kept(program, key, call.func, 0)


def _is_kept(program: Program, key: FunctionId, called: Expression, depth: int) -> bool:
    """Whether an attribute, or what a collection holds, comes from a method's parameter."""
    if depth > 3 or not called.path:  # noqa: PLR2004 - a name for an element of an attribute
        return False
    resolved = program.names.resolve(key, called.path)
    if resolved is None or not isinstance(resolved.symbol, Variable):
        return False
    if _is_weak(program, key, called):
        return False
    name, scope = resolved.symbol.name, resolved.symbol.scope
    if not resolved.rest and any(p.name == name for p in program.names.function(scope).parameters):
        return depth > 0 and _is_unknown(program, scope, name)
    return any(
        _is_kept(program, where, value, depth + 1)
        for where, way in ways(program, key, called.path)
        for value in (way.value, *(p for p in way.value.parts if way.how == "each"))
        if isinstance(value, Name) and value.path != called.path
    )


def _is_unknown(program: Program, scope: FunctionId, name: str) -> bool:
    """Whether the project itself hands in nothing for a parameter, not even by default."""
    entry = program.names.function(scope)
    default = next(p.default for p in entry.parameters if p.name == name)
    if default is not None and not isinstance(default, Constant):
        return False
    passed = program.kinds.arguments.get(scope, {}).get(name, ())
    return not any(program.graph.named(c, value) for c, value in passed)


def _is_weak(program: Program, key: FunctionId, called: Expression) -> bool:
    """Whether it is a weak reference: to call it only tells whether its object is still there."""
    return any(
        isinstance(way.value, Call)
        and program.library(where, way.value.func.path).startswith("weakref.")
        for where, way in ways(program, key, called.path)
    )
