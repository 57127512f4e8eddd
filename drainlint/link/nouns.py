"""Turns the bodies that were read into the nouns that rules judge."""

from collections.abc import Iterator

from drainlint.link.awaits import awaits
from drainlint.link.blocking import Blockers
from drainlint.link.calls import Known
from drainlint.link.checked import checked_take
from drainlint.link.children import child_wait
from drainlint.link.cleanups import cleanups
from drainlint.link.closes import closes, entered
from drainlint.link.exits import exits, raised
from drainlint.link.limits import limits
from drainlint.link.loops import loop
from drainlint.link.moments import Moments
from drainlint.link.names import FunctionId
from drainlint.link.pauses import pause
from drainlint.link.program import Program
from drainlint.link.surroundings import occurrences, spots
from drainlint.link.underlock import UnderLocks
from drainlint.link.waits import handed_over, wait
from drainlint.model.noun import Noun
from drainlint.model.pause import Pause
from drainlint.model.statement import Body, For, While


class Nouns:
    """Builds the nouns of a program, function by function."""

    def __init__(self, program: Program) -> None:
        """Take the linked program."""
        self.program = program
        self._blockers = Blockers(program)
        self.under_locks = UnderLocks(program)

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
            yield from self.under_locks.of(one, found)
            yield from self.under_locks.polls(one, pauses.get(id(one.call)))
            yield from limits(one, found)
            yield from closes(one)
            yield from entered(self.program, one)
            late = child_wait(one, found)
            if late is not None:
                yield late
            yield from self._blockers.of(one, pauses.get(id(one.call)), found)
            checked = checked_take(one)
            if checked is not None:
                yield checked
        yield from awaits(self.program, key, body)
        yield from self._blockers.holding(key, body, self.under_locks.locks)
        yield from cleanups(self.program, key, body)
        yield from self.under_locks.awaits(key)
        yield from Moments(self.program).of(key, body)
        for spot in spots(body.statements):
            exit_ = raised(self.program, key, spot)
            if exit_ is not None:
                yield exit_
            if isinstance(spot.statement, While | For):
                yield loop(self.program, key, spot, by_call, pauses)
