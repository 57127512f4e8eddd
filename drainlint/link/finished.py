"""Waits that end because of what else the function does: their pool was joined, a timer kills."""

import itertools
from collections.abc import Iterator

from drainlint.index.entries import FunctionEntry
from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.ended import statement_calls
from drainlint.link.endings import told_at_its_end
from drainlint.link.names import FunctionId, Variable
from drainlint.link.origins import calls_on, made, runs
from drainlint.link.soonover import is_soon_over
from drainlint.model.expression import Call, Expression, Name
from drainlint.model.statement import Assign, If, Statement, Try

OF_POOLS = frozenset({"result", "future"})
POOLS = frozenset({"pool", "executor"})
ENDING = frozenset({"join", "shutdown"})
AT_ONCE = frozenset({"map", "starmap", "apply"})
"""Methods of a pool that come back when all they were given is done."""
LATER = frozenset({"apply_async", "map_async", "starmap_async", "imap", "imap_unordered"})
IN_TURN = frozenset({"imap", "imap_unordered"})
"""Those that give one result after the other."""
TAKING = frozenset({"get", "next"})
NAMED = 3
"""Through how many names a result is followed."""
JUST_BEFORE = 3
"""How many statements up it is looked for what ended it."""
COMPLETING = frozenset({"set_result", "set_exception", "set_running_or_notify_cancel"})
SERVES = ".serve_forever"
KILLING = frozenset({"kill", "terminate", "send_signal", "killpg", "cancel", "close", "shutdown"})


def finished(known: Known) -> str:
    """Why what a call waits for is over by now; empty where it may go on."""
    if is_only_tried(known):
        return "its server was closed right after it was made"
    if told := told_at_its_end(known):
        return told
    if is_soon_over(known):
        return "its job is soon over"
    if _served_until(known) or _was_stopped(known):
        return "its server was shut down"
    if _is_for_older_python(known):
        return "the same call takes a timeout now"
    if known.kind is not None and known.kind.nature == "pool" and known.call.method == "join":
        return "its results are all in" if _is_idle(known) else ""
    if known.kind is None or known.kind.nature not in OF_POOLS:
        return ""
    if known.program.roles.registered(known.key) & {"done-callback"} or _is_called_back(known):
        return "it runs when a future is done"
    if known.call.method == "exception" and known.program.names.function(known.key).is_async:
        return "a coroutine asks this of what is done"
    if _chains(known):
        return "it hands the result of one future on to others"
    for statement in known.occurrence.spot.preceding():
        for call in statement_calls(statement):
            if call.method in ENDING and call.receiver is not None and not call.arguments:
                kind = known.program.kinds.of(known.key, call.receiver)
                if kind is not None and kind.nature in POOLS:
                    return f"`{call.text}` has waited for it"
    return ""


def _is_called_back(known: Known) -> bool:
    """Whether what stands around its function asks something to call it once that is done."""
    entry = known.program.names.function(known.key)
    around = known.program.names.modules[known.key.path].functions.get(entry.parent)
    given = {p.name for p in entry.parameters}
    return (
        known.subject in given
        and around is not None
        and any(
            call.method == "add_done_callback"
            and any(a.value.path == entry.short_name for a in call.arguments)
            for call in around.calls
        )
    )


def _served_until(known: Known) -> bool:
    """Whether a thread ran a server's `serve_forever`, and the server was shut down before."""
    receiver = known.call.receiver
    if known.call.method != "join" or receiver is None:
        return False
    serving = {
        argument.value.path.removesuffix(SERVES)
        for _, call in made(known.program, known.key, receiver)
        for argument in call.arguments
        if argument.value.path.endswith(SERVES)
    }
    return bool(serving) and any(
        call.method == "shutdown" and call.receiver is not None and call.receiver.path in serving
        for statement in known.occurrence.spot.preceding()
        for call in statement_calls(statement)
    )


def _is_for_older_python(known: Known) -> bool:
    """Whether the same call with a timeout was tried, and this one is for where it takes none.

    `try: lock.acquire(timeout=3)`, `except TypeError: lock.acquire()`: Python 2 is meant.
    """
    spot = known.occurrence.spot
    if spot.handler is None or not isinstance(spot.owner, Try):
        return False
    if [kind.path for kind in spot.handler.kinds] != ["TypeError"]:
        return False
    return any(
        isinstance(part, Call) and part.func.text == known.call.func.text and part.arguments
        for statement in spot.owner.body
        for inner in statement.walk()
        for expression in inner.expressions
        for part in expression.walk()
    )


def _was_stopped(known: Known) -> bool:
    """Whether a coroutine has seen to it that a server stopped, before it waits for that again."""
    if known.call.method != "wait_for_termination" or not known.is_asynchronous:
        return False
    return any(
        call.method == "stop" and call.receiver is not None and call.receiver.text == known.subject
        for statement in itertools.islice(known.occurrence.spot.preceding(), JUST_BEFORE)
        for call in statement_calls(statement)
    )


