"""Whether anybody looks if a timeout ran out, or takes up a cancellation."""

import re
from collections.abc import Iterator

from drainlint.knowledge import CallFacts
from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.ended import Subject, statement_calls
from drainlint.link.names import FunctionId
from drainlint.link.origins import made, runs
from drainlint.link.results import parameters_of
from drainlint.link.services import STOP_WORDS
from drainlint.model.deadline import Deadline
from drainlint.model.expression import (
    Call,
    Compare,
    Comprehension,
    Expression,
    Group,
    Not,
)
from drainlint.model.statement import (
    Assign,
    Define,
    For,
    Handler,
    If,
    Pass,
    Raise,
    Return,
    Try,
    While,
    With,
)

ASKING = frozenset(
    {
        "is_alive",
        "isAlive",
        "poll",
        "done",
        "ready",
        "dead",
        "successful",
        "is_set",
        "isSet",
        "exitcode",
        "returncode",
        "running",
        "is_running",
        "finished",
        "stopped",
    }
)
"""Methods and attributes by which one learns whether a thing has ended."""
AGAIN = frozenset({"wait", "result", "join"})
"""Methods by which one waits for the same thing a second time."""
ACTING = re.compile(r"kill|terminate|cancel|send_signal|abort|^_exit$|force|interrupt")
"""What is done to those who are late, by the names of methods."""
ENDLESS = frozenset({"itertools.count", "itertools.cycle"})
"""What a loop goes over until something else ends it."""
FILLING = frozenset({"set", "setdefault"})
EVENTS = frozenset({"event", "aio-event", "condition", "aio-condition"})
HELPERS = 2
"""Through how many functions it is followed who looks after what is late."""
FAR = 2
"""Steps from the root of a drain path after which a short wait on an event is its caller's tick."""


def seen(known: Known, facts: CallFacts | None) -> str:
    """How somebody learns that the time ran out; empty where nobody looks."""
    outcome = "nothing" if facts is None else facts.outcome
    if facts is not None and facts.does == "killall":
        return "it is the last resort"
    if _goes_round(known):
        return "its loop looks again"
    if outcome.startswith("raises"):
        return "" if _is_swallowed(known, outcome) and not _looked_after(known) else outcome
    if outcome == "not-done":
        return "its second result" if _second_is_used(known) else _looked_after(known)
    if outcome == "nothing" or known.occurrence.dropped:
        return _looked_after(known)
    return "its result is used"


def _goes_round(known: Known) -> bool:
    """Whether a loop makes it again until something else ends it: `for turn in count():`."""
    return any(
        isinstance(loop, While)
        or (
            isinstance(loop.iterable, Call)
            and known.program.library(known.key, loop.iterable.func.path) in ENDLESS
        )
        for loop in known.occurrence.spot.loops
    )


def _is_swallowed(known: Known, outcome: str) -> bool:
    """Whether the exception that says so is caught on the spot, and nothing done about it."""
    if known.kind is None or known.kind.nature not in ("popen", "process", "foreign-process"):
        return False
    if any(isinstance(s, Raise) for s in known.occurrence.spot.block):
        return False  # it is to go on: its end is the fault, which is raised
    last = outcome.rpartition(".")[2]
    for statement in known.occurrence.spot.withs:
        for item in statement.items:
            value = item.value
            if isinstance(value, Call) and named("suppresses", value.method):
                return any(a.value.path.endswith(last) for a in value.arguments)
    for spot in known.occurrence.spot.outward():
        if isinstance(spot.owner, Try) and spot.section == "body":
            for handler in spot.owner.handlers:
                if any(k.path.endswith(last) for k in handler.kinds):
                    return _does_nothing(handler)
    return False


def _does_nothing(handler: Handler) -> bool:
    return all(isinstance(s, Pass) for s in handler.body)


def _second_is_used(known: Known) -> bool:
    """Whether what `wait` says is (not) done is ever named again."""
    statement = known.occurrence.spot.statement
    until = known.call.argument("return_when")
    if until is not None and "FIRST" in until.text:
        return True  # the first result is empty where the time ran out; or all are asked again
    if known.occurrence.dropped:
        return False
    if not isinstance(statement, Assign):
        return not any(getattr(a, "name", "") == "done" for a in known.occurrence.around)
    (target, *_) = statement.targets
    if not isinstance(target, Group):
        return True
    if _is_asked(known, target.items[0].path):
        return True
    second = target.items[1].path if len(target.items) > 1 else ""
    if not second or second.strip("_") == "":
        return False
    return any(e.path.partition(".")[0] == second for e in _following(known))


def _is_asked(known: Known, done: str) -> bool:
    """Whether it is asked if, or what, is done: `if not done:`, `if task in done:`."""
    following = (inner for s in known.occurrence.spot.following() for inner in s.walk())
    for test in (statement.test for statement in following if isinstance(statement, If)):
        asked = test.value if isinstance(test, Not) else test
        if isinstance(asked, Compare) and set(asked.operators) & {"in", "not in"}:
            asked = asked.rights[-1]
        if done and asked.path == done:
            return True
    return False


