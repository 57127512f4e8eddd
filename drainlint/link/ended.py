"""Has what is waited for ended already? Then waiting for it is no wait."""

from collections.abc import Iterator
from dataclasses import dataclass

from drainlint.index.entries import Binding, FunctionEntry
from drainlint.link.calls import Known
from drainlint.link.names import Variable
from drainlint.link.origins import ways
from drainlint.link.results import parameters_of
from drainlint.link.spared import has_reported
from drainlint.model.expression import (
    Call,
    Compare,
    Comprehension,
    Conditional,
    Constant,
    Expression,
    Lambda,
    Logic,
    Not,
)
from drainlint.model.statement import (
    Assign,
    Do,
    For,
    If,
    Other,
    Raise,
    Return,
    Statement,
    Try,
    While,
    With,
)

ALIVE = frozenset({"is_alive", "isAlive", "running", "alive"})
DONE = frozenset({"done", "ready", "finished", "completed", "successful", "dead"})
CONTAINERS = frozenset({"list", "tuple", "set", "sorted", "reversed", "enumerate", "zip", "iter"})
TAKING = frozenset({"pop", "popleft", "copy", "values", "items", "next"})
WAITED = frozenset({"communicate", "join", "wait", "result", "exception"})
RESULTS = frozenset({"result", "exception"})
"""Questions that are answered at once after whatever they ask was waited for."""
RAISING = RESULTS | {"communicate"}
"""Waits that raise where their time runs out: what follows them found the thing at its end."""
ENDING_ONCE = frozenset({"popen", "process", "thread", "greenlet", "future", "task", "aio-process"})
"""Natures of things that end once and for all; an event may be cleared, a queue filled again."""
FEW = 8
"""How many statements up a check is believed: what was checked further up may be alive again."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is waited for, and the collections that a loop or comprehension takes it from."""

    expression: Expression
    groups: frozenset[str] = frozenset()

    @classmethod
    def of(cls, known: Known) -> "Subject | None":
        """What a call waits for; None for a plain function."""
        receiver = known.call.receiver
        return None if receiver is None else cls.named(known, receiver)

    @classmethod
    def named(cls, known: Known, expression: Expression) -> "Subject":
        """What is awaited by its name."""
        return cls(expression, frozenset(_groups(known, expression)))

    def is_(self, other: Expression | None) -> bool:
        """Whether an expression spells the same thing."""
        return other is not None and other.text == self.expression.text

    def is_one_of(self, iterable: Expression) -> bool:
        """Whether it is taken from what is iterated over."""
        return stripped(iterable).text in self.groups


def _groups(known: Known, receiver: Expression) -> Iterator[str]:
    for loop in known.occurrence.spot.loops:
        if isinstance(loop, For) and receiver.path in _names(loop.target):
            yield stripped(loop.iterable).text
    for around in known.occurrence.around:
        if isinstance(around, Comprehension):
            for clause in around.clauses:
                if receiver.path in _names(clause.target):
                    yield stripped(clause.iterable).text


def _names(target: Expression) -> set[str]:
    return {e.path for e in target.walk() if e.path}


def stripped(iterable: Expression) -> Expression:
    """A collection without what only walks over it: `list(workers)`, `workers.values()`."""
    while isinstance(iterable, Call):
        receiver = iterable.receiver
        if receiver is not None and iterable.method in TAKING:
            iterable = receiver
        elif iterable.method in CONTAINERS and iterable.arguments:
            iterable = iterable.arguments[-1].value
        else:
            break
    return iterable


def ended(known: Known) -> str:
    """Why what a call waits for has ended; empty where it may go on."""
    subject = Subject.of(known)
    if subject is None:
        return ""
    return (
        is_over(known, subject)
        or _takes_finished(known)
        or ("it has told so" if has_reported(known) else "")
    )


def is_over(known: Known, subject: Subject) -> str:
    """Why something has ended, by what was asked of it before or by where it comes from."""
    return (
        _checked_around(known, subject)
        or _comes_from_finished(known, subject.expression)
        or _checked_before(known, subject)
    )


