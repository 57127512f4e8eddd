"""Reads what a loop's own body evaluates: whether a call pauses, asks, tells or works."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drainlint.knowledge.names import named
from drainlint.link.bounds import CLOCKS, COUNTERS, DEADLINES, Bounds
from drainlint.link.calls import Known, is_log, is_told_not_to_wait
from drainlint.link.fetched import (
    brought_by,
    calls_in,
    collects,
    filled_by,
    is_computed,
    notes,
    only_computes,
    reaps,
    refreshed_by,
    told_by,
)
from drainlint.link.instant import takes_no_time
from drainlint.link.lookups import OUTSIDE, is_getter
from drainlint.link.names import FunctionId
from drainlint.link.pauses import pause_within
from drainlint.link.program import Program
from drainlint.link.questions import Questions
from drainlint.link.spared import is_coroutine
from drainlint.link.turns import (
    read_by_tests,
    shown_by,
    tests_of,
)
from drainlint.model.expression import (
    Arithmetic,
    Await,
    Call,
    Constant,
    Expression,
    Yield,
)
from drainlint.model.loop import Step
from drainlint.model.pause import Pause
from drainlint.model.statement import (
    Assign,
    For,
    While,
)

GUARDS = frozenset(
    {"lock", "rlock", "condition", "semaphore", "aio-lock", "aio-condition", "timeout"}
)
CONDITIONS = frozenset({"condition", "aio-condition"})


@dataclass
class Evaluating:
    """What one pass over a loop's body knows so far, and how it takes an expression."""

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
    won: list[Call] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    walks_over: set[str] = field(default_factory=set)
    looks_at: set[str] = field(default_factory=set)
    assigned: dict[str, list[Expression]] = field(default_factory=lambda: defaultdict(list))
    waited: set[str] = field(default_factory=set)
    refreshed: set[str] = field(default_factory=set)
    reports: list[Step] = field(default_factory=list)
    idles: bool = False
    works: bool = False
    pure: bool = True
    blocks: bool = False
    lingers: bool = False
    on_condition: bool = False
    deadline: str = ""
    turns: float | None = None
    stated: Call | None = None

    def __post_init__(self) -> None:
        entry = self.program.names.function(self.key)
        self._yields_to_a_loop = is_coroutine(entry) and not entry.is_async
        self.ask = Questions(self.program, self.key)
        self.bounds = Bounds(self.statement)
        self.relocked = relocked(self.statement, self.known)
        self.tested = {id(part) for test in tests_of(self.statement) for part in test.walk()}
        self.shown = frozenset(shown_by(tests_of(self.statement)))
        self.read_by_tests = read_by_tests(self.statement)
        self.told_by_tests = self.read_by_tests | set(
            told_by(self.program, self.key, tests_of(self.statement))
        )

    def _do(self, value: Expression) -> None:
        inner = value
        while isinstance(inner, Await | Yield) and inner.parts:
            inner = inner.parts[0]
        yields = isinstance(value, Yield)
        hands_over = yields and not self._yields_to_a_loop
        if not isinstance(inner, Call):
            if not hands_over and (isinstance(inner, Constant) or (inner is value and not yields)):
                return
            self.blocks = True
            self.pure = self.pure and not yields
            return
        if is_log(inner):
            self.reports.append(Step(inner.text, inner.place))
            self._waits_inside(inner)
            self.lingers = self.lingers or any(lingers(self, part) for part in told(inner))
            return
        self.stated = inner
        if hands_over and not self._waits(inner):  # what takes it works on it
            self.blocks, self.pure = True, False
        self._call(inner)
        if id(inner) in self.all_pauses:  # how long it is is computed
            return
        for part in inner.parts:
            self._expression(part)

    def _waits(self, call: Call) -> bool:
        """Whether a call is a pause, or one that is known to wait: a framework may be given it."""
        one = self.known.get(id(call))
        pauses = id(call) in self.all_pauses or pause_within(self.program, self.key, call)
        return bool(pauses) or (one is not None and one.facts is not None and one.facts.waits)

    def _waits_inside(self, report: Call) -> None:
        """What a log call waits for to have something to say: `print(q.get())`."""
        for part in told(report):
            one = self.known.get(id(part))
            if one is not None and one.facts is not None and one.facts.waits:
                self._call(one.call)

    def _call(self, call: Call) -> None:
        """A call in the body: a pause, a question, a refresh, or work."""
        self.lingers = self.lingers or lingers(self, call)
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
            polls = self.program.values.deadline(self.key, call, one.facts).polls
            polls = polls or is_told_not_to_wait(call)
            self.blocks = self.blocks or not polls
            self.on_condition = self.on_condition or (
                one.kind is not None and one.kind.nature in CONDITIONS
            )
            if one.subject not in self.read_by_tests:
                self.pure = self.pure and polls
            return True
        if one.does == "clear":
            self.waited.add(f"{one.subject}.clear")
            return True
        if one.subject in self.relocked and one.does in ("lock", "release"):
            return True
        if one.does == "run" and only_pauses(call, self.all_pauses):
            return True
        if one.facts.asks == "external":
            self.blocks = True
            self.refreshed |= refreshed_by(call, self.read_by_tests, self.assigned)
        return one.does in ("bound", "set") or bool(one.facts.asks)

    def _is_answer(self, call: Call) -> bool:
        """Whether a call computes, refreshes what is asked, or asks by itself."""
        if call.method in CLOCKS or is_computed(call):
            return True
        if call.func.path == call.method and named("tells", call.method):
            self.blocks = True
            return True
        if id(call) in self.shown or (id(call) in self.tested and self.bounds.holds(call)):
            return True
        receiver = call.receiver
        head = "" if receiver is None else root(receiver).partition(".")[0]
        about = refreshed_by(call, self.read_by_tests, self.assigned)
        if about := about or brought_by(self.program, self.key, call, self.told_by_tests):
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
        targets = [[p.path for p in t.walk() if p.path] for t in statement.targets]
        read = all(any(path in self.read_by_tests for path in paths) for paths in targets)
        for call in calls_in(statement.value, self.assigned):
            if read and is_getter(call) and not self._is_waiting(call):
                fetches = named("looks-up", call.method) or lingers(self, call)
                self.blocks = self.blocks or fetches
                continue
            self._call(call)
            one = self.known.get(id(call))
            self.pure = self.pure and (read or not (is_lookup(one) or acts_outside(one)))
        collected = statement.operator and collects(statement.value, self.assigned)
        left = collected or works_out(statement) or measures(statement, self.assigned)
        self.pure = self.pure and not left
        for target in statement.targets:
            for call in calls_in(target, self.assigned):
                self._call(call)
            for part in target.walk():
                if part.path:
                    values = self.assigned[part.path]
                    values += [] if statement.operator else [statement.value]


