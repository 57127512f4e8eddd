"""Builds loops: what they ask, how they pause, what bounds them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from drainlint.finding import Confidence
from drainlint.link.attempts import attempts
from drainlint.link.bounds import CLOCKS, Bounds, timeout_around
from drainlint.link.calls import Known, is_log
from drainlint.link.losers import losers
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.questions import GETTER, READS, Questions, is_getter
from drainlint.link.surroundings import Spot
from drainlint.link.turns import (
    always_leaves,
    backs_off,
    clauses,
    is_endless,
    is_limit,
    keeps_time,
    leaves,
    only_raises,
    only_reports,
    read_by_tests,
    tests_of,
)
from drainlint.model.expression import (
    Arithmetic,
    Await,
    Call,
    Conditional,
    Constant,
    Expression,
    Group,
    Logic,
    Not,
    Walrus,
    Yield,
)
from drainlint.model.loop import Loop, Question, Step
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

PURE = frozenset({"min", "max", "len", "int", "float", "round", "abs", "str", "repr", "bool", "list", "tuple", "set", "sum", "sorted", "isinstance", "getattr", "hasattr", "format", "any", "all", "uniform", "random", "randint", "timedelta", "total_seconds", "join", "keys", "values", "items", "copy", "checkpoint", "lower", "upper", "strip", "get_event_loop", "get_running_loop", "loads"})  # fmt: skip
REFRESHES = frozenset({"refresh", "reload", "update", "refresh_from_db", "refetch", "sync", "expire", "expire_all"})
TELLS = re.compile(r"(self\.)?_?(on_[a-z_]+|callback|progress\w*|heartbeat|notify)$")
"""Calls that tell somebody that the loop still waits."""
SCOPES = frozenset({"suppress", "timeout", "timeout_at", "fail_after", "move_on_after", "catch_warnings"})
GUARDS = frozenset({"lock", "rlock", "condition", "semaphore", "aio-lock", "aio-condition", "timeout"})
CONDITIONS = frozenset({"condition", "aio-condition"})
OWN = frozenset({"lock", "rlock", "queue", "future", "event", "condition", "semaphore", "barrier", "result", "aio-queue", "aio-event", "aio-future", "aio-lock"})  # fmt: skip
"""Things whose own implementations wait by profession."""


def loop(program: Program, key: FunctionId, spot: Spot, known: Mapping[int, Known], pauses: Mapping[int, Pause]) -> Loop:
    """The loop that the statement at `spot` is; calls and pauses by the identity of the call."""
    statement = spot.statement
    assert isinstance(statement, While | For)  # noqa: S101 - what the caller looked for
    reading = _Reading(program, key, statement, known, pauses)
    questions = tuple(reading.waited_for(q) for q in reading.questions())
    woken = reading.is_woken or (bool(questions) and all(q.waited for q in questions))
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
        is_pure_wait=reading.pure and not reading.works and reading.asks_to_leave,
        idle_turns=reading.pure and not reading.blocks,
        deadline=reading.deadline or timeout_around(program, key, spot, known),
        blocks_on_question=woken,
        turns=reading.turns,
        blocks=reading.blocks or reading.works,
        is_own_job=_own_job(program, key, questions),
        keeps_time=keeps_time(statement, frozenset(pauses)),
        idles=reading.idles,
        reports=tuple(reading.reports),
        attempts=tuple(attempts(statement, known, pauses, sleeps=reading.idles)),
        losers=tuple(losers(statement, known, pauses, only_waits=reading.pure and not woken)),
    )


def _header(statement: While | For) -> str:
    if isinstance(statement, While):
        return f"while {statement.test.text}"
    return f"for {statement.target.text} in {statement.iterable.text}"


def _own_job(program: Program, key: FunctionId, questions: tuple[Question, ...]) -> bool:
    """Whether the loop belongs to what waits: its class is a queue, or wraps and delegates to one."""
    function = program.function(key)
    if function.implements in OWN and function.service is None:
        return True
    name = function.short_name.strip("_")
    return "." in function.name and any(q.text.endswith(f".{name}()") for q in questions)


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
    checks: list[Expression] = field(default_factory=list)
    takes: list[Expression] = field(default_factory=list)
    tried: list[Expression] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    assigned: dict[str, list[Expression]] = field(default_factory=lambda: defaultdict(list))
    waited: set[str] = field(default_factory=set)
    refreshed: set[str] = field(default_factory=set)
    reports: list[Step] = field(default_factory=list)
    idles: bool = False
    works: bool = False
    pure: bool = True
    blocks: bool = False
    on_condition: bool = False
    deadline: str = ""
    turns: float | None = None
    stated: Call | None = None

    def __post_init__(self) -> None:
        self.ask = Questions(self.program, self.key)
        self.bounds = Bounds(self.statement)
        self.tested = {id(part) for test in tests_of(self.statement) for part in test.walk()}
        self.read_by_tests = read_by_tests(self.statement)
        if isinstance(self.statement, For):
            self._turns(self.statement.iterable)
            for part in self.statement.target.walk():
                if part.path:
                    self.assigned[part.path] = []
        else:
            if self.bounds.holds(self.statement.test, to_go_on=True):
                self.deadline = "its condition"
            self._expression(self.statement.test)
        self._block(self.statement.body)
        if always_leaves(self.statement.body):
            self.pure = False
        if not self.deadline and any(self.bounds.holds(t) for t in (*self.exits, *self.checks)):
            self.deadline = "a check in its body"

    # The body

    def _block(self, block: Block) -> None:
        for number, statement in enumerate(block):
            self._statement(statement)
            if isinstance(statement, If) and self._goes_on_when_empty(statement):
                idle = (self.pure, self.blocks)
                self._block(block[number + 1 :])
                self.works = self.works or not self.pure
                self.pure, self.blocks = idle
                return

    def _statement(self, statement: Statement) -> None:  # noqa: C901, PLR0912 - one dispatch
        match statement:
            case Pass() | Leave():
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
                for item in items:
                    self._manager(item.value)
                self._block(statement.body)
            case Try():
                self._try(statement)
            case Other(word="assert", values=values):
                self.checks += values[:1]
                for value in values:
                    self._expression(value)
            case While() | For():
                self.pure = False
                self.blocks = True
            case _:
                self.pure = False

    def _if(self, statement: If) -> None:
        self._expression(statement.test)
        if only_reports(statement):
            return
        branches = (statement.body, statement.otherwise)
        if any(only_raises(b) for b in branches):
            self.checks.append(statement.test)
        elif any(leaves(b) for b in branches) and not self._sleeps_within(statement.body):
            self.exits.append(statement.test)
        else:
            self.takes.append(statement.test)
        reports = list(self.reports)
        idle = (self.pure, self.blocks)
        for branch in branches:
            if always_leaves(branch):
                self._once(branch)
            else:
                self._block(branch)
        self.reports = reports
        if self._has_work(statement):
            self.works = self.works or not self.pure
            self.pure, self.blocks = idle

    def _goes_on_when_empty(self, statement: If) -> bool:
        """`if q.empty(): continue`: what follows is only done where there is work."""
        last = statement.body[-1]
        return isinstance(last, Leave) and last.word == "continue" and not self._has_work(statement) and self._asks_queues(statement)

    def _asks_queues(self, statement: If) -> bool:
        asked = list(self.ask.all(statement.test, "take", self._place(statement.test)))
        return bool(asked) and all(q.sort == "queue" for q in asked)

    def _has_work(self, statement: If) -> bool:
        """Whether an `if` does something only where a queue has work: no part of an idle turn."""
        if statement.otherwise or self.idles or not self._asks_queues(statement):
            return False
        asks_for_none = any(isinstance(e, Call) and e.method == "empty" for e in statement.test.walk())
        return isinstance(statement.test, Not) == asks_for_none

    def _sleeps_within(self, block: Block) -> bool:
        """Whether a branch sleeps before it asks again whether to leave."""
        inside = (e for s in block for e in s.expressions)
        return not always_leaves(block) and any(id(p) in self.all_pauses for e in inside for p in e.walk())

    def _once(self, block: Block) -> None:
        """What is done on the way out is done once: it is no part of the waiting."""
        pure, blocks, changed = self.pure, self.blocks, set(self.changed)
        pauses, idles = list(self.pauses), self.idles
        self._block(block)
        self.pure, self.blocks, self.changed = pure, blocks, changed
        self.pauses, self.idles = pauses, idles

    def _try(self, statement: Try) -> None:
        self._block(statement.body)
        for handler in statement.handlers:
            if always_leaves(handler.body):
                self.tried += [part for s in statement.body for e in s.expressions for part in e.walk()]
            if handler.name:
                self.assigned[handler.name] = []
            idles, reports = self.idles, list(self.reports)
            if always_leaves(handler.body):
                self._once(handler.body)
            else:
                self._block(handler.body)
            self.reports = reports
            if backs_off(handler):
                self.idles = idles
        self._block(statement.otherwise)
        self._block(statement.final)

    def _manager(self, value: Expression) -> None:
        kind = self.program.kinds.of(self.key, value)
        if kind is not None and kind.nature in GUARDS:
            return
        if not isinstance(value, Call) or value.method in SCOPES:
            return
        if self._asks_outside(value):
            return
        self.pure = False

    def _do(self, value: Expression) -> None:
        inner = value
        while isinstance(inner, Await | Yield) and inner.parts:
            inner = inner.parts[0]
        if not isinstance(inner, Call):
            if isinstance(inner, Constant) or (inner is value and not isinstance(value, Yield)):
                return
            self.blocks = True
            if isinstance(value, Yield):
                self.pure = False
            return
        if is_log(inner):
            self.reports.append(Step(inner.text, inner.place))
            return
        self.stated = inner
        self._call(inner)
        for part in inner.parts:
            self._expression(part)

    def _call(self, call: Call) -> None:
        """A call in the body: a pause, a question, a refresh, or work."""
        pause = self.all_pauses.get(id(call)) or self._paused_within(call)
        if pause is not None:
            self.pauses.append(pause)
            self.idles = True
            self._timed(call, pause)
        elif not self._is_waiting(call) and not self._is_answer(call):
            self.pure = False
            self.blocks = True
            if call.receiver is not None and call.receiver.path:
                self.changed.add(call.receiver.path)

    def _timed(self, call: Call, pause: Pause) -> None:
        if pause.event:
            self.waited.add(pause.event)
        one = self.known.get(id(call))
        if one is not None and one.kind is not None and one.kind.nature in CONDITIONS:
            self.on_condition = True

    def _paused_within(self, call: Call) -> Pause | None:
        """The pause that a function of the project is: it does nothing but sleep."""
        targets = self.program.graph.targets(self.key, call)
        if not targets or not all(self._only_sleeps(target) for target in targets):
            return None
        return Pause(
            path=self.key.path,
            place=call.place,
            function=self.program.function(self.key),
            text=call.text,
            seconds=None,
            cancellable=self.program.names.function(targets[0]).is_async,
            in_loop=True,
        )

    def _only_sleeps(self, target: FunctionId) -> bool:
        calls = self.program.names.function(target).calls
        known = [self.program.facts(target, c) for c in calls if c.method not in PURE]
        return bool(known) and all(k is not None and k[0].does == "sleep" for k in known)

    def _is_waiting(self, call: Call) -> bool:
        """Whether a call is known to wait, ask or set, rather than to work."""
        one = self.known.get(id(call))
        if one is None or one.facts is None:
            return False
        if one.does in ("join", "wait"):
            self.waited.add(one.subject)
            deadline = self.program.values.deadline(self.key, call, one.facts)
            self.blocks = self.blocks or not deadline.polls
            self.on_condition = self.on_condition or (one.kind is not None and one.kind.nature in CONDITIONS)
            if one.subject not in self.read_by_tests:
                self.pure = self.pure and deadline.polls
            return True
        if one.does == "clear":
            self.waited.add(f"{one.subject}.clear")
            return True
        if one.facts.asks == "external":
            self.blocks = True
        return one.does in ("bound", "set") or bool(one.facts.asks)

    def _is_answer(self, call: Call) -> bool:
        """Whether a call computes, refreshes what is asked, or asks by itself."""
        if call.method in CLOCKS or self._is_pure(call):
            return True
        if TELLS.match(call.func.path):
            self.blocks = True
            return True
        if id(call) in self.tested and self.bounds.holds(call):
            return True
        receiver = call.receiver
        head = "" if receiver is None else _root(receiver).partition(".")[0]
        if call.method in REFRESHES and receiver is not None:
            about = {receiver.text, *(a.value.path for a in call.arguments)}
            self.refreshed |= about & self.read_by_tests
            if about & self.read_by_tests:
                return True
        if call.method in READS and (head in self.assigned or isinstance(receiver, Call)):
            return head in self.assigned or self.ask.question(receiver, "exit") is not None
        self.blocks = self.blocks or bool(GETTER.match(call.method))
        where = "body" if call is self.stated else "exit"
        return self.ask.question(call, where) is not None or self._asks_outside(call)

    def _is_pure(self, call: Call) -> bool:
        if call.method == "join":
            return bool(call.arguments)
        return call.func.path.rpartition(".")[2] in PURE or call.method in PURE

    def _asks_outside(self, call: Call) -> bool:
        """Whether a call asks the world outside, and a test reads what it says."""
        one = self.known.get(id(call))
        return one is not None and one.facts is not None and one.facts.asks == "external"

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
        asked = _awaited(statement.value)
        read = all(t.path in self.read_by_tests for t in statement.targets)
        if isinstance(asked, Call) and read and is_getter(asked) and not self._is_waiting(asked):
            self.blocks = True
            for part in asked.parts:
                self._expression(part)
        else:
            self._expression(statement.value)
        for target in statement.targets:
            for part in target.walk():
                if part.path:
                    values = self.assigned[part.path]
                    values += [] if statement.operator else [statement.value]

    # Questions

    def _tests(self) -> Iterator[tuple[str, Expression]]:
        if isinstance(self.statement, While) and not is_endless(self.statement.test):
            yield "condition", self.statement.test
        yield from (("exit", test) for test in self.exits)
        yield from (("take", test) for test in self.takes)
        yield from (("exit", tried) for tried in self.tried if isinstance(tried, Call))

    @property
    def asks_to_leave(self) -> bool:
        """Whether a condition or a test that leaves it decides its end."""
        return any(where != "take" for where, _ in self._tests()) or bool(self.checks)

    def questions(self) -> Iterator[Question]:
        """What the loop asks of others: not deadlines and counters, nor what it moves itself.

        A name that the loop sets anew from a question (`alive = [t for t in ts if t.is_alive()]`)
        asks that question. Tests that only raise are asked where nothing else is.
        """
        found = [q for where, test in self._tests() for q in self._of_test(where, test)]
        found = [q for q in found if q.where != "take" or q.sort == "queue" or q.room]
        if not any(q.where != "take" for q in found):
            found += [q for test in self.checks for q in self._of_test("exit", test)]
        yield from found

    def _of_test(self, where: str, test: Expression) -> Iterator[Question]:
        for clause in clauses(test):
            own = list(self._own_names(clause))
            asked = list(self._origins(own)) if own else [clause]
            for expression in asked:
                yield from self._asked(expression, where, anew=bool(own))

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
            for value in self.assigned[name]:
                inner = list(self._own_names(value))
                waiting += inner
                if not inner or isinstance(_awaited(value), Call):
                    yield value

    def _own_name(self, path: str) -> str:
        """The name or attribute that the loop itself assigns and that `path` reads."""
        if path in self.assigned:
            return path
        head = path.partition(".")[0]
        return head if head in self.assigned else ""

    def _asked(self, expression: Expression, where: str, *, anew: bool) -> Iterator[Question]:
        if self.bounds.holds(expression):
            return
        for question in self.ask.all(expression, where, self._place(expression)):
            takes = (question.sort == "queue" or question.room) and where == "take"
            if not takes and {question.subject, question.text} & self.changed:
                continue
            moved = anew and self._moves(expression)
            if question.sort == "flag" and (moved or is_limit(question.text)):
                continue
            fetched = {question.subject, question.text, question.subject.partition(".")[0]} & self.refreshed
            yield replace(question, sort="external") if fetched else question

    def _moves(self, value: Expression) -> bool:
        """Whether a value is the loop's own next step: computed, or reached from the last one."""
        if isinstance(value, Arithmetic | Logic | Conditional):
            return True
        return any(self._own_name(part.path) for part in value.walk())

    def _place(self, test: Expression) -> Place:
        for part in test.walk():
            if isinstance(part, Call):
                return part.place
        return self.statement.place

    def waited_for(self, question: Question) -> Question:
        """A question, marked where the body waits for a while on the very thing it asks about."""
        paused = any(p.event == question.subject and p.event for p in self._sleeps)
        joined = question.subject in self.waited - {p.event for p in self.pauses} and self.blocks
        return replace(question, waited=paused or joined)

    @property
    def is_woken(self) -> bool:
        """Whether a change ends its pauses, whatever it asks.

        A condition is notified of changes, and an event that the loop clears is set for each.
        """
        return self.on_condition or any(f"{p.event}.clear" in self.waited for p in self._sleeps)

    @property
    def _sleeps(self) -> Iterator[Pause]:
        return (p for p in self.pauses if p.seconds is None or p.seconds > 0)

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


def _awaited(value: Expression) -> Expression:
    while isinstance(value, Await | Yield) and value.parts:
        value = value.parts[0]
    return value


def _root(expression: Expression) -> str:
    """The name that a chain of attributes, calls and subscripts begins with."""
    while expression.parts and not expression.path:
        expression = expression.parts[0]
    return expression.path
