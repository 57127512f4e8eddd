"""Builds moments: deadlines, starts, and those that are stale when they are used."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.index.entries import MODULE, FunctionEntry
from drainlint.link.calls import is_log
from drainlint.link.names import FunctionId, Variable
from drainlint.link.origins import Identity, identity
from drainlint.link.program import Program
from drainlint.link.services import STOP_WORDS
from drainlint.link.surroundings import Spot, spots
from drainlint.model.clock import Moment, StaleMoment
from drainlint.model.expression import (
    Arithmetic,
    Await,
    Call,
    Compare,
    Constant,
    Expression,
)
from drainlint.model.statement import Assign, Body, If, Leave, Raise, Return, Statement, While
from drainlint.words import KEEPS_DEADLINE, KEEPS_MOMENT

CLOCKS = frozenset({"clock", "wall-clock"})


@dataclass(frozen=True, slots=True)
class _Use:
    """An expression that names a moment."""

    line: int
    text: str
    place: Related
    bounds: bool
    """It bounds a wait or loop, or leaves it."""
    difference: bool
    """It compares it with a clock, or subtracts one from the other."""
    adds: bool = False
    """It adds the time that is granted: `while time() < start + 3:` computes the deadline."""


class Moments:
    """Finds the moments of a function and what they are used for."""

    def __init__(self, program: Program) -> None:
        """Take the linked program with the bodies that were read."""
        self.program = program

    def of(self, key: FunctionId, body: Body) -> Iterator[Moment | StaleMoment]:
        """The deadlines and starts that a function computes, and the stale ones that it uses."""
        every = list(spots(body.statements))
        for spot in every:
            statement = spot.statement
            if not isinstance(statement, Assign) or statement.value is None or statement.operator:
                continue
            clock = _clock(self.program, key, statement.value)
            target = statement.targets[0].path
            if clock is None or not target or len(statement.targets) > 1:
                continue
            if "." in target and statement.value == clock:
                continue  # a stamp that others renew: when it was last seen, not a start
            uses = list(self._uses(key, target, every, statement))
            if "." in target:
                uses += self._elsewhere(key, target)
            yield self._moment(key, statement, target, clock, uses)
            yield from self._stale(key, spot, target, every, from_start=statement.value == clock)
        yield from self._stale_attributes(key, every)

    def _moment(
        self, key: FunctionId, statement: Assign, target: str, clock: Call, uses: list[_Use]
    ) -> Moment:
        place = statement.place
        bounding = next((u for u in uses if u.bounds), None)
        bounds = None if bounding is None else bounding.place
        if bounding is not None and bounding.adds and statement.value == clock:
            bounds = Related(key.path, place.first_line, f"`{target}` is read here")
            place = bounding.place.place
        return Moment(
            path=key.path,
            place=place,
            function=self.program.function(key),
            drain=self.program.drain(key, place.line),
            name=target,
            clock=clock.text,
            is_wall_clock=_tells_time(self.program, key, clock) == "wall-clock",
            bounds=bounds,
            only_differences=bool(uses) and all(u.difference for u in uses),
        )

    # Uses

    def _uses(
        self, key: FunctionId, target: str, every: list[Spot], made: Assign | None
    ) -> Iterator[_Use]:
        for spot in every:
            statement = spot.statement
            if statement is made:
                continue
            stops = isinstance(statement, While) or (
                isinstance(statement, If) and _leaves(statement) and any(spot.loops)
            )
            for expression in statement.expressions:
                if isinstance(statement, Assign) and expression in statement.targets:
                    continue
                yield from self._in(key, target, statement, expression, stops=stops)

    def _in(
        self,
        key: FunctionId,
        target: str,
        statement: Statement,
        expression: Expression,
        *,
        stops: bool,
    ) -> Iterator[_Use]:
        named = [e for e in expression.walk() if e.path == target]
        if not named:
            return
        compared = list(self._differences(key, target, expression))
        waits = any(self._is_bound_of(key, call, target) for call in _calls(expression))
        waits = waits or self._hands_on_rest(key, target, expression)
        in_time = bool(compared) and (stops or self._is_remaining(statement))
        place = Related(key.path, statement.place.first_line, f"`{target}` is the bound here")
        yield _Use(
            statement.place.line,
            _shown(expression, target),
            place,
            bounds=in_time or waits,
            difference=len(compared) >= len(named),
            adds=any(_adds_to(part, target) for one in compared for part in one.walk()),
        )

    def _differences(
        self, key: FunctionId, target: str, inside: Expression
    ) -> Iterator[Expression]:
        """Comparisons and differences of the moment and a clock."""
        for part in inside.walk():
            if isinstance(part, Compare) or (isinstance(part, Arithmetic) and part.operator == "-"):
                sides = list(part.walk())
                if any(s.path == target for s in sides) and any(
                    isinstance(s, Call) and _tells_time(self.program, key, s) for s in sides
                ):
                    yield part
                    return

    def _is_bound_of(self, key: FunctionId, call: Call, target: str) -> bool:
        """Whether the moment, or what is left of it, is the timeout of a wait."""
        known = self.program.facts(key, call)
        if known is None or not known[0].timeout:
            return False
        given = call.argument(known[0].timeout, known[0].at)
        if given is None or given.path == target:
            return given is not None
        return any(p.left is not None and p.left.path == target for p in _differing(given))

    def _hands_on_rest(self, key: FunctionId, target: str, expression: Expression) -> bool:
        """Whether a call is given what is left of a deadline: `worker.join(deadline - time())`."""
        for call in _calls(expression):
            for part in (p for a in call.arguments for p in _differing(a.value)):
                left = part.left.path if part.left is not None else ""
                if left == target and self._differs_from_clock(key, part):
                    return not is_log(call)
        return False

    def _is_remaining(self, statement: Statement) -> bool:
        """`remaining = deadline - now()`: what is left is a bound, whoever uses it."""
        if not isinstance(statement, Assign):
            return False
        names = (t.path.rpartition(".")[2] for t in statement.targets)
        return any(re.search(r"remain|left|timeout|budget", n) for n in names)

    def _elsewhere(self, key: FunctionId, target: str) -> Iterator[_Use]:
        """The uses of an attribute in the other methods of its class that were read."""
        owner = self.program.classes.owner(key)
        me, _, attribute = target.partition(".")
        if owner is None or me != self.program.classes.self_name(key):
            return
        for function, _ in self.program.classes.members(owner):
            body = self.program.bodies.get(function)
            if body is not None and function != key:
                path = f"{self.program.classes.self_name(function)}.{attribute}"
                yield from self._uses(function, path, list(spots(body.statements)), None)

    # Stale deadlines

    def _stale(
        self, key: FunctionId, made: Spot, target: str, every: list[Spot], *, from_start: bool
    ) -> Iterator[StaleMoment]:
        """A deadline that is computed, then the wait for the request to stop, then its use.

        Where only the start is noted, its use is what is left of a length of time since then.
        """
        position = every.index(made)
        waited: Related | None = None
        for spot in every[position + 1 :]:
            statement = spot.statement
            if isinstance(statement, Assign) and any(t.path == target for t in statement.targets):
                return
            if waited is not None:
                for expression in statement.expressions:
                    used = any(e.path == target for e in expression.walk())
                    if used and (not from_start or self._is_left_since(key, target, expression)):
                        yield self._stale_noun(key, statement, expression, target, made, waited)
                        return
            waited = waited or self._awaits_stop(key, statement, target)

    def _awaits_stop(self, key: FunctionId, statement: Statement, target: str) -> Related | None:
        if isinstance(statement, While):
            return self._serves_until_told(key, statement, target)
        for expression in statement.expressions:
            if any(e.path == target for e in expression.walk()):
                return None
            for part in expression.walk():
                if isinstance(part, Call) and self._is_stop_wait(key, part, expression):
                    text = f"`{part.text}` waits for the request to stop here"
                    return Related(key.path, part.place.first_line, text)
        return None

    def _serves_until_told(self, key: FunctionId, loop: While, target: str) -> Related | None:
        """`while not stopping: work()`: a loop that a signal ends, and no deadline."""
        wait = self.program.drain_paths.stop_waits.all.get(key)
        if wait is None or not wait.by_loop or wait.after != loop.end_line + 1:
            return None
        inside = (e for s in loop.walk() for outer in s.expressions for e in outer.walk())
        if any(e.path == target for e in inside):
            return None
        text = f"`{wait.text}` goes on until the request to stop comes"
        return Related(key.path, loop.place.first_line, text)

    def _is_left_since(self, key: FunctionId, target: str, expression: Expression) -> bool:
        """Whether it computes what is left: `budget - (clock() - started)`."""
        return any(
            part.right.right.path == target
            for part in _differing(expression)
            if isinstance(part.right, Arithmetic) and part.right.operator == "-"
            if isinstance(part.right.left, Call) and _tells_time(self.program, key, part.right.left)
        )

    def _is_stop_wait(self, key: FunctionId, call: Call, around: Expression) -> bool:
        known = self.program.facts(key, call)
        if known is not None and known[0].asynchronous and not self._is_awaited(key, call):
            return False  # a task waits, and whoever made it goes on
        if self.program.drain_paths.is_stop_wait(key, call):
            return True
        if known is None:
            return False
        facts, kind = known
        if facts.name.endswith(".open_signal_receiver"):
            return True  # its block waits for the signals
        if facts.does == "serve":
            return not facts.asynchronous or isinstance(around, Await)
        if facts.does != "wait" or kind is None or kind.nature not in ("event", "aio-event"):
            return False
        named = call.receiver.path.rpartition(".")[2] if call.receiver is not None else ""
        unbounded = self.program.values.deadline(key, call, facts).is_none
        return unbounded and bool(STOP_WORDS.search(named.lower()))

    def _is_awaited(self, key: FunctionId, call: Call) -> bool:
        """Whether a coroutine stops for it, or for what it is handed to."""
        checkpoints = self.program.names.function(key).checkpoints
        return any(part == call for outer in checkpoints for part in outer.walk())

    def _stale_noun(  # noqa: PLR0913, PLR0917 - the parts of one value
        self,
        key: FunctionId,
        statement: Statement,
        expression: Expression,
        target: str,
        made: Spot,
        waited: Related,
    ) -> StaleMoment:
        place = next(
            (c.place for c in _calls(expression) if any(e.path == target for e in c.walk())),
            statement.place,
        )
        computed = Related(
            key.path, made.statement.place.first_line, f"`{target}` is computed here"
        )
        return StaleMoment(
            path=key.path,
            place=place,
            function=self.program.function(key),
            drain=self.program.drain(key, place.line),
            name=target,
            text=_shown(expression, target),
            computed=computed,
            waited=waited,
        )

    def _stale_attributes(self, key: FunctionId, every: list[Spot]) -> Iterator[StaleMoment]:
        """A deadline that is computed while its object is set up, and used in its stop."""
        seen: set[Identity] = set()
        for spot in every:
            line = spot.statement.place.line
            if self.program.drain(key, line) is None:
                continue
            for expression in spot.statement.expressions:
                for part in _differing(expression):
                    if not self._differs_from_clock(key, part) or part.left is None:
                        continue
                    name = identity(self.program, key, part.left.path)
                    computed = _set_up(self, key, part.left.path)
                    if name is None or computed is None or name in seen:
                        continue
                    seen.add(name)
                    yield StaleMoment(
                        path=key.path,
                        place=spot.statement.place,
                        function=self.program.function(key),
                        drain=self.program.drain(key, line),
                        name=part.left.path,
                        text=part.text,
                        computed=computed,
                    )

    def _differs_from_clock(self, key: FunctionId, part: Arithmetic) -> bool:
        return isinstance(part.right, Call) and bool(_tells_time(self.program, key, part.right))


def _set_up(moments: Moments, key: FunctionId, path: str) -> Related | None:
    """Where set-up computes a deadline that nobody computes anew: a constructor, a module."""
    resolved = moments.program.names.resolve(key, path)
    if resolved is None or not isinstance(resolved.symbol, Variable):
        return None
    if resolved.rest:
        owner = moments.program.classes.owner(key)
        if owner is None or len(resolved.rest) > 1:
            return None
        bound = list(moments.program.classes.bindings(owner, resolved.rest[0]))
    else:
        scope = resolved.symbol.scope
        if scope.name != MODULE:
            return None
        ways = moments.program.names.function(scope).bindings.get(path, ())
        bound = [(scope, way) for way in ways]
    computed = [(s, w) for s, w in bound if not isinstance(w.value, Constant)]
    if len(computed) != 1:
        return None
    (scope, way) = computed[0]
    short = scope.name.rpartition(".")[2]
    if short not in ("__init__", MODULE) or not isinstance(way.value, Arithmetic):
        return None
    if _clock(moments.program, scope, way.value) is None or _made_late(moments.program, scope):
        return None
    place = moments.program.function(scope).place._replace(
        line=way.line, column=1, end_line=way.line, end_column=0
    )
    return Related(scope.path, place, f"`{path}` is computed here, long before")


def _made_late(program: Program, setup: FunctionId) -> bool:
    """Whether an object is made where the program stops already: `budget = Budget(20)`."""
    return any(
        program.drain(caller, program.graph.callees[caller][setup].line) is not None
        for caller in program.graph.callers.get(setup, ())
    )


def kept(program: Program, key: FunctionId) -> Iterator[str]:
    """Whether a function keeps a moment that may bound something, or a deadline: as words."""
    entry = program.names.function(key)
    for name, ways in entry.bindings.items():
        for way in ways:
            if way.how != "assign" or _clock(program, key, way.value) is None:
                continue
            if isinstance(way.value, Arithmetic):
                yield KEEPS_DEADLINE
            if "." in name or _has_loops(entry) or _is_used(entry, name):
                yield KEEPS_MOMENT


def _clock(program: Program, key: FunctionId, value: Expression) -> Call | None:
    """The call that tells the time, or the end of a scope: `clock()`, `clock() + seconds`."""
    match value:
        case Call():
            end = value.argument("deadline")
            found = _clock(program, key, end) if isinstance(end, Arithmetic) else None
            return value if _tells_time(program, key, value) else found
        case Arithmetic(left=Expression() as left, operator="+", right=right):
            for side in (left, right):
                if isinstance(side, Call) and _tells_time(program, key, side):
                    return side
    return None


def _tells_time(program: Program, key: FunctionId, call: Call) -> str:
    known = program.facts(key, call)
    return known[0].does if known is not None and known[0].does in CLOCKS else ""


def _has_loops(entry: FunctionEntry) -> bool:
    walks = (way.how == "each" for ways in entry.bindings.values() for way in ways)
    return bool(entry.turns) or any(walks)


def _is_used(entry: FunctionEntry, name: str) -> bool:
    """Whether a call or another name is given a name, or what is worked out from it."""
    given = [a.value for call in entry.calls if not is_log(call) for a in call.arguments]
    given += [way.value for ways in entry.bindings.values() for way in ways]
    return any(part.path == name for value in given for part in value.walk())


def _differing(expression: Expression) -> Iterator[Arithmetic]:
    for part in expression.walk():
        if isinstance(part, Arithmetic) and part.operator == "-":
            yield part


def _calls(expression: Expression) -> Iterator[Call]:
    return (e for e in expression.walk() if isinstance(e, Call))


def _shown(expression: Expression, target: str) -> str:
    """The innermost call or difference that names the moment."""
    parts = [
        e
        for e in expression.walk()
        if isinstance(e, Call | Compare | Arithmetic) and any(x.path == target for x in e.walk())
    ]
    return parts[0].text if parts else expression.text


def _leaves(statement: If) -> bool:
    return any(isinstance(s, Return | Raise | Leave) for block in statement.blocks for s in block)


def _adds_to(part: Expression, target: str) -> bool:
    """Whether something is added to a moment: `start + 3`."""
    sides = (part.left, part.right) if isinstance(part, Arithmetic) else ()
    added = isinstance(part, Arithmetic) and part.operator == "+"
    return added and any(side is not None and side.path == target for side in sides)
