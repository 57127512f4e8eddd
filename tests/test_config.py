"""Which settings a file obeys, and what is said of a configuration that cannot be used."""

import pickle
from pathlib import Path

import pytest

from drainlint.config import ConfigError, Configs, FileSettings, Overrides, RuleNames
from drainlint.finding import Level
from drainlint.outcome import RuleCard
from drainlint.spelling import closest

CARDS = tuple(
    RuleCard(code, name, family, Level.WARNING, "It waits.", "Somebody waits.")
    for code, name, family in (
        ("DRN001", "cannot-parse", "run"),
        ("DRN003", "unused-suppression", "run"),
        ("DRN101", "poll-queue", "polling"),
        ("DRN102", "poll-flag", "polling"),
        ("DRN301", "unbounded-join", "waiting"),
    )
)
NAMES = RuleNames(CARDS)
ALL = frozenset(card.code for card in CARDS)


def put(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_toml", ".toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def settings(root: Path, file: str, overrides: Overrides | None = None) -> FileSettings:
    return Configs(root, NAMES, overrides).settings(file)


def problems(root: Path, overrides: Overrides | None = None) -> list[str]:
    configs = Configs(root, NAMES, overrides)
    return [f"{notice.path}: {notice.text}" for notice in configs.broken]


def test_without_configuration_every_rule_runs_with_the_documented_numbers(tmp_path: Path) -> None:
    found = settings(tmp_path, "a.py")
    assert found.rules == ALL
    assert (found.budget, found.min_sleep, dict(found.levels)) == (25.0, 0.1, {})


@pytest.mark.parametrize(
    ("word", "codes"),
    [
        ("poll-queue", {"DRN101"}),
        ("DRN101", {"DRN101"}),
        ("drn101", {"DRN101"}),
        ("polling", {"DRN101", "DRN102"}),
        ("DRN1", {"DRN101", "DRN102"}),
        ("ALL", ALL),
        ("nonsense", set()),
        ("", set()),
    ],
)
def test_rules_are_called_by_name_code_family_or_all(word: str, codes: set[str]) -> None:
    assert NAMES.codes(word) == codes


def test_a_family_is_no_single_rule() -> None:
    assert NAMES.rule("polling") is None
    assert NAMES.rule("Poll-Queue") == "DRN101"


def test_a_misspelt_name_gets_the_nearest_one_and_nonsense_gets_none() -> None:
    assert closest("unbounded-jion", NAMES.rules) == "; did you mean `unbounded-join`?"
    assert not closest("xyzzy", NAMES.rules)


def test_each_file_obeys_the_nearest_configuration_and_no_other(tmp_path: Path) -> None:
    put(
        tmp_path,
        pyproject_toml='[tool.drainlint]\nbudget = 10\nignore = ["poll-flag"]\n',
        inner__drainlint_toml="min-sleep = 2\n",
        inner__other__pyproject_toml="[tool.ruff]\n",
    )
    outer, inner = settings(tmp_path, "a.py"), settings(tmp_path, "inner/other/deep/a.py")
    assert (outer.budget, outer.min_sleep, outer.rules) == (10.0, 0.1, ALL - {"DRN102"})
    assert (inner.budget, inner.min_sleep, inner.rules) == (25.0, 2.0, ALL)


def test_drainlint_toml_comes_before_pyproject_toml_in_one_folder(tmp_path: Path) -> None:
    put(tmp_path, pyproject_toml="[tool.drainlint]\nbudget = 1\n", drainlint_toml="budget = 2\n")
    assert settings(tmp_path, "a.py").budget == 2.0


def test_no_configuration_above_the_root_counts(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml="budget = 1\n", root__a_toml="")
    assert settings(tmp_path / "root", "a.py").budget == 25.0


def test_a_broken_pyproject_that_does_not_mention_us_is_nobody_s_business(tmp_path: Path) -> None:
    put(tmp_path, pyproject_toml="[tool.ruff\n")
    assert problems(tmp_path) == []


def test_extend_takes_the_other_file_s_keys_and_one_s_own_come_over_them(tmp_path: Path) -> None:
    put(
        tmp_path,
        shared__base_toml=(
            'budget = 5\nmin-sleep = 3\nextend-select = ["poll-flag"]\n'
            '[levels]\npoll-queue = "note"\npoll-flag = "error"\n'
        ),
        drainlint_toml=(
            'extend = "shared/base.toml"\nbudget = 6\nselect = ["poll-queue"]\n'
            '[levels]\nDRN101 = "error"\n'
        ),
    )
    found = settings(tmp_path, "a.py")
    assert (found.budget, found.min_sleep) == (6.0, 3.0)
    assert found.rules == {"DRN001", "DRN101", "DRN102"}
    assert found.levels == {"DRN101": "error", "DRN102": "error"}


def test_globs_are_relative_to_the_file_they_stand_in_even_through_extend(tmp_path: Path) -> None:
    put(
        tmp_path,
        inner__base_toml='side-code = ["/tools/"]\n',
        drainlint_toml='extend = "inner/base.toml"\n',
    )
    side_code = settings(tmp_path, "a.py").side_code
    assert side_code("inner/tools/a.py")
    assert not side_code("tools/a.py")


def test_extend_in_a_circle_is_one_clear_line(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml='extend = "b.toml"\n', b_toml='extend = "drainlint.toml"\n')
    assert problems(tmp_path) == [
        (
            "drainlint.toml: extends b.toml: extends drainlint.toml: "
            "`extend` comes back to a file that it started from"
        )
    ]


def test_extend_of_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml='extend = "gone.toml"\n')
    assert problems(tmp_path) == ["drainlint.toml: extends gone.toml: No such file or directory"]


