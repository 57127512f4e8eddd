"""Where a program begins: console scripts, `__main__.py`, main guards, commands, `main()`.

And what each of them reaches: by calls, and through what it hands to threads, tasks and handlers.
"""

import signal
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from drainlint.index.entries import MAIN, MODULE
from drainlint.link.graph import Graph, Registration
from drainlint.link.names import FunctionId
from drainlint.link.roles import Roles
from drainlint.model.expression import Call, Constant, Expression, Group, Name

SCRIPT = "console script"
PACKAGE = "package"
GUARD = "main guard"
COMMAND = "command"
FUNCTION = "main function"
ORDER = (SCRIPT, PACKAGE, GUARD, COMMAND, FUNCTION)
"""The sorts of entries, what people start most often first."""

STEPS = 4
"""Through how many names a handler's signals are looked for."""


@dataclass(frozen=True, slots=True)
class ProgramEntry:
    """A place where a program begins."""

    sort: str
    function: FunctionId
    calls: tuple[FunctionId, ...] = ()
    """For a guard: the entry functions that it calls."""


class Entries:
    """The entries of a project, and what they reach."""

    def __init__(self, graph: Graph, roles: Roles) -> None:
        """Take the calls of a project, and who belongs to the main flow."""
        self.graph = graph
        self.roles = roles
        self._reached: dict[FunctionId, frozenset[FunctionId]] = {}

    @cached_property
    def all(self) -> tuple[ProgramEntry, ...]:
        """Every entry, what people start first; functions that another one calls are none."""
        found = sorted(
            (ProgramEntry(self._sort(key), key, self._entered_by(key)) for key in self.roles.main),
            key=lambda entry: (ORDER.index(entry.sort), entry.function),
        )
        return tuple(entry for entry in found if not self._is_within(entry))

    def _is_within(self, entry: ProgramEntry) -> bool:
        """Whether an entry is part of another: a guard around `main()`, what `main` calls."""
        key = entry.function
        if entry.sort in (PACKAGE, GUARD):
            return bool(entry.calls) and set(entry.calls) == set(self.graph.callees.get(key, ()))
        if entry.sort != FUNCTION:
            return False
        callers = self.graph.callers.get(key, set()) & self.roles.main
        return any(caller.name not in (MODULE, MAIN) and caller != key for caller in callers)

    def _sort(self, key: FunctionId) -> str:
        if key in self.roles.script_functions:
            return SCRIPT
        if key.name == MODULE:
            return PACKAGE
        if key.name == MAIN:
            return GUARD
        if "command" in self.roles.registered(key):
            return COMMAND
        return FUNCTION if self.graph.names.function(key).owner == "" else COMMAND

    def _entered_by(self, key: FunctionId) -> tuple[FunctionId, ...]:
        return tuple(c for c in self.graph.callees.get(key, ()) if c in self.roles.main)

    def reach(self, start: FunctionId) -> frozenset[FunctionId]:
        """All that runs because of an entry: what it calls, starts, and has called back."""
        if start not in self._reached:
            seen = {start}
            queue = deque([start])
            while queue:
                current = queue.popleft()
                following = [*self.graph.callees.get(current, ())]
                following += [r.target for r in self._handed_on.get(current, ())]
                for key in following:
                    if key not in seen:
                        seen.add(key)
                        queue.append(key)
            self._reached[start] = frozenset(seen)
        return self._reached[start]

    @cached_property
    def _handed_on(self) -> Mapping[FunctionId, list[Registration]]:
        found: dict[FunctionId, list[Registration]] = {}
        for registration in self.graph.registrations:
            found.setdefault(registration.scope, []).append(registration)
        return found

    def triggers(
        self, registration: Registration, scope: FunctionId | None = None
    ) -> Iterator[str]:
        """What a handler is registered for, as written: `SIGTERM`; nothing where that is unsaid.

        `scope` is the function that the registering call stands in, where that is known.
        """
        call = registration.call
        if call is None or not call.arguments or "signal" not in registration.role:
            return
        scope, signals = scope or self.registered_in(registration), call.arguments[0].value
        yield from self._of_table(registration, scope, signals) or self._named(scope, signals)

    def _of_table(
        self, registration: Registration, scope: FunctionId, signals: Expression
    ) -> list[str]:
        """The keys under which a table of handlers holds this one, where a loop registers it all.

        `for number, handler in HANDLERS.items(): signal.signal(number, handler)`
        """
        bindings = self.graph.names.function(scope).bindings
        return [
            _signal(entry.key)
            for way in (bindings.get(signals.path, ()) if signals.path else ())
            if way.how == "each"
            and way.items == (0,)
            and isinstance(way.value, Call)
            and way.value.method == "items"
            and way.value.receiver is not None
            for entry in self.graph.held(scope, way.value.receiver)
            if entry.key is not None
            and registration.target in self.graph.possible(entry.scope, entry.value)
        ]

    def registered_in(self, registration: Registration) -> FunctionId:
        """The function that the registering call stands in: a helper, where it goes through one."""
        return registration.registered_in or registration.scope

    def _named(self, scope: FunctionId, value: Expression, steps: int = 0) -> Iterator[str]:
        """The signals that an expression stands for, through loops and parameters."""
        if isinstance(value, Group):
            for item in value.items:
                yield from self._named(scope, item, steps)
            return
        if isinstance(value, Name) and "." not in value.dotted and steps < STEPS:
            entry = self.graph.names.function(scope)
            ways = [(scope, way.value) for way in entry.bindings.get(value.dotted, ())]
            ways += self.graph.kinds.arguments.get(scope, {}).get(value.dotted, [])
            for where, bound in ways:
                yield from self._named(where, bound, steps + 1)
            if ways:
                return
        yield _signal(value)


def _signal(value: Expression) -> str:
    """`SIGTERM` for `signal.SIGTERM`; anything else as it is written."""
    if isinstance(value, Constant):
        return str(value.value)
    last = value.path.rpartition(".")[2]
    return last if last in signal.Signals.__members__ else value.text
