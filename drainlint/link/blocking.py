"""Finds what blocks the event loop: calls in coroutines that hold up their thread."""

import re
from collections.abc import Iterator

from drainlint.finding import Confidence, Related
from drainlint.link.calls import Known
from drainlint.link.emptied import keeps_nothing
from drainlint.link.feeds import never_waits
from drainlint.link.locks import Locks
from drainlint.link.names import FunctionId
from drainlint.link.pauses import pause
from drainlint.link.program import Program
from drainlint.link.spared import is_coroutine, is_spared
from drainlint.link.surroundings import occurrences, spots
from drainlint.link.turns import leaves
from drainlint.link.waits import wait
from drainlint.model.blocking import Blocking
from drainlint.model.deadline import Bound
from drainlint.model.expression import Await, Call, Constant
from drainlint.model.pause import Pause
from drainlint.model.statement import Assign, Body, While, With
from drainlint.model.wait import Wait

MAYBE = re.compile(r"await|async|ensure|maybe|coro|future|gather|shield|wait_for", re.IGNORECASE)
"""Names of functions that await what they are given, if it can be awaited."""
A_MOMENT = 0.001
"""Seconds; a loop's own bookkeeping takes as long."""
ASKED_WHEN_DONE = frozenset({"exception"})
"""What people ask of a future that is done, though it could wait."""


class Blockers:
    """Knows which plain functions block whoever calls them."""

    def __init__(self, program: Program) -> None:
        """Take the linked program with the bodies that were read."""
        self.program = program
        self._blockers: dict[FunctionId, Pause | Wait | None] = {}

    def of(self, known: Known, slept: Pause | None, waited: Wait | None) -> Iterator[Blocking]:
        """What a call of a coroutine blocks, by itself or through a plain helper of its module."""
        if not is_coroutine(self.program.names.function(known.key)):
            return
        noun = slept or waited
        if (slept is not None and not _blocks(slept)) or (waited is not None and _is_over(waited)):
            return
        if known.call.method in ASKED_WHEN_DONE or _is_awaited_later(known):
            return
        if known.does == "close" and keeps_nothing(known):
            return
        if is_spared(known) or never_waits(known):
            return
        if waited is not None and waited.verb == "take" and _was_just_put(known):
            return
        if noun is not None and _blocks(noun):
            what = "" if slept is None else slept.shown
            yield self._blocking_noun(known, noun.confidence, sleeps=slept is not None, what=what)
            return
        if known.is_asynchronous or (known.facts is not None and not known.facts.blocks):
            return
        if known.facts is not None:
            yield self._blocking_noun(known, known.confidence, what="")
            return
        if _is_granted_nothing(known.call):
            return
        for target in self.program.graph.targets(known.key, known.call):
            helper = self.program.names.function(target)
            if target.path != known.key.path or is_coroutine(helper):
                continue
            blocker = self.blocker(target)
            if blocker is not None and not _is_for_its_caller(blocker):
                where = Related(
                    target.path, blocker.place.first_line, f"`{blocker.text}` blocks here"
                )
                yield self._blocking_noun(
                    known,
                    blocker.confidence,
                    sleeps=isinstance(blocker, Pause),
                    through=where,
                    what=blocker.text,
                )
                return

    def holding(self, key: FunctionId, body: Body, locks: Locks) -> Iterator[Blocking]:
        """The locks of threads that a coroutine takes and does not let go while it waits."""
        for held, place in locks.across_awaits(key):
            line = held.first_line
            taken = (s.statement for s in spots(body.statements) if s.statement.place.line == line)
            statement = next(taken, None)
            if statement is None:
                continue
            entered = isinstance(statement, With)
            yield Blocking(
                path=key.path,
                place=statement.place.first_line,
                function=self.program.function(key),
                drain=self.program.drain(key, line),
                confidence=held.evidence,
                text=f"with {held.text}" if entered else f"{held.text}.acquire()",
                through=Related(key.path, place.first_line, "waits here, and holds it"),
                what=held.text,
            )

    def _blocking_noun(
        self,
        known: Known,
        confidence: Confidence,
        *,
        what: str,
        sleeps: bool = False,
        through: Related | None = None,
    ) -> Blocking:
        return Blocking(
            path=known.key.path,
            place=known.call.place,
            function=known.function,
            drain=known.drain,
            confidence=confidence,
            text=known.call.text,
            sleeps=sleeps,
            through=through,
            what=what,
        )

    def blocker(self, key: FunctionId) -> Pause | Wait | None:
        """The first thing in a plain function that blocks whoever calls it."""
        if key not in self._blockers:
            self._blockers[key] = None
            body = self.program.bodies.get(key)
            entry = self.program.names.function(key)
            if body is not None and not entry.is_generator:
                self._blockers[key] = self._first_blocker(key, body)
        return self._blockers[key]

    def _first_blocker(self, key: FunctionId, body: Body) -> Pause | Wait | None:
        for occurrence in occurrences(body, key.path):
            if occurrence.function != key:
                continue
            known = Known(self.program, occurrence)
            found = pause(known, in_loop=False) or wait(known)
            if found is not None and _blocks(found):
                return found
        return None


