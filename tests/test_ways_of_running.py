"""Real packages are judged the same in whichever way drainlint is run.

`DRAINLINT_PACKAGES_FROM` names a folder to take instead of the packages that tests need anyway.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from drainlint import rules
from drainlint.analysis import Options, analyse, link
from drainlint.config import Configs, Overrides, RuleNames
from drainlint.finding import Finding
from drainlint.index.screen import Vocabulary
from drainlint.judge import Judge, Linked
from drainlint.recall import recalled
from drainlint.report import render
from drainlint.run import Plan, Request, check, plan
from drainlint.team import Team
from drainlint.verdict import Jury
from tests.conftest import PROJECT

PACKAGES = ("execnet", "filelock", "pre_commit")
"""Packages with workers, locks, sleeps and child processes that the `dev` extra brings along."""
EXAMPLES = 4
"""Choices of files that are tried: each takes a whole run."""
ALONE = 3
"""Files with findings that are judged alone."""
Json = dict[str, Any]
SEVERAL = 5
"""Kinds of finding without which equal reports would say little."""


def folders() -> Iterator[tuple[str, Path]]:
    """The packages to judge, each with its name."""
    given_folder = os.environ.get("DRAINLINT_PACKAGES_FROM")
    if given_folder:
        yield Path(given_folder).name, Path(given_folder).resolve()
        return
    for name in PACKAGES:
        spec = find_spec(name)
        assert spec is not None, f"{name} is not installed"
        assert spec.submodule_search_locations
        yield name, Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages in one project."""
    root = tmp_path_factory.mktemp("ways") / "project"
    for name, folder in folders():
        for path in folder.rglob("*.py"):
            target = root / name / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    (root / "drainlint.toml").touch()
    return root


def planned(*paths: Path, jobs: int = 1, cache: Path | None = None) -> Plan:
    chosen = tuple(map(str, paths))
    return plan(Request(chosen, strict=True, show_ignored=True, jobs=jobs, cache=cache))


def told(planned: Plan) -> str:
    return render("json", check(planned))


@pytest.fixture(scope="module")
def report(project: Path) -> str:
    """What one process says of the whole project."""
    return told(planned(project))


@pytest.fixture(scope="module")
def found(report: str) -> dict[str, list[Json]]:
    """The findings of each file, in the order of the report."""
    findings: dict[str, list[Json]] = {}
    for finding in json.loads(report)["findings"]:
        findings.setdefault(finding["path"], []).append(finding)
    return findings


def first_difference(one: str, other: str) -> str:
    """The first lines that differ: whole reports would fill the screen."""
    pairs = zip(one.splitlines(), other.splitlines(), strict=False)
    return next((f"{a!r}\n{b!r}" for a, b in pairs if a != b), "one is longer")


def assert_same(one: str, other: str) -> None:
    assert one == other, first_difference(one, other)


def from_command_line(folder: Path, path: str, seed: str) -> str:
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "drainlint", "--jobs", "1", "--no-cache"),
            *("--strict", "--show-ignored", "--output", "json", path),
        ],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": seed},
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    return done.stdout.decode()


def test_real_packages_have_findings_of_several_kinds(report: str) -> None:
    assert len({finding["code"] for finding in json.loads(report)["findings"]}) >= SEVERAL


