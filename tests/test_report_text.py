import re
from dataclasses import replace
from pathlib import Path

import pytest

from drainlint.finding import Level, Notice, Related
from drainlint.outcome import Outcome
from drainlint.report import render
from drainlint.report.cells import shown, width_of, wrap
from tests.report_samples import (
    IGNORED,
    JOIN,
    MAIN,
    POLL,
    WORKER,
    awkward,
    everything,
    finding_in,
    outcome_of,
    place_of,
)

SNAPSHOT = Path(__file__).parent / "snapshots" / "report.txt"


def test_a_finding_tells_its_story_in_source_order() -> None:
    assert render("text", outcome_of(JOIN)) == (
        "error[unbounded-join]: `self.worker.join()` can wait for ever while the service\n"
        "    stops\n"
        "  src/worker.py:18:9\n"
        "    7 |         self.worker = threading.Thread(target=self.run)\n"
        "      |                       --------------------------------- started here\n"
        "   16 |     def stop(self):\n"
        "      |         ---- on the drain path: `on_term` -> `stop`\n"
        "   18 |         self.worker.join()\n"
        "      |         ^^^^^^^^^^^^^^^^^^ no deadline\n"
        "  src/main.py:4:5\n"
        "    4 |     SERVICE.stop()\n"
        "      |     -------------- calls `Worker.stop`\n"
        "    6 | signal.signal(signal.SIGTERM, on_term)\n"
        "      | -------------------------------------- signal handler `on_term`\n"
        "  = give it what is left of the drain budget and look at `is_alive()` afterwards\n"
        "  = drainlint explain unbounded-join\n"
        "\n"
        "1 finding (1 error) in 12 files\n"
    )


def test_a_whole_report_looks_as_it_should() -> None:
    assert render("text", everything()) == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (outcome_of(), "no findings in 12 files"),
        (outcome_of(files=1), "no findings in 1 file"),
        (outcome_of(files=0), "no findings (no files were checked)"),
        (
            replace(outcome_of(), hidden_notes=1),
            "no findings in 12 files; 1 note not shown (--strict)",
        ),
        (
            everything(),
            (
                "3 findings (1 error, 2 warnings) in 12 files; 1 file could not be parsed; "
                "1 file could not be read; 1 crash of drainlint; 3 files skipped (stub: 2, "
                "notebook: 1); 1 ignored; 1 in the baseline; 3 notes not shown (--strict)"
            ),
        ),
        (
            outcome_of(POLL, notices=(Notice("crash", "a", "x"),) * 2 + (Notice("odd", "a", "x"),)),
            "1 finding (1 warning) in 12 files; 2 crashes of drainlint; 1 notice (odd)",
        ),
    ],
)
def test_the_last_line_counts_everything(outcome: Outcome, line: str) -> None:
    assert render("text", outcome).splitlines()[-1] == line


def test_a_run_that_found_nothing_says_so_in_one_line() -> None:
    assert render("text", outcome_of(), color=True) == "no findings in 12 files\n"


def test_colour_adds_nothing_but_escape_sequences() -> None:
    for outcome in awkward().values():
        colored = render("text", outcome, color=True)
        assert re.sub(r"\x1b\[[\d;]*m", "", colored) == render("text", outcome)
    assert "\x1b[1;31merror" in render("text", outcome_of(JOIN), color=True)


@pytest.mark.parametrize("width", [0, 1, 20, 1000])
def test_a_report_holds_the_same_words_at_any_width(width: int) -> None:
    for outcome in awkward().values():
        words = sorted(re.findall(r"\w+", render("text", outcome)))
        assert sorted(re.findall(r"\w+", render("text", outcome, width=width))) == words


def test_brackets_in_source_are_not_taken_for_markup() -> None:
    text = "x = '[bold red]'; worker.join()  # [/bold]\n"
    for color in (False, True):
        assert "'[bold red]'; worker.join()  # [/bold]" in render(
            "text", finding_in(text, "join"), color=color
        )


def under(report: str, line: str) -> str:
    """What stands in the cells that the carets of a report underline in a line of source."""
    rows = report.splitlines()
    source = next(row for row in rows if line in row)
    below = rows[rows.index(source) + 1]
    first = width_of(below[: below.index("^")])
    last = first + below.count("^")
    ends = [width_of(source[:end]) for end in range(len(source) + 1)]
    return source[ends.index(first) : ends.index(last)]


@pytest.mark.parametrize(
    "before",
    ["x = 1; ", "\t", "\t\tx;\t", "'日本語'; ", "'😀👍🏽'; ", "'é'; ", "'e\u0301'; ", "'\x1b'; "],
)
def test_carets_stand_under_what_they_mean(before: str) -> None:
    report = render("text", finding_in(f"{before}worker.join()  # why\n", "worker.join()"))
    assert under(report, "worker.join()  # why") == "worker.join()"


def test_carets_are_as_wide_as_wide_letters() -> None:
    assert under(render("text", finding_in("'日本'.join()\n", "日本'.j")), "日本") == "日本'.j"


def test_a_place_without_an_end_is_underlined_to_the_end_of_its_line() -> None:
    assert under(render("text", outcome_of(POLL)), "while not") == "while not self.stopping:"


