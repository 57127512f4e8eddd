"""The shape of a loop's turn: what leaves it, what only reports, where it pauses."""

from collections.abc import Callable, Iterable, Iterator

from drainlint.knowledge.names import named
from drainlint.link.calls import is_log
from drainlint.link.surroundings import Spot
from drainlint.model.expression import (
    Arithmetic,
    Attribute,
    Await,
    Call,
    Constant,
    Expression,
    Logic,
    Not,
    Yield,
)
from drainlint.model.place import Place
from drainlint.model.statement import (
    Assign,
    Block,
    Do,
    For,
    Handler,
    If,
    Leave,
    Other,
    Pass,
    Raise,
    Return,
    Statement,
    Try,
    While,
    With,
)


def clauses(test: Expression) -> Iterator[Expression]:
    """The parts of a test that are asked one by one."""
    match test:
        case Logic(values=values):
            for value in values:
                yield from clauses(value)
        case Not(value=value):
            yield from clauses(value)
        case _:
            yield test


def is_endless(test: Expression) -> bool:
    """Whether it is `True`, `1`."""
    return isinstance(test, Constant) and bool(test.value)


def is_limit(text: str) -> bool:
    """Whether a name says that it is a limit or a switch, not a flag somebody sets."""
    last = text.rpartition(".")[2]
    return named("limit", last) or named("switch", last) or last.isupper()


def leaves(block: Block) -> bool:
    """Whether a block can leave the loop by itself: break, return or raise at its own level."""
    for statement in block:
        if isinstance(statement, Return | Raise):
            return True
        if isinstance(statement, Leave) and statement.word == "break":
            return True
        if isinstance(statement, If | With | Try) and any(leaves(b) for b in statement.blocks):
            return True
    return False


def always_leaves(block: Block) -> bool:
    """Whether a block leaves the loop on its normal way, exceptions aside, and never goes on."""
    for statement in block:
        if goes_round(statement):
            return False
        if _leaves_for_sure(statement, always_leaves):
            return True
    return False


def _leads_out(block: Block) -> bool:
    """Whether a block leaves the loop where nothing makes it go on with the next turn."""
    return any(_leaves_for_sure(statement, _leads_out) for statement in block)


def _leaves_for_sure(statement: Statement, within: Callable[[Block], bool]) -> bool:
    match statement:
        case Return() | Raise():
            return True
        case Leave(word=word):
            return word == "break"
        case If(body=body, otherwise=otherwise):
            return within(body) and within(otherwise)
        case With(body=body):
            return within(body)
        case Try(body=body, otherwise=otherwise, final=final):
            tried = (final,) if _goes_on_when_nothing(statement) else (body, otherwise, final)
            return any(within(b) for b in tried)
    return False


def _goes_on_when_nothing(statement: Try) -> bool:
    """Whether a handler takes up what a wait gives when its time is over, and goes on."""
    return any(
        any(named("time-is-over", kind.path) for kind in handler.kinds)
        and not always_leaves(handler.body)
        for handler in statement.handlers
    )


def ends_loop(statement: If, loop: While | For) -> bool:
    """Whether an `if` can end a loop: it leaves, or sets a name that the condition reads."""
    if any(leaves(block) for block in statement.blocks):
        return True
    read = {e.path for e in loop.test.walk() if e.path} if isinstance(loop, While) else set()
    return any(
        isinstance(s, Assign) and not s.operator and any(t.path in read for t in s.targets)
        for block in statement.blocks
        for s in block
    )


def done_once(statement: If, loop: While | For) -> bool:
    """Whether a branch is taken on one turn only: `if not told: tell(); told = True`."""
    test = statement.test.value if isinstance(statement.test, Not) else statement.test
    if not test.path or "." in test.path or statement.otherwise:  # others may switch it on again
        return False
    changes = [
        s
        for s in loop.walk()
        if isinstance(s, Assign) and any(t.path == test.path for t in s.targets)
    ]
    if len(changes) != 1 or changes[0] not in statement.body:
        return False
    value = changes[0].value
    return isinstance(value, Constant) and bool(value.value) is isinstance(statement.test, Not)


def only_raises(block: Block) -> bool:
    """Whether a block ends in a raise: a check, not the way out that the loop waits for."""
    return bool(block) and isinstance(block[-1], Raise)


def only_reports(statement: If) -> bool:
    """Whether an `if` only logs or notes something, whichever way it goes."""
    return all(_reports(s) for b in statement.blocks for s in b)


def goes_on(statement: If) -> bool:
    """Whether a branch goes on with the next turn."""
    last = statement.body[-1]
    return isinstance(last, Leave) and last.word == "continue"


def goes_round(statement: Statement) -> bool:
    """`if not ready: continue`: what follows is for the turn that finds it ready."""
    return isinstance(statement, If) and not statement.otherwise and goes_on(statement)


def rounds(block: Block) -> Iterator[Statement]:
    """Where a turn goes round until something is ready: what follows is done once, and leaves."""
    for number, statement in enumerate(block):
        if goes_round(statement) and _leads_out(block[number + 1 :]):
            yield statement
        if not isinstance(statement, While | For):
            for inner in statement.blocks:
                yield from rounds(inner)


