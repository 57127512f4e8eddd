"""GitLab's Code Quality report, which merge requests show in every tier.

GitLab tells findings apart by their fingerprints alone, which must differ within a report and
must not depend on line numbers, or a moved finding would count as new.
"""

import json
from collections.abc import Iterator
from hashlib import sha256

from drainlint.finding import Level
from drainlint.fingerprint import numbered
from drainlint.outcome import Outcome
from drainlint.report.tally import notice_name, why_suppressed

_SEVERITIES = {Level.ERROR: "critical", Level.WARNING: "major", Level.NOTE: "info"}


def render(outcome: Outcome) -> str:
    """Render an outcome as a list of Code Quality issues."""
    issues = [*_findings(outcome), *_notices(outcome)]
    return json.dumps(issues, ensure_ascii=False, indent=2) + "\n"


def _findings(outcome: Outcome) -> Iterator[dict[str, object]]:
    """The findings; one that is suppressed is only an info."""
    fingerprints = numbered(outcome.findings, outcome.sources)
    for finding, fingerprint in zip(outcome.findings, fingerprints, strict=True):
        shelved = finding.suppression
        aside = f" ({why_suppressed(shelved)})" if shelved else ""
        line = max(1, finding.place.line)
        yield {
            "description": f"{finding.message}{aside}",
            "check_name": finding.name,
            "fingerprint": _digest(fingerprint),
            "severity": "info" if shelved else _SEVERITIES[finding.level],
            "location": {"path": finding.path, "lines": {"begin": line, "end": line}},
        }


def _notices(outcome: Outcome) -> Iterator[dict[str, object]]:
    """What went wrong with the run itself: files whose findings are missing here."""
    for notice in outcome.notices:
        yield {
            "description": notice.text,
            "check_name": notice_name(notice, outcome),
            "fingerprint": _digest(f"{notice.code}\0{notice.path}\0{notice.text}"),
            "severity": "blocker",
            "location": {"path": notice.path, "lines": {"begin": 1}},
        }


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
