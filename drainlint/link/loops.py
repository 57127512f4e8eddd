"""Builds loops: what they ask, how they pause, what bounds them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drainlint.finding import Confidence
from drainlint.link.calls import Known, is_log
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.questions import Questions
from drainlint.link.surroundings import Spot
from drainlint.model.expression import (
    Arithmetic,
    Attribute,
    Await,
    Call,
    Compare,
    Constant,
    Expression,
    Group,
    Logic,
    Name,
    Not,
    Walrus,
    Yield,
)
from drainlint.model.loop import Loop, Question
from drainlint.model.pause import Pause
from drainlint.model.place import Place
from drainlint.model.statement import (
    Assign,
    Block,
    Do,
    For,
    If,
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

CLOCKS = frozenset({"time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "now", "utcnow", "process_time", "clock"})  # fmt: skip
DEADLINES = re.compile(r"deadline|time_?out|expire|remaining|time_left|elapsed|give_?up|until|end_time|start_time|started_at", re.I)  # fmt: skip
COUNTERS = re.compile(r"attempt|retr|tries|count|iteration|loops?$|turns?$|^[ijn]$|_n$|times|ticks", re.I)
PURE = frozenset({"min", "max", "len", "int", "float", "round", "abs", "str", "repr", "bool", "list", "tuple", "set", "sum", "sorted", "isinstance", "getattr", "format", "any", "all", "uniform", "random", "randint", "timedelta", "total_seconds", "join", "keys", "values", "items", "copy", "checkpoint"})  # fmt: skip
REFRESHES = frozenset({"refresh", "reload", "update", "refresh_from_db", "refetch", "sync"})
FEW = 100
"""A `for` over so many turns or less is no spin."""


def loop(program: Program, key: FunctionId, spot: Spot, known: Mapping[int, Known], pauses: Mapping[int, Pause]) -> Loop:
    """The loop that the statement at `spot` is; calls and pauses by the identity of the call."""
    statement = spot.statement
    assert isinstance(statement, While | For)  # noqa: S101 - what the caller looked for
    reading = _Reading(program, key, statement, known, pauses)
    questions = tuple(reading.questions())
    around = _timeout_around(spot, known)
    place = statement.place
    return Loop(
        path=key.path,
        place=place,
        function=program.function(key),
        drain=program.drain(key, place.line),
        confidence=Confidence.HIGH if any(q.certain for q in questions) else Confidence.MEDIUM,
        text=_header(statement),
        questions=questions,
        pauses=tuple(reading.pauses),
        is_pure_wait=reading.pure and reading.asks_to_leave,
        deadline=reading.deadline or around,
        blocks_on_question=reading.blocks_on(questions),
        turns=reading.turns,
        blocks=reading.blocks,
    )


def _header(statement: While | For) -> str:
    if isinstance(statement, While):
        return f"while {statement.test.text}"
    return f"for {statement.target.text} in {statement.iterable.text}"


def _timeout_around(spot: Spot, known: Mapping[int, Known]) -> str:
    for statement in spot.withs:
        for item in statement.items:
            one = known.get(id(item.value))
            if one is not None and not one.own_bound.is_none:
                return f"the enclosing `{one.call.text}`"
    return ""


@dataclass
class _Reading:
    """One pass over a loop's own body."""

    program: Program
    key: FunctionId
    statement: While | For
    known: Mapping[int, Known]
    all_pauses: Mapping[int, Pause]
    pauses: list[Pause] = field(default_factory=list)
    exits: list[Expression] = field(default_factory=list)
    takes: list[Expression] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    assigned: dict[str, list[Expression]] = field(default_factory=lambda: defaultdict(list))
    waited: set[str] = field(default_factory=set)
    pure: bool = True
    blocks: bool = False
    deadline: str = ""
    turns: float | None = None

    def __post_init__(self) -> None:
        self.ask = Questions(self.program, self.key)
        if isinstance(self.statement, For):
            self._turns(self.statement.iterable)
            for part in self.statement.target.walk():
                if part.path:
                    self.assigned[part.path] = []
        elif self._is_deadline(self.statement.test):
            self.deadline = "its condition"
        if isinstance(self.statement, While):
            self._expression(self.statement.test)
        self._block(self.statement.body)
        if self.statement.otherwise and self.pure:
            self._block(self.statement.otherwise)
        if not self.deadline and any(self._is_deadline(test) for test in self.exits):
            self.deadline = "a check in its body"

    # The body

    def _block(self, block: Block) -> None:
        for statement in block:
            self._statement(statement)

    def _statement(self, statement: Statement) -> None:  # noqa: C901, PLR0912 - one dispatch
        match statement:
            case Pass() | Leave():
                pass
            case Do(value=value):
                self._do(value)
            case Assign():
                self._assign(statement)
            case If(test=test):
                self._expression(test)
                leaves = _leaves(statement.body) or _leaves(statement.otherwise)
                if leaves:
                    self.exits.append(test)
                else:
                    self.takes.append(test)
                self._block(statement.body)
                self._block(statement.otherwise)
            case Return(value=value) | Raise(value=value):
                if value is not None and isinstance(statement, Return):
                    self._expression(value)
            case With(items=items):
                for item in items:
                    self._manager(item.value)
                self._block(statement.body)
            case Try():
                for block in statement.blocks:
                    self._block(block)
            case Other(word="assert", values=values):
                for value in values:
                    self._expression(value)
            case While() | For():
                self.pure = False
                self.blocks = True
            case _:
                self.pure = False

    def _manager(self, value: Expression) -> None:
        kind = self.program.kinds.of(self.key, value)
        if kind is not None and kind.nature in ("lock", "rlock", "condition", "semaphore", "aio-lock", "aio-condition", "timeout"):
            return
        if isinstance(value, Call) and value.method in ("suppress", "timeout", "timeout_at", "fail_after", "move_on_after"):
            return
        if not isinstance(value, Call):
            return
        self.pure = False

    def _do(self, value: Expression) -> None:
        inner = value
        while isinstance(inner, Await | Yield) and inner.parts:
            inner = inner.parts[0]
        if not isinstance(inner, Call):
            if isinstance(inner, Constant) or inner is value and not isinstance(value, Yield):
                return
            self.blocks = True
            if isinstance(value, Yield):
                self.pure = False
            return
        if is_log(inner):
            return
        self._call(inner)
        for argument in inner.arguments:
            self._expression(argument.value)

    def _call(self, call: Call) -> None:
        """A call in the body: a pause, a question, a refresh, or work."""
        pause = self.all_pauses.get(id(call))
        if pause is not None:
            self.pauses.append(pause)
            if pause.event:
                self.waited.add(pause.event)
            return
        one = self.known.get(id(call))
        if one is not None and one.facts is not None:
            if one.does in ("join", "wait"):
                self.waited.add(one.subject)
                deadline = self.program.values.deadline(self.key, call, one.facts)
                if not deadline.polls:
                    self.blocks = True
                if one.subject not in self._asked_texts():
                    self.pure = self.pure and deadline.polls
                return
            if one.does == "bound":
                return
            if one.does in ("ask", "set") or one.facts.asks:
                return
        if self._is_pure_call(call):
            return
        receiver = call.receiver
        if call.method in REFRESHES and receiver is not None and receiver.text in self._asked_texts():
            return
        if self.ask.question(call) is not None:
            return
        self.pure = False
        self.blocks = True
        if receiver is not None and receiver.path:
            self.changed.add(receiver.path)

    def _is_pure_call(self, call: Call) -> bool:
        return call.method in CLOCKS or call.func.path.rpartition(".")[2] in PURE and (
            "." not in call.func.path or call.receiver is None or call.method != "update"
        )

    def _expression(self, value: Expression) -> None:
        """Calls within an expression whose value is used."""
        for part in value.walk():
            if isinstance(part, Call):
                self._call(part)
            elif isinstance(part, Walrus):
                self.assigned[part.target].append(part.value)

    def _assign(self, statement: Assign) -> None:
        if statement.value is None:
            return
        self._expression(statement.value)
        for target in statement.targets:
            for part in target.walk():
                if part.path:
                    self.assigned[part.path].append(statement.value)

    # Questions

    def _tests(self) -> Iterator[tuple[str, Expression]]:
        if isinstance(self.statement, While) and not _endless(self.statement.test):
            yield "condition", self.statement.test
        yield from (("exit", test) for test in self.exits)
        yield from (("take", test) for test in self.takes)

    def _asked_texts(self) -> frozenset[str]:
        texts: set[str] = set()
        for _, test in self._tests():
            for part in test.walk():
                if part.path:
                    texts.add(part.path)
                    texts.add(part.path.rpartition(".")[0])
                elif isinstance(part, Call) and part.receiver is not None:
                    texts.add(part.receiver.text)
        return frozenset(texts - {""})

    @property
    def asks_to_leave(self) -> bool:
        """Whether a condition or a test that leaves it decides its end."""
        return any(where != "take" for where, _ in self._tests())

    def questions(self) -> Iterator[Question]:
        """What the loop asks of others: not deadlines and counters, nor what it moves itself.

        A name that the loop sets anew from a question (`alive = [t for t in ts if t.is_alive()]`)
        asks that question.
        """
        for where, test in self._tests():
            for clause in _clauses(test):
                own = [p for e in clause.walk() if (p := self._own_name(e.path))]
                asked = [v for p in own for v in self.assigned[p]] if own else [clause]
                for expression in asked:
                    yield from self._asked(expression, where, anew=bool(own))

    def _own_name(self, path: str) -> str:
        """The name or attribute that the loop itself assigns and that `path` reads."""
        if path in self.assigned:
            return path
        head = path.partition(".")[0]
        return head if head in self.assigned else ""

    def _asked(self, expression: Expression, where: str, *, anew: bool) -> Iterator[Question]:
        for question in self.ask.all(expression, where, self._place(expression)):
            if question.subject in self.changed or question.text in self.changed:
                continue
            if question.sort == "flag" and (anew or _is_bound(question.text)):
                continue
            yield question

    def _place(self, test: Expression) -> Place:
        for part in test.walk():
            if isinstance(part, Call):
                return part.place
        return self.statement.place

    def blocks_on(self, questions: tuple[Question, ...]) -> bool:
        """Whether the body waits for a while on the very thing that is asked about."""
        subjects = {q.subject for q in questions}
        for pause in self.pauses:
            if pause.event and pause.event in subjects and (pause.seconds is None or pause.seconds > 0):
                return True
        return bool(self.waited & subjects) and self.blocks

    # Bounds

    def _turns(self, iterable: Expression) -> None:
        call = iterable if isinstance(iterable, Call) else None
        if isinstance(iterable, Group):
            self.turns = float(len(iterable.items))
        elif call is not None and call.func.path in ("range", "xrange") and call.arguments:
            last = call.arguments[1 if len(call.arguments) > 1 else 0].value
            self.turns = self.program.values.number(self.key, last)
            self.deadline = f"`{call.text}`"
        elif call is not None and call.method in ("count", "repeat", "cycle", "iter"):
            return
        else:
            self.deadline = f"the end of `{iterable.text}`"
            self.pure = False
        if self.turns is not None:
            self.deadline = f"at most {self.turns:g} turns"

    def _is_deadline(self, test: Expression) -> bool:
        """Whether a test compares a clock, or a count of attempts, with a limit."""
        match test:
            case Logic(operator="and", values=values) if isinstance(self.statement, While):
                return any(self._is_deadline(v) for v in values)
            case Logic(values=values):
                return any(self._is_deadline(v) for v in values)
            case Not(value=value):
                return self._is_deadline(value)
            case Compare(operators=(sign,)) if sign in ("<", "<=", ">", ">=", "==", "!="):
                parts = list(test.walk())
                if any(isinstance(p, Call) and p.method in CLOCKS for p in parts):
                    return True
                paths = [p.path for p in parts if p.path]
                if any(DEADLINES.search(p.rpartition(".")[2]) for p in paths):
                    return True
                return any(COUNTERS.search(p.rpartition(".")[2]) and p in self._counted for p in paths) or any(
                    p in self._counted and "." not in p for p in paths
                )
            case Name(dotted=path):
                return path in self._counted
        return False

    @property
    def _counted(self) -> frozenset[str]:
        """Names that the body counts up or down, or sets from a clock."""
        found: set[str] = set()
        for statement in self.statement.walk():
            if isinstance(statement, Assign) and statement.value is not None:
                paths = {t.path for t in statement.targets if t.path}
                reads = {e.path for e in statement.value.walk() if e.path}
                arithmetic = isinstance(statement.value, Arithmetic) and bool(paths & reads)
                if statement.operator in ("+=", "-=") or arithmetic:
                    found |= paths
        return frozenset(found)


def _clauses(test: Expression) -> Iterator[Expression]:
    """The parts of a test that are asked one by one."""
    match test:
        case Logic(values=values):
            for value in values:
                yield from _clauses(value)
        case Not(value=value):
            yield from _clauses(value)
        case _:
            yield test


def _endless(test: Expression) -> bool:
    return isinstance(test, Constant) and bool(test.value)


def _leaves(block: Block) -> bool:
    """Whether a block can leave the loop by itself: break, return or raise at its own level."""
    for statement in block:
        if isinstance(statement, Return | Raise):
            return True
        if isinstance(statement, Leave) and statement.word == "break":
            return True
        if isinstance(statement, If | With | Try) and any(_leaves(b) for b in statement.blocks):
            return True
    return False


def _is_bound(text: str) -> bool:
    """Whether a name says that it is a limit, not a flag somebody sets."""
    last = text.rpartition(".")[2]
    return bool(DEADLINES.search(last)) or last in ("forever", "loop", "debug", "True")
