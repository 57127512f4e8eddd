"""Builds waits: calls that may hold their caller up, and what bounds them."""

from collections.abc import Iterator

from drainlint.finding import Confidence
from drainlint.knowledge import CallFacts
from drainlint.link.calls import Known
from drainlint.link.names import FunctionId, Variable
from drainlint.link.surroundings import Occurrence, Spot
from drainlint.model.deadline import FOREVER, Bound, Deadline
from drainlint.model.expression import Call, Compare, Constant, Expression, Name, Not
from drainlint.model.kind import Kind
from drainlint.model.statement import Assign, Do, For, If, Other, Raise, Return, Statement, Try, While, With
from drainlint.model.wait import Wait

WAKING = frozenset({"set", "notify", "notify_all", "notifyAll", "put", "put_nowait", "release", "set_result", "cancel", "fire", "send"})  # fmt: skip


def wait(known: Known) -> Wait | None:
    """The wait that a call is; None for a call that holds nobody up."""
    facts = known.facts
    if facts is not None and facts.waits:
        if _is_off(known, facts):
            return None
        return _wait(known, facts, facts.does)
    if known.call.method == "join" and known.call.receiver is not None:
        return _unknown_join(known)
    return None


def handed_over(known: Known) -> Iterator[Wait]:
    """Waits that a call hands to somebody who will make them: `run_in_executor(None, t.join)`."""
    if known.facts is None or not known.facts.runs:
        return
    for runs in known.facts.runs:
        value = known.call.argument(runs.argument, runs.at)
        if value is None or not value.path or runs.role == "done-callback":
            continue
        head, dot, method = value.path.rpartition(".")
        if not dot:
            continue
        kind = known.program.kinds.of(known.key, Name(head))
        facts = known.program.kinds.method_facts(kind, method)
        following = [a for a in known.call.arguments[(runs.at or 0) + 1 :] if not a.name]
        if facts is None or facts.does not in ("join", "wait") or facts.asynchronous or following:
            continue
        yield Wait(
            path=known.key.path,
            place=known.call.place,
            function=known.function,
            drain=known.drain,
            confidence=kind.evidence if kind is not None else Confidence.LOW,
            text=f"{value.path}",
            verb=facts.does,
            subject=head,
            nature=kind.nature if kind is not None else "",
            type=kind.short if kind is not None else "",
            deadline=FOREVER,
            handed_over=True,
            bounded_by=known.bounded_by,
        )


def _is_off(known: Known, facts: CallFacts) -> bool:
    """Whether a flag in the call switches waiting off: `WNOHANG`, `wait=False`, `block=False`."""
    for argument in known.call.arguments:
        if any("NOHANG" in e.path or "NOBLOCK" in e.path or "DONTWAIT" in e.path for e in argument.value.walk()):
            return True
    return facts.does == "sleep"


def _wait(known: Known, facts: CallFacts, verb: str) -> Wait:
    deadline = known.program.values.deadline(known.key, known.call, facts)
    return _noun(known, verb, deadline, blocks=facts.blocks or facts.waits and not facts.asynchronous)


def _unknown_join(known: Known) -> Wait | None:
    """A `.join()` on something that the tables do not know: without arguments it is no `str.join`."""
    call = known.call
    if call.is_open or isinstance(call.receiver, Constant):
        return None
    if known.kind is not None and known.kind.nature in ("module", "tuple", "dict", "task-group"):
        return None
    if not call.arguments:
        own = known.program.graph.targets(known.key, call)
        return _noun(known, "join", _project_default(known, own), blocks=True)
    (argument, *more) = call.arguments
    if more or argument.name not in ("", "timeout"):
        return None
    if known.program.values.is_none(known.key, argument.value):
        return _noun(known, "join", FOREVER, blocks=True)
    if argument.name == "timeout":
        deadline = known.program.values.timeout(known.key, argument.value, None)
        return _noun(known, "join", deadline, blocks=True)
    return None


def _project_default(known: Known, targets: tuple[FunctionId, ...]) -> Deadline:
    """A `join` of the project's own may have a timeout of its own by default."""
    for target in targets:
        for parameter in known.program.names.function(target).parameters:
            number = known.program.values.number(target, parameter.default)
            if "timeout" in parameter.name and number is not None:
                return Deadline(Bound.CONSTANT, number, parameter.name)
    return FOREVER


def _noun(known: Known, verb: str, deadline: Deadline, *, blocks: bool) -> Wait:
    spot = known.occurrence.spot
    kind = known.kind
    return Wait(
        path=known.key.path,
        place=known.call.place,
        function=known.function,
        drain=known.drain,
        confidence=known.confidence,
        text=known.call.text,
        verb=verb,
        subject=known.subject,
        nature=kind.nature if kind is not None else "",
        type=kind.short if kind is not None else "",
        deadline=deadline,
        awaited=known.is_asynchronous,
        blocks=blocks,
        bounded_by=known.bounded_by,
        ended=ended(known),
        killed=killed(known),
        woken_by_stop=_woken_by_stop(known),
        idle=_is_idle(known),
        own_job=_own_job(known, kind),
        locks=tuple(_locks(known)),
        in_loop=any(True for _ in spot.loops),
    )


# What else bears on it


def _woken_by_stop(known: Known) -> bool:
    """Whether a method that stops the class sets, notifies or feeds what is waited for."""
    receiver = known.call.receiver
    owner = known.program.classes.owner(known.key)
    if receiver is None or owner is None or not receiver.path:
        return False
    me, dot, attribute = receiver.path.partition(".")
    if not dot or me != known.program.classes.self_name(known.key):
        return False
    for one in known.program.classes.project_line(owner):
        for function, entry in known.program.classes.members(one):
            path = f"{known.program.classes.self_name(function)}.{attribute}."
            if not any(c.func.path.startswith(path) and c.method in WAKING for c in entry.calls):
                continue
            if known.program.drain(function, entry.line) is not None:
                return True
    return False


def _is_idle(known: Known) -> bool:
    function = known.function
    if not (function.main or function.helper):
        return False
    return known.program.drain_paths.is_stop_wait(known.key, known.call)


def _own_job(known: Known, kind: Kind | None) -> bool:
    function = known.function
    if function.implements and function.service is None:
        return True
    delegates = function.short_name.strip("_") == known.call.method and "." in function.name
    inside = kind is not None and kind.nature in (
        "lock", "rlock", "queue", "future", "event", "condition", "semaphore", "pool", "result",
        "barrier", "aio-queue", "aio-event", "aio-future",
    )  # fmt: skip
    return delegates and inside


def _locks(known: Known) -> Iterator[str]:
    for statement in known.occurrence.spot.withs:
        for item in statement.items:
            kind = known.program.kinds.of(known.key, item.value)
            if kind is not None and kind.nature in ("lock", "rlock", "condition", "semaphore"):
                yield item.value.text
