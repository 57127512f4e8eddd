"""Closes with nothing left to wait for: no linger, an answered request, a server that has ended."""

from collections.abc import Iterator

from drainlint.index.entries import FunctionEntry
from drainlint.link.calls import Known
from drainlint.link.ended import statement_calls
from drainlint.link.names import FunctionId
from drainlint.link.origins import calls_on, made
from drainlint.link.program import Program
from drainlint.link.surroundings import Spot
from drainlint.model.expression import Await, Call, Constant, Expression
from drainlint.model.statement import If, Statement, Try

WRITES = frozenset({"write", "writelines"})
READS = frozenset({"read", "readline", "readuntil", "readexactly"})
HOLDS_SOCKETS = "socket"
"""The method by which a messaging context makes what it waits for at its end."""
SERVES = "serve_forever"


def keeps_nothing(known: Known) -> bool:
    """Whether what it would wait for is thrown away: its sockets are closed with no linger.

    Said before the close, where it was made, or by every function that makes a socket of it.
    """
    receiver = known.call.receiver
    if known.kind is None or receiver is None:
        return False
    before = known.program.names.function(known.key)
    if any(_throws_away(c) for c in _until(before, known.call) if c.place != known.call.place):
        return True
    if any(_throws_all_away(known.program, *one) for one in _makers(known, receiver)):
        return True
    sockets = list(calls_on(known.program, known.key, receiver.path, {HOLDS_SOCKETS}))
    return bool(sockets) and all(_makes_without(known.program, scope) for scope, _ in sockets)


def _until(entry: FunctionEntry, last: Call) -> Iterator[Call]:
    return (call for call in entry.calls if call.place.line <= last.place.line)


def _throws_away(call: Call) -> bool:
    """Whether a call says that nothing lingers: `close(linger=0)`, `setsockopt(LINGER, 0)`."""
    said = (call.argument("linger"), *_set_to_linger(call))
    return any(isinstance(value, Constant) and value.value == 0 for value in said)


def _set_to_linger(call: Call) -> Iterator[Expression]:
    """What `socket.setsockopt(LINGER, 0)` sets."""
    if call.method == "setsockopt" and len(call.arguments) > 1:
        option, value = (a.value for a in call.arguments[:2])
        if option.path.endswith("LINGER"):
            yield value


def _makers(known: Known, closed: Expression) -> Iterator[tuple[FunctionId, Call]]:
    """The calls that made what is closed; of a parameter, what its callers hand over."""
    yield from made(known.program, known.key, closed)
    passed = known.program.kinds.arguments.get(known.key, {})
    for caller, value in passed.get(closed.path, ()):
        yield from made(known.program, caller, value)


def _throws_all_away(program: Program, scope: FunctionId, making: Call) -> bool:
    """Whether what a factory of the project's own makes is told there that nothing lingers."""
    factories = program.graph.targets(scope, making)
    return bool(factories) and all(
        any(_throws_away(call) for call in program.names.function(factory).calls)
        for factory in factories
    )


def _makes_without(program: Program, scope: FunctionId) -> bool:
    """Whether a function tells its sockets not to linger, itself or by a helper it calls."""
    entry = program.names.function(scope)
    helpers = (program.names.function(callee) for callee in program.graph.callees.get(scope, ()))
    calls = (call for one in (entry, *helpers) for call in one.calls)
    attributes = (
        way
        for path, ways in entry.bindings.items()
        if path.rpartition(".")[2] == "linger"
        for way in ways
    )
    without = (isinstance(way.value, Constant) and way.value.value == 0 for way in attributes)
    return any(_throws_away(call) for call in calls) or any(without)


def is_answered(known: Known) -> bool:
    """Whether the other side has answered what was last written: it has read all there was.

    It was asked in the same function, which waited for the answer and wrote no more.
    """
    if known.kind is None or known.kind.nature != "stream-writer":
        return False
    for statement in _before(known.occurrence.spot):
        calls = list(statement_calls(statement))
        if any(_is_upon(known, call) and call.method in WRITES for call in calls):
            return False
        if any(call.method in READS for call in _awaited(statement)):
            return _writes(known)
    return False


def _before(spot: Spot) -> Iterator[Statement]:
    """What ran before, nearest first; a handler has no answer, a `finally` has one as a rule."""
    for one in spot.outward():
        yield from reversed(one.block[: one.index])
        if isinstance(one.owner, Try) and one.section == "handler":
            return
        if isinstance(one.owner, Try) and one.section in ("else", "final"):
            yield from reversed(one.owner.body)


def _awaited(statement: Statement) -> Iterator[Call]:
    """The calls of a statement that are awaited on the spot, or under a timeout."""
    for expression in statement.expressions:
        for part in expression.walk():
            if isinstance(part, Await):
                yield from (inner for inner in part.walk() if isinstance(inner, Call))


def _writes(known: Known) -> bool:
    """Whether the function itself wrote what was answered."""
    entry = known.program.names.function(known.key)
    return any(_is_upon(known, call) and call.method in WRITES for call in entry.calls)


def _is_upon(known: Known, call: Call) -> bool:
    return call.receiver is not None and call.receiver.text == known.subject


def has_served(known: Known) -> bool:
    """Whether its own thread ran the server to its end before: what stops it comes back at once."""
    if known.call.method != "shutdown":
        return False
    return any(
        _is_upon(known, call) and call.method == SERVES
        for statement in known.occurrence.spot.preceding()
        if not isinstance(statement, If)
        for call in statement_calls(statement)
    )
