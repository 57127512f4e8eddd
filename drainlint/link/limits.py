"""Builds limits: timeouts in the wrong place, in the wrong unit, or none at all."""

from collections.abc import Iterator

from drainlint.finding import Related
from drainlint.knowledge import CallFacts
from drainlint.knowledge.names import named
from drainlint.link.calls import Known, is_log
from drainlint.link.ended import statement_calls
from drainlint.link.names import FunctionId, Variable
from drainlint.link.origins import calls_on, ways
from drainlint.link.program import Program
from drainlint.link.turns import always_leaves, is_endless
from drainlint.model.expression import (
    Arithmetic,
    Call,
    Compare,
    Conditional,
    Constant,
    Expression,
    Logic,
    Name,
    Not,
)
from drainlint.model.limit import Flaw, Limit
from drainlint.model.statement import (
    Block,
    Do,
    If,
    Leave,
    Pass,
    Raise,
    Statement,
    Try,
    While,
)
from drainlint.model.wait import Wait

CLOCKS = frozenset({"clock", "wall-clock"})
SHORT = 1.0
"""Milliseconds; fractions below are taken for seconds."""


def limits(known: Known, waited: Wait | None) -> Iterator[Limit]:
    """What is wrong with the timeout of a call; the first flaw counts."""
    facts = known.facts
    if facts is None:
        return
    found = next(_flaws(known, waited, facts), None)
    if found is not None:
        yield found


def _flaws(known: Known, waited: Wait | None, facts: CallFacts) -> Iterator[Limit]:
    if facts.does == "stop" and facts.timeout and facts.returns:
        yield from _nobody_waits(known, facts)
    if not (facts.waits or facts.does == "bound") or not facts.timeout:
        return
    given = known.call.argument(facts.timeout, facts.at)
    if given is None:
        yield from _misplaced(known, facts)
    else:
        yield from _unbounding(known, facts, given)
        yield from _wrong_unit(known, facts, given)
    if waited is not None and not known.is_asynchronous:
        if given is None:
            yield from _tested_away(known, facts)
        yield from _repeated(known, waited)
    if waited is not None and known.drain is not None and not waited.deadline.is_none:
        yield from _made_again(known, waited)


def _limit(
    known: Known, flaw: Flaw, given: str, *, certain: bool, seen: Related | None = None
) -> Limit:
    return Limit(
        **known.noun,
        text=known.call.text,
        flaw=flaw,
        given=given,
        certain=certain,
        seen=seen,
    )


# The value


def is_plain(program: Program, key: FunctionId, call: Call, facts: CallFacts) -> bool:
    """Whether the timeout of a call is nothing but a number of seconds, as it should be."""
    given = call.argument(facts.timeout, facts.at)
    if given is None:
        return not facts.blocking or call.argument(facts.blocking, facts.blocking_at) is None
    if facts.unit != "s" or not (given.path or isinstance(given, Constant)):
        return False
    number = program.values.number(key, given)
    in_milliseconds = bool(given.path) and named("in-milliseconds", given.path.rpartition(".")[2])
    return number is not None and number > 0 and not in_milliseconds


def _misplaced(known: Known, facts: CallFacts) -> Iterator[Limit]:
    """`q.get(5)`, `lock.acquire(timeout)`: the first parameter switches waiting on or off."""
    blocking = known.call.argument(facts.blocking, facts.blocking_at) if facts.blocking else None
    if blocking is None or known.call.argument(facts.blocking) is not None or known.call.is_open:
        return
    number = known.program.values.number(known.key, blocking)
    is_a_time = bool(blocking.path) and named("a-time", blocking.path)
    if is_a_time or (number is not None and number not in (0.0, 1.0)):
        yield _limit(known, Flaw.MISPLACED, blocking.text, certain=True)


