"""Whether what is awaited was cancelled before, and who takes up the cancellation."""

import itertools
import re
from collections.abc import Iterator

from drainlint.index.entries import FunctionEntry
from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.ended import statement_calls
from drainlint.link.names import FunctionId
from drainlint.link.origins import made, runs, ways
from drainlint.link.surroundings import Occurrence, occurrences
from drainlint.link.turns import always_leaves
from drainlint.model.expression import Call, Comprehension, Expression, Group, Subscript
from drainlint.model.place import Place
from drainlint.model.statement import Assign, Do, For, Handler, If, Statement, Try, While

CANCELLING = re.compile(r"cancel|abort")
CANCELS = re.compile(r"_*(async_)?cancel(_all|(_\w+)?_tasks)?$")
COPYING = frozenset({"update", "extend"})
KEEPING = frozenset({"tuple", "list", "set", "filter"})
"""Functions whose result holds what their last argument holds."""
CATCHES_CANCELLATION = re.compile(
    r"(^|\.)(CancelledError|BaseException|Cancelled|get_cancelled_exc_class)$"
)
NEAR = 6
"""How many statements before an await a cancel is looked for."""


def cancelled(known: Known) -> bool:
    """Whether what is awaited was cancelled just before, and its cancellation ends here."""
    before = _cancels_before(known) or _cancelled_by_callers(known)
    return before and (_takes_cancellation(known) or _ends_by_itself(known))


def _cancels_before(known: Known) -> bool:
    parts = [e for a in known.call.parts for e in a.walk()]
    awaited = {e.path for e in parts if e.path} | {e.text for e in parts if type(e) is Subscript}
    if known.call.method == "wait":  # a handle that wraps a task
        awaited.add(known.subject)
    gathers = any(a.name == "return_exceptions" for a in known.call.arguments)
    if any(_cancels(around.owner, awaited) for around in known.occurrence.spot.outward()):
        return True
    if any(_gives_cancelled(loop, awaited) for loop in known.occurrence.spot.loops):
        return True
    if _all_cancelled(known, awaited):
        return True
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > NEAR:
            return False
        if _fills(statement, awaited):
            awaited |= {e.path for x in statement.expressions for e in x.walk() if e.path}
        if _collects_cancelled(statement, awaited) or _helper_cancels(known, statement, awaited):
            return True
        for call in _calls(statement):
            if gathers and CANCELLING.search(call.method) and not _spares_some(known, call):
                return True
            if call.method != "cancel" or call.receiver is None:
                continue
            if awaited & {call.receiver.path, call.receiver.text} or _over(statement, awaited):
                return True
            if _same_group(known, statement):
                return True
    return False


def _all_cancelled(known: Known, awaited: set[str]) -> bool:
    """Whether each of the few things that a name was made of was cancelled just before.

    `tasks = tuple(filter(None, (self.reader, self.writer)))`, and then a `cancel()` for each.
    """
    members = {
        member
        for path in awaited
        for _, way in ways(known.program, known.key, path)
        if way.how == "assign" and not way.items
        for member in _members(way.value)
    }
    near = itertools.islice(known.occurrence.spot.preceding(), NEAR)
    stopped = {
        call.receiver.path
        for statement in near
        for call in _calls(statement)
        if call.method == "cancel" and call.receiver is not None
    }
    return bool(members) and members <= stopped


def _members(value: Expression) -> set[str]:
    """The names that a collection is written of; none where it is made in another way."""
    match value:
        case Group(items=items):
            return {item.path for item in items} if all(item.path for item in items) else set()
        case Call() if value.method in KEEPING and value.arguments:
            return _members(value.arguments[-1].value)
        case Comprehension(element=element, clauses=(clause,)) if element == clause.target:
            return _members(clause.iterable)
    return set()


def _helper_cancels(known: Known, statement: Statement, awaited: set[str]) -> bool:
    """Whether a function that it calls cancels what is awaited, or gives what it has cancelled."""
    gives = isinstance(statement, Assign) and bool(awaited & {t.path for t in statement.targets})
    for call in statement_calls(statement):
        for target in known.program.graph.targets(known.key, call):
            entry = known.program.names.function(target)
            stopped = set(_cancelled_in(entry))
            given = {part.path for result in entry.results for part in result.walk()} - {""}
            if (gives and stopped & given) or (call.receiver is not None and stopped & awaited):
                return True
    return False


def _spares_some(known: Known, call: Call) -> bool:
    """Whether a helper cancels a task only where a test of something else says so.

    `if not iscoroutinefunction(job.func): log(...)`, and only `else: task.cancel()`; whether there
    is such a task, and whether it is done, does not matter.
    """
    return any(
        _depends_on_another(known, one)
        for target in known.program.graph.targets(known.key, call)
        if (body := known.program.bodies.get(target)) is not None
        for one in occurrences(body, target.path)
        if one.function == target and one.call.method == "cancel"
    )


def _depends_on_another(known: Known, one: Occurrence) -> bool:
    """Whether a test around a `cancel` asks neither for its task nor for a parameter alone."""
    path = "" if one.call.receiver is None else one.call.receiver.path
    plain = {p.name for p in known.program.names.function(one.function).parameters} | {path}
    tests = (s.owner.test for s in one.spot.outward() if isinstance(s.owner, If))
    return bool(path) and any(
        test.path not in plain and not any(_is_of(part.path, path) for part in test.walk())
        for test in tests
    )


def _is_of(path: str, task: str) -> bool:
    return path == task or path.startswith(f"{task}.")


