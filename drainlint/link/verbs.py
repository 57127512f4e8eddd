"""What a call does to the thing that it is called on: it starts, stops, joins, sets or asks it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from drainlint.knowledge import CallFacts
from drainlint.link.graph import Graph
from drainlint.link.names import FunctionId
from drainlint.link.values import Values
from drainlint.model.deadline import FOREVER, Deadline
from drainlint.model.expression import Call
from drainlint.model.kind import Kind
from drainlint.model.place import Place
from drainlint.model.service import Act

ENDS_AND_WAITS = frozenset({"executor", "scheduler", "exporter", "server"})
"""Natures whose shutting down waits until they have ended."""
VERBS: dict[str, tuple[str, ...]] = {
    "start": ("start",),
    "run": ("start",),
    "serve": ("start",),
    "stop": ("stop",),
    "cancel": ("stop",),
    "terminate": ("stop",),
    "kill": ("stop",),
    "hard-kill": ("stop",),
    "release": ("stop",),
    "close": ("stop",),
    "killall": ("stop", "join"),
    "join": ("join",),
    "wait": ("join",),
    "process": ("join",),
    "set": ("set",),
    "put": ("submit",),
    "spawn": ("submit",),
    "take": ("read",),
}
"""What a verb of the knowledge tables comes to."""
_STARTS = {"start", "run", "open", "connect", "serve", "serve_forever", "run_forever", "launch"}
_STOPS = {
    "stop",
    "close",
    "aclose",
    "cancel",
    "terminate",
    "kill",
    "shutdown",
    "shut_down",
    "abort",
} | {"quit", "disconnect", "destroy", "unschedule", "server_close", "send_signal", "drain"}
_JOINS = {"join", "wait", "wait_closed", "wait_stopped", "wait_for", "result", "communicate"}
METHODS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_STARTS, ("start",)),
    **dict.fromkeys(_STOPS, ("stop",)),
    **dict.fromkeys(_JOINS, ("join",)),
    **dict.fromkeys(("submit", "put", "put_nowait", "apply_async"), ("submit",)),
    "set": ("set",),
    "is_set": ("read",),
    "isSet": ("read",),
}
"""What a method comes to where the tables know nothing: most of all the project's own."""


class Done(NamedTuple):
    """An act, the name of what it is done to, and the word for it."""

    attribute: str
    word: str
    """`start`, `stop`, `join`, `ask`, `enter`, `set`, `read`, `submit`."""
    act: Act
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Verbs:
    """Tells acts by the verbs of the knowledge tables, or by the method's own name."""

    graph: Graph
    values: Values

    def called(self, function: FunctionId, call: Call, attribute: str) -> Iterator[Done]:
        """What calling a method of an attribute does to it."""
        known = self.graph.kinds.facts(function, call)
        facts, kind = known if known is not None else (None, None)
        words = VERBS.get(facts.does, ()) if facts is not None else METHODS.get(call.method, ())
        if facts is not None and facts.asks:
            words = ("ask",) if facts.asks == "liveness" else ("read",)
        if facts is not None and facts.does == "close" and _ends_and_waits(kind):
            words = ("stop", "join")
        deadline = self.deadline(function, call, facts) if "join" in words else None
        if deadline is not None and deadline.polls:
            deadline, words = None, tuple(word for word in words if word != "join")
        act = act_of(function, call.place, call.text, deadline)
        for word in words:
            yield Done(attribute, word, act, call)

    def deadline(
        self, function: FunctionId, call: Call, facts: CallFacts | None
    ) -> Deadline | None:
        """What bounds a call that waits, by itself or around it; None where nothing is known."""
        given = call.argument("timeout", 0)
        if facts is not None:
            own = self.values.deadline(function, call, facts)
        elif given is not None:
            own = self.values.timeout(function, given, None)
        elif call.is_open or self.graph.targets(function, call):
            return None
        else:
            own = FOREVER
        return self._around(function, call) if own.is_none else own

    def _around(self, function: FunctionId, call: Call) -> Deadline:
        """The timeout that encloses a call: `wait_for(..., 5)`, `with timeout(5)`."""
        entry = self.graph.names.function(function)
        for outer in entry.calls:
            if any(part is call for a in outer.arguments for part in a.value.walk()):
                found = self._bound(function, outer)
                if not found.is_none:
                    return found
        for entered in entry.entered:
            inside = entered.first_line < call.place.line <= entered.last_line
            if inside and isinstance(entered.value, Call):
                found = self._bound(function, entered.value)
                if not found.is_none:
                    return found
        return FOREVER

    def _bound(self, function: FunctionId, call: Call) -> Deadline:
        known = self.graph.kinds.facts(function, call)
        if known is None or known[0].does != "bound":
            return FOREVER
        return self.values.deadline(function, call, known[0])


def _ends_and_waits(kind: Kind | None) -> bool:
    return kind is not None and kind.nature in ENDS_AND_WAITS


def act_of(function: FunctionId, place: Place, text: str, deadline: Deadline | None) -> Act:
    """An act of a function, on the first line of its place."""
    return Act(function.name, function.path, place.first_line, text, deadline)
