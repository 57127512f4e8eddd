"""Which side of a fork code runs on."""

from drainlint.knowledge.names import named
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.surroundings import Spot, spots
from drainlint.model.expression import Call, Compare, Constant, Expression, Logic, Not, Walrus
from drainlint.model.statement import Block, Do, If, Raise, Return


def _forked_names(program: Program, key: FunctionId) -> frozenset[str]:
    """The names that hold the result of a fork in a function."""
    entry = program.names.function(key)
    return frozenset(
        name
        for name, ways in entry.bindings.items()
        for way in ways
        if isinstance(way.value, Call) and _forks(program, key, way.value)
    )


def _forks(program: Program, key: FunctionId, call: Call) -> bool:
    known = program.facts(key, call)
    return (known is not None and known[0].does == "fork") or named("forks", call.method)


def _branch(program: Program, key: FunctionId, test: Expression) -> str:
    """Whether a test that holds means the `child` or the `parent` of a fork; empty for neither."""
    pids = _forked_names(program, key)

    def is_child(value: Expression) -> bool:
        zero = isinstance(value, Constant) and value.value == 0
        return zero or program.library(key, value.path) == "pty.CHILD"

    def is_pid(value: Expression) -> bool:
        made = value.value if isinstance(value, Walrus) else value
        return value.path in pids or (isinstance(made, Call) and _forks(program, key, made))

    match test:
        case Compare(left=left, operators=(sign,), rights=(right,)) if is_pid(left) and is_child(
            right
        ):
            return {"==": "child", "!=": "parent", ">": "parent", ">=": ""}.get(sign, "")
        case Compare(left=Constant(value=0), operators=("==",), rights=(right,)) if is_pid(right):
            return "child"
        case Not(value=value) if is_pid(value):
            return "child"
        case Logic(operator="and", values=values):
            return next((b for v in values if (b := _branch(program, key, v))), "")
    return "parent" if is_pid(test) else ""


def side_of_fork(program: Program, key: FunctionId, spot: Spot) -> str:
    """Whether a statement runs in the `child` or the `parent` of a fork in its function."""
    for one in spot.outward():
        if isinstance(one.owner, If):
            branch = _branch(program, key, one.owner.test)
            if branch:
                other = {"child": "parent", "parent": "child"}[branch]
                return branch if one.section == "body" else other
        for statement in one.block[: one.index]:
            if isinstance(statement, If) and _ends(statement.body):
                branch = _branch(program, key, statement.test)
                if branch == "parent":
                    return "child"
    return ""


def _ends(block: Block) -> bool:
    last = block[-1] if block else None
    if isinstance(last, Do) and isinstance(last.value, Call):
        return last.value.method in ("_exit", "exit", "execv", "execvp")
    return isinstance(last, Return | Raise)


def only_in_children(program: Program, key: FunctionId) -> bool:
    """Whether every caller enters this function in the child of a fork, any number of calls up."""
    seen: set[FunctionId] = set()
    waiting = [key]
    while waiting:
        current = waiting.pop()
        seen.add(current)
        callers = program.graph.callers.get(current, set())
        if not callers or program.roles.registered(current):
            return False
        outside = (c for c in callers - seen if not _calls_in_child(program, c, current))
        waiting.extend(outside)
    return True


def _calls_in_child(program: Program, caller: FunctionId, callee: FunctionId) -> bool:
    """Whether a function that was read makes this call in the child of a fork of its own."""
    body = program.bodies.get(caller)
    place = program.graph.callees[caller][callee]
    if body is None:
        return False
    return any(
        side_of_fork(program, caller, spot) == "child"
        for spot in spots(body.statements)
        if spot.statement.place.line <= place.line <= spot.statement.end_line
    )
