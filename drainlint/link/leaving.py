"""Whether a function leaves its callers behind, whatever comes: it raises, or ends the program."""

from collections.abc import Callable

from drainlint.model.expression import Call
from drainlint.model.statement import Block, If, Raise, Statement, Try, With

IsExit = Callable[[Call], bool]
"""Whether a call ends the program."""


def leaves(block: Block, given: str, is_exit: IsExit) -> bool:
    """Whether a block raises or exits on every way through it.

    What a test of the signal itself (`given`) decides is decided for that signal: there one of
    its branches is enough. What any other test decides, such as whether this is the second
    signal, may be otherwise the first time.
    """
    return any(_leaves(statement, given, is_exit) for statement in block)


def _leaves(statement: Statement, given: str, is_exit: IsExit) -> bool:
    match statement:
        case Raise():
            return True
        case If(test=test, body=body, otherwise=otherwise):
            branches = [leaves(block, given, is_exit) for block in (body, otherwise)]
            decides = bool(given) and any(part.path == given for part in test.walk())
            return any(branches) if decides else all(branches)
        case With(body=body):
            return leaves(body, given, is_exit)
        case Try(body=body, otherwise=otherwise, final=final):
            return any(leaves(block, given, is_exit) for block in (body, otherwise, final))
    parts = (part for expression in statement.expressions for part in expression.walk())
    return any(isinstance(part, Call) and is_exit(part) for part in parts)
