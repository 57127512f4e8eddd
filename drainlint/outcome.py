"""The outcome of a run: everything that a report may say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drainlint.finding import Finding, Level, Notice


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was met and not checked, with the reason for it."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class RuleCard:
    """What reports and commands need to know of a rule without importing it."""

    code: str
    name: str
    family: str
    """The folder's word: `polling`, `waiting`; `run` for DRN0xx."""
    level: Level
    """The highest level the rule gives."""
    headline: str
    """One sentence: what the code does."""
    why: str
    """Who waits, what is lost, and the way out; paragraphs parted by blank lines."""
    bad: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    cwe: int | None = None
    """The CWE number, only where one fits exactly."""
    noun: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found, and what it did not look at.

    Every format renders the same `findings`; nothing is dropped without being counted here.
    """

    root: Path
    """The project's root; every path of a finding is relative to it."""
    findings: tuple[Finding, ...]
    """Those to be shown, in report order: notes only with `--strict`; suppressed ones (with
    `suppression` set) only with `--show-ignored`."""
    rules: tuple[RuleCard, ...]
    """Every active rule, in the order of codes."""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The lines of each file that a finding or related place stands in: its text, parted at each
    `\\r\\n`, `\\r` or `\\n`, so that a final line end leaves an empty last line (GitHub's line hash
    needs to know)."""
    files: int = 0
    """Files checked."""
    skipped: tuple[Skipped, ...] = ()
    notices: tuple[Notice, ...] = ()
    unparsable: int = 0
    """Files with a DRN001 finding or notice."""
    ignored: int = 0
    """Findings suppressed by comments."""
    baselined: int = 0
    hidden_notes: int = 0
    """Notes that `--strict` would have shown."""

    def count(self, level: Level) -> int:
        """How many shown, unsuppressed findings have this level."""
        return sum(f.level is level and f.suppression is None for f in self.findings)
