"""Was what is waited for killed just before? Then it ends, whatever it was doing."""

import re

from drainlint.link.calls import CHILDREN_BY_NUMBER, Known, is_log
from drainlint.link.ended import FEW, Subject, statement_calls, stripped
from drainlint.link.names import FunctionId
from drainlint.link.origins import ways
from drainlint.link.program import Program
from drainlint.model.expression import Call
from drainlint.model.statement import For, If, Try

JUST_BEFORE = 3
"""How many statements up a kill is still the one that the wait is for."""
BOUNDED = frozenset({"wait_for", "wait"})
"""Functions that wait for what they are given, and take a timeout."""
SENDING = frozenset({"kill", "killpg"})
"""Functions that send a child the signal which they are given."""
KILLING = re.compile(r"(^|_)kill($|_)")


def killed(known: Known) -> bool:
    """Whether the same thing was killed for good by one of the last statements before."""
    if (
        known.facts is not None
        and known.facts.name in CHILDREN_BY_NUMBER
        and _killed_by_callers(known)
    ):
        return True
    subject = _several(known) or Subject.of(known)
    if subject is None:
        return False
    if known.kind is not None and known.kind.nature in ("greenlet", "group"):
        return False
    words = {"kill", "terminate"} if _is_pool(known) else {"kill"}
    given = {a.value.text for a in known.call.arguments}  # `psutil.wait_procs(children)`
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > JUST_BEFORE:
            return False
        each = isinstance(statement, For) and (
            subject.is_one_of(statement.iterable) or stripped(statement.iterable).text in given
        )
        for call in statement_calls(statement):
            own = call.method in words and not call.arguments  # os.kill sends what it is told
            if own and (each or subject.is_(call.receiver) or _is_its_process(call, subject)):
                return True
            if _sends_kill(call) or _is_sent_by_helper(known, call, subject):
                return True
    return False


def _is_pool(known: Known) -> bool:
    """Whether it is a pool of processes: to terminate it stops its workers, whatever they do."""
    kind = known.kind
    return kind is not None and kind.nature == "pool" and not kind.library.endswith("ThreadPool")


def _is_sent_by_helper(known: Known, call: Call, subject: Subject) -> bool:
    """Whether a function of the project, told which process, kills it: `kill_tree(child.pid)`."""
    path = subject.expression.path
    given = {argument.value.path for argument in call.arguments} & {path, f"{path}.pid"}
    return bool(path and given) and any(
        inner.method == "kill" or _sends_kill(inner)
        for target in known.program.graph.targets(known.key, call)
        for inner in known.program.names.function(target).calls
    )


def _killed_by_callers(known: Known) -> bool:
    """Whether whoever stops has killed the child before it calls the method that reaps it."""
    program = known.program
    calls = [
        (caller, call)
        for caller in program.graph.callers.get(known.key, ())
        for call in program.names.function(caller).calls
        if known.key in program.graph.targets(caller, call)
        and program.drain(caller, call.place.line) is not None
    ]
    return bool(calls) and all(
        any(
            _kills(before)
            and before.receiver == call.receiver
            and call.place.line - JUST_BEFORE <= before.place.line < call.place.line
            and any(_kills_for_good(program, t) for t in program.graph.targets(caller, before))
            for before in program.names.function(caller).calls
        )
        for caller, call in calls
    )


def _kills_for_good(program: Program, helper: FunctionId) -> bool:
    """Whether a function sends SIGKILL, unless it is told otherwise."""
    entry = program.names.function(helper)
    if any(_sends_kill(call) for call in entry.calls):
        return True
    sending = [call for call in entry.calls if call.method in SENDING]
    sent = {argument.value.path for call in sending for argument in call.arguments}
    given = [p.default for p in entry.parameters if p.default is not None and p.name in sent]
    values = [*given, *(way.value for d in given for _, way in ways(program, helper, d.path))]
    parts = (part for value in values for part in value.walk())
    return any(part.path.rpartition(".")[2] == "SIGKILL" for part in parts)


def _several(known: Known) -> Subject | None:
    """All that a function waits for: `psutil.wait_procs(alive, timeout=3)`."""
    if known.facts is None or known.facts.outcome != "not-done" or not known.call.arguments:
        return None
    given = known.call.arguments[0].value
    return Subject(given, frozenset({stripped(given).text})) if given.path else None


def killed_when_late(known: Known, subject: Subject) -> bool:
    """Whether it was waited for before, for a while, and killed where that was not enough."""
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > FEW:
            return False
        tries = [s for s in statement.walk() if isinstance(s, Try)]
        for one in tries if isinstance(statement, Try | If) else ():
            late = (call for h in one.handlers for s in h.body for call in statement_calls(s))
            if _waits_for_a_while(one, subject) and any(map(_kills, late)):
                return True
    return False


def _kills(call: Call) -> bool:
    return bool(KILLING.search(call.method)) or _sends_kill(call)


def _waits_for_a_while(statement: Try, subject: Subject) -> bool:
    """Whether a `try` waits for something under a timeout: `wait_for(shield(task), 5)`."""
    return any(
        call.method in BOUNDED
        and any(subject.is_(part) for a in call.arguments[:1] for part in a.value.walk())
        for inner in statement.body
        for call in statement_calls(inner)
    )


def _is_its_process(call: Call, subject: Subject) -> bool:
    """`psutil.Process(child.pid).kill()`: the same process by its number."""
    by_number = call.receiver if isinstance(call.receiver, Call) else None
    path = f"{subject.expression.path}.pid"
    return by_number is not None and any(a.value.path == path for a in by_number.arguments)


def _sends_kill(call: Call) -> bool:
    """Whether a call is told to kill for good: `os.kill(pid, SIGKILL)`, or a helper around it."""
    given = (a.value.path.rpartition(".")[2] for a in call.arguments)
    return not is_log(call) and any(name == "SIGKILL" for name in given)