def only_pauses(call: Call, pauses: Mapping[int, Pause]) -> bool:
    """Whether nothing but a pause is run: `loop.run_until_complete(asyncio.sleep(1))`."""
    return bool(call.arguments) and id(call.arguments[0].value) in pauses


def only_guards(reading: Evaluating, value: Expression) -> bool:
    """Whether entering it only takes a lock, bounds what follows or asks the world outside."""
    kind = reading.program.kinds.of(reading.key, value)
    if kind is not None and kind.nature in GUARDS:
        return True
    scope = not isinstance(value, Call) or named("scope", value.method)
    return scope or asks_outside(reading.known.get(id(value)))


def relocked(statement: While | For, known: Mapping[int, Known]) -> frozenset[str]:
    """The locks that a loop lets go for its pause and takes again, as written."""
    own = [one for one in known.values() if next(one.occurrence.spot.loops, None) is statement]
    taken = {one.subject for one in own if one.does == "lock"}
    return frozenset(one.subject for one in own if one.does == "release") & taken


def told(report: Call) -> Iterator[Expression]:
    """What a log call tells, part by part."""
    return (part for argument in report.arguments for part in argument.value.walk())


def lingers(reading: Evaluating, part: Expression) -> bool:
    """Whether a part of an expression is a call that may take its time, pauses aside."""
    return (
        isinstance(part, Call)
        and id(part) not in reading.all_pauses
        and not takes_no_time(reading.program, reading.key, part)
        and not notes(part, reading.assigned)
    )


def root(expression: Expression) -> str:
    """The name that a chain of attributes, calls and subscripts begins with."""
    while expression.parts and not expression.path:
        expression = expression.parts[0]
    return expression.path


def asks_outside(one: Known | None) -> bool:
    """Whether a call asks the world outside, and a test reads what it says."""
    return one is not None and one.facts is not None and one.facts.asks == "external"


def is_lookup(one: Known | None) -> bool:
    """Whether a call looks something up by its name alone: nobody knows what it moves."""
    return one is not None and one.facts is None and is_getter(one.call)


def acts_outside(one: Known | None) -> bool:
    """Whether a call does something outside, such as a POST: a question only if it is looked at."""
    return one is not None and one.does in OUTSIDE and not (one.facts and one.facts.asks)


def works_out(statement: Assign) -> bool:
    """Whether what is computed is left for others to read: a result, no count and no time."""
    left = [t.path.rpartition(".")[2] for t in statement.targets if "." in t.path]
    if not left or all(COUNTERS.search(n) or DEADLINES.search(n) for n in left):
        return False
    value = statement.value
    if value is None or any(isinstance(e, Call) and e.method in CLOCKS for e in value.walk()):
        return False
    if statement.operator:
        return not isinstance(value, Constant)
    computed = isinstance(value, Arithmetic) and value.left is not None
    return computed and not any(isinstance(part, Constant) for part in value.parts)


def measures(statement: Assign, assigned: Mapping[str, list[Expression]]) -> bool:
    """Whether how long a turn took is left for others to read: the pause is what is measured."""
    if statement.value is None or not any("." in t.path for t in statement.targets):
        return False
    parts = [part for one in stands_for(statement.value, assigned) for part in one.walk()]
    return any(
        isinstance(part, Arithmetic)
        and part.operator == "-"
        and part.left is not None
        and reads_clock(part.left, assigned)
        and any(reads_clock(began, {}) for began in assigned.get(part.right.path, ()))
        for part in parts
    )


def stands_for(value: Expression, assigned: Mapping[str, list[Expression]]) -> Iterator[Expression]:
    """A value, and what the loop's own names in it were given on the same turn."""
    yield value
    for part in value.walk():
        yield from assigned.get(part.path, ()) if part.path else ()


def reads_clock(value: Expression, assigned: Mapping[str, list[Expression]]) -> bool:
    """Whether a value is, or holds, what a clock said."""
    parts = (part for one in stands_for(value, assigned) for part in one.walk())
    return any(isinstance(part, Call) and part.method in CLOCKS for part in parts)
