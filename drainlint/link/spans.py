"""How many seconds a clock grants a loop, where that is written down."""

from collections.abc import Iterable, Iterator

from drainlint.link.bounds import CLOCKS
from drainlint.link.names import FunctionId
from drainlint.link.origins import ways
from drainlint.link.program import Program
from drainlint.model.expression import Arithmetic, Call, Compare, Expression, Logic
from drainlint.model.statement import While

TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
COUNTS_NANOSECONDS = "_ns"


def span_of(
    program: Program, key: FunctionId, statement: While, ways_out: Iterable[Expression]
) -> float | None:
    """The seconds after which a loop ends at the latest; None where no number says so."""
    tests = [*_clauses(statement.test, "and")]
    granted = [_granted(program, key, test, "< <=") for test in tests]
    for test in ways_out:
        granted += [_granted(program, key, part, "> >=") for part in _clauses(test, "or")]
    return min((seconds for seconds in granted if seconds is not None), default=None)


def _clauses(test: Expression, operator: str) -> Iterator[Expression]:
    """The parts of a test of which each is enough by itself."""
    if isinstance(test, Logic) and test.operator == operator:
        for value in test.values:
            yield from _clauses(value, operator)
    else:
        yield test


def _granted(program: Program, key: FunctionId, test: Expression, signs: str) -> float | None:
    """The seconds that a comparison with a clock grants, read in either direction."""
    if not isinstance(test, Compare) or len(test.operators) != 1:
        return None
    left, sign, right = test.left, test.operators[0], test.rights[0]
    if sign not in signs.split():
        left, sign, right = right, TURNED.get(sign, ""), left
    if sign not in signs.split():
        return None
    if _is_since(program, key, left):
        return program.values.number(key, right)
    return _after(program, key, right) if _is_clock(program, key, left) else None


def _is_since(program: Program, key: FunctionId, value: Expression) -> bool:
    """Whether it is the time since a moment: `time.time() - began`, or a name for that."""
    return any(
        isinstance(one, Arithmetic)
        and one.operator == "-"
        and one.left is not None
        and _is_clock(program, key, one.left)
        for one in _stands_for(program, key, value)
    )


def _after(program: Program, key: FunctionId, value: Expression) -> float | None:
    """The seconds after now that a moment is: `time.time() + 5`, or a name for that."""
    for one in _stands_for(program, key, value):
        if isinstance(one, Arithmetic) and one.operator == "+" and one.left is not None:
            sides = ((one.left, one.right), (one.right, one.left))
            for clock, length in sides:
                if _is_clock(program, key, clock):
                    return program.values.number(key, length)
    return None


def _is_clock(program: Program, key: FunctionId, value: Expression) -> bool:
    return any(
        isinstance(one, Call)
        and one.method in CLOCKS
        and not one.method.endswith(COUNTS_NANOSECONDS)
        for one in _stands_for(program, key, value)
    )


def _stands_for(program: Program, key: FunctionId, value: Expression) -> tuple[Expression, ...]:
    """A value, and what a name is bound to where there is one way only."""
    held = [way.value for _, way in ways(program, key, value.path) if way.how == "assign"]
    return (value, *held) if len(held) == 1 else (value,)
