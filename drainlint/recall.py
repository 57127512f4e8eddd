"""A run on a project that is as it was: what was kept is judged anew, and nothing else is read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from drainlint.cache import digest, pack, unpack
from drainlint.config import FileSettings
from drainlint.discover import SourceFile
from drainlint.finding import Finding, Notice
from drainlint.memory import Judged, Memory
from drainlint.metadata import metadata, package
from drainlint.settle import settle
from drainlint.verdict import Jury, conditions

if TYPE_CHECKING:
    from drainlint.gather import Problem

NOTHING = pack([])
"""What is kept of a file in which no rule spoke of anything."""


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
    memory: Memory | None = None
    """What earlier runs learned of the project, if that is to be used."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the engine found."""

    findings: tuple[Finding, ...]
    """Settled, for the asked files, by active rules."""
    unparsable: tuple["Problem", ...] = ()
    unreadable: tuple["Problem", ...] = ()
    crashes: tuple[Notice, ...] = ()


def asked_first(files: Sequence[SourceFile], asked: frozenset[str]) -> list[SourceFile]:
    """The asked files, where they stand before the others; the others are not looked for."""
    first = [file for file in islice(files, len(asked)) if file.relative in asked]
    return first if len(first) == len(asked) else []


def choice(asked: Iterable[str]) -> bytes:
    """A digest of the files asked for."""
    return digest(*(path.encode("utf-8", "surrogateescape") for path in sorted(asked)))


def state(options: Options, memory: Memory) -> bytes:
    """A digest of all that the nouns of a project rest on.

    What is beside the service counts for all: the same code tells the link less in a test.
    """
    texts = [part for item in metadata(options.root).items() for part in item]
    beside = [path for path in memory.paths if options.settings(path).side_code(path)]
    return memory.state(package(options.root), *texts, "beside", *beside)


def recalled(
    files: Sequence[SourceFile], asked: frozenset[str], options: Options
) -> Analysis | None:
    """What was kept, judged anew; None where that does not cover the asked files."""
    memory = options.memory
    if memory is None:
        return None
    first = asked_first(files, asked)
    memory.look(first)
    if first and all(memory.idle(file.relative) for file in first):
        memory.keep()
        return Analysis(())
    memory.look(files)
    kept = memory.judged(state(options, memory))
    if not _covered(kept, asked, options):
        return None
    memory.keep()
    return _judged_anew(kept, asked, options)


def _covered(kept: Judged, asked: frozenset[str], options: Options) -> bool:
    """Whether what was kept serves these files, under the conditions that they have now."""
    if kept.asked and kept.asked != choice(asked):
        return False
    if not asked <= kept.files.keys():
        return False
    return all(kept.files[path][0] == conditions(path, options.settings(path)) for path in asked)


def _judged_anew(kept: Judged, asked: frozenset[str], options: Options) -> Analysis:
    jury = Jury(options.settings, options.rules)
    found: list[Finding] = []
    for path in sorted(asked):
        packed = kept.files[path][1]
        if packed != NOTHING:
            found += settle(jury.again(path, unpack(packed)), options.settings(path))
    unparsable, unreadable = unpack(kept.problems)
    found.sort(key=lambda finding: finding.order)
    return Analysis(tuple(found), unparsable, unreadable, tuple(dict.fromkeys(jury.crashes)))
