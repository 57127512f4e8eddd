"""What takes no time: a question put to memory, a computation, a look at a clock."""

from drainlint.knowledge import CallFacts
from drainlint.knowledge.names import named
from drainlint.link.bounds import CLOCKS
from drainlint.link.calls import is_log
from drainlint.link.fetched import is_computed
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.model.expression import Call

HOPS = 3
MEMORY = frozenset({"queue", "flag", "liveness", "parent", "everything"})
"""Sorts of questions whose answer lies in memory."""
ACTS = frozenset({"set", "clear", "bound"})
RARE = ("asks-queue", "asks-flag", "asks-liveness-alone")
"""Names of methods that tell by themselves that they only look."""


def takes_no_time(program: Program, key: FunctionId, call: Call, hops: int = HOPS) -> bool:
    """Whether a call comes back at once; what nothing is known of takes as long as it likes."""
    if call.method in CLOCKS or is_computed(call) or is_log(call):
        return True
    known = program.facts(key, call)
    if known is not None:
        return _is_quick(program, key, call, known[0])
    targets = program.graph.targets(key, call)
    if not targets:
        return any(named(sort, call.method) for sort in RARE) and not call.arguments
    return hops > 0 and all(
        takes_no_time(program, target, inner, hops - 1)
        for target in targets
        for inner in program.names.function(target).calls
    )


def _is_quick(program: Program, key: FunctionId, call: Call, facts: CallFacts) -> bool:
    if facts.asks in MEMORY or facts.does in ACTS:
        return True
    waits = facts.waits or facts.does == "sleep"
    return waits and program.values.deadline(key, call, facts).polls
