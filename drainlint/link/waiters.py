"""Daemon threads that only wait for others, so that whoever drains can give up on them.

A queue, a pool or a condition of unknown users cannot be waited for with a deadline: a thread waits
for ever, says when it is through, and is left behind when the time runs out.
"""

from drainlint.link.calls import Known, is_log
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.model.expression import Call, Constant

WAITING = frozenset({"join", "wait"})
SAYING = frozenset({"set", "notify", "notify_all", "set_result", "put", "put_nowait", "append"})
"""Methods by which a thread says that it is through."""


def left_to_a_waiter(known: Known) -> str:
    """The daemon thread that does nothing but this wait; empty where anybody else is held up."""
    program, key = known.program, known.key
    roles = program.roles.registered(key)
    if roles != {"thread"} or program.graph.callers.get(key) or not _only_waits(program, key):
        return ""
    starting = [r for r in program.graph.registrations if r.target == key]
    for one in starting:
        if one.call is None or not is_daemon(program, one.scope, one.call):
            return ""
    return starting[0].call.text if starting and starting[0].call is not None else ""


def is_daemon(program: Program, scope: FunctionId, thread: Call) -> bool:
    """Whether a thread is a daemon by its making, or by what is set on its name afterwards."""
    bindings = program.names.function(scope).bindings
    names = [n for n, ways in bindings.items() if any(w.value == thread for w in ways)]
    set_later = (way.value for name in names for way in bindings.get(f"{name}.daemon", ()))
    said = (thread.argument("daemon"), *set_later)
    return any(isinstance(value, Constant) and value.value is True for value in said)


def _only_waits(program: Program, key: FunctionId) -> bool:
    """Whether a function waits, says so, and does nothing else."""
    return all(
        call.method in SAYING or is_log(call) or _waits(program, key, call)
        for call in program.names.function(key).calls
    )


def _waits(program: Program, key: FunctionId, call: Call) -> bool:
    facts = program.facts(key, call)
    if facts is None:
        return call.method in WAITING and not call.arguments
    return facts[0].does in WAITING
