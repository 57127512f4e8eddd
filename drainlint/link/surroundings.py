"""Where a call or statement stands in its function: what encloses it, what follows it."""

from collections.abc import Iterator
from dataclasses import dataclass

from drainlint.link.names import FunctionId
from drainlint.model.expression import Await, Call, Expression, Lambda
from drainlint.model.statement import (
    Block,
    Body,
    Do,
    For,
    Handler,
    If,
    Return,
    Statement,
    Try,
    While,
    With,
)


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A statement's place in the tree of blocks."""

    block: Block
    index: int
    owner: Statement | None = None
    """The compound statement whose block it is; None at the top of a function."""
    section: str = "body"
    """Which of the owner's blocks: `body`, `else`, `handler`, `final`, `case`."""
    handler: Handler | None = None
    parent: "Spot | None" = None
    """Where the owner stands."""

    @property
    def statement(self) -> Statement:
        """The statement that stands here."""
        return self.block[self.index]

    def outward(self) -> Iterator["Spot"]:
        """The spot itself, then that of each enclosing statement, innermost first."""
        spot: Spot | None = self
        while spot is not None:
            yield spot
            spot = spot.parent

    @property
    def loops(self) -> Iterator[While | For]:
        """The loops around it, innermost first; a loop's `else` is outside of it."""
        for spot in self.outward():
            if isinstance(spot.owner, While | For) and spot.section == "body":
                yield spot.owner

    @property
    def withs(self) -> Iterator[With]:
        """The `with` statements around it, innermost first."""
        for spot in self.outward():
            if isinstance(spot.owner, With):
                yield spot.owner

    def following(self) -> Iterator[Statement]:
        """What runs after it, in source order: the rest of its block, then of the blocks around.

        Other branches of an `if` or `try` are left out; from a `try` body its `else` and
        `finally` follow.
        """
        for spot in self.outward():
            yield from spot.block[spot.index + 1 :]
            if isinstance(spot.owner, Try):
                if spot.section == "body":
                    yield from spot.owner.otherwise
                if spot.section != "final":
                    yield from spot.owner.final

    def preceding(self) -> Iterator[Statement]:
        """What ran before it on every way here, nearest first; from a handler, its `try` body."""
        for spot in self.outward():
            yield from reversed(spot.block[: spot.index])
            if isinstance(spot.owner, Try):
                if spot.section in ("else", "final", "handler"):
                    yield from reversed(spot.owner.body)
            elif isinstance(spot.owner, While | For | If | With):
                continue


@dataclass(frozen=True, slots=True, eq=False)
class Occurrence:
    """A call where it stands."""

    call: Call
    spot: Spot
    function: FunctionId
    around: tuple[Expression, ...] = ()
    """The expressions that enclose it in its statement, innermost first."""
    in_test: bool = False
    """It stands in the test of an `if` or `while`."""

    @property
    def awaited(self) -> bool:
        """Whether its result is awaited on the spot."""
        return bool(self.around) and isinstance(self.around[0], Await)

    @property
    def dropped(self) -> bool:
        """Whether it is a statement of its own, its result unseen."""
        outside = [a for a in self.around if not isinstance(a, Await)]
        return isinstance(self.spot.statement, Do) and not outside


def spots(block: Block, **around: object) -> Iterator[Spot]:
    """Every statement of a block and of the blocks within, in source order."""
    for index in range(len(block)):
        spot = Spot(block, index, **around)  # type: ignore[arg-type]  # passed through
        yield spot
        yield from _inner(spot)


def _inner(spot: Spot) -> Iterator[Spot]:
    statement = spot.statement
    match statement:
        case If() | While() | For():
            yield from spots(statement.body, owner=statement, parent=spot)
            yield from spots(statement.otherwise, owner=statement, section="else", parent=spot)
        case Try():
            yield from spots(statement.body, owner=statement, parent=spot)
            for handler in statement.handlers:
                yield from spots(
                    handler.body, owner=statement, section="handler", handler=handler, parent=spot
                )
            yield from spots(statement.otherwise, owner=statement, section="else", parent=spot)
            yield from spots(statement.final, owner=statement, section="final", parent=spot)
        case _:
            for block in statement.blocks:
                section = "body" if isinstance(statement, With) else "case"
                yield from spots(block, owner=statement, section=section, parent=spot)


def occurrences(body: Body, path: str) -> Iterator[Occurrence]:
    """Every call of a function, in source order; those in its lambdas belong to the lambdas."""
    key = FunctionId(path, body.function)
    for spot in spots(body.statements):
        in_test = isinstance(spot.statement, If | While)
        for expression in spot.statement.expressions:
            yield from _calls(expression, spot, key, (), in_test=in_test)


def _calls(
    expression: Expression,
    spot: Spot,
    key: FunctionId,
    around: tuple[Expression, ...],
    *,
    in_test: bool,
) -> Iterator[Occurrence]:
    if isinstance(expression, Lambda):
        inside = FunctionId(key.path, expression.function)
        statement = Return(spot.statement.place, spot.statement.end_line, expression.body)
        yield from _calls(expression.body, Spot((statement,), 0), inside, (), in_test=False)
        return
    if isinstance(expression, Call):
        yield Occurrence(expression, spot, key, around, in_test)
    for part in expression.parts:
        yield from _calls(part, spot, key, (expression, *around), in_test=in_test)
