"""The engine: files to findings, in the stages of the design."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from drainlint.config import FileSettings
from drainlint.discover import SourceFile
from drainlint.finding import Finding, Notice
from drainlint.index.collect import index
from drainlint.index.entries import ModuleEntry
from drainlint.index.screen import Groups, wanted
from drainlint.knowledge import load
from drainlint.model.noun import Noun
from drainlint.model.statement import Body
from drainlint.rule import Rule
from drainlint.rules import cards, rule, words
from drainlint.settle import settle
from drainlint.source import decode


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to do."""

    root: Path
    settings: Callable[[str], FileSettings]
    """The settings of a file, by its path relative to the root."""
    knowledge: Mapping[str, object]
    """The user's own tables."""
    jobs: int
    cache: bool
    rules: frozenset[str]
    """Codes that are active for any file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that cannot be read or parsed, and where in it."""

    path: str
    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the engine found."""

    findings: tuple[Finding, ...]
    """Settled, for the asked files, by active rules."""
    unparsable: tuple[Problem, ...] = ()
    unreadable: tuple[Problem, ...] = ()
    crashes: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one file tells by itself: its index, and the bodies that were read."""

    entry: ModuleEntry | None = None
    bodies: tuple[Body, ...] = ()
    unparsable: Problem | None = None
    unreadable: Problem | None = None
    crash: Notice | None = None


def analyse(files: Sequence[SourceFile], asked: frozenset[str], options: Options) -> Analysis:
    """Find what is wrong in the `asked` files (relative paths), with facts from all `files`."""
    groups = _words(options.rules)
    facts = {f.relative: _facts(f, groups) for f in files}
    return _judged(facts, asked, options)


def _words(codes: Iterable[str]) -> tuple[Groups, ...]:
    """The words of every active rule that needs functions read."""
    table = words()
    return tuple(table[code] for code in sorted(codes) if table.get(code))


def _facts(file: SourceFile, groups: tuple[Groups, ...]) -> FileFacts:
    """Index and read one file."""
    path = file.relative
    try:
        content = file.path.read_bytes() if file.content is None else file.content
    except OSError as fault:
        return FileFacts(unreadable=Problem(path, 1, 1, fault.strerror or str(fault)))
    try:
        source = decode(path, content)
        tree = ast.parse(source.text)
    except SyntaxError as fault:
        line, column = fault.lineno or 1, fault.offset or 1
        return FileFacts(unparsable=Problem(path, line, column, fault.msg))
    except (ValueError, RecursionError, MemoryError) as fault:
        return FileFacts(unparsable=Problem(path, 1, 1, str(fault) or type(fault).__name__))
    try:
        indexed = index(tree, path, source.lines)
        chosen = wanted(indexed, source, groups)
        if not chosen:
            return FileFacts(indexed.entry)
        from drainlint.read.functions import UnreadableSyntaxError, read

        try:
            return FileFacts(indexed.entry, read(source, tree, indexed, chosen))
        except UnreadableSyntaxError as fault:
            return FileFacts(indexed.entry, unparsable=Problem(path, 1, 1, str(fault)))
    except RecursionError:
        return FileFacts(unparsable=Problem(path, 1, 1, "nested too deeply"))


def _judged(facts: Mapping[str, FileFacts], asked: frozenset[str], options: Options) -> Analysis:
    from drainlint.link.nouns import Nouns
    from drainlint.link.program import Program
    from drainlint.link.scripts import scripts

    modules = {path: f.entry for path, f in facts.items() if f.entry is not None}
    bodies = {path: f.bodies for path, f in facts.items()}
    program = Program(modules, bodies, load(options.knowledge), scripts(options.root, modules))
    nouns = Nouns(program)
    judge = Judge(options)
    findings: list[Finding] = []
    for path in sorted(asked & bodies.keys()):
        if bodies[path]:
            findings += settle(judge.findings(path, nouns.of(path)), options.settings(path))
    return Analysis(
        tuple(sorted(findings, key=lambda f: f.order)),
        tuple(f.unparsable for f in facts.values() if f.unparsable is not None),
        tuple(f.unreadable for f in facts.values() if f.unreadable is not None),
        tuple(judge.crashes),
    )


@dataclass
class Judge:
    """Applies rules to nouns; a rule that crashes is reported, and the others go on."""

    options: Options
    crashes: list[Notice] = field(default_factory=list)
    _rules: dict[str, list[Rule[Noun]]] = field(default_factory=dict)

    def findings(self, path: str, nouns: Iterable[Noun]) -> Iterator[Finding]:
        """What the active rules find in the nouns of one file."""
        settings = self.options.settings(path)
        side = settings.side_code(path)
        for noun in nouns:
            judged = replace(noun, budget=settings.budget, min_sleep=settings.min_sleep, side=side)
            for rule in self._for(type(noun)):
                if rule.code in settings.rules:
                    yield from self._check(rule, judged)

    def _check(self, rule: Rule[Noun], noun: Noun) -> Iterator[Finding]:
        try:
            yield from list(rule.check(noun))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other rules go on
            text = f"rule {rule.name} failed: {type(fault).__name__}: {fault}"
            self.crashes.append(Notice("crash", noun.path, text))

    def _for(self, kind: type[Noun]) -> list[Rule[Noun]]:
        if not self._rules:
            self._rules = _rules_by_noun(self.options.rules)
        return self._rules.get(kind.__name__, [])


def _rules_by_noun(codes: frozenset[str]) -> dict[str, list[Rule[Noun]]]:
    found: dict[str, list[Rule[Noun]]] = defaultdict(list)
    for card in cards():
        if card.code in codes and card.noun:
            found[card.noun].append(rule(card.code))
    return dict(found)