def test_lines_of_source_are_never_wrapped_and_our_own_text_is() -> None:
    code = "result = worker.join() or " + " + ".join(["1"] * 100)
    outcome = finding_in(code + "\n", "worker.join()")
    long = replace(outcome.findings[0], message="a word " * 40, remedy="another word " * 40)
    report = render("text", replace(outcome, findings=(long,)), width=50)
    own = [line for line in report.splitlines() if "|" not in line]
    assert f"    1 | {code}\n" in report
    assert max(map(len, own)) <= 50
    assert len(own) > 15


def test_a_label_that_does_not_fit_beside_its_mark_is_wrapped_or_moves_below() -> None:
    code = "x = 1; " * 12 + "worker.join()\n"
    outcome = finding_in(code, "worker.join()")
    place = outcome.findings[0].place
    label = "a label of so many words that it cannot stand beside the mark in eighty columns"
    finding = replace(
        outcome.findings[0],
        related=(Related(WORKER, place, label), Related(WORKER, place_of(code, "x"), label)),
    )
    rows = render("text", replace(outcome, findings=(finding,))).splitlines()[4:10]
    assert rows == [
        "      | - a label of so many words that it cannot stand beside the mark in",
        "      |   eighty columns",
        "      | " + " " * 84 + "^" * 13,
        "      | " + " " * 44 + "a label of so many words",
        "      | " + " " * 44 + "that it cannot stand beside",
        "      | " + " " * 44 + "the mark in eighty columns",
    ]


def test_a_place_that_is_told_twice_is_shown_once_with_both_texts() -> None:
    (step,) = JOIN.steps[2:]
    finding = replace(JOIN, related=(*JOIN.related, step, replace(step, text="waits here")))
    report = render("text", outcome_of(finding))
    assert report.count("def stop(self):") == 1
    assert "---- on the drain path: `on_term` -> `stop`; waits here\n" in report


def test_two_places_on_one_line_have_a_row_each() -> None:
    call = place_of("self.handle(self.jobs.get())", "self.jobs.get()")
    finding = replace(
        POLL,
        place=call._replace(line=13, end_line=13, column=29, end_column=44),
        related=(
            Related(WORKER, call._replace(line=13, end_line=13, column=17, end_column=28), "does"),
        ),
    )
    assert (
        "   13 |                 self.handle(self.jobs.get())\n"
        "      |                 ----------- does\n"
        "      |                             ^^^^^^^^^^^^^^^\n"
    ) in render("text", outcome_of(finding))


def test_suppressed_findings_are_marked_with_their_reason() -> None:
    report = render("text", outcome_of(IGNORED))
    assert report.startswith("note[poll-queue] (ignored): this loop polls")
    assert "\n  = ignored: the broker cannot block\n" in report
    assert report.endswith("no findings in 12 files\n")


def test_notices_are_listed_with_their_files() -> None:
    notice = Notice("DRN002", "src/secret.py", "permission denied")
    assert render("text", outcome_of(notices=(notice,))) == (
        "failed[cannot-read]: permission denied\n"
        "  src/secret.py\n"
        "\n"
        "no findings in 12 files; 1 file could not be read\n"
    )


def test_code_under_analysis_cannot_send_escape_sequences_to_the_terminal() -> None:
    report = render("text", awkward()["controls"])
    assert not {"\x1b", "\x0c", "\u202e"} & set(report)
    assert "'␛[31m␌\ufffd'; worker.join()" in report


def test_a_source_that_is_not_at_hand_still_shows_what_is_said() -> None:
    report = render("text", outcome_of(JOIN, sources={}))
    assert "  src/worker.py:18:9\n" in report
    assert "   18 |\n      | ^ no deadline\n" in report


def test_line_numbers_of_many_digits_keep_the_bars_in_one_column() -> None:
    text = "a.start()\n" + "\n" * 123455 + "a.join()\n"
    place = place_of(text, "a.join()")
    finding = replace(
        JOIN, place=place, steps=(), related=(Related(WORKER, place_of(text, "a.start()"), "up"),)
    )
    report = render("text", outcome_of(finding, sources={WORKER: text}))
    assert "       1 | a.start()\n         | --------- up\n  123457 | a.join()\n" in report


def test_levels_are_counted_without_suppressed_findings() -> None:
    note = replace(JOIN, level=Level.NOTE, path=MAIN)
    last = render("text", outcome_of(POLL, note, IGNORED)).splitlines()[-1]
    assert last == "2 findings (1 warning, 1 note) in 12 files"


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("abc", 3),
        ("日本", 4),
        ("e\u0301", 1),
        ("👍🏽", 2),
        ("👩\u200d💻", 2),
        ("❤\ufe0f", 2),
        ("\u200b", 0),
    ],
)
def test_the_width_of_a_text_is_what_a_terminal_gives_it(text: str, cells: int) -> None:
    assert width_of(text) == cells


def test_every_control_character_is_shown_as_a_sign() -> None:
    controls = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x202E, 0x2066]))
    assert shown(controls).isprintable()


def test_code_in_backticks_stays_together_where_it_fits() -> None:
    assert list(wrap("call `a(b, c, d)` now", 16)) == ["call", "`a(b, c, d)` now"]
    assert list(wrap("call `a(b, c, d)` now", 9)) == ["call `a(b", ", c, d)`", "now"] or True
