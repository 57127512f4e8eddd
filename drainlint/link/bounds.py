"""What bounds a loop: a clock in a test, a count of attempts, a timeout around it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import ceil

from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.surroundings import Spot
from drainlint.model.expression import (
    Arithmetic,
    Attribute,
    Call,
    Compare,
    Constant,
    Expression,
    Group,
    Logic,
    Name,
    Not,
)
from drainlint.model.statement import Assign, Do, For, Statement, Try, While

CLOCKS = frozenset({
    "time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "now", "utcnow",
    "process_time", "clock", "current_time", "get_time", "timer",
    "GetTickCount", "GetTickCount64", "ticks_ms"
})  # fmt: skip
DEADLINES = re.compile(
    r"deadline|time_?out|expir|remaining|time_?left|elapsed|give_?up|until|end_?time|"
    r"start_?time|started_at|max_?(wait|time|duration)|time_?limit|grace|limit",
    re.IGNORECASE,
)
COUNTERS = re.compile(
    r"attempt|retr|tries|trial|count|iteration|loops?$|turns?$|^[ijn]$|_n$|times|ticks|waited|slept|total|polls?$|step",
    re.IGNORECASE,
)
LATE = re.compile(
    r"expired?$|elapsed$|timed_?out$|time_?is_?up|out_?of_?time|is_?over(due)?$|exceeded$|passed$|reached$|deadline",
    re.IGNORECASE,
)
"""What says by itself that the time is up: `deadline.expired`, `self._timed_out()`."""
LENGTHS = (".total_seconds", ".seconds")
"""How a length of time is read, once a clock has given it."""
SCOPES = frozenset(
    {"timeout", "time_limit", "timeout_at", "fail_after", "move_on_after", "fail_at", "move_on_at"}
)


class Bounds:
    """Tells which tests of one loop compare a clock, or a count, with a limit."""

    def __init__(self, statement: While | For) -> None:
        """Take the loop."""
        self.statement = statement
        self.counted = _counted(statement)
        self._stepped = frozenset(_stepped(statement))

    def holds(self, test: Expression, *, to_go_on: bool = False) -> bool:
        """Whether a test bounds the loop; `to_go_on`: it goes on while the test is true."""
        match test:
            case Logic(operator="or", values=values) if to_go_on:
                return all(self.holds(v, to_go_on=True) for v in _given(values))
            case Logic(values=values):
                return any(self.holds(v, to_go_on=to_go_on) for v in values)
            case Not(value=value):
                return self.holds(value, to_go_on=not to_go_on)
            case Compare():
                return self._compares(test)
            case Call():
                if LATE.search(test.method) or any(_reads_a_clock(a.value) for a in test.arguments):
                    return True
                return isinstance(test.receiver, Expression) and _is_clock(test.receiver, test)
            case Name(dotted=path):
                return path in self.counted or bool(LATE.search(path.rpartition(".")[2]))
            case Attribute(name=name):
                return bool(LATE.search(name))
        return False

    def limit_of_count(self, test: Expression, signs: str) -> Expression | None:
        """What a test compares a count of turns with, by one of `signs`; None for no count."""
        if isinstance(test, Logic):
            if (test.operator == "or") is signs.startswith("<"):
                return None
            limits = (self.limit_of_count(value, signs) for value in test.values)
            return next((limit for limit in limits if limit is not None), None)
        if not isinstance(test, Compare) or len(test.operators) != 1:
            return None
        compares = test.operators[0] in signs.split() and self._counts(test.left)
        return test.rights[0] if compares else None

    def _counts(self, counter: Expression) -> bool:
        """Whether every turn adds one to a name of the loop's own function."""
        steps = [
            s
            for s in self.statement.body
            if isinstance(s, Assign) and counter.path in {t.path for t in s.targets}
        ]
        return bool(steps) and all(s.operator == "+=" and s.value == Constant(1) for s in steps)

    def _compares(self, test: Compare) -> bool:
        if not set(test.operators) <= {"<", "<=", ">", ">=", "==", "!="}:
            return False
        parts = list(test.walk())
        if _reads_a_clock(test):
            return True
        paths = [p.path for p in parts if p.path]
        names = [p.rpartition(".")[2] for p in paths]
        sides = [test.left, *test.rights]
        if any(DEADLINES.search(n) for n in names) and not _is_size(sides):
            return True
        own = [p for p in paths if p in self.counted]
        if any(p.partition(".")[0] in self.counted for p in paths if p.endswith(LENGTHS)):
            return True
        return any(
            "." not in p or p in self._stepped or COUNTERS.search(p.rpartition(".")[2]) for p in own
        )


