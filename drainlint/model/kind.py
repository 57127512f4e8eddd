"""What a thing is: the kind of a name, an attribute, the result of a call."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from drainlint.finding import Confidence

OF_PROJECT = re.compile(r"(?P<path>.*):(?P<name>(?:[^:<>]|<[^<>]*>)*)", re.DOTALL)
"""A file, which may have a colon in its name, and what it defines: `app.py:run.<lambda@12:8>`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The sort of thing that an expression stands for, and how that is known."""

    type: str
    """A library's class by dotted name, or a class of the project as `path:Name`."""
    nature: str = ""
    """`thread`, `queue`, `event`, ...: from the knowledge tables; empty for other classes.
    `list`, `dict`, `tuple` for containers; `coroutine`, `function`, `class`, `module`."""
    base: str = ""
    """For a class of the project: the library's class that it derives from."""
    element: "Kind | None" = None
    """What it holds, yields or gives when awaited."""
    items: tuple["Kind | None", ...] = ()
    """For a tuple whose parts are known one by one."""
    evidence: Confidence = Confidence.HIGH
    also: tuple["Kind", ...] = ()
    """What it may be as well: classes of the project that are chosen from a table."""

    @property
    def library(self) -> str:
        """The library's class to look methods up in."""
        return self.base or self.type

    @property
    def is_project(self) -> bool:
        """Whether it is a class of the project itself."""
        return ":" in self.type

    @property
    def definition(self) -> tuple[str, str]:
        """Where the project defines it: the file, and the qualified name in there."""
        found = OF_PROJECT.fullmatch(self.type)
        return (found["path"], found["name"]) if found else ("", self.type)

    @property
    def short(self) -> str:
        """The class's own name, for messages."""
        return self.type.rpartition(":")[2].rpartition(".")[2]

    def seen(self, evidence: Confidence) -> Self:
        """The same kind on weaker evidence."""
        return self if evidence >= self.evidence else replace(self, evidence=evidence)


def one_of(kinds: Iterable[Kind]) -> Kind | None:
    """One of several classes of the project, and so are its instances; None for none at all."""
    first, *others = dict.fromkeys(kinds) or [None]
    if first is None or not others:
        return first
    known = [k for k in (first, *others) if k.element is not None]
    instances = [k.element for k in known if k.element is not None]
    instance = replace(instances[0], also=tuple(instances[1:])) if instances else None
    return replace(
        first, element=instance, also=tuple(k for k in others if k), evidence=Confidence.MEDIUM
    )