def _looked_after(known: Known) -> str:
    """What is done after it to learn, or about, who is late: here or where it is called from."""
    several = known.facts is not None and known.facts.outcome == "not-done"
    subject = None if several else Subject.of(known)
    shared = _handed_along(known)
    path = "" if subject is None else subject.expression.path
    if known.kind is not None and known.kind.nature in EVENTS and _is_tested_next(known):
        return "what it stands for is tested next"
    for expression in _following(known):
        named = expression.method if isinstance(expression, Call) else ""
        _, dot, attribute = expression.path.rpartition(".")
        last = named or (attribute if dot else "")
        if ACTING.search(last) or (last in ASKING and _is_about(expression, subject)):
            return f"`{expression.text}` follows"
        if isinstance(expression, Call) and _asks_what_came(expression, shared):
            return f"`{expression.text}` follows"
        if last in AGAIN and subject is not None and _is_about(expression, subject):
            return f"`{expression.text}` follows"
        if isinstance(expression, Call) and _sees_to(known, known.key, expression, path):
            return f"`{expression.text}` follows"
        if isinstance(expression, Comprehension) and _asks_several(expression, subject):
            return f"`{expression.text}` follows"
    if subject is not None and (asked := _asked_each(known, subject)):
        return f"`{asked}` follows"
    if _was_late_before(known, subject):
        return "it was late before, and something was done about it"
    if tested := _tested_of(known, _filled(known)):
        return f"`{tested}` is asked next"
    for caller in known.program.graph.callers.get(known.key, ()):
        entry = known.program.names.function(caller)
        place = known.program.graph.callees[caller][known.key]
        for call in entry.calls:
            if call.place.line >= place.line and call.method in ("is_alive", "isAlive"):
                return f"its caller asks `{call.text}`"
    return ""


def _asked_each(known: Known, subject: Subject) -> str:
    """What each of several is asked next, this one among them: `for one in (a, b): one.poll()`."""
    for statement in known.occurrence.spot.following():
        for walk in (s for s in statement.walk() if isinstance(s, For)):
            if subject.expression.text not in {e.text for e in walk.iterable.walk()}:
                continue
            for inner in (e for s in walk.body for part in s.walk() for e in part.expressions):
                for asked in inner.walk():
                    about, _, last = asked.path.rpartition(".")
                    if isinstance(asked, Call) and asked.receiver is not None:
                        about, last = asked.receiver.path, asked.method
                    if last in ASKING and about == walk.target.path:
                        return asked.text
    return ""


def _sees_to(known: Known, key: FunctionId, call: Call, path: str, depth: int = 0) -> bool:
    """Whether a function that is called asks, or ends, what a path names: its own, or handed over.

    `self._drop()`, which calls `_stop(self.process)`, which asks `process.is_alive()`.
    """
    for target in known.program.graph.targets(key, call) if depth < HELPERS and path else ():
        entry = known.program.names.function(target)
        given = parameters_of(entry, call, bound=bool(entry.owner))
        names = {name for name, value in given if value.path == path}
        if path.startswith(f"{known.program.classes.self_name(target)}."):
            names.add(path)
        for inner in entry.calls:
            about = inner.receiver is not None and inner.receiver.path in names
            if about and (inner.method in ASKING or ACTING.search(inner.method)):
                return True
            if any(_sees_to(known, target, inner, name, depth + 1) for name in names):
                return True
    return False


def _handed_along(known: Known) -> frozenset[str]:
    """What the worker that is waited for was given: it may put its result there."""
    receiver = known.call.receiver
    calls = () if receiver is None else made(known.program, known.key, receiver)
    return frozenset(
        part.path
        for scope, call in calls
        if scope == known.key
        for argument in call.arguments
        for part in argument.value.walk()
        if part.path
    )


def _fillers(known: Known) -> Iterator[FunctionId]:
    """The function of the worker that is waited for; callbacks nested here that set an event."""
    receiver = known.call.receiver
    if receiver is None:
        return
    for scope, call in made(known.program, known.key, receiver):
        if scope == known.key:
            yield from runs(known.program, scope, call)
    if known.kind is None or known.kind.nature not in EVENTS or not receiver.path:
        return
    for target in known.program.kinds.use.nested(known.key):
        calls = known.program.names.function(target).calls
        if any(c.func.path == f"{receiver.path}.set" for c in calls):
            yield target