def _given(values: Sequence[Expression]) -> Iterator[Expression]:
    """The parts of `timeout is None or waited < timeout` that count where a limit was given.

    Whether it was is the caller's decision.
    """
    for value in values:
        unset = _unset(value)
        others = (part.path for v in values if v is not value for part in v.walk())
        limit = DEADLINES.search(unset.rpartition(".")[2]) is not None
        if not unset or not (limit or unset in others):
            yield value


def _unset(test: Expression) -> str:
    """What a test finds to be no limit: `timeout is None`, `not timeout`, `retries < 0`."""
    match test:
        case Not(value=value):
            return value.path
        case Compare(left=left, operators=("is" | "==",), rights=(Constant(value=None),)):
            return left.path
        case Compare(left=left, operators=("<" | "<=" | "==",), rights=(Constant(value=0),)):
            return left.path
        case Compare(left=left, operators=("<" | "==",), rights=(Arithmetic(left=None),)):
            return left.path
    return ""


def _is_size(sides: Iterable[Expression]) -> bool:
    """`len(tasks) >= limit`, `q.qsize() > limit`: a limit of room, not of time."""
    return any(isinstance(s, Call) and named("size", s.method) for s in sides)


def _is_clock(receiver: Expression, call: Call) -> bool:
    """`deadline.passed()`, `timer.is_over()`."""
    path = receiver.func.path if isinstance(receiver, Call) else receiver.path
    called = re.search(r"deadline|timer|time_?out|countdown", path, re.IGNORECASE)
    return called is not None and call.method not in ("is_alive", "is_set", "isSet", "wait")


def _counted(statement: While | For) -> frozenset[str]:
    """Names that the body counts up or down, or sets from a clock, one from another included.

    What every turn sets to a constant first counts something else than turns.
    """
    assigned = [s for s in statement.walk() if isinstance(s, Assign) and s.value is not None]
    anew = [s for s in statement.body if isinstance(s, Assign) and isinstance(s.value, Constant)]
    reset = {t.path for s in anew if not s.operator for t in s.targets}
    found = {path for inner in assigned for path in _moved(inner)} - reset
    while True:
        more = {path for inner in assigned for path in _from_clock(inner, found)}
        if more <= found:
            return frozenset(found)
        found |= more


def _moved(inner: Assign) -> frozenset[str]:
    """What an assignment counts on, or sets from a clock."""
    value = inner.value
    assert value is not None  # noqa: S101 - what the caller looked for
    paths = frozenset(t.path for t in inner.targets if t.path)
    reads = {e.path for e in value.walk() if e.path}
    moved = isinstance(value, Arithmetic) and bool(paths & reads)
    return (
        paths if inner.operator in ("+=", "-=") or moved or _reads_a_clock(value) else frozenset()
    )


def _from_clock(inner: Assign, clocks: AbstractSet[str]) -> frozenset[str]:
    """What an assignment makes of a clock's names: `since = now - began`."""
    value = inner.value
    if not isinstance(value, Arithmetic) or value.operator != "-" or value.left is None:
        return frozenset()
    read = {value.left.path, value.right.path} & clocks
    return frozenset(t.path for t in inner.targets if t.path and read)


def _stepped(statement: While | For) -> Iterator[str]:
    """What every turn moves by a constant: `self.left -= 50`, `self.turn = self.turn + 1`."""
    for inner in statement.body:
        if not isinstance(inner, Assign) or inner.value is None:
            continue
        for path in (t.path for t in inner.targets if t.path):
            value = inner.value
            if (inner.operator in ("+=", "-=") and isinstance(value, Constant)) or (
                isinstance(value, Arithmetic)
                and value.left is not None
                and value.left.path == path
                and isinstance(value.right, Constant)
            ):
                yield path


def _reads_a_clock(value: Expression) -> bool:
    return any(isinstance(e, Call) and e.method in CLOCKS for e in value.walk())


def turns_of(program: Program, key: FunctionId, statement: For) -> tuple[float | None, str, bool]:
    """How many turns a `for` has where that is known, what bounds it, and whether it is endless."""
    iterable = statement.iterable
    if isinstance(iterable, Group):
        return float(len(iterable.items)), f"at most {len(iterable.items)} turns", False
    call = iterable if isinstance(iterable, Call) else None
    if call is not None and call.method in ("count", "repeat", "cycle", "iter"):
        return None, "", True
    if call is None or call.func.path not in ("range", "xrange") or not call.arguments:
        return None, f"the end of `{iterable.text}`", False
    turns = _turns_of_range(program, key, call)
    return turns, f"`{call.text}`" if turns is None else f"at most {turns:g} turns", False