def _takes_finished(known: Known) -> str:
    """Whether all that a function waits for has ended: `gather(*done)`."""
    if not known.program.library(known.key, known.call.func.path):
        return ""
    whys = [
        (_finished_source if argument.name == "*" else _comes_from_finished)(known, argument.value)
        or (argument.value.path and is_over(known, Subject.named(known, argument.value)))
        for argument in known.call.arguments
        if argument.name in ("", "*")
    ]
    return whys[0] if whys and all(whys) else ""


# Checks


def _checked_around(known: Known, subject: Subject) -> str:
    """Inside `if t.done():`, `if not t.is_alive():`, `x.result() if x.done() else ...`."""
    for spot in known.occurrence.spot.outward():
        owner = spot.owner
        if not isinstance(owner, If | While):
            continue
        if spot.section == "body" and (
            _says_ended(owner.test, subject) or _helper_says_ended(known, owner.test, subject)
        ):
            return f"`{owner.test.text}` was checked"
        if spot.section == "else" and _says_alive(owner.test, subject):
            return f"`{owner.test.text}` was checked"
        if spot.section == "body" and (alias := _alias(owner.test, subject)) is not None:
            return _comes_from_finished(known, alias)
        if spot.section == "body" and _is_its_done_set(known, owner.test, subject):
            return f"`{owner.test.text}` was checked"
        if isinstance(owner, If) and _ends_once(known) and _waited_in(owner.test, subject):
            return f"`{owner.test.text}` has waited for it"
    for around in known.occurrence.around:
        match around:
            case Conditional(test=test) if _says_ended(test, subject):
                return f"`{test.text}` was checked"
            case Logic(operator="and") if _says_ended(around, subject):
                return "it was checked in the same expression"
            case Comprehension(clauses=clauses):
                conditions = (c for clause in clauses for c in clause.conditions)
                if any(
                    _says_ended(c, subject) or _helper_says_ended(known, c, subject)
                    for c in conditions
                ):
                    return "the comprehension checks it"
    return ""


def _is_its_done_set(known: Known, test: Expression, subject: Subject) -> bool:
    """Whether a test finds it in the first of `asyncio.wait`'s two sets, or that set not empty.

    Not empty says enough only where it is all that was waited for: `wait({task}, timeout=1)`.
    """
    asked, alone = test, True
    if isinstance(test, Compare) and test.operators == ("in",):
        asked, alone = test.rights[0], False
        if not subject.is_(test.left):
            return False
    for _, way in ways(known.program, known.key, asked.path):
        value = getattr(way.value, "value", way.value)
        if way.items[:1] != (0,) or not isinstance(value, Call) or value.method != "wait":
            continue
        given = value.arguments[0].value if value.arguments else None
        if not alone or (given is not None and [subject.is_(p) for p in given.parts] == [True]):
            return True
    return False


def _alias(test: Expression, subject: Subject) -> Expression | None:
    """What a test says the subject is: `f` in `if f is started:`."""
    match test:
        case Compare(left=left, operators=("is" | "==",), rights=(right,)):
            if subject.is_(right):
                return left
            if subject.is_(left):
                return right
    return None


def _checked_before(known: Known, subject: Subject) -> str:
    """After `if not f.done(): return`, or after a loop that ends only when it is done."""
    ends_once = _ends_once(known)
    failed = set(_failed(known))
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > FEW:
            return ""
        if ends_once and _waited_for(statement, subject, raised=id(statement) in failed):
            return "it was waited for before"
        match statement:
            case If(test=test, body=body) if _leaves(body) and _says_alive(test, subject):
                return f"`{test.text}` was checked"
            case While(test=test) if _says_alive(test, subject) and not _breaks(statement):
                return f"the loop over `{test.text}` ended"
            case With() if _ends_with(statement, subject):
                return "the executor's `with` block ended"
        if _binds_anew(statement, subject):
            return ""
    return ""


def _failed(known: Known) -> Iterator[int]:
    """The statements that came before it and may have raised: its handler's, its `finally`'s."""
    for spot in known.occurrence.spot.outward():
        if isinstance(spot.owner, Try) and spot.section in ("handler", "final"):
            yield from map(id, spot.owner.body)


def _binds_anew(statement: Statement, subject: Subject) -> bool:
    """Whether a statement gives the name to another thing, which nobody has asked or awaited."""
    return any(
        isinstance(inner, Assign) and any(subject.is_(target) for target in inner.targets)
        for inner in statement.walk()
    )


