"""Builds deliveries: who receives messages, and in which order they are worked on and ended."""

from collections.abc import Iterator

from drainlint.finding import Related
from drainlint.index.entries import FunctionEntry
from drainlint.knowledge.names import named
from drainlint.link.names import FunctionId, Library
from drainlint.link.program import Program
from drainlint.link.roles import WORKERS
from drainlint.link.roots import shown
from drainlint.model.delivery import Delivery, Step
from drainlint.model.expression import Call, Expression, Name
from drainlint.model.place import Place

ENDS = frozenset({"ack", "commit"})
HANDS = frozenset({"spawn", "put"})
MEANS = frozenset({"channel", "consumer", "session", "producer", "server", "app"})
ROUNDS = 3
"""Through how many names a message is followed."""


def deliveries(program: Program, key: FunctionId) -> Iterator[Delivery]:
    """What a function does with what it receives; nothing where it receives nothing."""
    entry = program.names.function(key)
    ends = [call for call in entry.calls if _does(program, key, call) in ENDS]
    found = _received(program, key, entry, ends=bool(ends))
    if found is None:
        return
    how, received, given = found
    names = _derived(entry, frozenset(given))
    steps = [
        (call, _step(program, key, entry, call))
        for call in entry.calls
        if call not in ends and _is_given(call, names)
    ]
    handed = [step for call, step in steps if _hands_on(program, key, call)]
    worked = [
        step for call, step in steps if step not in handed and _is_work(program, key, entry, call)
    ]
    yield Delivery(
        path=key.path,
        place=received.place,
        function=program.function(key),
        drain=program.drain(key, received.place.line),
        how=how,
        received=received,
        message=given[-1],
        worked_on=tuple(sorted(worked, key=lambda step: step.place)),
        handed_to=tuple(sorted(handed, key=lambda step: step.place)),
        acknowledged=tuple(_step(program, key, entry, call) for call in ends),
    )


def _does(program: Program, key: FunctionId, call: Call) -> str:
    known = program.facts(key, call)
    return "" if known is None else known[0].does


def _received(
    program: Program, key: FunctionId, entry: FunctionEntry, *, ends: bool
) -> tuple[str, Related, tuple[str, ...]] | None:
    """How a function comes by its messages, where, and what it calls them."""
    if "consumer" in program.roles.registered(key):
        names = [p.name for p in entry.parameters[bool(entry.owner) :] if not p.star]
        names = [name for name in names if not _is_means(program, key, name)]
        place = Place(entry.line, entry.column, entry.line, 0)
        text = f"`{shown(entry)}` is called with each message"
        return ("callback", Related(key.path, place, text), tuple(names)) if names else None
    for name, ways in entry.bindings.items():
        for way in ways:
            how = _taken(program, key, way.value, how=way.how, ends=ends)
            if how:
                place = Place(way.line, 1, way.line, 0)
                text = f"`{name}` is received here"
                return how, Related(key.path, place, text), (name,)
    return None


def _is_means(program: Program, key: FunctionId, name: str) -> bool:
    """Whether a parameter is what brings the messages, not one of them."""
    kind = program.kinds.of(key, Name(name))
    return kind is not None and kind.nature in MEANS


def _taken(program: Program, key: FunctionId, value: Expression, *, how: str, ends: bool) -> str:
    """Whether a name holds messages: the element of a consumer, or what is taken from a queue."""
    for part in (value, *value.parts):
        if how == "each" and part.path:
            kind = program.kinds.of(key, part)
            if kind is not None and kind.nature == "consumer":
                return "loop"
        if isinstance(part, Call) and ends and _does(program, key, part) == "take":
            return "loop" if how == "each" else "take"
    return ""


def _derived(entry: FunctionEntry, names: frozenset[str]) -> frozenset[str]:
    """The message's names, and those of what is made out of it: `order = json.loads(body)`."""
    found = set(names)
    for _ in range(ROUNDS):
        for name, ways in entry.bindings.items():
            heads = {part.path.partition(".")[0] for way in ways for part in way.value.walk()}
            if heads & found and "." not in name:
                found.add(name)
    return frozenset(found)


def _is_given(call: Call, names: frozenset[str]) -> bool:
    """Whether a call is given the message, or is one upon it."""
    values = [argument.value for argument in call.arguments]
    paths = [part.path for value in values for part in value.walk() if part.path]
    paths += [call.receiver.path] if call.receiver is not None else []
    return any(path.partition(".")[0] in names for path in paths)


def _hands_on(program: Program, key: FunctionId, call: Call) -> bool:
    known = program.facts(key, call)
    if known is None:
        return False
    return known[0].does in HANDS or any(runs.role in WORKERS for runs in known[0].runs)


def _is_work(program: Program, key: FunctionId, entry: FunctionEntry, call: Call) -> bool:
    """Whether a call works on a message, rather than reads, logs or decodes it."""
    if named("logs", call.method):
        return False
    if program.graph.targets(key, call):
        return True
    does = _does(program, key, call)
    if does:
        return does not in ("log", "settimeout")
    resolved = program.names.resolve(key, call.func.path) if call.func.path else None
    if resolved is not None and isinstance(resolved.symbol, Library):
        return False
    results = (way.value for ways in entry.bindings.values() for way in ways)
    return not any(part is call for value in results for part in value.walk())


def _step(program: Program, key: FunctionId, entry: FunctionEntry, call: Call) -> Step:
    line = call.place.line
    cleanup = any(
        region.sort in ("final", "interrupt") and region.first_line <= line <= region.last_line
        for region in entry.regions
    )
    return Step(call.text, call.place.first_line, _does(program, key, call), cleanup)
