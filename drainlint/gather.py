"""Files to facts: each file is indexed, screened and read by itself, in processes where it pays."""

import ast
import gc
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from drainlint.discover import SourceFile
from drainlint.finding import Notice
from drainlint.index.collect import Indexed, index
from drainlint.index.entries import ModuleEntry
from drainlint.index.screen import Groups, wanted
from drainlint.model.statement import Body
from drainlint.source import Source, decode

FEW = 60
"""So many files are read faster by one process than others are started."""
BATCH = 25
"""Files handed to a process at a time."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that cannot be read or parsed, and where in it."""

    path: str
    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one file tells by itself: its index, and the bodies that were read."""

    path: str
    entry: ModuleEntry | None = None
    bodies: tuple[Body, ...] = ()
    unparsable: Problem | None = None
    unreadable: Problem | None = None
    crash: Notice | None = None
    """A fault of our own while reading it."""

    @property
    def may_matter(self) -> bool:
        """Whether anything can be found in it: a function was read, or may block an event loop."""
        if self.bodies:
            return True
        return self.entry is not None and any(f.is_async for f in self.entry.functions.values())


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector out while millions of values come to live.

    Nothing in them is circular but the trees of one file, which are freed by reference counts;
    looking through all of them again and again takes as long as the work itself.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def gather(
    files: Sequence[SourceFile], groups: tuple[Groups, ...], jobs: int
) -> Iterator[FileFacts]:
    """The facts of each file, in the order of the files."""
    work = partial(facts, groups=groups)
    if jobs < 2 or len(files) < FEW:  # noqa: PLR2004 - one process is this one
        yield from map(work, files)
        return
    # a tenth of a second, and none of it for a few files
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    with ProcessPoolExecutor(jobs, initializer=gc.disable) as pool:
        yield from pool.map(work, files, chunksize=BATCH)


def facts(file: SourceFile, groups: tuple[Groups, ...]) -> FileFacts:
    """Index one file, and read those of its functions that hold words; never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the analysed code is warned of is not our report
            return _facts(file, groups)
    except Exception as fault:  # noqa: BLE001 - whatever it is, the other files go on
        text = f"reading the file failed: {type(fault).__name__}: {fault}"
        return FileFacts(file.relative, crash=Notice("crash", file.relative, text))


def _facts(file: SourceFile, groups: tuple[Groups, ...]) -> FileFacts:
    parsed = _parsed(file)
    if isinstance(parsed, FileFacts):
        return parsed
    try:
        indexed = index(parsed.tree, file.relative, parsed.source.lines)
    except RecursionError:
        return FileFacts(file.relative, unparsable=_too_deep(file.relative))
    return _read(parsed, indexed, wanted(indexed, parsed.source, groups))


def reread(file: SourceFile, known: FileFacts, names: Iterable[str]) -> FileFacts:
    """Read further functions of a file that was indexed before."""
    missing = frozenset(names) - {b.function for b in known.bodies}
    parsed = _parsed(file) if missing else known
    if isinstance(parsed, FileFacts):
        return known
    indexed = index(parsed.tree, file.relative, parsed.source.lines)
    read = _read(parsed, indexed, missing)
    return replace(known, bodies=(*known.bodies, *read.bodies))


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
        return FileFacts(path, unreadable=Problem(path, 1, 1, fault.strerror or str(fault)))
    try:
        source = decode(path, content)
        return _Parsed(source, ast.parse(source.text))
    except SyntaxError as fault:
        problem = Problem(path, fault.lineno or 1, fault.offset or 1, fault.msg)
        return FileFacts(path, unparsable=problem)
    except (ValueError, RecursionError, MemoryError) as fault:
        problem = Problem(path, 1, 1, str(fault) or type(fault).__name__)
        return FileFacts(path, unparsable=problem)


def _read(parsed: _Parsed, indexed: Indexed, names: frozenset[str]) -> FileFacts:
    """The bodies of the named functions; libcst is imported only where there is one."""
    path = indexed.entry.path
    if not names:
        return FileFacts(path, indexed.entry)
    # libcst takes half a second to import
    from drainlint.read.functions import UnreadableSyntaxError, read  # noqa: PLC0415

    try:
        bodies = read(parsed.source, parsed.tree, indexed, names)
    except UnreadableSyntaxError as fault:
        return FileFacts(path, indexed.entry, unparsable=Problem(path, 1, 1, str(fault)))
    except RecursionError:
        return FileFacts(path, indexed.entry, unparsable=_too_deep(path))
    return FileFacts(path, indexed.entry, bodies)


def _too_deep(path: str) -> Problem:
    return Problem(path, 1, 1, "nested too deeply")
