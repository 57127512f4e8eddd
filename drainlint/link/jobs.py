"""Jobs that are seen to end in time, whoever runs them."""

from collections.abc import Iterator

from drainlint.index.entries import FunctionEntry
from drainlint.link.calls import Known
from drainlint.link.names import FunctionId
from drainlint.link.origins import made, runs, ways
from drainlint.link.program import Program
from drainlint.link.roots import WHOLE
from drainlint.model.expression import Call, Comprehension, Expression

PATIENT = frozenset({"join", "wait", "take", "network", "process", "io", "select", "sleep"})
"""Verbs of calls that may keep a job from ending in time."""
FUTURES = frozenset({"future", "result"})


def is_bounded(program: Program, job: FunctionId | None) -> bool:
    """Whether a job is seen to end in time: no loops, no waits, nobody else's code or hosts."""
    return job is not None and None not in _bounds(program, job)


def waits_for_bounded_jobs(known: Known) -> bool:
    """Whether all that is waited for are jobs which bound what they wait for themselves.

    A job of which nothing is known may wait for anything.
    """
    jobs = list(_jobs(known))
    return bool(jobs) and all(_bounds_itself(known.program, job) for job in jobs)


def _bounds_itself(program: Program, job: FunctionId | None) -> bool:
    bounds = set() if job is None else set(_bounds(program, job))
    return True in bounds and None not in bounds


def _jobs(known: Known) -> Iterator[FunctionId | None]:
    """The functions that run for what a call waits for; None for one that is not known."""
    thing = _waited_for(known)
    if thing is None:
        return
    for _, way in ways(known.program, known.key, thing.path):
        if isinstance(way.value, Comprehension) and way.value.kind == "dict":
            # its keys are the futures: `{pool.submit(fetch, url): url for url in urls}`
            for call in known.program.names.function(known.key).calls:
                yield from _run_by(known.program, known.key, call)
    for scope, call in made(known.program, known.key, thing):
        yield from _run_by(known.program, scope, call)


def _run_by(program: Program, key: FunctionId, call: Call) -> Iterator[FunctionId | None]:
    """What a call hands on to be run; None for what is not known, nothing for other calls.

    What an event loop is to run waits for the loop, too, which may be held up or gone.
    """
    known = program.facts(key, call)
    handed = () if known is None else known[0].runs
    if any(one.role == "task" for one in handed):
        yield None
        return
    if any(call.argument(one.argument, one.at) is not None for one in handed):
        yield from tuple(runs(program, key, call)) or (None,)


def _waited_for(known: Known) -> Expression | None:
    if known.facts is not None and known.facts.name.startswith("concurrent.futures."):
        library = known.program.library(known.key, known.call.func.path)
        if library and known.call.arguments:
            return known.call.arguments[0].value
    of_future = known.kind is not None and known.kind.nature in FUTURES
    return known.call.receiver if of_future else None


def _bounds(program: Program, job: FunctionId) -> Iterator[bool | None]:
    """For every wait of a job: True where it has a bound; None for what may never end."""
    for function in {job, *program.drain_paths.closure(job)}:
        entry = program.names.function(function)
        if entry.turns or _runs_what_it_is_given(entry):
            yield None
        for call in entry.calls:
            known = program.facts(function, call)
            if known is not None and known[0].does in PATIENT:
                endless = program.values.deadline(function, call, known[0]).is_none
                yield None if endless else True


def _runs_what_it_is_given(entry: FunctionEntry) -> bool:
    """Whether it calls what it is given: `func()`, `job.func(*job.args)`. That is up to others.

    So is how long what it is given takes to end: `session.disconnect()`.
    """
    given = {p.name for p in entry.parameters}
    others = {p.name for p in entry.parameters[1 if entry.owner else 0 :]}
    heads = ((call, call.func.path.partition(".")[0]) for call in entry.calls)
    return any(
        call.func.path in given
        or (call.is_open and head in given)
        or (head in others and WHOLE.match(call.method) is not None)
        for call, head in heads
    )
