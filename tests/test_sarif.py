import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from pydantic import BaseModel
from sarif_pydantic import Sarif  # type: ignore[import-untyped]

from drainlint.finding import Confidence, Notice
from drainlint.fingerprint import fingerprint, statement
from drainlint.model.place import Place
from drainlint.outcome import Outcome, RuleCard
from drainlint.report import render
from drainlint.report.version import semantic
from tests.report_samples import (
    BASELINED,
    IGNORED,
    JOIN,
    MAIN,
    POLL,
    SOURCES,
    UNPARSABLE,
    WORKER,
    awkward,
    everything,
    finding_in,
    lines_of,
    outcome_of,
    place_of,
)

AWKWARD = [pytest.param(outcome, id=name) for name, outcome in awkward().items()]

SCHEMA = os.environ.get("DRAINLINT_SARIF_SCHEMA")
MULTITOOL = os.environ.get("DRAINLINT_SARIF_MULTITOOL") or next(
    filter(None, map(shutil.which, ("sarif-multitool", "sarif"))), None
)

NOT_IN_THE_READER = {"columnKind", "suppressions", "toolExecutionNotifications"}
"""Properties of the standard that sarif-pydantic has no field for."""


def log_of(outcome: Outcome) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(render("sarif", outcome))
    return log


def run_of(outcome: Outcome) -> dict[str, Any]:
    run: dict[str, Any] = log_of(outcome)["runs"][0]
    return run


def result_of(outcome: Outcome) -> dict[str, Any]:
    (result,) = run_of(outcome)["results"]
    found: dict[str, Any] = result
    return found


# three independent readers


def unknown_to(model: object) -> Iterator[str]:
    """The names in a log that its reader has no field for."""
    if isinstance(model, BaseModel):
        yield from model.model_extra or ()
        for name in type(model).model_fields:
            yield from unknown_to(getattr(model, name))
    elif isinstance(model, list):
        for item in model:
            yield from unknown_to(item)


@pytest.mark.parametrize("outcome", AWKWARD)
def test_a_reader_with_types_finds_every_property_where_it_expects_it(outcome: Outcome) -> None:
    sarif = Sarif.model_validate_json(render("sarif", outcome))
    assert set(unknown_to(sarif)) <= NOT_IN_THE_READER
    assert sarif.runs[0].results is not None
    assert len(sarif.runs[0].results) == len(outcome.findings)


@pytest.mark.skipif(SCHEMA is None, reason="DRAINLINT_SARIF_SCHEMA does not name the OASIS schema")
@pytest.mark.parametrize("outcome", AWKWARD)
def test_the_log_is_valid_by_the_schema_of_oasis(outcome: Outcome) -> None:
    schema = json.loads(Path(SCHEMA or "").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)
    validator(schema, format_checker=validator.FORMAT_CHECKER).validate(log_of(outcome))


def objections_of_multitool(log: str, folder: Path) -> set[str]:
    """The ids of the errors and warnings that Microsoft's validator finds in a log."""
    path, verdict = folder / "drainlint.sarif", folder / "verdict.sarif"
    path.write_text(log, encoding="utf-8")
    arguments = ["validate", str(path), "--rule-kind", "Sarif;Ghas", "--output", str(verdict)]
    tool = Path(MULTITOOL or "").resolve()
    if tool.suffix == ".js":  # its launcher hands the arguments to a shell, unquoted
        arguments = [shlex.quote(argument) for argument in arguments]
    subprocess.run([str(tool), *arguments], check=False, capture_output=True, timeout=120)
    (run,) = json.loads(verdict.read_text(encoding="utf-8-sig"))["runs"]
    assert run["tool"]["driver"]["name"]
    return {
        result["ruleId"]
        for result in run.get("results", [])
        if result.get("level", "warning") != "note"
    }


@pytest.mark.skipif(MULTITOOL is None, reason="no sarif-multitool (DRAINLINT_SARIF_MULTITOOL)")
@pytest.mark.parametrize("outcome", AWKWARD)
def test_microsofts_multitool_has_nothing_to_object(outcome: Outcome, tmp_path: Path) -> None:
    # SARIF2005 asks for the address of the project's page
    assert objections_of_multitool(render("sarif", outcome), tmp_path) <= {"SARIF2005"}


@pytest.mark.skipif(MULTITOOL is None, reason="no sarif-multitool (DRAINLINT_SARIF_MULTITOOL)")
def test_microsofts_multitool_would_object_to_what_github_rejects(tmp_path: Path) -> None:
    log = log_of(outcome_of(JOIN))
    del log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["endColumn"]
    del log["runs"][0]["results"][0]["message"]["text"]
    assert objections_of_multitool(json.dumps(log), tmp_path) - {"SARIF2005"}


