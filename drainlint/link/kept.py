"""Where a coroutine is waited for that was only made, or handed to a task: further down, or never.

`serving = serve()` runs nothing yet; `create_task(serving)` runs it beside; whoever awaits the
task, or all that it was put among, waits for it there.
"""

from collections.abc import Iterator

from drainlint.index.entries import FunctionEntry
from drainlint.knowledge.names import named
from drainlint.model.expression import Call, Expression
from drainlint.model.place import Place

STEPS = 3
"""Through how many names and collections a coroutine is followed to where it is awaited."""


def where_awaited(entry: FunctionEntry, made: Place) -> Place | None:
    """Where a coroutine function waits for a coroutine that it makes at a place; None for nowhere.

    A plain function has others run what it makes: that is taken for the place itself.
    """
    if not entry.is_async or any(_holds(awaited, made) for awaited in entry.checkpoints):
        return made
    return _by_name(entry, made)


def _holds(awaited: Expression, made: Place) -> bool:
    return any(isinstance(part, Call) and part.place == made for part in awaited.walk())


def _by_name(entry: FunctionEntry, made: Place) -> Place | None:
    """The first await below of a name that it has, or of a collection that it was put into."""
    names: set[str] = set()
    for _ in range(STEPS):
        names |= set(_named(entry, made, names))
    below = [
        place
        for awaited, place in _awaited(entry)
        if place.line > made.line and _is_about(awaited, None, names)
    ]
    return min(below, key=lambda place: place.line, default=None)


def _named(entry: FunctionEntry, made: Place, names: set[str]) -> Iterator[str]:
    """What is bound to it or to what has it, and the collections that one of them is put into."""
    for path, ways in entry.bindings.items():
        if any(_is_about(way.value, made, names) for way in ways):
            yield path
    for call in entry.calls:
        put = call.receiver is not None and named("adds", call.method)
        if put and any(_is_about(a.value, made, names) for a in call.arguments):
            yield call.func.path.rpartition(".")[0]


def _is_about(value: Expression, made: Place | None, names: set[str]) -> bool:
    """Whether an expression makes it, or names what it was bound to."""
    return any(
        part.path in names or (isinstance(part, Call) and part.place == made)
        for part in value.walk()
    )


def _awaited(entry: FunctionEntry) -> Iterator[tuple[Expression, Place]]:
    """What a function awaits, and where."""
    yield from ((awaited.value, awaited.place) for awaited in entry.awaits)
    yield from ((call, call.place) for call in entry.calls if call in entry.checkpoints)
