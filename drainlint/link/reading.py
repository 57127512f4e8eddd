"""Reads a loop's own body in one pass: whether it only waits, what it tests and changes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drainlint.knowledge.names import named
from drainlint.link.bounds import CLOCKS, Bounds, turns_of
from drainlint.link.calls import Known, is_log
from drainlint.link.fetched import (
    added_to,
    brought_by,
    calls_in,
    collects,
    filled_by,
    is_computed,
    notes,
    only_computes,
    reaps,
    refreshed_by,
)
from drainlint.link.names import FunctionId
from drainlint.link.pauses import pause_within
from drainlint.link.program import Program
from drainlint.link.questions import Questions, is_getter
from drainlint.link.spared import is_coroutine
from drainlint.link.turns import (
    always_leaves,
    asks_to_stop,
    backs_off,
    clauses,
    done_once,
    ends_loop,
    goes_round,
    is_now_and_then,
    leaves,
    only_raises,
    only_reports,
    place_of,
    read_by_tests,
    tests_of,
)
from drainlint.model.expression import Await, Call, Constant, Expression, Not, Yield
from drainlint.model.loop import Step
from drainlint.model.pause import Pause
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

GUARDS = frozenset(
    {"lock", "rlock", "condition", "semaphore", "aio-lock", "aio-condition", "timeout"}
)
CONDITIONS = frozenset({"condition", "aio-condition"})


@dataclass
class Reading:
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
    pausing: set[int] = field(default_factory=set)
    tried: list[Expression] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    walks_over: set[str] = field(default_factory=set)
    looks_at: set[str] = field(default_factory=set)
    struck: set[int] = field(default_factory=set)
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
        self._is_coroutine = is_coroutine(self.program.names.function(self.key))
        self.ask = Questions(self.program, self.key)
        self.bounds = Bounds(self.statement)
        self.relocked = relocked(self.statement, self.known)
        self.tested = {id(part) for test in tests_of(self.statement) for part in test.walk()}
        self.read_by_tests = read_by_tests(self.statement)
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
        if always_leaves(self.statement.body):
            self.pure = False
        if not self.deadline and any(self.bounds.holds(t) for t in (*self.exits, *self.checks)):
            self.deadline = "a check in its body"

    # The body

    def _block(self, block: Block) -> None:
        for number, statement in enumerate(block):
            rest = block[number + 1 :]
            if goes_round(statement, rest) and sleeps_within(statement.body, self.all_pauses):
                self.exits.append(statement.test)
                self._statement(statement)
                self._once(rest)
                return
            self._statement(statement)
            if isinstance(statement, If) and goes_on_when_empty(self, statement):
                idle = (self.pure, self.blocks)
                self._block(rest)
                self.works = self.works or not self.pure
                self.pure, self.blocks = idle
                return

    def _statement(self, statement: Statement) -> None:
        match statement:
            case Pass() | Leave():
                pass
            case Do() if id(statement) in self.struck:
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
                self._block(statement.body)
            case Try():
                self._try(statement)
            case Other(word="assert", values=values):
                self.checks += values[:1]
                for value in values:
                    self._expression(value)
            case For() if looks_through(statement, self.all_pauses):
                self._look_through(statement)
            case While() | For():
                self.pure = False
                self.blocks = True
                self.changed |= added_to(statement)
            case _:
                self.pure = False

    def _look_through(self, statement: For) -> None:
        """A walk through what there is, to learn something: what it sets says what it tested."""
        self.blocks = True
        self.struck |= {id(s) for s in statement.walk() if struck_off(s, statement)}
        self._expression(statement.iterable)
        for name, value in learnt(statement):
            self.looks_at.add(name)
            self.assigned[name].append(value)
        self._block((*statement.body, *statement.otherwise))

    def _if(self, statement: If) -> None:
        self._expression(statement.test)
        ends = ends_loop(statement, self.statement)
        if only_reports(statement) and not ends:
            self._block(tuple(s for s in statement.walk() if isinstance(s, Assign)))
            return
        if done_once(statement, self.statement) or (is_now_and_then(statement) and not ends):
            self._once(statement.body)
            return
        branches = (statement.body, statement.otherwise)
        if any(only_raises(b) or ends_program(b, self.known) for b in branches):
            self.checks.append(statement.test)
        elif ends and not sleeps_before_it_ends(statement, self.all_pauses):
            self.exits.append(statement.test)
        else:
            self.takes.append(statement.test)
            if any(sleeps_within(b, self.all_pauses) for b in branches):
                self.pausing.add(id(statement.test))
        reports = list(self.reports)
        idle = (self.pure, self.blocks)
        for branch in branches:
            if always_leaves(branch) or ends_program(branch, self.known):
                self._once(branch)
            else:
                self._block(branch)
        self.reports = reports
        if has_work(self, statement):
            self.works = self.works or not self.pure
            self.pure, self.blocks = idle

    def _once(self, block: Block) -> None:
        """What is done on the way out is done once: it is no part of the waiting."""
        pure, blocks, changed = self.pure, self.blocks, set(self.changed)
        pauses, idles = list(self.pauses), self.idles
        assigned = {path: list(values) for path, values in self.assigned.items()}
        self._block(block)
        self.assigned = defaultdict(list, assigned)
        self.pure, self.blocks, self.changed = pure, blocks, changed
        self.pauses, self.idles = pauses, idles

    def _try(self, statement: Try) -> None:
        self._block(statement.body)
        for handler in statement.handlers:
            if always_leaves(handler.body) and not asks_to_stop(handler):
                self.tried += evaluated(statement.body)
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

    def _do(self, value: Expression) -> None:
        inner = value
        while isinstance(inner, Await | Yield) and inner.parts:
            inner = inner.parts[0]
        if not isinstance(inner, Call):
            yields = isinstance(value, Yield)
            hands_over = yields and not self._is_coroutine
            if not hands_over and (isinstance(inner, Constant) or (inner is value and not yields)):
                return
            self.blocks = True
            self.pure = self.pure and not yields
            return
        if is_log(inner):
            self.reports.append(Step(inner.text, inner.place))
            self._waits_inside(inner)
            return
        self.stated = inner
        self._call(inner)
        if id(inner) in self.all_pauses:  # how long it is is computed
            return
        for part in inner.parts:
            self._expression(part)

    def _waits_inside(self, report: Call) -> None:
        """What a log call waits for to have something to say: `print(q.get())`."""
        for part in (p for a in report.arguments for p in a.value.walk()):
            one = self.known.get(id(part))
            if one is not None and one.facts is not None and one.facts.waits:
                self._call(one.call)

    def _call(self, call: Call) -> None:
        """A call in the body: a pause, a question, a refresh, or work."""
        pause = self.all_pauses.get(id(call)) or pause_within(self.program, self.key, call)
        if pause is not None:
            self.pauses.append(pause)
            self.idles = True
            self._timed(call, pause)
        elif not self._is_waiting(call) and not self._is_answer(call):
            self.pure = False
            self.blocks = True
            if call.receiver is not None and call.receiver.path:
                self.changed.add(call.receiver.path)
                self.changed.update(filled_by(self.program, self.key, call))

    def _timed(self, call: Call, pause: Pause) -> None:
        if pause.event:
            self.waited.add(pause.event)
        one = self.known.get(id(call))
        if one is not None and one.kind is not None and one.kind.nature in CONDITIONS:
            self.on_condition = True

    def _is_waiting(self, call: Call) -> bool:
        """Whether a call is known to wait, ask or set, rather than to work."""
        one = self.known.get(id(call))
        if one is None or one.facts is None:
            return False
        if one.does in ("join", "wait"):
            self.waited.add(one.subject)
            deadline = self.program.values.deadline(self.key, call, one.facts)
            self.blocks = self.blocks or not deadline.polls
            self.on_condition = self.on_condition or (
                one.kind is not None and one.kind.nature in CONDITIONS
            )
            if one.subject not in self.read_by_tests:
                self.pure = self.pure and deadline.polls
            return True
        if one.does == "clear":
            self.waited.add(f"{one.subject}.clear")
            return True
        if one.subject in self.relocked and one.does in ("lock", "release"):
            return True
        if one.facts.asks == "external":
            self.blocks = True
            self.refreshed |= refreshed_by(call, self.read_by_tests)
        return one.does in ("bound", "set") or bool(one.facts.asks)

    def _is_answer(self, call: Call) -> bool:
        """Whether a call computes, refreshes what is asked, or asks by itself."""
        if call.method in CLOCKS or is_computed(call):
            return True
        if call.func.path == call.method and named("tells", call.method):
            self.blocks = True
            return True
        if id(call) in self.tested and self.bounds.holds(call):
            return True
        receiver = call.receiver
        head = "" if receiver is None else root(receiver).partition(".")[0]
        about = refreshed_by(call, self.read_by_tests)
        if about := about or brought_by(self.program, self.key, call, self.read_by_tests):
            self.refreshed |= about
            return True
        if receiver is not None and notes(call, self.assigned):
            self.changed.add(receiver.path)
            return True
        if reaps(self.program, self.key, call) or only_computes(self.program, self.key, call):
            return True
        if named("unpacks", call.method) and (head in self.assigned or isinstance(receiver, Call)):
            asked = None if receiver is None else self.ask.question(receiver, "exit")
            return head in self.assigned or asked is not None
        self.blocks = self.blocks or named("looks-up", call.method)
        where = "body" if call is self.stated else "exit"
        return self.ask.question(call, where) is not None or asks_outside(self.known.get(id(call)))

    def _expression(self, value: Expression) -> None:
        """Calls within an expression whose value is used."""
        for call in calls_in(value, self.assigned):
            self._call(call)

    def _assign(self, statement: Assign) -> None:
        if statement.value is None:
            return
        read = all(t.path in self.read_by_tests for t in statement.targets)
        for call in calls_in(statement.value, self.assigned):
            if read and is_getter(call) and not self._is_waiting(call):
                self.blocks = True
                continue
            self._call(call)
            self.pure = self.pure and (read or not is_lookup(self.known.get(id(call))))
        if statement.operator and collects(statement.value, self.assigned):
            self.pure = False
        for target in statement.targets:
            for part in target.walk():
                if part.path:
                    values = self.assigned[part.path]
                    values += [] if statement.operator else [statement.value]


def only_guards(reading: Reading, value: Expression) -> bool:
    """Whether entering it only takes a lock, bounds what follows or asks the world outside."""
    kind = reading.program.kinds.of(reading.key, value)
    if kind is not None and kind.nature in GUARDS:
        return True
    scope = not isinstance(value, Call) or named("scope", value.method)
    return scope or asks_outside(reading.known.get(id(value)))


def root(expression: Expression) -> str:
    """The name that a chain of attributes, calls and subscripts begins with."""
    while expression.parts and not expression.path:
        expression = expression.parts[0]
    return expression.path


def asks_queues(ask: Questions, statement: If, loop: While | For) -> bool:
    """Whether a test asks queues, and nothing else."""
    asked = list(ask.all(statement.test, "take", place_of(statement.test, loop)))
    return bool(asked) and all(q.sort == "queue" for q in asked)


def goes_on_when_empty(reading: Reading, statement: If) -> bool:
    """`if q.empty(): continue`: what follows is only done where there is work."""
    last = statement.body[-1]
    return (
        isinstance(last, Leave)
        and last.word == "continue"
        and not has_work(reading, statement)
        and asks_queues(reading.ask, statement, reading.statement)
    )


def has_work(reading: Reading, statement: If) -> bool:
    """Whether an `if` does something only where a queue has work: no part of an idle turn."""
    ask, loop = reading.ask, reading.statement
    if reading.idles or statement.otherwise or not asks_queues(ask, statement, loop):
        return False
    asks_for_none = any(isinstance(e, Call) and e.method == "empty" for e in statement.test.walk())
    return isinstance(statement.test, Not) == asks_for_none


def asks_outside(one: Known | None) -> bool:
    """Whether a call asks the world outside, and a test reads what it says."""
    return one is not None and one.facts is not None and one.facts.asks == "external"


def is_lookup(one: Known | None) -> bool:
    """Whether a call looks something up by its name alone: nobody knows what it moves."""
    return one is not None and one.facts is None and is_getter(one.call)


def relocked(statement: While | For, known: Mapping[int, Known]) -> frozenset[str]:
    """The locks that a loop lets go for its pause and takes again, as written."""
    own = [one for one in known.values() if next(one.occurrence.spot.loops, None) is statement]
    taken = {one.subject for one in own if one.does == "lock"}
    return frozenset(one.subject for one in own if one.does == "release") & taken


def looks_through(statement: For, pauses: Mapping[int, Pause]) -> bool:
    """Whether a walk within a loop only looks: it pauses nowhere and sets names of its own only."""
    if statement.asynchronous:
        return False
    for inner in statement.walk():
        looks = isinstance(inner, For | If | Assign | Leave | Return | Pass)
        if not (looks or struck_off(inner, statement)):
            return False
        if isinstance(inner, Assign) and any("." in t.path or not t.path for t in inner.targets):
            return False
        if any(id(part) in pauses for e in inner.expressions for part in e.walk()):
            return False
    return True


def learnt(walk: For) -> Iterator[tuple[str, Expression]]:
    """What the names that a walk sets come from: what it walks over, the tests around them."""
    yield from ((target.path, walk.iterable) for target in walk.target.walk() if target.path)
    for test in (s for s in walk.walk() if isinstance(s, If)):
        for inner in (s for block in test.blocks for s in block):
            for name in set_by(inner, walk):
                yield from ((name, clause) for clause in clauses(test.test))


def set_by(inner: Statement, walk: For) -> Iterator[str]:
    """The names that a statement of a walk sets, or takes something off."""
    if isinstance(inner, Assign):
        yield from (target.path for target in inner.targets)
    elif struck := struck_off(inner, walk):
        yield struck


def struck_off(inner: Statement, walk: For) -> str:
    """The list that a walk goes over and takes what it is at off: `left` in `left.remove(one)`."""
    call = inner.value if isinstance(inner, Do) else None
    if not isinstance(call, Call) or call.receiver is None:
        return ""
    given = {a.value.path for a in call.arguments} & {e.path for e in walk.target.walk()} - {""}
    over = {e.path for e in walk.iterable.walk()} - {""}
    fits = named("strikes-off", call.method) and given and call.receiver.path in over
    return call.receiver.path if fits else ""


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
