"""What numbers and timeouts come to, as far as the project's own text tells."""

import math
import operator
from collections.abc import Callable, Iterator

from drainlint.index.entries import Binding, FunctionEntry
from drainlint.knowledge import CallFacts
from drainlint.link.classes import Classes
from drainlint.link.names import FunctionId, Library, Names, Variable
from drainlint.model.deadline import AT_ONCE, FOREVER, Bound, Deadline
from drainlint.model.expression import Arithmetic, Call, Conditional, Constant, Expression, Logic

DEPTH = 8
ENDLESS = frozenset(
    {
        "threading.TIMEOUT_MAX",
        "_thread.TIMEOUT_MAX",
        "sys.maxsize",
        "sys.maxint",
        "math.inf",
        "numpy.inf",
        "np.inf",
    }
)
"""Numbers that bound nothing."""
A_YEAR = 365 * 86_400.0
OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86_400.0, "milliseconds": 0.001}


class Values:
    """Evaluates numbers and deadlines in the function they are written in."""

    def __init__(self, names: Names, classes: Classes) -> None:
        """Take the project's names and classes."""
        self.names = names
        self.classes = classes
        self._depth = 0

    def number(self, scope: FunctionId, value: Expression | None) -> float | None:
        """The highest number that an expression can come to; None where that is not known."""
        if value is None or self._depth > DEPTH:
            return None
        self._depth += 1
        try:
            return self._number(scope, value)
        except (ArithmeticError, ValueError):
            return None
        finally:
            self._depth -= 1

    def _number(self, scope: FunctionId, value: Expression) -> float | None:
        match value:
            case Constant(value=bool()):
                return None
            case Constant(value=int() | float() as number):
                return float(number)
            case Arithmetic(left=None, operator="-", right=right):
                number_ = self.number(scope, right)
                return None if number_ is None else -number_
            case Arithmetic(left=Expression() as left, operator=sign, right=right):
                one, other = self.number(scope, left), self.number(scope, right)
                if one is None or other is None or sign not in OPERATIONS:
                    return None
                return OPERATIONS[sign](one, other)
            case Conditional(body=body, otherwise=otherwise):
                return _all(self.number(scope, v) for v in (body, otherwise))
            case Logic(operator="or", values=values):
                return _all(self.number(scope, v) for v in values)
            case Call():
                return self._called(scope, value)
        if not value.path:
            return None
        ways = list(self._ways(scope, value.path))
        if not ways:
            return self._library(scope, value.path)
        if any(way.how == "augment" for _, way in ways):
            return None  # it grows on every turn
        return _all(self.number(where, way.value) for where, way in ways)

    def _library(self, scope: FunctionId, path: str) -> float | None:
        resolved = self.names.resolve(scope, path)
        if resolved is not None and isinstance(resolved.symbol, Library):
            return math.inf if resolved.symbol.dotted in ENDLESS else None
        return None

    def _called(self, scope: FunctionId, call: Call) -> float | None:
        arguments = [a.value for a in call.arguments]
        match call.method:
            case "min":
                known = [n for a in arguments if (n := self.number(scope, a)) is not None]
                return min(known) if known else None
            case "max" | "float" | "int" | "round" | "abs":
                if arguments and isinstance(arguments[0], Constant):
                    text = str(arguments[0].value).lower().lstrip("+")
                    if text in ("inf", "infinity"):
                        return math.inf
                return _all(self.number(scope, a) for a in arguments)
            case "uniform" | "randint" | "randrange":
                return self.number(scope, arguments[-1]) if arguments else None
            case "random":
                return None if arguments else 1.0
            case "total_seconds":
                made = call.receiver
                if isinstance(made, Call) and made.method == "timedelta":
                    return self._timedelta(scope, made)
        return None

    def _timedelta(self, scope: FunctionId, call: Call) -> float | None:
        total = 0.0
        for argument in call.arguments:
            number = self.number(scope, argument.value)
            unit = UNITS.get(argument.name)
            if number is None or unit is None:
                return None
            total += number * unit
        return total

    def _ways(self, scope: FunctionId, path: str) -> Iterator[tuple[FunctionId, Binding]]:
        """Every assignment of a name or attribute; nothing where some value comes from a caller."""
        resolved = self.names.resolve(scope, path)
        if resolved is None or not isinstance(resolved.symbol, Variable):
            return
        variable = resolved.symbol
        entry = self.names.function(variable.scope)
        if not resolved.rest:
            if any(p.name == variable.name for p in entry.parameters):
                return
            for way in entry.bindings.get(variable.name, ()):
                yield variable.scope, way
            return
        owner = self.classes.owner(variable.scope)
        if owner is None or len(resolved.rest) != 1:
            return
        if variable.name != self.classes.self_name(variable.scope):
            return
        for where, way in self.classes.bindings(owner, resolved.rest[0]):
            if way.how == "assign":
                yield where, way

    # Deadlines

    def deadline(self, scope: FunctionId, call: Call, facts: CallFacts) -> Deadline:
        """How long a known call may wait."""
        blocking = call.argument(facts.blocking, facts.blocking_at)
        if isinstance(blocking, Constant) and blocking.value in (False, 0):
            return AT_ONCE
        if facts.blocking and blocking is not None and not isinstance(blocking, Constant):
            if facts.timeout or not self._waits_by_default(scope, blocking):
                return Deadline(Bound.EXPRESSION, text=f"{facts.blocking}={blocking.text}")
            return Deadline(Bound.HANDED_ON, text=blocking.text)
        given = call.argument(facts.timeout, facts.at) if facts.timeout else None
        if given is None:
            if _may_hide_a_timeout(call, facts):
                return Deadline(Bound.EXPRESSION, text="...")
            return _default(facts)
        return self.timeout(scope, given, facts)

    def _waits_by_default(self, scope: FunctionId, blocking: Expression) -> bool:
        """Whether a caller who says nothing lets it wait: `def stop(self, wait=True)`."""
        default = next(
            (p.default for p in self.names.function(scope).parameters if p.name == blocking.path),
            None,
        )
        return isinstance(default, Constant) and default.value is True

    def timeout(self, scope: FunctionId, given: Expression, facts: CallFacts | None) -> Deadline:
        """What a timeout that is given comes to."""
        if facts is not None and facts.unit == "deadline" and not self.is_none(scope, given):
            return Deadline(Bound.EXPRESSION, text=given.text)  # a moment, not a length of time
        number = self.number(scope, given)
        if number is not None:
            return _counted(number, facts, given.text)
        if self.is_none(scope, given):
            return _of_none(facts)
        if given.path:
            return self._named(scope, given, facts)
        by_default = self._by_default(scope, given)
        if by_default is not None:
            return Deadline(Bound.CALLER, _seconds(by_default, facts), given.text)
        return Deadline(Bound.EXPRESSION, text=given.text)

    def _by_default(self, scope: FunctionId, given: Expression) -> float | None:
        """What arithmetic on one parameter comes to by default: `timeout_ms / 1000`."""
        if not isinstance(given, Arithmetic) or given.left is None:
            return None
        sides = [self.number(scope, side) for side in (given.left, given.right)]
        for at, side in enumerate((given.left, given.right)):
            if sides[at] is None and side.path:
                sides[at] = self._named(scope, side, None).seconds
        one, other = sides
        if one is None or other is None or not other or given.operator not in OPERATIONS:
            return None
        return OPERATIONS[given.operator](one, other)

    def _named(self, scope: FunctionId, given: Expression, facts: CallFacts | None) -> Deadline:
        resolved = self.names.resolve(scope, given.path)
        symbol = resolved.symbol if resolved is not None and not resolved.rest else None
        if isinstance(symbol, Variable):
            entry = self.names.function(symbol.scope)
            parameter = next((p for p in entry.parameters if p.name == symbol.name), None)
            if parameter is not None and symbol.name not in entry.bindings:
                if isinstance(parameter.default, Constant) and parameter.default.value is None:
                    return Deadline(Bound.HANDED_ON, text=given.text)
                number = self.number(self.names.enclosing(symbol.scope), parameter.default)
                return Deadline(Bound.CALLER, _seconds(number, facts), given.text)
            if source := _converted(entry, symbol.name):
                return Deadline(Bound.HANDED_ON, text=source)
        return Deadline(Bound.EXPRESSION, text=given.text)

    def is_none(self, scope: FunctionId, value: Expression) -> bool:
        """Whether a value is None, or a name or attribute that is only ever given None."""
        if isinstance(value, Constant):
            return value.value is None
        if not value.path:
            return False
        ways = list(self._ways(scope, value.path))
        return bool(ways) and all(
            isinstance(way.value, Constant) and way.value.value is None for _, way in ways
        )


