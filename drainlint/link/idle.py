"""Idle waits: a program, a parent or a watcher that has nothing to do until it is told to stop."""

from drainlint.link.calls import Known
from drainlint.link.origins import calls_on
from drainlint.link.roles import HANDLERS, WORKERS
from drainlint.link.roots import WHOLE
from drainlint.link.services import STOP_WORDS
from drainlint.link.supervising import reaps_for_a_living, supervises
from drainlint.model.statement import Try

PASSES_ON = {
    "popen": frozenset({"send_signal", "terminate"}),
    "server": frozenset({"stop", "shutdown"}),
}
"""Methods by which a child, or a server, is told to stop."""
WAKING = frozenset(
    {
        "set",
        "notify",
        "notify_all",
        "notifyAll",
        "put",
        "put_nowait",
        "release",
        "set_result",
        "cancel",
        "fire",
        "send",
    }
)


def woken_by_stop(known: Known) -> bool:
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
            stops = known.program.drain(function, entry.line) is not None
            if stops or WHOLE.match(entry.short_name):
                return True
    return False


def is_idle(known: Known) -> bool:
    """Whether whoever waits has nothing else to do until the program is to stop."""
    function = known.function
    beside = known.program.roles.registered(known.key) & WORKERS
    if supervises(known) or reaps_for_a_living(known) or _is_told_to_end(known):
        return True
    if _waits_for_nobody(known):
        return True
    if _waits_for_stop(known) and (beside or function.main or known.catches("interrupt")):
        return True
    if _ends_by_a_signal(known):
        return True
    if known.kind is not None and not (function.main or function.helper):
        return False
    return known.program.drain_paths.is_stop_wait(known.key, known.call)


def _waits_for_nobody(known: Known) -> bool:
    """Whether a main flow waits for an event that nobody else has, until it is interrupted."""
    if known.kind is None or known.kind.nature != "event" or not known.catches("interrupt"):
        return False
    name, me = known.subject, known.key.name
    functions = known.program.names.modules[known.key.path].functions.items()
    near = [call for n, e in functions if n == me or n.startswith(f"{me}.") for call in e.calls]
    handed = {part.path for call in near for a in call.arguments for part in a.value.walk()}
    told = name in handed or f"{name}.set" in handed | {call.func.path for call in near}
    return name in known.program.names.function(known.key).bindings and not told


def _is_told_to_end(known: Known) -> bool:
    """Whether a worker has nothing left to do until its own stop tells it to end."""
    event = known.kind is not None and known.kind.nature == "event"
    if not event or not STOP_WORDS.search(known.subject.lower()):
        return False
    stops = known.drain is not None and known.drain.sort != "finally"  # and waits for another stop
    return not stops and bool(known.function.worker) and woken_by_stop(known)


def _ends_by_a_signal(known: Known) -> bool:
    """Whether a child or server is waited for that the program's signal handlers tell to stop.

    A parent that passes its signals on has nothing else to do than to wait.
    """
    program, kind = known.program, known.kind
    if known.drain is not None or kind is None or kind.nature not in PASSES_ON:
        return False
    told = calls_on(program, known.key, known.subject, PASSES_ON[kind.nature])
    return any(program.roles.of(scope).keys() & HANDLERS for scope, _ in told)


def _waits_for_stop(known: Known) -> bool:
    """Whether it is a watcher's: a worker that does nothing until it is told to stop."""
    event = known.kind is not None and known.kind.nature == "event"
    spot = known.occurrence.spot
    tried = isinstance(spot.owner, Try) and spot.section == "body"
    if not event or not (spot.owner is None or tried) or not known.occurrence.dropped:
        return False
    return bool(STOP_WORDS.search(known.subject.lower()))
