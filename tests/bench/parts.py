"""The index alone, within this process: what it adds to the parse that it needs."""

import ast
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from drainlint.gather import uncollected
from drainlint.index.collect import index
from drainlint.source import Source, decode


@dataclass(frozen=True, slots=True)
class IndexCost:
    """Milliseconds of processor time for a thousand lines."""

    lines: int
    parse: float
    index: float


def index_cost(folder: Path, repeat: int) -> IndexCost:
    """Parse and index every file of a folder, each time anew; medians of the repeats.

    Files that this Python cannot parse are left out of the lines too.
    """
    sources = [source for path in sorted(folder.rglob("*.py")) if (source := _readable(path))]
    lines = sum(len(source.lines) for source in sources)
    with uncollected():
        times = [_once(sources) for _ in range(repeat)]
    scale = 1e6 / max(lines, 1)
    return IndexCost(
        lines, median(t[0] for t in times) * scale, median(t[1] for t in times) * scale
    )


def _once(sources: list[Source]) -> tuple[float, float]:
    """Seconds for all parses, and for all indexes; the indexes live on, as in a run."""
    parsing = indexing = 0.0
    kept = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source in sources:
            begin = time.process_time()
            tree = ast.parse(source.text)
            parsed = time.process_time()
            kept.append(index(tree, source).entry)
            indexing += time.process_time() - parsed
            parsing += parsed - begin
    return parsing, indexing


def _readable(path: Path) -> Source | None:
    """A file that can be decoded and parsed."""
    try:
        source = decode(path.as_posix(), path.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return source
