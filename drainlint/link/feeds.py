"""Takes and puts: whether they wait at all, and what ends the loop that they feed."""

from collections.abc import Iterator

from drainlint.index.entries import Binding
from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.checked import NEAR, goes_away, says_there_is_one
from drainlint.link.names import FunctionId, Library, Variable
from drainlint.link.origins import made
from drainlint.link.roles import WORKERS
from drainlint.model.expression import Await, Call, Constant, Expression
from drainlint.model.statement import (
    Assign,
    Do,
    For,
    If,
    Leave,
    Raise,
    Return,
    Statement,
    While,
    With,
)

QUEUES = frozenset({"queue", "aio-queue"})
LOOKUPS = frozenset({"get", "pop", "setdefault"})
"""Methods of a table that give a queue which was made before."""
SOCKETS = frozenset({"socket", "connection", "channel", "session", "consumer"})


def ready(known: Known) -> str:
    """Why a take does not wait; empty where it may."""
    nature = "" if known.kind is None else known.kind.nature
    if known.does == "lock":
        return "it is released here" if _is_released(known) else _is_new(known)
    if _is_given_back(known):
        return "it is given back here"
    if _is_closed(known):
        return "it was closed before"
    if nature in SOCKETS and (why := _socket_bound(known)):
        return why
    if known.catches("would-wait"):
        return "it raises where it would wait"
    if _asked_around(known) or _left_when_empty(known):
        return "it was asked whether there is something"
    if nature in SOCKETS and _selects(known):
        return "it was reported readable"
    return ""


def _is_given_back(known: Known) -> bool:
    """Whether a `with` gives back at its end what is taken: `async with pool.acquire():`."""
    statement = known.occurrence.spot.statement
    return isinstance(statement, With) and any(i.value is known.call for i in statement.items)


def _is_closed(known: Known) -> bool:
    """Whether what is taken from was closed just before: then the take sees its end."""
    return any(
        call.method == "close" and call.receiver is not None and call.receiver.text == known.subject
        for statement in known.occurrence.spot.preceding()
        if isinstance(statement, Do)
        for call in (statement.value,)
        if isinstance(call, Call)
    )


def _is_released(known: Known) -> bool:
    path = "" if known.call.receiver is None else known.call.receiver.path
    calls = known.program.names.function(known.key).calls
    return bool(path) and any(c.func.path == f"{path}.release" for c in calls)


def _is_new(known: Known) -> str:
    """A lock that was made just before is nobody's yet."""
    for statement in known.occurrence.spot.preceding():
        if not isinstance(statement, Assign) or not isinstance(statement.value, Call):
            continue
        if any(t.path == known.subject for t in statement.targets):
            return f"`{statement.value.text}` was made just before"
    return ""


def _asked_around(known: Known) -> bool:
    """Inside `while not q.empty():`, `if conn.poll(1):`."""
    subject = known.subject
    for spot in known.occurrence.spot.outward():
        if not isinstance(spot.owner, If | While) or spot.section != "body":
            continue
        for asked in spot.owner.test.walk():
            asks = isinstance(asked, Call) and named("fill-level", asked.method)
            receiver = asked.receiver if isinstance(asked, Call) else None
            if asks and receiver is not None and receiver.text == subject:
                return True
    return False


def _left_when_empty(known: Known) -> bool:
    """After `if q.empty(): return`, also where a pause and a second look come first."""
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number >= NEAR:
            return False
        if isinstance(statement, If) and _leaves_when_empty(known, statement):
            return True
    return False


def _leaves_when_empty(known: Known, statement: If) -> bool:
    asked, last = known.call.receiver, statement.body[-1]
    if asked is None or says_there_is_one(statement.test, asked, denied=True) is None:
        return False
    return goes_away(statement) or (isinstance(last, If) and _leaves_when_empty(known, last))


def never_waits(known: Known) -> bool:
    """Whether a call is made on a socket that was told not to block: it raises instead."""
    path = "" if known.call.receiver is None else known.call.receiver.path
    if known.kind is None or known.kind.nature not in SOCKETS or not path:
        return False
    for scope, call in calls_about(known, path):
        found = known.program.facts(scope, call)
        if call.receiver is None or found is None or found[0].does != "settimeout":
            continue
        given = [a.value for a in call.arguments if isinstance(a.value, Constant)]
        if any(not value.value and value.value is not None for value in given):
            return True
    return False


def _socket_bound(known: Known) -> str:
    """Whether a timeout was set on the socket, in its class, function or module.

    The timeout of `create_connection` bounds connecting alone where it is taken away behind it.
    """
    path = "" if known.call.receiver is None else known.call.receiver.path
    taken_away = False
    for scope, call in calls_about(known, path):
        found = known.program.facts(scope, call)
        if found is None or found[0].does != "settimeout":
            continue
        facts = found[0]
        given = call.argument(facts.timeout, facts.at)
        if given is None:
            given = call.argument(facts.blocking, facts.blocking_at)
        if given is None or (isinstance(given, Constant) and given.value in (None, True)):
            taken_away = taken_away or (given is not None and call.method != "setdefaulttimeout")
            continue
        return f"`{call.text}` bounds it"
    for scope, way in () if taken_away else ways(known, path):
        if not isinstance(way.value, Call):
            continue
        made = known.program.facts(scope, way.value)
        at = made[0].at if made is not None and made[0].timeout else None
        if way.value.argument("timeout", at) is not None:
            return f"`{way.value.text}` bounds it"
    return ""


