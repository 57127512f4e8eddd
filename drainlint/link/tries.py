"""Builds `try` blocks: what they swallow, re-raise, await in cleanup, and leave undone."""

from collections.abc import Iterator

from drainlint.finding import Related
from drainlint.link.names import ClassId, FunctionId, Library
from drainlint.link.program import Program
from drainlint.link.surroundings import Spot, spots
from drainlint.model.expression import Await, Call, Expression, Name
from drainlint.model.place import Place
from drainlint.model.statement import (
    Assign,
    Block,
    Body,
    For,
    Handler,
    If,
    Leave,
    Raise,
    Return,
    Statement,
    Try,
    While,
    With,
)
from drainlint.model.tryblock import Catch, TryBlock

STOPPING = frozenset({"cancellation", "future-cancellation", "interrupt", "exit-request"})
TELLS = frozenset({"set", "notify", "release", "put", "ack", "commit", "close"})
"""Verbs of steps that somebody else waits for."""


def tries(program: Program, key: FunctionId, body: Body) -> Iterator[TryBlock]:
    """The `try` statements of a function, and what it suppresses, in source order."""
    for spot in spots(body.statements):
        if isinstance(spot.statement, Try):
            yield _Building(program, key, spot).of_try(spot.statement)
        elif isinstance(spot.statement, With):
            found = _Building(program, key, spot).of_suppress(spot.statement)
            if found is not None:
                yield found


class _Building:
    """One block under way."""

    def __init__(self, program: Program, key: FunctionId, spot: Spot) -> None:
        self.program = program
        self.key = key
        self.spot = spot

    def of_try(self, statement: Try) -> TryBlock:
        catches = tuple(self._catch(handler) for handler in statement.handlers)
        awaits = self._awaits(statement.body)
        cancelling = [c for c in catches if c.catches_cancellation]
        final = self._awaits(statement.final)
        return self._noun(
            statement,
            statement.body,
            catches,
            awaits,
            cleanup=(*(a for c in cancelling for a in c.awaits), *final),
            leaves_finally=self._left(statement.final),
            skipped=() if statement.final or cancelling else self._skipped(statement.body),
        )

    def of_suppress(self, statement: With) -> TryBlock | None:
        for item in statement.items:
            call = item.value
            if not isinstance(call, Call) or call.method != "suppress":
                continue
            if self.program.library(self.key, call.func.path) != "contextlib.suppress":
                continue
            kinds = tuple(argument.value for argument in call.arguments)
            natures = self._natures(kinds)
            catch = Catch(call.place, call.text, natures, named=bool(natures & STOPPING))
            awaits = self._awaits(statement.body)
            return self._noun(statement, statement.body, (catch,), awaits)
        return None

    def _noun(  # noqa: PLR0913 - the parts of one value
        self,
        statement: Statement,
        block: Block,
        catches: tuple[Catch, ...],
        awaits: tuple[Related, ...],
        *,
        cleanup: tuple[Related, ...] = (),
        leaves_finally: Related | None = None,
        skipped: tuple[Related, ...] = (),
    ) -> TryBlock:
        first, last = block[0].place, block[-1]
        return TryBlock(
            path=self.key.path,
            place=statement.place,
            function=self.program.function(self.key),
            drain=self.program.drain(self.key, statement.place.line),
            catches=catches,
            body=Place(first.line, first.column, last.end_line, last.place.end_column),
            awaits=awaits,
            waits_or_loops=self._takes_time(block),
            in_loop=any(True for _ in self.spot.loops),
            last_act=not any(True for _ in self.spot.following()),
            cancels_itself=self._cancels_itself(block),
            cleanup=cleanup,
            leaves_finally=leaves_finally,
            skipped=skipped,
        )

    # What is caught

    def _catch(self, handler: Handler) -> Catch:
        natures = self._natures(handler.kinds) if handler.kinds else frozenset({"everything"})
        text = ", ".join(kind.text for kind in handler.kinds)
        return Catch(
            handler.place,
            f"except {text}" if text else "except",
            natures,
            named=bool(natures & STOPPING),
            reraises=_always_raises(handler.body),
            may_raise=any(isinstance(s, Raise) for s in _within(handler.body)),
            keeps=bool(handler.name) and _is_kept(handler.name, handler.body),
            leaves=_leaves(handler.body),
            awaits=self._awaits(handler.body),
        )

    def _natures(self, kinds: tuple[Expression, ...]) -> frozenset[str]:
        """What exceptions are, as the tables say, through their bases where they are ours."""
        found: set[str] = set()
        for kind in kinds:
            path = kind.func.path if isinstance(kind, Call) else kind.path
            resolved = self.program.names.resolve(self.key, path) if path else None
            symbol = None if resolved is None or resolved.rest else resolved.symbol
            line: tuple[ClassId | Library, ...] = ()
            if isinstance(symbol, Library):
                line = (symbol,)
            elif isinstance(symbol, ClassId):
                line = self.program.classes.line(symbol)
                line = tuple(one for one in line if one not in EVERYTHING)
            for one in line:
                facts = self.program.knowledge.type(getattr(one, "dotted", ""))
                if facts is not None:
                    found.add(facts.nature)
        return frozenset(found)

    # What its blocks do

    def _awaits(self, block: Block) -> tuple[Related, ...]:
        """What a block awaits, `async for` and `async with` included."""
        found = []
        for statement in _within(block):
            if isinstance(statement, For | With) and statement.asynchronous:
                found.append(self._related(statement.place, "awaits here"))
            for expression in statement.expressions:
                for part in expression.walk():
                    if isinstance(part, Await):
                        place = part.value.place if isinstance(part.value, Call) else None
                        text = f"awaits `{part.value.text}`"
                        found.append(self._related(place or statement.place, text))
        return tuple(found)

    def _related(self, place: Place, text: str) -> Related:
        return Related(self.key.path, place.first_line, text)

    def _takes_time(self, block: Block) -> bool:
        for statement in _within(block):
            if isinstance(statement, While | For):
                return True
            for call in _calls(statement):
                known = self.program.facts(self.key, call)
                if known is not None and (known[0].waits or known[0].does == "sleep"):
                    return True
        return False

    def _cancels_itself(self, block: Block) -> bool:
        """Whether what a block awaits was cancelled before: `task.cancel()`, then `await task`."""
        awaited = {
            part.value.path
            for statement in _within(block)
            for expression in statement.expressions
            for part in expression.walk()
            if isinstance(part, Await) and part.value.path
        }
        before = [*(s for one in self.spot.preceding() for s in one.walk()), *_within(block)]
        cancelled = {
            call.func.path.rpartition(".")[0]
            for statement in before
            for call in _calls(statement)
            if call.method == "cancel"
        }
        return bool(awaited & cancelled)

    def _left(self, block: Block) -> Related | None:
        """What leaves a `finally` for good, so that the exception is dropped."""
        for statement in block:
            if isinstance(statement, Return | Leave):
                return self._related(statement.place, "drops the exception")
        return None

    def _skipped(self, block: Block) -> tuple[Related, ...]:
        """What tells or releases somebody after something that may raise, in the same block."""
        found = []
        risky = False
        for statement in block:
            for call in _calls(statement):
                known = self.program.facts(self.key, call)
                does = known[0].does if known is not None else ""
                if risky and does in TELLS:
                    found.append(self._related(call.place, f"`{call.text}` is skipped"))
                risky = risky or (known is not None and (known[0].waits or known[0].blocks))
            risky = risky or bool(self._awaits((statement,)))
        return tuple(found)


