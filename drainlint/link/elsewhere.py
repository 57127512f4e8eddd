"""Bounds that stand elsewhere: around every call of a coroutine, in the client of a call."""

from collections.abc import Iterator

from drainlint.index.entries import Awaited, FunctionEntry, Turn
from drainlint.knowledge.names import named
from drainlint.link.bounds import CLOCKS
from drainlint.link.calls import Known
from drainlint.link.feeds import calls_about
from drainlint.link.names import FunctionId, Variable
from drainlint.link.origins import identity, made, ways
from drainlint.link.program import Program
from drainlint.link.roots import said_by
from drainlint.link.surroundings import occurrences
from drainlint.model.expression import (
    Argument,
    Await,
    Call,
    Compare,
    Comprehension,
    Constant,
    Expression,
)
from drainlint.model.place import Place

SPAWNING = frozenset(
    {"create_task", "ensure_future", "create_background_task", "async_create_task"}
)
"""Methods whose result is a task, whatever they are called on."""
RUNNING = SPAWNING | {"Thread", "submit"}
"""What starts something and does not wait for it: a `timeout=` of it is something else."""
GRANTED_WITHIN = 2
"""Through how many calls a timeout is looked for in a stop."""
DEPTH = 4
"""How many callers up a bound is looked for."""
CLIENTS = frozenset({"client", "limits"})
"""Verbs of calls whose timeout bounds all that is asked through what they make."""


def bounded_by_callers(program: Program, key: FunctionId, depth: int = 0) -> str:
    """The timeout that every caller of a coroutine puts around it; empty where one does not.

    Only those count that run while the program stops.
    """
    callers = program.graph.callers.get(key, set())
    if depth > DEPTH or not callers or not program.names.function(key).is_async:
        return ""
    if program.roles.registered(key) - {"task"} or _is_entered_from_outside(program, key):
        return ""
    found = ""
    for caller in sorted(callers - {key}):
        place = program.graph.callees[caller][key]
        if program.drain(caller, place.line) is None:
            continue
        found = _around(program, caller, place) or bounded_by_callers(program, caller, depth + 1)
        if not found:
            return ""
    return found


def _is_entered_from_outside(program: Program, key: FunctionId) -> bool:
    """Whether it is where a drain path begins, under a name that others may call.

    What the main flow alone calls is its program's own: nobody else enters it.
    """
    own = program.names.function(key).short_name.startswith("_")
    if own or key in program.roles.helpers:
        return False
    return any(r.function == key and not r.first_line for r in program.drain_paths.roots)


def _around(program: Program, caller: FunctionId, place: Place) -> str:
    """The timeout around a call at this place of a function."""
    body = program.bodies.get(caller)
    if body is not None:
        for occurrence in occurrences(body, caller.path):
            if occurrence.call.place == place and (around := Known(program, occurrence).bounded_by):
                return around
    entry = program.names.function(caller)
    for call in entry.calls:
        if call.place != place and call.place.holds(place):
            facts = program.facts(caller, call)
            if facts is not None and facts[0].does == "bound":
                return call.text
            if not entry.is_async and (limit := _limit_of(entry, call)):
                return limit
    return ""


def _limit_of(entry: FunctionEntry, runner: Call) -> str:
    """How long a plain function waits for a coroutine that it hands to a loop elsewhere.

    `run(self.close(), timeout=5)`, or `schedule(self.close()).result(timeout=5)`.
    """
    if runner.method not in RUNNING and _is_number(runner.argument("timeout")):
        return runner.text
    results = [c for c in entry.calls if c.method == "result" and c.receiver is not None]
    given = [c.argument("timeout", 0) for c in results]
    return results[0].text if given and all(map(_is_number, given)) else ""


def _is_number(value: Expression | None) -> bool:
    return value is not None and not (isinstance(value, Constant) and value.value is None)


def bounded_in_each(known: Known) -> str:
    """The timeout within what a call gathers, or races against; empty where it may wait for ever.

    Only what is called on the spot is known well enough, `gather(*(end(child) for child in all))`,
    and what a collection of tasks was filled with: `tasks.append(create_task(end(child)))`.
    """
    if known.call.method == "wait":
        return _races(known) or _ended_each(known)
    if known.call.method != "gather":
        return ""
    given = [argument for argument in known.call.arguments if not _is_flag(argument)]
    if [argument.name for argument in given] == ["*"] and given[0].value.path:
        return runs_to_its_end(known.program, known.key, given[0].value)
    each = [_called(argument.value) for argument in given]
    calls = [call for call in each if call is not None]
    if not calls or len(calls) < len(each):
        return ""
    if not all(
        _is_bounded(known.program, known.key, call, 0) or _ends(known, call) for call in calls
    ):
        return ""
    return calls[0].text


def _ended_each(known: Known) -> str:
    """The stop that each of the tasks runs which are waited for, where it bounds itself."""
    path = known.call.arguments[0].value.path if known.call.arguments else ""
    made_of = [way.value for _, way in ways(known.program, known.key, path)]
    tasks = [call for value in made_of if (call := _called(value)) is not None]
    runs = [t.arguments[0].value for t in tasks if t.method in SPAWNING and t.arguments]
    each = [run for run in runs if isinstance(run, Call) and _ends(known, run)]
    return each[0].text if each and len(each) == len(made_of) else ""


