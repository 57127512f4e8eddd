"""Where the main flow waits until somebody asks the program to stop, and goes on from there.

A signal handler sets an event or a flag, completes a future or puts something into a queue; the
main flow waits for that, itself or in a function that it calls, and then winds up.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import NamedTuple

from drainlint.index.entries import Binding, FunctionEntry, Turn
from drainlint.link.graph import Graph
from drainlint.link.kept import where_awaited
from drainlint.link.names import ClassId, FunctionId, Module, Variable
from drainlint.link.roles import HANDLERS, WORKERS, Roles
from drainlint.model.expression import Call, Constant, Logic, Name
from drainlint.model.place import Place

SETS = frozenset(
    {"set", "set_result", "set_exception", "put", "put_nowait", "notify_all", "cancel"}
)
"""Methods by which a handler tells the main flow."""
ASKS = frozenset({"is_set", "isSet", "done", "wait", "get", "get_nowait", "empty", "cancelled"})
"""Methods by which the main flow asks for it."""
KEPT = frozenset({"wait"})
"""Methods that are kept, or handed on, to be called as the wait for it."""
PAUSES = frozenset({"pause", "sigwait", "sigwaitinfo"})
WATCHED = ASKS | PAUSES
BY_SIGNAL = frozenset({"signal.pause", "signal.sigwait", "signal.sigwaitinfo"})
WAITS = frozenset({"wait", "take", "join"})
STEPS = 6
"""Through how many calls it is followed whether a function waits for the request to stop."""
NEAR = 3
"""Calls from a handler; what is set farther off is a part's own end, not what is waited for."""

Thing = tuple[FunctionId | ClassId, str]
"""A variable or an attribute: who binds it, and its name."""


class Wait(NamedTuple):
    """A wait for the request to stop."""

    text: str
    """The call, the name or the loop, for messages."""
    after: int
    """The line from which on the function winds up."""
    by_loop: bool = False
    """It is a loop that works until it is told to stop."""
    until: int = 0
    """The line up to which it does so, where the function is left then; 0 for its end."""
    looks: bool = False
    """It only looks for a while: nothing may have come, and what calls it goes on."""

    def followed_by(self, entry: FunctionEntry) -> Iterator[tuple[int, int]]:
        """The lines that it winds up on, the first and the last of each stretch.

        Where it stands in one branch of an `if`, the other one does not follow it.
        """
        arms = [region for region in entry.regions if region.sort == "arm"]
        others = sorted(
            (other.first_line, other.last_line)
            for arm, other in zip(arms[::2], arms[1::2], strict=True)
            if arm.first_line < self.after <= arm.last_line + 1
        )
        first, last = self.after, self.until or entry.end_line
        for begins, ends in others:
            if first < begins <= last:
                yield first, begins - 1
            first = max(first, ends + 1)
        if first <= last:
            yield first, last


