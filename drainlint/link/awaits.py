"""Builds waits from awaits of a name: `await self.task`, `await asyncio.shield(self.task)`."""

from collections.abc import Iterator

from drainlint.finding import Confidence
from drainlint.link.calls import Known
from drainlint.link.cancelled import cancelled
from drainlint.link.elsewhere import SPAWNING, bounded_by_callers, runs_to_its_end
from drainlint.link.ended import Subject, is_over
from drainlint.link.feeds import ways
from drainlint.link.killings import killed_when_late
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.surroundings import Occurrence, Spot, spots
from drainlint.link.waits import THROUGH, callers_choice, controls_flow
from drainlint.model.deadline import FOREVER, Bound, Deadline
from drainlint.model.expression import Await, Call, Expression, Lambda, Subscript, Yield
from drainlint.model.kind import Kind
from drainlint.model.statement import Assign, Body
from drainlint.model.wait import Wait

AWAITED = frozenset({"task", "aio-future"})
BOUNDING = frozenset({"bound", "wait"})
"""Verbs of coroutine functions that a timeout may be given to."""
STEPS = 3
"""From a task to the coroutine that it runs, by names."""


def awaits(program: Program, key: FunctionId, body: Body) -> Iterator[Wait]:
    """The awaits of tasks and futures by their names, in source order."""
    for spot in spots(body.statements):
        for expression in spot.statement.expressions:
            for named, around in _awaited(expression, ()):
                found = _wait(program, key, spot, named, around)
                if found is not None:
                    yield found


def _awaited(
    expression: Expression, around: tuple[Expression, ...]
) -> Iterator[tuple[Expression, tuple[Expression, ...]]]:
    """What is awaited by name, with the expressions around it, innermost first."""
    if isinstance(expression, Lambda):
        return
    if isinstance(expression, Await | Yield) and expression.value is not None:
        value, outside = expression.value, (expression, *around)
        if isinstance(value, Call) and value.method in THROUGH and value.arguments:
            value, outside = value.arguments[0].value, (value, *outside)
        if value.path or isinstance(value, Subscript):
            yield value, outside
    for part in expression.parts:
        yield from _awaited(part, (expression, *around))


def _wait(
    program: Program, key: FunctionId, spot: Spot, named: Expression, around: tuple[Expression, ...]
) -> Wait | None:
    place = spot.statement.place
    # The pseudo call stands for the await: it has its surroundings, and nothing is called.
    known = Known(program, Occurrence(Call(named, (), place), spot, key, around))
    kind = program.kinds.of(key, named)
    evidence = _evidence(known, kind, named)
    if evidence is None or known.drain is None or _is_run_here(known, named):
        return None
    choice = callers_choice(known, given=False)
    return Wait(
        path=key.path,
        place=place,
        function=known.function,
        drain=known.drain,
        confidence=evidence,
        text=f"await {named.text}",
        verb="await",
        subject=named.text,
        nature=kind.nature if kind is not None else "task",
        type=kind.short if kind is not None else "",
        deadline=Deadline(Bound.HANDED_ON, text=choice) if choice else FOREVER,
        can_be_bounded=False,
        awaited=True,
        awaited_here=True,
        bounded_by=known.bounded_by
        or _bounded_itself(known, named)
        or runs_to_its_end(program, key, named)
        or bounded_by_callers(program, key),
        ended=is_over(known, Subject.named(known, named)),
        killed=killed_when_late(known, Subject.named(known, named)),
        cancelled=cancelled(known),
        own_job=controls_flow(known),
    )


def _is_run_here(known: Known, named: Expression) -> bool:
    """Whether it is a task made just before, of a coroutine of the project's own.

    Then this is a call of that coroutine, and is judged where that waits.
    """
    for statement in known.occurrence.spot.preceding():
        if not isinstance(statement, Assign) or statement.value is None:
            continue
        if any(target.text == named.text for target in statement.targets):
            task = statement.value
            runs = isinstance(task, Call) and task.method in SPAWNING and task.arguments
            run = task.arguments[0].value if isinstance(task, Call) and runs else None
            return isinstance(run, Call) and bool(known.program.graph.targets(known.key, run))
    return False


def _bounded_itself(known: Known, named: Expression) -> str:
    """The timeout of what a task runs: `create_task(asyncio.wait(tasks, timeout=3))`."""
    call = _made(known, named)
    for _ in range(STEPS):
        if call is None:
            return ""
        facts = known.program.facts(known.key, call)
        if facts is not None and facts[0].does in BOUNDING:
            deadline = known.program.values.deadline(known.key, call, facts[0])
            return "" if deadline.is_none else call.text
        if call.method not in SPAWNING or not call.arguments:
            return ""
        run = call.arguments[0].value
        call = run if isinstance(run, Call) else _made(known, run)
    return ""


def _made(known: Known, named: Expression) -> Call | None:
    """The call that a name gets its value from, where it is a single one."""
    values = [way.value for _, way in ways(known, named.path) if way.how == "assign"]
    return values[0] if len(values) == 1 and isinstance(values[0], Call) else None


def _evidence(known: Known, kind: Kind | None, named: Expression) -> Confidence | None:
    """How it is known that a task or future is awaited; None where it is something else."""
    if kind is not None and kind.nature in AWAITED:
        return kind.evidence
    if kind is not None and (kind.nature or kind.is_project):
        return None
    for _, way in ways(known, named.path):
        if isinstance(way.value, Call) and way.value.method in SPAWNING:
            return Confidence.MEDIUM
    return None
