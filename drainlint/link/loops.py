"""Builds loops: what they ask, how they pause, what bounds them."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from drainlint.finding import Confidence
from drainlint.link.asking import Asking
from drainlint.link.attempts import attempts
from drainlint.link.bounds import timeout_around
from drainlint.link.calls import Known, is_log
from drainlint.link.fetched import added_to
from drainlint.link.losers import losers
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.reading import Reading
from drainlint.link.roles import WORKERS
from drainlint.link.spans import span_of
from drainlint.link.surroundings import Spot
from drainlint.link.turns import is_endless, keeps_time, tests_of
from drainlint.model.expression import Call, Comprehension, Expression, Subscript, Text
from drainlint.model.loop import Loop, Question
from drainlint.model.pause import Pause
from drainlint.model.statement import Assign, Do, For, While

OWN = frozenset({
    "lock", "rlock", "queue", "future", "event", "condition", "semaphore", "barrier", "result",
    "aio-queue", "aio-event", "aio-future", "aio-lock"
})  # fmt: skip
"""Things whose own implementations wait by profession."""


FUTURES = frozenset({"future", "aio-future"})
"""Things that are completed once, and for ever."""
CHANCE = ("random.", "numpy.random.", "secrets.")
"""Libraries that give something else each time."""


def loop(
    program: Program,
    key: FunctionId,
    spot: Spot,
    known: Mapping[int, Known],
    pauses: Mapping[int, Pause],
) -> Loop:
    """The loop that the statement at `spot` is; calls and pauses by the identity of the call."""
    statement = spot.statement
    assert isinstance(statement, While | For)  # noqa: S101 - what the caller looked for
    reading = Reading(program, key, statement, known, pauses)
    asking = Asking(reading)
    asked = (q for q in asking.questions() if q.subject not in _completed_before(spot, known))
    questions = tuple(asking.waited_for(q) for q in asked)
    woken = asking.is_woken or (bool(questions) and all(q.waited for q in questions))
    place = statement.place
    return Loop(
        path=key.path,
        place=place,
        function=program.function(key),
        drain=program.drain(key, place.line),
        confidence=Confidence.HIGH if any(q.certain for q in questions) else Confidence.MEDIUM,
        text=_header(statement),
        questions=questions,
        pauses=tuple(reading.pauses),
        is_pure_wait=reading.pure
        and not reading.works
        and asking.asks_to_leave
        and not (_reports_by_trade(program, key, reading) and _is_last_act(spot)),
        idle_turns=reading.pure
        and not (reading.blocks or reading.lingers)
        and not _searches(statement, reading),
        deadline=reading.deadline or timeout_around(program, key, spot, known),
        blocks_on_question=woken,
        turns=reading.turns,
        lasts=span_of(program, key, statement, (*reading.exits, *reading.checks))
        if isinstance(statement, While)
        else None,
        blocks=reading.blocks or reading.works,
        is_own_job=_own_job(program, key, questions),
        keeps_time=keeps_time(statement, frozenset(pauses))
        or any(p.is_rest_of_period for p in reading.pauses),
        idles=reading.idles,
        reports=tuple(reading.reports),
        attempts=tuple(attempts(statement, known, pauses, sleeps=reading.idles)),
        losers=tuple(losers(statement, known, pauses, only_waits=reading.pure and not woken)),
    )


def _header(statement: While | For) -> str:
    if isinstance(statement, While):
        return f"while {statement.test.text}"
    return f"for {statement.target.text} in {statement.iterable.text}"


def _searches(statement: While | For, reading: Reading) -> bool:
    """Whether a loop walks through what it has, or works something out, rather than wait.

    It is a `for`, or what it asks about it has made itself: a counter, a link, a longer list.
    """
    if isinstance(statement, For):
        return reading.turns is None
    read = [part for test in tests_of(statement) for part in test.walk()]
    asked = {part.path for part in read if part.path} | reading.told_by_tests
    made = [s for s in statement.walk() if isinstance(s, Assign) and s.value is not None]
    own = {t.path for s in made for t in s.targets if t.path} - reading.bounds.counted
    own |= {t.path for s in made if s.operator for t in s.targets}
    moved = {t.path for s in made if s.operator or _made_of(s.value, own) for t in s.targets}
    moved |= {t.path for s in made if _is_drawn(reading, s.value) for t in s.targets}
    moved |= {t.path for s in made if _is_next_of(reading, s.value) for t in s.targets}
    unseen = any(isinstance(part, Text) for part in read)  # nothing is known of its braces
    grown = added_to(statement) & asked
    return bool(asked & moved or grown or (moved and unseen))


def _made_of(value: Expression | None, own: AbstractSet[str]) -> bool:
    """Whether a value is worked out from names that the loop sets itself, by no question."""
    parts = [] if value is None else list(value.walk())
    if any(isinstance(part, Call | Comprehension) for part in parts):
        return False
    return any(part.path and (part.path in own or _head(part.path) in own) for part in parts)


def _is_drawn(reading: Reading, value: Expression | None) -> bool:
    """Whether a value is drawn by chance: the next draw ends the loop, nobody else."""
    path = value.func.path if isinstance(value, Call) else ""
    return reading.program.library(reading.key, path).startswith(CHANCE)


def _is_next_of(reading: Reading, value: Expression | None) -> bool:
    """Whether a value is the one of several that a count of turns points at: `hosts[turn]`."""
    return isinstance(value, Subscript) and value.index.path in reading.bounds.counted


def _head(path: str) -> str:
    return path.partition(".")[0]


def _reports_by_trade(program: Program, key: FunctionId, reading: Reading) -> bool:
    """Whether a worker does nothing but report until it is told to stop: a spinner."""
    condition = isinstance(reading.statement, While) and not is_endless(reading.statement.test)
    told_to_stop = condition and not reading.exits and not reading.deadline
    reports = any(is_log(one.call) for one in reading.known.values() if _is_within(one, reading))
    return told_to_stop and reports and bool(program.roles.registered(key) & WORKERS)


def _is_last_act(spot: Spot) -> bool:
    """Whether nothing but a farewell follows a loop, no further turn either: no work waits."""
    later = (s for following in spot.following() for s in following.walk())
    return next(spot.loops, None) is None and not any(
        isinstance(part, Call) and not is_log(part)
        for statement in later
        for expression in statement.expressions
        for part in expression.walk()
    )


def _is_within(one: Known, reading: Reading) -> bool:
    return any(outer is reading.statement for outer in one.occurrence.spot.loops)


def _completed_before(spot: Spot, known: Mapping[int, Known]) -> frozenset[str]:
    """The futures that the statements right before a loop complete: nobody waits for those."""
    done = (known.get(id(s.value)) for s in spot.preceding() if isinstance(s, Do))
    return frozenset(
        one.subject
        for one in done
        if one is not None and one.does == "set" and one.kind is not None
        if one.kind.nature in FUTURES
    )


def _own_job(program: Program, key: FunctionId, questions: tuple[Question, ...]) -> bool:
    """Whether the loop belongs to what waits: its class is a queue, or wraps one."""
    function = program.function(key)
    if function.implements in OWN and function.service is None:
        return True
    name = function.short_name.strip("_")
    return "." in function.name and any(q.text.endswith(f".{name}()") for q in questions)
