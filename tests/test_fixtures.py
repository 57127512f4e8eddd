"""Every fixture yields what its comments expect, and nothing else.

A line of `fixtures/<rule>.py` that ends with `# expect: poll-queue` yields a finding of that rule
there. A level may follow the name, and further names a comma: `# expect: poll-queue error,
unbounded-join`. A line without the comment yields nothing. A folder `fixtures/<rule>/` is one
project of several files.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from drainlint import rules
from drainlint.finding import Finding
from tests.conftest import findings_in

FIXTURES = Path(__file__).parents[1] / "fixtures"
SERVICES = FIXTURES / "services"

PROJECTS = [
    pytest.param(path, id=path.stem)
    for path in sorted(FIXTURES.iterdir())
    if path != SERVICES and (path.is_dir() or path.suffix == ".py")
]

EXPECT = re.compile(r"# expect: (?P<expected>[^#]*)$")
ONE = re.compile(r"(?P<name>[a-z][a-z-]*)(?: (?P<level>error|warning|note))?")

Expected = tuple[str, int, str, str]
"""Path, line, rule and level; the level is empty where the comment names none."""


def sources_of(project: Path) -> dict[str, str]:
    """The files of a fixture, by their path in the project that it stands for."""
    if project.is_file():
        return {project.name: project.read_text(encoding="utf-8")}
    return {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(project.rglob("*.py"))
    }


def expected_in(sources: Mapping[str, str]) -> Counter[Expected]:
    expected: Counter[Expected] = Counter()
    for path, text in sources.items():
        for number, line in enumerate(text.split("\n"), 1):
            comment = EXPECT.search(line)
            for part in comment["expected"].strip().split(", ") if comment else ():
                one = ONE.fullmatch(part)
                assert one, f"{path}:{number}: cannot read {part!r} in `# expect:`"
                expected[path, number, one["name"], one["level"] or ""] += 1
    return expected


def differences(
    expected: Counter[Expected], findings: list[Finding]
) -> tuple[list[Expected], list[Finding]]:
    """What was expected and not found, and what was found and not expected."""
    missing = expected.copy()
    unexpected = []
    for finding in findings:
        where = (finding.path, finding.place.line, finding.name)
        for level in (finding.level.word, ""):
            if missing[*where, level]:
                missing[*where, level] -= 1
                break
        else:
            unexpected.append(finding)
    return list(missing.elements()), unexpected


def told(missing: list[Expected], unexpected: list[Finding], sources: Mapping[str, str]) -> str:
    """The differences as a list of lines, in source order."""
    told = [
        (path, line, f"missing     {name} {level}".rstrip()) for path, line, name, level in missing
    ]
    told += [
        (f.path, f.place.line, f"unexpected  {f.name} {f.level.word}: {f.message}")
        for f in unexpected
    ]
    return "\n".join(
        f"{path}:{line}: {what}\n    {sources[path].split(chr(10))[line - 1].strip()}"
        for path, line, what in sorted(told)
    )


@pytest.mark.parametrize("project", PROJECTS)
def test_a_fixture_yields_exactly_what_it_expects(project: Path) -> None:
    sources = sources_of(project)

    missing, unexpected = differences(expected_in(sources), findings_in(sources))

    if missing or unexpected:
        pytest.fail(told(missing, unexpected, sources), pytrace=False)


@pytest.mark.parametrize("project", PROJECTS)
def test_a_fixture_expects_its_own_rule(project: Path) -> None:
    own = project.stem.replace("_", "-")

    assert own in {name for _, _, name, _ in expected_in(sources_of(project))}


@pytest.mark.parametrize("project", PROJECTS)
def test_a_rule_names_every_word_that_it_needs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a function is read for the sake of another rule is chance."""
    sources = sources_of(project)
    own = project.stem.replace("_", "-")
    (code,) = (card.code for card in rules.cards() if card.name == own)
    mine = {code: rules.words()[code]}
    expected = [f for f in findings_in(sources) if f.code == code]

    monkeypatch.setattr("drainlint.analysis.words", lambda: mine)

    assert [f for f in findings_in(sources) if f.code == code] == expected


def test_an_expectation_may_name_levels_and_several_rules() -> None:
    text = "wait()  # expect: poll-queue error, unbounded-join\npass\n"

    assert expected_in({"a.py": text}) == {
        ("a.py", 1, "poll-queue", "error"): 1,
        ("a.py", 1, "unbounded-join", ""): 1,
    }


def test_an_expectation_that_cannot_be_read_is_a_failure() -> None:
    with pytest.raises(AssertionError, match=r"a\.py:2"):
        expected_in({"a.py": "pass\npass  # expect: Poll Queue\n"})
