"""Jobs that are soon over: whoever waits for one is not held up, whatever else goes wrong.

All that such a job calls is known to take no time or to be bounded, and its loops end by what it
was told before, or by the clock. What is not known may take for ever.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drainlint.knowledge import CallFacts
from drainlint.knowledge.names import named
from drainlint.link.bounds import Bounds
from drainlint.link.calls import Known, is_log
from drainlint.link.ended import statement_calls
from drainlint.link.endings import workers_of
from drainlint.link.fetched import is_computed
from drainlint.link.names import FunctionId
from drainlint.link.origins import Identity, identity
from drainlint.link.program import Program
from drainlint.link.turns import leaves
from drainlint.model.expression import Call, Constant, Expression, Group, Logic, Not
from drainlint.model.statement import Assign, For, If, Statement, While

AT_ONCE = frozenset({
    "set", "clear", "notify", "release", "log", "clock", "wall-clock", "cancel", "register",
    "start", "spawn", "exit", "hard-exit", "settimeout",
})  # fmt: skip
"""Verbs of calls that take no time."""
WAITS = frozenset({"sleep", "wait", "take", "select", "network", "process", "join", "io"})
"""Verbs of calls that take as long as they are granted."""
LONGEST = 5.0
"""Seconds that one wait of such a job may take."""
DEEP = 3
"""Through how many functions of the project a job is followed."""
TOLD_FEW = 8
"""How many statements up whoever waits may have told the job to end."""
ASKS = frozenset({"is_set", "isSet", "wait"})
PLAIN = frozenset({"list", "tuple", "dict", "set"})


@dataclass(frozen=True, slots=True)
class _Job:
    """A function of a job, and what the job was told to end by."""

    program: Program
    key: FunctionId
    told: frozenset[Identity]
    depth: int = 0


def is_soon_over(known: Known) -> bool:
    """Whether a thread is joined whose job is soon over, told to end or not."""
    if known.does != "join" or known.kind is None or known.kind.nature != "thread":
        return False
    jobs = workers_of(known)
    told = frozenset(_told(known)) if jobs else frozenset()
    return bool(jobs) and all(
        _has_its_time(known.program, job) and _is_brief(_Job(known.program, job, told))
        for job in jobs
    )


def _has_its_time(program: Program, job: FunctionId) -> bool:
    """Whether a job pauses, waits or goes round: a stub that does nothing says nothing."""
    entry = program.names.function(job)
    facts = (program.facts(job, call) for call in entry.calls)
    return bool(entry.turns) or any(one is not None and one[0].does in WAITS for one in facts)


def _told(known: Known) -> Iterator[Identity]:
    """The events and flags that were set just before."""
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > TOLD_FEW:
            return
        paths = [
            call.receiver.path
            for call in statement_calls(statement)
            if call.method == "set" and call.receiver is not None
        ]
        if isinstance(statement, Assign) and isinstance(statement.value, Constant):
            paths += [target.path for target in statement.targets]
        for path in paths:
            found = identity(known.program, known.key, path)
            if found is not None:
                yield found


def _is_brief(job: _Job) -> bool:
    """Whether all that a function does is known to be soon over."""
    entry = job.program.names.function(job.key)
    body = job.program.bodies.get(job.key)
    if body is None or entry.is_generator or entry.is_async or entry.entered:
        return False  # what it enters may be a lock that whoever waits for it holds
    return all(_is_over(job, inner) for outer in body.statements for inner in outer.walk())


def _is_over(job: _Job, statement: Statement) -> bool:
    if isinstance(statement, While) and not _ends(job, statement):
        return False
    if isinstance(statement, For) and not _is_finite(job, statement.iterable):
        return False
    return all(
        _takes_no_time(job, part)
        for expression in statement.expressions
        for part in expression.walk()
        if isinstance(part, Call)
    )


# Loops


def _ends(job: _Job, loop: While) -> bool:
    """Whether a loop ends by what the job was told, or by the clock."""
    bounds = Bounds(loop)
    ways_out = [s.test for s in loop.walk() if isinstance(s, If) and any(map(leaves, s.blocks))]
    if bounds.holds(loop.test, to_go_on=True) or any(map(bounds.holds, ways_out)):
        return True
    if isinstance(loop.test, Constant):
        return any(_is_told(job, test) for test in ways_out)
    return _is_told(job, loop.test)


def _is_told(job: _Job, test: Expression) -> bool:
    """Whether a test asks what the job was told to end by, whatever else it asks."""
    if isinstance(test, Logic):
        each = (_is_told(job, value) for value in test.values)
        return any(each) if test.operator == "and" else all(each)
    asked = test.value if isinstance(test, Not) else test
    path = asked.path
    if isinstance(asked, Call):
        path = asked.receiver.path if asked.receiver is not None and asked.method in ASKS else ""
    return bool(path) and identity(job.program, job.key, path) in job.told


def _is_finite(job: _Job, iterable: Expression) -> bool:
    """Whether what a loop goes over is all there: no queue, and no generator."""
    if isinstance(iterable, Group):
        return True
    if isinstance(iterable, Call):
        return True  # judged as a call
    kind = job.program.kinds.of(job.key, iterable)
    return kind is not None and kind.nature in PLAIN


# Calls


def _takes_no_time(job: _Job, call: Call) -> bool:
    """Whether a call is known to be over at once, or after the time that it is granted."""
    if is_log(call):
        return True
    known = job.program.facts(job.key, call)
    if known is not None:
        shows = known[1] is not None and known[1].nature == "file" and known[0].does == "write"
        return shows or _is_granted_little(job, call, known[0])
    targets = job.program.graph.targets(job.key, call)
    if targets:
        further = (_Job(job.program, t, job.told, job.depth + 1) for t in targets)
        return job.depth < DEEP and all(_is_brief(one) for one in further)
    return call.func.path == "next" or is_computed(call) or named("keeps", call.method)


def _is_granted_little(job: _Job, call: Call, facts: CallFacts) -> bool:
    if not facts.does or facts.does in AT_ONCE:
        return True
    if facts.does not in WAITS:
        return False
    if facts.does == "sleep":
        seconds = job.program.values.number(job.key, call.argument(facts.timeout, facts.at))
        return seconds is not None and seconds <= LONGEST
    deadline = job.program.values.deadline(job.key, call, facts)
    return deadline.seconds is not None and deadline.seconds <= LONGEST