EVERYTHING = frozenset({Library("Exception"), Library("BaseException"), Library("object")})
"""Bases that say nothing: a class of one's own catches only itself."""


def _within(block: Block) -> Iterator[Statement]:
    return (inner for statement in block for inner in statement.walk())


def _calls(statement: Statement) -> Iterator[Call]:
    for expression in statement.expressions:
        yield from (part for part in expression.walk() if isinstance(part, Call))


def _always_raises(block: Block) -> bool:
    """Whether a block raises on every way through it."""
    for statement in block:
        if isinstance(statement, Raise):
            return True
        both = isinstance(statement, If) and bool(statement.blocks[-1])
        if both and all(_always_raises(inner) for inner in statement.blocks):
            return True
        if isinstance(statement, With | Try) and _always_raises(statement.blocks[0]):
            return True
    return False


def _leaves(block: Block) -> str:
    """How a block ends, if it leaves the function or loop for sure."""
    for statement in block:
        if isinstance(statement, Return):
            return "return"
        if isinstance(statement, Leave) and statement.word == "break":
            return "break"
    return ""


def _is_kept(name: str, block: Block) -> bool:
    """Whether a caught exception is stored or handed on, and not only logged."""
    for statement in _within(block):
        if isinstance(statement, Assign | Return):
            value = statement.value
            if value is not None and any(part == Name(name) for part in value.walk()):
                return True
        for call in _calls(statement):
            given = any(argument.value.path == name for argument in call.arguments)
            if given and call.method in ("set_exception", "put", "put_nowait", "append", "throw"):
                return True
    return False