def _filled(known: Known) -> frozenset[str]:
    """The names of this function that such functions fill, nested in it as they are."""
    found: set[str] = set()
    for target in _fillers(known):
        entry = known.program.names.function(target)
        if entry.parent != known.key.name or target.path != known.key.path:
            continue
        found.update(entry.shared)
        found.update(
            call.receiver.path
            for call in entry.calls
            if (call.method in FILLING or named("adds", call.method)) and call.receiver is not None
        )
        found.update(
            path for path, ways in entry.bindings.items() if any(w.how == "element" for w in ways)
        )
    return frozenset(found - {""})


def _tested_of(known: Known, names: frozenset[str]) -> str:
    """A test after it that reads one of these names: `if not results:`."""
    for statement in known.occurrence.spot.following() if names else ():
        for inner in statement.walk():
            test = inner.test if isinstance(inner, If) else None
            if test is not None and any(e.path.partition(".")[0] in names for e in test.walk()):
                return test.text
    return ""


def _was_late_before(known: Known, subject: Subject | None) -> bool:
    """Whether it is the last grace, after a wait for the same thing that was looked at."""
    if subject is None or not known.call.arguments:
        return False
    for spot in known.occurrence.spot.outward():
        owner = spot.owner
        if not isinstance(owner, If) or spot.section != "body":
            continue
        asks = (e for e in owner.test.walk() if isinstance(e, Call) and e.method in ASKING)
        if any(subject.is_(asking.receiver) for asking in asks) and spot.parent is not None:
            before = (c for s in spot.parent.preceding() for c in statement_calls(s))
            if any(call.func == known.call.func and call.arguments for call in before):
                return True
    return False


def _asks_what_came(call: Call, shared: frozenset[str]) -> bool:
    """Whether it is asked whether the worker has put its result where it was to."""
    asks = call.method == "get_nowait" or named("fill-level", call.method)
    return asks and call.receiver is not None and call.receiver.path in shared


def _is_tested_next(known: Known) -> bool:
    """Whether the state that the event stands for is tested next, here or by whoever called."""
    following = next(iter(known.occurrence.spot.following()), None)
    while isinstance(following, With):
        following = following.body[0]
    if isinstance(following, If) or getattr(following, "word", "") == "assert":
        return True
    far = known.drain is None or len(known.drain.steps) > FAR
    return far and (following is None or isinstance(following, Return))


def _asks_several(asking: Comprehension, subject: Subject | None) -> bool:
    """Whether a comprehension asks several things, what was waited for among them."""
    methods = {e.method for e in asking.walk() if isinstance(e, Call)}
    over = (e.text for clause in asking.clauses for e in clause.iterable.walk())
    return bool(methods & ASKING) and (subject is None or subject.expression.text in over)


def _is_about(expression: Expression, subject: Subject | None) -> bool:
    if subject is None or subject.groups:
        return True
    head = expression.path.rpartition(".")[0]
    if isinstance(expression, Call):
        head = "" if expression.receiver is None else expression.receiver.text
    return head == subject.expression.text


def _following(known: Known) -> Iterator[Expression]:
    """Every expression that is evaluated after it, lambdas and nested functions left out."""
    for statement in known.occurrence.spot.following():
        for inner in statement.walk():
            if not isinstance(inner, Define):
                for expression in inner.expressions:
                    yield from expression.walk()


# Pauses


def is_pause(known: Known, deadline: Deadline) -> bool:
    """Whether a timed wait only lets time pass: in a loop, or on what tells it to stop."""
    if not deadline.is_none and _waits_for_a_stop_alone(known):
        return True
    if deadline.is_none or known.kind is None or known.kind.nature not in EVENTS:
        return False
    receiver = known.call.receiver
    if receiver is None or isinstance(receiver, Call):
        return True
    if _goes_round(known):
        return True
    if known.drain is not None:
        return False
    if known.kind.nature in ("condition", "aio-condition"):
        return True  # whoever called asks the condition again
    return bool(STOP_WORDS.search(receiver.text.lower())) or not _is_set(known, receiver)


def _waits_for_a_stop_alone(known: Known) -> bool:
    """Whether all that it waits for is a future by which a stop is told: `wait([self._closed])`."""
    several = known.facts is not None and known.facts.outcome == "not-done"
    given = known.call.arguments[0].value if several and known.call.arguments else None
    if not isinstance(given, Group) or len(given.items) != 1:
        return False
    kind = known.program.kinds.of(known.key, given.items[0])
    future = kind is not None and kind.nature == "aio-future"
    return future and bool(STOP_WORDS.search(given.items[0].text.lower()))


def _is_set(known: Known, receiver: Expression) -> bool:
    """Whether anybody in its file sets the event, by its last name, or is handed it."""
    last = receiver.path.rpartition(".")[2]
    for entry in known.program.names.modules[known.key.path].functions.values():
        for call in entry.calls:
            head = "" if call.receiver is None else call.receiver.path
            if call.method == "set" and head.rpartition(".")[2] == last:
                return True
            if any(a.value.path.rpartition(".")[2] in (last, "set") for a in call.arguments):
                return True
    return False
