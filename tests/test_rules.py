"""Names, codes, files, pages, fixtures and imports agree: what a rule is, is said once."""

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import drainlint
from drainlint import catalogue, rules
from drainlint.knowledge import load
from drainlint.outcome import RuleCard
from drainlint.words import BLOCKING, BOUNDED, LINKED, ON, UNBOUNDED, verb_and_ways

PACKAGE = Path(drainlint.__file__).parent
FIXTURES = PACKAGE.parent / "fixtures"

HUNDREDS = {
    "run": 0,
    "polling": 1,
    "sleeping": 2,
    "waiting": 3,
    "exiting": 4,
    "cancelling": 5,
    "signals": 6,
    "order": 7,
    "messages": 8,
}

LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(layer.split())
    for layer in (
        "model finding words",
        "knowledge source spelling",
        "outcome rule fingerprint",
        "rules",
        "catalogue config discover patterns suppress baseline cache identity contents metadata memory team",
        "index",
        "read",
        "gather",
        "link",
        "settle chart bodies verdict",
        "judge fix recall",
        "analysis report",
        "run",
        "cli",
        "__main__",
    )
)
"""The parts of drainlint, lowest first: each imports only itself and what stands below it or beside
it. A new part gets its place here."""

OPENS_LIBCST = frozenset({"read", "fix"})

CARDS = [pytest.param(card, id=card.name) for card in rules.cards()]
JUDGING = [pytest.param(card, id=card.name) for card in rules.cards() if card.family != "run"]
MODULES = [
    pytest.param(path, id=path.relative_to(PACKAGE).as_posix())
    for path in sorted(PACKAGE.rglob("*.py"))
]


def source_of(card: RuleCard) -> Path:
    return PACKAGE.parent.joinpath(*card.module.split(".")).with_suffix(".py")


def fixture_files(card: RuleCard) -> list[Path]:
    snake = card.name.replace("-", "_")
    return [
        *FIXTURES.glob(f"{snake}.py"),
        *sorted(FIXTURES.joinpath(snake).rglob("*.py")),
    ]


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, by its absolute name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module="drainlint", names=names, level=0):
                parts = {part.stem for part in PACKAGE.iterdir()}
                yield from (f"drainlint.{alias.name}" for alias in names if alias.name in parts)
            case ast.ImportFrom(module=str(module), level=0):
                yield module


def part_of(module: str) -> str:
    """`drainlint.index.names` belongs to the part `index`."""
    return module.split(".")[1]


def layer_of(part: str) -> int:
    for height, layer in enumerate(LAYERS):
        if part in layer:
            return height
    pytest.fail(f"the part {part!r} has no place in LAYERS")


def test_the_catalogue_says_what_the_rules_say() -> None:
    assert catalogue.CATALOGUE.read_text(encoding="utf-8") == catalogue.catalogue(
        catalogue.entries()
    ), "run `python -m drainlint.catalogue`"


def test_the_table_in_the_readme_says_what_the_rules_say() -> None:
    assert catalogue.README not in catalogue.stale(), "run `python -m drainlint.catalogue`"


def generate(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drainlint.catalogue", *arguments],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_stale_catalogue_or_table_is_named_and_then_written(tmp_path: Path) -> None:
    for name in ("drainlint", "README.md"):
        source = PACKAGE.parent / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    page = tmp_path / "drainlint" / "rules" / "run" / "cannot_read.py"
    page.write_text(page.read_text().replace("could not be read", "could | not be opened"))

    checked = generate(tmp_path, "--check")
    written = generate(tmp_path)
    again = generate(tmp_path, "--check")

    assert checked.returncode == 1
    assert checked.stderr.splitlines() == [
        "drainlint/rules/catalogue.json is stale: run `python -m drainlint.catalogue`",
        "README.md is stale: run `python -m drainlint.catalogue`",
    ]
    assert written.returncode == 0
    assert (again.returncode, again.stderr) == (0, "")
    assert r"A file or folder could \| not be opened." in (tmp_path / "README.md").read_text()


def test_codes_and_names_are_unique() -> None:
    codes = Counter(card.code for card in rules.cards())
    names = Counter(card.name for card in rules.cards())

    assert codes.most_common(1)[0][1] == 1
    assert names.most_common(1)[0][1] == 1
    assert not set(names) & set(HUNDREDS), "a rule bears a family's name"


def test_every_folder_of_rules_is_a_known_family() -> None:
    folders = {path.parent.name for path in PACKAGE.joinpath("rules").glob("*/__init__.py")}

    assert folders <= set(HUNDREDS)


@pytest.mark.parametrize("card", CARDS)
def test_a_code_lies_in_its_familys_hundred(card: RuleCard) -> None:
    assert re.fullmatch(rf"DRN{HUNDREDS[card.family]}\d\d", card.code)


@pytest.mark.parametrize("card", CARDS)
def test_class_file_and_rule_bear_the_same_name(card: RuleCard) -> None:
    rule = rules.rule(card.code)

    assert rule.name == card.name
    assert source_of(card).stem == card.name.replace("-", "_")
    assert type(rule).__module__ == f"drainlint.rules.{card.family}.{source_of(card).stem}"


@pytest.mark.parametrize("card", CARDS)
def test_a_rule_file_holds_one_rule_and_at_most_120_lines(card: RuleCard) -> None:
    text = source_of(card).read_text(encoding="utf-8")
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]

    assert len(catalogue.rules_in(__import__(card.module, fromlist=["_"]))) == 1
    lines = text.count("\n")
    assert lines <= 120
    assert [cls.name for cls in classes if cls.name == rules.class_name(card.name)]