def _cancelled_in(entry: FunctionEntry) -> Iterator[str]:
    """What a function cancels, or the collections that it cancels each one of."""
    for call in entry.calls:
        if call.method != "cancel" or call.receiver is None:
            continue
        yield call.receiver.path
        for way in entry.bindings.get(call.receiver.path, ()):
            if way.how == "each":
                yield from (part.path for part in way.value.walk() if part.path)


def _cancelled_by_callers(known: Known) -> bool:
    """Whether each stop that calls this one cancels first: `self.cancel_tasks()`."""
    if known.drain is None or len(known.drain.steps) == 1:
        return False  # it is where a stop begins
    graph = known.program.graph
    stops = [
        (caller, graph.callees[caller][known.key])
        for caller in graph.callers.get(known.key, ())
        if known.program.drain(caller, graph.callees[caller][known.key].line) is not None
    ]
    return bool(stops) and all(_cancels_first(known, *stop) for stop in stops)


def _cancels_first(known: Known, caller: FunctionId, place: Place) -> bool:
    calls = known.program.names.function(caller).calls
    receivers = {c.func.path.rpartition(".")[0] for c in calls if c.place == place} - {""}
    return any(
        CANCELS.match(call.method)
        and call.place.line < place.line
        and call.func.path.rpartition(".")[0] in receivers
        for call in calls
    )


def _fills(statement: Statement, awaited: set[str]) -> bool:
    """Whether it makes or fills what is awaited: `late = set(tasks)`, `late.update(tasks)`."""
    if isinstance(statement, Assign):
        return bool(awaited & {target.path for target in statement.targets})
    call = statement.value if isinstance(statement, Do) else None
    filled = call.receiver if isinstance(call, Call) and call.method in COPYING else None
    return filled is not None and filled.path in awaited


def _collects_cancelled(statement: Statement, awaited: set[str]) -> bool:
    """Whether a loop puts what it cancels into what is awaited: `if t.cancel(): late.add(t)`."""
    if not isinstance(statement, For):
        return False
    calls = [e for s in statement.walk() for x in s.expressions for e in x.walk()]
    named = [c for c in calls if isinstance(c, Call) and c.receiver is not None]
    stopped = {c.receiver.text for c in named if c.method == "cancel" and c.receiver is not None}
    return any(
        c.method in ("add", "append")
        and c.receiver is not None
        and c.receiver.path in awaited
        and any(a.value.text in stopped for a in c.arguments)
        for c in named
    )


def _gives_cancelled(loop: Statement, awaited: set[str]) -> bool:
    """Whether a loop goes over what a call cancels: `for task in self._cancel_all():`."""
    if not isinstance(loop, For) or loop.target.path not in awaited:
        return False
    return isinstance(loop.iterable, Call) and bool(CANCELLING.search(loop.iterable.method))


def _cancels(owner: Statement | None, awaited: set[str]) -> bool:
    """Whether a test cancels what is awaited under it: `if task.cancel():`."""
    tested = owner.test.walk() if isinstance(owner, If) else ()
    return any(
        isinstance(part, Call)
        and part.method == "cancel"
        and part.receiver is not None
        and part.receiver.text in awaited
        for part in tested
    )


def _calls(statement: Statement) -> Iterator[Call]:
    """The calls of a statement, those in comprehensions and loops included."""
    yield from statement_calls(statement)
    for inner in statement.walk():
        if isinstance(inner, For):
            yield from (e for e in inner.iterable.walk() if isinstance(e, Call))


def _over(statement: Statement, awaited: set[str]) -> bool:
    """Whether a loop goes over one of what is awaited: `for t in tasks: t.cancel()`."""
    inner = (s for s in statement.walk() if isinstance(s, For))
    return any(e.path in awaited for s in inner for e in s.iterable.walk() if e.path)


def _same_group(known: Known, statement: Statement) -> bool:
    """Whether the await stands in a loop over the same things that an earlier loop cancelled."""
    loops = [loop for loop in known.occurrence.spot.loops if isinstance(loop, For)]
    over = {loop.iterable.text for loop in loops}
    inner = (s for s in statement.walk() if isinstance(s, For))
    return any(s.iterable.text in over for s in inner)


def _ends_by_itself(known: Known) -> bool:
    """Whether the task ends by its cancellation: no loop of it takes that up and goes on."""
    targets = {
        target
        for scope, call in made(known.program, known.key, known.call.func)
        for target in runs(known.program, scope, call)
    }
    return bool(targets) and not any(_goes_on_when_cancelled(known, target) for target in targets)


def _goes_on_when_cancelled(known: Known, target: FunctionId) -> bool:
    body = known.program.bodies.get(target)
    block = () if body is None else body.statements
    loops = (s for outer in block for s in outer.walk() if isinstance(s, While | For))
    return any(
        _catches(handler) and not always_leaves(handler.body)
        for loop in loops
        for statement in loop.walk()
        if isinstance(statement, Try)
        for handler in statement.handlers
    )


def _takes_cancellation(known: Known) -> bool:
    if known.call.method == "wait":
        return True
    if any(a.name == "return_exceptions" for a in known.call.arguments):
        return True
    for statement in known.occurrence.spot.withs:
        for item in statement.items:
            value = item.value
            suppressed = value.arguments if isinstance(value, Call) else ()
            if isinstance(value, Call) and not named("suppresses", value.method):
                continue
            if any(CATCHES_CANCELLATION.search(a.value.path) for a in suppressed):
                return True
    return any(
        isinstance(spot.owner, Try)
        and spot.section == "body"
        and any(_catches(h) for h in spot.owner.handlers)
        for spot in known.occurrence.spot.outward()
    )


def _catches(handler: Handler) -> bool:
    named = (k.func.path if isinstance(k, Call) else k.path for k in handler.kinds)
    return not handler.kinds or any(CATCHES_CANCELLATION.search(path) for path in named)