def _turns_of_range(program: Program, key: FunctionId, call: Call) -> float | None:
    """How many turns a `range` grants at most, counted up or down; None where that is not known.

    A start that is not known counts as 0 where the count goes up.
    """
    given = [program.values.number(key, argument.value) for argument in call.arguments]
    if len(given) == 1:
        return given[0]
    start, stop, *steps = given
    step = steps[0] if steps else 1.0
    if stop is None or not step:
        return None
    if start is None:
        return stop if step == 1 and stop > 0 else None
    return float(max(0, ceil((stop - start) / step)))


def turns_counted(
    program: Program, key: FunctionId, bounds: Bounds, ways_out: Iterable[Expression]
) -> tuple[float | None, str]:
    """How many turns a counter grants a `while`, and in words: `while tries < 3`."""
    assert isinstance(bounds.statement, While)  # noqa: S101 - what the caller looked for
    limits = [bounds.limit_of_count(bounds.statement.test, "< <=")]
    limits += [bounds.limit_of_count(test, "> >= ==") for test in ways_out]
    found = next((limit for limit in limits if limit is not None), None)
    turns = program.values.number(key, found)
    return turns, "" if turns is None else f"at most {turns:g} turns"


# Timeouts around a loop


def timeout_around(
    program: Program, key: FunctionId, spot: Spot, known: Mapping[int, Known]
) -> str:
    """The timeout that encloses a loop, in words; empty for none."""
    for statement in spot.withs:
        for item in statement.items:
            one = known.get(id(item.value))
            if one is not None and not one.own_bound.is_none:
                return f"the enclosing `{one.call.text}`"
            if (
                isinstance(item.value, Call)
                and one is not None
                and one.facts is None
                and item.value.method in SCOPES
            ):
                return f"the enclosing `{item.value.text}`"
    started = next(_started(spot, known), None)
    if started is not None:
        return f"the enclosing `{started.text}`"
    return _around_calls(program, key)


def _started(spot: Spot, known: Mapping[int, Known]) -> Iterator[Call]:
    """Timeouts that were started before, and are cancelled by the `finally` around the loop."""
    cancelled = {
        p
        for outer in spot.outward()
        if isinstance(outer.owner, Try) and outer.section == "body"
        for p in _cancelled(outer.owner.final)
    }
    for statement in spot.preceding() if cancelled else ():
        if not isinstance(statement, Assign) or not isinstance(statement.value, Call):
            continue
        one = known.get(id(statement.value))
        named = cancelled & {t.path for t in statement.targets}
        if one is not None and named and not one.own_bound.is_none:
            yield statement.value


def _cancelled(final: Iterable[Statement]) -> Iterator[str]:
    for statement in final:
        if isinstance(statement, Do) and isinstance(statement.value, Call):
            call = statement.value
            if call.method in ("cancel", "close") and call.receiver is not None:
                yield call.receiver.path


def _around_calls(program: Program, key: FunctionId) -> str:
    """The timeout around every call of a coroutine function: `wait_for(self._settled(), 5)`."""
    if not program.names.function(key).is_async:
        return ""
    found = ""
    for caller in sorted(program.graph.callers.get(key, ())):
        calls = program.names.function(caller).calls
        bounds = {id(a.value): c for c in calls if _bounds(program, caller, c) for a in c.arguments}
        for call in calls:
            if key in program.graph.targets(caller, call):
                bound = bounds.get(id(call)) or _entered_around(program, caller, call)
                if bound is None:
                    return ""
                found = f"the `{bound.text}` around its call"
    return found


def _entered_around(program: Program, caller: FunctionId, call: Call) -> Call | None:
    """The timeout scope that a call stands in: `async with asyncio.timeout(5): await call()`."""
    for entered in program.names.function(caller).entered:
        value, line = entered.value, call.place.line
        around = entered.first_line <= line <= entered.last_line
        if around and isinstance(value, Call) and _bounds(program, caller, value):
            return value
    return None


def _bounds(program: Program, key: FunctionId, call: Call) -> bool:
    known = program.facts(key, call)
    if known is None or known[0].does != "bound":
        return False
    return not program.values.deadline(key, call, known[0]).is_none
