"""Who holds which lock where: `with lock:`, and from `acquire` to `release`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from drainlint.finding import Confidence, Related
from drainlint.index.entries import FunctionEntry
from drainlint.link.names import ClassId, FunctionId
from drainlint.link.origins import Identity, identity, ways
from drainlint.link.program import Program
from drainlint.model.expression import Call, Constant, Expression
from drainlint.model.place import Place

LOCKS = frozenset({"lock", "rlock", "condition", "aio-lock", "aio-condition"})
HOPS = 2
"""Through how many calls a lock that the caller holds is followed."""


@dataclass(frozen=True, slots=True)
class Held:
    """Lines of a function on which it holds a lock."""

    lock: Identity
    function: FunctionId
    text: str
    nature: str
    first_line: int
    last_line: int
    blocking: bool = True
    """It waits until it has the lock."""
    evidence: Confidence = Confidence.HIGH
    """How the lock was recognised."""

    @property
    def taken(self) -> Related:
        """Where it is taken."""
        line = self.first_line
        where = f"holds `{self.text}` from here"
        return Related(self.function.path, Place(line, 1, line, 0), where)


class Locks:
    """Every lock region of a project, built when the first one is asked for."""

    def __init__(self, program: Program) -> None:
        """Take the linked program."""
        self.program = program
        self._callers: dict[FunctionId, tuple[Held, ...]] = {}

    @cached_property
    def _regions(self) -> Mapping[FunctionId, tuple[Held, ...]]:
        found: dict[FunctionId, tuple[Held, ...]] = {}
        for key, entry in self.program.names.functions():
            if regions := tuple(self._of(key, entry)):
                found[key] = regions
        return found

    @cached_property
    def _by_lock(self) -> Mapping[Identity, tuple[Held, ...]]:
        found: dict[Identity, list[Held]] = defaultdict(list)
        for regions in self._regions.values():
            for held in regions:
                found[held.lock].append(held)
        return {lock: tuple(regions) for lock, regions in found.items()}

    def _of(self, key: FunctionId, entry: FunctionEntry) -> Iterator[Held]:
        for entered in entry.entered:
            if entered.value.path:
                yield from self._held(key, entered.value, entered.first_line, entered.last_line)
        for call in entry.calls:
            if call.method == "acquire" and call.receiver is not None and call.receiver.path:
                line = _released(entry, call)
                if line:
                    blocking = _is_blocking(call)
                    yield from self._held(
                        key, call.receiver, call.place.line, line, blocking=blocking
                    )

    def _held(
        self,
        key: FunctionId,
        lock: Expression,
        first_line: int,
        last_line: int,
        *,
        blocking: bool = True,
    ) -> Iterator[Held]:
        kind = self.program.kinds.of(key, lock)
        if kind is None or kind.nature not in LOCKS:
            return
        named = self.name(key, lock.path)
        if named is not None:
            lines = (first_line, last_line)
            yield Held(named, key, lock.text, kind.nature, *lines, blocking, kind.evidence)

    def name(self, key: FunctionId, path: str) -> Identity | None:
        """The lock that a path names; a condition built on a lock is that lock."""
        for scope, way in ways(self.program, key, path):
            if way.how == "assign" and isinstance(way.value, Call) and way.value.arguments:
                kind = self.program.kinds.of(scope, way.value)
                inner = way.value.arguments[0].value
                if kind is None or kind.nature not in ("condition", "aio-condition"):
                    continue
                head, dot, _ = path.rpartition(".")
                beside = f"{head}{dot}{inner.path}"  # bound in the class body, beside its lock
                if "." not in inner.path and (found := identity(self.program, key, beside)):
                    return found
                if inner.path:
                    return identity(self.program, scope, inner.path)
        found = identity(self.program, key, path)
        if found is not None and isinstance(found[0], ClassId):
            return self._below(found[0], found[1]) or found
        return found

    def _below(self, owner: ClassId, attribute: str) -> Identity | None:
        """The lock of the same object on which a class builds the condition of this name."""
        for scope, way in self.program.classes.bindings(owner, attribute):
            if way.how != "assign" or not isinstance(way.value, Call) or not way.value.arguments:
                continue
            inner = way.value.arguments[0].value.path
            kind = self.program.kinds.of(scope, way.value)
            if "." in inner and kind is not None and kind.nature == "condition":
                return identity(self.program, scope, inner)
        return None

    # Questions

    def every(self) -> Iterator[Held]:
        """Every region of every lock."""
        for regions in self._regions.values():
            yield from regions

    def holds(self, key: FunctionId) -> bool:
        """Whether a function holds any lock itself."""
        return key in self._regions

    def may_be_held(self, key: FunctionId) -> bool:
        """Whether a function runs under a lock, its own or that of who calls it."""
        return self.holds(key) or bool(self._by_callers(key))

    def takers(self, lock: Identity) -> tuple[Held, ...]:
        """Every region of a lock whose function waits until it has it."""
        return tuple(h for h in self._by_lock.get(lock, ()) if h.blocking)

    def around(self, key: FunctionId, line: int) -> Iterator[Held]:
        """The locks that are held on a line of a function, by itself or by who calls it."""
        yield from self.own(key, line)
        yield from self._by_callers(key)

    def across_awaits(self, key: FunctionId) -> Iterator[tuple[Held, Place]]:
        """The locks of threads that a coroutine holds while it waits, and where it first does.

        Another task that wants one then stops the loop which alone could let it go.
        """
        entry = self.program.names.function(key)
        waits = [awaited.place for awaited in entry.awaits]
        waits += [one.place for one in entry.checkpoints if isinstance(one, Call)]
        for held in self._regions.get(key, ()) if entry.is_async else ():
            inside = [
                place
                for place in waits
                if held.first_line < place.line <= held.last_line
                and not self._is_lent(held, place.line)
            ]
            if held.nature == "lock" and held.blocking and inside:
                yield held, min(inside)

    def own(self, key: FunctionId, line: int) -> Iterator[Held]:
        """The locks that a function itself holds on one of its lines."""
        for held in self._regions.get(key, ()):
            if held.first_line <= line <= held.last_line and not self._is_lent(held, line):
                yield held

    def _is_lent(self, held: Held, line: int) -> bool:
        """Whether the lock is given back for a while: `release()` ... `acquire()` within."""
        given_back = False
        for call in self.program.names.function(held.function).calls:
            inside = held.first_line < call.place.line <= line
            same = call.receiver is not None and call.receiver.text == held.text
            if inside and same and call.method in ("release", "acquire"):
                given_back = call.method == "release"
        return given_back

    def _by_callers(self, key: FunctionId) -> tuple[Held, ...]:
        """The locks that are held where a function is called, through a few calls."""
        if key not in self._callers:
            found: dict[Held, None] = {}
            is_generator = self.program.names.function(key).is_generator
            seen, level = {key}, [] if is_generator else [key]  # it runs when it is iterated
            for _ in range(HOPS):
                callers = [
                    (c, k)
                    for k in level
                    for c in sorted(self._callers_of(k))
                    if c != k and self._calls_here(c, k)
                ]
                for caller, callee in callers:
                    found.update(dict.fromkeys(self._at_calls(caller, callee)))
                level = sorted({c for c, _ in callers} - seen)
                seen.update(level)
            self._callers[key] = tuple(found)
        return self._callers[key]

    def _callers_of(self, key: FunctionId) -> Iterator[FunctionId]:
        """Those of the same file: whom another file's call reaches is too often a guess."""
        callers = self.program.graph.callers.get(key, ())
        return (c for c in callers if c.path == key.path)

    def _at_calls(self, caller: FunctionId, callee: FunctionId) -> Iterator[Held]:
        """The locks that a function holds itself where it calls another."""
        if caller not in self._regions:
            return
        for call in self.program.names.function(caller).calls:
            if call.method != self._short(callee) or callee not in self._targets(caller, call):
                continue
            if self._runs_here(caller, callee, call):
                yield from self.own(caller, call.place.line)

    def _calls_here(self, caller: FunctionId, callee: FunctionId) -> bool:
        """Whether a callee runs within its caller, rather than being spawned by it."""
        if not self.program.names.function(callee).is_async:
            return True
        calls = self.program.names.function(caller).calls
        return any(
            c.method == self._short(callee) and self._runs_here(caller, callee, c) for c in calls
        )

    def _runs_here(self, caller: FunctionId, callee: FunctionId, call: Call) -> bool:
        """Whether a callee runs while its caller stands there: a coroutine only where awaited."""
        if not self.program.names.function(callee).is_async:
            return True
        awaited = self.program.names.function(caller).checkpoints
        return any(part == call for expression in awaited for part in expression.walk())

    def _short(self, key: FunctionId) -> str:
        return self.program.names.function(key).short_name

    def _targets(self, caller: FunctionId, call: Call) -> tuple[FunctionId, ...]:
        return self.program.graph.targets(caller, call)


def _is_blocking(call: Call) -> bool:
    given = [a.value for a in call.arguments if a.name in ("", "blocking", "block")]
    if any(isinstance(g, Constant) and g.value in (False, 0) for g in given[:1]):
        return False
    return not any(a.name == "timeout" for a in call.arguments) and len(call.arguments) <= 1


def _released(entry: FunctionEntry, acquired: Call) -> int:
    """The line of the first `release` of the same lock after an `acquire`; 0 for none."""
    lines = [
        call.place.line
        for call in entry.calls
        if call.method == "release"
        and call.receiver == acquired.receiver
        and call.place.line > acquired.place.line
    ]
    return min(lines, default=0)
