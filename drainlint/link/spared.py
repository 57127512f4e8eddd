"""What seems to block an event loop and does not: nobody waits, or nobody else is there."""

import ipaddress
from collections.abc import Iterator

from drainlint.index.entries import FunctionEntry
from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.names import FunctionId
from drainlint.link.origins import ways
from drainlint.link.program import Program
from drainlint.model.expression import Await, Call, Compare, Constant, Expression, Not
from drainlint.model.statement import If, Statement, With

SOCKETS = frozenset({"socket", "connection", "channel"})
OFF_LOOP = frozenset({"off-loop", "executor", "process-executor", "thread", "process"})
"""Roles of what runs beside an event loop, and not on it."""


def is_spared(known: Known) -> bool:
    """Whether a call of a coroutine holds up nobody, though calls like it do."""
    return (
        raises_instead(known)
        or _is_entered_by_the_loop(known)
        or known.told_not_to_wait
        or is_unconnected(known)
        or _is_lent_to_the_loop(known)
        or _asks_nobody(known)
        or _is_never_run(known)
        or _has_no_loop(known)
        or _is_for_the_loop(known)
        or has_reported(known)
        or _has_loop_to_itself(known)
        or _closes_a_generator(known)
    )


def _closes_a_generator(known: Known) -> bool:
    """Whether it runs when an asynchronous generator is closed: the loop itself is at its end."""
    if not known.program.names.function(known.key).is_generator:
        return False
    return any(
        spot.handler is not None and [k.path for k in spot.handler.kinds] == ["GeneratorExit"]
        for spot in known.occurrence.spot.outward()
    )


def _asks_nobody(known: Known) -> bool:
    """Whether only numbers are read, as a flag or the address itself says: no host is asked."""
    given = known.call.arguments
    if any(named("only-numbers", e.path) for a in given for e in a.value.walk() if e.path):
        return True
    if not given or not named("resolves", known.call.method):
        return False
    host = given[0].value
    held = [way.value for _, way in ways(known.program, known.key, host.path)] or [host]
    return all(isinstance(value, Constant) and _is_known_here(value.value) for value in held)


def _is_known_here(host: object) -> bool:
    """Whether a host is given as numbers, or is this one: `239.255.255.250`, `localhost`."""
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return True


def _is_never_run(known: Known) -> bool:
    """Whether it stands in a branch that a constant of the module rules out.

    One source for both worlds: `if not _IS_SYNC: await ... else: ...`.
    """
    for outer in known.occurrence.spot.outward():
        if not isinstance(outer.owner, If):
            continue
        test = outer.owner.test
        denied = isinstance(test, Not)
        asked = test.value if isinstance(test, Not) else test
        held = [way.value for _, way in ways(known.program, known.key, asked.path)]
        if len(held) != 1 or not isinstance(held[0], Constant):
            continue
        holds = held[0].value is (not denied)
        if isinstance(held[0].value, bool) and holds != (outer.section == "body"):
            return True
    return False


def _has_no_loop(known: Known) -> bool:
    """Whether it stands where no event loop was found: `if loop is None: send()`."""
    for outer in known.occurrence.spot.outward():
        test = outer.owner.test if isinstance(outer.owner, If) else None
        if not isinstance(test, Compare) or outer.section != "body":
            continue
        held = [way.value for _, way in ways(known.program, known.key, test.left.path)]
        if test.operators == ("is",) and any(
            isinstance(value, Call) and named("asks-for-loop", value.method) for value in held
        ):
            return True
    return False


def _is_for_the_loop(known: Known) -> bool:
    """Whether it is handed to what takes awaitables only: `asyncio.wait([stop.wait()])`."""
    around = (e for e in known.occurrence.around if isinstance(e, Call))
    facts = (known.program.facts(known.key, call) for call in around)
    return any(f is not None and f[0].asynchronous and not f[0].runs for f in facts)


def is_coroutine(entry: FunctionEntry) -> bool:
    """An `async def`, or an old-style coroutine: `@gen.coroutine`, `@inlineCallbacks`."""
    names = {d.path.rpartition(".")[2] for d in entry.decorators}
    return entry.is_async or bool(names & {"coroutine", "inlineCallbacks"})