def _ends(known: Known, call: Call) -> bool:
    """Whether it is a stop of the project's own that grants something it waits for a time.

    What else that stop waits for is judged where it does so.
    """
    targets = known.program.graph.targets(known.key, call)
    return bool(targets) and all(
        bool(said_by(known.program.names.function(target).short_name))
        and _grants_time(known.program, target, GRANTED_WITHIN)
        for target in targets
    )


def _grants_time(program: Program, key: FunctionId, hops: int) -> bool:
    """Whether a coroutine, or one that it calls, gives something that it waits for a timeout."""
    for call in program.names.function(key).calls:
        facts = program.facts(key, call)
        if facts is None:
            inner = program.graph.targets(key, call) if hops else ()
            granted = any(_grants_time(program, target, hops - 1) for target in inner)
        else:
            limited = facts[0].does == "bound" or bool(facts[0].timeout)
            granted = limited and not program.values.deadline(key, call, facts[0]).is_none
        if granted:
            return True
    return False


def _races(known: Known) -> str:
    """What ends `asyncio.wait({task, other}, return_when=FIRST_COMPLETED)`: a sleep, or a stop."""
    until = known.call.argument("return_when")
    given = known.call.arguments[0].value if known.call.arguments else None
    if until is None or not until.text.endswith("FIRST_COMPLETED") or given is None:
        return ""
    for part in given.parts:
        for call in _run_by(known, part):
            facts = known.program.facts(known.key, call)
            sleeps = facts is not None and facts[0].does == "sleep"
            if sleeps or known.program.drain_paths.is_stop_wait(known.key, call):
                return call.text
    return ""


def _run_by(known: Known, task: Expression) -> Iterator[Call]:
    """The calls of the coroutines that something is, or runs as a task."""
    values = [task, *(way.value for _, way in ways(known.program, known.key, task.path))]
    for call in (value for value in values if isinstance(value, Call)):
        yield call
        if call.method in SPAWNING and call.arguments:
            run = call.arguments[0].value
            if isinstance(run, Call):
                yield run


def _is_flag(argument: Argument) -> bool:
    return argument.name == "return_exceptions"


def _called(value: Expression) -> Call | None:
    """The call that makes a coroutine, or each one of several."""
    made = value.element if isinstance(value, Comprehension) else value
    return made if isinstance(made, Call) else None


def ends_by_itself(program: Program, key: FunctionId, depth: int = 0) -> bool:
    """Whether a coroutine awaits only what has a timeout, or what ends by itself in turn."""
    entry = program.names.function(key)
    is_abstract = not entry.calls or "NotImplementedError" in entry.raises
    if depth > DEPTH or not entry.is_async or is_abstract:
        return False
    if not all(_ends_in_time(turn) for turn in entry.turns):
        return False
    if not all(_is_soon_over(program, key, awaited, depth) for awaited in entry.awaits):
        return False
    by_name = [awaited.value for awaited in entry.awaits]
    return all(
        _is_bounded(program, key, awaited, depth)
        if isinstance(awaited, Call)
        else _is_soon_free(program, key, awaited)
        for awaited in entry.checkpoints
        if awaited not in by_name
    )


def _ends_in_time(turn: Turn) -> bool:
    """Whether a loop goes on only while a clock is short of something: `while now() < deadline`."""
    test = turn.test
    if not isinstance(test, Compare) or not set(test.operators) <= {"<", "<="}:
        return False
    return any(isinstance(part, Call) and part.method in CLOCKS for part in test.left.walk())


def _is_soon_over(program: Program, key: FunctionId, awaited: Awaited, depth: int) -> bool:
    """Whether a task that a function awaits was cancelled there before, or has an end itself."""
    cancelled = any(
        call.method == "cancel"
        and call.receiver is not None
        and call.receiver.path == awaited.value.path
        and call.place.line <= awaited.place.line
        for call in program.names.function(key).calls
    )
    return cancelled or bool(runs_to_its_end(program, key, awaited.value, depth + 1))


def runs_to_its_end(program: Program, key: FunctionId, task: Expression, depth: int = 0) -> str:
    """The coroutine of the project that a task runs, where all that it waits for has an end."""
    spawned = [
        (scope, call.arguments[0].value)
        for scope, call in made(program, key, task)
        if call.method in SPAWNING and call.arguments
    ]
    for scope, run in spawned:
        targets = program.graph.targets(scope, run) if isinstance(run, Call) else ()
        if not targets or not all(ends_by_itself(program, t, depth) for t in targets):
            return ""
    return spawned[0][1].text if spawned else ""


