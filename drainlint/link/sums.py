"""What waits come to together: one after the other in a function, or turn by turn in a loop."""

import itertools
from collections.abc import Iterator

from drainlint.link.calls import Known
from drainlint.link.elsewhere import bounded_by_callers
from drainlint.link.names import FunctionId, Variable
from drainlint.model.deadline import Bound, Deadline
from drainlint.model.expression import (
    Arithmetic,
    Await,
    Call,
    Comprehension,
    Expression,
    Group,
    Name,
    Starred,
)
from drainlint.model.statement import (
    Assign,
    Do,
    For,
    If,
    Return,
    Statement,
    Try,
    While,
    With,
)
from drainlint.model.wait import Earlier, Repeats

SUMMED = frozenset(
    {"join", "wait", "take", "put", "lock", "close", "network", "process", "bound", "select"}
)
WALKING = frozenset(
    {"values", "items", "copy", "list", "tuple", "set", "sorted", "reversed", "enumerate"}
)


def repeats(known: Known, deadline: Deadline) -> Repeats | None:
    """The loop that waits for each of its things with the same bound; None where there is none."""
    if deadline.bound in (Bound.NONE, Bound.HANDED_ON) or deadline.polls:
        return None
    if known.facts is not None and known.facts.asynchronous and not known.occurrence.awaited:
        return None  # a coroutine that is only made: whoever awaits many awaits them together
    if deadline.bound is Bound.EXPRESSION and not _is_kept(known, deadline.text):
        return None
    if any(isinstance(loop, While) for loop in known.occurrence.spot.loops):
        return None
    mentioned = {e.path.partition(".")[0] for e in _bounded_by(known) if e.path}
    for loop in known.occurrence.spot.loops:
        if not isinstance(loop, For):
            continue
        targets = {e.path for e in loop.target.walk() if e.path}
        if not mentioned & _derived(loop, targets):
            continue
        if deadline.text.partition(".")[0] in _bound_in(loop) or _is_a_share(known, deadline):
            return None
        if _is_bounded_whole(known, loop):
            return None
        count = _count(known, known.key, loop.iterable)
        return Repeats(loop.place, loop.iterable.text, count)
    for around in known.occurrence.around:
        if isinstance(around, Comprehension):
            clause = around.clauses[0]
            if mentioned & {e.path for e in clause.target.walk() if e.path}:
                place = known.occurrence.spot.statement.place
                count = _count(known, known.key, clause.iterable)
                return Repeats(place, clause.iterable.text, count)
    return None


def _is_bounded_whole(known: Known, loop: For) -> bool:
    """Whether all turns of a loop share a timeout: that of a block around it, or of each caller."""
    outside = itertools.dropwhile(lambda s: s.owner is not loop, known.occurrence.spot.outward())
    blocks = (spot.owner for spot in outside if isinstance(spot.owner, With))
    calls = (item.value for block in blocks for item in block.items)
    if any(isinstance(call, Call) and _bounds(known, call) for call in calls):
        return True
    return known.is_asynchronous and bool(bounded_by_callers(known.program, known.key))


def _bounds(known: Known, call: Call) -> bool:
    facts = known.program.facts(known.key, call)
    if facts is None or facts[0].does != "bound":
        return False
    return not known.program.values.deadline(known.key, call, facts[0]).is_none


def _bounded_by(known: Known) -> Iterator[Expression]:
    """What a timeout is for: its own call, or the block that it is entered for."""
    yield from known.call.walk()
    statement = known.occurrence.spot.statement
    if isinstance(statement, With) and any(i.value is known.call for i in statement.items):
        inner = (s for one in statement.body for s in one.walk())
        yield from (e for s in inner for expression in s.expressions for e in expression.walk())


def _is_a_share(known: Known, deadline: Deadline) -> bool:
    """Whether the timeout is one thing's share of a whole: `timeout / len(threads)`."""
    ways = known.program.names.function(known.key).bindings.get(deadline.text, ())
    shares = (e for way in ways for e in way.value.walk() if isinstance(e, Arithmetic))
    return any(
        share.operator in ("/", "//")
        and isinstance(share.right, Call)
        and share.right.method == "len"
        for share in shares
    )


def _is_kept(known: Known, text: str) -> bool:
    """Whether a bound is a name, the same on every turn; what a property gives is worked out."""
    if not text or not all(part.isidentifier() for part in text.split(".")):
        return False
    head, _, last = text.rpartition(".")
    owner = known.program.kinds.project_class(known.program.kinds.of(known.key, Name(head)))
    return not head or owner is None or known.program.classes.method(owner, last) is None


