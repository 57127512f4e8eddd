"""Builds waits: calls that may hold their caller up, and what bounds them."""

from collections.abc import Iterator
from dataclasses import replace

from drainlint.finding import Confidence
from drainlint.knowledge import CallFacts
from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.cancelled import cancelled
from drainlint.link.commands import controls_another, is_attended, is_brief
from drainlint.link.elsewhere import (
    SPAWNING,
    bounded_by_callers,
    bounded_in_each,
    limited,
    serves_workers,
)
from drainlint.link.ended import ended
from drainlint.link.endings import gave_its_result
from drainlint.link.feeds import endless, marker, ready
from drainlint.link.finished import finished, watched
from drainlint.link.handed import HANDED_ON, hands_on, is_own_job, waits_by_default
from drainlint.link.idle import is_idle, woken_by_stop
from drainlint.link.jobs import waits_for_bounded_jobs
from drainlint.link.killings import killed
from drainlint.link.names import FunctionId, Variable
from drainlint.link.outcomes import is_pause, seen
from drainlint.link.program import Program
from drainlint.link.spared import is_unconnected
from drainlint.link.sums import earlier, repeats
from drainlint.link.waiters import is_daemon, left_to_a_waiter
from drainlint.model.deadline import FOREVER, Bound, Deadline
from drainlint.model.expression import (
    Await,
    Call,
    Compare,
    Constant,
    Expression,
    Name,
    Not,
    Yield,
)
from drainlint.model.statement import If, Return, While
from drainlint.model.wait import Wait

CLIENTS = frozenset({"client", "limits"})
"""Verbs of calls that wait for nobody, but say how long others may."""
THROUGH = frozenset({"shield", "wrap_future", "wait_for"})
"""Functions that wait for just what they are given."""


def wait(known: Known) -> Wait | None:
    """The wait that a call is; None for a call that holds nobody up."""
    facts = known.facts
    if facts is None:
        verb = waits_by_default(known)
        return _noun(known, verb, FOREVER) if verb else _unknown_join(known)
    if facts.does == "killall":
        return _killall(known, facts)
    if facts.does == "bound" and facts.unit != "deadline":
        return _noun(known, "bound", known.own_bound, facts)
    if facts.does in CLIENTS:
        return _client(known, facts)
    if facts.waits and not known.told_not_to_wait and not is_unconnected(known):
        deadline = known.program.values.deadline(known.key, known.call, facts)
        return _noun(known, facts.does, deadline, facts)
    return None


def handed_over(known: Known) -> Iterator[Wait]:
    """Waits that a call hands to somebody who will make them: `run_in_executor(None, t.join)`."""
    if known.facts is None:
        return
    for runs in known.facts.runs:
        value = known.call.argument(runs.argument, runs.at)
        if value is None or runs.role == "done-callback":
            continue
        head, dot, method = value.path.rpartition(".")
        kind = known.program.kinds.of(known.key, Name(head)) if dot else None
        facts = known.program.kinds.method_facts(kind, method)
        if kind is None or facts is None or facts.asynchronous:
            continue
        if facts.does not in HANDED_ON:
            continue
        following = [a for a in known.call.arguments[(runs.at or 0) + 1 :] if not a.name]
        if following or known.call.argument(facts.timeout) is not None:
            continue
        yield Wait(
            path=known.key.path,
            place=known.call.place,
            function=known.function,
            drain=known.drain,
            confidence=kind.evidence,
            text=value.path,
            verb=facts.does,
            subject=head,
            nature=kind.nature,
            type=kind.short,
            deadline=FOREVER,
            handed_over=True,
            bounded_by=known.bounded_by or _left_behind(known, runs.role),
        )


def _left_behind(known: Known, role: str) -> str:
    """The daemon thread that a wait is handed to: whoever drains may give up on it."""
    daemon = role == "thread" and is_daemon(known.program, known.key, known.call)
    return known.call.text if daemon else ""