def _unbounding(known: Known, facts: CallFacts, given: Expression) -> Iterator[Limit]:
    """Zero where it means for ever, `timeout or None`, a clock time."""
    is_zero = isinstance(given, Constant) and given.value == 0 and given.value is not False
    if is_zero and facts.zero == "forever":
        yield _limit(known, Flaw.ZERO_IS_FOREVER, given.text, certain=True)
    if isinstance(given, Logic) and given.operator == "or" and _is_forever(known, given, facts):
        yield _limit(known, Flaw.OR_FOREVER, given.text, certain=False)
    moment = _clock_time(known, known.key, given)
    if facts.unit != "deadline" and moment is not None:
        by_name = _reads_a_loop_by_name(known, given)
        yield _limit(known, Flaw.CLOCK_TIME, given.text, certain=not by_name, seen=moment)


def _is_forever(known: Known, given: Logic, facts: CallFacts) -> bool:
    last = given.values[-1]
    if _is_none_by_zero(known, given.values[0].path):
        return False
    number = known.program.values.number(known.key, last)
    return number is not None and number < 0 and facts.negative == "forever"


def _is_none_by_zero(known: Known, path: str) -> bool:
    """Whether 0 is what a limit is where none is given: its default, or its first value."""
    resolved = known.program.names.resolve(known.key, path) if path else None
    if resolved is None or not isinstance(resolved.symbol, Variable):
        return False
    given = [way.value for _, way in ways(known.program, known.key, path) if not way.items]
    if not resolved.rest:
        entry = known.program.names.function(resolved.symbol.scope)
        given += [p.default for p in entry.parameters if p.name == path and p.default is not None]
    return any(
        isinstance(value, Constant) and value.value == 0 and value.value is not False
        for value in given
    )


def _clock_time(
    known: Known, key: FunctionId, given: Expression, seen: frozenset[str] = frozenset()
) -> Related | None:
    """Where a value was computed as a moment: `time() + 5`; nothing where it is subtracted from.

    A name that goes back to one that was seen on the way (`t = t if t else 5`) tells no more.
    """
    match given:
        case Call() if _tells_time(known, key, given):
            return _computed(key, given)
        case Arithmetic(left=Expression() as left, operator="+", right=right):
            for side in (left, right):
                if isinstance(side, Call) and _tells_time(known, key, side):
                    return _computed(key, side)
        case Conditional(body=body, otherwise=otherwise):
            sides = (_clock_time(known, key, side, seen) for side in (body, otherwise))
            return next((moment for moment in sides if moment is not None), None)
        case Name(dotted=path) if path not in seen:
            bound = [(s, w) for s, w in ways(known.program, key, path) if w.how == "assign"]
            if len(bound) == 1 and not bound[0][1].items:
                return _clock_time(known, bound[0][0], bound[0][1].value, seen | {path})
    return None


def _tells_time(known: Known, key: FunctionId, call: Call) -> bool:
    facts = known.program.facts(key, call)
    return _is_loop_time(call) if facts is None else facts[0].does in CLOCKS


def _is_loop_time(call: Call) -> bool:
    """Whether it is `loop.time()`, where nothing but its name tells what the loop is."""
    receiver = "" if call.receiver is None else call.receiver.path
    return call.method == "time" and not call.arguments and named("event-loop", receiver)


def _reads_a_loop_by_name(known: Known, given: Expression) -> bool:
    return any(
        isinstance(part, Call)
        and _is_loop_time(part)
        and known.program.facts(known.key, part) is None
        for part in given.walk()
    )


def _computed(key: FunctionId, call: Call) -> Related:
    """Where a clock is read for a moment."""
    return Related(key.path, call.place.first_line, "computed here: a moment, not a length of time")


# The unit


def _wrong_unit(known: Known, facts: CallFacts, given: Expression) -> Iterator[Limit]:
    number = known.program.values.number(known.key, given)
    last = given.path.rpartition(".")[2]
    if facts.unit == "s":
        scaled = _is_scaled(given, "*", "in-seconds")  # a long constant is 307's
        if (last and named("in-milliseconds", last)) or scaled:
            yield _limit(known, Flaw.MILLISECONDS, given.text, certain=False)
    elif facts.unit == "ms":
        fraction = number is not None and 0 < number < SHORT
        divided = _is_scaled(given, "/", "in-milliseconds")
        if (last and named("in-seconds", last)) or fraction or divided:
            yield _limit(known, Flaw.SECONDS, given.text, certain=False)


