"""Builds checked takes: `if not q.empty(): q.get()`, where others take from the queue as well."""

from collections.abc import Iterator

from drainlint.finding import Related
from drainlint.index.entries import MODULE
from drainlint.link.calls import Known
from drainlint.link.graph import Registration
from drainlint.link.names import ClassId, FunctionId, Variable
from drainlint.link.roles import WORKERS
from drainlint.link.surroundings import Spot
from drainlint.link.turns import always_leaves
from drainlint.model.expression import Call, Compare, Comprehension, Constant, Expression, Not
from drainlint.model.loop import Step
from drainlint.model.statement import If, Leave, While
from drainlint.model.take import CheckedTake

TAKES = frozenset({"get", "get_nowait"})
ALONE = frozenset({"thread", "process"})
"""Workers of a class of their own, each with its own attributes."""
THREADS = WORKERS - {"task", "greenlet", "callback", "done-callback"}
"""Workers that run at the same time; those of one loop give way at an `await` only."""
NEAR = 4
"""Statements between the check and the take."""


def checked_take(known: Known) -> CheckedTake | None:
    """The take that a call is, if it relies on a check; None for any other call."""
    facts, kind, subject = known.facts, known.kind, known.call.receiver
    if facts is None or kind is None or subject is None or facts.does != "take":
        return None
    if kind.nature != "queue" or not subject.path or facts.asynchronous:
        return None
    deadline = known.program.values.deadline(known.key, known.call, facts)
    check = (
        _check(known.occurrence.spot, subject)
        if deadline.is_none and not known.bounded_by
        else None
    )
    if check is None:
        return None
    shared, other = _shared(known, subject.path)
    if not shared:
        return None
    return CheckedTake(
        **known.noun,
        text=known.call.text,
        check=check,
        other=other,
    )


def _check(spot: Spot, subject: Expression) -> Step | None:
    """The check that the queue was not empty, around the take or just before it."""
    for outer in spot.outward():
        if isinstance(outer.owner, If | While):
            holds = outer.section == "body"
            found = says_there_is_one(outer.owner.test, subject, denied=not holds)
            if found is not None:
                return found
    for number, statement in enumerate(spot.preceding()):
        if number > NEAR:
            break
        if isinstance(statement, If) and goes_away(statement):
            found = says_there_is_one(statement.test, subject, denied=True)
            if found is not None:
                return found
    return None


def goes_away(statement: If) -> bool:
    """Whether an `if` leads away from what follows: it returns, raises, or begins the next turn."""
    last = statement.body[-1]
    return always_leaves(statement.body) or (isinstance(last, Leave) and last.word == "continue")


def says_there_is_one(test: Expression, subject: Expression, *, denied: bool) -> Step | None:
    """`not q.empty()`, `q.qsize() > 0`; with `denied` the other way round."""
    for part in test.walk():
        if (
            not isinstance(part, Call)
            or part.receiver is None
            or part.receiver.text != subject.text
        ):
            continue
        if part.method not in ("empty", "qsize"):
            continue
        says_empty = (part.method == "empty") != _is_denied(test, part)
        if part.method == "qsize":
            says_empty = _is_denied(test, part)
        if says_empty == denied:
            return Step(part.text, part.place)
    return None


def _is_denied(test: Expression, part: Call) -> bool:
    """Whether the test turns the call's answer round: `not q.empty()`, `q.qsize() == 0`."""
    for one in test.walk():
        match one:
            case Not(value=value) if value is part:
                return True
            case Compare(left=left, operators=(sign,), rights=(Constant(value=value),)) if (
                left is part
            ):
                return (sign == "==" and value in (0, False)) or (sign == "<" and value == 1)
    return False


# Who else takes?


def _shared(known: Known, path: str) -> tuple[bool, Related | None]:
    """Whether somebody else takes from the queue, and where."""
    resolved = known.program.names.resolve(known.key, path)
    variable = resolved.symbol if resolved is not None else None
    if not isinstance(variable, Variable) or resolved is None:
        return False, None
    if not resolved.rest and variable.scope == known.key:
        parameters = {p.name for p in known.program.names.function(known.key).parameters}
        return variable.name in parameters and _is_repeated_worker(known), None
    if known.function.roles & THREADS and _is_everybodys(known, path):
        return True, None
    for function in _neighbours(known, variable, path):
        for call in known.program.names.function(function).calls:
            taken = next(iter(_taken(call)), "") if function != known.key else ""
            if taken and _same(known, path, taken, function):
                return True, Related(
                    function.path, call.place.first_line, "taken from here as well"
                )
    return False, None


def _is_everybodys(known: Known, path: str) -> bool:
    """Whether each of several workers takes from the queue: the same function, or the same class.

    A thread's own attribute is shared where whoever made the thread handed the queue in.
    """
    owner = known.program.classes.owner(known.key)
    if "." in path:
        if owner is None:
            return False
        if known.program.kinds.instance(owner).nature not in ALONE:
            return _is_repeated_worker(known, of_one=True)
        if _is_made_once(known, owner):
            return False
        handed = known.program.classes.bindings(owner, path.partition(".")[2])
        return any(
            way.value.path in {p.name for p in known.program.names.function(scope).parameters}
            for scope, way in handed
        )
    return _is_repeated_worker(known)


