"""The report for people: each finding with the lines of source that tell its story.

Readable without colour. Lines of source are never wrapped, our own text is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from drainlint.finding import Finding, Notice
from drainlint.outcome import Outcome
from drainlint.report.cells import shown, width_of, wrap
from drainlint.report.story import Mark, line_at, marks_of
from drainlint.report.tally import notice_name, summary, suppression_word, why_suppressed

_STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "note": "bold cyan",
    "failed": "bold magenta",
    "suppressed": "dim",
    "message": "bold",
    "gutter": "blue",
    "related": "blue",
}
_ROOM = 28
"""A long label that has fewer cells than this beside its mark moves below it."""

Paint = Callable[[str, str], str]
"""Gives a text the look of the thing it stands for."""


def render(outcome: Outcome, *, color: bool = False, width: int = 80) -> str:
    """Render an outcome for a terminal or a log that is `width` cells wide."""
    page = _Page(outcome, width, _colored if color else _plain)
    blocks = [
        *("\n".join(page.finding(finding)) for finding in outcome.findings),
        *("\n".join(page.notice(notice)) for notice in outcome.notices),
        shown(summary(outcome)),
    ]
    return "\n\n".join(blocks) + "\n"


def _plain(text: str, _look: str) -> str:
    """Without colour."""
    return text


def _colored(text: str, look: str) -> str:
    """Between the escape sequences of a style, which do not depend on the environment."""
    from rich.color import ColorSystem  # noqa: PLC0415  only colour needs rich
    from rich.style import Style  # noqa: PLC0415

    return Style.parse(_STYLES[look]).render(text, color_system=ColorSystem.STANDARD)


@dataclass(frozen=True, slots=True)
class _Page:
    """What all blocks of a report share."""

    outcome: Outcome
    width: int
    paint: Paint

    def finding(self, finding: Finding) -> Iterator[str]:
        """The lines of one finding: what, where, why, and the way out."""
        look = "suppressed" if finding.suppression else finding.level.word
        aside = f" ({suppression_word(finding.suppression)})" if finding.suppression else ""
        yield from self._headline(finding.level.word, finding.name, look, finding.message, aside)
        if finding.suppression and finding.suppression.reason:
            yield from self._hint(why_suppressed(finding.suppression))
        first, *others = marks_of(finding, (*finding.related, *finding.steps), self.outcome.sources)
        yield f"  {shown(finding.path)}:{finding.place.line}:{finding.place.column}"
        here = [first, *(mark for mark in others if mark.path == finding.path)]
        yield from self._quote(here, look)
        elsewhere = (mark for mark in others if mark.path != finding.path)
        for path, group in groupby(elsewhere, key=lambda mark: mark.path):
            there = list(group)
            yield f"  {shown(path)}:{there[0].span.line}:{there[0].span.start}"
            yield from self._quote(there, look)
        if finding.remedy:
            yield from self._hint(finding.remedy)
        yield from self._hint(f"drainlint explain {finding.name}")

    def notice(self, notice: Notice) -> Iterator[str]:
        """The lines of one thing that went wrong with the run itself."""
        name = notice_name(notice, self.outcome)
        yield from self._headline("failed", name, "failed", notice.text)
        yield f"  {shown(notice.path)}"

    def _headline(
        self, word: str, name: str, look: str, message: str, aside: str = ""
    ) -> Iterator[str]:
        """`error[name]: message`, wrapped with an indent of four."""
        head = f"{word}[{shown(name)}]{aside}: "
        first, *rest = wrap(message, self.width - 4, width_of(head) - 4)
        yield f"{self.paint(head, look)}{self.paint(first, 'message')}"
        yield from (f"    {self.paint(line, 'message')}" for line in rest)

    def _hint(self, text: str) -> Iterator[str]:
        """`= text`, wrapped behind the sign."""
        first, *rest = wrap(text, self.width - 4)
        yield f"  {self.paint('=', 'gutter')} {first}"
        yield from (f"    {line}" for line in rest)

    def _quote(self, marks: list[Mark], look: str) -> Iterator[str]:
        """The lines of one file that bear marks, in source order, each followed by its marks."""
        ordered = sorted(marks, key=lambda mark: mark.span)
        gutter = max(5, 2 + len(str(ordered[-1].span.line)))
        bar = self.paint("|", "gutter")
        margin = f"{'':{gutter}} {bar} "
        for number, group in groupby(ordered, key=lambda mark: mark.span.line):
            source = line_at(self.outcome.sources.get(marks[0].path, ()), number)
            quoted = f"{self.paint(f'{number:{gutter}}', 'gutter')} {bar} {shown(source)}"
            yield quoted.rstrip()
            for mark in group:
                rows = _rows(mark, source, self.width - gutter - len(" | "))
                for indent, sign, label in rows:
                    painted = (
                        self.paint(part, look if mark.primary else "related")
                        for part in (sign, label)
                        if part
                    )
                    yield f"{margin}{'':{indent}}{' '.join(painted)}"


def _rows(mark: Mark, source: str, room: int) -> Iterator[tuple[int, str, str]]:
    """The rows below a line of source for one mark: indent, sign, and a piece of its label.

    A label that does not fit beside the sign is wrapped there, or moves below where the sign
    stands too far to the right.
    """
    before = width_of(shown(source[: mark.span.start - 1]))
    marked = width_of(shown(source[mark.span.start - 1 : mark.span.end - 1]))
    sign = ("^" if mark.primary else "-") * max(1, marked)
    beside = before + len(sign) + 1
    if beside + width_of(shown(mark.label)) <= room or room - beside >= _ROOM:
        first, *rest = wrap(mark.label, room - beside)
        yield before, sign, first
        yield from ((beside, "", line) for line in rest)
    else:
        yield before, sign, ""
        below = max(0, min(before, room - _ROOM))
        yield from ((below, "", line) for line in wrap(mark.label, room - below))