def is_only_tried(known: Known) -> bool:
    """Whether a server is closed right after it was made: only its address was tried."""
    if known.call.method != "wait_closed" or known.kind is None or known.kind.nature != "server":
        return False
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > 1:
            return False
        if isinstance(statement, Assign):
            return any(target.text == known.subject for target in statement.targets)
    return False


def _is_idle(known: Known) -> bool:
    """Whether a function has all the results of the pool that it joins: no job is under way."""
    receiver = known.call.receiver
    if receiver is None or not receiver.path:
        return False
    entry = known.program.names.function(known.key)
    if any(_hands_on(call, receiver) for call in entry.calls):
        return False
    jobs = list(calls_on(known.program, known.key, receiver.path, AT_ONCE | LATER))
    return bool(jobs) and all(
        scope == known.key
        and job.place.line < known.call.place.line
        and (job.method in AT_ONCE or _is_collected(known, entry, job))
        for scope, job in jobs
    )


def _hands_on(call: Call, pool: Expression) -> bool:
    """Whether a pool goes to somebody who may give it jobs as well; `closing` only closes it."""
    given = any(a.value.path == pool.path for a in call.arguments)
    return given and call.method != "closing"


def _is_collected(known: Known, entry: FunctionEntry, job: Call) -> bool:
    """Whether what a job gives was taken before the join."""
    names = _names_for(entry, job)
    before = [c for c in entry.calls if c.place.line <= known.call.place.line]
    if job.method in IN_TURN:
        each = [way for ways in entry.bindings.values() for way in ways if way.how == "each"]
        values = [way.value for way in each]
        values += [a.value for call in before for a in call.arguments]
        return any(_mentions(value, job, names) for value in values)
    return any(
        call.method in TAKING and call.receiver is not None and _mentions(call.receiver, job, names)
        for call in before
    )


def _names_for(entry: FunctionEntry, job: Call) -> set[str]:
    """The names of what a job gives, and of the collections and loops that it goes through."""
    found: set[str] = set()
    for _ in range(NAMED):
        for name, ways in entry.bindings.items():
            if any(_mentions(way.value, job, found) for way in ways):
                found.add(name)
        for call in entry.calls:
            added = call.arguments if named("adds", call.method) else ()
            if call.receiver is not None and any(_mentions(a.value, job, found) for a in added):
                found.add(call.receiver.path)
    return found - {""}


def _mentions(value: Expression, job: Call, names: set[str]) -> bool:
    return any(part == job or part.path in names for part in value.walk())


def _chains(known: Known) -> bool:
    """Whether a function is given a future, and completes others with what it says."""
    if "." in known.subject or known.facts is None:
        return False
    resolved = known.program.names.resolve(known.key, known.subject)
    if resolved is None or not isinstance(resolved.symbol, Variable):
        return False
    entry = known.program.names.function(known.key)
    given = resolved.symbol.scope == known.key and any(
        p.name == known.subject for p in entry.parameters
    )
    return given and any(
        c.method in COMPLETING and c.receiver is not None and c.receiver.path != known.subject
        for c in entry.calls
    )


def watched(known: Known) -> str:
    """The timer, started before, that ends what a call waits for; empty for none."""
    if known.call.receiver is None or known.does not in ("join", "wait", "take"):
        return ""
    for statement in known.occurrence.spot.preceding():
        for timer in _timers(known, statement):
            if known.does == "join" and _tells_to_stop(known, timer):
                return timer.text
            given = timer.argument("function", 1)
            if given is not None and given.path == f"{known.subject}.set":
                return timer.text
            for target in runs(known.program, known.key, timer):
                if _ends(known, target):
                    return timer.text
    return ""


def _tells_to_stop(known: Known, timer: Call) -> bool:
    """Whether all that a timer does is to set an event: `Timer(2, self.stopping.set)`."""
    given = timer.argument("function", 1)
    thing, _, method = ("" if given is None else given.path).rpartition(".")
    kind = known.program.kinds.of(known.key, Name(thing)) if thing and method == "set" else None
    return kind is not None and kind.nature == "event"


def _timers(known: Known, statement: Statement) -> Iterator[Call]:
    """The timers that a statement, or a branch of it, starts."""
    inner = statement.walk() if isinstance(statement, If) else (statement,)
    for one in inner:
        for expression in one.expressions if isinstance(one, Assign) else ():
            yield from (c for c in _calls(expression) if _is_timer(known, c))


def _calls(expression: Expression) -> Iterator[Call]:
    return (e for e in expression.walk() if isinstance(e, Call))


def _is_timer(known: Known, call: Call) -> bool:
    kind = known.program.kinds.of(known.key, call)
    return kind is not None and kind.nature in ("timer", "timer-handle")


def _ends(known: Known, target: FunctionId) -> bool:
    """Whether a timer's function ends, among others, what is waited for."""
    return any(
        call.method in KILLING and call.receiver is not None and call.receiver.text == known.subject
        for call in known.program.names.function(target).calls
    )
