"""The engine: files to findings, in the stages of the design."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from drainlint.config import FileSettings
from drainlint.discover import SourceFile
from drainlint.finding import Finding, Notice
from drainlint.gather import FileFacts, Problem, gather, reread, uncollected
from drainlint.index.screen import Groups
from drainlint.knowledge import load
from drainlint.link.candidates import blocked_coroutines
from drainlint.link.names import FunctionId
from drainlint.link.nouns import Nouns
from drainlint.link.program import Program
from drainlint.link.scripts import scripts
from drainlint.model.noun import Noun
from drainlint.rule import Rule
from drainlint.rules import cards, rule, words
from drainlint.settle import settle


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to do."""

    root: Path
    settings: Callable[[str], FileSettings]
    """The settings of a file, by its path relative to the root."""
    knowledge: Mapping[str, object]
    """The user's own tables."""
    jobs: int
    rules: frozenset[str]
    """Codes that are active for any file."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the engine found."""

    findings: tuple[Finding, ...]
    """Settled, for the asked files, by active rules."""
    unparsable: tuple[Problem, ...] = ()
    unreadable: tuple[Problem, ...] = ()
    crashes: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """A project whose files have been read and joined."""

    program: Program
    facts: Mapping[str, FileFacts]
    """What each file told by itself, by path."""


def analyse(files: Sequence[SourceFile], asked: frozenset[str], options: Options) -> Analysis:
    """Find what is wrong in the `asked` files (relative paths), with facts from all `files`.

    Where nothing can be found in the asked files, the others are not even looked at.
    """
    with uncollected():
        return _analysed(files, asked, options)


def _analysed(files: Sequence[SourceFile], asked: frozenset[str], options: Options) -> Analysis:
    first = [file for file, _ in zip(files, asked, strict=False) if file.relative in asked]
    if len(first) == len(asked) < len(files):
        own = {f.path: f for f in gather(first, _words(), options.jobs)}
        if not any(f.may_matter for f in own.values()):
            return _outcome((), own, ())
    linked = link(files, options)
    judge = Judge(options)
    nouns = Nouns(linked.program)
    findings: list[Finding] = []
    for path in sorted(asked & linked.facts.keys()):
        if linked.facts[path].bodies:
            findings += settle(judge.findings(path, nouns), options.settings(path))
    crashes = [f.crash for f in linked.facts.values() if f.crash is not None]
    return _outcome(findings, linked.facts, [*crashes, *judge.crashes])


def link(
    files: Sequence[SourceFile],
    options: Options,
    further: Callable[[Program], Iterable[FunctionId]] = blocked_coroutines,
) -> Linked:
    """Read every file and join what they tell; `further` are functions to read without words."""
    facts = {f.path: f for f in gather(files, _words(), options.jobs)}
    modules = {path: f.entry for path, f in facts.items() if f.entry is not None}
    known = load(options.knowledge)
    program = Program(
        modules,
        known,
        scripts(options.root, modules),
        _package(options.root),
        lambda path: options.settings(path).side_code(path),
    )
    more: dict[str, set[str]] = defaultdict(set)
    for key in further(program):
        more[key.path].add(key.name)
    for file in files:
        if file.relative in more:
            facts[file.relative] = reread(file, facts[file.relative], more[file.relative])
    program.read({path: f.bodies for path, f in facts.items()})
    return Linked(program, facts)


def _package(root: Path) -> str:
    """The dotted name under which a root that is a package itself is imported; else empty."""
    parts: list[str] = []
    while (root / "__init__.py").is_file() and root.name:
        parts.insert(0, root.name)
        root = root.parent
    return ".".join(parts)


def _words() -> tuple[Groups, ...]:
    """The words of every rule, whether it is active or not: facts do not depend on options."""
    return tuple(dict.fromkeys(groups for groups in words().values() if groups))


def _outcome(
    findings: Iterable[Finding], facts: Mapping[str, FileFacts], crashes: Iterable[Notice]
) -> Analysis:
    return Analysis(
        tuple(sorted(findings, key=lambda f: f.order)),
        tuple(f.unparsable for f in facts.values() if f.unparsable is not None),
        tuple(f.unreadable for f in facts.values() if f.unreadable is not None),
        tuple(crashes),
    )


@dataclass
class Judge:
    """Applies rules to nouns; a rule that crashes is reported, and the others go on."""

    options: Options
    crashes: list[Notice] = field(default_factory=list)
    _rules: dict[str, list[Rule[Noun]]] = field(default_factory=dict)

    def findings(self, path: str, nouns: Nouns) -> Iterator[Finding]:
        """What the active rules find in one file."""
        settings = self.options.settings(path)
        side = settings.side_code(path)
        for noun in self._nouns(path, nouns):
            judged = replace(noun, budget=settings.budget, min_sleep=settings.min_sleep, side=side)
            for judging in self._for(type(noun)):
                if judging.code in settings.rules:
                    yield from self._check(judging, judged)

    def _nouns(self, path: str, nouns: Nouns) -> Iterator[Noun]:
        for key in nouns.program.read_in(path):
            try:
                yield from list(nouns.of_body(key, nouns.program.bodies[key]))
            except Exception as fault:  # noqa: BLE001 - whatever it is, the other functions go on
                text = f"reading `{key.name}` failed: {type(fault).__name__}: {fault}"
                self.crashes.append(Notice("crash", path, text))

    def _check(self, judging: Rule[Noun], noun: Noun) -> Iterator[Finding]:
        try:
            yield from list(judging.check(noun))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other rules go on
            text = f"rule {judging.name} failed: {type(fault).__name__}: {fault}"
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
