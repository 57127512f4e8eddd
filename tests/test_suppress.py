"""Comments that set findings aside: where they count, and what is said of those that do not."""

import textwrap
from pathlib import Path

import pytest

from drainlint.config import RuleNames
from drainlint.finding import Confidence, Finding, Level
from drainlint.model.place import Place
from drainlint.outcome import RuleCard
from drainlint.suppress import Suppressions

NAMES = RuleNames(
    RuleCard(code, name, family, Level.WARNING, "It waits.", "Somebody waits.")
    for code, name, family in (
        ("DRN101", "poll-queue", "polling"),
        ("DRN301", "unbounded-join", "waiting"),
        ("DRN302", "unbounded-wait", "waiting"),
    )
)


def read(source: str | bytes) -> Suppressions:
    comments = Suppressions(NAMES)
    content = textwrap.dedent(source).encode() if isinstance(source, str) else source
    comments.read("a.py", content)
    return comments


def finding(line: int, code: str = "DRN301", path: str = "a.py") -> Finding:
    place = Place(line, 1, line, 2)
    return Finding(code, "a-rule", Level.ERROR, Confidence.HIGH, path, place, "It waits.")


def lines_covered(comments: Suppressions, code: str = "DRN301") -> list[int]:
    return [line for line in range(1, 30) if comments.of(finding(line, code))]


def test_a_trailing_comment_sets_its_statement_s_findings_aside_with_its_reason() -> None:
    comments = read("a()\nb()  # drainlint: ignore[unbounded-join] killed anyway # and more\nc()\n")
    assert lines_covered(comments) == [2]
    suppression = comments.of(finding(2))
    assert suppression is not None
    assert (suppression.origin, suppression.reason) == ("inline", "killed anyway # and more")


def test_codes_and_several_names_work_too() -> None:
    comments = read("a()  # drainlint: ignore[DRN301,  poll-queue]\n")
    assert comments.of(finding(1))
    assert comments.of(finding(1, "DRN101"))
    assert comments.of(finding(1, "DRN302")) is None


def test_spaces_and_a_comment_before_ours_do_not_matter() -> None:
    for comment in (
        "#drainlint:ignore[unbounded-join]",
        "#   drainlint:   ignore   [ unbounded-join ]   why",
        "# noqa: E501  # drainlint: ignore[unbounded-join] why",
        "# type: ignore[x] # drainlint: ignore[unbounded-join]",
    ):
        assert lines_covered(read(f"a()  {comment}\n")) == [1], comment


def test_a_comment_counts_in_its_own_file_alone() -> None:
    comments = read("a()  # drainlint: ignore[unbounded-join]\n")
    assert comments.of(finding(1, path="b.py")) is None


@pytest.mark.parametrize("line", [2, 3, 4, 5])
def test_any_line_of_a_statement_will_do(line: int) -> None:
    lines = ["before()", "call(", "    one,", "    two,", ")", "after()"]
    lines[line - 1] += "  # drainlint: ignore[unbounded-join]"
    assert lines_covered(read("\n".join(lines))) == [2, 3, 4, 5]


def test_a_line_continued_by_a_backslash_is_one_statement() -> None:
    comments = read("a = \\\n    b  # drainlint: ignore[unbounded-join]\n")
    assert lines_covered(comments) == [1, 2]


def test_a_comment_on_a_compound_statement_counts_for_its_header_alone() -> None:
    comments = read(
        """\
        while (
            running
        ):  # drainlint: ignore[unbounded-join]
            work()
        """
    )
    assert lines_covered(comments) == [1, 2, 3]


def test_a_comment_above_counts_for_the_statement_below() -> None:
    comments = read(
        """\
        before()
        # drainlint: ignore[unbounded-join] why
        call(
            one)
        after()
        """
    )
    assert lines_covered(comments) == [3, 4]


def test_comments_that_stand_one_above_the_other_all_count() -> None:
    comments = read(
        """\
        # drainlint: ignore[unbounded-join] why
        # something else
        # drainlint: ignore[poll-queue] why
        call()
        """
    )
    assert lines_covered(comments) == lines_covered(comments, "DRN101") == [4]


def test_a_comment_above_an_empty_line_counts_for_nothing() -> None:
    assert lines_covered(read("# drainlint: ignore[unbounded-join]\n\ncall()\n")) == []


@pytest.mark.parametrize("above", ["@one", "@two", "def f("])
def test_a_definition_s_header_begins_at_its_first_decorator(above: str) -> None:
    source = "@one\n@two(\n    1)\ndef f(\n    x):\n    pass\n"
    comment = "# drainlint: ignore[unbounded-join]\n"
    commented = source.replace(above, comment + above, 1)
    covered = set(lines_covered(read(commented)))
    first = 2 if above == "@one" else 1
    assert covered - {commented.splitlines().index(comment.strip()) + 1} >= {first, 5, 6}
    assert 7 not in covered


def test_a_comment_in_a_body_does_not_reach_the_header_or_the_next_statement() -> None:
    comments = read(
        """\
        def f():
            # drainlint: ignore[unbounded-join] why
            a()
            b()
        """
    )
    assert lines_covered(comments) == [3]


def test_clauses_have_headers_of_their_own() -> None:
    comments = read(
        """\
        try:
            a()
        # drainlint: ignore[unbounded-join] why
        except OSError:
            b()
        else:  # drainlint: ignore[unbounded-join] why
            c()
        finally:
            d()
        """
    )
    assert lines_covered(comments) == [4, 6]


