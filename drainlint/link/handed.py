"""Waits that a method of the project makes for its caller, bounded by what it is given or not.

`def wait(self, timeout=None): return self._done.wait(timeout)` leaves the decision to its caller;
whoever calls it without one waits for ever. So does whoever calls a `wait()` that takes no timeout
and waits for an event. The `wait()` of a wait group waits for work that is done: that is its job,
and the fault is that of a stop which calls it.
"""

from drainlint.link.calls import SWITCHES, Known
from drainlint.link.names import FunctionId
from drainlint.link.program import IMPLEMENTED, Program
from drainlint.link.results import parameters_of
from drainlint.link.surroundings import occurrences
from drainlint.model.deadline import Bound
from drainlint.model.expression import Constant, Expression

WAITING = frozenset({"wait", "join", "result", "exception", "get", "wait_for", "communicate"})
"""Names of methods that say that they wait."""
HANDED_ON = frozenset({"wait", "join"})
"""What such a method hands on."""
WAITED_ON = (IMPLEMENTED - {"executor"}) | {"aio-condition", "aio-event", "aio-future", "aio-queue"}
"""Natures of what is built to be waited for: whoever wraps one hands the wait on."""


PARTNERS = {
    "acquire": {"release"},
    "get": {"put", "put_nowait"},
    "put": {"get", "get_nowait"},
    "result": {"set_result", "set_exception"},
    "exception": {"set_result", "set_exception"},
    "wait": {"set", "notify", "notify_all", "done", "count_down"},
    "join": {"task_done"},
}
"""Methods whose job it is to wait, in a class that has one of those that end the wait."""
SPAWNING = ("create_task", "start_soon")
STOPPING = ("stop", "close", "aclose", "shutdown", "disconnect")
EVENTS = frozenset({"event", "aio-event"})
BUILT_ON = frozenset({"condition", "event", "lock", "rlock", "semaphore"})
"""What locks, queues, futures and events are built on."""


def hands_on(known: Known) -> bool:
    """Whether a call stands in a method of the same name, which hands the wait on."""
    function = known.function
    return function.short_name.strip("_") == known.call.method and "." in function.name


def is_own_job(known: Known) -> bool:
    """Whether a wait is the job of its method, as that of a wait group: its callers are judged."""
    if _is_task_group(known) or _is_given(known):
        return True
    if known.kind is None:
        return False
    return (hands_on(known) and known.kind.nature in WAITED_ON) or (
        known.kind.nature in BUILT_ON and _is_partner(known)
    )


def _is_given(known: Known) -> bool:
    """Whether it was given an event's `wait` itself: `async def until(told): await told()`.

    What that waits for is its caller's choice, the request to stop itself as a rule.
    """
    if known.kind is None or known.kind.nature not in EVENTS:
        return False
    entry = known.program.names.function(known.key)
    return any(p.name == known.call.func.path for p in entry.parameters)


def _is_task_group(known: Known) -> bool:
    """Whether it is the end of a task group's block, which waits for the tasks begun in it.

    A class that can be stopped as well is a service, and its block ends by stopping it.
    """
    owner = known.program.classes.owner(known.key)
    if owner is None or known.function.short_name != "__aexit__":
        return False
    method = known.program.classes.method
    spawns = any(method(owner, name) is not None for name in SPAWNING)
    return spawns and not any(method(owner, name) is not None for name in STOPPING)


def _is_partner(known: Known) -> bool:
    """Whether its class has the other half of it: what `release` gives back, `acquire` takes."""
    owner = known.program.classes.owner(known.key)
    partners = PARTNERS.get(known.function.short_name.strip("_"), set())
    if owner is None or known.function.service is not None:
        return False
    return any(known.program.classes.method(owner, p) is not None for p in partners)


def waits_by_default(known: Known) -> str:
    """The verb (`wait`, `join`) of the wait that a call makes through a method of the project.

    Empty where it makes none, or gives it a timeout.
    """
    if known.call.method not in WAITING or known.call.receiver is None or known.call.is_open:
        return ""
    for target in known.program.graph.targets(known.key, known.call):
        entry = known.program.names.function(target)
        if entry.is_async and not known.awaited:
            continue
        verb, parameter, nature = _handed_on(known.program, target)
        given = dict(parameters_of(entry, known.call, bound=bool(entry.owner)))
        if any(_is_false(given.get(name)) for name in SWITCHES):
            continue
        if verb and not parameter:
            return verb if known.drain is not None or nature == "event" else ""
        if verb and (
            parameter not in given or known.program.values.is_none(known.key, given[parameter])
        ):
            return verb
    return ""


def _is_false(value: Expression | None) -> bool:
    return isinstance(value, Constant) and value.value is False


def _handed_on(program: Program, key: FunctionId) -> tuple[str, str, str]:
    """The verb of a function's own wait, the parameter that may bound it, and what it waits for."""
    body = program.bodies.get(key)
    if body is None:
        return "", "", ""
    for occurrence in occurrences(body, key.path):
        inner = Known(program, occurrence)
        if inner.facts is None or inner.does not in HANDED_ON:
            continue
        deadline = program.values.deadline(key, inner.call, inner.facts)
        if deadline.bound is Bound.HANDED_ON and not inner.is_asynchronous:
            return inner.does, deadline.text, ""
        if deadline.is_none and not inner.bounded_by and is_own_job(inner):
            return inner.does, "", inner.kind.nature if inner.kind is not None else ""
    return "", "", ""
