"""Workers that tell when they are at their end: whoever has heard of it joins them at once.

An event that a thread sets as its last act, a result that it puts into a queue, an error that it
keeps: what is left for it to do takes no time.
"""

from collections.abc import Iterator

from drainlint.link.calls import Known, is_log
from drainlint.link.children import channels, other_ends
from drainlint.link.ended import statement_calls
from drainlint.link.names import ClassId, FunctionId
from drainlint.link.origins import calls_on, identity, made, runs
from drainlint.link.program import Program
from drainlint.link.surroundings import spots
from drainlint.link.turns import is_endless, leaves
from drainlint.model.expression import Call, Compare, Constant, Expression, Not
from drainlint.model.statement import Assign, Do, If, Pass, Raise, Return, Statement, While

FEW = 8
"""How many statements up it may have been heard of."""
TELLING = {"event": frozenset({"set"}), "queue": frozenset({"put", "put_nowait"})}
"""How a worker tells, by what it tells with."""
HEARING = {"event": frozenset({"wait"}), "queue": frozenset({"get"})}
TAKING = frozenset({"get", "recv", "recv_bytes"})
"""Methods by which a parent takes what a process gives."""
AT_ONCE = frozenset({"set", "notify", "clear", "release", "log", "exit", "hard-exit"})
"""Verbs of calls that take no time."""
LEAVING = frozenset({"exit", "hard-exit"})


def told_at_its_end(known: Known) -> str:
    """What told whoever joins a thread that it was about to end; empty for nothing."""
    if known.does != "join" or known.kind is None or known.kind.nature != "thread":
        return ""
    workers = workers_of(known)
    if not workers:
        return ""
    for call in _heard(known):
        if _all_at_the_end(known, workers, call):
            return f"`{call.text}` has told that it ends"
    for queue, marker in _taken_to_the_end(known):
        if _all_at_the_end(known, workers, queue, marker):
            return f"`{marker.text}` was taken, which it puts when it ends"
    for path in _found_set(known):
        if _is_kept_at_the_end(known, workers, path):
            return f"it keeps `{path}` when it ends"
    return ""


def gave_its_result(known: Known) -> bool:
    """Whether what a process gives last was taken before it is joined."""
    program, receiver = known.program, known.call.receiver
    if known.does != "join" or known.kind is None or known.kind.nature != "process":
        return False
    taken = {
        call.receiver.path
        for statement in known.occurrence.spot.preceding()
        for call in statement_calls(statement)
        if call.method in TAKING and call.receiver is not None
    }
    return any(
        scope == known.key and _is_all_given(program, scope, call, taken)
        for scope, call in (made(program, known.key, receiver) if receiver and taken else ())
    )


def _is_all_given(program: Program, scope: FunctionId, making: Call, taken: set[str]) -> bool:
    """Whether something was taken from where a process writes to last of all."""
    for channel in channels(program, scope, making):
        last = all(
            _is_followed_by_nothing(program, channel.writer, write.place.line)
            for write in channel.writes
        )
        if last and taken & {channel.path, *other_ends(program, scope, channel.path)}:
            return True
    return False


def workers_of(known: Known) -> tuple[FunctionId, ...]:
    """What the threads that are joined run; nothing where that is not known of one of them."""
    receiver, program = known.call.receiver, known.program
    owner = program.classes.owner(known.key)
    if receiver is None:
        return ()
    if owner is not None and receiver.path == program.classes.self_name(known.key):
        run = program.classes.method(owner, "run")
        return () if run is None else (run, *program.classes.overriding(owner, "run"))
    found: list[FunctionId] = []
    for scope, call in made(program, known.key, receiver):
        kind = program.kinds.of(scope, call)
        jobs = tuple(runs(program, scope, call))
        if not jobs and kind is not None and kind.nature == "thread":
            return ()
        found += jobs
    return tuple(found)


# What was heard before


def _heard(known: Known) -> Iterator[Call]:
    """The waits before it, for an event or an item, that were not over too early."""
    for spot in known.occurrence.spot.outward():
        if isinstance(spot.owner, If) and spot.section == "body":
            yield from _hears(known, spot.owner.test, bounded=True)
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > FEW:
            return
        if isinstance(statement, Do | Assign) and statement.value is not None:
            yield from _hears(known, statement.value, bounded=False)
        if isinstance(statement, If) and isinstance(statement.test, Not) and statement.body:
            leaves = isinstance(statement.body[-1], Return | Raise)
            yield from _hears(known, statement.test.value, bounded=True) if leaves else ()


def _hears(known: Known, value: Expression, *, bounded: bool) -> Iterator[Call]:
    """A wait for an event or an item; `bounded`: it was looked whether it came in time."""
    if not isinstance(value, Call) or value.receiver is None:
        return
    kind = known.program.kinds.of(known.key, value.receiver)
    nature = "" if kind is None else kind.nature
    if value.method not in HEARING.get(nature, ()):
        return
    if nature == "queue" or bounded or not value.arguments:  # a take raises where nothing came
        yield value


