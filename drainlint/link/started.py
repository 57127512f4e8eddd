"""Tasks that a plain function starts, and that nobody waits for."""

from functools import cached_property

from drainlint.link.graph import Graph
from drainlint.link.names import FunctionId
from drainlint.model.place import Place

RUNNING = frozenset({"run_until_complete", "result"})
"""Methods by which plain functions wait for the tasks that they start."""


class Started:
    """Where coroutines are started as tasks."""

    def __init__(self, graph: Graph) -> None:
        """Take the calls of a project, and what they hand on."""
        self.graph = graph

    def nobody_waits(self, caller: FunctionId, callee: FunctionId) -> bool:
        """Whether a plain function starts a coroutine as a task, and returns at once."""
        place = self._places.get((caller, callee))
        entry = self.graph.names.function(caller)
        if place is None or entry.is_async:
            return False
        runs = any(call.method in RUNNING for call in entry.calls)
        return not runs and place.holds(self.graph.callees[caller][callee])

    @cached_property
    def _places(self) -> dict[tuple[FunctionId, FunctionId], Place]:
        """The calls that start a coroutine, by who starts which."""
        return {
            (one.registered_in, one.target): one.call.place
            for one in self.graph.registrations
            if one.role == "task" and one.call is not None and one.registered_in is not None
        }
