"""A report does not depend on what is kept, and what is kept is used.

Each run is a process of its own, in folders of its own.
"""

import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from drainlint.analysis import Options, analyse
from drainlint.cache import ROOM, TAG, TAG_TEXT, UNUSED, Store, default_folder, pack, prune, unpack
from drainlint.config import FileSettings
from drainlint.contents import TICK, Contents
from drainlint.discover import SourceFile
from drainlint.gather import facts
from drainlint.identity import identity
from drainlint.memory import Memory
from drainlint.recall import choice
from drainlint.run import Request, plan
from tests.conftest import PROJECT

STUBBORN = PROJECT / "fixtures" / "services" / "stubborn"
KEY = bytes(16)
WORKER = """\
import threading
import time


class Worker:
    def __init__(self):
        self.thread = threading.Thread(target=self.run)
        self.done = False

    def run(self):
        while not self.done:
            time.sleep(3)

    def halt(self):
        self.thread.join()
"""
MAIN = """\
import signal

from worker import Worker

worker = Worker()


def on_term(signum, frame):
    worker.halt()


signal.signal(signal.SIGTERM, on_term)
"""
QUIET = "SIZE = 1\n"
RUN = """\
import sys
from drainlint.cli import command
code = command(sys.argv[1:])
parts = {"read": "libcst", "link": "drainlint.link.program", "index": "drainlint.index.collect"}
print(*(part for part, module in parts.items() if module in sys.modules), file=sys.stderr)
sys.exit(code)
"""
"""Runs drainlint, and says on the last line of standard error what it had to do."""


@dataclass(frozen=True)
class Ran:
    """What a run said and did."""

    report: str
    did: frozenset[str]
    code: int
    said: str = ""

    @property
    def judged(self) -> list[tuple[str, str, str]]:
        """The path, name and level of each finding."""
        return [(f["path"], f["name"], f["level"]) for f in json.loads(self.report)["findings"]]


def ran(root: Path, cache: Path, *arguments: str, package: Path = PROJECT) -> Ran:
    """One run over a project with this cache."""
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-c", RUN, "--strict", "--output", "json"),
            *("--cache-dir", str(cache), *(arguments or (".",))),
        ],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    *said, did = done.stderr.splitlines()
    assert "Traceback" not in done.stderr
    return Ran(done.stdout, frozenset(did.split()), done.returncode, "\n".join(said))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in which a finding's level rests on another file."""
    root = tmp_path / "project"
    root.mkdir()
    for name, text in {"worker.py": WORKER, "main.py": MAIN, "quiet.py": QUIET}.items():
        (root / name).write_text(text, encoding="utf-8")
    (root / "drainlint.toml").touch()
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def fresh(root: Path, *arguments: str) -> str:
    """What a run says that keeps nothing."""
    done = ran(root, root / "unused", "--no-cache", *(arguments or (".",)))
    assert done.code in (0, 1), done.said
    return done.report


def kept(cache: Path) -> dict[str, bytes]:
    """Every file in the cache, by name."""
    return {file.name: file.read_bytes() for file in cache.rglob("*.facts")}


def test_a_second_run_says_the_same_and_reads_links_and_indexes_nothing(
    root: Path, cache: Path
) -> None:
    first, second = ran(root, cache), ran(root, cache)

    assert first.judged
    assert first.did == {"read", "link", "index"}
    assert second.did == set()
    assert (second.report, second.code) == (first.report, first.code)
    assert second.report == fresh(root)


def test_the_stubborn_service_is_judged_alike_from_what_was_kept(cache: Path) -> None:
    first, second = ran(STUBBORN, cache), ran(STUBBORN, cache)

    assert second.did == set()
    assert second.report == first.report == fresh(STUBBORN)


def test_without_a_cache_nothing_is_written_and_nothing_used(root: Path, cache: Path) -> None:
    ran(root, cache, "--no-cache", ".")
    assert not cache.exists()
    ran(root, cache)
    before = kept(cache)
    again = ran(root, cache, "--no-cache", ".")

    assert again.did == {"read", "link", "index"}
    assert kept(cache) == before


