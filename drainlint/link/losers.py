"""Timers and tasks that a waiting loop makes anew on every turn and leaves behind."""

from collections.abc import Iterator, Mapping

from drainlint.link.calls import Known
from drainlint.link.surroundings import Spot
from drainlint.model.expression import Call, Expression, Group, Starred
from drainlint.model.loop import Step
from drainlint.model.pause import Pause
from drainlint.model.statement import Assign, For, If, Try, While

VIEWS = frozenset({"shield", "wrap_future"})
"""What only shows what lives on its own: nothing is left behind with it."""
SHORT = 1.0
"""Seconds; timers made less often than this cost nothing that anybody notices."""


def losers(
    statement: While | For,
    known: Mapping[int, Known],
    pauses: Mapping[int, Pause],
    *,
    only_waits: bool,
) -> Iterator[Step]:
    """What each turn makes for one wait and never takes back."""
    own = [one for one in known.values() if next(one.occurrence.spot.loops, None) is statement]
    if not isinstance(statement, While) or not own:
        return
    cancelled = any(
        one.call.method == "cancel" for one in known.values() if _within(one, statement)
    )
    for one in own:
        if one.facts is None or not _on_every_turn(one.occurrence.spot, statement):
            continue
        if one.facts.name == "asyncio.wait" and not cancelled:
            yield from _raced(one, statement, known)
        elif one.kind is None and _is_timer(one) and not cancelled:
            yield Step(one.call.text, one.call.place)
        elif only_waits and id(one.call) in pauses:
            yield from _timed(one, pauses[id(one.call)])


def _within(one: Known, statement: While | For) -> bool:
    return any(outer is statement for outer in one.occurrence.spot.loops)


def _on_every_turn(spot: Spot, statement: While | For) -> bool:
    for outer in spot.outward():
        if outer.owner is statement:
            return outer.section == "body"
        if isinstance(outer.owner, If) or (
            isinstance(outer.owner, Try) and outer.section == "handler"
        ):
            return False
    return False


def _is_timer(one: Known) -> bool:
    made = one.program.kinds.of(one.key, one.call)
    return (
        made is not None and made.nature == "timer" and one.call.method in ("Timer", "call_later")
    )


def _timed(one: Known, pause: Pause) -> Iterator[Step]:
    """`wait_for(stop.wait(), 0.02)`: a task and a timer for each short pause."""
    bound = one.bounding_call
    if bound is None or bound.method != "wait_for" or pause.seconds is None:
        return
    if pause.seconds < SHORT:
        yield Step(bound.text, bound.place)


def _raced(one: Known, statement: While, known: Mapping[int, Known]) -> Iterator[Step]:
    """The tasks of an `asyncio.wait` that ends with the first of them."""
    call = one.call
    when = call.argument("return_when", 2)
    ends_early = when is not None and "FIRST" in when.text
    if not ends_early and call.argument("timeout", 1) is None:
        return
    given = call.argument("fs", 0) or call.argument("aws", 0)
    items = given.items if isinstance(given, Group) else ()
    made = [made for item in items if (made := _made_here(item, statement, known)) is not None]
    if len(made) > 1 or (made and not ends_early):
        for task in made[:1]:
            yield Step(task.text, task.place)


def _made_here(item: Expression, statement: While, known: Mapping[int, Known]) -> Call | None:
    """The call that makes an item anew on every turn; None for what lives longer."""
    if isinstance(item, Starred):
        return None
    if isinstance(item, Call):
        return item if item.method not in VIEWS else None
    for assigned in (s for s in statement.walk() if isinstance(s, Assign)):
        if not isinstance(assigned.value, Call) or item.path not in {
            t.path for t in assigned.targets
        }:
            continue
        maker = known.get(id(assigned.value))
        if maker is None or not _on_every_turn(maker.occurrence.spot, statement):
            return None
        return assigned.value if maker.does == "spawn" else None
    return None