def _is_scaled(given: Expression, sign: str, unit: str) -> bool:
    """`timeout * 1000` where seconds are wanted; `timeout_ms / 1000` where milliseconds are."""
    if not isinstance(given, Arithmetic) or given.operator != sign or given.left is None:
        return False
    sides = (given.left, given.right) if sign == "*" else (given.right,)
    if not any(isinstance(s, Constant) and s.value in (1000, 1000.0, 1e3) for s in sides):
        return False
    names = [s.path.rpartition(".")[2] for s in (given.left, given.right) if s.path]
    return any(named(unit, n) or named("a-time", n) for n in names)


# What is around


def _nobody_waits(known: Known, facts: CallFacts) -> Iterator[Limit]:
    """`server.stop(5)` hands back an event: dropped, the grace is none."""
    given = known.call.argument(facts.timeout, facts.at)
    number = known.program.values.number(known.key, given)
    if given is None or not number or not known.occurrence.dropped:
        return
    receiver = known.subject
    for statement in known.occurrence.spot.following():
        for call in (c for s in statement.walk() for e in s.expressions for c in e.walk()):
            on = call.receiver if isinstance(call, Call) else None
            if on is not None and on.text == receiver:
                return
    for scope, call in calls_on(known.program, known.key, receiver, ("wait_for_termination",)):
        if known.program.drain(scope, call.place.line) is None:
            return  # whoever serves goes on when all is over
    yield _limit(known, Flaw.NOBODY_WAITS, f"`{given.text}` s", certain=True)


def _tested_away(known: Known, facts: CallFacts) -> Iterator[Limit]:
    """`if timeout: x.wait(timeout)`, `else: x.wait()`: 0 is taken for no timeout."""
    default = known.program.values.deadline(known.key, known.call, facts)
    if not default.is_none or facts.zero == "forever":
        return
    for spot in known.occurrence.spot.outward():
        owner = spot.owner
        if not isinstance(owner, If):
            continue
        test = owner.test
        denied = isinstance(test, Not)
        tested = test.value if isinstance(test, Not) else test
        if spot.section != ("body" if denied else "else") or not tested.path:
            return
        if not named("a-time", tested.path) or _is_none_by_zero(known, tested.path):
            return
        other = owner.otherwise if denied else owner.body
        for call in (c for s in other for c in statement_calls(s)):
            uses = any(a.value.path == tested.path for a in call.arguments)
            if call.func == known.call.func and uses:
                seen = Related(
                    known.key.path, owner.place.first_line, f"no `{tested.path}` where it is 0"
                )
                yield _limit(known, Flaw.TESTED_AWAY, tested.path, certain=False, seen=seen)
        return


def _repeated(known: Known, waited: Wait) -> Iterator[Limit]:
    """A bounded wait that is made until the thing has ended, or before an unbounded one."""
    subject = waited.subject
    if not subject or waited.ended or waited.idle:
        return
    if waited.deadline.is_none:
        if not known.program.library(known.key, known.call.func.path):  # each call its own request
            yield from _after_bounded(known)
        return
    if waited.deadline.polls or (waited.is_pause and known.drain is None):
        return
    asking = known.occurrence.spot.statement
    if isinstance(asking, While) and known.drain is not None and _only_asks_again(asking, known):
        place = Related(known.key.path, asking.place.first_line, "asked until it has ended")
        yield _limit(known, Flaw.AGAIN, asking.test.text, certain=True, seen=place)
        return
    loop = next((w for w in known.occurrence.spot.loops if isinstance(w, While)), None)
    if loop is not None and _goes_on_until_over(loop, subject):
        place = Related(known.key.path, loop.place.first_line, "goes on until it has ended")
        yield _limit(known, Flaw.AGAIN, loop.test.text, certain=known.drain is not None, seen=place)