def test_a_comment_for_the_whole_file_counts_everywhere() -> None:
    comments = read("a()\n\n# drainlint: ignore-file[unbounded-join] generated\n")
    suppression = comments.of(finding(1))
    assert suppression is not None
    assert (suppression.origin, suppression.reason) == ("file", "generated")


def test_strings_are_no_comments() -> None:
    comments = read(
        '''\
        """
        # drainlint: ignore-file[unbounded-join]
        """
        a = "# drainlint: ignore[unbounded-join]"
        b = f"{a} # drainlint: ignore[unbounded-join]"
        '''
    )
    assert lines_covered(comments) == []
    assert comments.faults == []


def test_code_that_is_commented_out_takes_its_comment_with_it() -> None:
    comments = read("# a.join()  # drainlint: ignore[unbounded-join]\nb()\n")
    assert lines_covered(comments) == []
    assert comments.faults == []


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("ignore", "this `ignore` names no rule, so it ignores nothing; write `ignore[rule-name]"),
        ("ignore[]", "this `ignore` names no rule"),
        ("ignore[ , ]", "this `ignore` names no rule"),
        ("ignore[poll-queue", "this `ignore` names no rule"),
        ("ignore-file why", "this `ignore-file` names no rule"),
        ("ignor[poll-queue]", "`ignor` is no word of drainlint's; did you mean `ignore`?"),
        ("disable=poll-queue", "`disable` is no word of drainlint's; write `ignore[rule-name] r"),
        ("ignore[pol-queue]", "unknown rule `pol-queue`; did you mean `poll-queue`?"),
        ("ignore[xyzzy]", "unknown rule `xyzzy`"),
        ("ignore[waiting]", "`waiting` is more than one rule; a comment names each rule"),
        ("ignore[ALL]", "`ALL` is more than one rule"),
    ],
)
def test_a_comment_that_names_no_rule_is_said_at_its_place(comment: str, text: str) -> None:
    comments = read(f"a()  # drainlint: {comment}\n")
    (fault,) = comments.faults
    assert fault.text.startswith(text)
    assert fault.path == "a.py"
    assert fault.place == Place(1, 6, 1, 6 + len(f"# drainlint: {comment}"))


def test_an_unknown_name_does_not_spoil_the_others() -> None:
    comments = read("a()  # drainlint: ignore[nope, unbounded-join]\n")
    assert lines_covered(comments) == [1]
    assert len(comments.faults) == 1


def test_what_sets_nothing_aside_is_unused_name_by_name() -> None:
    comments = read(
        "a()  # drainlint: ignore[unbounded-join, poll-queue]\n"
        "# drainlint: ignore-file[unbounded-wait]\n"
    )
    comments.of(finding(1))
    unused = [(r.place.line, r.text) for r in comments.unused(lambda _path, _code: True)]
    assert unused == [
        (1, "there is no `poll-queue` here to ignore; remove it from the comment"),
        (2, "there is no `unbounded-wait` in this file to ignore; remove it from the comment"),
    ]


def test_a_rule_that_did_not_run_leaves_no_comment_unused() -> None:
    comments = read("a()  # drainlint: ignore[unbounded-join, poll-queue]\n")
    unused = [
        r.text for r in comments.unused(lambda path, code: (path, code) == ("a.py", "DRN101"))
    ]
    assert len(unused) == 1
    assert "poll-queue" in unused[0]


def test_the_comment_at_the_statement_is_used_before_the_one_for_the_file() -> None:
    comments = read(
        "# drainlint: ignore-file[unbounded-join] all\na()  # drainlint: ignore[DRN301] here\n"
    )
    suppression = comments.of(finding(2))
    assert suppression is not None
    assert suppression.reason == "here"
    assert [r.place.line for r in comments.unused(lambda _path, _code: True)] == [1]


@pytest.mark.parametrize(
    "content",
    [
        b"a()  # drainlint: ignore[unbounded-join]\r\nb()\r\n",
        b"a()  # drainlint: ignore[unbounded-join]\rb()\r",
        b"\xef\xbb\xbfa()  # drainlint: ignore[unbounded-join]\nb()\n",
        b"# coding: latin-1\n# drainlint: ignore[unbounded-join] \xe9\ra()\rb()",
        "é = 'é\u2028\x0c'  # drainlint: ignore[unbounded-join] é\nb()".encode(),
    ],
)
def test_line_ends_and_encodings_are_python_s(content: bytes) -> None:
    assert len(lines_covered(read(content))) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"# drainlint: ignore[unbounded-join] \xff\n",
        b"# coding: nonsense\n# drainlint: ignore[unbounded-join]\n",
        b"a(  # drainlint: ignore[unbounded-join]\n",
        b"'''\n# drainlint: ignore[unbounded-join]\n",
        b"  a\n b # drainlint: ignore[unbounded-join]\n",
        b"\x00 # drainlint: ignore[unbounded-join]\n",
    ],
)
def test_what_is_no_python_is_no_reason_to_fail(content: bytes) -> None:
    read(content)


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("é = 1  # drainlint: ignore[x]\n", encoding="utf-8")
    comments = Suppressions(NAMES)
    comments.read("a.py", (tmp_path / "a.py").read_bytes())
    assert comments.faults[0].place.column == 8
