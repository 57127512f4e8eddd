"""Turns the bodies that were read into the nouns that rules judge."""

from collections.abc import Iterator

from drainlint.finding import Confidence, Related
from drainlint.link.awaits import awaits
from drainlint.link.calls import Known
from drainlint.link.exits import exits, raised
from drainlint.link.loops import loop
from drainlint.link.names import FunctionId
from drainlint.link.pauses import pause
from drainlint.link.program import Program
from drainlint.link.surroundings import occurrences, spots
from drainlint.link.underlock import UnderLocks
from drainlint.link.waits import handed_over, wait
from drainlint.model.blocking import Blocking
from drainlint.model.deadline import Bound
from drainlint.model.noun import Noun
from drainlint.model.pause import Pause
from drainlint.model.statement import Body, For, While
from drainlint.model.wait import Wait


class Nouns:
    """Builds the nouns of a program, function by function."""

    def __init__(self, program: Program) -> None:
        """Take the linked program with the bodies that were read."""
        self.program = program
        self._blockers: dict[FunctionId, Pause | Wait | None] = {}
        self._under_locks = UnderLocks(program)

    def of(self, path: str) -> Iterator[Noun]:
        """Every noun of a file, in source order of functions."""
        for key in self.program.read_in(path):
            yield from self.of_body(key, self.program.bodies[key])

    def of_body(self, key: FunctionId, body: Body) -> Iterator[Noun]:
        """Every noun of one function; those of its lambdas belong to them."""
        known = [Known(self.program, o) for o in occurrences(body, key.path)]
        by_call = {id(k.call): k for k in known}
        pauses: dict[int, Pause] = {}
        for one in known:
            in_loop = any(True for _ in one.occurrence.spot.loops)
            made = pause(one, in_loop=in_loop)
            if made is not None:
                pauses[id(one.call)] = made
                yield made
        for one in known:
            found = (
                None
                if id(one.call) in pauses
                and pauses[id(one.call)].event == ""
                and one.does == "sleep"
                else wait(one)
            )
            if found is not None:
                yield found
            yield from handed_over(one)
            yield from exits(one)
            yield from self._under_locks.of(one, found)
            yield from self._blocking(one, pauses.get(id(one.call)), found)
        yield from awaits(self.program, key, body)
        for spot in spots(body.statements):
            exit_ = raised(self.program, key, spot)
            if exit_ is not None:
                yield exit_
            if isinstance(spot.statement, While | For):
                yield loop(self.program, key, spot, by_call, pauses)

    # Blocking in coroutines

    def _blocking(
        self, known: Known, slept: Pause | None, waited: Wait | None
    ) -> Iterator[Blocking]:
        if not self.program.names.function(known.key).is_async:
            return
        noun = slept or waited
        if slept is not None and not _blocks(slept):
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
        for target in self.program.graph.targets(known.key, known.call):
            if target.path != known.key.path or self.program.names.function(target).is_async:
                continue
            blocker = self.blocker(target)
            if blocker is not None:
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


def _blocks(noun: Pause | Wait) -> bool:
    """Whether it holds its thread up for long enough to matter to an event loop."""
    if isinstance(noun, Pause):
        return not noun.cancellable and (noun.seconds is None or noun.seconds > 0)
    if noun.awaited or not noun.blocks or noun.ended or noun.deadline.polls:
        return False
    if noun.verb in ("lock", "close", "put"):
        return False
    return (
        bool(noun.nature)
        or noun.verb in ("network", "process", "select", "wait")
        or (noun.deadline.bound is not Bound.NONE)
    )
