"""Waits of those who have nothing to do until a child ends: supervisors, and threads that reap."""

from drainlint.link.calls import Known
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.model.expression import Arithmetic, Call, Constant, Expression
from drainlint.model.statement import Try, While, With

ANY_CHILD = frozenset({"os.wait", "os.wait3"})
"""Functions that wait for whichever child ends first."""
BY_NUMBER = frozenset({"os.waitpid", "os.wait4"})
"""Those that do so where they are given -1."""
CHILDREN = frozenset({"popen", "process"})
STARTS = frozenset({"fork", "spawn", "start"})


def supervises(known: Known) -> bool:
    """Whether a loop waits for any of its children, and starts another in the place of one."""
    facts = known.facts
    if facts is None or known.drain is not None or not _waits_for_any(facts.name, known.call):
        return False
    return any(
        _starts(known.program, known.key, call)
        for loop in known.occurrence.spot.loops
        if isinstance(loop, While)
        for statement in loop.walk()
        for expression in statement.expressions
        for call in expression.walk()
        if isinstance(call, Call)
    )


def reaps_for_a_living(known: Known) -> bool:
    """Whether a daemon thread is there to wait for a child, and to clear up after it.

    It is waited for by nobody; how long the child may go on is decided by whoever stops it.
    """
    child = known.kind is not None and known.kind.nature in CHILDREN
    by_number = known.facts is not None and known.facts.name in BY_NUMBER
    spot = known.occurrence.spot
    if known.drain is not None or not (child or by_number) or any(spot.loops):
        return False
    if any(not isinstance(outer.owner, Try | With | None) for outer in spot.outward()):
        return False
    threads = [
        one.call
        for one in known.program.graph.registrations
        if one.target == known.key and one.role == "thread"
    ]
    return bool(threads) and all(
        call is not None and call.argument("daemon") == Constant(value=True) for call in threads
    )


def _waits_for_any(name: str, call: Call) -> bool:
    given: Expression | None = call.arguments[0].value if call.arguments else None
    minus = isinstance(given, Arithmetic) and given.left is None and given.operator == "-"
    return name in ANY_CHILD or (name in BY_NUMBER and (minus or given == Constant(-1)))


def _starts(program: Program, key: FunctionId, call: Call) -> bool:
    """Whether a call starts a child, itself or by a function of the project."""
    known = program.facts(key, call)
    if known is not None:
        return known[0].does in STARTS
    return any(
        inner is not None and inner[0].does in STARTS
        for target in program.graph.targets(key, call)
        for one in program.names.function(target).calls
        for inner in (program.facts(target, one),)
    )
