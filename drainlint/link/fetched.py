"""What a loop's calls fetch: read anew, brought from outside, or only noted down."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from drainlint.index.entries import Binding, FunctionEntry
from drainlint.knowledge.names import named
from drainlint.link.bounds import CLOCKS
from drainlint.link.calls import CHILDREN_BY_NUMBER, is_told_not_to_wait
from drainlint.link.lookups import is_getter, reaches_outside
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.model.expression import Await, Call, Constant, Expression, Walrus, Yield
from drainlint.model.statement import Statement


def refreshed_by(
    call: Call, read: AbstractSet[str], assigned: Mapping[str, list[Expression]]
) -> set[str]:
    """What a call reads anew of the things that tests read: `session.refresh(job)`.

    What the loop itself has just fetched (`assigned`) is shown by it: `widget.update(answer)`.
    """
    if not named("refreshes", call.method) or call.receiver is None:
        return set()
    given = {a.value.path for a in call.arguments}
    about = {call.receiver.text, *(path for path in given if not assigned.get(path))}
    return about & read if named("reads-anew", call.method) else about & read - {"self", "cls"}


def only_computes(program: Program, key: FunctionId, call: Call) -> bool:
    """Whether a function of the project computes an answer from what it is given, and no more."""
    targets = program.graph.targets(key, call)
    entries = [program.names.function(target) for target in targets]
    return bool(entries) and all(
        entry.results
        and not (entry.is_async or entry.is_generator or entry.shared)
        and not any("." in path for path in entry.bindings)
        and all("." not in p or p.partition(".")[0] in entry.bindings for p in entry.asked)
        and all(_computes(entry, inner) for inner in entry.calls)
        for entry in entries
    )


def _computes(entry: FunctionEntry, call: Call) -> bool:
    """Whether a call computes, reads the clock, or moves on what was computed: `lines.pop(0)`."""
    if is_computed(call) or call.method in CLOCKS:
        return True
    return call.receiver is not None and call.receiver.path in entry.bindings


def brought_by(program: Program, key: FunctionId, call: Call, read: AbstractSet[str]) -> set[str]:
    """What a method of one's own sets anew from the world outside: `self.update_status()`."""
    me = program.classes.self_name(key)
    if call.receiver is None or call.receiver.path != me or named("establishes", call.method):
        return set()
    found: set[str] = set()
    for target in program.graph.targets(key, call):
        own = f"{program.classes.self_name(target)}."
        entry = program.names.function(target)
        if entry.turns:  # it runs a loop of its own: that is work
            continue
        bound = {
            f"{me}.{name.removeprefix(own)}"
            for name, ways in entry.bindings.items()
            if name.startswith(own) and any(_is_brought(way) for way in ways)
        }
        if bound & read and reaches_outside(program, target):
            found |= bound & read
    return found


def _is_brought(way: Binding) -> bool:
    """Whether a binding may hold an answer; the moment of asking is none."""
    value = way.value
    return way.how == "assign" and not (isinstance(value, Call) and value.method in CLOCKS)


def told_by(program: Program, key: FunctionId, tests: Iterable[Expression]) -> Iterator[str]:
    """The attributes that one's own methods in tests tell of: `self.status` of `self.is_done()`."""
    me = program.classes.self_name(key)
    for call in (part for test in tests for part in test.walk() if isinstance(part, Call)):
        if not me or call.receiver is None or call.receiver.path != me:
            continue
        for target in program.graph.targets(key, call):
            own = f"{program.classes.self_name(target)}."
            for part in (p for r in program.names.function(target).results for p in r.walk()):
                if part.path.startswith(own):
                    yield f"{me}.{part.path.removeprefix(own)}"


def reaps(program: Program, key: FunctionId, call: Call) -> bool:
    """Whether a function of the project collects children that have ended, and waits for none."""
    return any(
        facts[0].name in CHILDREN_BY_NUMBER and is_told_not_to_wait(inner)
        for target in program.graph.targets(key, call)
        if not _starts(program, target)
        for inner in program.names.function(target).calls
        if (facts := program.facts(target, inner)) is not None
    )


def _starts(program: Program, target: FunctionId) -> bool:
    """Whether a function starts others, or pauses by itself: it does more than collect."""
    return any(
        facts[0].does in ("spawn", "start", "fork", "sleep")
        for call in program.names.function(target).calls
        if (facts := program.facts(target, call)) is not None
    )


def notes(call: Call, assigned: Mapping[str, list[Expression]]) -> bool:
    """Whether a call only adds to a list of the function's own what is no answer: bookkeeping."""
    receiver = call.receiver
    if receiver is None or not receiver.path or "." in receiver.path or not call.arguments:
        return False
    added = (part for a in call.arguments for part in a.value.walk())
    answers = any(isinstance(p, Call) or p.path.partition(".")[0] in assigned for p in added)
    return named("adds", call.method) and not named("hands-over", call.method) and not answers


def collects(value: Expression, assigned: Mapping[str, list[Expression]]) -> bool:
    """Whether what is added up is an answer that the loop got: it gathers, and does not ask."""
    parts = list(value.walk())
    made = [awaited(o) for part in parts for o in assigned.get(part.path, ())]
    return any(
        isinstance(one, Call) and one.method not in CLOCKS and not is_computed(one)
        for one in (*made, *parts)
    )


def awaited(value: Expression) -> Expression:
    """What is awaited, or the value itself."""
    while isinstance(value, Await | Yield) and value.parts:
        value = value.parts[0]
    return value


def is_computed(call: Call) -> bool:
    """Whether a call only computes: `len(x)`, `", ".join(names)`."""
    if call.method.lower() == "join":
        given = [a.value for a in call.arguments if not a.name]
        return bool(given) and not (
            isinstance(given[0], Constant) and isinstance(given[0].value, int | float)
        )
    if call.receiver is not None and call.method in ("list", "dict"):  # `pods.list()`
        return False
    if call.method.startswith("_"):  # a function of one's own
        return False
    return named("computes", call.method) or named("compares-sets", call.method)


def filled_by(program: Program, key: FunctionId, call: Call) -> Iterator[str]:
    """What a method of one's own adds to, as the caller writes it: it brings what is asked for."""
    me = program.classes.self_name(key)
    if call.receiver is None or call.receiver.path != me:
        return
    for target in program.graph.targets(key, call):
        own = f"{program.classes.self_name(target)}."
        for inner in program.names.function(target).calls:
            receiver = inner.receiver
            if receiver is None or not named("adds", inner.method):
                continue
            if receiver.path.startswith(own):
                yield f"{me}.{receiver.path.removeprefix(own)}"


def added_to(statement: Statement) -> set[str]:
    """What a statement adds something to, as written."""
    return {
        part.receiver.path
        for inner in statement.walk()
        for expression in inner.expressions
        for part in expression.walk()
        if isinstance(part, Call) and part.receiver is not None and named("adds", part.method)
    }


def links(value: Expression) -> frozenset[int]:
    """The calls that only lead to one that looks something up: `jobs()` in `api.jobs().get(x)`."""
    return frozenset(
        id(link)
        for part in value.walk()
        if isinstance(part, Call) and part.receiver is not None and is_getter(part)
        for link in part.receiver.walk()
        if isinstance(link, Call) and not is_getter(link)
    )


def calls_in(value: Expression, assigned: Mapping[str, list[Expression]]) -> Iterator[Call]:
    """The calls of an expression, links aside; what it binds with `:=` is noted as assigned."""
    leading = links(value)
    for part in value.walk():
        if isinstance(part, Call) and id(part) not in leading:
            yield part
        elif isinstance(part, Walrus):
            assigned[part.target].append(part.value)