# what a run says of itself


def test_a_log_names_its_schema_and_its_tool() -> None:
    log = log_of(outcome_of())
    assert log["$schema"].endswith("/sarif-2.1.0.json")
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    assert run["tool"]["driver"]["name"] == "drainlint"
    assert run["automationDetails"] == {"id": "drainlint/"}
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["results"] == []
    assert "uri" not in run["originalUriBaseIds"]["%SRCROOT%"]


def test_every_active_rule_is_listed_whether_or_not_it_found_something() -> None:
    rules = run_of(outcome_of())["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["DRN001", "DRN002", "DRN101", "DRN307"]
    assert rules == run_of(outcome_of(JOIN))["tool"]["driver"]["rules"]


def test_a_rule_brings_its_whole_page() -> None:
    rule = run_of(outcome_of(POLL))["tool"]["driver"]["rules"][2]
    assert rule["name"] == "poll-queue"
    assert rule["shortDescription"]["text"].startswith("A loop asks a queue")
    assert rule["fullDescription"]["text"] == (
        "A stop request is noticed only after the pause. Wait in `get()` instead."
    )
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"] == {
        "precision": "medium",
        "problem.severity": "error",
        "tags": ["reliability", "polling"],
    }
    assert "**Bad**\n\n```python\nwhile running:\n    if not" in rule["help"]["markdown"]
    assert "**Good**\n\n````python\nwhile (job" in rule["help"]["markdown"]
    assert "Bad:\n    while running:\n        if not" in rule["help"]["text"]
    assert "drainlint explain poll-queue" in rule["help"]["text"]


def test_a_weakness_that_fits_exactly_is_a_tag() -> None:
    rule = run_of(outcome_of())["tool"]["driver"]["rules"][3]
    assert rule["properties"]["tags"] == ["reliability", "waiting", "external/cwe/cwe-833"]
    assert rule["properties"]["precision"] == "high"


def test_a_rule_is_as_precise_as_its_best_finding() -> None:
    low = replace(JOIN, confidence=Confidence.LOW)
    for findings, precision in (((low,), "low"), ((low, JOIN), "high")):
        rule = run_of(outcome_of(*findings))["tool"]["driver"]["rules"][3]
        assert rule["properties"]["precision"] == precision


def test_descriptions_are_cut_where_github_would_reject_them_and_help_is_not() -> None:
    card = RuleCard("DRN101", "poll-queue", "polling", JOIN.level, "word " * 400, "long " * 400)
    rule = run_of(replace(outcome_of(), rules=(card,)))["tool"]["driver"]["rules"][0]
    for part in ("shortDescription", "fullDescription"):
        assert 1000 < len(rule[part]["text"]) <= 1024
        assert rule[part]["text"].endswith(" …")
    assert rule["help"]["text"].count("long") == 400


@pytest.mark.parametrize(
    ("python", "semver"),
    [
        ("1.2.3", "1.2.3"),
        ("0.1", "0.1.0"),
        ("1.0.0rc2", "1.0.0-rc.2"),
        ("1.0.0a1.dev3+g12.d3", "1.0.0-alpha.1.dev.3+g12.d3"),
        ("1.0.0.post1", "1.0.0+post1"),
        ("unknown", "0.0.0"),
    ],
)
def test_the_version_is_spelt_as_semver_asks(python: str, semver: str) -> None:
    assert semantic(python) == semver


def test_files_given_up_and_crashes_are_notifications_of_a_run_that_failed() -> None:
    notices = (Notice("DRN002", "a b.py", "permission denied"), Notice("crash", "c.py", "[x]"))
    (invocation,) = run_of(outcome_of(notices=notices))["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [n["descriptor"]["id"] for n in invocation["toolExecutionNotifications"]] == [
        "DRN002",
        "crash",
    ]
    first, second = invocation["toolExecutionNotifications"]
    assert first["level"] == "error"
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.py"
    assert second["message"]["text"] == r"\[x\]."


def test_a_file_that_cannot_be_parsed_is_a_result_and_a_notification() -> None:
    run = run_of(outcome_of(UNPARSABLE))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["descriptor"]["id"] == "DRN001"
    assert [result["ruleId"] for result in run["results"]] == ["DRN001"]