def _converted(entry: FunctionEntry, name: str) -> str:
    """The parameter (by default None) that a local timeout is computed from, None staying None.

    `timeout = timeout_ms / 1000 if timeout_ms is not None else None`
    """
    optional = {
        p.name
        for p in entry.parameters
        if isinstance(p.default, Constant) and p.default.value is None
    }
    ways = entry.bindings.get(name, ())
    if len(ways) != 1 or not isinstance(ways[0].value, Conditional):
        return ""
    chosen = ways[0].value
    branches = (chosen.body, chosen.otherwise)
    if not any(isinstance(b, Constant) and b.value is None for b in branches):
        return ""
    return next((e.path for e in chosen.test.walk() if e.path in optional), "")


def _default(facts: CallFacts | None) -> Deadline:
    if facts is None or math.isinf(facts.default):
        return FOREVER
    return Deadline(Bound.CONSTANT, facts.default, f"{facts.default:g}")


def _of_none(facts: CallFacts | None) -> Deadline:
    """What a timeout of None comes to."""
    if facts is None:
        return FOREVER
    return {"default": _default(facts), "hard": AT_ONCE}.get(facts.none, FOREVER)


def _counted(number: float, facts: CallFacts | None, text: str) -> Deadline:
    seconds = number / 1000 if facts is not None and facts.unit == "ms" else number
    if math.isinf(seconds) or seconds >= A_YEAR:
        return FOREVER
    if facts is not None:
        meaning = facts.zero if seconds == 0 else facts.negative if seconds < 0 else ""
        if meaning == "forever":
            return FOREVER
    return Deadline(Bound.CONSTANT, max(seconds, 0.0), text)


def _seconds(number: float | None, facts: CallFacts | None) -> float | None:
    """A number of the unit that a call counts in, in seconds."""
    milliseconds = facts is not None and facts.unit == "ms"
    return number / 1000 if number is not None and milliseconds else number


def _may_hide_a_timeout(call: Call, facts: CallFacts) -> bool:
    """Whether starred arguments may hold it: `**options`, or `*args` where it has a place."""
    if not facts.timeout:
        return False
    names = {a.name for a in call.arguments}
    return "**" in names or ("*" in names and facts.at is not None)


def _all(numbers: Iterator[float | None]) -> float | None:
    known = list(numbers)
    found = [n for n in known if n is not None]
    return max(found) if found and len(found) == len(known) else None