def test_a_finding_follows_a_change_in_another_file(root: Path, cache: Path) -> None:
    stopped = ran(root, cache)
    (root / "main.py").write_text(MAIN.replace("worker.halt()", "print(worker)"), encoding="utf-8")
    spared = ran(root, cache)

    assert spared.judged != stopped.judged
    assert spared.report == fresh(root)
    assert ran(root, cache, "worker.py").report == fresh(root, "worker.py")


def edited(root: Path) -> None:
    (root / "worker.py").write_text(WORKER.replace("sleep(3)", "sleep(9)"), encoding="utf-8")


def added(root: Path) -> None:
    (root / "other.py").write_text(WORKER, encoding="utf-8")


def deleted(root: Path) -> None:
    (root / "main.py").unlink()


def moved(root: Path) -> None:
    (root / "worker.py").rename(root / "labourer.py")


def broken(root: Path) -> None:
    (root / "main.py").write_text("def (:\n", encoding="utf-8")


def set_aside(root: Path) -> None:
    text = WORKER.replace("join()", "join()  # drainlint: ignore[unbounded-join] it is quick")
    (root / "worker.py").write_text(text, encoding="utf-8")


def budget(root: Path) -> None:
    (root / "drainlint.toml").write_text("budget = 1\nmin-sleep = 5\n", encoding="utf-8")


def taught(root: Path) -> None:
    text = '[knowledge.call."worker.Worker.halt"]\ndoes = "join"\n'
    (root / "drainlint.toml").write_text(text, encoding="utf-8")


def side(root: Path) -> None:
    (root / "drainlint.toml").write_text('side-code = ["worker.py"]\n', encoding="utf-8")


def scripted(root: Path) -> None:
    text = '[project.scripts]\nserve = "worker:Worker.run"\n'
    (root / "pyproject.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [edited, added, deleted, moved, broken, set_aside, budget, taught, side, scripted],
)
def test_after_a_change_a_run_says_what_a_fresh_one_says(
    root: Path, cache: Path, change: Callable[[Path], None]
) -> None:
    ran(root, cache)
    change(root)

    for arguments in ((".",), ("worker.py",) if (root / "worker.py").exists() else (".",)):
        first, second = ran(root, cache, *arguments), ran(root, cache, *arguments)
        assert second.report == first.report == fresh(root, *arguments)


@pytest.mark.parametrize(
    "change", [edited, added, deleted, moved, broken, budget, taught, side, scripted]
)
def test_whatever_nouns_rest_on_is_noticed(
    root: Path, cache: Path, change: Callable[[Path], None]
) -> None:
    ran(root, cache)
    change(root)

    assert "link" in ran(root, cache).did


def test_the_name_under_which_the_root_is_imported_is_noticed(root: Path, cache: Path) -> None:
    (root / "__init__.py").touch()
    ran(root, cache)
    assert ran(root, cache).did == set()
    (root.parent / "__init__.py").touch()

    assert "link" in ran(root, cache).did


def test_which_other_files_are_side_code_is_noticed(root: Path, cache: Path) -> None:
    ran(root, cache, "worker.py")
    (root / "drainlint.toml").write_text('side-code = ["main.py"]\n', encoding="utf-8")

    assert "link" in ran(root, cache, "worker.py").did


def test_a_file_that_cannot_be_parsed_is_said_again(root: Path, cache: Path) -> None:
    broken(root)
    first, second = ran(root, cache), ran(root, cache)

    assert ("main.py", "cannot-parse") in [(path, name) for path, name, _ in first.judged]
    assert "link" not in second.did
    assert second.report == first.report


def test_levels_and_rules_may_be_chosen_anew_from_what_was_kept(root: Path, cache: Path) -> None:
    ran(root, cache, "--select", "poll-flag", ".")
    for chosen in (["--select", "ALL"], ["--ignore", "unbounded-join"], ["--select", "DRN3"]):
        again = ran(root, cache, *chosen, ".")

        assert "link" not in again.did
        assert again.report == fresh(root, *chosen, ".")