def test_a_run_with_more_results_than_github_takes_says_so_and_keeps_them() -> None:
    run = run_of(outcome_of(*[replace(JOIN, related=(), steps=())] * 25_001))
    assert len(run["results"]) == 25_001
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert "GitHub rejects more than 25000" in notification["message"]["text"]


# results


def test_a_result_points_at_its_rule_and_at_one_line() -> None:
    result = result_of(outcome_of(JOIN))
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("DRN307", 3, "error")
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "src/worker.py", "uriBaseId": "%SRCROOT%"},
        "region": {
            "startLine": 18,
            "startColumn": 9,
            "endLine": 18,
            "endColumn": 27,
            "snippet": {"text": "self.worker.join()"},
        },
    }
    assert location["message"] == {"text": "no deadline"}
    assert location["logicalLocations"] == [
        {"fullyQualifiedName": "Worker.stop", "kind": "function"}
    ]


def test_the_message_begins_with_a_title_and_links_the_related_places() -> None:
    result = result_of(outcome_of(POLL))
    assert result["message"]["text"] == (
        "this loop polls `self.jobs.empty()`; `get()` waits without polling. "
        "Wait in `get()`, and put an end marker into the queue to stop the loop. "
        "See [asks here](1), [wakes 10 times a second](2)."
    )
    places = {place["id"]: place for place in result["relatedLocations"]}
    assert places[1]["message"]["text"] == "asks here"
    assert places[1]["physicalLocation"]["region"]["startLine"] == 12
    assert places[2]["physicalLocation"]["region"]["startLine"] == 14


@pytest.mark.parametrize("outcome", AWKWARD)
def test_every_link_has_its_place_and_every_region_is_on_one_line(outcome: Outcome) -> None:
    for result in run_of(outcome)["results"]:
        links = re.findall(r"(?<!\\)\]\((\d+)\)", result["message"]["text"])
        places = result.get("relatedLocations", [])
        assert list(map(int, links)) == [place["id"] for place in places]
        for place in (*result["locations"], *places):
            region = place["physicalLocation"]["region"]
            assert 1 <= region["startLine"] == region["endLine"]
            assert 1 <= region["startColumn"] < region["endColumn"]


def test_brackets_that_are_no_links_are_escaped() -> None:
    result = result_of(awkward()["brackets"])
    assert result["message"]["text"].startswith(
        r"`a\[0\](1)` \[b\](2) \\ waits. \[use\](3) `x\[i\]`. See [started here](1)."
    )


def test_the_drain_path_is_a_code_flow_that_ends_at_the_finding() -> None:
    (flow,) = result_of(outcome_of(JOIN))["codeFlows"]
    (thread,) = flow["threadFlows"]
    steps = [step["location"] for step in thread["locations"]]
    assert [
        (
            step["physicalLocation"]["artifactLocation"]["uri"],
            step["physicalLocation"]["region"]["startLine"],
        )
        for step in steps
    ] == [(MAIN, 6), (MAIN, 4), (WORKER, 16), (WORKER, 18)]
    assert "codeFlows" not in result_of(outcome_of(POLL))


def test_a_result_with_more_places_than_github_takes_says_how_many_it_leaves_out() -> None:
    places = tuple(replace(JOIN.related[1], place=Place(n, 1, n, 2)) for n in range(100, 1200))
    result = result_of(outcome_of(replace(JOIN, related=places)))
    assert len(result["relatedLocations"]) == 999
    assert result["message"]["text"].endswith("101 more places left out here.")


def test_paths_are_percent_encoded_and_relative_to_the_root() -> None:
    result = result_of(awkward()["a path to be encoded"])
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "a%20b/50%25/%23%5Bx%5D/c%3Ad.py", "uriBaseId": "%SRCROOT%"}
    assert unquote(artifact["uri"]) == "a b/50%/#[x]/c:d.py"
    undecodable = result_of(awkward()["an undecodable path"])
    assert undecodable["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == (
        "caf%E9.py"
    )


def test_a_path_outside_the_root_is_absolute() -> None:
    result = result_of(finding_in("a.join()\n", "a.join()", path="/opt/x y.py"))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "file:///opt/x%20y.py"
    }


def test_columns_count_code_points() -> None:
    region = result_of(awkward()["East Asian letters and emoji"])["locations"][0][
        "physicalLocation"
    ]["region"]
    assert (region["startColumn"], region["endColumn"]) == (13, 26)
    assert region["snippet"] == {"text": "worker.join()"}


