"""From a linked project to findings: bodies become nouns, and rules judge them, file by file."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from drainlint.bodies import Bodies
from drainlint.config import FileSettings
from drainlint.finding import Finding, Notice
from drainlint.gather import FileFacts, Problem
from drainlint.index.screen import Vocabulary
from drainlint.link.candidates import Candidates
from drainlint.link.names import FunctionId
from drainlint.link.nouns import Nouns
from drainlint.link.program import Program
from drainlint.model.noun import Noun
from drainlint.rule import Rule
from drainlint.rules import cards, rule
from drainlint.settle import settle

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

FEW = 4_000
"""So many lines are read by one process in about the time that a second takes to be of use."""


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


@dataclass
class Judge:
    """Applies rules to nouns; a rule that crashes is reported, and the others go on."""

    linked: Linked
    settings: Callable[[str], FileSettings]
    """What a file is judged by, by its path relative to the root."""
    rules: frozenset[str]
    """Codes that are active for any file."""
    crashes: list[Notice] = field(default_factory=list)

    def judged(self, paths: Sequence[str]) -> Judged:
        """Judge these files."""
        found = tuple(f for path in paths for f in settle(self.findings(path), self.settings(path)))
        return Judged(found, tuple(self.crashes), tuple(self.linked.bodies.problems.values()))

    def shared_out(self, paths: Sequence[str], jobs: int) -> list[Judged]:
        """Judge these files in several processes, where they can share what is linked already.

        A forked process has the whole project in its memory; sent to another it would cost more
        than it saves, so elsewhere than on Linux one process does it all.
        """
        own, *others = _shares({path: self._lines(path) for path in paths}, jobs)
        if not others or sys.platform != "linux":
            return [self.judged(paths)]
        from multiprocessing import get_context  # noqa: PLC0415 - not for a few files

        context = get_context("fork")
        waiting = []
        for share in others:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=self._report, args=(share, theirs), daemon=True)
            process.start()
            theirs.close()
            waiting.append((share, ours, process))
        found = [self.judged(own)]
        for share, connection, process in waiting:
            try:
                found.append(connection.recv())
            except EOFError:  # it met a fault, or was killed for its memory: so it is done here
                found.append(self.judged(share))
            process.join()  # drainlint: allow unbounded-join (it has said its last word)
        return found

    def _report(self, paths: Sequence[str], to: "Connection") -> None:
        try:
            to.send(self.judged(paths))
        except Exception:  # noqa: BLE001 - the parent does it again, and meets the fault itself
            to.close()

    def _lines(self, path: str) -> int:
        """How many lines of a file are to be read, as far as its words tell."""
        facts = self.linked.facts[path]
        if facts.entry is None:
            return 0
        functions = (facts.entry.functions[name] for name in facts.screened)
        return sum(f.end_line - f.first_line + 1 for f in functions)

    def findings(self, path: str) -> Iterator[Finding]:
        """What the active rules find in one file."""
        settings = self.settings(path)
        side = settings.side_code(path)
        for noun in self._nouns(path):
            judged = replace(noun, budget=settings.budget, min_sleep=settings.min_sleep, side=side)
            for judging in self._by_noun.get(type(noun).__name__, ()):
                if judging.code in settings.rules:
                    yield from self._check(judging, judged)

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
                self.crashes.append(Notice("crash", path, text))

    def _check(self, judging: Rule[Noun], noun: Noun) -> Iterator[Finding]:
        try:
            yield from list(judging.check(noun))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other rules go on
            text = f"rule {judging.name} failed: {type(fault).__name__}: {fault}"
            self.crashes.append(Notice("crash", noun.path, text))

    @cached_property
    def _builder(self) -> Nouns:
        return Nouns(self.linked.program)

    @cached_property
    def _candidates(self) -> Candidates:
        return Candidates(self.linked.program, self.linked.vocabulary, self._builder.under_locks)

    @cached_property
    def _by_noun(self) -> Mapping[str, Sequence[Rule[Noun]]]:
        found: dict[str, list[Rule[Noun]]] = defaultdict(list)
        for card in cards():
            if card.code in self.rules and card.noun:
                found[card.noun].append(rule(card.code))
        return found


def _shares(lines: Mapping[str, int], jobs: int) -> list[list[str]]:
    """Files in as many shares of about the same number of lines to be read as there are jobs."""
    if jobs < 2 or sum(lines.values()) < FEW:  # noqa: PLR2004 - one job is one share
        return [list(lines)]
    shares: list[list[str]] = [[] for _ in range(jobs)]
    weights = [0] * jobs
    for path in sorted(lines, key=lambda path: (-lines[path], path)):
        lightest = weights.index(min(weights))
        shares[lightest].append(path)
        weights[lightest] += lines[path] + 1
    return shares