def raises_instead(known: Known) -> bool:
    """Whether it raises where it would wait: somebody around it catches `BlockingIOError`."""
    return known.kind is not None and known.kind.nature in SOCKETS and known.catches("would-wait")


def _is_entered_by_the_loop(known: Known) -> bool:
    """Whether an `async with` enters what it gives: `async with engine.begin() as link:`."""
    statement = known.occurrence.spot.statement
    return (
        isinstance(statement, With)
        and statement.asynchronous
        and any(item.value is known.call for item in statement.items)
    )


def is_unconnected(known: Known) -> bool:
    """Whether a socket of datagrams notes an address, or sends: nobody has to answer."""
    receiver = known.call.receiver
    if receiver is None or not named("sends-datagrams", known.call.method):
        return False
    return any(
        given.value.path.endswith("SOCK_DGRAM")
        for _, way in ways(known.program, known.key, receiver.path)
        if isinstance(way.value, Call)
        for given in way.value.arguments
    )


def _is_lent_to_the_loop(known: Known) -> bool:
    """Whether the event loop works with a socket from elsewhere too: such sockets do not block."""
    path = "" if known.call.receiver is None else known.call.receiver.path
    if known.kind is None or known.kind.nature not in SOCKETS or not path:
        return False
    if any(isinstance(way.value, Call) for _, way in ways(known.program, known.key, path)):
        return False
    return any(
        named("loop-works-with-socket", call.method)
        and bool(call.arguments)
        and call.arguments[0].value.path == path
        for call in known.program.names.function(known.key).calls
    )


# Announced


def has_reported(known: Known) -> bool:
    """Whether it told the coroutine before that it is about to end, or that it is done.

    The coroutine awaited what the thread was handed, or an event after it had asked to be called
    when the future is done.
    """
    path = "" if known.call.receiver is None else known.call.receiver.path
    if not path or known.does not in ("join", "wait"):
        return False
    awaited = {e for s in known.occurrence.spot.preceding() for e in _awaited(s)}
    if not awaited:
        return False
    entry = known.program.names.function(known.key)
    made = (way.value for way in entry.bindings.get(path, ()) if isinstance(way.value, Call))
    handed = {e.path for call in made for a in call.arguments for e in a.value.walk() if e.path}
    calls_back = any(c.func.path == f"{path}.add_done_callback" for c in entry.calls)
    return calls_back or bool(handed & awaited)


def _awaited(statement: Statement) -> Iterator[str]:
    """The names that a statement awaits, by themselves or by a method: `await done.wait()`."""
    for inner in statement.walk():
        for part in (e for expression in inner.expressions for e in expression.walk()):
            if isinstance(part, Await):
                yield _subject(part.value)


def _subject(value: Expression) -> str:
    receiver = value.receiver if isinstance(value, Call) else None
    return value.path if receiver is None else receiver.path


# A loop of its own


def _has_loop_to_itself(known: Known) -> bool:
    """Whether nothing else runs on its loop: a thread runs just this coroutine to its end."""
    program, key = known.program, known.key
    roots = []
    for root in _runners(program, key):
        if "thread" not in program.roles.registered(root):
            return False
        roots.append(root)
    if not roots:
        return False
    return not any(
        facts[0].does == "spawn" and not all(r.role in OFF_LOOP for r in facts[0].runs)
        for root in roots
        for reached in {root, key, *program.drain_paths.closure(root)}
        for call in program.names.function(reached).calls
        if (facts := program.facts(reached, call)) is not None
    )


def _runners(program: Program, key: FunctionId) -> Iterator[FunctionId]:
    """The plain functions that run a coroutine, itself or through coroutines that await it."""
    seen, waiting = {key}, [key]
    while waiting:
        for caller in sorted(program.graph.callers.get(waiting.pop(), ())):
            if caller in seen:
                continue
            seen.add(caller)
            if program.names.function(caller).is_async:
                waiting.append(caller)
            else:
                yield caller
