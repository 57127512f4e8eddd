"""The benchmark's own work: what it measures, downloads and prints, without measuring drainlint."""

import io
import re
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from tests.bench.cases import Bench, Case, Runs
from tests.bench.corpus import PACKAGES, changing, unpack
from tests.bench.install import NotInstalledError, run
from tests.bench.measure import PROC, Command, Failure, Sample, measure
from tests.bench.parts import index_cost
from tests.bench.peers import DRAINLINT, PEERS, RUFF, Installed, State, install
from tests.bench.table import Figures, cpu, markdown, middle, record, wall

BUSY = "import time\nwhile time.process_time() < 0.2: pass\n"


def python(code: str, folder: Path) -> Command:
    return Command((sys.executable, "-c", code), folder, {}, frozenset({0}))


def runs(*seconds: float) -> Runs:
    return Runs([Sample(s, s * 2) for s in seconds], memory=50_000_000)


def figures(*rows: tuple[Case, dict[str, Runs]]) -> Figures:
    tools = {"drainlint": "1", "ruff": "2", "slow": "3"}
    return Figures(rows, tools, {"gone 4": "no such thing"}, {}, {"cores": 2})


CASE = Case("package", Path("/nowhere"), lines=2000)


def test_the_time_of_children_counts(tmp_path: Path) -> None:
    nested = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}])"

    sample = measure(python(nested, tmp_path), limit=60)

    assert isinstance(sample, Sample)
    assert sample.cpu >= 0.2
    assert sample.wall >= 0.2


@pytest.mark.skipif(not (PROC / "self/smaps_rollup").exists(), reason="/proc tells no memory")
def test_the_memory_of_children_counts(tmp_path: Path) -> None:
    holding = "import time\nheld = b'x' * 60_000_000\ntime.sleep(1)"
    nested = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {holding!r}])"

    sample = measure(python(nested, tmp_path), limit=60, watch=True)

    assert isinstance(sample, Sample)
    assert sample.memory is not None
    assert 60_000_000 < sample.memory < 200_000_000


def test_a_command_over_its_limit_is_killed_with_its_children(tmp_path: Path) -> None:
    sleeping = "import time\ntime.sleep(60)"
    nested = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {sleeping!r}])"
    begin = time.monotonic()

    assert measure(python(nested, tmp_path), limit=0.5) == Failure("over 0.5 s")
    assert time.monotonic() - begin < 30


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    failing = measure(python("import sys\nsys.exit('no such option')", tmp_path), limit=60)

    assert failing == Failure("exit code 1: no such option")


def test_what_cannot_be_prepared_says_why() -> None:
    with pytest.raises(NotInstalledError, match="no such tool"):
        run([sys.executable, "-c", "raise SystemExit('no such tool')"], 60)
    with pytest.raises(NotInstalledError, match="took over"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], 0.2)


def test_packages_and_peers_are_pinned() -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", package.sha256) for package in PACKAGES)
    assert all(re.fullmatch(r"\d+(\.\d+)+", each.version) for each in (*PACKAGES, *PEERS))


def test_a_wheel_is_unpacked_within_its_folder(tmp_path: Path) -> None:
    archive = tmp_path / "package.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("package/module.py", "inside = True\n")
        wheel.writestr("../outside.py", "inside = False\n")
    folder = tmp_path / "tree"

    unpack(archive, folder)

    assert (folder / "package/module.py").is_file()
    assert not (tmp_path / "outside.py").exists()


@pytest.mark.parametrize(("name", "fits"), [("p-1/m.py", True), ("../outside.py", False)])
def test_a_source_distribution_is_unpacked_within_its_folder(
    tmp_path: Path, name: str, *, fits: bool
) -> None:
    archive = tmp_path / "package.tar.gz"
    with tarfile.open(archive, "w:gz") as distribution:
        member = tarfile.TarInfo(name)
        member.size = 4
        distribution.addfile(member, io.BytesIO(b"x=1\n"))
    folder = tmp_path / "tree"
    folder.mkdir()

    if fits:
        unpack(archive, folder)
        assert (folder / "m.py").read_text() == "x=1\n"
    else:
        with pytest.raises(tarfile.FilterError):
            unpack(archive, folder)
    assert not (tmp_path / "outside.py").exists()