def test_per_file_ignores_take_rules_from_the_files_that_match_alone(tmp_path: Path) -> None:
    put(
        tmp_path,
        drainlint_toml='[per-file-ignores]\n"scripts/*.py" = ["polling", "DRN301"]\n',
    )
    configs = Configs(tmp_path, NAMES)
    assert configs.settings("scripts/a.py").rules == {"DRN001", "DRN003"}
    assert configs.settings("a.py").rules == ALL


def test_a_rule_that_is_off_does_not_run_and_has_no_level(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml='[levels]\npolling = "off"\npoll-flag = "note"\n')
    found = settings(tmp_path, "a.py")
    assert found.rules == ALL - {"DRN101"}
    assert found.levels == {"DRN102": "note"}


def test_what_could_not_be_checked_is_said_whatever_is_selected(tmp_path: Path) -> None:
    found = settings(tmp_path, "a.py", Overrides(select=("poll-queue",)))
    assert found.rules == {"DRN001", "DRN101"}


def test_the_command_line_wins(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml='select = ["poll-flag"]\nignore = ["poll-queue"]\nbudget = 7\n')
    selecting = Overrides(select=("polling",), ignore=("DRN102",), budget=0.0)
    assert settings(tmp_path, "a.py", selecting).rules == {"DRN001", "DRN101"}
    assert settings(tmp_path, "a.py", selecting).budget == 0.0
    adding = Overrides(extend_select=("poll-queue", "waiting"))
    assert settings(tmp_path, "a.py", adding).rules == {"DRN001", "DRN101", "DRN102", "DRN301"}


def test_single_settings_come_over_every_file(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml="budget = 7\n", inner__drainlint_toml="budget = 8\n")
    overrides = Overrides(values=("budget=9", 'levels.poll-queue="note"'))
    for file in ("a.py", "inner/a.py"):
        found = settings(tmp_path, file, overrides)
        assert (found.budget, found.levels) == (9.0, {"DRN101": "note"})


def test_one_file_for_all_files_replaces_the_nearest(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml="budget = 7\n", other__x_toml="min-sleep = 4\n")
    found = settings(tmp_path, "a.py", Overrides(file=tmp_path / "other/x.toml"))
    assert (found.budget, found.min_sleep) == (25.0, 4.0)


