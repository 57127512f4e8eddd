"""Waits of a supervisor, which has nothing to do until a child ends that it starts anew."""

from drainlint.link.calls import Known
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.model.expression import Arithmetic, Call, Constant, Expression
from drainlint.model.statement import While

ANY_CHILD = frozenset({"os.wait", "os.wait3"})
"""Functions that wait for whichever child ends first."""
BY_NUMBER = frozenset({"os.waitpid", "os.wait4"})
"""Those that do so where they are given -1."""
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
