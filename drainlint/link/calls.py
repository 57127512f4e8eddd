"""Calls as nouns see them: an occurrence, with what is known of the thing that is called."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

from drainlint.finding import Confidence
from drainlint.knowledge import CallFacts
from drainlint.knowledge.names import named
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.surroundings import Occurrence
from drainlint.model.deadline import FOREVER, Bound, Deadline
from drainlint.model.expression import Await, Call, Constant, Expression, Name, Yield
from drainlint.model.function import Drain, Function
from drainlint.model.kind import Kind
from drainlint.model.place import Place
from drainlint.model.statement import Try

SWITCHES = ("block", "blocking", "wait")
"""Parameters by which a caller says that it does not wait at all: `get(block=False)`."""
CHILDREN_BY_NUMBER = frozenset({"os.wait", "os.wait3", "os.wait4", "os.waitid", "os.waitpid"})
"""Waits for children that are known by their numbers alone."""


class Placed(TypedDict):
    """Where a noun stands, and how it was recognised: the fields of `Noun` that a call gives."""

    path: str
    place: Place
    function: Function
    drain: Drain | None
    confidence: Confidence


@dataclass(frozen=True, eq=False)
class Known:
    """A call, with its facts and its function's."""

    program: Program
    occurrence: Occurrence

    @property
    def call(self) -> Call:
        """The call itself."""
        return self.occurrence.call

    @property
    def key(self) -> FunctionId:
        """The function it stands in."""
        return self.occurrence.function

    @cached_property
    def function(self) -> Function:
        """That function as a noun."""
        return self.program.function(self.key)

    @cached_property
    def drain(self) -> Drain | None:
        """Why it is on the drain path."""
        return self.program.drain(self.key, self.call.place.line)

    @cached_property
    def _known(self) -> tuple[CallFacts, Kind | None] | None:
        return self.program.facts(self.key, self.call)

    @property
    def facts(self) -> CallFacts | None:
        """What the knowledge tables say of it."""
        return self._known[0] if self._known is not None else None

    @property
    def does(self) -> str:
        """The verb of the knowledge tables; empty where nothing is known."""
        return self.facts.does if self.facts is not None else ""

    @cached_property
    def kind(self) -> Kind | None:
        """What it is called on."""
        if self._known is not None:
            return self._known[1]
        receiver = self.call.receiver
        return None if receiver is None else self.program.kinds.of(self.key, receiver)

    @property
    def confidence(self) -> Confidence:
        """How what it is called on was recognised."""
        return self.kind.evidence if self.kind is not None else Confidence.HIGH

    @property
    def noun(self) -> Placed:
        """What every noun about this very call begins with."""
        return {
            "path": self.key.path,
            "place": self.call.place,
            "function": self.function,
            "drain": self.drain,
            "confidence": self.confidence,
        }

    @property
    def subject(self) -> str:
        """What it is called on, as written."""
        return "" if self.call.receiver is None else self.call.receiver.text

    @property
    def awaited(self) -> bool:
        """Whether its result is awaited here, `yield` in an old-style coroutine included."""
        around = self.occurrence.around
        return bool(around) and isinstance(around[0], Await | Yield)

    @property
    def is_asynchronous(self) -> bool:
        """Whether a coroutine waits for it, not a thread."""
        return self.awaited or (self.facts is not None and self.facts.asynchronous)

    def catches(self, sort: str) -> bool:
        """Whether a `try` around it catches an exception of a sort that the tables name."""
        return any(
            named(sort, kind.path)
            for spot in self.occurrence.spot.outward()
            if isinstance(spot.owner, Try) and spot.section == "body"
            for handler in spot.owner.handlers
            for kind in handler.kinds
        )

    @property
    def told_not_to_wait(self) -> bool:
        """Whether a flag switches waiting off, or does so unless the caller says otherwise."""
        entry = self.program.names.function(self.key)
        given = {argument.value.path for argument in self.call.arguments}
        defaults = [p.default for p in entry.parameters if p.name in given and p.default]
        return is_told_not_to_wait(self.call) or any(
            named("does-not-wait", default.path) for default in defaults if default.path
        )

    @cached_property
    def bounding_call(self) -> Call | None:
        """The call whose timeout encloses this one: `asyncio.timeout(5)`, `wait_for(..., 5)`."""
        managers = (i.value for w in self.occurrence.spot.withs for i in w.items)
        decorators = self.program.names.function(self.key).decorators
        for expression in (*self.occurrence.around, *managers, *decorators):
            for call in self._made_by(expression):
                if not self._deadline_of(call).is_none:
                    return call
        return None

    def _made_by(self, expression: Expression) -> Iterator[Call]:
        """A call, or the calls that a name got its value from: `limit = asyncio.timeout(5)`."""
        if isinstance(expression, Call):
            yield expression
        elif type(expression) is Name and "." not in expression.dotted:
            bindings = self.program.names.function(self.key).bindings
            for way in bindings.get(expression.dotted, ()):
                if way.how == "assign":
                    yield from (part for part in way.value.walk() if isinstance(part, Call))

    @property
    def bounded_by(self) -> str:
        """The enclosing timeout, as written; empty for none."""
        return "" if self.bounding_call is None else self.bounding_call.text

    @property
    def deadline_around(self) -> Deadline:
        """What the enclosing timeout comes to."""
        return FOREVER if self.bounding_call is None else self._deadline_of(self.bounding_call)

    @property
    def own_bound(self) -> Deadline:
        """What it bounds its own surroundings to, if it is a timeout itself."""
        return self._deadline_of(self.call)

    def _deadline_of(self, call: Call) -> Deadline:
        known = self.program.facts(self.key, call)
        if known is None and (_is_wait_for(call) or self._makes_timeout(call)):
            return Deadline(Bound.EXPRESSION, text=call.text)
        if known is None or known[0].does != "bound":
            return FOREVER
        return self.program.values.deadline(self.key, call, known[0])

    def _makes_timeout(self, call: Call) -> bool:
        """Whether something unknown gives a timeout: `with ceil_timeout(5):`, by name or result."""
        if _is_scope(call.method) and call.arguments:
            return True
        targets = self.program.graph.targets(self.key, call)
        if not targets or all(
            isinstance(a.value, Constant) and a.value.value is None for a in call.arguments
        ):
            return False
        kind = self.program.kinds.of(self.key, call)
        return kind is not None and kind.nature == "timeout"


