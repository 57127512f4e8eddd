"""Takes that do not wait, in loops that go on when there is nothing to take."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from drainlint.knowledge import CallFacts
from drainlint.knowledge.names import named
from drainlint.link.bounds import CLOCKS
from drainlint.link.calls import Known, is_log, is_told_not_to_block
from drainlint.link.fetched import is_computed
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.turns import always_leaves, is_always_reached, leaves
from drainlint.model.expression import Call, Compare, Constant, Expression, Logic, Not
from drainlint.model.loop import Step
from drainlint.model.pause import Pause
from drainlint.model.statement import (
    Assign,
    Block,
    For,
    Handler,
    If,
    Leave,
    Pass,
    Statement,
    Try,
    While,
)

TAKES = frozenset({"take", "lock", "select", "network"})
RESULTS = frozenset({"task", "future", "aio-future", "result"})
AN_ITEM_OR_NONE = 2
"""Ways in which a function returns that has an item for its caller, or has none."""
EVERYTHING = frozenset({"Exception", "BaseException"})


def attempts(
    statement: While | For, known: Mapping[int, Known], pauses: Mapping[int, Pause], *, sleeps: bool
) -> Iterator[Step]:
    """What a loop takes without waiting, to sleep or spin when there was nothing.

    A take in the condition of a loop that works is asked whether to go on: it is no wait for it.
    """
    if isinstance(statement, For):
        return
    if any(_waits_for_ever(one, statement) for one in known.values()):
        return
    if any(
        id(one.call) in pauses
        and pauses[id(one.call)].is_rest_of_period
        and _is_own(one, statement)
        for one in known.values()
    ):
        return
    for one in known.values():
        if not _is_own(one, statement) or not _does_not_wait(one) or _is_asked(one, statement):
            continue
        if one.occurrence.spot.statement is statement and _works(statement, known):
            continue
        if one.does in ("select", "lock") and _works_before(one, statement, known):
            continue
        outcome = _when_nothing(one, statement)
        if outcome is None:
            continue
        idles = sleeps or (isinstance(outcome, Handler) and _pauses(outcome, pauses))
        if not idles and not _spins(outcome, one, statement, known):
            continue
        yield Step(one.call.text, one.call.place)


def _waits_for_ever(one: Known, statement: While) -> bool:
    """Whether every turn waits for something else first, however long that takes."""
    joins = one.call.method == "join" and not one.call.arguments  # never `str.join`
    if one.facts is None:
        return joins and is_always_reached(one.occurrence.spot, statement)
    if one.does not in ("join", "wait", "take", "select") or _does_not_wait(one):
        return False
    deadline = one.program.values.deadline(one.key, one.call, one.facts)
    for_ever = deadline.is_none and not one.bounded_by
    return for_ever and is_always_reached(one.occurrence.spot, statement)


def _works(statement: While, known: Mapping[int, Known]) -> bool:
    """Whether a loop's body does something that nothing is known of, reports aside."""
    return any(
        next(one.occurrence.spot.loops, None) is statement
        and (one.facts is None or one.does == "claim")
        and not is_log(one.call)
        and not _is_told_at_once(one)
        for one in known.values()
    ) or any(isinstance(s, For | While) for s in statement.body)


def _pauses(handler: Handler, pauses: Mapping[int, Pause]) -> bool:
    inside = (e for outer in handler.body for s in outer.walk() for e in s.expressions)
    return any(id(part) in pauses for e in inside for part in e.walk())


def _is_asked(one: Known, statement: While) -> bool:
    """Whether a test around the take asks first whether there is anything: `while pending: ...`."""
    if one.occurrence.spot.statement is statement:
        return False
    tests = [statement.test]
    for outer in one.occurrence.spot.outward():
        if isinstance(outer.owner, If):
            tests.append(outer.owner.test)
        if outer.owner is statement:
            break
    return any(_asks_about(test, one.subject) for test in tests)


def _asks_about(test: Expression, subject: str) -> bool:
    """Whether a test is false where it finds nothing in `subject`, whatever else it asks."""
    if isinstance(test, Logic):
        parts = (_asks_about(value, subject) for value in test.values)
        return all(parts) if test.operator == "or" else any(parts)
    return any(
        subject in (part.path, part.text)
        or (isinstance(part, Call) and part.receiver is not None and part.receiver.text == subject)
        for part in test.walk()
    )


def _works_before(one: Known, statement: While, known: Mapping[int, Known]) -> bool:
    """Whether a turn does something else before it looks: that is no waiting."""
    return any(
        k.call.place < one.call.place and k.call.receiver is not None and _is_work(k)
        for k in known.values()
        if _is_own(k, statement)
    )


def _is_work(one: Known) -> bool:
    return one.facts is None or one.does in ("put", "network", "process", "io", "claim")


def _is_own(one: Known, statement: While | For) -> bool:
    spot = one.occurrence.spot
    return spot.statement is statement or next(spot.loops, None) is statement


