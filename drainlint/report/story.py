"""A finding's story as reports tell it: marks on single lines, every place once.

The primary place, the related places and the steps of the drain path may speak of one and the same
place; here they become one mark that bears all their texts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from drainlint.finding import Finding, Related
from drainlint.model.place import Place


class Span(NamedTuple):
    """A piece of one line: columns count code points from 1, the end is exclusive."""

    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A span of a file, with what the story says about it."""

    path: str
    span: Span
    label: str
    """May be empty; several texts for one place are parted by semicolons."""
    primary: bool = False


def line_at(lines: tuple[str, ...], number: int) -> str:
    """The text of a line; empty where the source has no such line."""
    return lines[number - 1] if 0 < number <= len(lines) else ""


def span_of(place: Place, lines: tuple[str, ...]) -> Span:
    """The part of a place that stands on its first line, kept within that line's text.

    A place that goes on to further lines, or that ends in column 0, reaches to the end of the
    text. A span is never empty: at the end of a line it sticks out by one column.
    """
    line = max(1, place.line)
    text = line_at(lines, line)
    start = min(max(1, place.column), len(text) + 1)
    whole = place.end_line == place.line and place.end_column > 0
    end = min(place.end_column, len(text) + 1) if whole else len(text.rstrip()) + 1
    return Span(line, start, max(end, start + 1))


def marks_of(
    finding: Finding, places: Iterable[Related], sources: Mapping[str, tuple[str, ...]]
) -> tuple[Mark, ...]:
    """The finding's own place first, then the other places in source order, none of them twice.

    A text that belongs to the finding's own place becomes the label of that mark.
    """
    primary = (finding.path, span_of(finding.place, sources.get(finding.path, ())))
    texts: dict[tuple[str, Span], list[str]] = {primary: []}
    for related in places:
        key = (related.path, span_of(related.place, sources.get(related.path, ())))
        said = texts.setdefault(key, [])
        if related.text and related.text not in said:
            said.append(related.text)
    first = Mark(*primary, "; ".join(texts.pop(primary)), primary=True)
    return first, *(Mark(*key, "; ".join(said)) for key, said in sorted(texts.items()))
