"""Drain paths as trees: from a root through the calls to whatever takes time."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from drainlint.chart.servicemap import MappedWait, Node, Spot
from drainlint.index.entries import FunctionEntry
from drainlint.link.names import FunctionId
from drainlint.link.nouns import Nouns
from drainlint.link.program import Program
from drainlint.link.roots import Root, shown
from drainlint.link.tries import tries
from drainlint.model.close import Close
from drainlint.model.deadline import AT_ONCE, FOREVER, Bound, Deadline
from drainlint.model.expression import Call
from drainlint.model.loop import Loop
from drainlint.model.noun import Noun
from drainlint.model.pause import Pause
from drainlint.model.place import Place
from drainlint.model.statement import Body
from drainlint.model.tryblock import TryBlock
from drainlint.model.wait import Wait

NO_WAITS = frozenset({"bound", "client", "limits"})
"""Verbs of calls that bound others, and wait for nobody themselves."""


class _Child(NamedTuple):
    """A function below another one."""

    key: FunctionId
    line: int
    """On which it is called."""
    here: bool
    """It is drawn here, not elsewhere."""


_Children = dict[FunctionId | None, list[_Child]]
"""What each function calls; None stands for the root."""


class Trees:
    """Draws the tree of each root, each function once."""

    def __init__(self, program: Program) -> None:
        """Take the linked program."""
        self.program = program
        self.nouns = Nouns(program)
        self._waits: dict[FunctionId, tuple[MappedWait, ...]] = {}
        self._drawn: dict[FunctionId, int] = {}

    def waits(self, key: FunctionId) -> tuple[MappedWait, ...]:
        """What takes time in a function itself, in source order."""
        if key not in self._waits:
            self._waits.setdefault(key, ())
            body = self.program.bodies.get(key) if _may_take_time(self.program, key) else None
            if body is not None:
                for owner, waits in self._by_function(key, body).items():
                    self._waits[owner] = tuple(sorted(waits, key=lambda wait: wait.spot))
        return self._waits[key]

    def _by_function(self, key: FunctionId, body: Body) -> dict[FunctionId, list[MappedWait]]:
        """The waits of a body; those of a lambda in it belong to the lambda."""
        of_body = list(self.nouns.of_body(key, body))
        within = {
            pause.place
            for loop in of_body
            if isinstance(loop, Loop) and loop.waits_by_asking
            for pause in loop.pauses
        }
        closes = {noun.place: noun for noun in of_body if isinstance(noun, Close)}
        blocks = [block for block in tries(self.program, key, body) if block.swallowing]
        found: dict[FunctionId, list[MappedWait]] = {}
        for noun in of_body:
            again = noun.place in within and not isinstance(noun, Loop)
            again = again or (noun.place in closes and isinstance(noun, Wait))
            made = None if again else _mapped(noun)
            if made is not None:
                told = tuple(_swallowed(noun, blocks))
                made = replace(made, remarks=(*made.remarks, *told))
                name = noun.function.name
                found.setdefault(FunctionId(key.path, name) if name else key, []).append(made)
        return found

    @cached_property
    def _live(self) -> frozenset[FunctionId]:
        """Functions from which something that takes time is reached."""
        seen = {key for key in reached(self.program) if self.waits(key)}
        queue = deque(seen)
        while queue:
            for caller in self.program.graph.callers.get(queue.popleft(), ()):
                if caller not in seen:
                    seen.add(caller)
                    queue.append(caller)
        return frozenset(seen)

    def is_drawn(self, root: Root) -> bool:
        """Whether a root's function stands in a tree that was drawn before."""
        return not root.first_line and root.function in self._drawn

    def draw(self, root: Root, number: int) -> Node | None:
        """The tree of a root; None where nothing on it takes time."""
        key = root.function
        waits = [w for w in self.waits(key) if _within(root, w.spot.line)]
        first: dict[FunctionId, int] = {}
        for target, line in self._called(root):
            first.setdefault(target, line)
        if not waits and not first:
            return None
        if not root.first_line:
            if key in self._drawn:
                return self._node(key, again=self._drawn[key])
            self._drawn[key] = number
        children = self._spread(first, number)
        entry = self.program.names.function(key)
        spot = Spot(key.path, root.first_line or entry.line, 1 if root.first_line else entry.column)
        calls = tuple(self._grown(child, children) for child in children[None])
        return Node(shown(entry), spot, tuple(waits), calls)

    def bare(self, root: Root) -> Node:
        """A root without a tree, for a map that leaves out nothing."""
        entry = self.program.names.function(root.function)
        return Node(shown(entry), Spot(root.function.path, root.first_line or entry.line))

    def _called(self, root: Root) -> Iterator[tuple[FunctionId, int]]:
        """What a root's own lines call and comes to something that waits, with those lines."""
        for call in self.program.names.function(root.function).calls:
            if _within(root, call.place.line):
                for target in self.program.graph.targets(root.function, call):
                    if target in self._live and target != root.function:
                        yield target, call.place.line

    def _spread(self, first: Mapping[FunctionId, int], number: int) -> _Children:
        """Every function below a root, drawn where the shortest chain leads to it."""
        children: _Children = {None: []}
        queue: deque[tuple[FunctionId | None, FunctionId, int]] = deque(
            (None, key, line) for key, line in first.items()
        )
        while queue:
            caller, key, line = queue.popleft()
            here = key not in self._drawn
            children[caller].append(_Child(key, line, here))
            if here:
                self._drawn[key] = number
                children[key] = []
                for callee, place in self.program.graph.callees.get(key, {}).items():
                    if callee in self._live and callee != key:
                        queue.append((key, callee, place.line))
        return children

    def _grown(self, child: _Child, children: _Children) -> Node:
        if not child.here:
            return self._node(child.key, child.line, again=self._drawn[child.key])
        calls = tuple(self._grown(one, children) for one in children[child.key])
        return self._node(child.key, child.line, self.waits(child.key), calls)

    def _node(
        self,
        key: FunctionId,
        line: int = 0,
        waits: tuple[MappedWait, ...] = (),
        calls: tuple[Node, ...] = (),
        again: int = 0,
    ) -> Node:
        entry = self.program.names.function(key)
        return Node(
            shown(entry), Spot(key.path, entry.line, entry.column), waits, calls, line, again
        )


