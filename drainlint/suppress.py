"""Comments in the source that set findings aside, each with its reason, each held to be used.

    self.worker.join()  # drainlint: ignore[unbounded-join] the platform kills us anyway
    # drainlint: ignore-file[poll-queue] generated

There is no blanket form. A comment counts for the header of a statement: its logical line, which
ends at the colon of a compound statement and includes the decorators of a definition.
"""

import re
import tokenize
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from drainlint.config import RuleNames
from drainlint.finding import Finding, Suppression
from drainlint.model.place import Place
from drainlint.source import decode
from drainlint.spelling import closest

_PRAGMA = re.compile(
    r"#\s*drainlint:\s*(?P<verb>[\w-]*)\s*(?:\[(?P<names>[^\]]*)\](?P<reason>.*))?"
)
_VERBS = ("ignore", "ignore-file")
_LAYOUT = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say about a file or a comment in it, for the run to make a finding of."""

    path: str
    place: Place
    text: str
    remedy: str = ""


@dataclass(slots=True)
class _Comment:
    """One comment with the rules it names, and those of them that set something aside."""

    place: Place
    codes: dict[str, str]
    """Code to the word that the comment says."""
    reason: str
    lines: range | None
    """The lines it counts for; None for the whole file."""
    used: set[str] = field(default_factory=set)

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of this finding's rule and line."""
        if finding.code not in self.codes:
            return False
        return self.lines is None or finding.place.line in self.lines


@dataclass(frozen=True, slots=True)
class _Note:
    """A comment token."""

    text: str
    line: int
    column: int
    alone: bool
    """Nothing else stands on its line."""


class Suppressions:
    """The comments of all files that are checked."""

    def __init__(self, names: RuleNames) -> None:
        """Nothing is read yet."""
        self._names = names
        self._comments: dict[str, list[_Comment]] = {}
        self.faults: list[Remark] = []
        """Comments that do not say what they want, or name what no rule is called."""

    def read(self, path: str, content: bytes) -> None:
        """Take in the comments of a file; one that is no Python has none."""
        try:
            lines = decode(path, content).lines
        except (SyntaxError, ValueError):
            return
        notes, headers = _layout(lines)
        alone = {note.line for note in notes if note.alone}
        for note in notes:
            pragma = (_PRAGMA.match if note.alone else _PRAGMA.search)(note.text)
            if pragma:
                self._take(path, note, pragma, _reach(note, alone, headers))

    def of(self, finding: Finding) -> Suppression | None:
        """The comment that sets a finding aside; it counts as used from now on."""
        covering = [c for c in self._comments.get(finding.path, ()) if c.covers(finding)]
        if not covering:
            return None
        comment = min(covering, key=lambda c: c.lines is None)
        comment.used.add(finding.code)
        return Suppression("file" if comment.lines is None else "inline", comment.reason)

    def unused(self, ran: Callable[[str, str], bool]) -> Iterator[Remark]:
        """What set nothing aside, for the rules that `ran` (a path and a code) says were tried."""
        for path, comments in self._comments.items():
            for comment in comments:
                for code, word in comment.codes.items():
                    if code not in comment.used and ran(path, code):
                        where = "in this file" if comment.lines is None else "here"
                        text = f"there is no `{word}` {where} to ignore; remove it from the comment"
                        yield Remark(path, comment.place, text)

    def _take(self, path: str, note: _Note, pragma: re.Match[str], lines: range) -> None:
        """Add one comment, or what is wrong with it."""
        start = note.column + pragma.start() + 1
        place = Place(note.line, start, note.line, note.column + len(note.text.rstrip()) + 1)
        verb, named = pragma["verb"], pragma["names"]
        words = [word.strip() for word in (named or "").split(",") if word.strip()]
        fault = ""
        if verb not in _VERBS:
            fault = f"`{verb}` is no word of drainlint's{closest(verb, _VERBS) or _FORM}"
        elif not words:
            fault = f"this `{verb}` names no rule, so it ignores nothing{_FORM}"
        if fault:
            self.faults.append(Remark(path, place, fault))
            return
        codes: dict[str, str] = {}
        for word in words:
            code = self._names.rule(word)
            if code:
                codes[code] = word
            else:
                self.faults.append(Remark(path, place, self._unknown(word)))
        whole = verb == "ignore-file"
        comment = _Comment(place, codes, pragma["reason"].strip(), None if whole else lines)
        self._comments.setdefault(path, []).append(comment)

    def _unknown(self, word: str) -> str:
        """Why a word in a comment names no single rule."""
        if self._names.codes(word):
            return f"`{word}` is more than one rule; a comment names each rule that it ignores"
        return f"unknown rule `{word}`{closest(word, self._names.rules)}"


_FORM = "; write `ignore[rule-name] reason`"


def _layout(lines: Sequence[str]) -> tuple[list[_Note], list[range]]:
    """The comments and the headers of a file, in source order; as far as it can be tokenised."""
    notes: list[_Note] = []
    headers: list[range] = []
    start = above = 0
    decorating = False
    feed = (line + "\n" for line in lines)
    try:
        for token in tokenize.generate_tokens(lambda: next(feed, "")):
            line, column = token.start
            if token.type == tokenize.COMMENT:
                alone = not lines[line - 1][:column].strip()
                notes.append(_Note(token.string, line, column, alone))
            elif token.type == tokenize.NEWLINE and start:
                if not decorating:
                    headers.append(range(above or start, line + 1))
                above = (above or start) if decorating else 0
                start = 0
            elif token.type not in _LAYOUT and not start:
                start, decorating = line, token.string == "@"
    except (tokenize.TokenError, SyntaxError):
        pass
    return notes, headers


def _reach(note: _Note, alone: set[int], headers: Sequence[range]) -> range:
    """The lines a comment counts for: of the statement it stands in, or directly below it."""
    line = note.line
    header = _header(line, headers)
    if note.alone and not header:
        while line in alone:
            line += 1
        header = _header(line, headers)
    return header


def _header(line: int, headers: Sequence[range]) -> range:
    """The header that a line belongs to; empty where there is none."""
    index = bisect_right(headers, line, key=lambda header: header.start) - 1
    return headers[index] if index >= 0 and line in headers[index] else range(0)