def _taken_to_the_end(known: Known) -> Iterator[tuple[Call, Expression]]:
    """The loops before it that take from a queue up to an end marker: the take, and the marker."""
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > FEW:
            return
        if not isinstance(statement, While) or not is_endless(statement.test):
            continue
        taken = {
            target.path: inner.value
            for inner in statement.body
            if isinstance(inner, Assign) and isinstance(inner.value, Call)
            for target in inner.targets
        }
        ways_out = [s for s in statement.walk() if isinstance(s, If) and leaves(s.body)]
        for test in (way.test for way in ways_out if len(ways_out) == 1):
            if not isinstance(test, Compare) or test.operators not in (("is",), ("==",)):
                continue
            call = taken.get(test.left.path)
            if call is not None:
                yield from ((c, test.rights[0]) for c in _hears(known, call, bounded=False))


def _all_at_the_end(
    known: Known, workers: tuple[FunctionId, ...], heard: Call, marker: Expression | None = None
) -> bool:
    """Whether nobody but the workers tells by it, and they do so as their last act.

    Where an end marker is what tells, other items do not count.
    """
    program, receiver = known.program, heard.receiver
    kind = None if receiver is None else program.kinds.of(known.key, receiver)
    if kind is None or receiver is None:
        return False
    telling = [
        (scope, call)
        for scope, call in calls_on(program, known.key, receiver.path, TELLING[kind.nature])
        if marker is None or (call.arguments and call.arguments[0].value == marker)
    ]
    return bool(telling) and all(
        _is_last(program, workers, scope, call.place.line) for scope, call in telling
    )


def _found_set(known: Known) -> Iterator[str]:
    """The attributes that tests around it found set: `if self.error is not None: t.join()`."""
    entry = known.program.names.function(known.key)
    for spot in known.occurrence.spot.outward():
        if not isinstance(spot.owner, If) or spot.section != "body":
            continue
        match spot.owner.test:
            case Compare(left=left, operators=("is not",), rights=(Constant(value=None),)):
                path = left.path
            case test:
                path = test.path
        if "." in path:
            yield path
        else:
            yield from (w.value.path for w in entry.bindings.get(path, ()) if "." in w.value.path)


def _is_kept_at_the_end(known: Known, workers: tuple[FunctionId, ...], path: str) -> bool:
    """Whether nobody but the workers sets an attribute to something, as their last act."""
    named = identity(known.program, known.key, path)
    if named is None or not isinstance(named[0], ClassId):
        return False
    ways = [
        (scope, way)
        for scope, way in known.program.classes.bindings(named[0], named[1])
        if way.how == "assign" and not (isinstance(way.value, Constant) and not way.value.value)
    ]
    return bool(ways) and all(
        known.program.names.is_function(scope) and _is_last(known.program, workers, scope, way.line)
        for scope, way in ways
    )


# The last act


def _is_last(
    program: Program, workers: tuple[FunctionId, ...], scope: FunctionId, line: int
) -> bool:
    """Whether a worker ends after a line of its own, or of a function that it calls at its end."""
    if not _is_followed_by_nothing(program, scope, line):
        return False
    if scope in workers:
        return True
    callers = program.graph.callers.get(scope, set())
    return bool(callers) and all(
        caller in workers
        and all(
            _is_followed_by_nothing(program, caller, call.place.line)
            and _leaves_loops(program, caller, call, _answer(program, scope, line))
            for call in program.names.function(caller).calls
            if scope in program.graph.targets(caller, call)
        )
        for caller in callers
    )


def _is_followed_by_nothing(program: Program, key: FunctionId, line: int) -> bool:
    body = program.bodies.get(key)
    if body is None or program.names.function(key).is_generator:
        return False
    found = [
        spot
        for spot in spots(body.statements)
        if spot.statement.place.line <= line <= spot.statement.end_line
    ]
    if not found:
        return False
    spot = found[-1]
    loops = sum(1 for _ in spot.loops)
    for statement in spot.following():
        if not _takes_no_time(program, key, statement):
            return False
        if _leaves(program, key, statement):
            return True
    return not loops


def _answer(program: Program, key: FunctionId, line: int) -> object:
    """The constant that a function returns after one of its lines; None for no such."""
    body = program.bodies.get(key)
    statements = () if body is None else (s for outer in body.statements for s in outer.walk())
    for statement in statements:
        if isinstance(statement, Return) and statement.place.line > line:
            return statement.value.value if isinstance(statement.value, Constant) else None
    return None


def _leaves_loops(program: Program, key: FunctionId, call: Call, answer: object) -> bool:
    """Whether no loop asks a call for its answer, or the one that does ends with this answer."""
    for turn in program.names.function(key).turns:
        test = turn.test
        asked = test.value if isinstance(test, Not) else test
        if call in test.walk():
            return asked == call and answer is isinstance(test, Not)
    return True


def _takes_no_time(program: Program, key: FunctionId, statement: Statement) -> bool:
    simple = isinstance(statement, Do | Assign | Pass | Return | Raise)
    calls = (
        part
        for expression in statement.expressions
        for part in expression.walk()
        if isinstance(part, Call)
    )
    return simple and all(is_log(call) or _does(program, key, call) in AT_ONCE for call in calls)


def _leaves(program: Program, key: FunctionId, statement: Statement) -> bool:
    """Whether what follows a statement is not run."""
    if isinstance(statement, Return | Raise):
        return True
    call = statement.value if isinstance(statement, Do) else None
    return isinstance(call, Call) and _does(program, key, call) in LEAVING


def _does(program: Program, key: FunctionId, call: Call) -> str:
    known = program.facts(key, call)
    return "" if known is None else known[0].does
