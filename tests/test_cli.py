"""The command as people run it: real processes, real files."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import PROJECT, git

HANGS = """\
import threading


class Service:
    def __init__(self):
        self.worker = threading.Thread(target=self.work)
        self.worker.start()

    def work(self):
        print("working")

    def stop(self):
        self.worker.join()
"""
DRAINS = HANGS.replace("join()", "join(timeout=5)\n        return not self.worker.is_alive()")
IGNORED = HANGS.replace("join()", "join()  # drainlint: ignore[unbounded-join] killed anyway")


@dataclass(frozen=True, slots=True)
class Done:
    """What a run of the command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


def environment(**extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
    return {**kept, "PYTHONPATH": str(PROJECT), **extra}


def drainlint(
    folder: Path, *arguments: str, stdin: str | bytes = b"", env: Mapping[str, str] | None = None
) -> Done:
    """Run the command in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "drainlint", *arguments],
        cwd=folder,
        env=environment(**(env or {})),
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def put(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one file that hangs, one that drains, and a test that hangs."""
    return put(
        tmp_path,
        {"hangs.py": HANGS, "drains.py": DRAINS, "tests/test_hangs.py": HANGS},
    )


def test_alone_it_prints_the_help(project: Path) -> None:
    done = drainlint(project)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Usage: drainlint [check] [OPTIONS] PATH...")
    assert done.out == drainlint(project, "--help").out


def test_every_verb_has_a_help_of_its_own(project: Path) -> None:
    for verb in ("check", "explain", "rules"):
        done = drainlint(project, verb, "--help")
        assert done.code == 0
        assert done.out.startswith("Usage: drainlint ")


def test_check_alone_checks_the_current_folder(project: Path) -> None:
    alone, dot, without_verb = (
        drainlint(project, *arguments) for arguments in (["check"], ["check", "."], ["."])
    )
    assert alone.code == 1
    assert "unbounded-join" in alone.out
    assert alone == dot == without_verb


def test_options_alone_check_the_current_folder(project: Path) -> None:
    assert "unbounded-join" in drainlint(project, "--exit-zero").out


def test_the_version_names_itself(project: Path) -> None:
    done = drainlint(project, "--version")
    assert done.code == 0
    assert done.out.startswith("drainlint ")
    assert done.out.count("\n") == 1


def test_a_clean_file_gives_0_and_a_report_that_says_so(project: Path) -> None:
    done = drainlint(project, "drains.py")
    assert (done.code, done.out, done.err) == (0, "no findings in 1 file\n", "")


def test_findings_give_1_and_are_reported_on_standard_output(project: Path) -> None:
    done = drainlint(project, "hangs.py", "drains.py")
    assert done.code == 1
    assert "hangs.py:13:9" in done.out
    assert done.out.splitlines()[-1].startswith("1 finding (1 error) in 2 files")
    assert done.err == ""


@pytest.mark.parametrize(
    "option", [["--exit-zero"], ["--fail-on", "never"], ["--fail-on", "never", "--fail-on=never"]]
)
def test_findings_can_be_told_not_to_fail(project: Path, option: list[str]) -> None:
    done = drainlint(project, "hangs.py", *option)
    assert done.code == 0
    assert "unbounded-join" in done.out


def test_the_exit_code_is_the_same_for_every_format(project: Path) -> None:
    for form in ("text", "concise", "sarif", "json", "github", "gitlab"):
        assert drainlint(project, "hangs.py", "--output", form).code == 1, form
        assert drainlint(project, "drains.py", "--output", form).code == 0, form


def test_notes_are_counted_and_shown_only_when_asked_for(project: Path) -> None:
    quiet = drainlint(project, "tests")
    assert quiet.code == 0
    assert "1 note not shown (--strict)" in quiet.out
    strict = drainlint(project, "tests", "--strict")
    assert strict.code == 0
    assert "note[unbounded-join]" in strict.out


def test_failing_on_notes_shows_them(project: Path) -> None:
    done = drainlint(project, "tests", "--fail-on", "note")
    assert done.code == 1
    assert "note[unbounded-join]" in done.out


def test_failing_on_errors_alone_lets_warnings_pass(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": "x = 1  # drainlint: ignore[nonsense]\n"})
    assert drainlint(tmp_path, ".").code == 1
    done = drainlint(tmp_path, ".", "--fail-on", "error")
    assert done.code == 0
    assert "warning[unknown-rule-in-suppression]" in done.out


def test_rules_can_be_selected_and_ignored(project: Path) -> None:
    for options in (["--ignore", "unbounded-join"], ["--select=DRN1,sleeping"], ["--ignore=DRN3"]):
        assert drainlint(project, "hangs.py", *options).code == 0, options
    for options in (
        ["--select", "waiting"],
        ["--select", "DRN1", "--select", "DRN301"],
        ["--select", "DRN1", "--extend-select", "unbounded-join"],
    ):
        assert drainlint(project, "hangs.py", *options).code == 1, options


def test_configuration_is_obeyed_and_the_command_line_wins(project: Path) -> None:
    put(project, {"drainlint.toml": 'ignore = ["unbounded-join"]\n'})
    assert drainlint(project, "hangs.py").code == 0
    assert drainlint(project, "hangs.py", "--select", "ALL").code == 1
    assert drainlint(project, "hangs.py", "--isolated").code == 1
    assert drainlint(project, "hangs.py", "--config", "ignore=[]").code == 1


def test_the_root_s_fail_on_is_obeyed(project: Path) -> None:
    put(project, {"drainlint.toml": 'fail-on = "never"\n'})
    assert drainlint(project, "hangs.py").code == 0
    assert drainlint(project, "hangs.py", "--fail-on", "error").code == 1


def test_a_comment_sets_a_finding_aside_and_it_is_counted(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": IGNORED})
    done = drainlint(tmp_path, "a.py")
    assert done.code == 0
    assert "1 ignored" in done.out
    shown = drainlint(tmp_path, "a.py", "--show-ignored")
    assert shown.code == 0
    assert "unbounded-join" in shown.out
    assert "killed anyway" in shown.out


def test_comments_can_be_left_unheeded(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": IGNORED + "# drainlint: ignore[nonsense]\n"})
    done = drainlint(tmp_path, "a.py", "--no-ignores", "--strict")
    assert done.code == 1
    assert "unbounded-join" in done.out
    assert "unknown-rule" not in done.out


def test_a_comment_that_sets_nothing_aside_is_a_note(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": "x = 1  # drainlint: ignore[unbounded-join]\n"})
    assert "1 note not shown" in drainlint(tmp_path, "a.py").out
    done = drainlint(tmp_path, "a.py", "--strict")
    assert "note[unused-suppression]" in done.out
    ignoring = ["--strict", "--ignore", "unbounded-join"]
    assert "unused" not in drainlint(tmp_path, "a.py", *ignoring).out
    files_only = ["--strict", "--context", "files"]
    assert "unused" not in drainlint(tmp_path, "a.py", *files_only).out


def test_one_run_writes_several_reports_with_the_same_findings(project: Path) -> None:
    done = drainlint(
        project, ".", "--output", "json=out.json", "--output", "sarif=out.sarif",
        "--output", "concise", "--strict",
    )  # fmt: skip
    assert done.code == 1
    found = json.loads((project / "out.json").read_text(encoding="utf-8"))
    results = json.loads((project / "out.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert len(found["findings"]) == len(results) == 2
    assert done.out.count("[unbounded-join]") == 2


def test_with_a_file_named_nothing_goes_to_standard_output(project: Path) -> None:
    done = drainlint(project, "hangs.py", "--output", "text=report.txt")
    assert (done.code, done.out) == (1, "")
    assert "unbounded-join" in (project / "report.txt").read_text(encoding="utf-8")
    assert [p.name for p in project.iterdir() if p.name.startswith(".")] == []


def test_a_report_keeps_the_mode_of_the_file_it_replaces(project: Path) -> None:
    put(project, {"report.txt": "old"})
    (project / "report.txt").chmod(0o640)
    drainlint(project, "drains.py", "--output", "text=report.txt")
    assert (project / "report.txt").stat().st_mode & 0o777 == 0o640
    assert (project / "report.txt").read_text(encoding="utf-8") == "no findings in 1 file\n"


def test_a_report_is_written_through_a_symbolic_link(project: Path) -> None:
    (project / "link.txt").symlink_to("real.txt")
    drainlint(project, "drains.py", "--output", "text=link.txt")
    assert (project / "link.txt").is_symlink()
    assert (project / "real.txt").exists()


def test_a_report_can_go_to_a_device(project: Path) -> None:
    assert drainlint(project, "drains.py", "--output", "text=/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


def test_standard_input_is_judged_as_if_it_stood_where_it_is_named_for(project: Path) -> None:
    put(project, {"drainlint.toml": "", "svc/drainlint.toml": 'ignore = ["unbounded-join"]\n'})
    arguments = ["-", "--output", "concise", "--strict", "--stdin-filename"]
    service, ignored, test = (
        drainlint(project, *arguments, name, stdin=HANGS)
        for name in ("service.py", "svc/a.py", "tests/a.py")
    )
    assert (service.code, ignored.code, test.code) == (1, 0, 0)
    assert "service.py:13:9: " in service.out
    assert "tests/a.py:13:9: " in test.out


def test_standard_input_without_a_name_is_checked_too(tmp_path: Path) -> None:
    done = drainlint(tmp_path, "-", stdin=HANGS)
    assert done.code == 1
    assert "<stdin>:13:9" in done.out


def test_standard_input_and_files_go_together(project: Path) -> None:
    done = drainlint(project, "drains.py", "-", "--stdin-filename", "x.py", stdin=DRAINS)
    assert done.out == "no findings in 2 files\n"


def test_a_file_is_judged_the_same_alone_in_its_folder_and_in_the_repository(
    tmp_path: Path,
) -> None:
    base = "import threading\n\n\nclass Base:\n    def shut(self):\n        self.t.join()\n"
    service = (
        "from pkg.base import Base\n\n\nclass S(Base):\n    def stop(self):\n        self.shut()\n"
    )
    put(tmp_path, {"pkg/__init__.py": "", "pkg/base.py": base, "app/service.py": service})
    git(tmp_path, "init", "--quiet")

    def about_base(*paths: str) -> list[str]:
        done = drainlint(tmp_path, *paths, "--output", "concise", "--strict")
        return [line for line in done.out.splitlines() if line.startswith("pkg/base.py")]

    assert about_base(".")
    assert about_base("pkg/base.py") == about_base("pkg") == about_base(".")


def test_reports_are_the_same_from_any_folder_and_for_any_number_of_jobs(project: Path) -> None:
    git(project, "init", "--quiet")
    here = drainlint(project, ".", "--strict")
    there = drainlint(project / "tests", "..", "--strict", "--jobs", "1")
    hashed = drainlint(project, "tests", ".", "--strict", "-j3", env={"PYTHONHASHSEED": "7"})
    assert here.out == there.out == hashed.out


@pytest.mark.parametrize("verb", ["check", "explain", "rules"])
def test_a_path_named_like_a_verb_is_written_with_a_dot(tmp_path: Path, verb: str) -> None:
    put(tmp_path, {f"{verb}/a.py": HANGS})
    done = drainlint(tmp_path, f"./{verb}", "--output", "concise")
    assert done.code == 1


def test_a_verb_is_a_verb_even_where_a_path_has_its_name(tmp_path: Path) -> None:
    put(tmp_path, {"rules/a.py": HANGS})
    assert "DRN001" in drainlint(tmp_path, "rules").out
    assert drainlint(tmp_path, "check", "rules", "--output", "concise").code == 1


def test_an_option_s_value_is_not_taken_for_the_verb(project: Path) -> None:
    done = drainlint(project, "--select", "waiting", "check", "hangs.py")
    assert done.code == 1
    assert drainlint(project, "--color=never", "rules").code == 0


def test_the_files_to_check_are_listed_without_checking_them(project: Path) -> None:
    put(project, {"broken.py": "def", "stub.pyi": "", "build/x.py": ""})
    done = drainlint(project, ".", "--show-files")
    assert done.code == 0
    assert done.out == "broken.py\ndrains.py\nhangs.py\ntests/test_hangs.py\n"
    verbose = drainlint(project, ".", "--show-files", "--verbose")
    assert verbose.out == done.out
    assert verbose.err == "left out: build/: excluded by default\nleft out: stub.pyi: type stub\n"


def test_the_settings_are_shown_without_checking_anything(project: Path) -> None:
    put(project, {"tests/drainlint.toml": 'budget = 3\n[levels]\npoll-queue = "note"\n'})
    done = drainlint(project, ".", "--show-settings", "--jobs", "4", "--select", "DRN301")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[:4] == [f"root = {project}", "context = project", "fail-on = warning", "jobs = 4"]
    assert "drains.py and 1 more:" in lines
    assert "  budget = 25" in lines
    assert "  budget = 3" in lines
    assert "  levels = {'DRN101': 'note'}" in lines
    assert "  rules = DRN001, DRN002, DRN301" in lines
    assert "  side code = yes" in lines


def test_statistics_count_each_rule_beside_the_report(project: Path) -> None:
    done = drainlint(project, ".", "--strict", "--statistics", "--output", "json")
    assert json.loads(done.out)
    assert done.err == "      2  DRN301  unbounded-join\n"


def test_quiet_says_nothing_where_nothing_is_found(project: Path) -> None:
    done = drainlint(project, "drains.py", "--quiet", "--ignore", "nonsense")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert "unbounded-join" in drainlint(project, "hangs.py", "-q").out


def test_a_rule_s_page_is_shown_by_name_and_by_code(tmp_path: Path) -> None:
    by_name = drainlint(tmp_path, "explain", "unbounded-join")
    assert by_name.code == 0
    assert by_name.out.startswith("DRN301 unbounded-join (waiting, error)\n")
    for part in ("Bad:\n", "Good:\n", "# drainlint: ignore[unbounded-join] why"):
        assert part in by_name.out
    assert drainlint(tmp_path, "explain", "drn301") == by_name


@pytest.mark.parametrize("family", ["waiting", "DRN3"])
def test_a_family_gets_a_list_of_its_rules(tmp_path: Path, family: str) -> None:
    done = drainlint(tmp_path, "explain", family)
    assert done.code == 0
    assert all(line.startswith("DRN3") for line in done.out.splitlines())
    assert "unbounded-join" in done.out


def test_all_rules_are_listed_for_people_and_for_programs(tmp_path: Path) -> None:
    listed = drainlint(tmp_path, "rules").out.splitlines()
    values = json.loads(drainlint(tmp_path, "rules", "--output", "json").out)
    assert [line.split()[:2] for line in listed] == [[v["code"], v["name"]] for v in values]
    assert {"code", "name", "family", "level", "headline", "why"} <= values[0].keys()
    assert {v["level"] for v in values} <= {"error", "warning", "note"}


def run_in_terminal(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What the command writes to a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "drainlint", *arguments],
        cwd=folder,
        env=environment(TERM="xterm", **(env or {})),
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=subprocess.PIPE,
    )
    os.close(slave)
    written = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        written += piece
    os.close(master)
    process.communicate()
    return written.decode()


def test_colour_is_for_terminals_and_can_be_forced_and_forbidden(project: Path) -> None:
    assert "\x1b[" in run_in_terminal(project, "hangs.py")
    assert "\x1b[" not in run_in_terminal(project, "hangs.py", "--color", "never")
    assert "\x1b[" not in run_in_terminal(project, "hangs.py", env={"NO_COLOR": "1"})
    assert "\x1b[" not in drainlint(project, "hangs.py").out
    assert "\x1b[" in drainlint(project, "hangs.py", "--color", "always").out
    assert "\x1b[" in run_in_terminal(project, "explain", "unbounded-join")


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "drainlint", "rules", "--output", "json"],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 0


def wait_until_it_reads(process: int) -> None:
    """Wait until a process waits for a pipe, as far as the system tells; ten seconds at most."""
    waits_for = Path(f"/proc/{process}/wchan")
    for _ in range(100):
        time.sleep(0.1)
        if waits_for.exists() and "pipe" in waits_for.read_text(encoding="utf-8"):
            return


def test_an_interruption_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    # a job in the background of a shell ignores SIGINT, and whatever it starts does so, too
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "drainlint", "-"],
            cwd=tmp_path,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    wait_until_it_reads(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    try:
        process.wait(timeout=60)  # with standard input still open
    finally:
        process.kill()
    err = process.stderr.read()
    process.communicate()
    assert (process.returncode, err) == (130, "error: interrupted\n")
