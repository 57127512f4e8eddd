"""One finding for each place, at the level its context gives it."""

from collections.abc import Mapping
from dataclasses import replace

from drainlint.config import FileSettings
from drainlint.discover import SideCode
from drainlint.finding import Confidence, Finding, Level
from drainlint.model.place import Place
from drainlint.settle import settle

LOOP, PAUSE = Place(3, 1, 3, 20), Place(4, 5, 4, 15)


def finding(code: str, place: Place, level: Level = Level.WARNING) -> Finding:
    return Finding(code, code.lower(), level, Confidence.HIGH, "a.py", place, "message")


def settled(*findings: Finding, levels: Mapping[str, str] | None = None) -> list[Finding]:
    settings = FileSettings(frozenset(), 25.0, 0.1, levels or {}, SideCode("/"))
    return list(settle(findings, settings))


def test_of_two_findings_at_one_call_the_first_in_the_order_stays() -> None:
    assert [f.code for f in settled(finding("DRN301", PAUSE), finding("DRN202", PAUSE))] == [
        "DRN202"
    ]


def test_it_takes_the_highest_level_among_them() -> None:
    (kept,) = settled(finding("DRN202", PAUSE), finding("DRN301", PAUSE, Level.ERROR))

    assert (kept.code, kept.level) == ("DRN202", Level.ERROR)


def test_a_pure_wait_takes_over_the_pause_it_is_about_and_is_not_raised_by_it() -> None:
    loop = replace(finding("DRN102", LOOP), about=(PAUSE,), only_waits=True)

    (kept,) = settled(loop, finding("DRN201", PAUSE, Level.ERROR))

    assert (kept.code, kept.level) == ("DRN102", Level.WARNING)


def test_a_loop_that_works_is_reported_at_the_level_of_the_pause_it_takes_over() -> None:
    loop = replace(finding("DRN104", LOOP), about=(PAUSE,))

    (kept,) = settled(loop, finding("DRN201", PAUSE, Level.ERROR))

    assert (kept.code, kept.level) == ("DRN104", Level.ERROR)


def test_a_pause_that_a_loop_is_not_about_is_a_finding_of_its_own() -> None:
    kept = settled(finding("DRN102", LOOP), finding("DRN201", PAUSE))

    assert [f.code for f in kept] == ["DRN102", "DRN201"]


def test_codes_of_different_lines_of_the_order_do_not_hide_each_other() -> None:
    kept = settled(finding("DRN301", PAUSE), finding("DRN401", PAUSE))

    assert [f.code for f in kept] == ["DRN301", "DRN401"]


def test_side_code_and_low_confidence_lower_the_level_last() -> None:
    (kept,) = settled(replace(finding("DRN301", PAUSE), lowered_by=1), levels={"DRN301": "error"})

    assert kept.level is Level.WARNING
    (note,) = settled(replace(finding("DRN301", PAUSE, Level.ERROR), lowered_by=3))
    assert note.level is Level.NOTE


def test_thousands_of_findings_in_one_file_settle_at_once() -> None:
    many = [finding("DRN201", Place(n, 1, n, 9)) for n in range(1, 20_001)]

    assert len(settled(*many)) == len(many)