def test_isolated_heeds_no_file_but_the_single_settings(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml="budget = 7\n")
    assert settings(tmp_path, "a.py", Overrides(isolated=True)).budget == 25.0
    single = Overrides(isolated=True, values=("budget=3",))
    assert settings(tmp_path, "a.py", single).budget == 3.0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("bugdet = 3", "unknown key `bugdet`; did you mean `budget`?"),
        ("xyzzy = 3", "unknown key `xyzzy`"),
        ('budget = "3"', "`budget` must be a number of seconds that is not negative"),
        ("budget = true", "`budget` must be a number of seconds that is not negative"),
        ("budget = -1", "`budget` must be a number of seconds that is not negative"),
        ("budget = nan", "`budget` must be a number of seconds that is not negative"),
        ("jobs = 0", "`jobs` must be a whole number of at least 1"),
        ("jobs = 1.5", "`jobs` must be a whole number of at least 1"),
        ('select = "polling"', "`select` must be a list of strings"),
        ("select = [1]", "`select` must be a list of strings"),
        ('select = ["poling"]', "`select`: unknown rule `poling`; did you mean `polling`?"),
        ('extend-select = ["zz"]', "`extend-select`: unknown rule `zz`"),
        ('fail-on = "warn"', "`fail-on` must be one of error, warning, note, never"),
        ('levels = {poll-queue = "loud"}', "`levels` must be a table of rules, each with one of"),
        ('levels = {pol-queue = "off"}', "`levels`: unknown rule `pol-queue`; did you mean"),
        ("levels = 3", "`levels` must be a table"),
        ("knowledge = []", "`knowledge` must be a table"),
        ('exclude = ["a", 1]', "`exclude` must be a list of strings"),
        ('per-file-ignores = ["a"]', "`per-file-ignores` must be a table"),
        ('per-file-ignores = {"a" = "b"}', "`per-file-ignores` must be a list of strings"),
        ("extend = 3", "`extend` must be the path of a file"),
        ("budget = = 3", "this is not TOML: Invalid value (at line 1, column 10)"),
        ("budget", "this is not TOML: "),
    ],
)
def test_each_fault_in_a_file_is_one_line_with_a_way_out(
    tmp_path: Path, text: str, problem: str
) -> None:
    put(tmp_path, drainlint_toml=text)
    (said,) = problems(tmp_path)
    assert said.startswith(f"drainlint.toml: {problem}")
    assert "\n" not in said


def test_all_faults_of_a_file_are_said_at_once(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml="bugdet = 3\njobs = 0\n")
    assert len(problems(tmp_path)) == 2


def test_a_file_that_is_not_utf_8_is_no_toml(tmp_path: Path) -> None:
    (tmp_path / "drainlint.toml").write_bytes(b'exclude = ["\xff"]')
    assert "this is not TOML" in problems(tmp_path)[0]


def test_a_tool_table_of_the_wrong_kind_is_said(tmp_path: Path) -> None:
    put(tmp_path, pyproject_toml="[tool]\ndrainlint = 3\n")
    assert problems(tmp_path) == ["pyproject.toml: `tool.drainlint` must be a table"]


def test_a_file_named_for_all_must_hold_our_table(tmp_path: Path) -> None:
    put(tmp_path, x__pyproject_toml="[project]\nname = 'x'\n")
    overrides = Overrides(file=tmp_path / "x/pyproject.toml")
    assert problems(tmp_path, overrides) == [
        "x/pyproject.toml: there is no `[tool.drainlint]` table"
    ]


