"""Builds what is done under a lock: waits, calls to hosts and disks, callbacks of users."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from drainlint.finding import Confidence, Related
from drainlint.knowledge.names import named
from drainlint.link.callbacks import is_callback
from drainlint.link.calls import Known
from drainlint.link.handshakes import is_told_at_once
from drainlint.link.locks import Held, Locks
from drainlint.link.names import FunctionId
from drainlint.link.origins import Identity, calls_on, made, runs, ways
from drainlint.link.program import Program
from drainlint.model.deadline import AT_ONCE, FOREVER
from drainlint.model.expression import Call, Compare, Constant, Expression, Not
from drainlint.model.lock import Lock, UnderLock
from drainlint.model.pause import Pause
from drainlint.model.place import Place
from drainlint.model.statement import While
from drainlint.model.wait import Wait

SENDS = frozenset({"io", "write", "network", "flush"})
"""Verbs of calls that hand something over to a host or a disk."""
KEEPS = frozenset({"save", "dump", "persist", "snapshot", "checkpoint"})
"""Methods that, given a state, write it somewhere, whatever they are called on."""
WAITS = frozenset({"join", "wait", "take", "put", "close", "select", "network", "process"})
HANDS_OVER = frozenset({"wait", "join", "bound"})
"""Verbs of functions that wait for what they are given."""
REMOTE = frozenset({"socket", "session", "channel", "connection", "consumer"})
SPAWNS = frozenset(
    {"submit", "map", "apply_async", "map_async", "imap", "imap_unordered", "spawn", "start_soon"}
)
WORKERS = frozenset({"thread", "timer", "greenlet", "task", "future", "aio-future", "result"})
WAKERS = {
    "event": frozenset({"set"}),
    "aio-event": frozenset({"set"}),
    "condition": frozenset({"notify", "notify_all", "notifyAll"}),
    "aio-condition": frozenset({"notify", "notify_all"}),
}


@dataclass(frozen=True, slots=True)
class _Side:
    """A function that must go on before a wait ends; `line`: only what comes before it."""

    function: FunctionId
    line: int = 0


class UnderLocks:
    """Tells what a call does while its function, or who calls it, holds a lock."""

    def __init__(self, program: Program) -> None:
        """Take the linked program with the bodies that were read."""
        self.program = program
        self.locks = Locks(program)
        self._needs: dict[tuple[FunctionId, Identity, FunctionId], Held | None] = {}

    def of(self, known: Known, waited: Wait | None) -> Iterator[UnderLock]:
        """What a call does under a lock; nothing where it holds none or is soon done."""
        does = _does(known, waited)
        locks = self.locks.holds(known.key)
        if not does and locks and is_callback(self.program, known.key, known.call):
            does = "callback"
        sends = _sends(known) or (locks and not does and self._saves(known.key, known.call))
        by_use = bool(not does and not sends and locks) and self._is_given_the_state(known)
        if not does and not ((sends or by_use) and locks):
            return
        around = self._foreign(known, waited, callback=does == "callback")
        if not around:
            return
        sides = () if waited is None else tuple(self._sides(known, waited))
        if does == "bound":
            does, sides = "wait", tuple(s for s in sides if around[0].nature.startswith("aio-"))
        found = [
            replace(
                self._noun(known.key, known.call, waited, held, does, sides),
                confidence=Confidence.MEDIUM if by_use else known.confidence,
                sends=sends or by_use,
            )
            for held in around
        ]
        yield max(found, key=lambda n: (n.needed is not None, bool(n.lock.stoppers)))

    def awaits(self, key: FunctionId) -> Iterator[UnderLock]:
        """`await self.task` under a lock of the event loop's that the task takes as well."""
        for awaited in self.program.names.function(key).awaits:
            sides = tuple(self._made_by(key, awaited.value))
            for held in self.locks.own(key, awaited.place.line):
                if sides and held.nature.startswith("aio-"):
                    call = Call(awaited.value, (), awaited.place)
                    found = self._noun(key, call, None, held, "wait", sides)
                    yield replace(found, text=f"await {awaited.value.text}")
                    break

    def polls(self, known: Known, slept: Pause | None) -> Iterator[UnderLock]:
        """A pause of a loop that waits, under a lock, for what others change under it."""
        loop = next((s for s in known.occurrence.spot.loops if isinstance(s, While)), None)
        if slept is None or loop is None or slept.is_timed_wait:
            return
        sides = tuple(self._changers(known.key, loop.test))
        around = self._foreign(known, None, callback=False) if sides else []
        for held in around:
            if held.function != known.key and self._is_over(held, known.key, loop.test):
                continue
            found = self._noun(known.key, known.call, None, held, "wait", sides)
            if found.needed is not None:
                yield replace(found, deadline=AT_ONCE)
                return

    def _changers(self, key: FunctionId, test: Expression) -> Iterator[_Side]:
        """Where others set what the test of a loop asks about."""
        owner = self.program.classes.owner(key)
        me = self.program.classes.self_name(key)
        asked = {e.path for e in test.walk() if e.path.startswith(f"{me}.")}
        if owner is None:
            return
        for attribute in sorted(path.split(".")[1] for path in asked):
            for scope, way in self.program.classes.bindings(owner, attribute):
                if scope == key or not self.program.names.is_function(scope):
                    continue
                goes_on = _goes_on(test, f"{me}.{attribute}", way.value)
                if way.how in ("assign", "augment") and not self._is_set_up(scope) and not goes_on:
                    yield _Side(scope, way.line)

    def _is_over(self, held: Held, key: FunctionId, test: Expression) -> bool:
        """Whether whoever holds the lock has set what ends the loop before it makes the call."""
        call = self.program.graph.callees.get(held.function, {}).get(key)
        mine = f"{self.program.classes.self_name(key)}."
        theirs = f"{self.program.classes.self_name(held.function)}."
        if call is None:
            return False
        bindings = self.program.names.function(held.function).bindings
        for path in {e.path for e in test.walk() if e.path.startswith(mine)}:
            ways = bindings.get(theirs + path.removeprefix(mine), ())
            before = [w for w in ways if held.first_line <= w.line < call.line]
            if before and _ends(test, path, max(before, key=lambda w: w.line).value):
                return True
        return False

    def _foreign(self, known: Known, waited: Wait | None, *, callback: bool) -> list[Held]:
        """The locks around a call, without the one that it gives back while it waits."""
        own = None
        if waited is not None and waited.nature in ("condition", "aio-condition"):
            own = self.locks.name(known.key, waited.subject)
        awaits = known.is_asynchronous
        return [
            h
            for h in (self.locks.own if callback else self.locks.around)(
                known.key, known.call.place.line
            )
            if h.lock != own and h.nature.startswith("aio-") == awaits
        ]

    def _noun(  # noqa: PLR0913, PLR0917 - the parts of one value
        self,
        key: FunctionId,
        call: Call,
        waited: Wait | None,
        held: Held,
        does: str,
        sides: tuple[_Side, ...],
    ) -> UnderLock:
        function = self.program.function(key)
        scope, place = self._shown_at(key, call, held)
        where = Related(key.path, call.place.first_line, f"`{call.text}` waits here")
        return UnderLock(
            path=key.path,
            place=place,
            function=self.program.function(scope),
            drain=self.program.drain(scope, place.line),
            through=where if scope != key else None,
            text=call.text,
            does=does,
            lock=self._lock(held, key),
            deadline=waited.deadline if waited is not None else FOREVER,
            needed=self._needed(held, sides),
            saves=named("saves", function.short_name),
            is_asynchronous=held.nature.startswith("aio-"),
        )

    def _shown_at(self, key: FunctionId, call: Call, held: Held) -> tuple[FunctionId, Place]:
        """Where the lock is seen to be held: at the call, or at the call that leads to it."""
        if held.function == key or held.function.path != key.path:
            return key, call.place
        for outer in self.program.names.function(held.function).calls:
            if held.first_line <= outer.place.line <= held.last_line:
                targets = self.program.graph.targets(held.function, outer)
                if any(t == key or key in self.program.graph.callees.get(t, ()) for t in targets):
                    return held.function, outer.place
        return key, call.place

    # The lock

    def _lock(self, held: Held, user: FunctionId) -> Lock:
        others = [
            h
            for h in self.locks.takers(held.lock)
            if h.function not in (held.function, user) and not self._is_set_up(h.function)
        ]
        names = {self.program.names.function(h.function).short_name for h in (held, *others)}
        return Lock(
            held.text,
            held.taken,
            tuple(self._related(h) for h in others),
            tuple(
                self._related(h)
                for h in others
                if self.program.drain(h.function, h.first_line) is not None
            ),
            tuple(self._related(h) for h in others if self._is_busy(h)),
            only_life=all(named("life", n) for n in names),
        )

    def _is_set_up(self, key: FunctionId) -> bool:
        """While an object is being made nobody else has it."""
        return self.program.names.function(key).short_name in ("__init__", "__new__")

    def _related(self, held: Held) -> Related:
        name = self.program.names.function(held.function).short_name
        line = held.first_line
        return Related(
            held.function.path, Place(line, 1, line, 0), f"`{name}` waits for `{held.text}` here"
        )

    def _is_busy(self, held: Held) -> bool:
        """Whether a region of the lock writes, sends, takes, closes or runs a callback itself."""
        return any(
            self._sends(held, call) or is_callback(self.program, held.function, call)
            for call in self.program.names.function(held.function).calls
            if held.first_line <= call.place.line <= held.last_line
        )

    def _saves(self, key: FunctionId, call: Call) -> bool:
        """Whether a call runs a function of the project that is there to save, and writes."""
        for target in self.program.graph.targets(key, call):
            entry = self.program.names.function(target)
            inner = (self.program.facts(target, c) for c in entry.calls)
            if named("saves", entry.short_name) and any(f and f[0].does in SENDS for f in inner):
                return True
        return False

    def _is_given_the_state(self, known: Known) -> bool:
        """`self.snapshots.save(self.data)`: what is handed in is somebody's who keeps states."""
        call, me = known.call, self.program.classes.self_name(known.key)
        if call.method not in KEEPS or known.facts is not None or call.receiver is None or not me:
            return False
        own = f"{me}."
        given = any(a.value.path.startswith(own) for a in call.arguments)
        kept = call.receiver.path.startswith(own) and given
        return kept and not self.program.graph.targets(known.key, call)

    def _sends(self, held: Held, call: Call) -> bool:
        facts = self.program.facts(held.function, call)
        if facts is not None:
            return facts[0].does in SENDS | {"take", "select", "close"}
        for target in self.program.graph.targets(held.function, call):
            for inner in self.program.names.function(target).calls:
                known = self.program.facts(target, inner)
                if known is not None and known[0].does in SENDS:
                    return True
        return False

    # The side that is waited for

    def _needed(self, held: Held, sides: tuple[_Side, ...]) -> Related | None:
        """Where those who are waited for take the lock that is held meanwhile."""
        timed = [s for s in sides if s.line]
        if timed and all(self._before(held, s) is not None for s in timed):
            return self._related_to(self._before(held, timed[0]))
        for side in sides:
            if not side.line and (found := self._need(side.function, held)) is not None:
                return self._related_to(found)
        return None

    def _related_to(self, held: Held | None) -> Related | None:
        return None if held is None else self._related(held)

    def _before(self, held: Held, side: _Side) -> Held | None:
        for one in self.locks.takers(held.lock):
            if one.function == side.function and one.first_line <= side.line <= one.last_line:
                return one
        return None

    def _need(self, start: FunctionId, held: Held) -> Held | None:
        key = (start, held.lock, held.function)
        if key not in self._needs:
            reached = {*self.program.drain_paths.closure(start)}
            takers = (
                h
                for h in self.locks.takers(held.lock)
                if h.function in reached and h.function != held.function
            )
            self._needs[key] = next(takers, None)
        return self._needs[key]

    def _sides(self, known: Known, waited: Wait) -> Iterator[_Side]:
        """Who must go on for a wait to end."""
        receiver = known.call.receiver
        if receiver is None or self.program.library(known.key, known.call.func.path):
            for argument in known.call.arguments if waited.verb in HANDS_OVER else ():
                yield from self._made_by(known.key, argument.value)
            return
        nature = waited.nature
        if nature in WORKERS or (waited.verb == "join" and not nature):
            yield from self._made_by(known.key, receiver)
        elif nature in ("executor", "pool"):
            for scope, call in calls_on(self.program, known.key, receiver.path, SPAWNS):
                yield from (_Side(target) for target in runs(self.program, scope, call))
        elif nature in WAKERS:
            yield from self._callers_of(known, receiver, WAKERS[nature])
        elif nature in ("queue", "aio-queue"):
            yield from self._of_queue(known, waited, receiver)

    def _of_queue(self, known: Known, waited: Wait, queue: Expression) -> Iterator[_Side]:
        if waited.verb == "take":
            yield from self._callers_of(known, queue, frozenset({"put", "put_nowait"}))
            return
        taking = "task_done" if waited.verb == "join" else "get"
        for scope, _ in calls_on(self.program, known.key, queue.path, (taking,)):
            if scope != known.key:
                yield _Side(scope)

    def _callers_of(
        self, known: Known, thing: Expression, methods: frozenset[str]
    ) -> Iterator[_Side]:
        for scope, call in calls_on(self.program, known.key, thing.path, methods):
            if scope != known.key:
                yield _Side(scope, call.place.line)

    def _made_by(self, key: FunctionId, thing: Expression) -> Iterator[_Side]:
        """The functions that run as the worker, or as the job, that a thing stands for."""
        for scope, call in made(self.program, key, thing):
            yield from (_Side(target) for target in runs(self.program, scope, call))

    # Callbacks

    def with_others(self) -> Iterator[FunctionId]:
        """The functions that run callbacks, or what saves, under a lock: no word tells them."""
        for held in self.locks.every():
            for call in self.program.names.function(held.function).calls:
                inside = held.first_line <= call.place.line <= held.last_line
                if inside and (
                    is_callback(self.program, held.function, call)
                    or self._saves(held.function, call)
                ):
                    yield held.function


