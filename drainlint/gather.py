"""Files to facts: each file is indexed and screened by itself, in processes where it pays."""

import ast
import gc
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from drainlint.cache import pack, unpack
from drainlint.discover import SourceFile
from drainlint.finding import Notice
from drainlint.index.collect import index
from drainlint.index.entries import ModuleEntry
from drainlint.index.screen import Vocabulary, screen
from drainlint.source import Source, decode

FEW = 60
"""So many files are read faster by one process than others are started."""
BATCH = 25
"""Files handed to a process at a time."""
TOO_DEEP = "nested too deeply"
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that cannot be read or parsed, and where in it."""

    path: str
    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one file tells by itself: its index, and which functions are to be read."""

    path: str
    entry: ModuleEntry | None = None
    screened: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The functions in which some rule may find something, with their words."""
    unparsable: Problem | None = None
    unreadable: Problem | None = None
    crash: Notice | None = None
    """A fault of our own while reading it."""

    @property
    def may_matter(self) -> bool:
        """Whether anything can be found in it: a function to be read, or that may block a loop."""
        if self.screened:
            return True
        return self.entry is not None and any(f.is_async for f in self.entry.functions.values())

    @property
    def idle(self) -> bool:
        """Whether there is nothing to say of it, whatever the other files hold."""
        return self.entry is not None and not self.may_matter


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


def gather(files: Sequence[SourceFile], vocabulary: Vocabulary, jobs: int) -> Iterator[FileFacts]:
    """The facts of each file, in the order of the files."""
    yield from _shared_out(partial(facts, vocabulary=vocabulary), files, jobs)


def gather_packed(
    files: Sequence[SourceFile], vocabulary: Vocabulary, jobs: int
) -> Iterator[tuple[FileFacts, bytes]]:
    """The facts of each file, in the order of the files, and the same as bytes to be kept.

    They come as bytes from another process in any case. What is nested too deeply to be packed is
    gathered again here, and not kept.
    """
    packed = _shared_out(partial(_packed, vocabulary=vocabulary), files, jobs)
    for file, content in zip(files, packed, strict=True):
        yield unpack(content) if content else facts(file, vocabulary), content


def _packed(file: SourceFile, vocabulary: Vocabulary) -> bytes:
    try:
        return pack(facts(file, vocabulary))
    except RecursionError:
        return b""


def _shared_out(
    work: Callable[[SourceFile], Made], files: Sequence[SourceFile], jobs: int
) -> Iterator[Made]:
    """Do some work on each file, in several processes where that pays."""
    if jobs < 2 or len(files) < FEW:  # noqa: PLR2004 - one process is this one
        yield from map(work, files)
        return
    # a tenth of a second, and none of it for a few files
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    with ProcessPoolExecutor(jobs, initializer=gc.disable) as pool:
        yield from pool.map(work, files, chunksize=BATCH)


def facts(file: SourceFile, vocabulary: Vocabulary) -> FileFacts:
    """Index and screen one file; never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the analysed code is warned of is not our report
            return _facts(file, vocabulary)
    except Exception as fault:  # noqa: BLE001 - whatever it is, the other files go on
        text = f"reading the file failed: {type(fault).__name__}: {fault}"
        return FileFacts(file.relative, crash=Notice("crash", file.relative, text))


def _facts(file: SourceFile, vocabulary: Vocabulary) -> FileFacts:
    path = file.relative
    try:
        source = text_of(file)
        indexed = index(ast.parse(source.text), source)
    except OSError as fault:
        return FileFacts(path, unreadable=Problem(path, 1, 1, fault.strerror or str(fault)))
    except SyntaxError as fault:
        problem = Problem(path, fault.lineno or 1, fault.offset or 1, fault.msg)
        return FileFacts(path, unparsable=problem)
    except RecursionError:
        return FileFacts(path, unparsable=Problem(path, 1, 1, TOO_DEEP))
    except (ValueError, MemoryError) as fault:
        problem = Problem(path, 1, 1, str(fault) or type(fault).__name__)
        return FileFacts(path, unparsable=problem)
    return FileFacts(path, indexed.entry, screen(indexed, vocabulary))


def text_of(file: SourceFile) -> Source:
    """A file's text; raises OSError, SyntaxError or ValueError where there is none."""
    content = file.path.read_bytes() if file.content is None else file.content
    return decode(file.relative, content)
