"""Builds closes: those of the knowledge tables, executors in a `with`, and registered ones."""

from collections.abc import Iterator

from drainlint.finding import Related
from drainlint.index.entries import FunctionEntry
from drainlint.knowledge import CallFacts
from drainlint.link.calls import Known
from drainlint.link.drain import WHOLE
from drainlint.link.elsewhere import bounded_by_callers
from drainlint.link.finished import is_only_tried
from drainlint.link.handed import hands_on
from drainlint.link.names import FunctionId
from drainlint.link.origins import calls_on, made, runs
from drainlint.link.program import Program
from drainlint.link.results import parameters_of
from drainlint.link.turns import is_endless, leaves
from drainlint.model.close import Close
from drainlint.model.deadline import AT_ONCE, FOREVER, Bound, Deadline
from drainlint.model.expression import Call, Constant, Expression, Name
from drainlint.model.kind import Kind
from drainlint.model.place import Place
from drainlint.model.statement import While, With

CLOSING = frozenset({"close", "flush"})
WRITERS = frozenset({"stream-writer", "stream", "file"})
"""What is flushed after every write, not at the end alone."""
SPAWNS = frozenset({"submit", "map"})
HOOKS = frozenset({"exit-hook", "shutdown-hook", "finaliser"})
WAITS_FOR = {
    "executor": "every job in hand",
    "scheduler": "the jobs that are running",
    "server": "the requests in hand",
    "producer": "whatever is still to be delivered",
    "stream-writer": "the other side to read",
}
PATIENT = frozenset({"join", "wait", "take", "network", "process", "io", "select", "sleep"})
"""Verbs of calls that may keep a job from ending in time."""


def closes(known: Known) -> Iterator[Close]:
    """The close that a call is, or that it registers."""
    facts = known.facts
    if facts is None:
        return
    if facts.does in CLOSING and not _flushes_a_writer(known, facts):
        deadline = known.program.values.deadline(known.key, known.call, facts)
        if deadline.bound is Bound.HANDED_ON and not facts.timeout:
            # its callers can switch the waiting off, but not bound it
            deadline = FOREVER if _is_let_wait(known, deadline.text) else AT_ONCE
        waits = not facts.asynchronous or known.is_asynchronous
        unawaited = facts.asynchronous and not known.awaited
        given_on = unawaited and (hands_on(known) or known.occurrence.dropped)
        spared = given_on or _joins_no_handler(known, facts) or _keeps_nothing(known)
        spared = spared or is_only_tried(known)
        if waits and not (deadline.polls or spared):
            yield _noun(known, known.call.place, known.call.text, known.kind, deadline)
    for one in facts.runs:
        if one.role in HOOKS:
            yield from _hooked(known, one.argument, one.at)


def _is_let_wait(known: Known, switch: str) -> bool:
    """Whether somebody calls a function without switching its waiting off, as far as is known."""
    entry = known.program.names.function(known.key)
    given = [
        dict(parameters_of(entry, call, bound=bool(entry.owner))).get(switch)
        for caller in known.program.graph.callers.get(known.key, ())
        for call in known.program.names.function(caller).calls
        if known.key in known.program.graph.targets(caller, call)
    ]
    off = [isinstance(value, Constant) and value.value is False for value in given]
    return not off or not all(off)


def entered(program: Program, known: Known) -> Iterator[Close]:
    """`with ThreadPoolExecutor() as pool:` waits for every job at its end."""
    statement = known.occurrence.spot.statement
    if not isinstance(statement, With) or statement.asynchronous:
        return
    for item in statement.items:
        if item.value is not known.call:
            continue
        kind = program.kinds.of(known.key, known.call)
        if kind is not None and kind.nature == "executor":
            subject = item.target.path if item.target is not None else known.call.text
            text = f"with {known.call.text}"
            yield _noun(known, known.call.place, text, kind, FOREVER, subject)


def _hooked(known: Known, argument: str, at: int | None) -> Iterator[Close]:
    value = known.call.argument(argument, at)
    head, dot, method = ("", "", "") if value is None else value.path.rpartition(".")
    kind = known.program.kinds.of(known.key, Name(head)) if dot else None
    facts = known.program.kinds.method_facts(kind, method)
    if facts is None or facts.does not in CLOSING or facts.asynchronous or value is None:
        return
    given = Call(value, known.call.arguments[(at or 0) + 1 :], known.call.place)
    deadline = known.program.values.deadline(known.key, given, facts)
    if not deadline.polls:
        yield _noun(known, known.call.place, value.path, kind, deadline, head, hooked=True)


