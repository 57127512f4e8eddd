"""What is found in a file does not depend on who else is asked about, nor on processes."""

import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from drainlint import rules
from drainlint.analysis import Analysis, Options, analyse
from drainlint.config import Configs, Overrides, RuleNames
from drainlint.discover import SourceFile
from drainlint.finding import Finding

STDLIB = Path(sysconfig.get_paths()["stdlib"])
PACKAGES = ("asyncio", "concurrent", "multiprocessing", "logging", "http", "wsgiref", "unittest")


def sources() -> list[SourceFile]:
    paths = (p for name in PACKAGES for p in sorted((STDLIB / name).rglob("*.py")))
    return [SourceFile(p, p.relative_to(STDLIB).as_posix()) for p in paths]


def analysed(files: list[SourceFile], asked: frozenset[str], jobs: int = 1) -> Analysis:
    configs = Configs(STDLIB, RuleNames(rules.cards()), Overrides(isolated=True))
    codes = frozenset(card.code for card in rules.cards())
    options = Options(STDLIB, configs.settings, {}, jobs, codes)
    return analyse(files, asked, options)


@pytest.fixture(scope="module")
def together() -> tuple[Finding, ...]:
    files = sources()
    return analysed(files, frozenset(f.relative for f in files)).findings


def with_and_without_findings(together: tuple[Finding, ...]) -> Iterator[SourceFile]:
    found = {f.path for f in together}
    files = sources()
    yield from [f for f in files if f.relative in found][::14]
    yield from [f for f in files if f.relative not in found][::60]


def test_real_code_has_findings(together: tuple[Finding, ...]) -> None:
    assert len({f.code for f in together}) > 3


def test_a_file_alone_has_the_findings_it_has_among_all(together: tuple[Finding, ...]) -> None:
    files = sources()
    for file in with_and_without_findings(together):
        alone = analysed(files, frozenset({file.relative})).findings

        assert alone == tuple(f for f in together if f.path == file.relative), file.relative


def test_two_processes_find_what_one_finds(together: tuple[Finding, ...]) -> None:
    files = sources()

    assert analysed(files, frozenset(f.relative for f in files), jobs=2).findings == together


def test_the_order_of_files_changes_nothing(together: tuple[Finding, ...]) -> None:
    files = sources()[::-1]

    assert analysed(files, frozenset(f.relative for f in files)).findings == together