def _does_not_wait(one: Known) -> bool:
    if one.facts is None:
        targets = one.program.graph.targets(one.key, one.call)
        if not targets:
            return named("takes-something", one.call.method) and is_told_not_to_block(one.call)
        return all(_only_looks(one.program, t) for t in targets)
    if one.does not in TAKES:
        return False
    if one.kind is not None and one.kind.nature in RESULTS:
        return False
    if one.told_not_to_wait:
        return True
    return _polls(one.program, one.key, one.call, one.facts)


def _only_looks(program: Program, target: FunctionId) -> bool:
    """Whether a function of the project gives what there is, or nothing, and never waits."""
    entry = program.names.function(target)
    if entry.is_async or entry.is_generator or len(entry.results) < AN_ITEM_OR_NONE:
        return False
    if all(isinstance(result, Constant) for result in entry.results):  # it works, and says how far
        return False
    takes = False
    for call in entry.calls:
        facts = program.facts(target, call)
        if facts is None or not (facts[0].waits or facts[0].does == "sleep"):
            continue
        if facts[0].does not in TAKES or not _polls(program, target, call, facts[0]):
            return False
        takes = takes or facts[0].does in ("take", "select")
    return takes


def _polls(program: Program, key: FunctionId, call: Call, facts: CallFacts) -> bool:
    return program.values.deadline(key, call, facts).polls and facts.does != "network"


def _when_nothing(one: Known, statement: While | For) -> Handler | Statement | None:
    """Where the loop goes on when there is nothing; None where it then ends."""
    spot = one.occurrence.spot
    if spot.statement is statement:
        denied = any(isinstance(a, Not) for a in one.occurrence.around)
        return statement if denied else None
    for outer in spot.outward():
        if outer.owner is statement:
            break
        if isinstance(outer.owner, Try) and outer.section == "body":
            return _handler(outer.owner)
    return _tested(one, statement)


def _handler(statement: Try) -> Handler | None:
    for handler in statement.handlers:
        names = {kind.path.rpartition(".")[2] for kind in handler.kinds}
        nothing = not names or names & EVERYTHING or any(named("nothing-there", n) for n in names)
        if nothing:
            return None if always_leaves(handler.body) else handler
    return None


def _tested(one: Known, statement: While | For) -> Statement | None:
    """A take whose result says that there was nothing: `if job is None: ...`."""
    spot = one.occurrence.spot
    if isinstance(spot.statement, If):
        blocks = _without(spot.statement, one, {one.call.text}) or (spot.statement.body,)
        return None if any(leaves(b) for b in blocks) else spot.statement
    if not isinstance(spot.statement, Assign):
        return None
    taken = {t.path for t in spot.statement.targets}
    tests = (s for s in statement.walk() if isinstance(s, If | While))
    for test in (s for s in tests if isinstance(s, If) or s is statement):
        if taken & {e.path for e in test.test.walk()}:
            blocks = _without(test, one, taken) or test.blocks
            return None if any(leaves(b) for b in blocks) else test
    return None


def _without(statement: If | While, one: Known, taken: AbstractSet[str]) -> tuple[Block, ...]:
    """What is done where there was nothing: a lock gives true for success, a take the thing.

    Empty where the test does not say.
    """
    test, nothing = statement.test, statement.otherwise
    if isinstance(test, Not):
        test, nothing = test.value, statement.body
    if isinstance(test, Compare) and one.does != "lock":
        right = test.rights[0]
        if not (isinstance(right, Constant) and right.value is None) or nothing is statement.body:
            return ()
        nothing = statement.body if test.operators[0] in ("is", "==") else statement.otherwise
        test = test.left
    return (nothing,) if test.path in taken or test.text in taken else ()


def _spins(
    outcome: Handler | Statement, one: Known, statement: While | For, known: Mapping[int, Known]
) -> bool:
    """Whether nothing takes time on the way back to the take."""
    if isinstance(outcome, Statement):
        at_once = outcome is statement or one.does == "lock"
        return at_once and not any(
            k is not one and _is_own(k, statement) and not _is_clock(k) for k in known.values()
        )
    if not outcome.body or not isinstance(outcome.body[-1], Leave | Pass):
        return False
    if any(not isinstance(s, Leave | Pass) for s in outcome.body):
        return False
    goes_on = isinstance(outcome.body[-1], Leave)
    others = (
        k.call
        for k in known.values()
        if k is not one and _is_own(k, statement) and not _is_told_at_once(k)
    )
    return not any(_takes_time(call, one.call, after=not goes_on) for call in others)


def _is_clock(one: Known) -> bool:
    return one.call.method in CLOCKS


def _is_told_at_once(one: Known) -> bool:
    """Whether a call only tells what is known already: `stop.is_set()`."""
    asks = one.facts.asks if one.facts is not None else ""
    return asks in ("queue", "flag", "liveness") or (
        one.facts is None and (named("asks-flag", one.call.method) or is_computed(one.call))
    )


def _takes_time(other: Call, take: Call, *, after: bool) -> bool:
    """Whether another call of the loop runs on a turn that found nothing."""
    return after or other.place < take.place
