"""From a linked project to findings: bodies become nouns, and rules judge them, file by file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from drainlint.bodies import Bodies
from drainlint.cache import pack
from drainlint.finding import Finding, Notice
from drainlint.gather import FileFacts, Problem
from drainlint.index.screen import Vocabulary
from drainlint.link.candidates import Candidates
from drainlint.link.names import FunctionId
from drainlint.link.nouns import Nouns
from drainlint.link.program import Program
from drainlint.model.noun import Noun
from drainlint.settle import settle
from drainlint.verdict import Jury

FEW = 4_000
"""So many lines are read by one process in about the time that a second takes to be of use."""
MANY = 20_000
"""So many lines are linked in that time."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A project whose files have been indexed and joined."""

    program: Program
    facts: Mapping[str, FileFacts]
    """What each file told by itself, by path."""
    bodies: Bodies
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out of judging some files."""

    findings: tuple[Finding, ...] = ()
    """Settled, file by file."""
    crashes: tuple[Notice, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Files that libcst refused."""
    spoken: Mapping[str, bytes] = field(default_factory=dict)
    """What rules spoke of in each file, packed, where it is to be kept."""


@dataclass
class Judge:
    """Reads what files hold, and has it judged."""

    linked: Linked
    jury: Jury

    def judged(self, paths: Sequence[str]) -> Judged:
        """Judge these files."""
        found: list[Finding] = []
        spoken: dict[str, bytes] = {}
        for path in paths:
            told, spoken_of = self.jury.first(path, self._nouns(path))
            found += settle(told, self.jury.settings(path))
            if self.jury.keeping:
                with suppress(RecursionError):  # nested too deeply to be kept
                    spoken[path] = pack(spoken_of)
        problems = tuple(self.linked.bodies.problems.values())
        return Judged(tuple(found), tuple(self.jury.crashes), problems, spoken)

    def _nouns(self, path: str) -> Iterator[Noun]:
        facts = self.linked.facts[path]
        if facts.entry is None:
            return
        names = sorted(self._candidates.of(path, facts.screened))
        if names:
            self.linked.bodies.read(path, names)
        for name in names:
            key = FunctionId(path, name)
            body = self.linked.bodies.get(key)
            if body is None:
                continue
            try:
                yield from list(self._builder.of_body(key, body))
            except Exception as fault:  # noqa: BLE001 - whatever it is, the other functions go on
                text = f"reading `{name}` failed: {type(fault).__name__}: {fault}"
                self.jury.crashes.append(Notice("crash", path, text))

    @cached_property
    def _builder(self) -> Nouns:
        return Nouns(self.linked.program)

    @cached_property
    def _candidates(self) -> Candidates:
        return Candidates(self.linked.program, self.linked.vocabulary, self._builder.under_locks)


def shares(facts: Mapping[str, FileFacts], paths: Iterable[str], jobs: int) -> list[list[str]]:
    """Files in shares of about the same number of lines to be read; one where more do not pay."""
    lines = {path: _lines(facts[path]) for path in paths}
    whole = sum(one.entry.lines for one in facts.values() if one.entry is not None)
    if jobs < 2 or (sum(lines.values()) < FEW and whole < MANY):  # noqa: PLR2004
        return [list(lines)]
    found: list[list[str]] = [[] for _ in range(jobs)]
    weights = [0] * jobs
    for path in sorted(lines, key=lambda path: (-lines[path], path)):
        lightest = weights.index(min(weights))
        found[lightest].append(path)
        weights[lightest] += lines[path] + 1
    return found


def _lines(facts: FileFacts) -> int:
    """How many lines of a file are to be read, as far as its words tell."""
    if facts.entry is None:
        return 0
    functions = (facts.entry.functions[name] for name in facts.screened)
    return sum(f.end_line - f.first_line + 1 for f in functions)