def calls_about(known: Known, path: str) -> Iterator[tuple[FunctionId, Call]]:
    """The calls on what a path names, in the functions that share it, and on no object at all."""
    names = known.program.names
    owner = known.program.classes.owner(known.key)
    me, dot, attribute = path.partition(".")
    if owner is not None and dot and me == known.program.classes.self_name(known.key):
        for one in known.program.classes.project_line(owner):
            for function, entry in known.program.classes.members(one):
                own = f"{known.program.classes.self_name(function)}.{attribute}"
                for call in entry.calls:
                    if call.receiver is not None and call.receiver.path == own:
                        yield function, call
    for name, entry in names.modules[known.key.path].functions.items():
        scope = FunctionId(known.key.path, name)
        for call in entry.calls:
            same = scope == known.key and call.receiver is not None and call.receiver.path == path
            if same or call.method == "setdefaulttimeout":
                yield scope, call


def _selects(known: Known) -> bool:
    """Whether its function waits for readiness before, or is called when there is something."""
    if known.program.roles.registered(known.key) & {"callback"}:
        return True
    for call in known.program.names.function(known.key).calls:
        if call.place.line > known.call.place.line:
            continue
        facts = known.program.facts(known.key, call)
        if facts is not None and facts[0].does == "select":
            return True
    return False


# End markers


def marker(known: Known) -> bool:
    """Whether a put hands over an end marker to a queue that has a bound."""
    if known.kind is None or known.kind.nature not in QUEUES:
        return False
    given = known.call.arguments[0].value if known.call.arguments else None
    if given is None or not _is_marker(given) or _is_emptied(known):
        return False
    receiver = known.call.receiver
    calls = () if receiver is None else made(known.program, known.key, receiver)
    return any(_has_bound(known, scope, call) for scope, call in calls)


def _is_emptied(known: Known) -> bool:
    """Whether all that was put has just been worked off: `q.join()`, then there is room."""
    before = next(known.occurrence.spot.preceding(), None)
    call = before.value if isinstance(before, Do) else None
    call = call.value if isinstance(call, Await) else call
    if not isinstance(call, Call) or call.method != "join" or call.arguments:
        return False
    return call.receiver is not None and call.receiver.text == known.subject


def _is_marker(given: Expression) -> bool:
    if isinstance(given, Constant):
        return given.value is None
    name = given.func.path if isinstance(given, Call) else given.path
    return named("end-marker", name)


def _has_bound(known: Known, scope: FunctionId, making: Call) -> bool:
    """Whether a call makes a queue with a bound; one that looks a queue up makes none."""
    kind = known.program.kinds.of(scope, making)
    if kind is None or kind.nature not in QUEUES or making.method in LOOKUPS:
        return False
    size = making.argument("maxsize", 0)
    if size is None:
        return False
    number = known.program.values.number(scope, size)
    return number > 0 if number is not None else bool(size.path)


def ways(known: Known, path: str) -> Iterator[tuple[FunctionId, Binding]]:
    """Every way in which a name or an attribute of one's own gets its value."""
    resolved = known.program.names.resolve(known.key, path) if path else None
    if resolved is None or not isinstance(resolved.symbol, Variable):
        return
    scope, name = resolved.symbol.scope, resolved.symbol.name
    if not resolved.rest:
        for way in known.program.names.function(scope).bindings.get(name, ()):
            yield scope, way
        return
    owner = known.program.classes.owner(scope)
    own = owner is not None and name == known.program.classes.self_name(scope)
    if owner is not None and own and len(resolved.rest) == 1:
        yield from known.program.classes.bindings(owner, resolved.rest[0])


# Loops that a take feeds


def endless(known: Known) -> str:
    """The header of the worker's endless loop around a take, where nothing in it ends the loop."""
    if known.awaited or not known.function.roles & WORKERS or known.kind is None:
        return ""
    if known.kind.nature not in QUEUES or not _is_made_here(known):
        return ""
    loop = next(known.occurrence.spot.loops, None)
    if not isinstance(loop, While) or not _is_always(loop.test):
        return ""
    return "" if _can_leave(loop) else f"while {loop.test.text}:"


def _is_always(test: Expression) -> bool:
    return isinstance(test, Constant) and bool(test.value)


def _can_leave(loop: While) -> bool:
    """Whether anything in the loop's body leaves it; a `break` of an inner loop does not."""
    return any(_leaves(s) for s in loop.body)


def _leaves(statement: Statement) -> bool:
    match statement:
        case Return() | Raise():
            return True
        case Leave(word=word):
            return word == "break"
        case While() | For():
            inner = (s for b in statement.blocks for one in b for s in one.walk())
            return any(isinstance(s, Return | Raise) for s in inner)
    return any(_leaves(s) for block in statement.blocks for s in block)


def _is_made_here(known: Known) -> bool:
    """Whether the queue is made where it is taken from: in its class, module or function."""
    path = "" if known.call.receiver is None else known.call.receiver.path
    for scope, way in ways(known, path):
        if way.how != "assign" or not isinstance(way.value, Call):
            continue
        resolved = known.program.names.resolve(scope, way.value.func.path or "?")
        if resolved is not None and isinstance(resolved.symbol, Library):
            return True
    return False
