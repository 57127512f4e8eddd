"""Builds cleanups: awaits in `finally:` and in handlers of cancellation."""

import re
from collections.abc import Iterator

from drainlint.finding import Related
from drainlint.knowledge.names import named
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.surroundings import Spot, spots
from drainlint.model.cleanup import Cleanup
from drainlint.model.expression import (
    Arithmetic,
    Await,
    Call,
    Constant,
    Expression,
    Lambda,
    Yield,
)
from drainlint.model.statement import (
    Assign,
    Block,
    Body,
    Do,
    For,
    Handler,
    Statement,
    Try,
    With,
)

CANCELS_AGAIN = ("trio", "anyio")
"""Packages whose cancellation strikes at every await until its scope ends."""
CANCELLATION = re.compile(
    r"(^|\.)(CancelledError|Cancelled|BaseException|get_cancelled_exc_class)$"
)
RAN_OUT = re.compile(r"(^|\.)TimeoutError$")
AT_ONCE = frozenset(
    {
        "aclose",
        "aclose_forcefully",
        "athrow",
        "cancel_shielded_checkpoint",
        "__aexit__",
        "aexit",
        "open_nursery",
        "create_task_group",
    }
)
"""By contract these close, or begin, at once where they are cancelled."""
DEPTH = 3
"""Through how many coroutine functions of the project it is followed whether they await at all."""


def cleanups(program: Program, key: FunctionId, body: Body) -> Iterator[Cleanup]:
    """What a coroutine awaits while it cleans up, in source order."""
    if not program.names.function(key).is_async:
        return
    for spot in spots(body.statements):
        section = _section(spot)
        if section is None or _is_foreseen(spot, section):
            continue
        ran_out = section.handler is not None and not _catches(section.handler, CANCELLATION)
        again = not ran_out and _cancels_again(program, key, section)
        for awaited in _awaits(spot.statement):
            spent = "" if again else _spent(program, key, section, awaited)
            if again or spent:
                yield _noun(program, key, spot, section, awaited, again=again, spent=spent)
    yield from _after_cancels(program, key, body)


def _cancels_again(program: Program, key: FunctionId, section: Spot) -> bool:
    """Whether cleanup runs under a library whose cancellation strikes at every await.

    Where asyncio is at work as well, only in a scope or task group of such a library. Nothing
    cancels the outermost coroutine of a program, unless it opens a scope itself.
    """
    imports = program.names.modules[key.path].imports.values()
    heads = {target.partition(".")[0] for target in imports}
    if not heads & set(CANCELS_AGAIN):
        return False
    only_files = "trio" not in heads and _only_uses_files(program, key.path)
    if "asyncio" not in heads and not only_files and "main" not in program.roles.registered(key):
        return True
    entered = (i.value for w in section.withs for i in w.items)
    paths = (e.func.path for e in entered if isinstance(e, Call))
    return any(program.library(key, p).partition(".")[0] in CANCELS_AGAIN for p in paths)


def _only_uses_files(program: Program, path: str) -> bool:
    """Whether a module uses nothing of anyio but its files and threads, as any task may."""
    module = program.names.modules[path]
    imported = {t.partition(".")[2] for t in module.imports.values() if t.startswith("anyio.")}
    called = {
        program.library(FunctionId(path, name), call.func.path)
        for name, entry in module.functions.items()
        for call in entry.calls
        if call.func.path
    }
    used = imported | {c.partition(".")[2] for c in called if c.startswith("anyio.")}
    return bool(used) and all(named("of-any-task", name.partition(".")[0]) for name in used)


def _section(spot: Spot) -> Spot | None:
    """The innermost `finally`, or handler of cancellation or a timeout, around a statement."""
    for outer in spot.outward():
        if not isinstance(outer.owner, Try):
            continue
        if outer.section == "final":
            return outer
        if outer.handler is not None and (
            _catches(outer.handler, CANCELLATION) or _catches(outer.handler, RAN_OUT)
        ):
            return outer
    return None


def _is_foreseen(spot: Spot, section: Spot) -> bool:
    """Whether the cleanup itself catches its being cancelled: `try: await x except Cancelled:`."""
    for outer in spot.outward():
        if outer is section:
            return False
        if not isinstance(outer.owner, Try) or outer.section != "body":
            continue
        if any(h.kinds and _catches(h, CANCELLATION) for h in outer.owner.handlers):
            return True
    return False


def _catches(handler: Handler, what: re.Pattern[str]) -> bool:
    if not handler.kinds:
        return True
    kinds = (k.func if isinstance(k, Call) else k for k in handler.kinds)
    return any(what.search(k.path) for k in kinds)


