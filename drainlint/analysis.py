"""The engine: files to findings, in the stages of the design."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drainlint.bodies import Bodies
from drainlint.config import FileSettings
from drainlint.discover import SourceFile
from drainlint.finding import Finding, Notice
from drainlint.gather import FileFacts, Problem, gather, uncollected
from drainlint.index.screen import Vocabulary
from drainlint.judge import Judge, Judged, Linked
from drainlint.knowledge import Knowledge, load
from drainlint.link.program import Program
from drainlint.link.scripts import scripts
from drainlint.rules import words


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


def analyse(files: Sequence[SourceFile], asked: frozenset[str], options: Options) -> Analysis:
    """Find what is wrong in the `asked` files (relative paths), with facts from all `files`.

    Where nothing can be found in the asked files, the others are not even looked at.
    """
    with uncollected():
        return _analysed(files, asked, options)


def _analysed(files: Sequence[SourceFile], asked: frozenset[str], options: Options) -> Analysis:
    first = [file for file, _ in zip(files, asked, strict=False) if file.relative in asked]
    if len(first) == len(asked) < len(files):
        own = {f.path: f for f in gather(first, _vocabulary(load(options.knowledge)), options.jobs)}
        if not any(f.may_matter for f in own.values()):
            return _outcome(own)
    linked = link(files, options)
    judge = Judge(linked, options.settings, options.rules)
    shares = judge.shared_out(sorted(asked & linked.facts.keys()), options.jobs)
    return _outcome(linked.facts, *shares)


def link(files: Sequence[SourceFile], options: Options) -> Linked:
    """Index every file and join what they tell."""
    known = load(options.knowledge)
    vocabulary = _vocabulary(known)
    facts = {f.path: f for f in gather(files, vocabulary, options.jobs)}
    modules = {path: f.entry for path, f in facts.items() if f.entry is not None}
    bodies = Bodies({file.relative: file for file in files}, facts)
    program = Program(
        modules,
        known,
        bodies,
        scripts(options.root, modules),
        _package(options.root),
        lambda path: options.settings(path).side_code(path),
    )
    return Linked(program, facts, bodies, vocabulary)


def _package(root: Path) -> str:
    """The dotted name under which a root that is a package itself is imported; else empty."""
    parts: list[str] = []
    while (root / "__init__.py").is_file() and root.name:
        parts.insert(0, root.name)
        root = root.parent
    return ".".join(parts)


def _vocabulary(knowledge: Knowledge) -> Vocabulary:
    """The words of every rule, whether it is active or not: facts do not depend on options."""
    return Vocabulary.of(words().values(), knowledge)


def _outcome(facts: Mapping[str, FileFacts], *judged: Judged) -> Analysis:
    unread = {problem.path: problem for share in judged for problem in share.problems}
    unparsable = [f.unparsable for f in facts.values() if f.unparsable is not None]
    crashes = [f.crash for f in facts.values() if f.crash is not None]
    return Analysis(
        tuple(sorted((f for share in judged for f in share.findings), key=lambda f: f.order)),
        (*unparsable, *(unread[path] for path in sorted(unread))),
        tuple(f.unreadable for f in facts.values() if f.unreadable is not None),
        (*crashes, *dict.fromkeys(c for share in judged for c in share.crashes)),
    )
