"""Tasks that a function starts, and that it does not wait for."""

from functools import cached_property

from drainlint.index.entries import FunctionEntry
from drainlint.link.graph import Graph
from drainlint.link.names import FunctionId
from drainlint.model.expression import Call
from drainlint.model.place import Place

RUNNING = frozenset({"run_until_complete", "result"})
"""Methods by which plain functions wait for the tasks that they start."""


class Started:
    """Where coroutines are started as tasks."""

    def __init__(self, graph: Graph) -> None:
        """Take the calls of a project, and what they hand on."""
        self.graph = graph

    def nobody_waits(self, caller: FunctionId, callee: FunctionId) -> bool:
        """Whether a function starts a coroutine as a task, and goes on at once."""
        place = self._places.get((caller, callee))
        entry = self.graph.names.function(caller)
        if place is None or not place.holds(self.graph.callees[caller][callee]):
            return False
        if entry.is_async:
            return not _is_used(entry, place)
        return not (
            _is_returned(entry, place) or any(call.method in RUNNING for call in entry.calls)
        )

    @cached_property
    def _places(self) -> dict[tuple[FunctionId, FunctionId], Place]:
        """The calls that start a coroutine, by who starts which."""
        return {
            (one.registered_in, one.target): one.call.place
            for one in self.graph.registrations
            if one.role == "task" and one.call is not None and one.registered_in is not None
        }


def _is_used(entry: FunctionEntry, place: Place) -> bool:
    """Whether a coroutine awaits a task that it starts here, or gives it to anyone."""
    if any(call.place != place and call.place.holds(place) for call in entry.calls):
        return True
    if any(isinstance(e, Call) and e.place == place for e in entry.checkpoints):
        return True
    given = (a.value.path for c in entry.calls for a in c.arguments)
    awaited = (one.value.path for one in entry.awaits)
    return not _names(entry, place).isdisjoint((*given, *awaited)) or _is_returned(entry, place)


def _is_returned(entry: FunctionEntry, place: Place) -> bool:
    """Whether a function gives the task that it starts to its caller, who may wait for it."""
    returned = [part for result in entry.results for part in result.walk()]
    return not _names(entry, place).isdisjoint(part.path for part in returned) or any(
        isinstance(part, Call) and part.place == place for part in returned
    )


def _names(entry: FunctionEntry, place: Place) -> frozenset[str]:
    """What a function calls the task that it starts there."""
    return frozenset(
        path
        for path, ways in entry.bindings.items()
        if any(isinstance(way.value, Call) and way.value.place == place for way in ways)
    )