def _awaits(statement: Statement) -> Iterator[Expression]:
    """What a statement waits for in its own header or line."""
    for expression in statement.expressions:
        for part in expression.walk():
            if isinstance(part, Await):
                yield part.value
    if isinstance(statement, With) and statement.asynchronous:
        yield from (i.value for i in statement.items)
    if isinstance(statement, For) and statement.asynchronous:
        yield statement.iterable


def _noun(  # noqa: PLR0913 - the parts of one value
    program: Program,
    key: FunctionId,
    spot: Spot,
    section: Spot,
    awaited: Expression,
    *,
    again: bool,
    spent: str,
) -> Cleanup:
    place = awaited.place if isinstance(awaited, Call) else spot.statement.place
    owner = section.owner
    first = owner.body[0] if isinstance(owner, Try) and owner.body else spot.statement
    word = "finally" if section.section == "final" else f"except {_kinds(section.handler)}".strip()
    cancellable = isinstance(owner, Try) and _can_be_cancelled(owner.body)
    return Cleanup(
        path=key.path,
        place=place,
        function=program.function(key),
        drain=program.drain(key, place.line),
        text=awaited.text,
        section=word,
        header=Related(key.path, first.place.first_line, "cancelled here, the cleanup is as well"),
        cancelled_again=again and cancellable,
        shielded=any(_shields(w) for w in spot.withs),
        closes_at_once=_at_once(program, key, awaited),
        spent=spent,
    )


def _at_once(program: Program, key: FunctionId, awaited: Expression, depth: int = 0) -> bool:
    """Whether it works although it is cancelled: it closes, never pauses, or shields itself."""
    if not isinstance(awaited, Call):
        return False
    if awaited.method in AT_ONCE:
        return True
    known = program.facts(key, awaited)
    if known is not None:
        return known[0].does == "close" and known[0].default == 0
    targets = program.graph.targets(key, awaited) or _namesakes(program, key, awaited)
    return (
        bool(targets) and depth < DEPTH and all(_never_pauses(program, t, depth) for t in targets)
    )


def _namesakes(program: Program, key: FunctionId, awaited: Call) -> tuple[FunctionId, ...]:
    """The methods of a name in its file, where it is not known whose method is called."""
    if awaited.receiver is None:
        return ()
    functions = program.names.modules[key.path].functions
    return tuple(
        FunctionId(key.path, name)
        for name, entry in functions.items()
        if entry.owner and entry.short_name == awaited.method
    )


def _never_pauses(program: Program, key: FunctionId, depth: int) -> bool:
    entry = program.names.function(key)
    if not entry.is_async or entry.is_generator:
        return False
    if any(isinstance(e.value, Call) and _is_shield(e.value) for e in entry.entered):
        return True
    return all(_at_once(program, key, c, depth + 1) for c in entry.checkpoints)


def _kinds(handler: Handler | None) -> str:
    return ", ".join(k.text for k in handler.kinds) if handler is not None else ""


def _can_be_cancelled(block: Block) -> bool:
    """Whether anything in a block awaits, or gives control away by a `yield`."""
    for statement in (s for one in block for s in one.walk()):
        if isinstance(statement, With | For) and statement.asynchronous:
            return True
        for expression in statement.expressions:
            if any(isinstance(e, Await | Yield) for e in expression.walk()):
                return True
    return False


def _shields(statement: With) -> bool:
    """`with CancelScope(shield=True):`, also where `scope.shield = True` follows."""
    for item in statement.items:
        if not isinstance(item.value, Call):
            continue
        if _is_shield(item.value):
            return True
        if (
            item.target is not None
            and item.target.path
            and _is_shielded(statement, item.target.path)
        ):
            return True
    return False


def _is_shield(scope: Call) -> bool:
    shield = scope.argument("shield")
    return shield is not None and not (isinstance(shield, Constant) and not shield.value)


def _is_shielded(statement: With, scope: str) -> bool:
    return any(
        isinstance(s, Assign) and any(t.path == f"{scope}.shield" for t in s.targets)
        for s in statement.walk()
    )


# What is left of a deadline


def _spent(program: Program, key: FunctionId, section: Spot, awaited: Expression) -> str:
    """The deadline that the cleanup's own timeout shares with what it cleans up after."""
    if not isinstance(section.owner, Try):
        return ""
    deadline = _rest_of(program, key, awaited)
    if not deadline:
        return ""
    for statement in (s for one in section.owner.body for s in one.walk()):
        for expression in statement.expressions:
            for part in expression.walk():
                if not isinstance(part, Lambda) and _rest_of(program, key, part) == deadline:
                    return deadline
    return ""