def test_a_budget_is_part_of_what_nouns_are_judged_under(root: Path, cache: Path) -> None:
    text = WORKER.replace("self.thread.join()", "self.thread.join(20)")
    (root / "worker.py").write_text(text, encoding="utf-8")
    reports = [ran(root, cache, "--budget", seconds, ".").report for seconds in ("10", "25", "10")]

    assert reports[0] == reports[2] == fresh(root, "--budget", "10", ".")
    assert reports[1] == fresh(root, "--budget", "25", ".") != reports[0]


def test_what_was_kept_of_all_files_serves_any_of_them(root: Path, cache: Path) -> None:
    ran(root, cache)
    alone = ran(root, cache, "worker.py")

    assert alone.did == set()
    assert alone.report == fresh(root, "worker.py")


def test_what_was_kept_of_one_file_serves_with_what_is_kept_of_others(
    root: Path, cache: Path
) -> None:
    one = ran(root, cache, "worker.py")
    other = ran(root, cache, "main.py")
    both = ran(root, cache, "worker.py", "main.py")

    assert "link" in one.did
    assert "link" in other.did
    assert both.did == set()
    assert both.report == fresh(root, "worker.py", "main.py")


def test_what_may_rest_on_the_choice_of_files_serves_no_other_choice(
    root: Path, cache: Path
) -> None:
    ran(root, cache)
    store = Store(cache, root, identity({}))
    state, judged, problems, anyone = store.load("project")
    assert anyone == b""
    store.save("project", (state, judged, problems, choice(["worker.py", "main.py"])))

    assert "link" not in ran(root, cache, "main.py", "worker.py").did
    assert "link" in ran(root, cache).did


def test_a_file_in_which_nothing_can_be_found_is_passed_by(root: Path, cache: Path) -> None:
    time.sleep(TICK / 1e9 + 0.1)
    first, second = ran(root, cache, "quiet.py"), ran(root, cache, "quiet.py")

    assert first.did == {"index"}
    assert second.did == set()
    assert second.report == first.report


def test_facts_of_unchanged_files_are_not_gathered_again(root: Path, cache: Path) -> None:
    ran(root, cache)
    files = kept(cache)
    edited(root)
    ran(root, cache)
    changed = {name for name, content in kept(cache).items() if files.get(name) != content}

    assert len([name for name in changed if name.startswith("files-")]) == 1
    assert len([name for name in files if name.startswith("files-")]) > 1


def test_standard_input_is_judged_and_never_kept_as_the_file(root: Path, cache: Path) -> None:
    ran(root, cache)
    before = kept(cache)
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "drainlint", "--strict", "--output", "json"),
            *("--cache-dir", str(cache), "--stdin-filename", "worker.py", "-"),
        ],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        input=WORKER.replace("join()", "join(60)").encode(),
        capture_output=True,
        check=False,
    )

    assert ("60" in done.stdout.decode(), done.returncode) == (True, 1)
    assert {n: c for n, c in kept(cache).items() if not n.startswith("contents")} == {
        n: c for n, c in before.items() if not n.startswith("contents")
    }
    assert ran(root, cache).report == fresh(root)


def test_the_facts_of_files_that_are_gone_are_dropped(root: Path, cache: Path) -> None:
    ran(root, cache)
    assert b"worker.py" in b"".join(kept(cache).values())
    (root / "worker.py").unlink()
    for name in range(64):  # so that every part of the facts is written
        (root / f"new_{name}.py").write_text(QUIET, encoding="utf-8")
    ran(root, cache)

    facts = {n: c for n, c in kept(cache).items() if n.startswith(("files", "contents"))}
    assert b"worker.py" not in b"".join(facts.values())


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "foreign", "another"])
def test_a_damaged_file_is_no_value_and_is_written_anew(
    root: Path, cache: Path, damage: str
) -> None:
    ran(root, cache)
    for file in cache.rglob("*.facts"):
        content = file.read_bytes()
        middle = len(content) // 2
        flipped = bytes([content[middle] ^ 1])
        file.write_bytes(
            {
                "flipped": content[:middle] + flipped + content[middle + 1 :],
                "cut": content[:middle],
                "empty": b"",
                "foreign": pickle.dumps("nothing of ours"),
                "another": content.replace(b"facts 1", b"facts 2"),
            }[damage]
        )
    again = ran(root, cache)

    assert again.did == {"read", "link", "index"}
    assert again.report == fresh(root)
    assert ran(root, cache).did == set()