def _ends_once(known: Known) -> bool:
    """Whether a wait for it is the last one that was needed."""
    ends = known.kind is not None and known.kind.nature in ENDING_ONCE
    return ends or known.call.method in RESULTS


def _waited_for(statement: Statement, subject: Subject, *, raised: bool) -> bool:
    """Whether a statement has waited for the same thing already, to its end.

    `raised`: the statement may have raised, so a wait that says in that way that its time ran out
    may be over before what it waited for.
    """
    if isinstance(statement, If):
        return _waited_in(statement.test, subject, raised=raised)
    return isinstance(statement, Do | Assign) and any(
        _waited_in(expression, subject, raised=raised) for expression in statement.expressions
    )


def _waited_in(expression: Expression, subject: Subject, *, raised: bool = False) -> bool:
    """Whether an expression waits for the same thing, whatever else it does."""
    return any(
        call.method in WAITED and subject.is_(call.receiver) and not _gives_up(call, raised=raised)
        for call in always_called(expression)
    )


def always_called(expression: Expression) -> Iterator[Call]:
    """The calls of an expression that are made whenever it is evaluated."""
    match expression:
        case Lambda() | Comprehension():
            return
        case Conditional(test=test):
            yield from always_called(test)
            return
        case Logic(values=values):
            yield from always_called(values[0])
            return
        case Call():
            yield expression
    for part in expression.parts:
        yield from always_called(part)


def _gives_up(call: Call, *, raised: bool) -> bool:
    """Whether a wait may be over before what is waited for; some raise where they are."""
    return bool(call.arguments) and (raised or call.method not in RAISING)


def _ends_with(statement: With, subject: Subject) -> bool:
    """A future made by `executor.submit` within a `with executor` that has ended is done."""
    executors = {i.target.path for i in statement.items if i.target is not None and i.target.path}
    for inner in statement.walk():
        if not isinstance(inner, Assign) or inner.value is None:
            continue
        made_here = any(
            isinstance(e, Call) and e.receiver is not None and e.receiver.path in executors
            for e in inner.value.walk()
        )
        if made_here and any(subject.is_(t) or t.text in subject.groups for t in inner.targets):
            return True
    return False


def _says_ended(test: Expression, subject: Subject) -> bool:
    """Whether a test that holds says that the subject has ended."""
    match test:
        case Not(value=value):
            return _says_alive(value, subject)
        case Call() if test.method == "all":
            return _asks_each(test, subject, DONE)
        case Call():
            return subject.is_(test.receiver) and test.method in DONE and not test.arguments
        case Compare(left=left, operators=("is not",), rights=(Constant(value=None),)):
            return _asks_status(left, subject)
        case Logic(operator="and", values=values):
            return any(_says_ended(v, subject) for v in values)
    return False


def _helper_says_ended(known: Known, test: Expression, subject: Subject) -> bool:
    """Whether a test that holds asks a function of the project, which looks whether it is done."""
    parts = test.values if isinstance(test, Logic) and test.operator == "and" else (test,)
    return any(
        isinstance(part, Call)
        and any(
            _looks_at(known.program.names.function(target), part, subject)
            for target in known.program.graph.targets(known.key, part)
        )
        for part in parts
    )


def _looks_at(helper: FunctionEntry, call: Call, subject: Subject) -> bool:
    """Whether a function asks what it is given whether it is done, or waits for it for a while."""
    given = {
        name
        for name, value in parameters_of(helper, call, bound=bool(helper.owner))
        if subject.is_(value)
    }
    denied = [p.value for r in helper.results for p in r.walk() if isinstance(p, Not)]
    return any(
        inner.receiver is not None
        and inner.receiver.path in given
        and (inner.method in RESULTS if inner.arguments else inner.method in DONE)
        and inner not in denied
        for inner in helper.calls
    )


def _says_alive(test: Expression, subject: Subject) -> bool:
    """Whether a test that holds says that the subject may go on: its end says that it is over."""
    match test:
        case Not(value=value):
            return _says_ended(value, subject)
        case Call() if test.method == "any":
            return _asks_each(test, subject, ALIVE)
        case Call():
            return subject.is_(test.receiver) and test.method in ALIVE and not test.arguments
        case Compare(left=left, operators=("is",), rights=(Constant(value=None),)):
            return _asks_status(left, subject)
        case Logic(operator="or", values=values):
            return any(_says_alive(v, subject) for v in values)
    return False