def _made_again(known: Known, waited: Wait) -> Iterator[Limit]:
    """`while True: try: wait(5) except TimeoutError: log()`: who is late is waited for again."""
    tried = next((o.owner for o in known.occurrence.spot.outward()), None)
    loop = next(iter(known.occurrence.spot.loops), None)
    if not (isinstance(tried, Try) and isinstance(loop, While) and is_endless(loop.test)):
        return
    if not (always_leaves(tried.body) or always_leaves(tried.otherwise)):
        return
    late = (h for h in tried.handlers if any(named("time-is-over", k.path) for k in h.kinds))
    handler = next(late, None)
    if handler is None or len(loop.body) > 1 or not all(map(_only_tells, handler.body)):
        return
    subject = waited.subject if waited.verb != "bound" else known.call.arguments[0].value.text
    place = Related(known.key.path, loop.place.first_line, "goes round when the time is over")
    yield _limit(known, Flaw.AGAIN, subject, certain=True, seen=place)


def _only_tells(statement: Statement) -> bool:
    """Whether a statement does nothing but log, and goes on."""
    match statement:
        case Do(value=Call() as call):
            return is_log(call)
        case Leave(word=word):
            return word == "continue"
    return isinstance(statement, Pass)


def _goes_on_until_over(loop: While, subject: str) -> bool:
    """Whether a loop ends when what is waited for has, and in no other way.

    `while t.is_alive(): ...`, or `while True: if not t.is_alive(): break ...`.
    """
    if not is_endless(loop.test):
        return _asks_only(loop.test, subject) and not _ways_out(loop.body)
    asked = [s for s in loop.body if isinstance(s, If) and _asks_only(s.test, subject)]
    others = tuple(s for s in loop.body if s not in asked)
    branches = (block for s in asked for block in s.blocks)
    return any(_ways_out(block) for block in branches) and not _ways_out(others)


def _asks_only(test: Expression, subject: str) -> bool:
    """Whether a loop goes on for as long as what is waited for has not ended."""
    match test:
        case Not(value=value):
            return _asks_only(value, subject)
        case Call():
            asks = test.method in (
                "is_alive",
                "isAlive",
                "is_set",
                "isSet",
                "done",
                "poll",
                "running",
            )
            return asks and test.receiver is not None and test.receiver.text == subject
        case Compare(left=left, rights=(Constant(value=None),)):
            is_status = left.path in (f"{subject}.exitcode", f"{subject}.returncode")
            return is_status or (isinstance(left, Call) and _asks_only(left, subject))
    return False


def _only_asks_again(loop: While, known: Known) -> bool:
    """`while not done.wait(1): log.info("still waiting")`: no turn but to wait again."""
    test = loop.test
    reports = (s.value if isinstance(s, Do) else s for s in loop.body if not isinstance(s, Pass))
    return (
        isinstance(test, Not)
        and test.value is known.call
        and all(isinstance(one, Call) and is_log(one) for one in reports)
    )


def _ways_out(block: Block) -> bool:
    return any(
        type(s).__name__ in ("Return", "Raise") or getattr(s, "word", "") == "break"
        for one in block
        for s in one.walk()
    )


def _after_bounded(known: Known) -> Iterator[Limit]:
    """`t.join(5)`, then `t.join()`, and nothing in between that would end it."""
    for statement in known.occurrence.spot.preceding():
        if isinstance(statement, Try) and any(isinstance(s, Raise) for s in statement.body):
            return  # it was to go on: its end was the fault, which is raised
        calls = list(statement_calls(statement))
        for call in reversed(calls):
            if named("ends-it", call.method) or _sends_a_signal(call):
                return
            if call.func != known.call.func or call == known.call:
                continue
            facts = known.program.facts(known.key, call)
            if facts is None or known.program.values.deadline(known.key, call, facts[0]).is_none:
                return
            seen = Related(
                known.key.path, call.place.first_line, "the bounded wait on the same thing"
            )
            yield _limit(known, Flaw.THEN_FOREVER, call.text, certain=True, seen=seen)
            return


def _sends_a_signal(call: Call) -> bool:
    """Whether a call is told which signal to send, as by a helper for a whole tree of processes."""
    return any(a.value.path.rpartition(".")[2].startswith("SIG") for a in call.arguments)
