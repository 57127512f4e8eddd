"""Waits that a method of the project makes with the timeout it is given, and none by default.

`def wait(self, timeout=None): return self._done.wait(timeout)` leaves the decision to its caller;
whoever calls it without one waits for ever.
"""

from drainlint.link.calls import Known
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.results import parameters_of
from drainlint.link.surroundings import occurrences
from drainlint.model.deadline import Bound

WAITING = frozenset({"wait", "join", "result", "exception", "get", "wait_for", "communicate"})
"""Names of methods that say that they wait."""


def waits_by_default(known: Known) -> str:
    """The verb (`wait`, `join`) of the wait that a call makes through a method of the project.

    Empty where it makes none, or gives it a timeout.
    """
    if known.call.method not in WAITING or known.call.receiver is None or known.call.is_open:
        return ""
    for target in known.program.graph.targets(known.key, known.call):
        verb, parameter = _handed_on(known.program, target)
        entry = known.program.names.function(target)
        given = dict(parameters_of(entry, known.call, bound=bool(entry.owner)))
        if verb and (
            parameter not in given or known.program.values.is_none(known.key, given[parameter])
        ):
            return verb
    return ""


def _handed_on(program: Program, key: FunctionId) -> tuple[str, str]:
    """The verb of a function's own wait, and the parameter that bounds it if it is given."""
    body = program.bodies.get(key)
    if body is None or program.names.function(key).is_async:
        return "", ""
    for occurrence in occurrences(body, key.path):
        inner = Known(program, occurrence)
        if inner.facts is None or inner.does not in ("wait", "join") or inner.is_asynchronous:
            continue
        deadline = program.values.deadline(key, inner.call, inner.facts)
        if deadline.bound is Bound.HANDED_ON:
            return inner.does, deadline.text
    return "", ""
