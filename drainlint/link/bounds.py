"""What bounds a loop: a clock in a test, a count of attempts, a timeout around it."""

import re
from collections.abc import Iterable, Iterator, Mapping

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
    "process_time", "clock", "current_time", "get_time", "timer"
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
        self._counted = frozenset(_counted(statement))

    def holds(self, test: Expression, *, to_go_on: bool = False) -> bool:
        """Whether a test bounds the loop; `to_go_on`: it goes on while the test is true."""
        match test:
            case Logic(operator=operator, values=values):
                parts = [self.holds(v, to_go_on=to_go_on) for v in values]
                return all(parts) if to_go_on and operator == "or" else any(parts)
            case Not(value=value):
                return self.holds(value, to_go_on=to_go_on)
            case Compare():
                return self._compares(test)
            case Call():
                if LATE.search(test.method):
                    return True
                return isinstance(test.receiver, Expression) and _is_clock(test.receiver, test)
            case Name(dotted=path):
                return path in self._counted or bool(LATE.search(path.rpartition(".")[2]))
            case Attribute(name=name):
                return bool(LATE.search(name))
        return False

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
        own = [p for p in paths if p in self._counted]
        if any(p.partition(".")[0] in self._counted for p in paths if p.endswith(LENGTHS)):
            return True
        return any("." not in p or COUNTERS.search(p.rpartition(".")[2]) for p in own)


def _is_size(sides: Iterable[Expression]) -> bool:
    """`len(tasks) >= limit`, `q.qsize() > limit`: a limit of room, not of time."""
    return any(isinstance(s, Call) and named("size", s.method) for s in sides)


def _is_clock(receiver: Expression, call: Call) -> bool:
    """`deadline.passed()`, `timer.is_over()`."""
    named = re.search(r"deadline|timer|time_?out|countdown", receiver.text, re.IGNORECASE)
    return named is not None and call.method not in ("is_alive", "is_set", "isSet", "wait")


def _counted(statement: While | For) -> Iterator[str]:
    """Names that the body counts up or down, or sets from a clock.

    What begins anew on each turn (`busy = 0`) counts something else than the turns.
    """
    anew = {t.path for s in statement.body if isinstance(s, Assign) for t in _set_to_constant(s)}
    for inner in statement.walk():
        if not isinstance(inner, Assign) or inner.value is None:
            continue
        paths = {t.path for t in inner.targets if t.path}
        reads = {e.path for e in inner.value.walk() if e.path}
        stepped = inner.operator in ("+=", "-=")
        moved = isinstance(inner.value, Arithmetic) and bool(paths & reads)
        if stepped or moved or _reads_a_clock(inner.value):
            yield from paths - anew


def _set_to_constant(statement: Assign) -> Iterable[Expression]:
    plain = not statement.operator and isinstance(statement.value, Constant)
    return statement.targets if plain else ()


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
    last = call.arguments[1 if len(call.arguments) > 1 else 0].value
    turns = program.values.number(key, last)
    return turns, f"`{call.text}`" if turns is None else f"at most {turns:g} turns", False


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
                if id(call) not in bounds:
                    return ""
                found = f"the `{bounds[id(call)].text}` around its call"
    return found


def _bounds(program: Program, key: FunctionId, call: Call) -> bool:
    known = program.facts(key, call)
    if known is None or known[0].does != "bound":
        return False
    return not program.values.deadline(key, call, known[0]).is_none
