import json
import subprocess
import sys
from dataclasses import replace

import pytest

from drainlint.finding import Level, Notice, Suppression
from drainlint.outcome import Outcome
from drainlint.report import FORMATS, render
from tests.report_samples import IGNORED, JOIN, POLL, WORKER, awkward, everything, outcome_of

AWKWARD = [pytest.param(outcome, id=name) for name, outcome in awkward().items()]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("outcome", AWKWARD)
def test_every_format_renders_every_outcome_and_ends_with_a_newline(
    name: str, outcome: Outcome
) -> None:
    report = render(name, outcome, color=True, width=60)
    assert report.endswith("\n")
    assert not report.endswith("\n\n")
    assert report.encode()
    assert report == render(name, outcome, color=True, width=60)


@pytest.mark.parametrize("name", ["sarif", "json", "gitlab"])
@pytest.mark.parametrize("outcome", AWKWARD)
def test_formats_for_machines_are_valid_json_without_colour(name: str, outcome: Outcome) -> None:
    assert json.loads(render(name, outcome)) == json.loads(render(name, outcome, color=True))


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(KeyError, match="html"):
        render("html", outcome_of())


def test_no_format_shows_where_the_project_lies_on_this_machine() -> None:
    for name in FORMATS:
        assert "/nowhere" not in render(name, everything())


def imported_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    script = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_neither_rich_nor_json() -> None:
    assert not {"rich", "json"} & imported_by("import drainlint.report")


def test_a_run_that_found_nothing_loads_neither_rich_nor_json_to_say_so() -> None:
    loaded = imported_by(
        "from pathlib import Path\n"
        "from drainlint.outcome import Outcome\n"
        "from drainlint.report import render\n"
        "render('text', Outcome(Path(), (), ()), color=True)"
    )
    assert "drainlint.report.text" in loaded
    assert not {"rich", "json"} & loaded


# concise


def test_concise_gives_one_line_for_each_finding_and_the_line_that_counts() -> None:
    assert render("concise", outcome_of(POLL, JOIN)).splitlines() == [
        (
            "src/worker.py:11:9: warning[poll-queue] this loop polls `self.jobs.empty()`; "
            "`get()` waits without polling"
        ),
        (
            "src/worker.py:18:9: error[unbounded-join] `self.worker.join()` can wait for ever "
            "while the service stops"
        ),
        "2 findings (1 error, 1 warning) in 12 files",
    ]


def test_concise_marks_suppressed_findings_and_lists_notices() -> None:
    lines = render("concise", everything()).splitlines()
    assert lines[1].endswith("waits without polling (ignored: the broker cannot block)")
    assert lines[3].endswith("(in the baseline)")
    assert lines[5] == "src/secret.py: failed[cannot-read] permission denied"


def test_concise_keeps_a_finding_on_one_line_whatever_its_path_and_message_hold() -> None:
    odd = replace(JOIN, path="a\nb\x1b.py", message="one\ntwo")
    assert len(render("concise", outcome_of(odd)).splitlines()) == 2
    assert "\x1b" not in render("concise", outcome_of(odd))


# our own JSON


def test_json_holds_every_field_of_a_finding() -> None:
    report = json.loads(render("json", outcome_of(replace(JOIN, about=(POLL.place,)))))
    assert report["version"] == 1
    (finding,) = report["findings"]
    place = {"line": 18, "column": 9, "end_line": 18, "end_column": 27}
    assert {**finding, "fingerprint": "", "steps": []} == {
        "code": "DRN307",
        "name": "unbounded-join",
        "level": "error",
        "confidence": "high",
        "message": JOIN.message,
        "remedy": JOIN.remedy,
        "function": "Worker.stop",
        "path": WORKER,
        "place": place,
        "related": [
            {"path": WORKER, "place": place, "text": "no deadline"},
            {
                "path": WORKER,
                "place": {"line": 7, "column": 23, "end_line": 7, "end_column": 56},
                "text": "started here",
            },
        ],
        "steps": [],
        "about": [{"line": 11, "column": 9, "end_line": 11, "end_column": 33}],
        "suppression": None,
        "fingerprint": "",
    }
    assert [step["text"] for step in finding["steps"]] == [step.text for step in JOIN.steps]


