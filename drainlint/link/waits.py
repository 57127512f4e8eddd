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

ALIVE = frozenset({"is_alive", "isAlive", "running", "alive"})
DONE = frozenset({"done", "ready", "finished", "completed", "successful", "dead"})
FINISHED_SOURCES = frozenset({"as_completed", "wait"})
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
        ended=_ended(known),
        killed=_killed(known),
        woken_by_stop=_woken_by_stop(known),
        idle=_is_idle(known),
        own_job=_own_job(known, kind),
        locks=tuple(_locks(known)),
        in_loop=any(True for _ in spot.loops),
    )


# Has it ended already?


def _ended(known: Known) -> str:
    subject = known.call.receiver
    if subject is None:
        return ""
    occurrence = known.occurrence
    return (
        _checked_around(occurrence, subject)
        or _comes_from_finished(known, subject)
        or _checked_before(occurrence.spot, subject)
    )


def _checked_around(occurrence: Occurrence, subject: Expression) -> str:
    """Inside `if t.done():`, `if not t.is_alive():`, `x.result() if x.done() else ...`."""
    for spot in occurrence.spot.outward():
        owner = spot.owner
        if isinstance(owner, If | While) and spot.section == "body" and _says_ended(owner.test, subject):
            return f"`{owner.test.text}` was checked"
        if isinstance(owner, If | While) and spot.section == "else" and _says_alive(owner.test, subject):
            return f"`{owner.test.text}` was checked"
    for around in occurrence.around:
        test = getattr(around, "test", None)
        if isinstance(test, Expression) and _says_ended(test, subject):
            return f"`{test.text}` was checked"
        values = getattr(around, "values", ())
        if values and any(_says_ended(v, subject) for v in values):
            return "it was checked in the same expression"
    return ""


def _checked_before(spot: Spot, subject: Expression) -> str:
    """After `if not f.done(): return`, or after a loop that ends only when it is done."""
    for number, statement in enumerate(spot.preceding()):
        if number > 8:  # noqa: PLR2004 - what is checked further up may be alive again
            return ""
        if isinstance(statement, If) and _leaves(statement.body) and _says_alive(statement.test, subject):
            return f"`{statement.test.text}` was checked"
        if isinstance(statement, While) and _says_alive(statement.test, subject) and not _breaks(statement):
            return f"the loop over `{statement.test.text}` ended"
        if isinstance(statement, With) and _ends_with(statement, subject):
            return "the executor's `with` block ended"
    return ""


def _ends_with(statement: With, subject: Expression) -> bool:
    """A future made by `executor.submit` within a `with executor` that has ended is done."""
    executors = {i.target.path for i in statement.items if i.target is not None and i.target.path}
    for inner in statement.walk():
        if not isinstance(inner, Assign) or not isinstance(inner.value, Call):
            continue
        made_here = inner.value.receiver is not None and inner.value.receiver.path in executors
        if made_here and any(t.path == subject.path for t in inner.targets):
            return True
    return False


def _comes_from_finished(known: Known, subject: Expression) -> str:
    """From `as_completed`, a `done` set, the parameter of a done-callback, a finished executor."""
    path = subject.path
    if not path:
        return ""
    for loop in known.occurrence.spot.loops:
        if isinstance(loop, For) and path in {e.path for e in loop.target.walk()}:
            return _finished_source(known, loop.iterable)
    resolved = known.program.names.resolve(known.key, path)
    variable = resolved.symbol if resolved is not None and not resolved.rest else None
    if not isinstance(variable, Variable):
        return ""
    entry = known.program.names.function(variable.scope)
    roles = known.program.roles.registered(variable.scope)
    if "done-callback" in roles and any(p.name == variable.name for p in entry.parameters):
        return "it runs as a done-callback"
    for way in entry.bindings.get(variable.name, ()):
        if way.how == "each":
            return _finished_source(known, way.value)
    return ""


