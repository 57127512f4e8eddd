"""What makes a finding the same finding after the code around it has moved.

A fingerprint is made of the rule, the file, the enclosing function and the statement, never of a
line number, a column, a message or a level. A new layout of the statement, a comment behind it or
another interpreter (hence no `tokenize`, whose answer differs between versions) do not change it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256

from drainlint.finding import Finding
from drainlint.model.place import Place

_MOST_LINES = 50
"""How far a statement is followed: a limit for code that never closes a bracket."""

_TOKEN = re.compile(
    r"""(?P<skip> [ \t\f]+ | \\\n | \#[^\n]*)
      | (?P<end> \n)
      | (?P<text> \"{3}(?s:.)*?\"{3} | '{3}(?s:.)*?'{3}
                | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
      | (?P<word> \w+)
      | (?P<open> [(\[{])
      | (?P<close> [)\]}])
      | (?P<sign> (?s:.))""",
    re.VERBOSE,
)


def fingerprint(finding: Finding, lines: tuple[str, ...]) -> str:
    """The finding's fingerprint, given the lines of its file; the same for equal statements.

    Two findings of one rule at equal statements of one function share it: count them.
    """
    what = (finding.code, finding.path, finding.function, statement(finding.place, lines))
    return sha256("\0".join(what).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def numbered(
    findings: Iterable[Finding], sources: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The fingerprint of each finding with `:n` behind it, for the n-th that shares it."""
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        mark = fingerprint(finding, sources.get(finding.path, ()))
        seen[mark] += 1
        result.append(f"{mark}:{seen[mark]}")
    return tuple(result)


def statement(place: Place, lines: tuple[str, ...]) -> str:
    """The code from a place to the end of its statement, in one line of a fixed layout.

    It ends at a line end outside brackets, or at a bracket that closes one opened before the
    place. Comments, line ends within brackets and a comma before a closing bracket are left out.
    """
    first = max(0, place.line - 1)
    text = "\n".join(lines[first : first + _MOST_LINES])[max(0, place.column - 1) :]
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case "end" if depth == 0:
                break
            case "skip" | "end":
                continue
            case "close" if depth == 0:
                break
            case "close":
                depth -= 1
                if parts[-1] == ",":
                    parts.pop()
            case "open":
                depth += 1
        parts.append(token.group())
    return " ".join(parts)