def _is_made_once(known: Known, owner: ClassId) -> bool:
    """Whether the project makes one thing of a class, and hands its queue to nobody else."""
    made = known.program.classes.method(owner, "__init__")
    if made is None:
        return False
    graph = known.program.graph
    places = [
        (caller, call)
        for caller in graph.callers.get(made, ())
        for call in known.program.names.function(caller).calls
        if made in graph.targets(caller, call)
    ]
    return (
        len(places) == 1
        and _is_named(known, *places[0])
        and not _repeats(known, *places[0])
        and not _is_handed_out(known, *places[0])
    )


def _is_handed_out(known: Known, scope: FunctionId, made: Call) -> bool:
    """Whether whoever makes a worker takes itself from what it hands in, or hands it to others."""
    given = {a.value.path for a in made.arguments if "." in a.value.path}
    maker = known.program.classes.owner(scope)
    if maker is None:
        return False
    return any(
        given & set(_taken(call))
        or (call is not made and given & {a.value.path for a in call.arguments})
        for _, entry in known.program.classes.members(maker)
        for call in entry.calls
    )


def _is_named(known: Known, scope: FunctionId, call: Call) -> bool:
    ways = known.program.names.function(scope).bindings.values()
    return any(way.value is call for found in ways for way in found)


def _is_repeated_worker(known: Known, *, of_one: bool = False) -> bool:
    """Whether several workers run the function; with `of_one` all as methods of one object."""
    return any(
        _is_repeated(known, registration)
        for registration in known.program.graph.registrations
        if registration.target == known.key
        and registration.role in THREADS
        and not (of_one and not _is_own_method(known, registration))
    )


def _is_own_method(known: Known, registration: Registration) -> bool:
    """Whether an object hands on a method of its own: `Thread(target=self.work)`."""
    call, me = registration.call, known.program.classes.self_name(registration.scope)
    own = f"{me}.{known.program.names.function(registration.target).short_name}"
    return bool(me) and call is not None and any(a.value.path == own for a in call.arguments)


def _is_repeated(known: Known, registration: Registration) -> bool:
    """Whether a worker is started in a comprehension, or right below the head of a `for`."""
    return registration.call is not None and _repeats(known, registration.scope, registration.call)


def _repeats(known: Known, scope: FunctionId, call: Call) -> bool:
    """Whether a call stands in a comprehension, or right below the head of a `for`."""
    ways = [w for found in known.program.names.function(scope).bindings.values() for w in found]
    made = [e for way in ways for e in way.value.walk() if isinstance(e, Comprehension)]
    inner = [clause.iterable for one in made for clause in one.clauses]
    return any(_holds(one, call) for one in made) or any(
        0 < call.place.line - way.line <= NEAR
        for way in ways
        if way.how == "each" and way.value not in inner
    )


def _holds(made: Comprehension, call: Call) -> bool:
    return any(isinstance(e, Call) and e.place == call.place for e in made.walk())


def _neighbours(known: Known, variable: Variable, path: str) -> Iterator[FunctionId]:
    """The functions that can reach the queue: methods of the class, or functions of the module."""
    classes = known.program.classes
    owner = classes.owner(known.key) if "." in path else None
    if owner is not None:
        for one in (*classes.project_line(owner), *classes.children(owner)):
            for function, _ in classes.members(one):
                yield function
        return
    if variable.scope.name == MODULE or variable.scope != known.key:
        for name in known.program.names.modules[known.key.path].functions:
            yield FunctionId(known.key.path, name)


def _taken(call: Call) -> Iterator[str]:
    """What a call takes from: `q.get()`, `iter(q.get, None)`."""
    for called in (call.func, *(a.value for a in call.arguments)):
        head, dot, last = called.path.rpartition(".")
        if dot and last in TAKES:
            yield head


def _same(known: Known, path: str, taken: str, function: FunctionId) -> bool:
    """Whether another function, run by somebody else, takes from the queue of this name."""
    if taken.rpartition(".")[2] != path.rpartition(".")[2] or ("." in taken) != ("." in path):
        return False
    roles = known.program.roles
    mine, others = set(roles.of(known.key)), set(roles.of(function))
    if (mine ^ others) & THREADS:
        return True
    return bool(mine & THREADS) and _workers(known, known.key) != _workers(known, function)


def _workers(known: Known, function: FunctionId) -> frozenset[FunctionId]:
    """The functions that workers run and by which a function is reached."""
    return frozenset(
        one.target
        for one in known.program.graph.registrations
        if one.role in THREADS
        and (function == one.target or function in known.program.drain_paths.closure(one.target))
    )