def _ends(test: Expression, path: str, value: Expression) -> bool:
    """Whether a loop with this test, of nothing else, ends where a path has a constant value."""
    asked = test.value if isinstance(test, Not) else test
    asked = asked.left if isinstance(asked, Compare) else asked
    return asked.path == path and isinstance(value, Constant) and not _goes_on(test, path, value)


def _goes_on(test: Expression, path: str, value: Expression) -> bool:
    """Whether a loop with this test goes on where a path is given a constant value."""
    if not isinstance(value, Constant):
        return False
    match test:
        case Not(value=asked):
            return asked.path == path and not value.value
        case Compare(
            left=left, operators=("is" | "is not" as sign,), rights=(Constant() as right,)
        ):
            return left.path == path and (value.value is right.value) == (sign == "is")
    return test.path == path and bool(value.value)


def _sends(known: Known) -> bool:
    """Whether a call hands something over to a host or a disk; a byte that wakes is nothing."""
    facts = known.facts
    if facts is None or facts.does not in SENDS or _is_stream(known):
        return False
    if facts.does == "network":
        return named("sends", known.call.method)
    given = known.call.arguments[0].value if known.call.arguments else None
    return not facts.asks and not _is_bytes(known, given)


def _is_stream(known: Known) -> bool:
    """Whether its class is what is written to: its lock keeps the writing together."""
    owner = known.program.classes.owner(known.key)
    return owner is not None and known.program.classes.method(owner, "write") is not None