@pytest.mark.parametrize("jobs", [2, 3])
def test_several_processes_say_what_one_says(
    project: Path, report: str, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    class Counted(Team[Any]):
        def __init__(self, weights: Mapping[str, int], size: int) -> None:
            sizes.append(size)
            super().__init__(weights, size)

    monkeypatch.setattr("drainlint.team.Team", Counted)
    monkeypatch.setattr("drainlint.judge.FEW", 0)
    monkeypatch.setattr("drainlint.gather.FEW", 0)

    assert_same(told(planned(project, jobs=jobs)), report)
    assert sizes == [jobs]


def test_the_order_of_files_changes_nothing(project: Path, report: str) -> None:
    made = planned(project)
    backwards = replace(
        made,
        found=replace(made.found, files=made.found.files[::-1]),
        files=tuple(made.files)[::-1],
    )

    assert_same(told(backwards), report)


def recall(made: Plan) -> bool:
    """Whether a run needs nothing but what was kept."""
    codes = made.active_rules
    options = Options(made.root, made.configs.settings, {}, 1, codes, made.memory)
    asked = frozenset(file.relative for file in made.found.files)
    return recalled(made.files, asked, options) is not None


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_kept_changes_nothing(
    project: Path, report: str, tmp_path: Path, jobs: int
) -> None:
    assert not recall(planned(project, cache=tmp_path))
    assert_same(told(planned(project, jobs=jobs, cache=tmp_path)), report)
    assert recall(planned(project, cache=tmp_path))
    assert_same(told(planned(project, jobs=jobs, cache=tmp_path)), report)


def test_what_is_kept_of_some_files_changes_nothing(
    project: Path, report: str, found: dict[str, list[Json]], joined: list[str], tmp_path: Path
) -> None:
    some = [project / name for name in joined[:ALONE]]
    first = told(planned(*some, cache=tmp_path))

    assert recall(planned(*some, cache=tmp_path))
    assert_same(told(planned(*some, cache=tmp_path)), first)
    assert_same(told(planned(*some)), first)
    assert not recall(planned(project, cache=tmp_path))
    assert_same(told(planned(project, cache=tmp_path)), report)
    assert_same(told(planned(*some, cache=tmp_path)), first)
    assert json.loads(first)["findings"] == [
        finding for name in sorted(joined[:ALONE]) for finding in found[name]
    ]


def test_facts_of_all_files_but_one_change_nothing(project: Path, tmp_path: Path) -> None:
    root, cache = tmp_path / "project", tmp_path / "cache"
    shutil.copytree(project, root)
    told(planned(root, cache=cache))
    changed = max(root.rglob("*.py"), key=lambda path: path.stat().st_size)
    changed.write_text("\n\n" + changed.read_text(encoding="utf-8"), encoding="utf-8")

    assert not recall(planned(root, cache=cache))
    assert_same(told(planned(root, cache=cache)), told(planned(root)))


@pytest.mark.parametrize("seed", ["1", "2"])
def test_hash_seed_and_working_directory_change_nothing(
    project: Path, report: str, tmp_path: Path, seed: str
) -> None:
    somewhere = {"1": (project, "."), "2": (tmp_path, str(project))}

    assert_same(from_command_line(*somewhere[seed], seed), report)


class AnyWords(Vocabulary):
    """Words that every function holds."""

    def matter(self, found: Collection[str]) -> bool:
        return isinstance(found, Collection)


def unscreened(linked: Linked) -> Linked:
    """The same project, with every function to be read."""
    facts = {
        path: replace(f, screened={name: frozenset() for name in f.entry.functions})
        for path, f in linked.facts.items()
        if f.entry is not None
    }
    return replace(linked, facts=facts, vocabulary=AnyWords((), {}))


def test_reading_every_function_finds_what_reading_the_screened_ones_finds(project: Path) -> None:
    configs = Configs(project, RuleNames(rules.cards()), Overrides(isolated=True))
    codes = frozenset(card.code for card in rules.cards())
    options = Options(project, configs.settings, {}, 1, codes)
    files = [*planned(project).files]
    screened = analyse(files, frozenset(f.relative for f in files), options).findings

    judge = Judge(unscreened(link(files, options)), Jury(options.settings, options.rules))
    judged = judge.judged([file.relative for file in files])

    assert screened
    assert lines(sorted(judged.findings, key=lambda f: f.order)) == lines(screened)


def lines(findings: Sequence[Finding]) -> list[str]:
    """One line each: where it is and how it is judged, then everything."""
    return [f"{f.path}:{f.place.line} {f.code} {f.level.word}\n{f!r}" for f in findings]


@pytest.fixture(scope="module")
def joined(found: dict[str, list[Json]]) -> list[str]:
    """The files with a finding that other files have their part in."""
    return [
        path
        for path, findings in found.items()
        if any(
            place["path"] != path
            for finding in findings
            for place in (*finding["steps"], *finding["related"])
        )
    ]


def assert_found_alone(project: Path, names: Collection[str], found: dict[str, list[Json]]) -> None:
    alone = json.loads(told(planned(*(project / name for name in names))))["findings"]
    among = [finding for path, of_file in found.items() if path in names for finding in of_file]

    assert sorted(map(repr, alone)) == sorted(map(repr, among)), names


def test_a_file_alone_has_the_findings_it_has_among_all(
    project: Path, found: dict[str, list[Json]], joined: list[str]
) -> None:
    without = [f.relative for f in planned(project).files if f.relative not in found]

    assert joined
    for name in [*joined[:ALONE], without[len(without) // 2]]:
        assert_found_alone(project, [name], found)


def test_any_choice_of_files_has_the_findings_it_has_among_all(
    project: Path, found: dict[str, list[Json]], joined: list[str]
) -> None:
    names = [file.relative for file in planned(project).files]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate,),  # a smaller choice would take many more runs
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.sets(st.sampled_from(joined), min_size=1),
        st.sets(st.sampled_from(names), max_size=len(names) // 2),
    )
    def judged_alike(with_others: set[str], any_files: set[str]) -> None:
        assert_found_alone(project, with_others | any_files, found)

    judged_alike()
