"""What a name says where nothing better is known: sorts of names, as data.

A name is the weakest evidence there is: what a thing is made of, annotated as or used for comes
first, and a question that only a name answers is of low confidence. The sorts stand in
`names.toml`.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

TABLE = "names.toml"
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
PREFIX = re.compile(r"^_*(async_)?")
SUFFIX = re.compile(r"(?<=[a-z0-9])_async$")


@dataclass(frozen=True, slots=True)
class NameFacts:
    """A sort of names, in small letters with underscores between their words."""

    name: str
    """The sort, as code asks for it."""
    means: str
    """What a name of this sort says."""
    words: tuple[str, ...] = ()
    """Whole names."""
    begins: tuple[str, ...] = ()
    """First words."""
    ends: tuple[str, ...] = ()
    """Last words."""
    has: tuple[str, ...] = ()
    """Beginnings of words anywhere in the name."""
    holds: tuple[str, ...] = ()
    """Letters anywhere in the name."""
    source: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a name of this sort, as `plain` gives it, matches."""
        parts = [f"^{re.escape(word)}$" for word in self.words]
        parts += [f"^{re.escape(word)}(_|$)" for word in self.begins]
        parts += [f"(^|_){re.escape(word)}$" for word in self.ends]
        parts += [f"(^|_){re.escape(word)}" for word in self.has]
        parts += [re.escape(part) for part in self.holds]
        return re.compile("|".join(parts))


@cache
def sorts() -> Mapping[str, NameFacts]:
    """All sorts of names that the table lists."""
    table = tomllib.loads(resources.files(__package__).joinpath(TABLE).read_text("utf-8"))
    return {sort: _facts(sort, values) for sort, values in table["name"].items()}


def _facts(sort: str, values: Mapping[str, Any]) -> NameFacts:
    made: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    return NameFacts(sort, **made)


@cache
def _pattern(sort: str) -> re.Pattern[str]:
    return sorts()[sort].pattern


def plain(name: str) -> str:
    """A name in small letters: `_isAlive`, `async_is_alive`, `is_alive_async` are `is_alive`."""
    return SUFFIX.sub("", HUMP.sub("_", PREFIX.sub("", name, count=1)).lower(), count=1)


@cache
def named(sort: str, name: str) -> bool:
    """Whether a name is of a sort that the table lists; only the last part of a dotted one counts.

    Raises KeyError for a sort that the table does not list.
    """
    return _pattern(sort).search(plain(name.rpartition(".")[2])) is not None