def _is_bytes(known: Known, given: Expression | None) -> bool:
    """Whether constant bytes are sent: they only wake whoever reads them."""
    if given is not None and given.path:
        found = [way.value for _, way in ways(known.program, known.key, given.path)]
        given = found[0] if len(found) == 1 else None
    return isinstance(given, Constant) and isinstance(given.value, bytes)


def _is_parameter(known: Known) -> bool:
    """Whether what is waited for comes from the caller, and with it its timeout."""
    path = "" if known.call.receiver is None else known.call.receiver.path
    entry = known.program.names.function(known.key)
    return any(p.name == path for p in entry.parameters)


def _does(known: Known, waited: Wait | None) -> str:
    if waited is not None and waited.verb == "bound" and known.awaited:
        return "bound"
    if waited is None or waited.verb not in WAITS:
        return ""
    if waited.ended or waited.own_job or waited.ready or waited.killed or waited.is_brief:
        return ""
    if waited.deadline.polls or is_told_at_once(known):
        return ""
    if waited.verb == "put" and not _has_bound(known):
        return ""
    if not waited.nature and known.program.graph.targets(known.key, known.call):
        return ""  # a method of the project's own, which is judged where it waits itself
    if waited.remote or waited.nature in REMOTE or waited.verb in ("network", "select"):
        return "" if _is_parameter(known) else "remote"
    return "wait"


def _has_bound(known: Known) -> bool:
    """Whether the queue that something is put into may be full."""
    receiver = known.call.receiver
    for scope, call in () if receiver is None else made(known.program, known.key, receiver):
        kind = known.program.kinds.of(scope, call)
        size = call.argument("maxsize", 0) if kind is not None and "queue" in kind.nature else None
        if size is not None and known.program.values.number(scope, size) != 0:
            return True
    return False
