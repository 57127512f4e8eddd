"""Statements as values: the body of a function as it was read.

Nested functions and classes are left out of a body (a `Define` stands in their place): they are
bodies of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drainlint.model.expression import Expression
from drainlint.model.place import Place

Block = tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """Anything that is executed; compound statements have blocks."""

    place: Place
    """The whole of a simple statement, the header of a compound one (to its last expression)."""
    end_line: int
    """Where the last of its blocks ends."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks within it, in source order."""
        return ()

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions of its own header or line, in the order they are evaluated."""
        return ()

    def walk(self) -> Iterator["Statement"]:
        """The statement and all within it, in source order."""
        yield self
        for block in self.blocks:
            for statement in block:
                yield from statement.walk()


@dataclass(frozen=True, slots=True)
class Do(Statement):
    """An expression as a statement: usually a call."""

    value: Expression

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The value."""
        return (self.value,)


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    """`targets = value`; `operator` is set for `+=` and its like; value None: annotation only."""

    targets: tuple[Expression, ...]
    value: Expression | None
    operator: str = ""

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The value, then the targets."""
        return (*(() if self.value is None else (self.value,)), *self.targets)


@dataclass(frozen=True, slots=True)
class Return(Statement):
    """`return`, with or without a value."""

    value: Expression | None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The value, if any."""
        return () if self.value is None else (self.value,)


@dataclass(frozen=True, slots=True)
class Raise(Statement):
    """`raise`; `value` is None where it re-raises."""

    value: Expression | None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The exception, if any."""
        return () if self.value is None else (self.value,)


@dataclass(frozen=True, slots=True)
class Leave(Statement):
    """`break` or `continue`."""

    word: str


@dataclass(frozen=True, slots=True)
class Pass(Statement):
    """`pass`, `global`, `nonlocal`, `import`, a docstring: nothing happens."""

    names: tuple[str, ...] = ()
    """Those declared `global` or `nonlocal`."""


@dataclass(frozen=True, slots=True)
class Other(Statement):
    """`del`, `assert`, and what else evaluates expressions."""

    word: str
    values: tuple[Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The values."""
        return self.values


@dataclass(frozen=True, slots=True)
class Define(Statement):
    """A nested function or class, by name; its body is read as a function of its own."""

    name: str


@dataclass(frozen=True, slots=True)
class If(Statement):
    """`if`; an `elif` is an `If` alone in `otherwise`."""

    test: Expression
    body: Block
    otherwise: Block

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Body, then else."""
        return (self.body, self.otherwise)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The test."""
        return (self.test,)


@dataclass(frozen=True, slots=True)
class While(Statement):
    """`while`."""

    test: Expression
    body: Block
    otherwise: Block

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Body, then else."""
        return (self.body, self.otherwise)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The test."""
        return (self.test,)


@dataclass(frozen=True, slots=True)
class For(Statement):
    """`for` and `async for`."""

    target: Expression
    iterable: Expression
    body: Block
    otherwise: Block
    asynchronous: bool = False

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Body, then else."""
        return (self.body, self.otherwise)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Iterable, then target."""
        return (self.iterable, self.target)


@dataclass(frozen=True, slots=True)
class Handler:
    """One `except` clause; `kinds` is empty where it catches everything."""

    place: Place
    kinds: tuple[Expression, ...]
    name: str
    body: Block


@dataclass(frozen=True, slots=True)
class Try(Statement):
    """`try` with its handlers, else and finally."""

    body: Block
    handlers: tuple[Handler, ...]
    otherwise: Block
    final: Block

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All of them, in source order."""
        return (self.body, *(h.body for h in self.handlers), self.otherwise, self.final)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The exceptions that the handlers name."""
        return tuple(k for h in self.handlers for k in h.kinds)


@dataclass(frozen=True, slots=True)
class Item:
    """One `value as target` of a `with`."""

    value: Expression
    target: Expression | None


@dataclass(frozen=True, slots=True)
class With(Statement):
    """`with` and `async with`."""

    items: tuple[Item, ...]
    body: Block
    asynchronous: bool = False

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The body."""
        return (self.body,)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The context managers, each before its target."""
        return tuple(e for i in self.items for e in (i.value, i.target) if e is not None)


@dataclass(frozen=True, slots=True)
class Match(Statement):
    """`match`, its cases as blocks; patterns are not looked at, guards are."""

    subject: Expression
    guards: tuple[Expression, ...]
    cases: tuple[Block, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """One for each case."""
        return self.cases

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The subject, then the guards."""
        return (self.subject, *self.guards)


@dataclass(frozen=True, slots=True)
class Body:
    """A function as it was read (or a module's or class's own statements)."""

    function: str
    """Qualified name within the module; `<module>` for the module's own statements."""
    statements: Block