def _noun(  # noqa: PLR0913, PLR0917 - the parts of one value
    known: Known,
    place: Place,
    text: str,
    kind: Kind | None,
    deadline: Deadline,
    subject: str = "",
    *,
    hooked: bool = False,
) -> Close:
    subject = subject or known.subject
    nature = "" if kind is None else kind.nature
    jobs = list(_jobs(known, subject)) if nature == "executor" else []
    return Close(
        path=known.key.path,
        place=place,
        function=known.function,
        drain=known.drain,
        confidence=known.confidence if kind is None else kind.evidence,
        text=text,
        subject=subject,
        nature=nature,
        waits_for=WAITS_FOR.get(nature, "the other side"),
        deadline=deadline,
        bounded_by=known.bounded_by or bounded_by_callers(known.program, known.key),
        bounded_jobs=bool(jobs) and all(_is_bounded(known.program, j) for j in jobs),
        endless_job=next((e for j in jobs if (e := _endless(known.program, j))), None),
        hooked=hooked,
        own_job=bool(known.function.implements),
    )


def _flushes_a_writer(known: Known, facts: CallFacts) -> bool:
    kind = known.kind
    return facts.does == "flush" and kind is not None and kind.nature in WRITERS


def _joins_no_handler(known: Known, facts: CallFacts) -> bool:
    """A threading server's class may say that its close waits for nobody.

    What only an annotation calls a server may well be one that has threads for its handlers.
    """
    if facts.name.startswith("socketserver.BaseServer") and known.call.receiver is not None:
        calls = made(known.program, known.key, known.call.receiver)
        kinds = (known.program.kinds.of(scope, call) for scope, call in calls)
        return not any(k is not None and k.nature == "server" for k in kinds)
    owner = known.program.kinds.project_class(known.kind)
    if owner is None or not facts.name.startswith("socketserver.ThreadingMixIn"):
        return False
    said = {"daemon_threads": True, "block_on_close": False}
    return any(
        isinstance(way.value, Constant) and way.value.value is word
        for name, word in said.items()
        for _, way in known.program.classes.bindings(owner, name)
    )


def _keeps_nothing(known: Known) -> bool:
    """Whether what it would wait for is thrown away: its sockets were closed with no linger."""
    calls = known.program.names.function(known.key).calls
    return known.kind is not None and any(
        isinstance(value, Constant) and value.value == 0
        for call in calls
        if call.place.line <= known.call.place.line and call.receiver is not None
        for value in (call.argument("linger"), *_set_to_linger(call))
        if call.receiver.path != known.subject
    )


def _set_to_linger(call: Call) -> Iterator[Expression]:
    """What `socket.setsockopt(LINGER, 0)` sets."""
    if call.method == "setsockopt" and len(call.arguments) > 1:
        option, value = (a.value for a in call.arguments[:2])
        if option.path.endswith("LINGER"):
            yield value


# Jobs


def _jobs(known: Known, subject: str) -> Iterator[FunctionId | None]:
    """The functions that an executor runs; None for one that is not known."""
    if not subject:
        return
    for scope, call in calls_on(known.program, known.key, subject, SPAWNS):
        targets: list[FunctionId | None] = [*runs(known.program, scope, call)]
        yield from targets or [None]


def _is_bounded(program: Program, job: FunctionId | None) -> bool:
    """Whether a job is seen to end in time: no loops, no waits, nobody else's code or hosts."""
    if job is None:
        return False
    for function in program.drain_paths.closure(job):
        entry = program.names.function(function)
        if entry.turns or _runs_what_it_is_given(entry):
            return False
        for call in entry.calls:
            known = program.facts(function, call)
            if known is None or known[0].does not in PATIENT:
                continue
            if program.values.deadline(function, call, known[0]).is_none:
                return False
    return True


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


def _endless(program: Program, job: FunctionId | None) -> Related | None:
    """The loop in which a job runs for ever."""
    body = program.bodies.get(job) if job is not None else None
    if job is None or body is None:
        return None
    for statement in (s for one in body.statements for s in one.walk()):
        if (
            isinstance(statement, While)
            and is_endless(statement.test)
            and not leaves(statement.body)
        ):
            name = program.names.function(job).short_name
            return Related(job.path, statement.place.first_line, f"its job `{name}` never ends")
    return None
