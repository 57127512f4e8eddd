"""The drain path: which code runs while the program stops, and how it gets there."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from drainlint.finding import Related
from drainlint.link.graph import Graph
from drainlint.link.names import ClassId, FunctionId
from drainlint.link.objects import Objects
from drainlint.link.roles import Roles
from drainlint.link.roots import CERTAIN, Root, Roots, said_by, shown
from drainlint.link.services import Services
from drainlint.link.started import Started
from drainlint.link.stopwaits import StopWaits
from drainlint.model.expression import Call
from drainlint.model.function import Drain
from drainlint.model.place import Place


@dataclass(frozen=True, slots=True)
class _Reached:
    root: Root
    chain: tuple[FunctionId, ...]
    me: ClassId | None
    """What `self` is at its end, at least."""

    guessed: bool = False
    """A call on the way may as well enter another function."""

    @property
    def is_weak(self) -> bool:
        return self.root.by_name or self.guessed


class _Found:
    """What was reached so far, and on which objects."""

    def __init__(self, objects: Objects) -> None:
        self.first: dict[FunctionId, _Reached] = {}
        self._objects = objects
        self._on: dict[FunctionId, set[ClassId | None]] = {}

    def is_new(self, one: _Reached) -> bool:
        """Whether a chain leads to a function, or to an object, that no other has led to."""
        here = one.chain[-1]
        seen = self._on.setdefault(here, set())
        if self._objects.covers(seen, one.me):
            return False
        seen.add(one.me)
        self.first.setdefault(here, one)
        return True


class DrainPaths:
    """Every function and place that runs while the program stops, with the shortest chain."""

    def __init__(
        self,
        graph: Graph,
        roles: Roles,
        services: Services,
        side_code: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Take the calls, roles and services of a project, and what is side code by its place."""
        self._side_code = cache(side_code)
        self.graph = graph
        self.names = graph.names
        self.roles = roles
        self._roots = Roots(graph, roles, services)
        self._started = Started(graph)
        self._objects = Objects(graph.classes)
        self.stop_waits = StopWaits(graph, roles, self._stopping)

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """Every root of the project, the best evidence first."""
        found = [*self._roots.whole, *self._roots.partial(self.stop_waits)]
        return tuple(sorted(found, key=lambda r: (r.by_name, r.sort not in CERTAIN)))

    def _stopping(self) -> set[FunctionId]:
        """The functions that run when the program stops, whatever its main flow waits for."""
        found = _Found(self._objects)
        self._spread(found, map(self._at, self._roots.whole), certain=False)
        return found.first.keys() - self.roles.main

    def is_stop_wait(self, key: FunctionId, call: Call) -> bool:
        """Whether a call is a wait for the request to stop: an event that a handler sets."""
        return self.stop_waits.is_wait(key, call)

    def closure(self, start: FunctionId) -> Iterator[FunctionId]:
        """A function and all that it calls, transitively."""
        seen = {start}
        queue = deque([start])
        while queue:
            current = queue.popleft()
            yield current
            for callee in self.graph.callees.get(current, ()):
                if callee not in seen:
                    seen.add(callee)
                    queue.append(callee)

    # Paths

    @cached_property
    def _reached(self) -> dict[FunctionId, _Reached]:
        """Functions that are on the drain path as a whole, each by its best evidence."""
        found = _Found(self._objects)
        guesses = self._spread(found, self._begun(by_name=False))
        weak = list(self._begun(by_name=True))
        leading = (one for one in weak if not one.root.says_little)
        self._spread(found, (*guesses, *leading), certain=False)
        self._spread(found, (one for one in weak if one.root.says_little), certain=False)
        return found.first

    def _begun(self, *, by_name: bool) -> Iterator[_Reached]:
        """Where paths begin: the roots themselves, and what the lines of partial roots call."""
        for root in self.roots:
            if root.by_name is not by_name:
                continue
            start = self._at(root)
            if not root.first_line:
                yield start
                continue
            for callee in _called_in(self.graph, root):
                yield from self._entering(start, callee)

    def _at(self, root: Root) -> _Reached:
        return _Reached(root, (root.function,), self._objects.of(root.function))

    def _entering(self, current: _Reached, callee: FunctionId) -> Iterator[_Reached]:
        """A chain with one more call, if its object allows that."""
        caller = current.chain[-1]
        entered = self._objects.after(caller, current.me, callee)
        if entered is not None:
            guessed = current.guessed or (caller, callee) in self.graph.guessed
            yield _Reached(current.root, (*current.chain, callee), *entered, guessed)

    def _spread(
        self,
        found: _Found,
        starts: Iterable[_Reached],
        *,
        certain: bool = True,
    ) -> list[_Reached]:
        """Follow calls from where paths begin, the shortest chains first.

        Where only what is `certain` counts, the calls that are guesses are given back.
        """
        guesses: list[_Reached] = []
        queue: deque[_Reached] = deque()

        def reach(one: _Reached) -> None:
            if self._is_staged(one):
                return
            if one.guessed and certain:
                guesses.append(one)
            elif found.is_new(one):
                queue.append(one)

        for start in starts:
            reach(start)
        while queue:
            current = queue.popleft()
            if current.root.says_little and len(current.chain) > 1:
                continue
            for callee in self.graph.callees.get(current.chain[-1], ()):
                if (
                    current.root.by_name
                    and current.root.vague
                    and _is_others_too(self.graph, callee)
                ):
                    continue
                if not self._goes_on(current, callee):
                    for one in self._entering(current, callee):
                        reach(one)
        return guesses

    def _goes_on(self, current: _Reached, callee: FunctionId) -> bool:
        """Whether nobody waits for what is started; a root's own, and a handler's, is its stop."""
        is_stop = current.root.sort in CERTAIN or len(current.chain) == 1
        return not is_stop and self._started.nobody_waits(current.chain[-1], callee)

    def _is_staged(self, reached: _Reached) -> bool:
        """Whether only a test or an example leads there: it ends what it likes, when it likes."""
        root, here = reached.root.function.path, reached.chain[-1].path
        return root != here and self._side_code(root) and not self._side_code(here)

    @cached_property
    def _partial(self) -> dict[FunctionId, list[Root]]:
        found: dict[FunctionId, list[Root]] = {}
        for root in self.roots:
            if root.first_line:
                found.setdefault(root.function, []).append(root)
        return found

    def touches(self, key: FunctionId) -> bool:
        """Whether any line of a function is on the drain path."""
        return key in self._reached or key in self._partial

    def of(self, key: FunctionId, line: int) -> Drain | None:
        """Why a line of a function is on the drain path; None where it is not."""
        reached = self._reached.get(key)
        if reached is None or reached.is_weak:
            for root in self._partial.get(key, ()):
                if root.first_line <= line <= root.last_line:
                    reached = self._at(root)
                    break
        if reached is None:
            return None
        root = reached.root
        steps = tuple(self._step(one, root, first=not n) for n, one in enumerate(reached.chain))
        return Drain(root.label, root.sort, steps, reached.is_weak)

    def _step(self, key: FunctionId, root: Root, *, first: bool) -> Related:
        entry = self.names.function(key)
        line = root.first_line if first and root.first_line else entry.line
        column = 1 if first and root.first_line else entry.column
        place = Place(line, column, line, 0)
        return Related(key.path, place, root.label if first else f"`{shown(entry)}`")


def _is_others_too(graph: Graph, callee: FunctionId) -> bool:
    """Whether methods that end nothing call it as well: it sends requests of every sort."""
    callers = graph.callers.get(callee, set())
    return any(not said_by(graph.names.function(caller).short_name) for caller in callers)


def _called_in(graph: Graph, root: Root) -> Iterator[FunctionId]:
    """What the lines of a root call, where only part of a function is on the drain path."""
    for call in graph.names.function(root.function).calls:
        if root.first_line <= call.place.line <= root.last_line:
            yield from graph.targets(root.function, call)
