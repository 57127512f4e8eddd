"""From a request to an outcome: what is counted, what is shown, and what never stops a run."""

from pathlib import Path

import pytest

from drainlint.config import ConfigError, Overrides
from drainlint.finding import Confidence, Finding, Level, Notice
from drainlint.model.place import Place
from drainlint.outcome import Outcome
from drainlint.run import Request, Target, exit_code, plan, run, write
from tests.test_cli import DRAINS, HANGS, IGNORED, put


def outcome(folder: Path, **asked: object) -> Outcome:
    return run(Request(paths=(str(folder),), **asked))  # type: ignore[arg-type]


def names(of: Outcome) -> list[str]:
    return [f"{finding.path}: {finding.name}" for finding in of.findings]


def a_finding(level: Level) -> Finding:
    return Finding(
        "DRN301", "unbounded-join", level, Confidence.HIGH, "a.py", Place(1, 1, 1, 2), "It waits."
    )


def test_files_skipped_and_unparsable_files_are_all_counted(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": DRAINS, "b.py": DRAINS, "c.pyi": "", "broken.py": "def"})
    found = outcome(tmp_path)
    assert (found.files, found.unparsable) == (2, 1)
    assert [(s.path, s.reason) for s in found.skipped] == [("c.pyi", "type stub")]
    assert names(found) == ["broken.py: cannot-parse"]
    assert found.notices == ()


def test_what_is_broken_in_the_rest_of_the_project_is_not_reported(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": DRAINS, "broken.py": "def", "drainlint.toml": ""})
    found = outcome(tmp_path / "a.py")
    assert (found.files, found.unparsable, found.findings) == (1, 0, ())


def test_findings_stand_in_the_order_of_path_line_column_and_code(tmp_path: Path) -> None:
    comment = "# drainlint: ignore[nonsense]\n"
    put(tmp_path, {"b.py": HANGS + comment, "a/z.py": comment, "a.py": comment + HANGS})
    found = outcome(tmp_path, strict=True)
    assert [f.order for f in found.findings] == sorted(f.order for f in found.findings)
    assert [f.path for f in found.findings] == ["a.py", "a.py", "a/z.py", "b.py", "b.py"]


def test_the_lines_of_every_file_in_a_finding_s_story_are_there(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": "\ufeff" + HANGS.replace("\n", "\r\n"), "b.py": DRAINS})
    found = outcome(tmp_path)
    assert found.sources == {"a.py": tuple(HANGS.splitlines())}


def test_a_finding_in_an_undecodable_file_has_lines_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = 1\ny = '\xff'\n")
    found = outcome(tmp_path)
    assert names(found) == ["a.py: cannot-parse"]
    assert found.sources["a.py"][:2] == ("x = 1", "y = '\ufffd'")


def test_a_place_of_broken_syntax_lies_within_its_line(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": "def f(:\n", "b.py": "x = (\n", "c.py": "'''", "d.py": "if x:"})
    for finding in outcome(tmp_path).findings:
        place, lines = finding.place, outcome(tmp_path).sources[finding.path]
        assert 1 <= place.line <= len(lines)
        assert 1 <= place.column < place.end_column <= len(lines[place.line - 1]) + 1


def test_the_level_of_our_own_rules_is_remapped_and_lowered_too(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "a.py": "def",
            "tests/b.py": "def",
            "drainlint.toml": '[levels]\ncannot-parse = "error"\n',
        },
    )
    found = outcome(tmp_path, strict=True)
    assert [finding.level for finding in found.findings] == [Level.ERROR, Level.NOTE]


def test_cannot_parse_can_be_ignored_and_is_still_counted(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": "def"})
    found = outcome(tmp_path, overrides=Overrides(ignore=("cannot-parse",)))
    assert (found.findings, found.unparsable) == ((), 1)


def test_broken_files_have_no_unused_comments(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": "x = 1  # drainlint: ignore[unbounded-join]\ndef"})
    assert names(outcome(tmp_path, strict=True)) == ["a.py: cannot-parse"]


def test_set_aside_findings_are_shown_only_when_asked_for_and_never_fail(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": IGNORED})
    hidden, shown = outcome(tmp_path), outcome(tmp_path, show_ignored=True)
    assert (hidden.findings, hidden.ignored) == ((), 1)
    assert (names(shown), shown.ignored) == (["a.py: unbounded-join"], 1)
    suppression = shown.findings[0].suppression
    assert suppression is not None
    assert (suppression.origin, suppression.reason) == ("inline", "killed anyway")
    assert exit_code(shown, "note") == 0


def test_an_unused_comment_can_itself_be_ignored_for_the_file(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "a.py": "x = 1  # drainlint: ignore[unbounded-join]\n"
            "# drainlint: ignore-file[unused-suppression]\n"
        },
    )
    found = outcome(tmp_path, strict=True)
    assert (found.findings, found.ignored) == ((), 1)


def test_hidden_notes_are_counted_without_those_set_aside(tmp_path: Path) -> None:
    put(tmp_path, {"tests/a.py": HANGS, "tests/b.py": IGNORED, "drainlint.toml": ""})
    found = outcome(tmp_path)
    assert (found.findings, found.hidden_notes, found.ignored) == ((), 1, 1)


def test_the_rules_of_an_outcome_are_those_that_were_active(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": DRAINS})
    found = outcome(tmp_path, overrides=Overrides(select=("unbounded-join",)))
    assert [card.code for card in found.rules] == ["DRN001", "DRN002", "DRN301"]


def test_a_run_over_nothing_has_an_outcome_too(tmp_path: Path) -> None:
    found = outcome(tmp_path)
    assert (found.files, found.findings, found.notices) == (0, (), ())
    assert found.rules


def test_facts_come_from_the_project_unless_the_files_are_to_be_alone(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": DRAINS, "b.py": DRAINS, "drainlint.toml": ""})
    asked = str(tmp_path / "a.py")
    assert len(plan(Request(paths=(asked,))).files) == 2
    assert len(plan(Request(paths=(asked,), whole_project=False)).files) == 1


def test_the_file_system_s_root_is_no_project(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": DRAINS})
    made = plan(Request(paths=(str(tmp_path / "a.py"), "/usr/lib/os-release")))
    assert made.root == Path("/")
    assert not made.whole_project
    assert "no project holds all of these" in made.warnings[0]


def test_failing_on_notes_in_the_configuration_shows_them(tmp_path: Path) -> None:
    put(tmp_path, {"drainlint.toml": 'fail-on = "note"\njobs = 3\n', "a.py": DRAINS})
    made = plan(Request(paths=(str(tmp_path),)))
    assert (made.strict, made.fail_on, made.jobs) == (True, "note", 3)


def test_a_request_that_names_no_rule_right_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        outcome(tmp_path, overrides=Overrides(select=("nonsense",)))


@pytest.mark.parametrize(
    ("level", "fail_on", "code"),
    [
        (Level.NOTE, "note", 1),
        (Level.NOTE, "warning", 0),
        (Level.WARNING, "warning", 1),
        (Level.WARNING, "error", 0),
        (Level.ERROR, "error", 1),
        (Level.ERROR, "never", 0),
    ],
)
def test_the_exit_code_says_whether_something_is_at_the_level_or_above(
    level: Level, fail_on: str, code: int
) -> None:
    assert exit_code(Outcome(Path(), (a_finding(level),), ()), fail_on) == code


@pytest.mark.parametrize("notice", ["DRN002", "crash"])
def test_what_was_not_checked_outweighs_everything(notice: str) -> None:
    found = Outcome(Path(), (), (), notices=(Notice(notice, "a.py", "it broke"),))
    assert exit_code(found, "never") == 2


def test_reports_are_written_in_full_or_not_at_all(tmp_path: Path) -> None:
    put(tmp_path, {"old": "old"})
    with pytest.raises(ConfigError, match="cannot write"):
        write({tmp_path / "old": "new", tmp_path / "gone/x": "text"})
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text(encoding="utf-8") == "old"
    write({tmp_path / "old": "new", tmp_path / "other": "text"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "other"]


def test_a_report_s_file_is_looked_at_before_the_work(tmp_path: Path) -> None:
    assert Target("text").fault == ""
    assert Target("text", tmp_path / "x").fault == ""
    assert "is a folder" in Target("text", tmp_path).fault
    assert "there is no folder" in Target("text", tmp_path / "gone/x").fault