def test_unknown_names_to_ignore_are_warnings_said_once(tmp_path: Path) -> None:
    put(
        tmp_path,
        drainlint_toml='ignore = ["pol-queue"]\n[per-file-ignores]\n"x" = ["zzz"]\n',
    )
    configs = Configs(tmp_path, NAMES, Overrides(ignore=("nope", "nope")))
    configs.settings("a/b.py")
    assert list(configs.broken) == []
    assert list(configs.warnings) == [
        "--ignore: unknown rule `nope`",
        "drainlint.toml: `ignore`: unknown rule `pol-queue`; did you mean `poll-queue`?",
        "drainlint.toml: `per-file-ignores`: unknown rule `zzz`",
    ]


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (Overrides(select=("polll-queue",)), "unknown rule `polll-queue`; did you mean `poll-q"),
        (Overrides(extend_select=("zzz",)), "unknown rule `zzz`"),
        (Overrides(values=("budget",)), "--config budget: this is not KEY=VALUE in TOML"),
        (Overrides(values=("budget=x",)), "--config budget=x: this is not KEY=VALUE in TOML"),
        (Overrides(values=("bugdet=1",)), "--config: unknown key `bugdet`; did you mean `budget`?"),
        (Overrides(values=("jobs=0",)), "--config: `jobs` must be a whole number of at least 1"),
        (Overrides(isolated=True, file=Path("x")), "`--isolated` leaves no room for `--config FI"),
    ],
)
def test_what_the_command_line_gets_wrong_stops_the_run(
    tmp_path: Path, overrides: Overrides, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Configs(tmp_path, NAMES, overrides)
    (said,) = caught.value.problems
    assert said.startswith(problem)


def test_run_wide_keys_are_the_root_s(tmp_path: Path) -> None:
    put(
        tmp_path,
        drainlint_toml='fail-on = "error"\njobs = 3\n',
        inner__drainlint_toml='fail-on = "note"\njobs = 9\n',
    )
    configs = Configs(tmp_path, NAMES)
    configs.settings("inner/a.py")
    assert (configs.main.fail_on, configs.main.jobs) == ("error", 3)


def test_knowledge_of_all_configurations_counts_together(tmp_path: Path) -> None:
    put(
        tmp_path,
        drainlint_toml='[knowledge.queues]\n"our.Queue" = {get = "timeout"}\n',
        inner__drainlint_toml='[knowledge.queues]\n"inner.Queue" = {}\n"our.Queue" = {get = "x"}\n',
    )
    configs = Configs(tmp_path, NAMES)
    configs.settings("inner/a.py")
    assert configs.knowledge == {
        "queues": {"our.Queue": {"get": "timeout"}, "inner.Queue": {}},
    }


@pytest.mark.parametrize(
    "file",
    [
        "tests/a.py",
        "pkg/tests/deep/a.py",
        "pkg/test_a.py",
        "pkg/a_test.py",
        "pkg/tests.py",
        "conftest.py",
        "examples/a.py",
        "docs/conf.py",
        "benchmarks/a.py",
        "setup.py",
    ],
)
def test_tests_examples_docs_benchmarks_and_set_up_are_side_code(tmp_path: Path, file: str) -> None:
    assert settings(tmp_path, file).side_code(file)


@pytest.mark.parametrize("file", ["a.py", "pkg/latest.py", "contest.py", "pkg/testing/a.py"])
def test_other_files_are_not_side_code(tmp_path: Path, file: str) -> None:
    assert not settings(tmp_path, file).side_code(file)


def test_side_code_of_one_s_own_takes_the_place_of_the_default(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml='side-code = ["tools/**"]\n')
    side_code = settings(tmp_path, "a.py").side_code
    assert side_code("tools/deep/a.py")
    assert not side_code("tests/a.py")


def test_a_project_that_lies_in_a_folder_called_tests_is_not_side_code(tmp_path: Path) -> None:
    assert not settings(tmp_path / "tests", "a.py").side_code("a.py")


def test_configurations_can_be_sent_to_another_process(tmp_path: Path) -> None:
    put(tmp_path, drainlint_toml='side-code = ["x"]\n[per-file-ignores]\n"a.py" = ["DRN1"]\n')
    configs = Configs(tmp_path, NAMES)
    before = configs.settings("a.py")
    assert pickle.loads(pickle.dumps(configs)).settings("a.py") == before  # noqa: S301  our own