def _derived(loop: For, targets: set[str]) -> set[str]:
    """The loop's own names, and those that its body makes from them."""
    found = set(targets)
    for statement in loop.walk():
        if isinstance(statement, Assign) and statement.value is not None:
            heads = {e.path.partition(".")[0] for e in statement.value.walk() if e.path}
            if heads & found:
                found |= {t.path for t in statement.targets if t.path}
    return found


def _bound_in(loop: For) -> set[str]:
    names = {e.path for e in loop.target.walk() if e.path}
    for statement in loop.walk():
        if isinstance(statement, Assign):
            names |= {t.path for t in statement.targets if t.path}
    return names


def _count(known: Known, scope: FunctionId, iterable: Expression, depth: int = 0) -> float | None:
    """How many things a loop goes over, where the project's own text tells."""
    if depth > 4:  # noqa: PLR2004 - names for names for names
        return None
    match iterable:
        case Group(items=items):
            whole = not any(isinstance(i, Starred) for i in items)
            return float(len(items)) if whole and items else None
        case Comprehension(clauses=(clause,)) if not clause.conditions:
            return _count(known, scope, clause.iterable, depth + 1)
        case Call() if iterable.method == "range" and len(iterable.arguments) == 1:
            return known.program.values.number(scope, iterable.arguments[0].value)
        case Call() if iterable.method in WALKING:
            parts = (iterable.receiver, *(a.value for a in iterable.arguments))
            inner = next((p for p in parts if p is not None), None)
            return None if inner is None else _count(known, scope, inner, depth + 1)
    return _named_count(known, scope, iterable.path, depth) if iterable.path else None


def _named_count(known: Known, scope: FunctionId, path: str, depth: int) -> float | None:
    resolved = known.program.names.resolve(scope, path)
    if resolved is None or not isinstance(resolved.symbol, Variable):
        return None
    variable = resolved.symbol
    if not resolved.rest:
        entry = known.program.names.function(variable.scope)
        ways = [(variable.scope, way) for way in entry.bindings.get(variable.name, ())]
    else:
        owner = known.program.classes.owner(variable.scope)
        if owner is None or variable.name != known.program.classes.self_name(variable.scope):
            return None
        ways = list(known.program.classes.bindings(owner, resolved.rest[0]))
    assigned = [(where, way) for where, way in ways if way.how != "annotation"]
    if len(assigned) != 1 or assigned[0][1].how != "assign" or assigned[0][1].items:
        return None
    where, way = assigned[0]
    return _count(known, where, way.value, depth + 1)


# One after the other


def earlier(known: Known, deadline: Deadline) -> tuple[Earlier, ...]:
    """The bounded waits before this one on the longest way through its function."""
    if deadline.seconds is None:
        return ()
    found: list[Earlier] = []
    for statement in known.occurrence.spot.preceding():
        found = [*_longest(known, statement), *found]
    return tuple(found)


def _longest(known: Known, statement: Statement, turns: float = 1) -> list[Earlier]:
    """The waits of the longest way through a statement."""
    if isinstance(statement, While):
        return []
    if isinstance(statement, For):
        count = _count(known, known.key, statement.iterable) or 1
        return [e for s in statement.body for e in _longest(known, s, turns * count)]
    found = [
        e
        for call, awaited in _calls(statement)
        if (e := _bounded(known, call, turns, awaited=awaited)) is not None
    ]
    blocks = [[e for s in block for e in _longest(known, s, turns)] for block in statement.blocks]
    if isinstance(statement, If):
        return found + max(blocks, key=_total, default=[])
    if isinstance(statement, Try):
        body, *handlers, otherwise, final = blocks
        return found + body + max(handlers, key=_total, default=[]) + otherwise + final
    return found + [e for block in blocks for e in block]


def _total(waits: list[Earlier]) -> float:
    return sum(w.seconds for w in waits)


def _calls(statement: Statement) -> Iterator[tuple[Call, bool]]:
    """The calls of a statement, and whether each is awaited on the spot."""
    if isinstance(statement, Do | Assign | Return | If):
        for expression in statement.expressions:
            parts = list(expression.walk())
            awaited = {id(part.value) for part in parts if isinstance(part, Await)}
            yield from ((e, id(e) in awaited) for e in parts if isinstance(e, Call))


def _bounded(known: Known, call: Call, turns: float, *, awaited: bool) -> Earlier | None:
    facts = known.program.facts(known.key, call)
    if facts is None or facts[0].does not in SUMMED:
        return None
    if facts[0].asynchronous and not awaited:
        return None
    deadline = known.program.values.deadline(known.key, call, facts[0])
    if not deadline.seconds or deadline.bound not in (Bound.CONSTANT, Bound.CALLER):
        return None
    return Earlier(call.place, call.text, deadline.seconds * turns)