def _killall(known: Known, facts: CallFacts) -> Wait | None:
    """Killing many greenlets waits for all of them; a single one ends when it is next run."""
    if known.kind is not None and known.kind.nature == "greenlet":
        return None
    deadline = known.program.values.deadline(known.key, known.call, facts)
    return None if deadline.polls else _noun(known, "wait", deadline, facts)


def _client(known: Known, facts: CallFacts) -> Wait | None:
    """What makes a client, or a limit for one: it does not wait itself, but bounds who does."""
    given = known.call.argument(facts.timeout, facts.at)
    if facts.does == "limits" and (given is None or _limits_reads(known)):
        return None
    deadline = known.program.values.deadline(known.key, known.call, facts)
    return _noun(known, facts.does, deadline, facts)


def _limits_reads(known: Known) -> bool:
    """Whether a limit has no total, but bounds each read: a silent peer is noticed."""
    return any("read" in a.name and not _is_constant_none(a.value) for a in known.call.arguments)


def _is_constant_none(value: Expression) -> bool:
    return isinstance(value, Constant) and value.value is None


def _unknown_join(known: Known) -> Wait | None:
    """A `.join()` on what the tables do not know: without arguments it is no `str.join`."""
    call = known.call
    if call.method != "join" or not may_join(known.program, known.key, call):
        return None
    if known.kind is not None and known.kind.nature in ("module", "tuple", "dict", "task-group"):
        return None
    if not call.arguments:
        own = known.program.graph.targets(known.key, call)
        if _is_bounded_by_default(known, own) or (known.awaited and own):
            return None  # a coroutine of the project's own is judged where it waits itself
        if not known.occurrence.dropped and not known.awaited and not _is_returned(known):
            return None  # a worker's join gives nothing: this one makes a text or a task
        noun = _noun(known, "join", FOREVER)
        return replace(noun, confidence=Confidence.LOW) if _may_enter(known) else noun
    if _joins_paths(known):
        return None
    (argument,) = call.arguments
    if known.program.values.is_none(known.key, argument.value):
        return _noun(known, "join", FOREVER)
    return _noun(known, "join", known.program.values.timeout(known.key, argument.value, None))


def may_join(program: Program, key: FunctionId, call: Call) -> bool:
    """Whether a `join` on what the tables do not know may wait: it is given a time, or nothing."""
    if call.receiver is None or call.is_open or isinstance(call.receiver, Constant):
        return False
    if len(call.arguments) != 1:
        return not call.arguments
    (argument,) = call.arguments
    if argument.name or program.values.is_none(key, argument.value):
        return argument.name in ("", "timeout")
    is_limit = bool(argument.value.path) and named("join-limit", argument.value.path)
    return is_limit or program.values.number(key, argument.value) is not None


def _joins_paths(known: Known) -> bool:
    """Whether a `join` of the project's own takes something else than a timeout: a path."""
    targets = known.program.graph.targets(known.key, known.call)
    given = [known.program.names.function(t).parameters[1:2] for t in targets]
    return bool(given) and not any(
        not first or first[0].star or named("join-limit", first[0].name) for first in given
    )


def _may_enter(known: Known) -> bool:
    """Whether something unknown may as well be a room or a group that one joins.

    The project has such things: their `join` takes a name or a key, and no timeout.
    """
    if known.kind is not None:
        return False
    for method in known.program.classes.methods_called("join"):
        given = known.program.names.function(method).parameters[1:]
        if given and not any(p.star or named("join-limit", p.name) for p in given):
            return True
    return False


def _is_returned(known: Known) -> bool:
    return isinstance(known.occurrence.spot.statement, Return) and not known.occurrence.around


def _is_bounded_by_default(known: Known, targets: tuple[FunctionId, ...]) -> bool:
    """Whether a `join` of the project's own has a timeout of its own by default."""
    return any(
        "timeout" in parameter.name
        and known.program.values.number(target, parameter.default) is not None
        for target in targets
        for parameter in known.program.names.function(target).parameters
    )


