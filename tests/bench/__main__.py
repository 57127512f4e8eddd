"""The command `python -m tests.bench`; it needs git, pip's package index, and time."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from drainlint import __version__
from tests.bench.cases import Bench, Case, Runs, cases
from tests.bench.corpus import PACKAGES, Corpus
from tests.bench.install import NotInstalledError
from tests.bench.measure import adopt_orphans
from tests.bench.parts import IndexCost, index_cost
from tests.bench.peers import DRAINLINT, PEERS, PROJECT, Installed, Tool, install
from tests.bench.table import Figures, markdown, record

_NAMES = [package.name for package in PACKAGES]
_PEERS = [peer.name for peer in PEERS]


@click.command()
@click.option(
    "--corpus",
    type=click.Path(path_type=Path, file_okay=False),
    default=lambda: _cache_home() / "drainlint-bench",
    help="Where packages and linters are kept; by default in the user's cache folder.",
)
@click.option("--repeat", type=click.IntRange(min=1), default=3, help="Counted runs of each.")
@click.option("--limit", type=float, default=600.0, help="Seconds that one command may take.")
@click.option("--packages", type=click.Choice(_NAMES), multiple=True, help="Only these packages.")
@click.option("--peers", type=click.Choice(_PEERS), multiple=True, help="Only these linters.")
@click.option("--only", metavar="WORDS", help="Only rows whose label or state holds these words.")
@click.option("--json", "target", type=click.Path(path_type=Path, dir_okay=False))
def main(  # noqa: PLR0913, PLR0917 - an option each
    corpus: Path,
    repeat: int,
    limit: float,
    packages: Sequence[str],
    peers: Sequence[str],
    only: str | None,
    target: Path | None,
) -> None:
    """Measure drainlint beside other linters, and print Markdown."""
    adopt_orphans()
    chosen = [DRAINLINT, *(peer for peer in PEERS if peer.name in (peers or _PEERS))]
    tools, missing = _installed(chosen, corpus, limit)
    kept = Corpus(corpus, limit)
    rows: list[tuple[Case, Mapping[str, Runs]]] = []
    indexes: dict[str, IndexCost] = {}
    with tempfile.TemporaryDirectory(dir=corpus) as caches:
        bench = Bench(repeat, limit, Path(caches), _tell)
        for package in (p for p in PACKAGES if p.name in (packages or _NAMES)):
            try:
                made = [case for case in cases(kept, [package]) if _asked(case, only)]
                rows += [(case, bench.runs(case, tools)) for case in made]
                if not only or only in "index":
                    _tell(f"{package.label}: index alone")
                    indexes[package.label] = index_cost(kept.tree(package), repeat)
            except NotInstalledError as fault:
                missing[package.label] = str(fault)
    versions = {each.tool.name: each.tool.version or _own_version() for each in tools}
    figures = Figures(rows, versions, missing, indexes, _machine(repeat))
    if target is not None:
        target.write_text(json.dumps(record(figures), indent=1) + "\n", encoding="utf-8")
    click.echo(markdown(figures))


def _installed(
    wanted: Iterable[Tool], corpus: Path, limit: float
) -> tuple[list[Installed], dict[str, str]]:
    """The linters that can be run, and why the others cannot."""
    tools, missing = [], {}
    for tool in wanted:
        _tell(f"installing {tool.name} {tool.version}")
        try:
            tools.append(install(tool, corpus, limit))
        except NotInstalledError as fault:
            missing[f"{tool.name} {tool.version}"] = str(fault)
    return tools, missing


def _asked(case: Case, words: str | None) -> bool:
    return words is None or words in f"{case.label}, {case.state}"


def _own_version() -> str:
    """The version and the commit that are measured."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{__version__} {described.stdout.strip()}".strip()


def _machine(repeat: int) -> dict[str, str | int]:
    """What the figures hold for."""
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return {
        "cores": usable,
        "system": platform.platform(),
        "Python": platform.python_version(),
        "counted runs": repeat,
        "date": datetime.now(UTC).date().isoformat(),
    }


def _cache_home() -> Path:
    """Where the user keeps what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _tell(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
