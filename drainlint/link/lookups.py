"""Functions of the project that look something up: by what they call, and where it leads."""

from drainlint.knowledge.names import named
from drainlint.link.bounds import CLOCKS
from drainlint.link.calls import is_log
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.model.expression import Call, Expression

HOPS = 2
OUTSIDE = frozenset({"network", "process", "io"})
"""Verbs of calls that ask the world outside, where their answer decides a wait."""


def is_getter(call: Call) -> bool:
    """Whether a call only looks something up, by its name."""
    return named("looks-up", call.method) or named("predicate", call.method)


def reaches_outside(program: Program, target: FunctionId, hops: int = HOPS) -> bool:
    """Whether a function of the project asks a service, a process or the file system."""
    for call in program.names.function(target).calls:
        known = program.facts(target, call)
        if known is not None and (known[0].asks == "external" or known[0].does in OUTSIDE):
            return True
        if known is None and (_is_client(call.receiver) or _runs_a_query(call)):
            return True
        inner = program.graph.targets(target, call) if hops else ()
        if known is None and any(reaches_outside(program, t, hops - 1) for t in inner):
            return True
    return False


def tells_the_time(program: Program, target: FunctionId) -> bool:
    """Whether a function only asks a clock whether it is time: nobody else can change that."""
    entry = program.names.function(target)
    asks = [call for call in entry.calls if call.method in CLOCKS]
    return bool(asks and entry.results) and all(
        call in asks or is_log(call) or named("computes", call.method) for call in entry.calls
    )


def looks_up(program: Program, target: FunctionId, hops: int = HOPS) -> bool:
    """Whether a function only looks things up, sorts them out and gives them back."""
    entry = program.names.function(target)
    if not entry.results or entry.turns or any("." in bound for bound in entry.bindings):
        return False
    for call in entry.calls:
        if is_getter(call) or is_log(call) or named("computes", call.method):
            continue
        if named("keeps", call.method) or call.method[:1].isupper():
            continue
        known = program.facts(target, call)
        if known is not None and known[0].asks:
            continue
        inner = program.graph.targets(target, call) if known is None and hops else ()
        if not inner or not all(looks_up(program, t, hops - 1) for t in inner):
            return False
    return True


def _is_client(receiver: Expression | None) -> bool:
    """Whether a thing, or the function that gives it, is named for what speaks to the outside."""
    while isinstance(receiver, Call):
        if any(named("client", p) for p in receiver.func.path.split(".")):
            return True
        receiver = receiver.receiver
    return receiver is not None and any(named("client", p) for p in receiver.path.split("."))


def _runs_a_query(call: Call) -> bool:
    """`connection.execute(select(...))`, `rows.fetchone()`: a database's, whoever wrote it."""
    return call.receiver is not None and named("queries", call.method)