def reached(program: Program) -> Iterator[FunctionId]:
    """Every function that a root of a drain path is, or leads to."""
    seen = {root.function for root in program.drain_paths.roots}
    queue = deque(seen)
    while queue:
        current = queue.popleft()
        yield current
        for callee in program.graph.callees.get(current, ()):
            if callee not in seen:
                seen.add(callee)
                queue.append(callee)


def _may_take_time(program: Program, key: FunctionId) -> bool:
    entry: FunctionEntry = program.names.function(key)
    if entry.awaits or entry.turns or entry.entered:
        return True
    return any(call.method == "join" or _waits(program, key, call) for call in entry.calls)


def _waits(program: Program, key: FunctionId, call: Call) -> bool:
    known = program.facts(key, call)
    return known is not None and (known[0].waits or known[0].does == "sleep")


def _within(root: Root, line: int) -> bool:
    return not root.first_line or root.first_line <= line <= root.last_line


def _mapped(noun: Noun) -> MappedWait | None:
    """A noun as it is drawn; None for one that takes no time."""
    match noun:
        case Wait():
            return _wait(noun)
        case Pause() if not noun.is_timed_wait:
            seconds = noun.seconds
            if seconds is not None and seconds <= 0:
                return None
            bound = Bound.EXPRESSION if seconds is None else Bound.CONSTANT
            return MappedWait(
                "pause",
                noun.text,
                _spot(noun.path, noun.place),
                Deadline(bound, seconds, _argument(noun.text)),
                remarks=("on every turn of a loop",) if noun.in_loop else (),
            )
        case Close() if not noun.own_job and not noun.deadline.polls:
            return MappedWait(
                "wait",
                noun.text,
                _spot(noun.path, noun.place),
                noun.deadline,
                noun.bounded_by,
                "its jobs, which end in time" if noun.bounded_jobs else "",
                (f"for {noun.waits_for}",),
            )
        case Loop() if noun.waits_by_asking:
            return MappedWait(
                "loop",
                noun.text,
                _spot(noun.path, noun.place),
                FOREVER,
                limit=noun.deadline,
                remarks=(f"asks {noun.wakeups}",),
            )
    return None


def _swallowed(noun: Noun, blocks: Iterable[TryBlock]) -> Iterator[str]:
    """What the innermost `try` around a wait keeps to itself when the wait is broken off."""
    around = [block for block in blocks if block.body.holds(noun.place)]
    for block in around[-1:]:
        if not block.cancels_itself:
            catch = block.swallowing[0]
            what = "cancellation" if block.awaits and catch.catches_cancellation else "an interrupt"
            yield f"{what} ends at `{catch.text}` on line {catch.place.line}"


def _wait(wait: Wait) -> MappedWait | None:
    takes_time = not (wait.deadline.polls or wait.own_job or wait.ready or wait.deadline == AT_ONCE)
    if wait.verb in NO_WAITS or not takes_time:
        return None
    return MappedWait(
        "wait",
        wait.text,
        _spot(wait.path, wait.place),
        wait.deadline,
        wait.bounded_by,
        remarks=tuple(_remarks(wait)),
    )


def _remarks(wait: Wait) -> Iterator[str]:
    if wait.handed_over:
        yield "handed to somebody who calls it"
    if wait.repeats is not None:
        yield f"for each of `{wait.repeats.text}`"
    elif wait.in_loop:
        yield "on every turn of a loop"
    if wait.cancelled:
        yield "cancelled before"
    if wait.killed:
        yield "killed before"
    if wait.ended:
        yield f"has ended: {wait.ended}"
    if wait.locks:
        yield f"holds {', '.join(f'`{lock}`' for lock in wait.locks)}"


def _argument(text: str) -> str:
    """What stands between the brackets of a call."""
    return text.partition("(")[2].removesuffix(")")


def _spot(path: str, place: Place) -> Spot:
    return Spot(path, place.line, place.column)
