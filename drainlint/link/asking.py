"""What a loop asks of others on every turn, told from what it moves itself."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from drainlint.knowledge.names import named
from drainlint.link.fetched import added_to, awaited
from drainlint.link.questions import is_room
from drainlint.link.reading import Reading
from drainlint.link.turns import clauses, is_always_reached, is_endless, is_limit, leaves, place_of
from drainlint.model.expression import (
    UNKNOWN,
    Arithmetic,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Expression,
    Logic,
    Subscript,
)
from drainlint.model.loop import Question
from drainlint.model.pause import Pause
from drainlint.model.statement import If, While

SIZED = frozenset({"queue", "flag", "liveness"})
"""What can have room: its size is its own, not the whole runtime's."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The questions of one loop."""

    reading: Reading

    def _tests(self) -> Iterator[tuple[str, Expression]]:
        if isinstance(self.reading.statement, While) and not is_endless(
            self.reading.statement.test
        ):
            yield "condition", self.reading.statement.test
        yield from (("exit", test) for test in self.reading.exits)
        yield from (("take", test) for test in self.reading.takes)
        yield from (("exit", tried) for tried in self.reading.tried if isinstance(tried, Call))

    @property
    def asks_to_leave(self) -> bool:
        """Whether a condition or a test that leaves it decides its end."""
        ends = any(where != "take" for where, _ in self._tests())
        return ends or bool(self.reading.checks or self.reading.won)

    def questions(self) -> Iterator[Question]:
        """What the loop asks of others: not deadlines and counters, nor what it moves itself.

        A name that the loop sets anew from a question (`alive = [t for t in ts if t.is_alive()]`)
        asks that question. Tests that only raise are asked where nothing else is.
        """
        found = [q for where, test in self._tests() for q in self._of_test(where, test)]
        found = [q for q in found if q.where != "take" or q.sort == "queue" or q.room]
        if not any(q.where != "take" for q in found):
            found += [q for test in self.reading.checks for q in self._of_test("exit", test)]
        yield from found
        for call in self.reading.won:
            subject = "" if call.receiver is None else call.receiver.text
            yield Question("external", call.text, call.place, subject, "exit")

    def _of_test(self, where: str, test: Expression) -> Iterator[Question]:
        for clause in clauses(test):
            if where == "condition" and any(clause is one for one in _taking(test)):
                continue
            own = list(self._own_names(clause))
            if self.reading.walks_over & set(own):
                continue
            asked = list(self._origins(own)) if own else [clause]
            if self.reading.looks_at & set(own):
                asked = [clause, *asked]
            room = bool(own) and is_room(_measured(clause, asked), where)
            pauses = where != "take" or id(test) in self.reading.pausing
            guards = not (where == "take" and pauses) and self._guards(
                _measured(clause, asked), where
            )
            for expression in asked:
                for question in self._asked(expression, where, anew=bool(own)):
                    if where == "condition" and self._only_ends(question, test):
                        continue
                    if guards and question.sort == "queue":
                        continue
                    sized = question.room or (room and question.sort in SIZED)
                    yield replace(question, room=sized and pauses)

    def _guards(self, test: Expression, where: str) -> bool:
        """Whether a loop that works asks how much has piled up: no wait for work, nor for room."""
        return where != "condition" and not self.reading.pure and is_room(test, "take")

    def _own_names(self, expression: Expression) -> Iterator[str]:
        """The names and attributes that the loop itself assigns and that an expression reads."""
        for part in expression.walk():
            if own := self._own_name(part.path):
                yield own

    def _origins(self, names: Iterable[str]) -> Iterator[Expression]:
        """What the loop's own names come from, through one another; their own next steps aside."""
        seen: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for value in self.reading.assigned[name]:
                inner = list(self._own_names(value))
                waiting += inner
                looked_at = self.reading.looks_at >= set(inner)
                got = awaited(value)
                part = got.value if isinstance(got, Subscript) else got
                if looked_at or isinstance(part, Call | Comprehension):
                    yield value

    def _own_name(self, path: str) -> str:
        """The name or attribute that the loop itself assigns and that `path` reads."""
        if path in self.reading.assigned:
            return path
        head = path.partition(".")[0]
        return head if head in self.reading.assigned else ""

    def _asked(self, expression: Expression, where: str, *, anew: bool) -> Iterator[Question]:
        if self.reading.bounds.holds(expression) or _cuts(expression):
            return
        for question in self.reading.ask.all(
            expression, where, place_of(expression, self.reading.statement)
        ):
            if question.sort == "queue" and not question.room and question.subject in self._added:
                continue
            takes = (question.sort == "queue" or question.room) and where == "take"
            if not takes and {question.subject, question.text} & self.reading.changed:
                continue
            moved = anew and self._moves(expression)
            if question.sort == "flag" and (moved or self._is_limit(question)):
                continue
            fetched = any(_is_within(question.text, r) for r in self.reading.refreshed)
            yield replace(question, sort="external") if fetched else question

    def _is_limit(self, question: Question) -> bool:
        """Whether what is asked about is a limit, a constant or configured: nobody sets it."""
        subject = question.subject.partition("[")[0]
        if not question.text.endswith(")") and any(
            named("configuration", part) for part in question.text.split(".")[:-1]
        ):
            return True
        is_event = question.text.endswith(")") and subject.isupper()  # `STOP.is_set()`
        return any(
            is_limit(name) and not self.reading.program.is_switched(self.reading.key, name)
            for name in (question.text, *(() if is_event else (subject,)))
        )

    @property
    def _added(self) -> set[str]:
        """What the loop itself adds to: it does not wait for that."""
        return added_to(self.reading.statement)

    def _moves(self, value: Expression) -> bool:
        """Whether a value is the loop's own next step: computed, or reached from the last one."""
        if isinstance(value, Arithmetic | Logic | Conditional):
            return True
        return any(self._own_name(part.path) for part in value.walk())

    def waited_for(self, question: Question) -> Question:
        """A question, marked where the body waits for a while on the very thing it asks about."""
        paused = any(p.event == question.subject and p.event for p in self._sleeps)
        joined = (
            question.subject in self.reading.waited - {p.event for p in self.reading.pauses}
            and self.reading.blocks
        )
        return replace(question, waited=paused or joined or self._takes_from(question))

    def _takes_from(self, question: Question) -> bool:
        """Whether every turn waits in a take from the very queue that is asked about."""
        return (
            question.sort == "queue"
            and not self._leaves_by(question)
            and any(
                one.does == "take"
                and one.subject == question.subject
                and one.facts is not None
                and not one.program.values.deadline(one.key, one.call, one.facts).polls
                and is_always_reached(one.occurrence.spot, self.reading.statement)
                for one in self.reading.known.values()
            )
        )

    def _leaves_by(self, question: Question) -> bool:
        """Whether the branch that a question opens can leave the loop, though it pauses first."""
        return any(
            isinstance(s, If)
            and any(leaves(b) for b in s.blocks)
            and any(e.text == question.text for e in s.test.walk())
            for s in self.reading.statement.walk()
        )

    def _only_ends(self, question: Question, test: Expression) -> bool:
        """Whether a loop that works asks a queue only to end late: `not (stopped and q.empty())`.

        It neither waits for the queue nor takes from it.
        """
        if question.sort != "queue" or self.reading.pure or len(list(clauses(test))) == 1:
            return False
        return not any(
            one.does == "take" and one.subject == question.subject
            for one in self.reading.known.values()
        )

    @property
    def is_woken(self) -> bool:
        """Whether a change ends its pauses, whatever it asks.

        A condition is notified of changes, and an event that the loop clears is set for each.
        """
        waited = self.reading.waited
        return self.reading.on_condition or any(f"{one}.clear" in waited for one in waited)

    @property
    def _sleeps(self) -> Iterator[Pause]:
        return (p for p in self.reading.pauses if p.seconds is None or p.seconds > 0)


def _taking(test: Expression) -> Iterator[Expression]:
    """What a loop takes for as long as there is any: `while stream.read(): ...`."""
    match test:
        case Call() if named("reads", test.method):
            yield test
        case Logic(values=values):
            for value in values:
                yield from _taking(value)


def _cuts(expression: Expression) -> bool:
    """Whether a slice is asked about: a part of what the loop walks along."""
    return any(isinstance(e, Subscript) and e.index == UNKNOWN for e in expression.walk())


def _is_within(text: str, owner: str) -> bool:
    """Whether a thing, as written, is a part of another: `job.state` of `job`."""
    return text == owner or text.startswith((f"{owner}.", f"{owner}["))


def _measured(test: Expression, origins: list[Expression]) -> Expression:
    """A comparison of a name that holds a size, as one of the size itself."""
    if isinstance(test, Compare) and test.left.path and len(origins) == 1:
        return Compare(origins[0], test.operators, test.rights)
    return test