def _rest_of(program: Program, key: FunctionId, bounding: Expression) -> str:
    """The moment that ends a timeout: `wait_for(x, deadline - now())`, `timeout_at(deadline)`."""
    if not isinstance(bounding, Call):
        return ""
    known = program.facts(key, bounding)
    if known is None or known[0].does != "bound":
        return ""
    given = bounding.argument(known[0].timeout, known[0].at)
    if known[0].unit == "deadline":
        return given.path if given is not None else ""
    given = _above_zero(given)
    if isinstance(given, Arithmetic) and given.operator == "-" and given.left is not None:
        clock = given.right
        facts = program.facts(key, clock) if isinstance(clock, Call) else None
        if facts is not None and facts[0].does in ("clock", "wall-clock"):
            return given.left.path
    return ""


def _above_zero(given: Expression | None) -> Expression | None:
    """What is kept from being negative: `max(0, deadline - now())` is still nothing when late."""
    if not isinstance(given, Call) or given.func.path != "max":
        return given
    zeros = [a for a in given.arguments if isinstance(a.value, Constant) and a.value.value == 0]
    others = [a.value for a in given.arguments if a not in zeros]
    return others[0] if zeros and len(others) == 1 else given


# What follows a scope's cancellation inside the scope


def _after_cancels(program: Program, key: FunctionId, body: Body) -> Iterator[Cleanup]:
    """`scope.cancel()`, then `await drain()` inside the scope: it is cancelled as well."""
    for spot in spots(body.statements):
        statement = spot.statement
        call = statement.value if isinstance(statement, Do) else None
        if not isinstance(call, Call) or call.method != "cancel" or call.receiver is None:
            continue
        scope = _scope(program, key, spot, call.receiver.path)
        if scope is None or scope.body[0] is statement:
            continue  # what is cancelled from its beginning asks, and does not wait
        for late, awaited in _awaited_within(spot, scope):
            if not _only_passes_control(program, key, awaited):
                yield _cancelled_noun(program, key, late, call, awaited)
            break


def _scope(program: Program, key: FunctionId, spot: Spot, path: str) -> With | None:
    """The `with` whose scope, or whose nursery's scope, a path names."""
    name = path.removesuffix(".cancel_scope")
    for statement in spot.withs:
        for item in statement.items:
            entered = item.value.func.path if isinstance(item.value, Call) else ""
            named = item.target is not None and item.target.path == name
            if named and program.library(key, entered).partition(".")[0] in CANCELS_AGAIN:
                return statement
    return None


def _awaited_within(spot: Spot, scope: With) -> Iterator[tuple[Spot, Expression]]:
    """What is certainly awaited after a statement, while a scope around both is open."""
    for outer in spot.outward():
        if outer.owner is None:
            return
        for later in spots(outer.block[outer.index + 1 :], owner=outer.owner, parent=outer.parent):
            shielded = any(_shields(w) for w in later.withs if w is not scope)
            if not shielded and _is_certain(later, outer):
                yield from ((later, awaited) for awaited in _awaits(later.statement))
        if outer.owner is scope or not isinstance(outer.owner, With | Try):
            return


def _is_certain(later: Spot, outer: Spot) -> bool:
    """Whether a statement runs whenever the block that it stands in does."""
    for around in later.outward():
        if around.owner is outer.owner:
            return True
        if not isinstance(around.owner, With):
            return False
    return False


def _only_passes_control(program: Program, key: FunctionId, awaited: Expression) -> bool:
    """Whether it is there to be cancelled: a pause, a checkpoint; or closes all the same."""
    if not isinstance(awaited, Call) or _at_once(program, key, awaited):
        return True
    known = program.facts(key, awaited)
    return "checkpoint" in awaited.method or (known is not None and known[0].does == "sleep")


def _cancelled_noun(
    program: Program, key: FunctionId, spot: Spot, cancel: Call, awaited: Expression
) -> Cleanup:
    place = awaited.place if isinstance(awaited, Call) else spot.statement.place
    return Cleanup(
        path=key.path,
        place=place,
        function=program.function(key),
        drain=program.drain(key, place.line),
        text=awaited.text,
        section=cancel.text,
        header=Related(key.path, cancel.place.first_line, "cancels everything in the scope"),
        cancelled_again=True,
        follows=True,
    )
