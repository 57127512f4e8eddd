"""Commands that children run: which of them are soon done."""

import re
from collections.abc import Iterator

from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.names import FunctionId
from drainlint.link.origins import DEPTH, made, ways
from drainlint.link.program import Program
from drainlint.model.expression import Call, Conditional, Constant, Expression, Group

LONGEST = 4
"""Words of a command that only asks a program for its version: `python -m pip --version`."""
CHILDREN = frozenset({"popen", "aio-process"})
ANOTHER = re.compile(r"&&|\|\||[;|\n]")
"""What stands between one command of a shell and the next."""
WITHIN = re.compile(r"\$\(|`")
"""How a shell puts what one command prints into another."""
TAKES_A_WORD = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace"})
"""Options of git itself that another word follows."""


def is_brief(known: Known, verb: str) -> bool:
    """Whether the child that is waited for tells something, or sends a signal, and ends."""
    makers = _makers(known, verb)
    return bool(makers) and all(_is_soon_done(known.program, *maker) for maker in makers)


def is_attended(known: Known, verb: str) -> bool:
    """Whether the child is one that its user works with: an editor, a pager, a menu."""
    makers = _makers(known, verb)
    if makers and named("attended", known.function.short_name):
        return True
    return bool(makers) and all(_is_for_its_user(known.program, *maker) for maker in makers)


def _makers(known: Known, verb: str) -> list[tuple[FunctionId, Call]]:
    """The calls that start the child which is waited for, each with its function."""
    if verb == "process":
        return [(known.key, known.call)]
    if known.kind is None or known.kind.nature not in CHILDREN or known.call.receiver is None:
        return []
    return [
        (scope, call)
        for scope, call in made(known.program, known.key, known.call.receiver)
        if (kind := known.program.kinds.of(scope, call)) is not None
        and CHILDREN & {kind.nature, kind.element.nature if kind.element is not None else ""}
    ]


def fills_no_pipe(program: Program, scope: FunctionId, call: Call) -> bool:
    """Whether all that a command has to say fits into a pipe: a version, a number, a path."""
    return _is_soon_done(program, scope, call) and not any(
        named("prints-much", _base(word))
        for words in _commands(program, scope, call)
        for word in (*words[:1], _subcommand(words[1:]))
    )


def controls_another(known: Known) -> bool:
    """Whether the class of a stop only gives commands to what lives elsewhere.

    Its `start`, too, runs a command to its end, and it has no worker of its own: what it starts
    is no part of this program, which may end without it. A stop that the program's own end leads
    to is another matter.
    """
    owner = known.program.classes.owner(known.key)
    if owner is None or known.drain is None:
        return False
    service = known.function.service
    itself = known.drain.root.startswith(f"`{owner.name}.")
    if not known.drain.by_name and (not itself or service is None or service.workers):
        return False
    return any(
        named("starts-again", entry.short_name) and _runs_a_command(known.program, method)
        for one in known.program.classes.project_line(owner)
        for method, entry in known.program.classes.members(one)
    )


def _runs_a_command(program: Program, method: FunctionId) -> bool:
    """Whether a method runs a child to its end, itself or by the helper that it calls."""
    return any(
        facts[0].does == "process"
        for function in (method, *program.graph.callees.get(method, ()))
        for call in program.names.function(function).calls
        if (facts := program.facts(function, call)) is not None
    )


def _is_soon_done(program: Program, scope: FunctionId, call: Call) -> bool:
    commands = _commands(program, scope, call)
    return bool(commands) and all(_tells(words) for words in commands)


def _commands(program: Program, scope: FunctionId, call: Call) -> list[list[str]]:
    """The words of each command that a call may run."""
    given = call.argument("args", 0)
    plain = [a.value for a in call.arguments if a.name in ("", "*")]
    if given is None:
        return []
    if len(plain) > 1 and isinstance(given, Constant):
        return [[_text(value) for value in plain]]  # each word is an argument of its own
    return [
        words
        for where, value in _values(program, scope, given)
        for words in _words(program, where, value)
    ]


def _is_for_its_user(program: Program, scope: FunctionId, call: Call) -> bool:
    given = call.argument("args", 0)
    values = () if given is None else _values(program, scope, given)
    return any(_is_attended_program(program, where, value) for where, value in values)


def _is_attended_program(program: Program, scope: FunctionId, command: Expression) -> bool:
    """Whether the program of a command is one that its user works with."""
    first = command.items[0] if isinstance(command, Group) and command.items else command
    return any(
        named("attended", _called(part))
        for _, value in _values(program, scope, first)
        for part in value.walk()
    )


def _called(part: Expression) -> str:
    """What a part of a command is called: `$EDITOR`, `self.pager`, `find_editor()`, `less -R`."""
    if isinstance(part, Call):
        return part.method
    return part.path or _base(next(iter(_text(part).split()), ""))


def _values(
    program: Program, scope: FunctionId, given: Expression, depth: int = 0
) -> Iterator[tuple[FunctionId, Expression]]:
    """What is given as it is written: in the call, or where the name that it has gets its value."""
    if isinstance(given, Call) and given.method == "split":  # of a text, or by `shlex`
        texts = [a.value for a in given.arguments] if given.arguments else [given.receiver]
        given = texts[0] or given
    if isinstance(given, Conditional):
        yield from _values(program, scope, given.body, depth)
        yield from _values(program, scope, given.otherwise, depth)
    elif not given.path or depth > DEPTH or _is_parameter(program, scope, given.path):
        yield scope, given
    else:
        for where, way in ways(program, scope, given.path):
            assigned = way.how == "assign" and not way.items and not way.value.path
            if assigned:
                yield from _values(program, where, way.value, depth + 1)
            else:
                yield where, given


def _is_parameter(program: Program, scope: FunctionId, name: str) -> bool:
    return any(p.name == name for p in program.names.function(scope).parameters)


def _words(program: Program, scope: FunctionId, command: Expression) -> list[list[str]]:
    """The words of a command; what is not constant counts as an empty one.

    A text may hold several commands, for a shell.
    """
    if not isinstance(command, Group) or not command.items:
        text = _text(command)
        return [[]] if WITHIN.search(text) else [part.split() for part in ANOTHER.split(text)]
    first = {_program(value) for _, value in _values(program, scope, command.items[0])}
    soon = bool(first) and all(named("soon-done", _base(name)) for name in first)
    program_name = first.pop() if len(first) == 1 or soon else ""
    return [[program_name, *(_text(item) for item in command.items[1:])]]


def _program(value: Expression) -> str:
    """The program that stands first in a command, `shutil.which("git")` included."""
    if isinstance(value, Call) and value.method == "which" and value.arguments:
        return _text(value.arguments[0].value)
    return _text(value)


def _text(value: Expression) -> str:
    return value.value if isinstance(value, Constant) and isinstance(value.value, str) else ""


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")


def _tells(words: list[str]) -> bool:
    if not words:
        return False
    if named("soon-done", _base(words[0])):
        return True
    if len(words) == 1:
        return False
    asks = len(words) <= LONGEST and named("tells-about-itself", words[-1])
    return asks or (_base(words[0]) == "git" and named("asks-repository", _subcommand(words[1:])))


def _subcommand(words: list[str]) -> str:
    """What git is told to do, its own options aside: `log` in `git -C there --no-pager log`."""
    while words and words[0].startswith("-"):
        words = words[2 if words[0] in TAKES_A_WORD else 1 :]
    return words[0] if words else ""