class StopWaits:
    """Finds the waits for the request to stop."""

    def __init__(self, graph: Graph, roles: Roles, stopping: Callable[[], set[FunctionId]]) -> None:
        """Take the calls and roles of a project, and which functions run when it stops anyway."""
        self.graph = graph
        self.names = graph.names
        self.roles = roles
        self._stopping = stopping

    # What handlers set

    @cached_property
    def told(self) -> frozenset[Thing]:
        """The variables and attributes by which signal handlers tell the main flow to stop."""
        handlers = {r.target for r in self.graph.registrations if r.role in HANDLERS}
        found = set(self._told_by(handlers))
        for key, call in self._registering():
            for argument in call.arguments:
                found.update(self._handed(key, argument.value.path))
        return frozenset(found)

    def told_by(self, handler: FunctionId) -> frozenset[Thing]:
        """The variables and attributes that one handler sets, itself or by what it calls."""
        return frozenset(self._told_by({handler}))

    def _told_by(self, handlers: AbstractSet[FunctionId]) -> Iterator[Thing]:
        for key in self._closure(handlers):
            entry = self.names.function(key)
            for path, ways in entry.bindings.items():
                shared = "." in path or path in entry.shared
                if shared and any(_is_flag(way, itself=key in handlers) for way in ways):
                    yield from self._thing(key, path)
            for call in entry.calls:
                yield from self._set_by(key, call)

    def _closure(self, starts: Iterable[FunctionId]) -> Iterator[FunctionId]:
        seen = set(starts)
        queue = deque((start, 0) for start in seen)
        while queue:
            current, steps = queue.popleft()
            yield current
            fresh = self.graph.callees.get(current, {}).keys() - seen if steps < NEAR else set()
            seen |= fresh
            queue.extend((callee, steps + 1) for callee in fresh)

    def _registering(self) -> Iterator[tuple[FunctionId, Call]]:
        """The calls that register signal handlers: `add_signal_handler(SIGTERM, stop.set)`."""
        calls = self.graph.knowledge.calls.items()
        handling = {n for n, facts in calls if any(r.role in HANDLERS for r in facts.runs)}
        names = {name.rpartition(".")[2] for name in handling}
        for key, entry in self.names.functions():
            for call in entry.calls:
                if call.method in names:
                    known = self.graph.kinds.facts(key, call)
                    if known is not None and any(r.role in HANDLERS for r in known[0].runs):
                        yield key, call

    def _set_by(self, key: FunctionId, call: Call) -> Iterator[Thing]:
        if call.method in SETS and call.receiver is not None:
            yield from self._thing(key, call.receiver.path)
        for argument in call.arguments:  # `loop.call_soon_threadsafe(stop.set)`
            yield from self._handed(key, argument.value.path)

    def _handed(self, key: FunctionId, path: str) -> Iterator[Thing]:
        head, _, method = path.rpartition(".")
        if head and method in SETS:
            yield from self._thing(key, head)

    def _thing(self, key: FunctionId, path: str) -> Iterator[Thing]:
        """The variable or attribute that a path names; an attribute is its class's."""
        resolved = self.names.resolve(key, path) if path else None
        if resolved is None or not isinstance(resolved.symbol, Variable):
            return
        head, dot, attribute = path.rpartition(".")
        if not resolved.rest:
            module = isinstance(getattr(self.names.resolve(key, head), "symbol", None), Module)
            if not dot or module:
                yield resolved.symbol.scope, resolved.symbol.name
            return
        owner = self.graph.kinds.project_class(self.graph.kinds.of(key, Name(head)))
        if owner is not None:
            line = self.graph.classes.project_line(owner)
            bound = [one for one in line if self.graph.classes.binds(one, attribute)]
            yield (bound[-1] if bound else owner), attribute

    @cached_property
    def _told_names(self) -> frozenset[str]:
        return frozenset(name for _, name in self.told)

    def is_told(self, key: FunctionId, path: str) -> bool:
        """Whether a signal handler sets what a path names."""
        if path.rpartition(".")[2] not in self._told_names:
            return False
        return any(thing in self.told for thing in self._thing(key, path))

    # Waits

    def is_wait(self, key: FunctionId, call: Call) -> bool:
        """Whether a call is a wait for the request to stop: an event that a handler sets."""
        receiver = "" if call.receiver is None else call.receiver.path
        if receiver.rpartition(".")[2] not in self._told_names and call.method not in PAUSES:
            return False
        known = self.graph.kinds.facts(key, call)
        if known is None:
            return False
        facts, kind = known
        if facts.name in BY_SIGNAL:
            return True
        if facts.does not in WAITS or kind is None:
            return False
        return self.is_told(key, receiver)

    def direct(self, key: FunctionId, entry: FunctionEntry) -> Wait | None:
        """Where a function itself waits for the request to stop, first of all."""
        for call in entry.calls:
            watched = call.method in WATCHED and self.is_wait(key, call)
            if watched or self._is_wait_kept(key, call.func.path):
                return self._placed(key, entry, call)
        for awaited in entry.awaits:
            if self.is_told(key, awaited.value.path):
                return Wait(f"await {awaited.value.text}", awaited.place.end_line + 1)
        for turn in entry.turns:
            if self._ends_when_told(key, turn):
                return Wait(_shown(turn), turn.last_line + 1, by_loop=True)
        return None

    def _is_wait_kept(self, key: FunctionId, name: str, steps: int = 0) -> bool:
        """Whether a name stands for such a wait itself: `trigger = stop.wait`, or a caller's."""
        if not name or "." in name or steps > NEAR or not self.told:
            return False
        resolved = self.names.resolve(key, name)
        if resolved is None or not isinstance(resolved.symbol, Variable):
            return False
        home = resolved.symbol.scope
        ways = self.names.function(home).bindings.get(name, ())
        kept = [(home, way.value) for way in ways if way.how == "assign" and not way.items]
        kept += self.graph.kinds.arguments.get(home, {}).get(name, ())
        for scope, value in kept:
            head, _, method = value.path.rpartition(".")
            if method in KEPT and self.is_told(scope, head):
                return True
            if scope != home and self._is_wait_kept(scope, value.path, steps + 1):
                return True
        return False

    def _placed(self, key: FunctionId, entry: FunctionEntry, call: Call) -> Wait | None:
        """A wait goes on behind the loop it is in; one with a timeout, and no loop, is a pause."""
        line = call.place.line
        around = [t for t in entry.turns if t.first_line <= line <= t.last_line]
        if around:
            return Wait(call.text, around[0].last_line + 1, by_loop=True)
        known = self.graph.kinds.facts(key, call)
        facts = known[0] if known is not None else None
        timed = facts and facts.timeout and call.argument(facts.timeout, facts.at)
        if facts is not None and facts.does == "take":  # it may be any signal, not only a stop
            return Wait(call.text, entry.end_line + 1, looks=bool(timed))
        if timed:
            return None
        awaits = facts is None or not facts.asynchronous or call in entry.checkpoints
        waiting = call if awaits else self._awaiting(key, entry, call)
        return Wait(call.text, waiting.place.end_line + 1)

    def _awaiting(self, key: FunctionId, entry: FunctionEntry, call: Call) -> Call:
        """Where a coroutine is waited for that was handed on: `asyncio.wait({stopped, served})`."""
        for outer in entry.calls:
            if outer.place.line >= call.place.line and outer in entry.checkpoints:
                known = self.graph.kinds.facts(key, outer)
                if known is not None and known[0].does in WAITS:
                    return outer
        return call

    def _ends_when_told(self, key: FunctionId, turn: Turn) -> bool:
        """Whether a loop ends by what a handler sets; one that ends otherwise as well does not."""
        if isinstance(turn.test, Constant):
            return any(self._reads_told(key, path) for path in turn.left_by)
        both = isinstance(turn.test, Logic) and turn.test.operator == "and"
        parts = turn.test.parts if both else (turn.test,)
        return all(
            any(self._reads_told(key, one.path) for one in part.walk() if one.path)
            for part in parts
        )

    def _reads_told(self, key: FunctionId, path: str) -> bool:
        head, _, method = path.rpartition(".")
        return self.is_told(key, head if method in ASKS else path)

    @cached_property
    def all(self) -> Mapping[FunctionId, Wait]:
        """Where each function waits, itself or in what it calls."""
        found: dict[FunctionId, Wait] = {}
        if not self.told and not self._waits_by_signal:
            return found
        stopping = self._stopping()
        for key, entry in self.names.functions():
            wait = None if key in stopping or self._is_handler(key) else self.direct(key, entry)
            if wait is not None and not (wait.by_loop and self._is_worker(key)):
                found[key] = _in_branch(entry, wait)
        wave = list(found)
        for _ in range(STEPS):
            wave = [key for key in self._above(wave, found) if key not in stopping]
        return found

    @cached_property
    def interrupted(self) -> frozenset[FunctionId]:
        """Functions that a signal handler breaks off, since it raises instead of setting something.

        The ones that register it, themselves or by the helper that they call.
        """
        raising = {
            r.scope
            for r in self.graph.registrations
            if r.role in HANDLERS and self.names.function(r.target).raises
        }
        callers = (c for key in raising for c in self.graph.callers.get(key, ()))
        return frozenset(key for key in {*raising, *callers} if not self._is_worker(key))

    @cached_property
    def _waits_by_signal(self) -> bool:
        return any(
            target.startswith("signal") or target == "signal"
            for module in self.names.modules.values()
            for target in module.imports.values()
        )

    def _above(
        self, wave: Iterable[FunctionId], found: dict[FunctionId, Wait]
    ) -> Iterator[FunctionId]:
        """Those who call a function that waits, and so wait there themselves."""
        calling: dict[FunctionId, list[FunctionId]] = defaultdict(list)
        for key in wave:
            goes_on = bool(self.roles.registered(key) & WORKERS)  # whoever starts it, at once
            for caller in self.graph.callers.get(key, ()):
                if not goes_on or self._group_around(caller, key) is not None:
                    calling[caller].append(key)
        for caller in sorted(calling):
            if caller in found or self._is_handler(caller):
                continue
            entry = self.names.function(caller)
            waits = {key: self._waits_at(caller, entry, key) for key in calling[caller]}
            waited = [key for key in calling[caller] if waits[key] is not None]
            if not waited:
                continue
            place = min(place for place in waits.values() if place is not None)
            around = [t for t in entry.turns if t.first_line <= place.line <= t.last_line]
            name = self.names.function(waited[0]).short_name
            after = around[0].last_line if around else place.end_line
            if around and self._is_worker(caller):
                continue
            looks = not around and all(found[key].looks for key in calling[caller])
            after = entry.end_line if looks else after
            wait = Wait(f"{name}()", after + 1, by_loop=bool(around), looks=looks)
            found[caller] = _in_branch(entry, wait)
            yield caller

    def _waits_at(
        self, caller: FunctionId, entry: FunctionEntry, callee: FunctionId
    ) -> Place | None:
        """Where a function waits for one that it calls; None where it only makes its coroutine."""
        group = self._group_around(caller, callee)
        if group is not None:
            return group
        place = self.graph.callees[caller][callee]
        called = self.names.function(callee)
        runs_later = called.is_async and not called.is_generator
        return where_awaited(entry, place) if runs_later else place

    def _group_around(self, caller: FunctionId, callee: FunctionId) -> Place | None:
        """The block of a task group, which waits for the tasks begun in it, around a call."""
        line = self.graph.callees[caller][callee].line
        for entered in self.names.function(caller).entered:
            if entered.first_line <= line <= entered.last_line:
                kind = self.graph.kinds.of(caller, entered.value)
                if kind is not None and kind.nature == "task-group":
                    return Place(entered.first_line, 1, entered.last_line, 0)
        return None

    def _is_handler(self, key: FunctionId) -> bool:
        """Handlers never wait for what they set themselves."""
        return bool(HANDLERS & self.roles.of(key).keys())

    def _is_worker(self, key: FunctionId) -> bool:
        """Whether it runs beside the main flow only; a process has a main flow of its own."""
        roles = self.roles.of(key).keys()
        if key in self.roles.main or key in self.roles.helpers or {"main", "command"} & roles:
            return False
        return bool(roles & ((WORKERS | {"request-handler"}) - {"process"}))


def _is_flag(way: Binding, *, itself: bool) -> bool:
    """Whether an assignment tells something: a truth value, or whatever the handler sets itself."""
    truth = isinstance(way.value, Constant) and isinstance(way.value.value, bool)
    return way.how in ("assign", "augment") and (itself or truth)


def _in_branch(entry: FunctionEntry, wait: Wait) -> Wait:
    """A wait in a branch that is left with a `return` is followed by that branch only."""
    lines = (
        region.last_line
        for region in entry.regions
        if region.sort == "left" and region.first_line < wait.after <= region.last_line + 1
    )
    return wait._replace(until=min(lines, default=0))


def _shown(turn: Turn) -> str:
    return f"while {turn.test.text}"