def test_another_drainlint_is_not_served_old_facts(root: Path, cache: Path, tmp_path: Path) -> None:
    copy = tmp_path / "installed"
    shutil.copytree(PROJECT / "drainlint", copy / "drainlint")
    ran(root, cache, package=copy)
    assert ran(root, cache, package=copy).did == set()
    for name in ("__init__.py", "knowledge/sleep.toml", "rules/waiting/unbounded_join.py"):
        file = copy / "drainlint" / name
        file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")

        assert "link" in ran(root, cache, package=copy).did, name
        assert ran(root, cache, package=copy).did == set()


def test_a_libcst_of_another_version_has_facts_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = identity({})
    version = tmp_path / "libcst" / "_version.py"
    version.parent.mkdir()
    version.write_text("version = '99'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert identity({}) == identity({}) != before


FAULTY = {
    "rule unbounded-join failed": ("rules/waiting/unbounded_join.py", "-> Iterator[Finding]:"),
    "reading `Worker.run` failed": ("link/nouns.py", "body: Body) -> Iterator[Noun]:"),
}


@pytest.mark.parametrize("said", FAULTY)
def test_a_fault_of_ours_is_met_again(root: Path, cache: Path, tmp_path: Path, said: str) -> None:
    copy = tmp_path / "installed"
    shutil.copytree(PROJECT / "drainlint", copy / "drainlint")
    part, head = FAULTY[said]
    file = copy / "drainlint" / part
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(head, f"{head}\n        1 / 0"))
    first, second = ran(root, cache, package=copy), ran(root, cache, package=copy)

    assert (first.code, second.code) == (2, 2)
    assert second.said == first.said
    assert said in first.said
    assert second.report == first.report