def _asks_each(test: Call, subject: Subject, methods: frozenset[str]) -> bool:
    """Whether `any(t.is_alive() for t in threads)` asks all that the subject is one of."""
    asked = test.arguments[0].value if test.arguments else None
    if not isinstance(asked, Comprehension) or not isinstance(asked.element, Call):
        return False
    return asked.element.method in methods and subject.is_one_of(asked.clauses[0].iterable)


def _asks_status(left: Expression, subject: Subject) -> bool:
    if isinstance(left, Call):
        return left.method == "poll" and subject.is_(left.receiver)
    path = subject.expression.path
    return left.path in (f"{path}.exitcode", f"{path}.returncode")


def _leaves(block: tuple[Statement, ...]) -> bool:
    if not block:
        return False
    last = block[-1]
    return isinstance(last, Return | Raise) or getattr(last, "word", "") in ("break", "continue")


def _breaks(loop: While) -> bool:
    return any(getattr(s, "word", "") == "break" for s in loop.walk())


# Sources of what is finished


def _comes_from_finished(known: Known, subject: Expression) -> str:
    """From `as_completed`, a `done` set, the parameter of a done-callback, a finished executor."""
    path = subject.path
    if not path:
        return ""
    for loop in known.occurrence.spot.loops:
        if isinstance(loop, For) and path in {e.path for e in loop.target.walk()}:
            return _finished_source(known, loop.iterable)
    resolved = known.program.names.resolve(known.key, path)
    variable = resolved.symbol if resolved is not None and not resolved.rest else None
    if not isinstance(variable, Variable):
        return ""
    entry = known.program.names.function(variable.scope)
    roles = known.program.roles.registered(variable.scope)
    if "done-callback" in roles and any(p.name == variable.name for p in entry.parameters):
        return "it runs as a done-callback"
    for way in entry.bindings.get(variable.name, ()):
        taken = isinstance(way.value, Call) and way.value.method in TAKING
        if (way.how == "each" or taken) and (why := _finished_source(known, way.value)):
            return why
    return ""


def _finished_source(known: Known, source: Expression) -> str:
    if isinstance(source, Call):
        facts = known.program.facts(known.key, source)
        named = facts is not None and facts[0].name.endswith("as_completed")
        if source.method == "as_completed" or named:
            return f"`{source.text}` gives what is done"
        if source.method in TAKING | CONTAINERS:
            given = (source.receiver, *(a.value for a in source.arguments))
            parts = (p for p in given if p is not None)
            return next((why for p in parts if (why := _finished_source(known, p))), "")
        return ""
    path = source.path
    resolved = known.program.names.resolve(known.key, path) if path else None
    if resolved is None or resolved.rest or not isinstance(resolved.symbol, Variable):
        return ""
    entry = known.program.names.function(resolved.symbol.scope)
    ways = entry.bindings.get(resolved.symbol.name, ())
    return next((why for way in ways if (why := _holds_finished(path, way))), "")


def _holds_finished(path: str, way: Binding) -> str:
    """Whether a collection holds only what is done: the first of `wait`'s two, a filtered one."""
    value = getattr(way.value, "value", way.value)
    if way.how == "assign" and isinstance(value, Call) and value.method == "as_completed":
        return f"`{path}` gives what is done"
    if way.items[:1] == (0,) and isinstance(value, Call) and value.method == "wait":
        return f"`{path}` is the done set of `{value.text}`"
    if way.how == "assign" and isinstance(way.value, Comprehension):
        conditions = (c for clause in way.value.clauses for c in clause.conditions)
        if any(isinstance(c, Call) and c.method in DONE and not c.arguments for c in conditions):
            return f"`{path}` holds what is done"
    return ""


def statement_calls(statement: Statement) -> Iterator[Call]:
    """The calls of a statement, and of the branches, blocks and loops it consists of."""
    inner = statement.walk() if isinstance(statement, Try | With | If | For) else (statement,)
    for one in inner:
        if isinstance(one, Do | Assign | Other):
            for expression in one.expressions:
                yield from (e for e in expression.walk() if isinstance(e, Call))