@pytest.mark.parametrize("card", CARDS)
def test_a_page_opens_with_one_sentence_and_says_why(card: RuleCard) -> None:
    prose = re.sub(r"`[^`]*`", "Code", card.headline)

    assert re.fullmatch(r"[A-Z][^.!?]*\.", prose)
    assert len(card.headline) <= 120
    assert card.why


@pytest.mark.parametrize("card", JUDGING)
def test_a_page_shows_a_bad_and_a_good_example(card: RuleCard) -> None:
    assert card.bad
    assert card.good


@pytest.mark.parametrize("card", CARDS)
def test_every_example_but_broken_syntax_is_python(card: RuleCard) -> None:
    broken = card.bad if card.name == "cannot-parse" else ()

    for example in {*card.bad, *card.good} - {*broken}:
        ast.parse(example)
    for example in broken:
        with pytest.raises(SyntaxError):
            ast.parse(example)


@pytest.mark.parametrize("card", JUDGING)
def test_a_rule_has_a_fixture_that_expects_it(card: RuleCard) -> None:
    expected = re.compile(rf"# expect:.*(?<![\w-]){card.name}(?![\w-])")

    files = fixture_files(card)
    assert files, f"fixtures/{card.name.replace('-', '_')}.py is missing"
    assert any(expected.search(path.read_text(encoding="utf-8")) for path in files)


def test_every_fixture_belongs_to_a_rule() -> None:
    names = {card.name.replace("-", "_") for card in rules.cards()} | {"services"}

    assert {
        path.stem for path in FIXTURES.iterdir() if not path.name.startswith((".", "__"))
    } <= names


@pytest.mark.parametrize("card", JUDGING)
def test_a_rule_has_words_that_the_screen_knows(card: RuleCard) -> None:
    shapes = {"await name", "await in cleanup"}
    verbs = {facts.does for facts in load().calls.values()}

    groups = rules.words()[card.code]

    assert all(groups), "a group without words can never be met"
    for word in frozenset().union(*groups) - shapes - LINKED:
        verb, ways = verb_and_ways(word)
        known = {BLOCKING, BOUNDED, UNBOUNDED, *(way for way in ways if way.startswith(ON))}
        assert verb in verbs if verb else re.fullmatch(r"\w+(\((x?)\))?", word), word
        assert ways <= known, word


@pytest.mark.parametrize("path", MODULES)
def test_a_module_imports_only_what_stands_below_it(path: Path) -> None:
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    if module == "drainlint.__init__":
        assert not [name for name in imports_of(path) if name.startswith("drainlint")]
        return
    height = layer_of(part_of(module))

    above = [
        name
        for name in imports_of(path)
        if name.startswith("drainlint.") and layer_of(part_of(name)) > height
    ]

    assert not above


@pytest.mark.parametrize("path", MODULES)
def test_only_reading_and_fixing_open_libcst(path: Path) -> None:
    part = path.relative_to(PACKAGE).with_suffix("").parts[0]
    opens = [name for name in imports_of(path) if name.split(".")[0] == "libcst"]

    assert part in OPENS_LIBCST or not opens


@pytest.mark.parametrize("path", MODULES)
def test_imports_are_absolute(path: Path) -> None:
    relative = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert not relative


@pytest.mark.parametrize("path", MODULES)
def test_modules_and_classes_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno >= 300
    ]

    lines = text.count("\n")
    assert lines <= 500
    assert not long


@pytest.mark.parametrize("path", MODULES)
def test_no_module_is_named_for_nothing(path: Path) -> None:
    assert path.stem.strip("_") not in {"utils", "util", "helpers", "helper", "common", "misc"}