def test_suppressed_results_say_why_and_the_others_that_they_are_not() -> None:
    join, ignored, baselined = run_of(outcome_of(JOIN, IGNORED, BASELINED))["results"]
    assert join["suppressions"] == []
    assert ignored["suppressions"] == [
        {"kind": "inSource", "justification": "the broker cannot block"}
    ]
    assert baselined["suppressions"] == [{"kind": "external"}]
    assert "suppressions" not in result_of(outcome_of(JOIN))


def test_a_finding_of_an_unknown_rule_brings_a_description_of_its_own() -> None:
    run = run_of(awkward()["an unknown rule"])
    assert run["results"][0]["ruleIndex"] == 4
    assert run["tool"]["driver"]["rules"][4]["id"] == "DRN999"


# fingerprints


def test_results_bear_githubs_hash_and_our_own() -> None:
    prints = result_of(outcome_of(JOIN))["partialFingerprints"]
    assert prints["drainlint/v1"] == f"{fingerprint(JOIN, lines_of(SOURCES[WORKER]))}:1"
    assert re.fullmatch(r"[0-9a-f]{1,16}:1", prints["primaryLocationLineHash"])


def test_a_result_without_a_line_has_no_line_hash() -> None:
    prints = result_of(awkward()["a place behind the end"])["partialFingerprints"]
    assert list(prints) == ["drainlint/v1"]


def test_equal_findings_are_numbered() -> None:
    results = run_of(outcome_of(JOIN, POLL, JOIN))["results"]
    numbers = [r["partialFingerprints"]["drainlint/v1"].split(":")[1] for r in results]
    assert numbers == ["1", "1", "2"]


def print_of(text: str, wanted: str = "self.q.get") -> str:
    return fingerprint(replace(JOIN, place=place_of(text, wanted)), lines_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "\n\nself.q.get(block=True, key='a b')\n",
        "    self.q.get(block=True, key='a b')\n",
        "self.q.get(block=True, key='a b')  # drainlint: ignore[x] why\n",
        "self.q.get(\n    block=True,  # wait\n    key='a b',\n)\n",
        "self.q.get(block = True,\tkey='a b')\n",
        "self.q.get(block=True, \\\n  key='a b')\n",
    ],
)
def test_a_fingerprint_outlives_moves_new_layouts_and_comments(text: str) -> None:
    assert print_of(text) == print_of("self.q.get(block=True, key='a b')\n")


@pytest.mark.parametrize(
    "text",
    [
        "self.q.get(block=True, key='ab')\n",
        "self.q.get(block=False, key='a b')\n",
        "self.q.get(block=True, key='a b').result()\n",
    ],
)
def test_a_fingerprint_tells_statements_apart(text: str) -> None:
    assert print_of(text) != print_of("self.q.get(block=True, key='a b')\n")


def test_a_fingerprint_knows_rule_file_and_function_but_no_line_level_or_message() -> None:
    lines = lines_of(SOURCES[WORKER])
    known = fingerprint(JOIN, lines)
    others = (
        replace(JOIN, code="DRN999"),
        replace(JOIN, path="b.py"),
        replace(JOIN, function="Other.stop"),
    )
    assert known not in {fingerprint(other, lines) for other in others}
    same = replace(POLL, code=JOIN.code, function=JOIN.function, place=JOIN.place)
    assert fingerprint(same, lines) == known


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("x = f(a.get(), 3)\ny\n", "a.get", "a . get ( ) , 3"),
        ("while (\n    a\n    and b\n):\n    c\n", "while", "while ( a and b ) :"),
        ('a.get("""x\n# y""", 1)\n', "a.get", 'a . get ( """x\n# y""" , 1 )'),
        ("a.get('(', 1); b\n", "a.get", "a . get ( '(' , 1 ) ; b"),
        ("a.get(", "a.get", "a . get ("),
        ("a.get('unclosed", "a.get", "a . get ( ' unclosed"),
    ],
)
def test_a_statement_ends_with_its_line_or_with_the_bracket_around_it(
    text: str, wanted: str, expected: str
) -> None:
    assert statement(place_of(text, wanted), lines_of(text)) == expected


def test_a_statement_that_never_ends_is_followed_for_so_many_lines_only() -> None:
    lines = ("f(", *["a,"] * 100_000)
    assert len(statement(Place(1, 1, 1, 3), lines)) < 300


def test_everything_at_once_keeps_the_order_of_the_findings() -> None:
    codes = [result["ruleId"] for result in run_of(everything())["results"]]
    assert codes == ["DRN101", "DRN101", "DRN307", "DRN307", "DRN001"]
