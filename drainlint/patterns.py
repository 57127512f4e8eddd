"""Patterns as `.gitignore` writes them, and the files that hold them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


def slashed(folder: str) -> str:
    """A folder's path with one slash at its end."""
    return folder if folder.endswith("/") else folder + "/"


@cache
def compiled(patterns: tuple[str, ...]) -> "GitIgnoreSpec":
    """Patterns as `.gitignore` writes them; raises ValueError for one that is none."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  only where there are patterns

    return GitIgnoreSpec.from_lines(patterns)


class IgnoreFile:
    """One `.gitignore` or `.git/info/exclude`, asked about entries and not about their parents."""

    def __init__(self, file: str, base: str) -> None:
        """Read the file; one that cannot be read ignores nothing."""
        self._base = slashed(base)
        try:
            text = Path(file).read_text(encoding="utf-8-sig", errors="surrogateescape")
        except OSError:
            text = ""
        lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
        by_name = {i for i, line in enumerate(lines) if "/" not in line.strip().rstrip("/")}
        self._by_name = _Numbered.of(lines, by_name)
        self._by_path = _Numbered.of(lines, set(range(len(lines))) - by_name)
        self._names: dict[str, tuple[int, bool | None]] = {}

    def verdict(self, path: str, name: str) -> bool | None:
        """Whether it ignores an entry, un-ignores it, or says nothing; folders end in a slash."""
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = self._by_name.verdict(name)
        if not self._by_path.numbers:
            return known[1]
        return max(known, self._by_path.verdict(path[len(self._base) :]), key=_number)[1]

    def hides(self, folder: str) -> bool:
        """Whether it ignores a folder or one that holds it."""
        parts = folder[len(self._base) :].rstrip("/").split("/")
        above = self._base
        for part in parts:
            above += part + "/"
            if self.verdict(above, part + "/"):
                return True
        return False


@dataclass(frozen=True, slots=True)
class _Numbered:
    """Some lines of an ignore file, which remember where they stand: the last match wins."""

    numbers: tuple[int, ...]
    patterns: tuple[str, ...]

    @classmethod
    def of(cls, lines: Sequence[str], numbers: Iterable[int]) -> "_Numbered":
        """Those lines of a file that are patterns; git passes over the others too."""
        chosen = sorted(numbers)
        if not _are_patterns(tuple(lines[i] for i in chosen)):
            chosen = [i for i in chosen if _are_patterns((lines[i],))]
        return cls(tuple(chosen), tuple(lines[i] for i in chosen))

    def verdict(self, path: str) -> tuple[int, bool | None]:
        """The number of the last line that matches, and what it says; -1 where none does."""
        if not self.patterns:
            return -1, None
        result = compiled(self.patterns).check_file(path)
        return (-1, None) if result.index is None else (self.numbers[result.index], result.include)


def _number(verdict: tuple[int, bool | None]) -> int:
    return verdict[0]


def _are_patterns(lines: tuple[str, ...]) -> bool:
    try:
        compiled(lines)
    except ValueError:
        return False
    return True