def _is_granted_nothing(call: Call) -> bool:
    """Whether a helper is told to wait for no time at all: `read(timeout=0)`."""
    granted = call.argument("timeout")
    return isinstance(granted, Constant) and granted.value == 0


def _is_for_its_caller(blocker: Pause | Wait) -> bool:
    """Whether a helper's caller knows better: what is taken is there, `wait=False` was given."""
    if not isinstance(blocker, Wait):
        return False
    switched = blocker.verb == "close" and not blocker.deadline.is_none
    return blocker.verb == "take" or switched


def _was_just_put(known: Known) -> bool:
    """Whether the statement before puts into the very queue that is taken from.

    Or it went round until the queue was no longer empty.
    """
    before = next(known.occurrence.spot.preceding(), None)
    if isinstance(before, While) and not leaves(before.body):
        asked = before.test
        return isinstance(asked, Call) and asked.text == f"{known.subject}.empty()"
    expressions = before.expressions if before is not None else ()
    return any(
        isinstance(part, Call)
        and part.method in ("put", "put_nowait")
        and part.receiver is not None
        and part.receiver.text == known.subject
        for expression in expressions
        for part in expression.walk()
    )


def _is_over(noun: Wait) -> bool:
    """Whether it does not wait at all, or a coroutine does."""
    return noun.awaited or noun.killed or bool(noun.ended or noun.ready) or noun.deadline.polls


def _is_awaited_later(known: Known) -> bool:
    """`await ensure_async(sock.send(x))`; `sent = sock.send(x)` and then `await sent`."""
    around = known.occurrence.around
    if len(around) > 1 and isinstance(around[0], Call) and isinstance(around[1], Await):
        return MAYBE.search(around[0].method) is not None
    statement = known.occurrence.spot.statement
    if not isinstance(statement, Assign) or statement.value is not known.call:
        return False
    names = {t.path for t in statement.targets}
    return any(
        isinstance(part, Await) and part.value.path in names
        for later in known.occurrence.spot.following()
        for inner in later.walk()
        for expression in inner.expressions
        for part in expression.walk()
    )


def _blocks(noun: Pause | Wait) -> bool:
    """Whether it holds its thread up for long enough to matter to an event loop."""
    if isinstance(noun, Pause):
        return not noun.cancellable and (noun.seconds is None or noun.seconds > A_MOMENT)
    if noun.awaited or not noun.blocks or noun.ended or noun.deadline.polls:
        return False
    if noun.verb in ("lock", "put"):
        return False
    if noun.verb == "close":
        return noun.nature == "executor" and noun.deadline.bound in (Bound.NONE, Bound.HANDED_ON)
    return (
        bool(noun.nature)
        or noun.verb in ("network", "process", "select", "wait")
        or (noun.deadline.bound is not Bound.NONE)
    )
