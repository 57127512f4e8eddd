"""The engine: files to findings, in the stages of the design."""

import ast
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from drainlint.config import FileSettings
from drainlint.discover import SourceFile
from drainlint.finding import Finding, Notice
from drainlint.index.collect import Indexed, index
from drainlint.index.entries import ModuleEntry
from drainlint.index.screen import Groups, wanted
from drainlint.knowledge import load
from drainlint.link.candidates import blocked_coroutines
from drainlint.link.nouns import Nouns
from drainlint.link.program import Program
from drainlint.link.scripts import scripts
from drainlint.model.noun import Noun
from drainlint.model.statement import Body
from drainlint.rule import Rule
from drainlint.rules import cards, rule, words
from drainlint.settle import settle
from drainlint.source import Source, decode


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
    by_path = {f.relative: f for f in files}
    groups = _words()
    facts = {path: _facts(file, groups) for path, file in by_path.items()}
    modules = {path: f.entry for path, f in facts.items() if f.entry is not None}
    program = Program(modules, load(options.knowledge), scripts(options.root, modules))
    more: dict[str, set[str]] = defaultdict(set)
    for key in blocked_coroutines(program):
        more[key.path].add(key.name)
    for path, names in more.items():
        missing = names - {b.function for b in facts[path].bodies}
        if missing:
            facts[path] = _reread(by_path[path], facts[path], frozenset(missing))
    program.read({path: f.bodies for path, f in facts.items()})
    return _judged(program, facts, asked, options)


def _words() -> tuple[Groups, ...]:
    """The words of every rule, whether it is active or not: facts do not depend on options."""
    return tuple(dict.fromkeys(groups for groups in words().values() if groups))


def _facts(file: SourceFile, groups: tuple[Groups, ...]) -> FileFacts:
    """Index one file, and read those of its functions that hold words."""
    parsed = _parsed(file)
    if isinstance(parsed, FileFacts):
        return parsed
    try:
        indexed = index(parsed.tree, file.relative, parsed.source.lines)
    except RecursionError:
        return FileFacts(unparsable=Problem(file.relative, 1, 1, "nested too deeply"))
    return _read(parsed, indexed, wanted(indexed, parsed.source, groups))


def _reread(file: SourceFile, facts: FileFacts, names: frozenset[str]) -> FileFacts:
    """Read further functions of a file that was indexed before."""
    parsed = _parsed(file)
    if isinstance(parsed, FileFacts):
        return facts
    indexed = index(parsed.tree, file.relative, parsed.source.lines)
    read = _read(parsed, indexed, names)
    return replace(facts, bodies=(*facts.bodies, *read.bodies))


@dataclass(frozen=True, slots=True)
class _Parsed:
    source: Source
    tree: ast.Module


def _parsed(file: SourceFile) -> _Parsed | FileFacts:
    """A file's text and tree, or why there is none."""
    path = file.relative
    try:
        content = file.path.read_bytes() if file.content is None else file.content
    except OSError as fault:
        return FileFacts(unreadable=Problem(path, 1, 1, fault.strerror or str(fault)))
    try:
        source = decode(path, content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the analysed code is warned of is not our report
            return _Parsed(source, ast.parse(source.text))
    except SyntaxError as fault:
        return FileFacts(unparsable=Problem(path, fault.lineno or 1, fault.offset or 1, fault.msg))
    except (ValueError, RecursionError, MemoryError) as fault:
        return FileFacts(unparsable=Problem(path, 1, 1, str(fault) or type(fault).__name__))


def _read(parsed: _Parsed, indexed: Indexed, names: frozenset[str]) -> FileFacts:
    """The bodies of the named functions; libcst is imported only where there is one."""
    if not names:
        return FileFacts(indexed.entry)
    from drainlint.read.functions import UnreadableSyntaxError, read

    try:
        return FileFacts(indexed.entry, read(parsed.source, parsed.tree, indexed, names))
    except (UnreadableSyntaxError, RecursionError) as fault:
        problem = Problem(indexed.entry.path, 1, 1, str(fault) or "nested too deeply")
        return FileFacts(indexed.entry, unparsable=problem)


def _judged(
    program: Program, facts: Mapping[str, FileFacts], asked: frozenset[str], options: Options
) -> Analysis:
    nouns = Nouns(program)
    judge = Judge(options)
    findings: list[Finding] = []
    for path in sorted(asked & facts.keys()):
        if facts[path].bodies:
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
