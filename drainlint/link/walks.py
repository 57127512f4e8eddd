"""A walk that a loop's turn takes through several things: whether it only looks, what it learns."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from drainlint.knowledge.names import named
from drainlint.link.calls import is_log
from drainlint.link.turns import clauses, leaves
from drainlint.model.expression import Call, Constant, Expression
from drainlint.model.pause import Pause
from drainlint.model.statement import (
    Assign,
    Do,
    For,
    If,
    Leave,
    Pass,
    Return,
    Statement,
)


def only_looks(walk: For, pauses: Mapping[int, Pause]) -> bool:
    """Whether a walk only looks: it pauses nowhere, and keeps in mind what it sees."""
    books = {id(call) for _, call in kept(walk)}
    return not walk.asynchronous and all(
        _only_notes(inner, walk, books)
        and not any(id(part) in pauses for e in inner.expressions for part in e.walk())
        for inner in walk.walk()
    )


def _only_notes(inner: Statement, walk: For, books: AbstractSet[int]) -> bool:
    match inner:
        case For() | If() | Leave() | Return() | Pass():
            return True
        case Assign(targets=targets, value=value):
            plain = all(target.path and "." not in target.path for target in targets)
            return plain or (isinstance(value, Constant) and not _marks(targets, walk))
        case Do(value=Call() as call):
            return is_log(call) or id(call) in books
    return False


def _marks(targets: tuple[Expression, ...], walk: For) -> bool:
    """Whether it is an item of the walk that is set, or nobody knows what."""
    heads = {target.path.partition(".")[0] for target in targets}
    return bool(heads & {"", *_items(walk)})


def _items(walk: For) -> set[str]:
    return {part.path for part in walk.target.walk() if part.path}


def ends_turns(walk: For) -> bool:
    """Whether a walk ends the loop that it stands in: a `break` of its own ends but the walk."""
    return leaves(walk.otherwise) or any(isinstance(inner, Return) for inner in walk.walk())


def kept(walk: For) -> Iterator[tuple[str, Call]]:
    """What a walk puts its own items into, or takes them out of, and by which call."""
    for inner in walk.walk():
        call = inner.value if isinstance(inner, Do) else None
        if not isinstance(call, Call) or call.receiver is None or not call.receiver.path:
            continue
        about = {argument.value.path for argument in call.arguments}
        if about and about <= _items(walk) and named("keeps", call.method):
            yield call.receiver.path, call


def learnt(walk: For) -> Iterator[tuple[str, Expression]]:
    """What the names that a walk sets come from: what it walks over, the tests around them."""
    books = {id(call): path for path, call in kept(walk)}
    yield from ((item, walk.iterable) for item in _items(walk))
    for test in (s for s in walk.walk() if isinstance(s, If)):
        for inner in (s for block in test.blocks for s in block):
            for name in _set_by(inner, books):
                yield from ((name, clause) for clause in clauses(test.test))


def _set_by(inner: Statement, books: Mapping[int, str]) -> Iterator[str]:
    """The names that a statement of a walk sets, puts something into or takes it out of."""
    if isinstance(inner, Assign):
        yield from (target.path for target in inner.targets)
    elif isinstance(inner, Do) and id(inner.value) in books:
        yield books[id(inner.value)]
