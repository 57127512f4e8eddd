"""Bounds that stand elsewhere: around every call of a coroutine, in the client of a call."""

from collections.abc import Iterator

from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.feeds import calls_about
from drainlint.link.names import FunctionId, Variable
from drainlint.link.origins import ways
from drainlint.link.program import Program
from drainlint.link.surroundings import occurrences
from drainlint.model.expression import Await, Call, Constant, Expression
from drainlint.model.place import Place

DEPTH = 4
"""How many callers up a bound is looked for."""
CLIENTS = frozenset({"client", "limits"})
"""Verbs of calls whose timeout bounds all that is asked through what they make."""


def bounded_by_callers(program: Program, key: FunctionId, depth: int = 0) -> str:
    """The timeout that every caller of a coroutine puts around it; empty where one does not."""
    callers = program.graph.callers.get(key, set())
    if depth > DEPTH or not callers or not program.names.function(key).is_async:
        return ""
    if program.roles.registered(key) or _is_entered_from_outside(program, key):
        return ""
    found = ""
    for caller in sorted(callers - {key}):
        place = program.graph.callees[caller][key]
        found = _around(program, caller, place) or bounded_by_callers(program, caller, depth + 1)
        if not found:
            return ""
    return found


def _is_entered_from_outside(program: Program, key: FunctionId) -> bool:
    """Whether it is where a drain path begins, under a name that others may call."""
    if program.names.function(key).short_name.startswith("_"):
        return False
    return any(r.function == key and not r.first_line for r in program.drain_paths.roots)


def _around(program: Program, caller: FunctionId, place: Place) -> str:
    """The timeout around a call at this place of a function."""
    body = program.bodies.get(caller)
    if body is not None:
        for occurrence in occurrences(body, caller.path):
            if occurrence.call.place == place:
                return Known(program, occurrence).bounded_by
    for call in program.names.function(caller).calls:
        if call.place != place and call.place.holds(place):
            facts = program.facts(caller, call)
            if facts is not None and facts[0].does == "bound":
                return call.text
    return ""


# Clients


def limited(known: Known) -> str:
    """What bounds a network call although it names no timeout; empty for nothing.

    A default for all sockets of the program, an adapter or wrapper that adds one to a session, a
    connection that is only made later, with a timeout.
    """
    for call in _set_up(known):
        facts = known.program.facts(known.key, call)
        sets = facts is not None and facts[0].does == "settimeout" and bool(call.arguments)
        if sets and not _is_none(call.arguments[0].value):
            return call.text
        if call.method == "mount" and any(_is_adapter(a.value) for a in call.arguments[1:]):
            return call.text
        if named("connects", call.method) and call.argument("timeout") is not None:
            return call.text
    return _made_with(known) or ("its requests are wrapped" if _is_wrapped(known) else "")


def _made_with(known: Known) -> str:
    """The call that made the client with a timeout for all its requests."""
    path = "" if known.call.receiver is None else known.call.receiver.path
    for scope, way in ways(known.program, known.key, path):
        making = way.value.value if isinstance(way.value, Await) else way.value
        if not isinstance(making, Call):
            continue
        if any(
            named("notices-silence", a.name) and not _is_none(a.value) for a in making.arguments
        ):
            return making.text
        facts = known.program.facts(scope, making)
        if facts is None or facts[0].does not in CLIENTS:
            continue
        given = making.argument(facts[0].timeout, facts[0].at)
        if given is not None and not _is_none(given):
            return making.text
    return ""


def _is_wrapped(known: Known) -> bool:
    """Whether the session's own `request` is replaced, as by `partial(..., timeout=5)`."""
    subject = known.subject
    functions = known.program.names.modules[known.key.path].functions
    return bool(subject) and any(f"{subject}.request" in e.bindings for e in functions.values())


def _set_up(known: Known) -> Iterator[Call]:
    """The calls on the client, wherever it is set up, and those that speak of all sockets."""
    path = "" if known.call.receiver is None else known.call.receiver.path
    resolved = known.program.names.resolve(known.key, path) if path else None
    is_ours = resolved is not None and isinstance(resolved.symbol, Variable)
    for name in [path] if is_ours else sorted(set(_targets(known))):
        for _, call in calls_about(known, name):
            yield call
    for entry in known.program.names.modules[known.key.path].functions.values():
        yield from (c for c in entry.calls if c.method == "setdefaulttimeout")


def _targets(known: Known) -> Iterator[str]:
    """The names that what is made here is given."""
    entry = known.program.names.function(known.key)
    for name, found in entry.bindings.items():
        for way in found:
            if any(e is known.call or e == known.call for e in way.value.walk()):
                yield name


def _is_none(value: Expression) -> bool:
    return isinstance(value, Constant) and value.value is None


def _is_adapter(value: Expression) -> bool:
    """Whether an adapter is one of the project's own, or is told a timeout."""
    text = value.text.lower()
    return "timeout" in text or (isinstance(value, Call) and value.method != "HTTPAdapter")