def test_json_counts_what_the_last_line_of_the_text_counts() -> None:
    report = json.loads(render("json", everything()))
    assert report["counts"] == {
        "error": 1,
        "warning": 2,
        "note": 0,
        "files": 12,
        "skipped": 3,
        "unparsable": 1,
        "ignored": 1,
        "baselined": 1,
        "hidden_notes": 3,
        "notices": 2,
    }
    assert report["summary"] == render("text", everything()).splitlines()[-1]
    assert report["skipped"][2] == {"path": "docs/tour.ipynb", "reason": "notebook"}
    assert report["notices"][0]["code"] == "DRN002"
    assert report["findings"][1]["suppression"] == {
        "origin": "inline",
        "reason": "the broker cannot block",
    }


# GitHub's workflow commands


def test_github_gets_a_command_for_each_level() -> None:
    note = replace(POLL, level=Level.NOTE)
    lines = render("github", outcome_of(POLL, JOIN, note)).splitlines()
    assert [line.split(" ")[0] for line in lines[:3]] == ["::warning", "::error", "::notice"]
    assert lines[1] == (
        "::error file=src/worker.py,line=18,endLine=18,col=9,endColumn=27,"
        "title=drainlint unbounded-join::src/worker.py:18:9: `self.worker.join()` can wait for "
        "ever while the service stops%0A= give it what is left of the drain budget and look at "
        "`is_alive()` afterwards%0Asrc/main.py:4: calls `Worker.stop`%0Asrc/main.py:6: signal "
        "handler `on_term`%0Asrc/worker.py:7: started here%0Asrc/worker.py:16: on the drain path: "
        "`on_term` -> `stop`"
    )
    assert lines[3] == "3 findings (1 error, 1 warning, 1 note) in 12 files"


def test_github_commands_cannot_be_broken_by_paths_or_messages() -> None:
    odd = replace(
        JOIN, path="50%,a:b\n.py", message="100%\r\n::error::gotcha", related=(), steps=()
    )
    first, *rest = render("github", outcome_of(odd)).splitlines()
    assert "file=50%25%2Ca%3Ab%0A.py,line=" in first
    assert ": 100%25%0D%0A::error::gotcha%0A= give" in first
    assert rest == ["1 finding (1 error) in 12 files"]


def test_github_shows_suppressed_findings_as_notices_and_failures_as_errors() -> None:
    notice = Notice("crash", "a.py", "oh")
    lines = render("github", outcome_of(IGNORED, notices=(notice,))).splitlines()
    assert lines[0].startswith("::notice ")
    assert "title=drainlint poll-queue (ignored%3A the broker cannot block)::" in lines[0]
    assert lines[1] == "::error file=a.py,title=drainlint crash::a.py: oh"


# GitLab's Code Quality


def test_gitlab_gets_what_code_quality_asks_for() -> None:
    issues = json.loads(render("gitlab", outcome_of(POLL, JOIN)))
    fingerprints = [issue.pop("fingerprint") for issue in issues]
    assert len(set(fingerprints)) == 2
    assert issues[1] == {
        "description": JOIN.message,
        "check_name": "unbounded-join",
        "severity": "critical",
        "location": {"path": WORKER, "lines": {"begin": 18, "end": 18}},
    }
    assert issues[0]["severity"] == "major"


def test_gitlab_fingerprints_differ_within_a_report() -> None:
    issues = json.loads(render("gitlab", awkward()["hundreds"]))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 600


def test_gitlab_hears_of_suppressed_findings_and_of_files_that_were_given_up() -> None:
    outcome = outcome_of(
        replace(JOIN, suppression=Suppression("file", "old")),
        notices=(Notice("DRN002", "a.py", "permission denied"),),
    )
    shelved, failed = json.loads(render("gitlab", outcome))
    assert shelved["severity"] == "info"
    assert shelved["description"].endswith(" (ignored in the whole file: old)")
    assert (failed["check_name"], failed["location"]["path"]) == ("cannot-read", "a.py")