def _noun(known: Known, verb: str, deadline: Deadline, facts: CallFacts | None = None) -> Wait:
    kind = known.kind
    asynchronous = facts is not None and facts.asynchronous
    if deadline.is_none and (choice := callers_choice(known, given=False)):
        deadline = Deadline(Bound.HANDED_ON, text=choice)
    if deadline.bound is Bound.HANDED_ON and _is_tested(known, deadline):
        deadline = Deadline(Bound.EXPRESSION, text=deadline.text)
    loop = repeats(known, deadline)
    return Wait(
        **known.noun,
        text=known.call.text,
        verb=verb,
        subject=known.subject,
        nature=kind.nature if kind is not None else "",
        type=kind.short if kind is not None else "",
        deadline=deadline,
        can_be_bounded=facts is None or bool(facts.timeout),
        by_default=_is_default(known, facts),
        runs_its_job=facts is not None and bool(facts.runs) and not facts.timeout,
        is_brief=is_brief(known, verb),
        in_its_pools_block=verb == "wait" and _in_its_pools_block(known),
        is_attended=is_attended(known, verb),
        has_bounded_jobs=verb == "wait" and waits_for_bounded_jobs(known),
        is_for_another=verb == "process" and controls_another(known),
        is_facade=_is_facade(known),
        serves_workers=verb in CLIENTS and serves_workers(known),
        awaited=known.is_asynchronous or _becomes_a_task(known),
        awaited_here=_is_awaited_here(known),
        blocks=verb not in ("bound", *CLIENTS) and not asynchronous,
        remote=facts is not None and facts.blocks,
        bounded_by=known.bounded_by or watched(known) or _bounded_elsewhere(known, verb),
        ended=ended(known) or finished(known),
        killed=killed(known),
        gave_result=gave_its_result(known),
        cancelled=known.is_asynchronous and cancelled(known),
        woken_by_stop=woken_by_stop(known),
        idle=is_idle(known),
        own_job=_own_job(known),
        hands_on=hands_on(known),
        locks=tuple(_locks(known)),
        in_loop=_is_in_loop(known),
        seen=_seen(known, facts) if not deadline.is_none else "",
        is_pause=is_pause(known, deadline),
        ready=ready(known) if verb in ("take", "lock") else "",
        marker=verb == "put" and marker(known),
        endless=endless(known) if verb == "take" and deadline.is_none else "",
        repeats=loop,
        earlier=earlier(known, deadline) if known.drain is not None else (),
    )


def _in_its_pools_block(known: Known) -> bool:
    """Whether whoever leaves the block waits for the same jobs anyway, with a timeout or not."""
    of_futures = known.facts is not None and known.facts.name.startswith("concurrent.futures.")
    items = (item for statement in known.occurrence.spot.withs for item in statement.items)
    kinds = (known.program.kinds.of(known.key, item.value) for item in items)
    return of_futures and any(kind is not None and kind.nature == "executor" for kind in kinds)


def _is_in_loop(known: Known) -> bool:
    """Whether a loop around it makes it again; what a `while` asks is asked on every turn."""
    statement = known.occurrence.spot.statement
    asked = isinstance(statement, While) and known.occurrence.in_test
    return asked or any(True for _ in known.occurrence.spot.loops)


def _is_facade(known: Known) -> bool:
    """`return self.get_async(key).result()`: the blocking twin of a call of its own project."""
    started = known.call.receiver
    returned = isinstance(known.occurrence.spot.statement, Return) and not known.occurrence.around
    if not returned or not isinstance(started, Call):
        return False
    return bool(known.program.graph.targets(known.key, started))


def _is_default(known: Known, facts: CallFacts | None) -> bool:
    """Whether the library's own default bounds it, not a timeout that is given."""
    return facts is not None and known.call.argument(facts.timeout, facts.at) is None


