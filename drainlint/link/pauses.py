"""Builds pauses: sleeps, and timed waits that serve as one."""

import re
from collections.abc import Iterator

from drainlint.finding import Confidence
from drainlint.knowledge import CallFacts
from drainlint.knowledge.names import named
from drainlint.link.bounds import CLOCKS
from drainlint.link.calls import Known, is_log
from drainlint.link.names import FunctionId, Variable
from drainlint.link.program import Program
from drainlint.link.roles import WORKERS
from drainlint.model.deadline import Bound
from drainlint.model.expression import Arithmetic, Call, Constant, Expression, Not
from drainlint.model.function import Function
from drainlint.model.pause import Pause
from drainlint.model.statement import Assign, Do, If, Return, Statement, Try, With

EVENTS = frozenset({"event", "aio-event", "condition"})


def pause(known: Known, *, in_loop: bool) -> Pause | None:
    """The pause that a call is; None for any other call."""
    if known.does == "sleep":
        return _sleep(known, in_loop=in_loop)
    if known.facts is None and known.call.method == "sleep":
        return _sleep_by_name(known, in_loop=in_loop)
    if known.kind is None or known.does != "wait" or known.kind.nature not in EVENTS:
        return None
    return _timed_wait(known, in_loop=in_loop)


def _sleep(known: Known, *, in_loop: bool) -> Pause | None:
    facts = known.facts
    if facts is None or (facts.asynchronous and not known.awaited and not _is_spawned(known)):
        return None
    call = known.call
    given = call.argument(facts.timeout, facts.at)
    period = _period(known, given)
    seconds = known.program.values.number(known.key, given if period is None else period)
    if given is None:
        seconds = None if call.is_open else facts.default
    elif seconds is not None and facts.unit == "ms":
        seconds /= 1000
    return Pause(
        **known.noun,
        text=call.text,
        seconds=seconds,
        cancellable=_is_cancellable(facts),
        in_loop=in_loop,
        is_a_step=not in_loop and _is_a_step(known),
        is_rest_of_period=period is not None,
        in_signal_handler="signal-handler" in known.program.roles.registered(known.key),
        lets_traffic_drain=_after_readiness(known),
        interrupted_by_signal=_cut_by_signal(known),
        ends_by_raising=_ended_by_handler(known),
    )


def _is_a_step(known: Known) -> bool:
    """Whether it waits for something to settle: it follows an act, or stands in no branch.

    After a way out that gives what was found, it is the pause of who found nothing.
    """
    before = known.occurrence.spot.block[: known.occurrence.spot.index][-1:]
    if any(isinstance(s, Do) and isinstance(s.value, Call) and not is_log(s.value) for s in before):
        return True
    spots = list(known.occurrence.spot.outward())
    return all(
        spot.owner is None or (isinstance(spot.owner, With | Try) and spot.section == "body")
        for spot in spots
    ) and not any(
        isinstance(inner, Return)
        and inner.value is not None
        and not isinstance(inner.value, Constant)
        for spot in spots
        for before in spot.block[: spot.index]
        for inner in before.walk()
    )


def _period(known: Known, given: Expression | None) -> Expression | None:
    """The period whose rest a pause takes: `1.0` in `max(0, 1.0 - (time.time() - began))`."""
    for part in () if given is None else _stands_for(known, given):
        inner = [part]
        if isinstance(part, Call) and part.method == "max":
            inner = [a.value for a in part.arguments if not isinstance(a.value, Constant)]
        rest = inner[0] if len(inner) == 1 else None
        if isinstance(rest, Arithmetic) and rest.operator == "-" and rest.left is not None:
            elapsed = any(_is_elapsed(known, e) for e in _stands_for(known, rest.right))
            return rest.left if elapsed else None
    return None


def _stands_for(known: Known, value: Expression) -> list[Expression]:
    """A value, or what a name of the function is bound to on its one assignment."""
    if not value.path or "." in value.path:
        return [value]
    ways = known.program.names.function(known.key).bindings.get(value.path, ())
    return [way.value for way in ways] if len(ways) == 1 and ways[0].how == "assign" else []


def _is_elapsed(known: Known, value: Expression) -> bool:
    """Whether a value is the time since a moment: a difference, or its length in seconds."""
    if isinstance(value, Call) and value.method == "total_seconds":
        value = value.receiver or value
    difference = isinstance(value, Arithmetic) and value.operator == "-" and value.left is not None
    return difference and any(
        isinstance(e, Call) and e.method in CLOCKS
        for part in value.walk()
        for stands in _stands_for(known, part)
        for e in stands.walk()
    )


def _sleep_by_name(known: Known, *, in_loop: bool) -> Pause | None:
    """`await self.context.sleep(0.1)`: nothing but its name says that it sleeps."""
    if known.program.graph.targets(known.key, known.call) or not known.call.arguments:
        return None
    return Pause(
        path=known.key.path,
        place=known.call.place,
        function=known.function,
        drain=known.drain,
        confidence=Confidence.LOW,
        text=known.call.text,
        seconds=known.program.values.number(known.key, known.call.arguments[0].value),
        cancellable=True,
        in_loop=in_loop,
    )


