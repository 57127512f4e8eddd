"""Bad input: one clear line each on standard error, the right exit code, and the rest goes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_cli import DRAINS, HANGS, drainlint, environment, put

ALL_GOES_ON = "1 finding (1 error) in 1 file"


def test_a_missing_path_is_said_and_the_rest_is_checked(tmp_path: Path) -> None:
    put(tmp_path, {"hangs.py": HANGS})
    done = drainlint(tmp_path, "hangs.py", "gone.py", "also/gone")
    assert done.code == 2
    assert done.errors == [
        "error: also/gone: cannot be read: No such file or directory",
        "error: gone.py: cannot be read: No such file or directory",
    ]
    assert ALL_GOES_ON in done.out


def test_a_missing_first_path_does_not_stop_the_rest(tmp_path: Path) -> None:
    put(tmp_path, {"hangs.py": HANGS})
    done = drainlint(tmp_path, "gone.py", "hangs.py")
    assert (done.code, len(done.errors)) == (2, 1)
    assert ALL_GOES_ON in done.out


def test_exit_zero_turns_no_2_into_a_0(tmp_path: Path) -> None:
    put(tmp_path, {"hangs.py": HANGS})
    assert drainlint(tmp_path, "hangs.py", "gone.py", "--exit-zero").code == 2


def test_quiet_does_not_silence_errors(tmp_path: Path) -> None:
    assert drainlint(tmp_path, "gone.py", "--quiet").errors


@pytest.mark.parametrize("verb", ["chek", "explian", "rule"])
def test_a_misspelt_verb_gets_a_suggestion(tmp_path: Path, verb: str) -> None:
    done = drainlint(tmp_path, verb, "something")
    assert (done.code, done.out) == (2, "")
    (line,) = done.errors
    assert line.startswith(f"error: there is no file, folder or command `{verb}`; did you mean `")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_file_is_said_and_the_rest_is_checked(tmp_path: Path) -> None:
    put(tmp_path, {"hangs.py": HANGS, "locked.py": ""})
    (tmp_path / "locked.py").chmod(0)
    done = drainlint(tmp_path, ".")
    assert done.code == 2
    assert done.errors == ["error: locked.py: cannot be read: Permission denied"]
    assert ALL_GOES_ON in done.out


def test_a_pipe_in_a_file_s_place_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = drainlint(tmp_path, "pipe")
    assert done.code == 2
    assert done.errors == ["error: pipe: cannot be read: not a regular file"]


def test_a_folder_without_python_is_a_warning(tmp_path: Path) -> None:
    put(tmp_path, {"docs/README.md": "", "hangs.py": HANGS})
    done = drainlint(tmp_path, "docs", "hangs.py")
    assert done.code == 1
    assert done.err == "warning: docs: no Python files in it\n"
    assert drainlint(tmp_path, "docs").code == 0


@pytest.mark.parametrize(
    "source",
    ["def broken(:\n", "x = 'open\n", "print 'two'\n", "if x:\n", "\x00", "(" * 500, "a\n  b\n"],
)
def test_broken_syntax_is_a_warning_at_its_line_and_the_rest_is_checked(
    tmp_path: Path, source: str
) -> None:
    put(tmp_path, {"broken.py": source, "hangs.py": HANGS})
    done = drainlint(tmp_path, ".", "--output", "concise")
    assert (done.code, done.errors) == (1, [])
    assert "hangs.py:13:9: " in done.out
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (line,) = [line for line in done.out.splitlines() if line.startswith("broken.py:")]
    assert f"Python {version} cannot parse this file: " in line
    assert "1 file could not be parsed" in drainlint(tmp_path, "broken.py").out


def test_broken_syntax_in_a_test_is_a_note(tmp_path: Path) -> None:
    put(tmp_path, {"tests/broken.py": "def", "drains.py": DRAINS})
    done = drainlint(tmp_path, ".")
    assert done.code == 0
    assert "1 file could not be parsed" in done.out


@pytest.mark.parametrize(
    "content", [b"x = '\xff'\n", b"# coding: nonsense\n", b"\xef\xbb\xbf# coding: latin-1\n"]
)
def test_a_file_in_no_known_encoding_is_a_warning(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.py").write_bytes(content)
    done = drainlint(tmp_path, ".")
    assert (done.code, done.errors) == (1, [])
    assert "cannot-parse" in done.out


def test_an_unknown_option_is_one_line_with_a_suggestion(tmp_path: Path) -> None:
    done = drainlint(tmp_path, "--selct", "x", ".")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert "--selct" in line
    assert "--select" in line.replace("--selct", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--select", "unbounded-jion"], "unknown rule `unbounded-jion`; did you mean `unbounded-"),
        (["--extend-select", "xyzzy"], "unknown rule `xyzzy`"),
        (["--select", "a,,b"], "Invalid value for '--select': a name is empty"),
        (["--select", ""], "Invalid value for '--select': a name is empty"),
        (["--budget", "soon"], "Invalid value for '--budget': 'soon' is not a valid float range."),
        (["--budget", "-1"], "Invalid value for '--budget': -1.0 is not in the range x>=0."),
        (["--jobs", "0"], "Invalid value for '--jobs' / '-j': 0 is not in the range x>=1."),
        (["--color", "red"], "Invalid value for '--color': 'red' is not one of"),
        (["--fail-on", "warn"], "Invalid value for '--fail-on': 'warn' is not one of"),
        (["--context", "all"], "Invalid value for '--context': 'all' is not one of"),
        (["--budget"], "Option '--budget' requires an argument."),
        (["--strict=yes"], "Option '--strict' does not take a value."),
        (["--stdin-filename", "a.py"], "`--stdin-filename` wants `-` among the paths"),
        (["--output", "serif"], "--output: unknown format `serif`; did you mean `sarif`?"),
        (["--output", "xyzzy"], "--output: unknown format `xyzzy`; there are text, concise, "),
        (["--output", "json="], "--output json=: there is no file behind the `=`"),
        (["--output", "json=gone/x.json"], "--output json=gone/x.json: there is no folder `"),
        (["--output", "json=."], "--output json=.: `.` is a folder"),
        (["--output", "text", "--output", "json"], "--output json: another report goes to standar"),
        (["--output", "text=a", "--output", "json=a"], "--output json=a: another report goes to `"),
        (["--config", "gone.toml"], "gone.toml: No such file or directory"),
        (["--config", "a.toml", "--config", "b.toml"], "`--config` takes one file at most"),
        (["--config", "budget=soon"], "--config budget=soon: this is not KEY=VALUE in TOML"),
        (["--config", "bugdet=1"], "--config: unknown key `bugdet`; did you mean `budget`?"),
        (["--config", "jobs=0"], "--config: `jobs` must be a whole number of at least 1"),
        (["--config", "a.toml", "--isolated"], "`--isolated` leaves no room for `--config FILE`"),
    ],
)
def test_what_the_command_line_gets_wrong_is_one_line_and_exit_2(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    put(tmp_path, {"drains.py": DRAINS})
    done = drainlint(tmp_path, "drains.py", *arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith(f"error: {said}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "unbounded-jion"], "unknown rule `unbounded-jion`; did you mean `unbounded-"),
        (["explain", "xyzzy"], "unknown rule `xyzzy`"),
        (["explain"], "Missing argument 'NAME|CODE'."),
        (["explain", "--strict", "x"], "No such option"),
        (["rules", "--output", "sarif"], "Invalid value for '--output': 'sarif' is not one of"),
        (["rules", "extra"], "Got unexpected extra argument (extra)"),
    ],
)
def test_what_the_other_verbs_are_given_wrongly_is_one_line_and_exit_2(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = drainlint(tmp_path, *arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith(f"error: {said}")


def test_several_faults_of_the_command_line_are_said_at_once(tmp_path: Path) -> None:
    done = drainlint(tmp_path, "--select", "xyzzy,foo-bar", "--config", "nope=1", ".")
    assert (done.code, len(done.errors)) == (2, 3)


def test_an_unknown_name_to_ignore_is_a_warning(tmp_path: Path) -> None:
    put(tmp_path, {"hangs.py": HANGS})
    done = drainlint(tmp_path, "hangs.py", "--ignore", "unbounded-jion")
    assert done.code == 1
    assert done.err.startswith("warning: --ignore: unknown rule `unbounded-jion`; did you mean `un")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("drainlint.toml", "bugdet = 1", "unknown key `bugdet`; did you mean `budget`?"),
        ("drainlint.toml", "budget = 'x'", "`budget` must be a number of seconds"),
        ("drainlint.toml", "budget = ", "this is not TOML: "),
        ("drainlint.toml", 'select = ["pol-queue"]', "`select`: unknown rule `pol-queue`"),
        ("pyproject.toml", "[tool.drainlint]\nbudget", "this is not TOML: "),
    ],
)
def test_a_faulty_configuration_is_one_line_and_exit_2(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    put(tmp_path, {name: text, "hangs.py": HANGS})
    done = drainlint(tmp_path, ".", "--output", "text=report.txt", "--exit-zero")
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith(f"error: {name}: {said}")
    assert not (tmp_path / "report.txt").exists()


def test_a_faulty_configuration_of_one_folder_leaves_the_others_checked(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"hangs.py": HANGS, "sub/a.py": HANGS, "sub/drainlint.toml": "nonsense = 1\n"},
    )
    done = drainlint(tmp_path, ".")
    assert done.code == 2
    assert done.errors == ["error: sub/drainlint.toml: unknown key `nonsense`"]
    assert ALL_GOES_ON in done.out
    assert "faulty configuration" in done.out


def test_a_report_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    put(tmp_path, {"hangs.py": HANGS})
    done = drainlint(tmp_path, "hangs.py", "--output", f"json={'x' * 256}")
    assert done.code == 2
    assert len(done.errors) == 1
    assert "cannot write" in done.errors[0]
    assert [path.name for path in tmp_path.iterdir()] == ["hangs.py"]


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    put(tmp_path, {"hangs.py": HANGS})
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "drainlint", "hangs.py"],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"


def test_closed_streams_are_no_reason_for_a_traceback(tmp_path: Path) -> None:
    put(tmp_path, {"hangs.py": HANGS})
    for closing, code in ((">&-", 2), ("2>&-", 1), ("<&-", 1)):
        done = subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m drainlint hangs.py {closing}'],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == code, closing
        assert "Traceback" not in done.stderr + done.stdout


def test_names_and_text_of_any_bytes_are_printed_in_any_locale(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    put(tmp_path, {name: HANGS, "é.py": HANGS})
    for form in ("text", "concise", "json", "sarif", "github", "gitlab"):
        done = drainlint(
            tmp_path, ".", "gone\u2028.py", "--output", form, env={"LC_ALL": "C", "PYTHONUTF8": "0"}
        )
        assert done.code == 2
        assert len(done.errors) == 1
