"""Waits that end because of what else the function does: their pool was joined, a timer kills."""

from collections.abc import Iterator

from drainlint.link.calls import Known
from drainlint.link.ended import statement_calls
from drainlint.link.names import FunctionId, Variable
from drainlint.link.origins import made, runs
from drainlint.model.expression import Call, Expression
from drainlint.model.statement import Assign, If, Statement

OF_POOLS = frozenset({"result", "future"})
POOLS = frozenset({"pool", "executor"})
ENDING = frozenset({"join", "shutdown"})
COMPLETING = frozenset({"set_result", "set_exception", "set_running_or_notify_cancel"})
SERVES = ".serve_forever"
KILLING = frozenset({"kill", "terminate", "send_signal", "killpg", "cancel", "close", "shutdown"})


def finished(known: Known) -> str:
    """Why what a call waits for is over by now; empty where it may go on."""
    if is_only_tried(known):
        return "its server was closed right after it was made"
    if _served_until(known):
        return "its server was shut down"
    if known.kind is None or known.kind.nature not in OF_POOLS:
        return ""
    if known.program.roles.registered(known.key) & {"done-callback"}:
        return "it runs when a future is done"
    if known.call.method == "exception" and known.program.names.function(known.key).is_async:
        return "a coroutine asks this of what is done"
    if _chains(known):
        return "it hands the result of one future on to others"
    for statement in known.occurrence.spot.preceding():
        for call in statement_calls(statement):
            if call.method in ENDING and call.receiver is not None and not call.arguments:
                kind = known.program.kinds.of(known.key, call.receiver)
                if kind is not None and kind.nature in POOLS:
                    return f"`{call.text}` has waited for it"
    return ""


def _served_until(known: Known) -> bool:
    """Whether a thread ran a server's `serve_forever`, and the server was shut down before."""
    receiver = known.call.receiver
    if known.call.method != "join" or receiver is None:
        return False
    serving = {
        argument.value.path.removesuffix(SERVES)
        for _, call in made(known.program, known.key, receiver)
        for argument in call.arguments
        if argument.value.path.endswith(SERVES)
    }
    return bool(serving) and any(
        call.method == "shutdown" and call.receiver is not None and call.receiver.path in serving
        for statement in known.occurrence.spot.preceding()
        for call in statement_calls(statement)
    )


def is_only_tried(known: Known) -> bool:
    """Whether a server is closed right after it was made: only its address was tried."""
    if known.call.method != "wait_closed" or known.kind is None or known.kind.nature != "server":
        return False
    for number, statement in enumerate(known.occurrence.spot.preceding()):
        if number > 1:
            return False
        if isinstance(statement, Assign):
            return any(target.text == known.subject for target in statement.targets)
    return False


def _chains(known: Known) -> bool:
    """Whether a function is given a future, and completes others with what it says."""
    if "." in known.subject or known.facts is None:
        return False
    resolved = known.program.names.resolve(known.key, known.subject)
    if resolved is None or not isinstance(resolved.symbol, Variable):
        return False
    entry = known.program.names.function(known.key)
    given = resolved.symbol.scope == known.key and any(
        p.name == known.subject for p in entry.parameters
    )
    return given and any(
        c.method in COMPLETING and c.receiver is not None and c.receiver.path != known.subject
        for c in entry.calls
    )


def watched(known: Known) -> str:
    """The timer, started before, that ends what a call waits for; empty for none."""
    if known.call.receiver is None or known.does not in ("join", "wait", "take"):
        return ""
    for statement in known.occurrence.spot.preceding():
        for timer in _timers(known, statement):
            for target in runs(known.program, known.key, timer):
                if _ends(known, target):
                    return timer.text
    return ""


def _timers(known: Known, statement: Statement) -> Iterator[Call]:
    """The timers that a statement, or a branch of it, starts."""
    inner = statement.walk() if isinstance(statement, If) else (statement,)
    for one in inner:
        for expression in one.expressions if isinstance(one, Assign) else ():
            yield from (c for c in _calls(expression) if _is_timer(known, c))


def _calls(expression: Expression) -> Iterator[Call]:
    return (e for e in expression.walk() if isinstance(e, Call))


def _is_timer(known: Known, call: Call) -> bool:
    kind = known.program.kinds.of(known.key, call)
    return kind is not None and kind.nature in ("timer", "timer-handle")


def _ends(known: Known, target: FunctionId) -> bool:
    """Whether a timer's function ends, among others, what is waited for."""
    return any(
        call.method in KILLING and call.receiver is not None and call.receiver.text == known.subject
        for call in known.program.names.function(target).calls
    )
