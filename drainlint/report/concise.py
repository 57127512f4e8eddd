"""One line per finding, for grep and editors: `path:line:column: level[name] message`."""

from collections.abc import Iterator

from drainlint.finding import Finding, Notice
from drainlint.outcome import Outcome
from drainlint.report.cells import shown
from drainlint.report.tally import notice_name, summary, why_suppressed


def render(outcome: Outcome) -> str:
    """Render an outcome as one line for each finding and notice, and the line that counts."""
    return "".join(f"{shown(line)}\n" for line in _lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    yield from map(_finding, outcome.findings)
    yield from (_notice(notice, outcome) for notice in outcome.notices)
    yield summary(outcome)


def _finding(finding: Finding) -> str:
    where = f"{finding.path}:{finding.place.line}:{finding.place.column}"
    message = " ".join(finding.message.split())
    aside = f" ({why_suppressed(finding.suppression)})" if finding.suppression else ""
    return f"{where}: {finding.level.word}[{finding.name}] {message}{aside}"


def _notice(notice: Notice, outcome: Outcome) -> str:
    return f"{notice.path}: failed[{notice_name(notice, outcome)}] {' '.join(notice.text.split())}"