def _is_soon_free(program: Program, key: FunctionId, awaited: Expression) -> bool:
    """Whether it is a lock that nobody holds while he waits: whoever wants it has it at once."""
    kind = program.kinds.of(key, awaited)
    lock = identity(program, key, awaited.path)
    if kind is None or kind.nature != "aio-lock" or lock is None:
        return False
    return not any(
        entered.first_line <= place.line <= entered.last_line
        for name, entry in program.names.modules[key.path].functions.items()
        for entered in entry.entered
        if identity(program, FunctionId(key.path, name), entered.value.path) == lock
        for place in _waiting(entry)
    )


def _waiting(entry: FunctionEntry) -> Iterator[Place]:
    """Where a function awaits something."""
    yield from (awaited.place for awaited in entry.awaits)
    yield from (call.place for call in entry.calls if call in entry.checkpoints)


def _is_bounded(program: Program, key: FunctionId, awaited: Call, depth: int) -> bool:
    if awaited.method == "shield" and awaited.arguments and awaited.arguments[0].value.path:
        return bool(runs_to_its_end(program, key, awaited.arguments[0].value, depth + 1))
    facts = program.facts(key, awaited)
    if facts is not None:
        limited = facts[0].does == "bound" or bool(facts[0].timeout)
        deadline = program.values.deadline(key, awaited, facts[0]) if limited else None
        return facts[0].does == "sleep" or (deadline is not None and not deadline.is_none)
    if any(_is_limit(argument) for argument in awaited.arguments):
        return True
    targets = program.graph.targets(key, awaited)
    return bool(targets) and all(ends_by_itself(program, t, depth + 1) for t in targets)


def _is_limit(argument: Argument) -> bool:
    """Whether it says how long something may take, by its name or its value's."""
    path = argument.value.path
    return "timeout" in path.lower() or ("timeout" in argument.name and _is_number(argument.value))


# Clients


def limited(known: Known) -> str:
    """What bounds a network call although it names no timeout; empty for nothing.

    A default for all sockets of the program, an adapter or wrapper that adds one to a session, a
    connection that is only made later, with a timeout.
    """
    for call in _set_up(known):
        facts = known.program.facts(known.key, call)
        sets = facts is not None and facts[0].does == "settimeout" and bool(call.arguments)
        if sets and not _is_none(call.arguments[0].value):
            return call.text
        if call.method == "mount" and any(_is_adapter(a.value) for a in call.arguments[1:]):
            return call.text
        if named("connects", call.method) and call.argument("timeout") is not None:
            return call.text
    return _made_with(known) or ("its requests are wrapped" if _is_wrapped(known) else "")


def _made_with(known: Known) -> str:
    """The call that made the client with a timeout for all its requests."""
    path = "" if known.call.receiver is None else known.call.receiver.path
    for scope, way in ways(known.program, known.key, path):
        making = way.value.value if isinstance(way.value, Await) else way.value
        if not isinstance(making, Call):
            continue
        if any(
            named("notices-silence", a.name) and not _is_none(a.value) for a in making.arguments
        ):
            return making.text
        facts = known.program.facts(scope, making)
        if facts is None or facts[0].does not in CLIENTS:
            continue
        given = making.argument(facts[0].timeout, facts[0].at)
        if given is not None and not _is_none(given):
            return making.text
    return ""


def serves_workers(known: Known) -> bool:
    """Whether a worker asks through the client that a call makes, wherever it is made."""
    program, path = known.program, known.key.path
    things = {identity(program, known.key, name) for name in _targets(known)} - {None}
    return bool(things) and any(
        call.receiver is not None and identity(program, scope, call.receiver.path) in things
        for name, entry in program.names.modules[path].functions.items()
        if program.function(scope := FunctionId(path, name)).worker
        for call in entry.calls
        if call.receiver is not None and call.receiver.path
    )


def _is_wrapped(known: Known) -> bool:
    """Whether the session's own `request` is replaced, as by `partial(..., timeout=5)`."""
    subject = known.subject
    functions = known.program.names.modules[known.key.path].functions
    return bool(subject) and any(f"{subject}.request" in e.bindings for e in functions.values())


def _set_up(known: Known) -> Iterator[Call]:
    """The calls on the client, wherever it is set up, and those that speak of all sockets."""
    path = "" if known.call.receiver is None else known.call.receiver.path
    resolved = known.program.names.resolve(known.key, path) if path else None
    is_ours = resolved is not None and isinstance(resolved.symbol, Variable)
    for name in [path] if is_ours else sorted(set(_targets(known))):
        for _, call in calls_about(known, name):
            yield call
    for entry in known.program.names.modules[known.key.path].functions.values():
        yield from (c for c in entry.calls if c.method == "setdefaulttimeout")


def _targets(known: Known) -> Iterator[str]:
    """The names that what is made here is given."""
    entry = known.program.names.function(known.key)
    for name, found in entry.bindings.items():
        for way in found:
            if any(e is known.call or e == known.call for e in way.value.walk()):
                yield name


def _is_none(value: Expression) -> bool:
    return isinstance(value, Constant) and value.value is None


def _is_adapter(value: Expression) -> bool:
    """Whether an adapter is one of the project's own, or is told a timeout."""
    text = value.text.lower()
    return "timeout" in text or (isinstance(value, Call) and value.method != "HTTPAdapter")
