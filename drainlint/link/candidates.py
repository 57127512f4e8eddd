"""Functions that must be read although they hold no word of a rule: what only the link can tell.

A coroutine may block its loop by any call of a library that the tables call blocking, under
whatever name the object bears; such calls are found through kinds, not through words. Likewise a
coroutine on the drain path may await a task under any name.
"""

from collections.abc import Iterator

from drainlint.index.entries import FunctionEntry
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.underlock import UnderLocks


def blocked_coroutines(program: Program) -> frozenset[FunctionId]:
    """Coroutines that call something blocking, and the plain helpers of their module that do."""
    found: set[FunctionId] = set(UnderLocks(program).with_others())
    for key, entry in program.names.functions():
        if entry.is_async:
            found.update(_blocked(program, key, entry))
            if program.drain_paths.touches(key):
                found.add(key)
    return frozenset(found)


def _blocked(program: Program, key: FunctionId, entry: FunctionEntry) -> Iterator[FunctionId]:
    if _blocks(program, key, entry):
        yield key
    for callee in program.graph.callees.get(key, ()):
        helper = program.names.function(callee)
        if callee.path == key.path and not helper.is_async and _blocks(program, callee, helper):
            yield key
            yield callee


def _blocks(program: Program, key: FunctionId, entry: FunctionEntry) -> bool:
    for call in entry.calls:
        known = program.facts(key, call)
        if known is None or known[0].asynchronous:
            continue
        if known[0].blocks or known[0].waits or known[0].does == "sleep":
            return True
    return False
