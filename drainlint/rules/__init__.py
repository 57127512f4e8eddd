"""What drainlint can find: one file per rule, and a generated catalogue of them.

The catalogue is what commands and reports read; a rule's own module is imported only when there is
a noun for it to judge.
"""

import json
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from drainlint.finding import Level
from drainlint.outcome import RuleCard

if TYPE_CHECKING:
    from drainlint.rule import Rule

CATALOGUE = "catalogue.json"


@cache
def _entries() -> tuple[dict[str, Any], ...]:
    # pkgutil, because importing importlib.resources takes longer than all else that is done here
    text = pkgutil.get_data(__name__, CATALOGUE)
    if text is None:
        msg = f"{CATALOGUE} is missing from the installed package"
        raise FileNotFoundError(msg)
    return tuple(json.loads(text))


@cache
def cards() -> tuple[RuleCard, ...]:
    """Every rule, in the order of codes; imports no rule."""
    return tuple(
        RuleCard(
            code=entry["code"],
            name=entry["name"],
            family=entry["family"],
            level=Level[entry["level"].upper()],
            headline=entry["headline"],
            why=entry["why"],
            bad=tuple(entry["bad"]),
            good=tuple(entry["good"]),
            cwe=entry["cwe"],
            noun=entry["noun"],
            module=entry["module"],
        )
        for entry in _entries()
    )


@cache
def words() -> Mapping[str, tuple[frozenset[str], ...]]:
    """The words of each rule by its code: a function matters to it with one word of every group."""
    return MappingProxyType(
        {entry["code"]: tuple(map(frozenset, entry["words"])) for entry in _entries()}
    )


@cache
def rule(code: str) -> "Rule[Any]":
    """The rule of this code, from its own module; raises KeyError for an unknown code."""
    card = next((card for card in cards() if card.code == code), None)
    if card is None:
        raise KeyError(code)
    found: Rule[Any] = getattr(import_module(card.module), class_name(card.name))()
    return found


def class_name(name: str) -> str:
    """The class that bears a rule's name: `poll-queue` is `PollQueue`."""
    return "".join(word.capitalize() for word in name.split("-"))