def test_a_changed_file_is_put_back(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("x = 1\n")

    with changing(file) as change:
        change()
        first = file.read_text()
        change()
        assert len({"x = 1\n", first, file.read_text()}) == 3
        left = file.read_bytes()
    assert file.read_text() == "x = 1\n"

    file.write_bytes(left)  # as if the benchmark had been killed
    with changing(file):
        pass
    assert file.read_text() == "x = 1\n"


def test_a_tool_without_a_cache_takes_part_in_cold_runs_only(tmp_path: Path) -> None:
    without = next(peer for peer in PEERS if not peer.cached)
    taking = {
        (state, tool.name)
        for state in State
        for tool in (DRAINLINT, RUFF, without)
        if Case("", tmp_path, state=state).suits(Installed(tool, tmp_path, tmp_path))
    }

    assert (State.COLD, without.name) in taking
    assert (State.WARM, without.name) not in taking
    assert {(state, DRAINLINT.name) for state in State} < taking


def test_drainlint_is_measured_cold_on_a_file_with_what_it_should_find(tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("x = 1\n")
    told: list[str] = []
    bench = Bench(repeat=1, limit=60, caches=tmp_path / "caches", tell=told.append)
    case = Case("clean", tmp_path, "clean.py", code=0)
    tool = install(DRAINLINT, tmp_path, 60)

    fits = bench.runs(case, [tool])["drainlint"]
    differs = bench.runs(Case("clean", tmp_path, "clean.py", code=1), [tool])["drainlint"]

    assert len(fits.samples) == 1
    assert not fits.failure
    assert not differs.samples
    assert differs.failure == "exit code 0"
    assert told[0] == "clean, cold: drainlint"


def test_the_index_has_a_cost_and_broken_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    return 1\n" * 300)
    (tmp_path / "broken.py").write_text("def f(:\n" * 50)

    cost = index_cost(tmp_path, repeat=1)

    assert cost.lines == 600
    assert cost.parse > 0
    assert cost.index > 0


def test_medians_are_of_the_counted_runs() -> None:
    assert middle(runs(3.0, 1.0, 2.0), wall) == 2.0
    assert middle(runs(3.0, 1.0, 2.0), cpu) == 4.0
    assert middle(Runs(), wall) is None


def test_the_table_holds_ratios_to_ruff_in_the_same_row() -> None:
    shown = markdown(
        figures((CASE, {"drainlint": runs(1.0, 5.0, 2.0), "ruff": runs(0.5), "slow": runs(10.0)}))
    )

    assert "| package (2 thousand lines), cold | 2.00 (4.0x) | 0.50 | 10.00 (20.0x) |" in shown
    assert "| package (2 thousand lines), cold | 4.00 (4.0x) | 1.00 | 20.00 (20.0x) |" in shown
    assert "| package (2 thousand lines), cold | 50 | 50 | 50 |" in shown
    assert "| package (2 thousand lines), cold | 2000.0 | 500.0 |" in shown


def test_nobody_who_failed_or_is_missing_goes_unsaid() -> None:
    shown = markdown(
        figures(
            (CASE, {"drainlint": runs(1.0), "ruff": runs(0.5), "slow": Runs(failure="over 9 s")})
        )
    )

    assert "| 1.00 (2.0x) | 0.50 | over 9 s |" in shown
    assert "- slow failed (over 9 s): package (2 thousand lines), cold" in shown
    assert "- gone 4 is missing: no such thing" in shown


def test_without_ruff_there_are_times_and_no_ratios() -> None:
    shown = markdown(figures((CASE, {"drainlint": runs(1.0), "ruff": Runs(failure="broken: so")})))

    assert "| 1.00 | broken | - |" in shown


def test_the_record_keeps_every_sample() -> None:
    kept = record(figures((CASE, {"drainlint": runs(1.0, 5.0)})))

    assert kept["cases"] == [
        {
            "label": "package",
            "state": "cold",
            "lines": 2000,
            "runs": {
                "drainlint": {
                    "wall": [1.0, 5.0],
                    "cpu": [2.0, 10.0],
                    "memory": 50_000_000,
                    "failure": "",
                }
            },
        }
    ]