def callers_choice(known: Known, *, given: bool) -> str:
    """The limit that a test around it found given, or None: `if timeout is None: t.join()`."""
    for spot in known.occurrence.spot.outward():
        if not isinstance(spot.owner, If) or spot.section not in ("body", "else"):
            continue
        chosen = _is_not_given(spot.owner.test, holds=(spot.section == "body") != given)
        if chosen and _is_given(known, chosen):
            return chosen
    return ""


def _is_tested(known: Known, deadline: Deadline) -> bool:
    """Whether a test around it found the limit given: `if timeout is not None: t.join(timeout)`."""
    tested = callers_choice(known, given=True)
    passed = {a.value.path for a in known.call.arguments}
    return bool(tested) and tested in {deadline.text, *passed}


def _is_given(known: Known, name: str) -> bool:
    """Whether a name is a limit that is a parameter, or was made from one: the caller decides."""
    resolved = known.program.names.resolve(known.key, name)
    if resolved is None or resolved.rest or not isinstance(resolved.symbol, Variable):
        return False
    entry = known.program.names.function(resolved.symbol.scope)
    limits = {p.name for p in entry.parameters if named("join-limit", p.name)}
    if name in limits:
        return True
    ways = entry.bindings.get(name, ())
    return any(e.path in limits for way in ways[:1] for e in way.value.walk())


def _is_not_given(test: Expression, *, holds: bool) -> str:
    """What a test says is None (or not true) where it holds, or where it does not."""
    match test:
        case Compare(left=left, operators=(sign,), rights=(Constant(value=None),)):
            return left.path if (sign == "is") == holds else ""
        case Not(value=value):
            return value.path if holds else ""
    return "" if holds else test.path


def _seen(known: Known, facts: CallFacts | None) -> str:
    """How somebody learns that the time ran out."""
    if facts is None and (known.awaited or known.program.graph.targets(known.key, known.call)):
        return "its own method may say so"
    return seen(known, facts)


def _is_awaited_here(known: Known) -> bool:
    """Whether the very next thing around it is an await, a `shield` aside."""
    for around in known.occurrence.around:
        if isinstance(around, Await | Yield):
            return True
        if not isinstance(around, Call) or around.method not in THROUGH:
            return False
    return False


def _becomes_a_task(known: Known) -> bool:
    """Whether what it gives is made a task: `create_task(stopped.wait())`."""
    around = known.occurrence.around[:1]
    return any(isinstance(call, Call) and call.method in SPAWNING for call in around)


def _bounded_elsewhere(known: Known, verb: str) -> str:
    listens = verb == "take" and known.kind is not None and known.kind.nature == "session"
    if listens or verb in ("network", *CLIENTS):
        return limited(known)
    if known.is_asynchronous and known.drain is not None:
        return bounded_by_callers(known.program, known.key) or bounded_in_each(known)
    return left_to_a_waiter(known) if verb in ("join", "wait") else ""


# What else bears on it


def _own_job(known: Known) -> bool:
    function = known.function
    if (function.implements and function.service is None) or controls_flow(known):
        return True
    return is_own_job(known)


def controls_flow(known: Known) -> bool:
    """Whether it is a protocol's wait until it may write on: a slow peer's matter."""
    owner = known.program.classes.owner(known.key)
    resume = None if owner is None else known.program.classes.method(owner, "resume_writing")
    if resume is None:
        return False
    if "drain" in known.function.short_name:
        return True
    attribute = known.subject.partition(".")[2]
    calls = known.program.names.function(resume).calls
    return bool(attribute) and any(f".{attribute}." in f"{c.func.path}." for c in calls)


def _locks(known: Known) -> Iterator[str]:
    for statement in known.occurrence.spot.withs:
        for item in statement.items:
            kind = known.program.kinds.of(known.key, item.value)
            if kind is not None and kind.nature in ("lock", "rlock", "condition", "semaphore"):
                yield item.value.text
