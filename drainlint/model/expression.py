"""Expressions as values: what the index and the reader keep of Python's own.

Small, frozen, without a tree of the parser inside, so that they can be cached, compared in tests
and sent between processes. `text` gives back short source text for messages.
"""

from collections.abc import Iterator
from dataclasses import field
from functools import cache

from drainlint.model.place import Place
from drainlint.model.value import value


@value(frozen=True, slots=True)
class Expression:
    """Anything that has a value; this class itself stands for what nobody asks about."""

    @property
    def parts(self) -> tuple["Expression", ...]:
        """The expressions it is made of, in source order."""
        return ()

    @property
    def text(self) -> str:
        """Short source text."""
        return "..."

    @property
    def path(self) -> str:
        """The dotted name it spells (`self.pool.join`), empty where it is not just that."""
        return ""

    def walk(self) -> Iterator["Expression"]:
        """The expression and all within it, outermost first; bodies of lambdas are left out."""
        yield self
        for part in self.parts:
            yield from part.walk()


@value(frozen=True, slots=True)
class Name(Expression):
    """A name or a chain of attributes on one: `q`, `self.q`, `threading.Event`."""

    dotted: str

    @property
    def path(self) -> str:
        """The dotted name."""
        return self.dotted

    @property
    def text(self) -> str:
        """The dotted name."""
        return self.dotted


@value(frozen=True, slots=True)
class Constant(Expression):
    """A literal: None, a truth value, a number, a string, bytes or `...`."""

    value: object

    @property
    def text(self) -> str:
        """The literal, long strings cut."""
        text = repr(self.value)
        return text if len(text) <= 40 else f"{text[:36]}...{text[-1]}"  # noqa: PLR2004


@value(frozen=True, slots=True)
class Attribute(Expression):
    """An attribute of something that is not a plain name: `pool().size`."""

    value: Expression
    name: str

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The value."""
        return (self.value,)

    @property
    def text(self) -> str:
        """Value, dot, name."""
        return f"{self.value.text}.{self.name}"


@value(frozen=True, slots=True)
class Argument:
    """One argument of a call; `name` is empty for a positional one, `*` or `**` for the starred."""

    value: Expression
    name: str = ""

    @property
    def text(self) -> str:
        """As it is written."""
        if self.name in ("*", "**"):
            return self.name + self.value.text
        return f"{self.name}={self.value.text}" if self.name else self.value.text


@cache
def _receiver_and_method(dotted: str) -> tuple[Name | None, str]:
    """The parts of what is called: one value for all of the many calls of one thing."""
    head, dot, method = dotted.rpartition(".")
    return (Name(head) if dot else None), method


@value(frozen=True, slots=True)
class Call(Expression):
    """A call, with its exact place."""

    func: Expression
    arguments: tuple[Argument, ...]
    place: Place
    receiver: Expression | None = field(init=False, repr=False, compare=False)
    """What the method is called on; None for a plain function."""
    method: str = field(init=False, repr=False, compare=False)
    """The last name of what is called: `join` for both `t.join()` and `join()`."""

    __match_args__ = ("func", "arguments", "place")

    def __post_init__(self) -> None:
        """Tell receiver and method once: both are asked for again and again."""
        func = self.func
        receiver: Expression | None = None
        method = ""
        if type(func) is Name:
            receiver, method = _receiver_and_method(func.dotted)
        elif isinstance(func, Attribute):
            receiver, method = func.value, func.name
        object.__setattr__(self, "receiver", receiver)
        object.__setattr__(self, "method", method)

    @property
    def parts(self) -> tuple[Expression, ...]:
        """What is called, then the arguments."""
        return (self.func, *(a.value for a in self.arguments))

    @property
    def text(self) -> str:
        """The call, its arguments left out where they are long."""
        inside = ", ".join(a.text for a in self.arguments)
        return f"{self.func.text}({inside if len(inside) <= 40 else '...'})"  # noqa: PLR2004

    def argument(self, name: str, at: int | None = None) -> Expression | None:
        """The value of a parameter, given by name or position; None where it is not given."""
        position = 0
        for argument in self.arguments:
            if argument.name == name and name:
                return argument.value
            if not argument.name:
                if position == at:
                    return argument.value
                position += 1
        return None

    @property
    def is_open(self) -> bool:
        """Whether starred arguments hide what it is called with."""
        return any(a.name in ("*", "**") for a in self.arguments)


@value(frozen=True, slots=True)
class Await(Expression):
    """`await x`, and `yield from x` or `yield x` in an old-style coroutine."""

    value: Expression
    word: str = "await"

    @property
    def parts(self) -> tuple[Expression, ...]:
        """What is awaited."""
        return (self.value,)

    @property
    def text(self) -> str:
        """Keyword and value."""
        return f"{self.word} {self.value.text}"


@value(frozen=True, slots=True)
class Subscript(Expression):
    """`value[index]`."""

    value: Expression
    index: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Value and index."""
        return (self.value, self.index)

    @property
    def text(self) -> str:
        """As written."""
        return f"{self.value.text}[{self.index.text}]"


