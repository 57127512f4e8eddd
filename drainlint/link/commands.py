"""Commands that children run: which of them only tell something, and end."""

from collections.abc import Iterator

from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.origins import ways
from drainlint.model.expression import Constant, Expression, Group

LONGEST = 4
"""Words of a command that only asks a program for its version: `python -m pip --version`."""


def only_tells(known: Known) -> bool:
    """Whether a call runs a program that tells its version, or the machine's name, and ends."""
    command = known.call.argument("args", 0)
    if command is None:
        return False
    texts = [_words(value) for value in _values(known, command)]
    return bool(texts) and all(_tells(words) for words in texts)


def _values(known: Known, command: Expression) -> Iterator[Expression]:
    """The command as it is written: in the call, or where the name that it has gets its value."""
    if not command.path:
        yield command
        return
    for _, way in ways(known.program, known.key, command.path):
        yield way.value if way.how == "assign" and not way.items else command


def _words(command: Expression) -> list[str]:
    """The words of a command; what is not constant counts as an empty one."""
    if isinstance(command, Group):
        return [_text(item) for item in command.items]
    return _text(command).split()


def _text(value: Expression) -> str:
    return value.value if isinstance(value, Constant) and isinstance(value.value, str) else ""


def _tells(words: list[str]) -> bool:
    if not words or len(words) > LONGEST:
        return False
    asks = len(words) > 1 and named("tells-about-itself", words[-1])
    return asks or named("tells-and-ends", words[0].rpartition("/")[2])