def is_now_and_then(statement: If) -> bool:
    """Whether a branch is taken on every so manieth turn: `if turns % 10 == 0: beat()`."""
    return not statement.otherwise and any(
        isinstance(part, Arithmetic) and part.operator == "%" for part in statement.test.walk()
    )


def _reports(statement: Statement) -> bool:
    match statement:
        case Do(value=Call() as call):
            return is_log(call)
        case Assign(value=value):
            return value is None or not any(isinstance(e, Call) for e in value.walk())
        case If():
            return only_reports(statement)
        case Pass():
            return True
    return False


def backs_off(handler: Handler) -> bool:
    """Whether a handler is for failures: a pause in it is a back-off, not the wait for work."""
    return not any(named("nothing-there", kind.path) for kind in handler.kinds)


def leaves_in_time(handler: Handler) -> bool:
    """Whether a handler ends the loop, if need be on a condition: `if e.code == 404: break`."""
    return always_leaves(handler.body) or any(
        isinstance(s, If) and any(_ends_quietly(inner) for inner in s.body) for s in handler.body
    )


def _ends_quietly(statement: Statement) -> bool:
    return isinstance(statement, Return) or (
        isinstance(statement, Leave) and statement.word == "break"
    )


def asks_to_stop(handler: Handler) -> bool:
    """Whether a handler is for a request to stop: what was tried has said nothing."""
    kinds = [kind.path for kind in handler.kinds]
    return bool(kinds) and all(named("request-to-stop", kind) for kind in kinds)


def tests_of(statement: While | For) -> Iterator[Expression]:
    """The tests of a loop's own body, its condition first; those of nested loops are theirs."""
    if isinstance(statement, While):
        yield statement.test
    yield from _tests(statement.body)


def _tests(block: Block) -> Iterator[Expression]:
    for statement in block:
        if isinstance(statement, If):
            yield statement.test
        elif isinstance(statement, Other) and statement.word == "assert":
            yield from statement.values[:1]
        if not isinstance(statement, While | For):
            for inner in statement.blocks:
                yield from _tests(inner)


def read_by_tests(statement: While | For) -> frozenset[str]:
    """The names and things that tests read, as written, and what those names are made of."""
    found = {text for test in tests_of(statement) for text in _texts(test)}
    made = [s for s in statement.walk() if isinstance(s, Assign) and s.value is not None]
    while True:
        more = {
            text
            for one in made
            if one.value is not None and any(t.path in found for t in one.targets)
            for text in _texts(one.value)
        }
        if more <= found:
            return frozenset(found)
        found |= more


def _texts(test: Expression) -> Iterator[str]:
    for part in test.walk():
        if isinstance(part, Call) and part.receiver is not None:
            yield part.receiver.text
        path = part.path
        while path:
            yield path
            path = path.rpartition(".")[0]


def shown_by(tests: Iterable[Expression]) -> Iterator[int]:
    """The calls that only give what is then asked whether it is done: `api.job(n).finished`."""
    for part in (part for test in tests for part in test.walk()):
        inner: Expression | None = None
        if isinstance(part, Attribute) and named("asks-liveness", part.name):
            inner = part.value
        elif isinstance(part, Call) and named("asks-liveness", part.method):
            inner = part.receiver
        while isinstance(inner, Await | Yield) and inner.parts:
            inner = inner.parts[0]
        if isinstance(inner, Call):
            yield id(inner)


def place_of(test: Expression, statement: While | For) -> Place:
    """Where a test asks: its first call, else the loop's header."""
    calls = (part.place for part in test.walk() if isinstance(part, Call))
    return next(calls, statement.place)


def is_always_reached(spot: Spot, loop: While | For) -> bool:
    """Whether every turn of a loop that does not end it comes by a place in its body."""
    for outer in spot.outward():
        if any(_goes_on(s) for s in outer.block[: outer.index]):
            return False
        if outer.owner is loop:
            return outer.section == "body"
        if outer.section == "handler" or isinstance(outer.owner, If | For | While):
            return False
    return False


def _goes_on(statement: Statement) -> bool:
    return any(isinstance(s, Leave) and s.word == "continue" for s in statement.walk())


def keeps_time(statement: While | For, pauses: frozenset[int]) -> bool:
    """Whether each turn begins with a pause, before anything is asked or done."""
    if isinstance(statement, While) and _pauses(statement.test, pauses):
        return True
    for first in statement.body:
        if any(_pauses(e, pauses) for e in first.expressions):
            return not isinstance(first, If | While | For)
        inner = first.blocks[0] if isinstance(first, Try | With) else ()
        if inner and isinstance(inner[0], Do) and _pauses(inner[0].value, pauses):
            return True
        if isinstance(first, If | While | For | Try | With):
            return False
    return False


def _pauses(expression: Expression, pauses: frozenset[int]) -> bool:
    return any(id(part) in pauses for part in expression.walk())