def _is_spawned(known: Known) -> bool:
    """`wait_for(sleep(5), ...)`, `gather(sleep(1), ...)`: awaited a little further out."""
    return any(isinstance(a, Call) for a in known.occurrence.around)


def _timed_wait(known: Known, *, in_loop: bool) -> Pause | None:
    facts, call = known.facts, known.call
    if facts is None:
        return None
    deadline = known.program.values.deadline(known.key, call, facts)
    if deadline.is_none:
        deadline = known.deadline_around
    if deadline.bound in (Bound.NONE, Bound.HANDED_ON):
        return None
    return Pause(
        **known.noun,
        text=call.text,
        seconds=None if deadline.bound is Bound.CALLER and deadline.polls else deadline.seconds,
        event=known.subject if is_set_somewhere(known) else "",
        cancellable=facts.asynchronous,
        is_timed_wait=True,
        in_loop=in_loop,
        in_signal_handler="signal-handler" in known.program.roles.registered(known.key),
    )


def is_set_somewhere(known: Known) -> bool:
    """Whether anybody sets (or notifies) the event; one made on the spot is nobody's."""
    receiver = known.call.receiver
    if receiver is None or isinstance(receiver, Call):
        return False
    resolved = known.program.names.resolve(known.key, receiver.path) if receiver.path else None
    if resolved is None or not isinstance(resolved.symbol, Variable):
        return True
    name = receiver.path.rpartition(".")[2]
    entry = known.program.names.function(resolved.symbol.scope)
    given = {p.name for p in entry.parameters}
    given |= {n for n, ways in entry.bindings.items() if any(w.how == "each" for w in ways)}
    local = not resolved.rest and resolved.symbol.scope == known.key and name not in given
    private = name.startswith("_") and len(resolved.rest) == 1
    return not (local or private) or name in known.program.touched


def _ended_by_handler(known: Known) -> bool:
    """Whether a handler that raises ends it; nothing is raised in a thread or a task.

    A process has a main flow of its own, and handlers that it registers itself.
    """
    if known.program.is_worker(known.function):
        alone = known.function.roles & WORKERS == {"process"}
        return alone and known.program.has_raising_handlers_of_its_own(known.key)
    return known.program.has_raising_handlers(known.key)


def _cut_by_signal(known: Known) -> bool:
    function = known.function
    if known.drain is not None and known.drain.sort == "signal":
        return False
    if _ended_by_handler(known):
        return True
    if known.program.is_worker(function):
        return False
    if known.catches("interrupt"):  # which only the main flow ever gets
        around = (known.key, *known.program.graph.callers.get(known.key, ()))
        return not any(known.program.has_returning_handler(key) for key in around)
    if not (function.main or function.helper or _is_command(function)):
        return False
    return not known.program.has_returning_handler(known.key)


def _is_command(function: Function) -> bool:
    """Whether it belongs to a command line and to nothing that lives on beside it."""
    return function.command_line and function.service is None


def _is_cancellable(facts: CallFacts) -> bool:
    """Whether killing the greenlet, or cancelling the task, ends it."""
    return facts.asynchronous or facts.name.startswith(("gevent.", "eventlet."))


def _after_readiness(known: Known) -> bool:
    """Whether the statements before it switch readiness off."""
    return any(_switches_readiness_off(s) for s in _few(known.occurrence.spot.preceding()))


def _few(statements: Iterator[Statement]) -> Iterator[Statement]:
    for _, statement in zip(range(6), statements, strict=False):
        yield statement
        if isinstance(statement, If):
            yield from statement.body


def _switches_readiness_off(statement: Statement) -> bool:
    match statement:
        case Assign(targets=(target, *_), value=Constant(value=bool(value))):
            name = target.text.rpartition(".")[2]
            if re.search(r"drain|shutting", name, re.IGNORECASE):
                return value
            return not value and named("readiness", name)
        case Assign(targets=(target, *_), value=Not()):
            return named("readiness", target.text)
        case Do(value=Call() as call):
            return bool(
                any(named("readiness", part) for part in call.func.text.split("."))
                and re.search(r"clear|not|un|off|disable|fail|false|down", call.text, re.IGNORECASE)
            )
    return False


# Pauses of the project's own


def pause_within(program: Program, key: FunctionId, call: Call) -> Pause | None:
    """The pause that a function of the project is: it does nothing but sleep."""
    targets = program.graph.targets(key, call)
    if not targets or not all(_only_sleeps(program, target) for target in targets):
        return None
    return Pause(
        path=key.path,
        place=call.place,
        function=program.function(key),
        text=call.text,
        seconds=None,
        cancellable=program.names.function(targets[0]).is_async,
        in_loop=True,
    )


def _only_sleeps(program: Program, target: FunctionId) -> bool:
    calls = program.names.function(target).calls
    known = [program.facts(target, c) for c in calls if not named("length", c.method)]
    return bool(known) and all(k is not None and k[0].does == "sleep" for k in known)
