"""What drainlint says: findings, their levels and their related places."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from drainlint.model.place import Place


class Level(IntEnum):
    """How bad a finding is; ordered, so that `max` picks the worst."""

    NOTE = 1
    """Worth knowing, harmless today."""
    WARNING = 2
    """Hangs, loses work or skips cleanup under load, with a slow peer or on a bad day."""
    ERROR = 3
    """Will hang, lose work or skip cleanup when the program stops."""

    @property
    def lower(self) -> Self:
        """One step down; a note stays a note."""
        return type(self)(max(Level.NOTE, self - 1))

    @property
    def word(self) -> str:
        """The level as reports and options spell it."""
        return self.name.lower()


class Confidence(IntEnum):
    """How the thing a finding speaks of was recognised."""

    LOW = 1
    """By its name alone."""
    MEDIUM = 2
    """By how it is used."""
    HIGH = 3
    """By its construction, annotation or import."""

    @property
    def word(self) -> str:
        """The confidence as reports spell it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Related:
    """A place that tells part of a finding's story, with what happens there."""

    path: str
    """Relative to the project's root, with forward slashes."""
    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why a finding is not counted: a comment in the source, or the baseline."""

    origin: str
    """`inline`, `file` or `baseline`."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: a primary place on one line, and the related places of its story."""

    code: str
    name: str
    level: Level
    confidence: Confidence
    path: str
    """Relative to the project's root, with forward slashes."""
    place: Place
    message: str
    """One paragraph whose first sentence is a title; code is quoted in backticks."""
    related: tuple[Related, ...] = ()
    """Other places of the story; reports print them in source order."""
    steps: tuple[Related, ...] = ()
    """The drain path that leads here, root first: a true sequence (SARIF codeFlow)."""
    function: str = ""
    """Qualified name of the enclosing function, empty at module level."""
    remedy: str = ""
    """The way out, in one sentence without a full stop."""
    about: tuple[Place, ...] = field(default=(), compare=False)
    """The pauses and waits in a loop's own body that a finding on the loop speaks of."""
    only_waits: bool = field(default=False, compare=False)
    """It is about a loop that does nothing but wait: the pause in it says no more."""
    lowered_by: int = field(default=0, compare=False)
    """Steps that side code and low confidence take off the level, at settling."""
    suppression: Suppression | None = None

    @property
    def order(self) -> tuple[str, int, int, str]:
        """The order of reports: path, line, column, code."""
        return (self.path, self.place.line, self.place.column, self.code)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the run itself that is not a finding: a file given up, a crash of ours."""

    code: str
    """`DRN002` for an unreadable file, `crash` for a fault of drainlint's own."""
    path: str
    text: str