@value(frozen=True, slots=True)
class Compare(Expression):
    """A comparison, possibly chained."""

    left: Expression
    operators: tuple[str, ...]
    rights: tuple[Expression, ...]

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Both sides."""
        return (self.left, *self.rights)

    @property
    def text(self) -> str:
        """As written."""
        first, *others = (_within(part, RANKS["=="] + 1) for part in self.parts)
        rest = (f" {o} {other}" for o, other in zip(self.operators, others, strict=True))
        return first + "".join(rest)


RANKS = {
    operator: rank
    for rank, operators in enumerate(
        ("or", "and", "not", "==", "|", "^", "&", "<< >>", "+ -", "* / // % @", "~", "**"), 1
    )
    for operator in operators.split()
}
"""How tightly operators bind, as the Python language reference tells."""
ALONE = 99
"""What needs no parentheses anywhere."""


def _rank(expression: Expression) -> int:
    match expression:
        case Conditional() | Lambda() | Walrus():
            return 0
        case Logic(operator=operator):
            return RANKS[operator]
        case Not():
            return RANKS["not"]
        case Compare():
            return RANKS["=="]
        case Arithmetic(left=None):
            return RANKS["~"]
        case Arithmetic(operator=operator):
            return RANKS[operator]
    return ALONE


def _within(part: Expression, rank: int) -> str:
    """A part as it is written within what binds so tightly: in parentheses where it needs them."""
    return f"({part.text})" if _rank(part) < rank else part.text


@value(frozen=True, slots=True)
class Logic(Expression):
    """`and` or `or` over two or more values."""

    operator: str
    values: tuple[Expression, ...]

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The values."""
        return self.values

    @property
    def text(self) -> str:
        """As written."""
        return f" {self.operator} ".join(_within(v, RANKS[self.operator]) for v in self.values)


@value(frozen=True, slots=True)
class Not(Expression):
    """`not x`."""

    value: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """What is denied."""
        return (self.value,)

    @property
    def text(self) -> str:
        """As written."""
        return f"not {_within(self.value, RANKS['not'])}"


@value(frozen=True, slots=True)
class Arithmetic(Expression):
    """A binary or unary operation; `left` is None for a unary one."""

    left: Expression | None
    operator: str
    right: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The operands."""
        return (self.right,) if self.left is None else (self.left, self.right)

    @property
    def text(self) -> str:
        """As written."""
        rank = _rank(self)
        if self.left is None:
            return f"{self.operator}{_within(self.right, rank)}"
        powers = self.operator == "**"  # which binds from the right
        left = _within(self.left, rank + powers)
        return f"{left} {self.operator} {_within(self.right, rank + (not powers))}"


@value(frozen=True, slots=True)
class Conditional(Expression):
    """`a if test else b`."""

    test: Expression
    body: Expression
    otherwise: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """In source order."""
        return (self.body, self.test, self.otherwise)

    @property
    def text(self) -> str:
        """As written."""
        return f"{self.body.text} if {self.test.text} else {self.otherwise.text}"


@value(frozen=True, slots=True)
class Walrus(Expression):
    """`name := value`."""

    target: str
    value: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The value."""
        return (self.value,)

    @property
    def text(self) -> str:
        """As written."""
        return f"({self.target} := {self.value.text})"


@value(frozen=True, slots=True)
class Group(Expression):
    """A display: `list`, `tuple`, `set` or `dict` (its values; keys come first in `parts`)."""

    kind: str
    items: tuple[Expression, ...]
    keys: tuple[Expression, ...] = ()

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Keys, then items."""
        return (*self.keys, *self.items)

    @property
    def text(self) -> str:
        """The items, cut where they are many."""
        inside = ", ".join(i.text for i in self.items[:3]) + (", ..." if self.items[3:] else "")
        left, right = {"list": ("[", "]"), "tuple": ("(", ")")}.get(self.kind, ("{", "}"))
        return left + inside + right


@value(frozen=True, slots=True)
class Clause:
    """One `for target in iterable if conditions` of a comprehension."""

    target: Expression
    iterable: Expression
    conditions: tuple[Expression, ...] = ()


@value(frozen=True, slots=True)
class Comprehension(Expression):
    """A comprehension: `list`, `set`, `dict` or `generator`."""

    kind: str
    element: Expression
    clauses: tuple[Clause, ...]

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The element, then the iterables and conditions."""
        return (
            self.element,
            *(p for c in self.clauses for p in (c.iterable, *c.conditions)),
        )

    @property
    def text(self) -> str:
        """As written, conditions left out."""
        loops = " ".join(f"for {c.target.text} in {c.iterable.text}" for c in self.clauses)
        return f"{self.element.text} {loops}"


@value(frozen=True, slots=True)
class Lambda(Expression):
    """A lambda, as the name of the function that it is (`outer.<lambda@12:8>`)."""

    function: str
    body: Expression

    @property
    def text(self) -> str:
        """Its body."""
        return f"lambda: {self.body.text}"


@value(frozen=True, slots=True)
class Starred(Expression):
    """`*x` in a display or an assignment."""

    value: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The value."""
        return (self.value,)

    @property
    def text(self) -> str:
        """As written."""
        return f"*{self.value.text}"


@value(frozen=True, slots=True)
class Yield(Expression):
    """`yield x`; in an old-style coroutine it is an `Await` instead."""

    value: Expression | None

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The value."""
        return () if self.value is None else (self.value,)

    @property
    def text(self) -> str:
        """As written."""
        return "yield" if self.value is None else f"yield {self.value.text}"


@value(frozen=True, slots=True)
class Text(Expression):
    """An f-string; what stands inside its braces is not looked at."""

    before: str = ""
    """What it begins with, where that is constant; filled by the index only."""
    after: str = ""
    """What it ends with, likewise."""

    @property
    def text(self) -> str:
        """A stand-in."""
        return 'f"..."'


UNKNOWN = Expression()
