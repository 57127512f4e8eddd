"""Figures as a Markdown table and as a record; every ratio is to ruff's runs of the same case."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.cases import Case, Runs
from tests.bench.measure import Sample
from tests.bench.parts import IndexCost
from tests.bench.peers import COMPARED, RUFF, State

Row = tuple[Case, Mapping[str, Runs]]
_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a run of the benchmark found out."""

    rows: Sequence[Row]
    tools: Mapping[str, str]
    """Their versions by their names, in the order of the columns."""
    missing: Mapping[str, str]
    """Why tools and packages are not there, by their names."""
    indexes: Mapping[str, IndexCost]
    """By package."""
    machine: Mapping[str, str | int]


def wall(sample: Sample) -> float:
    """Seconds that a run took."""
    return sample.wall


def cpu(sample: Sample) -> float:
    """Seconds that its processes were busy."""
    return sample.cpu


def middle(runs: Runs, of: Callable[[Sample], float]) -> float | None:
    """The median of the runs; None without any."""
    return median(of(sample) for sample in runs.samples) if runs.samples else None


def markdown(figures: Figures) -> str:
    """The tables, with what they were measured on and what is missing in them."""
    return "\n".join(_sections(figures))


def _sections(figures: Figures) -> Iterator[str]:
    for title, of in (("wall time", wall), ("processor time", cpu)):
        yield from _table(
            [f"{title}, seconds (times ruff)", *figures.tools],
            ([_label(case), *_times(runs, figures.tools, of)] for case, runs in figures.rows),
        )
    yield from _table(
        ["memory, MB", *figures.tools],
        (
            [_label(case), *(_memory(runs.get(name)) for name in figures.tools)]
            for case, runs in figures.rows
        ),
    )
    if figures.indexes:
        yield from _table(
            ["processor time, ms for 1,000 lines", "`ast.parse`", "index"],
            ([name, f"{c.parse:.1f}", f"{c.index:.1f}"] for name, c in figures.indexes.items()),
        )
    yield from _growth(figures.rows)
    yield from (f"- {line}" for line in _remarks(figures))
    yield ""


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield _line(head)
    yield _line(["---", *("---:" for _ in head[1:])])
    yield from map(_line, rows)
    yield ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _label(case: Case) -> str:
    size = f" ({case.lines / 1000:,.0f} thousand lines)" if case.lines else ""
    return f"{case.label}{size}, {case.state}"


def _times(
    runs: Mapping[str, Runs], tools: Mapping[str, str], of: Callable[[Sample], float]
) -> Iterator[str]:
    """A cell for each tool: its median, and how many times ruff's that is."""
    base = middle(runs[RUFF.name], of) if RUFF.name in runs else None
    for name in tools:
        if name not in runs:
            yield _NOTHING
        elif (own := middle(runs[name], of)) is None:
            yield runs[name].failure.partition(":")[0]
        elif name == RUFF.name or not base:
            yield f"{own:.2f}"
        else:
            yield f"{own:.2f} ({own / base:.1f}x)"


def _memory(runs: Runs | None) -> str:
    return _NOTHING if runs is None or not runs.memory else f"{runs.memory / 1e6:.0f}"


def _growth(rows: Sequence[Row]) -> Iterator[str]:
    """What a thousand lines cost in cold trees of different sizes."""
    trees = [row for row in rows if row[0].lines and row[0].state is State.COLD]
    if trees:
        yield from _table(
            ["growth: processor time, ms for 1,000 lines", *(tool.name for tool in COMPARED)],
            (
                [_label(case), *(_rate(runs.get(t.name), case.lines) for t in COMPARED)]
                for case, runs in trees
            ),
        )


def _rate(runs: Runs | None, lines: int) -> str:
    spent = None if runs is None else middle(runs, cpu)
    return _NOTHING if spent is None else f"{spent / lines * 1e6:.1f}"


def _remarks(figures: Figures) -> Iterator[str]:
    """What the tables rest on, and whatever is not in them."""
    yield ", ".join(f"{name} {version}" for name, version in figures.tools.items())
    yield ", ".join(f"{name}: {value}" for name, value in figures.machine.items())
    yield from (f"{name} is missing: {reason}" for name, reason in figures.missing.items())
    failed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for case, runs in figures.rows:
        for name, own in runs.items():
            failed[name, own.failure].append(_label(case))
    for (name, reason), labels in failed.items():
        if reason:
            yield f"{name} failed ({reason}): {'; '.join(labels)}"


def record(figures: Figures) -> dict[str, object]:
    """Every sample, for JSON."""
    return {
        "machine": dict(figures.machine),
        "tools": dict(figures.tools),
        "missing": dict(figures.missing),
        "cases": [
            {
                "label": case.label,
                "state": case.state,
                "lines": case.lines,
                "runs": {name: _recorded(own) for name, own in runs.items()},
            }
            for case, runs in figures.rows
        ],
        "index": {
            name: {
                "lines": cost.lines,
                "parse_ms_per_kl": cost.parse,
                "index_ms_per_kl": cost.index,
            }
            for name, cost in figures.indexes.items()
        },
    }


def _recorded(runs: Runs) -> dict[str, object]:
    return {
        "wall": [sample.wall for sample in runs.samples],
        "cpu": [sample.cpu for sample in runs.samples],
        "memory": runs.memory,
        "failure": runs.failure,
    }
