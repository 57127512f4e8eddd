"""Our own JSON, with everything that a run knows.

    {
      "version": 1,                   the version of this format: it grows when a field changes its
                                      meaning or goes, not when one is added
      "tool": {"name", "version"},
      "summary": "2 findings ...",    the last line of the text report
      "counts": {
        "error", "warning", "note",   findings shown and not suppressed
        "files",                      files checked
        "skipped", "unparsable", "ignored", "baselined", "hidden_notes", "notices"
      },
      "findings": [{
        "code", "name", "level", "confidence", "message", "remedy", "function",
        "path",                       relative to the project's root, with forward slashes
        "place",                      see below
        "related": [{"path", "place", "text"}],   in source order as the rule gives them
        "steps": [{"path", "place", "text"}],     the drain path, its root first
        "about": [place],             the pauses and waits that a finding on a loop speaks of
        "suppression": null or {"origin", "reason"},   origin: inline, file or baseline
        "fingerprint": "...:n"        the same after the code around it has moved
      }],
      "skipped": [{"path", "reason"}],
      "notices": [{"code", "path", "text"}]       files given up, crashes of drainlint
    }

A place is `{"line", "column", "end_line", "end_column"}`: all count from 1, columns count code
points, the end is exclusive. An empty `remedy` or `function` means that there is none.
"""

import json
from collections.abc import Iterator, Mapping

from drainlint import __version__
from drainlint.finding import Finding, Level, Related
from drainlint.fingerprint import numbered
from drainlint.model.place import Place
from drainlint.outcome import Outcome
from drainlint.report.story import line_at
from drainlint.report.tally import summary

Json = dict[str, object]
Sources = Mapping[str, tuple[str, ...]]

FORMAT_VERSION = 1


def render(outcome: Outcome) -> str:
    """Render an outcome as one JSON object."""
    report = {
        "version": FORMAT_VERSION,
        "tool": {"name": "drainlint", "version": __version__},
        "summary": summary(outcome),
        "counts": _counts(outcome),
        "findings": list(_findings(outcome)),
        "skipped": [{"path": file.path, "reason": file.reason} for file in outcome.skipped],
        "notices": [
            {"code": notice.code, "path": notice.path, "text": notice.text}
            for notice in outcome.notices
        ],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _counts(outcome: Outcome) -> Json:
    return {
        **{level.word: outcome.count(level) for level in sorted(Level, reverse=True)},
        "files": outcome.files,
        "skipped": len(outcome.skipped),
        "unparsable": outcome.unparsable,
        "ignored": outcome.ignored,
        "baselined": outcome.baselined,
        "hidden_notes": outcome.hidden_notes,
        "notices": len(outcome.notices),
    }


def _findings(outcome: Outcome) -> Iterator[Json]:
    fingerprints = numbered(outcome.findings, outcome.sources)
    for finding, fingerprint in zip(outcome.findings, fingerprints, strict=True):
        yield {**_finding(finding, outcome.sources), "fingerprint": fingerprint}


def _finding(finding: Finding, sources: Sources) -> Json:
    suppression = finding.suppression
    return {
        "code": finding.code,
        "name": finding.name,
        "level": finding.level.word,
        "confidence": finding.confidence.word,
        "message": finding.message,
        "remedy": finding.remedy,
        "function": finding.function,
        "path": finding.path,
        "place": _place(finding.place, finding.path, sources),
        "related": [_related(related, sources) for related in finding.related],
        "steps": [_related(step, sources) for step in finding.steps],
        "about": [_place(place, finding.path, sources) for place in finding.about],
        "suppression": suppression and {"origin": suppression.origin, "reason": suppression.reason},
    }


def _related(related: Related, sources: Sources) -> Json:
    return {
        "path": related.path,
        "place": _place(related.place, related.path, sources),
        "text": related.text,
    }


def _place(place: Place, path: str, sources: Sources) -> Json:
    """The four numbers; an end in column 0 is the end of its line."""
    last = line_at(sources.get(path, ()), place.end_line).rstrip()
    end = place.end_column or max(
        len(last) + 1, place.column if place.line == place.end_line else 1
    )
    return place._replace(end_column=end)._asdict()
