"""Reads a loop's own body in one pass: whether it only waits, what it tests and changes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drainlint.knowledge.names import named
from drainlint.link.bounds import turns_counted, turns_of
from drainlint.link.calls import Known, is_log
from drainlint.link.evaluating import Evaluating, asks_outside, only_guards
from drainlint.link.fetched import added_to
from drainlint.link.probes import won
from drainlint.link.questions import Questions
from drainlint.link.turns import (
    always_leaves,
    asks_to_stop,
    backs_off,
    done_once,
    ends_loop,
    goes_on,
    is_now_and_then,
    leaves,
    leaves_in_time,
    only_raises,
    only_reports,
    place_of,
    rounds,
)
from drainlint.link.walks import ends_turns, kept, learnt, only_looks
from drainlint.model.expression import Call, Compare, Constant, Expression, Logic, Not
from drainlint.model.pause import Pause
from drainlint.model.statement import (
    Assign,
    Block,
    Do,
    For,
    If,
    Item,
    Leave,
    Other,
    Pass,
    Raise,
    Return,
    Statement,
    Try,
    While,
    With,
)

OTHERS = frozenset({"queue", "liveness", "parent", "everything"})
"""Sorts of questions that only somebody else's doing can answer anew."""


@dataclass
class Reading(Evaluating):
    """One pass over a loop's own body."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._rounds = {id(statement) for statement in rounds(self.statement.body)}
        self._books: set[int] = set()
        if isinstance(self.statement, For):
            self.turns, self.deadline, endless = turns_of(self.program, self.key, self.statement)
            self.pure = endless or bool(self.turns) or "range(" in self.deadline
            self.walks_over = {p.path for p in self.statement.target.walk() if p.path}
            self.assigned.update({path: [] for path in self.walks_over})
        else:
            if self.bounds.holds(self.statement.test, to_go_on=True):
                self.deadline = "its condition"
            self._expression(self.statement.test)
        self._block(self.statement.body)
        if always_leaves(self.statement.body) and not self.won:
            self.pure = False
        ways_out = (*self.exits, *self.checks)
        if not self.deadline and any(self.bounds.holds(test) for test in ways_out):
            self.deadline = "a check in its body"
        if isinstance(self.statement, While):
            self.turns, counted = turns_counted(self.program, self.key, self.bounds, ways_out)
            self.deadline = counted or self.deadline

    # The body

    def _block(self, block: Block) -> None:
        for number, statement in enumerate(block):
            self._statement(statement)
            rest = block[number + 1 :]
            if id(statement) in self._rounds:
                self._once(rest)
                return
            if isinstance(statement, If) and self._has_none(statement):
                idle = (self.pure, self.blocks, self.lingers)
                self._block(rest)
                self.works = self.works or not self.pure
                self.pure, self.blocks, self.lingers = idle
                return

    def _statement(self, statement: Statement) -> None:
        match statement:
            case Pass() | Leave():
                pass
            case Do(value=value) if id(value) in self._books:
                pass
            case Do(value=value):
                self._do(value)
            case Assign():
                self._assign(statement)
            case If():
                self._if(statement)
            case Return(value=value) | Raise(value=value):
                if value is not None and isinstance(statement, Return):
                    self._expression(value)
            case With(items=items):
                self.pure = self.pure and all(only_guards(self, item.value) for item in items)
                for item in items:
                    self._enter(item)
                self._block(statement.body)
            case Try():
                self._try(statement)
            case Other(word="assert", values=values):
                self.checks += values[:1]
                for value in values:
                    self._expression(value)
            case For() if only_looks(statement, self.all_pauses):
                self._look_through(statement)
            case While() | For():
                self.pure = False
                self.blocks = True
                self.changed |= added_to(statement)
            case _:
                self.pure = False

    def _enter(self, item: Item) -> None:
        """`with session.get(url) as answer`: the name stands for what the world outside says."""
        if item.target is not None and asks_outside(self.known.get(id(item.value))):
            self.blocks = True
            self.assigned[item.target.path].append(item.value)

    def _look_through(self, walk: For) -> None:
        """A walk through what there is, to learn something: what it sets says what it tested."""
        self.blocks = self.blocks or not self._asks_after_others(walk)
        books = list(kept(walk))
        self._books |= {id(call) for _, call in books}
        told = {path for path, _ in books if "." in path}
        self.pure = self.pure and told <= self.read_by_tests
        self._expression(walk.iterable)
        for name, value in learnt(walk):
            self.looks_at.add(name)
            self.assigned[name].append(value)
        exits = list(self.exits)
        self._block((*walk.body, *walk.otherwise))
        if not ends_turns(walk):
            self.exits = exits

    def _asks_after_others(self, walk: For) -> bool:
        """Whether a walk asks for what others do, such as to live; a search asks for less."""
        tests = [s.test for s in walk.walk() if isinstance(s, If)]
        asked = (q for t in tests for q in self.ask.all(t, "exit", place_of(t, walk)))
        return any(q.sort in OTHERS for q in asked)

    def _if(self, statement: If) -> None:
        self._expression(statement.test)
        ends = ends_loop(statement, self.statement)
        if (only_reports(statement) or self._tells_size(statement)) and not ends:
            self._block(tuple(s for s in statement.walk() if isinstance(s, Assign)))
            return
        if done_once(statement, self.statement) or (is_now_and_then(statement) and not ends):
            self._once(statement.body)
            return
        branches = (statement.body, statement.otherwise)
        if any(only_raises(b) or ends_program(b, self.known) for b in branches):
            self.checks.append(statement.test)
        elif id(statement) in self._rounds or (
            ends and not sleeps_before_it_ends(statement, self.all_pauses)
        ):
            self.exits.append(statement.test)
        else:
            self.takes.append(statement.test)
            if any(sleeps_within(b, self.all_pauses) for b in branches):
                self.pausing.add(id(statement.test))
        reports = list(self.reports)
        idle = (self.pure, self.blocks, self.lingers)
        for branch in branches:
            if always_leaves(branch) or ends_program(branch, self.known):
                self._once(branch)
            else:
                self._block(branch)
        self.reports = reports
        if self._rests_after(statement):
            self.works = True
        if self._has_work(statement):
            self.works = self.works or not self.pure
            self.pure, self.blocks, self.lingers = idle

    def _tells_size(self, statement: If) -> bool:
        """Whether an `if` asks how much there is only to tell it: a log line, a gauge."""
        test = statement.test.left if isinstance(statement.test, Compare) else statement.test
        sizes = self.assigned.get(test.path, [])
        if not sizes or not all(isinstance(s, Call) and named("size", s.method) for s in sizes):
            return False
        return all(
            isinstance(s, Do)
            and isinstance(s.value, Call)
            and (is_log(s.value) or any(a.value.path == test.path for a in s.value.arguments))
            for block in statement.blocks
            for s in block
        )

    def _rests_after(self, statement: If) -> bool:
        """Whether a pause is for what has come: `if message is not None: sleep(...)`.

        Who polls sleeps when nothing has come.
        """
        test = statement.test
        came, *others = test.values if isinstance(test, Logic) else (test,)
        if not isinstance(came, Compare) or came.operators != ("is not",) or statement.otherwise:
            return False
        asked = {part.path for other in others for part in other.walk()}
        fetched = came.left.path in self.assigned and came.left.path not in asked
        return (
            fetched
            and not leaves(statement.body)
            and sleeps_within(statement.body, self.all_pauses)
        )

    def _has_none(self, statement: If) -> bool:
        """`if q.empty(): continue`: what follows is only done where there is work."""
        nothing = goes_on(statement) and asks_queues(self.ask, statement, self.statement)
        return nothing and not self._has_work(statement)

    def _has_work(self, statement: If) -> bool:
        return not self.idles and has_work(self.ask, statement, self.statement)

    def _once(self, block: Block) -> None:
        """What is done on the way out is done once: it is no part of the waiting."""
        idle, changed = (self.pure, self.blocks, self.lingers), set(self.changed)
        pauses, idles, reports = list(self.pauses), self.idles, list(self.reports)
        assigned = {path: list(values) for path, values in self.assigned.items()}
        self._block(block)
        self.assigned = defaultdict(list, assigned)
        (self.pure, self.blocks, self.lingers), self.changed = idle, changed
        self.pauses, self.idles, self.reports = pauses, idles, reports

    def _try(self, statement: Try) -> None:
        asked = won(statement, self.statement, self.known)
        self.won += asked
        self.blocks = self.blocks or bool(asked)
        if not asked:
            self._block(statement.body)
        for handler in statement.handlers:
            ends = leaves_in_time(handler) or ends_program(handler.body, self.known)
            if ends and not asks_to_stop(handler):
                self.tried += evaluated(statement.body)
            if handler.name:
                self.assigned[handler.name] = []
            idles, reports = self.idles, list(self.reports)
            assigned = {path: list(values) for path, values in self.assigned.items()}
            if always_leaves(handler.body) or ends_program(handler.body, self.known):
                self._once(handler.body)
            else:
                self._block(handler.body)
            self.reports = reports
            for path in (p for p in set(self.assigned) - set(assigned) if "." in p):
                if all(isinstance(value, Constant) for value in self.assigned[path]):
                    del self.assigned[path]  # a failure sets it: others may do so as well
            if backs_off(handler):
                self.idles = idles
        if not asked:
            self._block(statement.otherwise)
        self._block(statement.final)


def asks_queues(ask: Questions, statement: If, loop: While | For) -> bool:
    """Whether a test asks queues, and nothing else."""
    asked = list(ask.all(statement.test, "take", place_of(statement.test, loop)))
    return bool(asked) and all(q.sort == "queue" for q in asked)


def has_work(ask: Questions, statement: If, loop: While | For) -> bool:
    """Whether an `if` does something only where a queue has work: no part of an idle turn."""
    if statement.otherwise or not asks_queues(ask, statement, loop):
        return False
    asks_for_none = any(isinstance(e, Call) and e.method == "empty" for e in statement.test.walk())
    return isinstance(statement.test, Not) == asks_for_none


def evaluated(block: Block) -> Iterator[Expression]:
    """What the statements of a block evaluate, those of blocks within aside."""
    return (part for s in block for e in s.expressions for part in e.walk())


def ends_program(block: Block, known: Mapping[int, Known]) -> bool:
    """Whether a block ends with the whole program's end: `sys.exit(1)`."""
    last = block[-1] if block else None
    if not isinstance(last, Do) or not isinstance(last.value, Call):
        return False
    one = known.get(id(last.value))
    return one is not None and one.does in ("exit", "hard-exit")


def sleeps_before_it_ends(statement: If, pauses: Mapping[int, Pause]) -> bool:
    """Whether the branches by which an `if` leaves the loop sleep first."""
    ending = [b for b in statement.blocks if leaves(b)] or [statement.body]
    return all(sleeps_within(block, pauses) for block in ending)


def sleeps_within(block: Block, pauses: Mapping[int, Pause]) -> bool:
    """Whether a branch sleeps before it asks again whether to leave."""
    return not always_leaves(block) and any(id(part) in pauses for part in evaluated(block))
