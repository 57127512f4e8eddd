"""Builds closes: those of the knowledge tables, executors in a `with`, and registered ones."""

from collections.abc import Iterator

from drainlint.finding import Related
from drainlint.knowledge import CallFacts
from drainlint.link.calls import Known
from drainlint.link.elsewhere import bounded_by_callers
from drainlint.link.emptied import has_served, is_answered, keeps_nothing
from drainlint.link.finished import is_only_tried
from drainlint.link.handed import hands_on
from drainlint.link.jobs import is_bounded
from drainlint.link.names import FunctionId
from drainlint.link.origins import calls_on, made, runs
from drainlint.link.program import Program
from drainlint.link.results import parameters_of
from drainlint.link.surroundings import occurrences
from drainlint.link.turns import is_endless, leaves
from drainlint.model.close import Close
from drainlint.model.deadline import AT_ONCE, FOREVER, Bound, Deadline
from drainlint.model.expression import Call, Constant, Name
from drainlint.model.kind import Kind
from drainlint.model.place import Place
from drainlint.model.statement import While, With

CLOSING = frozenset({"close", "flush"})
HANDED_ON = frozenset({"wait_closed"})
"""What a class that wraps a stream or a server lets its callers wait for."""
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


def closes(known: Known) -> Iterator[Close]:
    """The close that a call is, or that it registers."""
    facts = known.facts
    if facts is None:
        inner = _handed_on(known)
        if inner is not None:
            yield _noun(known, known.call.place, known.call.text, inner.kind, FOREVER)
        return
    if facts.does in CLOSING and not _flushes_a_writer(known, facts):
        deadline = known.program.values.deadline(known.key, known.call, facts)
        if deadline.bound is Bound.HANDED_ON and not facts.timeout:
            # its callers can switch the waiting off, but not bound it
            deadline = FOREVER if _is_let_wait(known, deadline.text) else AT_ONCE
        waits = not facts.asynchronous or known.is_asynchronous
        unawaited = facts.asynchronous and not known.awaited
        given_on = unawaited and (hands_on(known) or known.occurrence.dropped)
        spared = given_on or _joins_no_handler(known, facts) or is_only_tried(known)
        spared = spared or _is_judged_above(known)
        spared = spared or keeps_nothing(known) or is_answered(known) or has_served(known)
        if waits and not (deadline.polls or spared):
            yield _noun(known, known.call.place, known.call.text, known.kind, deadline)
    for one in facts.runs:
        if one.role in HOOKS:
            yield from _hooked(known, one.argument, one.at)


def _handed_on(known: Known) -> Known | None:
    """The close that an awaited method of the project makes for its caller, under the same name.

    `async def wait_closed(self): await self.writer.wait_closed()`: who awaits it can bound it.
    """
    if not known.awaited or known.call.method not in HANDED_ON:
        return None
    for target in known.program.graph.targets(known.key, known.call):
        body = known.program.bodies.get(target)
        for occurrence in occurrences(body, target.path) if body is not None else ():
            inner = Known(known.program, occurrence)
            if inner.key == target and _is_wrapped(inner) and not inner.bounded_by:
                return inner
    return None


def _is_wrapped(known: Known) -> bool:
    """Whether a close is all that its method is for, which bears its name and is awaited."""
    facts = known.facts
    closing = facts is not None and facts.does in CLOSING and known.call.method in HANDED_ON
    return closing and known.awaited and hands_on(known)


def _is_judged_above(known: Known) -> bool:
    """Whether a close stands in such a method, and whoever awaits that while it stops is judged."""
    callers = known.program.graph.callees
    return _is_wrapped(known) and any(
        known.program.drain(caller, callers[caller][known.key].line) is not None
        for caller in known.program.graph.callers.get(known.key, ())
    )


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
        bounded_jobs=bool(jobs) and all(is_bounded(known.program, j) for j in jobs),
        endless_job=next((e for j in jobs if (e := _endless(known.program, j))), None),
        hooked=hooked,
        own_job=bool(known.function.implements),
    )


def _is_told_to_thread(program: Program, scope: FunctionId, making: Call) -> bool:
    """Whether a server is made of a class with a thread for each handler: `server_class=Threaded`.

    Its `shutdown` waits for one turn of its loop only.
    """
    given = making.argument("server_class")
    kind = None if given is None else program.kinds.of(scope, given)
    owner = program.kinds.project_class(None if kind is None else kind.element)
    return owner is not None and any(
        base.path.endswith("ThreadingMixIn")
        for one in program.classes.project_line(owner)
        for base in program.names.klass(one).bases
    )


def _flushes_a_writer(known: Known, facts: CallFacts) -> bool:
    kind = known.kind
    return facts.does == "flush" and kind is not None and kind.nature in WRITERS


def _joins_no_handler(known: Known, facts: CallFacts) -> bool:
    """A threading server's class may say that its close waits for nobody.

    What only an annotation calls a server may well be one that has threads for its handlers.
    """
    if facts.name.startswith("socketserver.BaseServer") and known.call.receiver is not None:
        calls = list(made(known.program, known.key, known.call.receiver))
        kinds = (known.program.kinds.of(scope, call) for scope, call in calls)
        if not any(k is not None and k.nature == "server" for k in kinds):
            return True
        return any(_is_told_to_thread(known.program, scope, call) for scope, call in calls)
    owner = known.program.kinds.project_class(known.kind)
    if owner is None or not facts.name.startswith("socketserver.ThreadingMixIn"):
        return False
    said = {"daemon_threads": True, "block_on_close": False}
    return any(
        isinstance(way.value, Constant) and way.value.value is word
        for name, word in said.items()
        for _, way in known.program.classes.bindings(owner, name)
    )


# Jobs


def _jobs(known: Known, subject: str) -> Iterator[FunctionId | None]:
    """The functions that an executor runs; None for one that is not known."""
    if not subject:
        return
    for scope, call in calls_on(known.program, known.key, subject, SPAWNS):
        targets: list[FunctionId | None] = [*runs(known.program, scope, call)]
        yield from targets or [None]


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
