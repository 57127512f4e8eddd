"""The examples on the rules' pages do what the pages say."""

from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from drainlint import rules
from tests.conftest import findings_in, with_imports


def examples(kind: str) -> Iterator[ParameterSet]:
    """The name and text of every example of one kind, `bad` or `good`.

    Those about the run itself (DRN0xx) need a whole run and are tested with it.
    """
    for card in rules.cards():
        if card.family != "run":
            for number, text in enumerate(card.bad if kind == "bad" else card.good, 1):
                yield pytest.param(card.name, text, id=f"{card.name}-{number}")


@pytest.mark.parametrize(("name", "example"), [*examples("bad")])
def test_a_bad_example_is_found(name: str, example: str) -> None:
    assert name in {finding.name for finding in findings_in(with_imports(example))}


@pytest.mark.parametrize(("name", "example"), [*examples("good")])
def test_a_good_example_is_left_alone(name: str, example: str) -> None:
    assert name not in {finding.name for finding in findings_in(with_imports(example))}