def test_a_fault_of_a_rule_that_was_not_active_is_met_once_it_is(
    root: Path, cache: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "installed"
    shutil.copytree(PROJECT / "drainlint", copy / "drainlint")
    file = copy / "drainlint" / "rules" / "waiting" / "unbounded_join.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("-> Iterator[Finding]:", "-> Iterator[Finding]:\n        1 / 0"))
    silent = ran(root, cache, "--ignore", "unbounded-join", ".", package=copy)
    loud = ran(root, cache, package=copy)

    assert silent.code == 1
    assert "link" not in loud.did
    assert "rule unbounded-join failed" in loud.said


def test_what_is_judged_while_a_file_changes_is_not_kept(root: Path, cache: Path) -> None:
    made = plan(Request((str(root),), cache=cache))
    worker = root / "worker.py"

    def changing(path: str) -> FileSettings:
        worker.write_text(worker.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        return made.settings(path)

    assert made.memory is not None
    files = list(made.files)
    asked = frozenset(file.relative for file in files)
    options = Options(root, made.settings, {}, 1, made.active_rules, made.memory)
    analyse(files, asked, replace(options, settings=changing))

    assert [file.name for file in cache.rglob("project.facts")] == []
    worker.write_text(WORKER, encoding="utf-8")
    assert ran(root, cache).report == fresh(root)


def test_metadata_that_changes_meanwhile_is_not_what_was_judged(root: Path, cache: Path) -> None:
    made = plan(Request((str(root),), cache=cache))
    files = list(made.files)
    asked = frozenset(file.relative for file in files)

    def changing(path: str) -> FileSettings:
        scripted(root)
        return made.settings(path)

    options = Options(root, made.settings, {}, 1, made.active_rules, made.memory)
    analyse(files, asked, replace(options, settings=changing))
    (root / "pyproject.toml").unlink()

    assert "link" in ran(root, cache).did
    assert ran(root, cache).did == set()


def test_facts_of_a_file_that_changes_meanwhile_are_not_kept(root: Path, cache: Path) -> None:
    worker = SourceFile(root / "worker.py", "worker.py")
    store = Store(cache, root, KEY)
    memory = Memory(store, root, "project")
    others = [SourceFile(root / "quiet.py", f"{number}.py") for number in range(64)]
    memory.look([worker, *others])
    for file in (worker, *others):  # so that every part of the facts is written
        memory.learn(file.relative, pack(1), idle=True)
    edited(root)
    memory.keep()
    worker.path.write_text(WORKER, encoding="utf-8")
    again = Memory(store, root, "project")
    again.look([worker])

    assert list(again.facts(["worker.py"])) == []
    assert not again.idle("worker.py")
    again.learn("worker.py", pack(2), idle=True)
    again.keep()
    last = Memory(store, root, "project")
    last.look([worker])
    assert list(last.facts(["worker.py"])) == [("worker.py", 2)]
    assert last.idle("worker.py")


def test_each_python_has_facts_of_its_own(root: Path, tmp_path: Path) -> None:
    here = Store(tmp_path, root, KEY).folder.name
    tag = sys.implementation.cache_tag
    code = (
        "import sys; from pathlib import Path; sys.implementation.cache_tag = sys.argv[3]; "
        "from drainlint.cache import Store; from drainlint.identity import identity; "
        "print(Store(Path(sys.argv[1]), Path(sys.argv[2]), bytes(16)).folder.name, "
        "identity({}).hex())"
    )

    def told(tag: str) -> list[str]:
        arguments = [sys.executable, "-P", "-c", code, str(tmp_path), str(root), tag]
        environment = os.environ | {"PYTHONPATH": str(PROJECT)}
        return subprocess.check_output(arguments, env=environment, text=True).split()

    assert tag is not None
    assert told(tag)[0] == here != told("cpython-399")[0]
    assert told(tag)[1] == told(tag)[1] != told("cpython-399")[1]


def test_processes_at_the_same_time_say_the_same_and_leave_whole_files(
    root: Path, cache: Path
) -> None:
    with ThreadPoolExecutor() as pool:
        reports = {done.report for done in pool.map(lambda _: ran(root, cache), range(4))}

    assert reports == {fresh(root)}
    assert {file.suffix for file in cache.rglob("*") if file.is_file()} == {".facts", ".TAG"}
    assert ran(root, cache).did == set()


def test_a_cache_that_cannot_be_written_is_no_fault(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert ran(root, tmp_path / "file" / "cache").report == fresh(root)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such mode")
def test_a_folder_that_others_may_write_to_is_not_trusted(root: Path, cache: Path) -> None:
    ran(root, cache)
    (folder,) = cache.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)

    assert "link" in ran(root, cache).did


def test_a_touched_file_is_the_same_file(root: Path, cache: Path) -> None:
    ran(root, cache)
    os.utime(root / "worker.py", (1, 1))

    assert ran(root, cache).did == set()


def looked(file: Path, known: Contents | None = None) -> Contents:
    contents = Contents(known.lasting(lambda _: True) if known else {})
    contents.look([SourceFile(file, file.name)])
    return contents


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that was written long enough ago to be trusted."""
    file = tmp_path / "old.py"
    file.write_text("a = 1\n", encoding="utf-8")
    time.sleep(TICK / 1e9 + 0.1)
    return file


def test_a_file_that_looks_the_same_is_not_read_again(old: Path) -> None:
    first = looked(old)
    stamp, _, marked = first.rows["old.py"]
    first.rows["old.py"] = stamp, b"as it was", marked

    assert looked(old, first).digest("old.py") == b"as it was"


def test_an_edit_of_the_same_size_with_its_time_set_back_is_noticed(old: Path) -> None:
    first = looked(old)
    status = old.stat()
    with old.open("r+", encoding="utf-8") as file:
        file.write("b")
    os.utime(old, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert old.stat().st_mtime_ns == status.st_mtime_ns
    assert old.stat().st_size == status.st_size
    assert looked(old, first).digest("old.py") != first.digest("old.py")


def test_a_file_that_has_just_been_written_is_not_trusted_by_its_looks(tmp_path: Path) -> None:
    file = tmp_path / "new.py"
    file.write_text("a = 1\n", encoding="utf-8")

    assert looked(file).lasting(lambda _: True) == {}


def test_a_file_that_changes_during_the_run_is_no_longer_the_same(old: Path) -> None:
    contents = looked(old)
    source = SourceFile(old, "old.py")
    assert contents.same(source)
    old.write_text("b = 1\n", encoding="utf-8")
    assert not contents.same(source)
    contents = looked(old)
    assert contents.same(source)
    old.write_text("c = 1\n", encoding="utf-8")
    assert not contents.same(source)


class Harmful:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch harmed",)


def test_what_is_read_makes_nothing_but_values(tmp_path: Path) -> None:
    store = Store(tmp_path, tmp_path, KEY)
    store.save("contents", Harmful())
    values = (1, "two", b"three", 4.0, 5j, None, ..., frozenset({6}), {7: [8]})

    assert (store.folder / "contents.facts").exists()
    assert store.load("contents") is None
    assert unpack(pack(values)) == values
    for function in (print, shutil.rmtree, facts, prune, subprocess.Popen):
        with pytest.raises(pickle.UnpicklingError):
            unpack(pickle.dumps(function))


def put(base: Path, name: str, *, used: float, size: int = 1) -> Path:
    folder = base / name
    folder.mkdir()
    with (folder / "files-00.facts").open("wb") as file:
        file.truncate(size)
    tag = folder / TAG
    tag.write_text(TAG_TEXT, encoding="utf-8")
    os.utime(tag, (used, used))
    return folder


def test_projects_that_nobody_checks_are_forgotten(tmp_path: Path) -> None:
    now = time.time()
    unused = put(tmp_path, "a" * 32, used=now - UNUSED - 60)
    used = put(tmp_path, "b" * 32, used=now - UNUSED + 60)
    spared = put(tmp_path, "c" * 32, used=now - 2 * UNUSED)
    foreign = put(tmp_path, "photographs", used=now - 2 * UNUSED)
    alike = tmp_path / ("d" * 32)
    alike.mkdir()
    prune(tmp_path, spared)

    assert sorted(tmp_path.iterdir()) == sorted([used, spared, foreign, alike])
    assert not unused.exists()


def test_the_oldest_projects_are_forgotten_where_room_is_short(tmp_path: Path) -> None:
    now = time.time()
    oldest = put(tmp_path, "a" * 32, used=now - 300, size=ROOM // 3)
    newer = [
        put(tmp_path, letter * 32, used=now - 100, size=ROOM // 3 + 1) for letter in ("b", "c")
    ]
    prune(tmp_path, newer[0])

    assert not oldest.exists()
    assert all(folder.exists() for folder in newer)


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="they have other folders")
@pytest.mark.parametrize(
    ("named", "used"), [("", "home/.cache"), ("relative", "home/.cache"), ("/x/y", "/x/y")]
)
def test_facts_are_kept_in_the_cache_folder_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, used: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", named)

    assert default_folder() == tmp_path / used / "drainlint"


def test_a_run_that_writes_nothing_marks_its_project_as_used(root: Path, cache: Path) -> None:
    ran(root, cache)
    time.sleep(TICK / 1e9 + 0.1)
    ran(root, cache)
    (tag,) = cache.rglob(TAG)
    os.utime(tag, (1, 1))
    before = kept(cache)
    ran(root, cache)

    assert kept(cache) == before
    assert time.time() - tag.stat().st_mtime < 3600
