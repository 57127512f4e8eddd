"""Handshakes: whoever starts a thread waits until that thread says that it runs."""

from drainlint.index.entries import FunctionEntry
from drainlint.link.calls import Known, is_log
from drainlint.link.names import FunctionId
from drainlint.link.origins import calls_on, made, runs
from drainlint.link.program import Program
from drainlint.model.expression import Call

HARMLESS = frozenset({"set", "clear", "clock", "wall-clock", "log"})
"""Verbs of calls that a thread may make first: none of them waits."""


def is_told_at_once(known: Known) -> bool:
    """Whether an event is waited for that the thread which was just started sets first of all."""
    if known.kind is None or known.kind.nature != "event" or not known.subject:
        return False
    setters = list(calls_on(known.program, known.key, known.subject, {"set"}))
    started = _just_started(known) if setters else set()
    return any(
        scope in started
        and _comes_first(known.program, scope, known.program.names.function(scope), call.place.line)
        for scope, call in setters
    )


def _just_started(known: Known) -> set[FunctionId]:
    """What the threads run that its function has started before it waits."""
    entry = known.program.names.function(known.key)
    return {
        target
        for call in entry.calls
        if call.method == "start"
        and call.receiver is not None
        and call.place.line < known.call.place.line
        for scope, making in made(known.program, known.key, call.receiver)
        for target in runs(known.program, scope, making)
    }


def _comes_first(program: Program, key: FunctionId, entry: FunctionEntry, line: int) -> bool:
    """Whether nothing that takes time comes before a line of a function: no loop, lock or wait."""
    if any(turn.first_line <= line for turn in entry.turns):
        return False
    if any(entered.first_line <= line for entered in entry.entered):
        return False
    if any(way.how == "each" and way.line <= line for w in entry.bindings.values() for way in w):
        return False
    return all(_is_harmless(program, key, call) for call in entry.calls if call.place.line < line)


def _is_harmless(program: Program, key: FunctionId, call: Call) -> bool:
    if is_log(call):
        return True
    known = program.facts(key, call)
    if known is not None:
        return not known[0].does or known[0].does in HARMLESS
    return program.kinds.of(key, call) is not None and not program.graph.targets(key, call)