def _is_wait_for(call: Call) -> bool:
    """Whether it is a `wait_for` of the project's own, and given more than what to wait for."""
    given = [a.value for a in call.arguments[1:]]
    limited = bool(given) and not (isinstance(given[-1], Constant) and given[-1].value is None)
    return call.method == "wait_for" and limited


def _is_scope(name: str) -> bool:
    """Whether a function bounds what it encloses, by its name."""
    return named("timeout-scope", name) and not named("not-a-scope", name)


def is_told_not_to_wait(call: Call) -> bool:
    """Whether a flag that a call is given switches waiting off: `WNOHANG`, `zmq.NOBLOCK`."""
    given = (part.path for argument in call.arguments for part in argument.value.walk())
    return any(named("does-not-wait", path) for path in given if path)


def is_told_not_to_block(call: Call) -> bool:
    """Whether a call is given `block=False`, which takes what there is."""
    return any(
        a.name in SWITCHES and isinstance(a.value, Constant) and a.value.value is False
        for a in call.arguments
    )


def is_log(call: Call) -> bool:
    """Whether a call logs or prints: a logger's method, `print`, `click.echo`."""
    path = call.func.path
    if path in ("print", "click.echo", "click.secho", "warnings.warn", "sys.stdout.write"):
        return True
    if path.endswith((".stdout.write", ".stderr.write", ".stdout.flush", ".stderr.flush")):
        return True
    receiver = call.receiver
    if not named("logs", call.method) or receiver is None:
        return False
    while isinstance(receiver, Call) and receiver.receiver is not None:
        receiver = receiver.receiver
    return "log" in receiver.text.lower() or receiver.path == "logging"
