"""Workflow commands of GitHub Actions: an annotation beside each line that needs mending.

GitHub shows at most ten annotations of each level for a step and fifty for a job; the log has
them all, and SARIF has no such limit. A log line shows the message alone, so the message begins
with the place. Escapes as in actions/toolkit, `packages/core/src/command.ts`.
"""

from collections.abc import Iterator

from drainlint.finding import Finding, Level, Notice
from drainlint.outcome import Outcome
from drainlint.report.story import marks_of
from drainlint.report.tally import notice_name, summary, why_suppressed

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(outcome: Outcome) -> str:
    """Render an outcome as workflow commands, and the line that counts."""
    return "".join(f"{line}\n" for line in _lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    for finding in outcome.findings:
        yield _annotation(finding, outcome)
    for notice in outcome.notices:
        yield _failure(notice, outcome)
    yield _data(summary(outcome))


def _annotation(finding: Finding, outcome: Outcome) -> str:
    """A finding; one that is suppressed is only a notice."""
    first, *others = marks_of(finding, (*finding.related, *finding.steps), outcome.sources)
    title = f"drainlint {finding.name}"
    command = _COMMANDS[finding.level]
    if finding.suppression:
        title, command = f"{title} ({why_suppressed(finding.suppression)})", "notice"
    story = [
        f"{finding.path}:{first.span.line}:{first.span.start}: {finding.message}",
        *(f"= {text}" for text in (finding.remedy,) if text),
        *(f"{mark.path}:{mark.span.line}: {mark.label}" for mark in others),
    ]
    where: dict[str, str | int] = {
        "file": finding.path,
        "line": first.span.line,
        "endLine": first.span.line,
        "col": first.span.start,
        "endColumn": first.span.end,
    }
    return _command(command, {**where, "title": title}, "\n".join(story))


def _failure(notice: Notice, outcome: Outcome) -> str:
    """Something that went wrong with the run itself."""
    title = f"drainlint {notice_name(notice, outcome)}"
    return _command("error", {"file": notice.path, "title": title}, f"{notice.path}: {notice.text}")


def _command(name: str, properties: dict[str, str | int], message: str) -> str:
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """A message, so that it stays on its line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property's value, so that it ends where it ends."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