def _finished_source(known: Known, source: Expression) -> str:
    if isinstance(source, Call):
        facts = known.program.facts(known.key, source)
        if source.method == "as_completed" or (facts and facts[0].name.endswith("as_completed")):
            return f"`{source.text}` gives what is done"
        if source.method in ("pop", "popleft", "copy", "list", "enumerate", "zip", "values", "items") and source.parts:
            return next((e for p in source.parts if (e := _finished_source(known, p))), "")
        return ""
    path = source.path
    resolved = known.program.names.resolve(known.key, path) if path else None
    if resolved is None or resolved.rest or not isinstance(resolved.symbol, Variable):
        return ""
    entry = known.program.names.function(resolved.symbol.scope)
    for way in entry.bindings.get(resolved.symbol.name, ()):
        first = way.items[:1] == (0,)
        value = getattr(way.value, "value", way.value)
        if first and isinstance(value, Call) and value.method == "wait":
            return f"`{path}` is the done set of `{value.text}`"
        if way.how == "enter" or way.how != "assign":
            continue
        clauses = getattr(way.value, "clauses", ())
        if any(_says_done(c) for clause in clauses for c in clause.conditions):
            return f"`{path}` holds what is done"
    return ""


def _says_done(test: Expression) -> bool:
    return isinstance(test, Call) and test.method in DONE and not test.arguments


def _says_ended(test: Expression, subject: Expression) -> bool:
    """Whether a test that holds says that the subject has ended."""
    match test:
        case Not(value=value):
            return _says_alive(value, subject)
        case Call():
            same = test.receiver is not None and test.receiver.text == subject.text
            return same and test.method in DONE and not test.arguments
        case Compare(left=left, operators=("is not",), rights=(Constant(value=None),)):
            return _asks_status(left, subject)
    operator = getattr(test, "operator", "")
    return operator == "and" and any(_says_ended(v, subject) for v in test.parts)


def _says_alive(test: Expression, subject: Expression) -> bool:
    """Whether a test that holds says that the subject may go on (so that its end says it is over)."""
    match test:
        case Not(value=value):
            return _says_ended(value, subject)
        case Call():
            same = test.receiver is not None and test.receiver.text == subject.text
            return same and test.method in ALIVE and not test.arguments
        case Compare(left=left, operators=("is",), rights=(Constant(value=None),)):
            return _asks_status(left, subject)
    operator = getattr(test, "operator", "")
    return operator == "or" and any(_says_alive(v, subject) for v in test.parts)


def _asks_status(left: Expression, subject: Expression) -> bool:
    if isinstance(left, Call):
        return left.method == "poll" and left.receiver is not None and left.receiver.text == subject.text
    return left.path in (f"{subject.path}.exitcode", f"{subject.path}.returncode")


def _leaves(block: tuple[Statement, ...]) -> bool:
    return bool(block) and (isinstance(block[-1], Return | Raise) or getattr(block[-1], "word", "") in ("break", "continue"))


def _breaks(loop: While) -> bool:
    return any(getattr(s, "word", "") == "break" for s in loop.walk())


# What else bears on it


def _killed(known: Known) -> bool:
    """Whether the same thing was killed for good by one of the last statements before."""
    subject = known.call.receiver
    if subject is None:
        return False
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > 3:  # noqa: PLR2004 - "just before" means within a few statements
            return False
        for call in _statement_calls(statement):
            if call.method == "kill" and call.receiver is not None and call.receiver.text == subject.text:
                return known.kind is None or known.kind.nature not in ("greenlet", "group")
            if call.method in ("kill", "killpg") and any("SIGKILL" in a.value.path for a in call.arguments):
                return True
    return False


def _statement_calls(statement: Statement) -> Iterator[Call]:
    inner = statement.walk() if isinstance(statement, Try | With | If) else (statement,)
    for one in inner:
        if isinstance(one, Do | Assign | Other):
            for expression in one.expressions:
                yield from (e for e in expression.walk() if isinstance(e, Call))


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
