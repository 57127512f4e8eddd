"""SARIF 2.1.0, as GitHub code scanning, GitLab and Azure DevOps read it.

What these readers ask for beyond the standard:

* GitHub reads the first location alone and shows an alert in a pull request only where all its
  lines were changed: every region is on one line. The first sentence of a message is the title.
* A rule's identity is its code, which never changes; people see its name.
* `primaryLocationLineHash` is the only fingerprint GitHub uses; `drainlint/v1` is our own.
* A rule is listed whether or not it found something, so that a clean run closes old alerts.
* GitHub shows suppressed results as open alerts; they are here only with `--show-ignored`.

GitHub rejects a file with more than 25,000 results in a run (and keeps the 5,000 worst), with more
than 1,000 locations or 10,000 steps in one result, or above 10 MB when packed. A result's places
and steps are cut to these numbers, and its message says so. Results are never dropped: where there
are too many for GitHub, a notification says so, and the way out is to check parts of a repository
in runs of their own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from drainlint import __version__
from drainlint.finding import Confidence, Finding, Notice
from drainlint.fingerprint import numbered
from drainlint.outcome import Outcome
from drainlint.report.linehash import line_hashes
from drainlint.report.sarif_rules import Json, cards_of, descriptor
from drainlint.report.story import Mark, Span, line_at, marks_of, span_of
from drainlint.report.tally import counted
from drainlint.report.version import semantic

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_MOST_RESULTS = 25_000
_MOST_PLACES = 999
_MOST_STEPS = 9_999


def render(outcome: Outcome) -> str:
    """Render an outcome as a SARIF log with one run."""
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(outcome)]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _run(outcome: Outcome) -> Json:
    cards = cards_of(outcome)
    best: dict[str, Confidence] = {}
    for finding in outcome.findings:
        best[finding.code] = max(finding.confidence, best.get(finding.code, Confidence.LOW))
    notifications = [
        *(_parse_error(f, outcome.sources) for f in outcome.findings if f.code == "DRN001"),
        *map(_notification, outcome.notices),
        *_too_many(outcome),
    ]
    return {
        "tool": {
            "driver": {
                "name": "drainlint",
                "version": __version__,
                "semanticVersion": semantic(__version__),
                "rules": [descriptor(card, best.get(card.code, Confidence.HIGH)) for card in cards],
            }
        },
        "automationDetails": {"id": "drainlint/"},
        "invocations": [
            {
                "executionSuccessful": not outcome.notices,
                "toolExecutionNotifications": notifications,
            }
        ],
        "originalUriBaseIds": {
            _ROOT: {"description": {"text": "The root of the project that was checked."}}
        },
        "columnKind": "unicodeCodePoints",
        "results": list(_results(outcome, [card.code for card in cards])),
    }


def _results(outcome: Outcome, codes: list[str]) -> Iterator[Json]:
    """Every finding; where one is suppressed all say whether they are, as the standard asks."""
    hashes = _line_hashes(outcome)
    prints = numbered(outcome.findings, outcome.sources)
    some_suppressed = any(finding.suppression for finding in outcome.findings)
    for finding, own in zip(outcome.findings, prints, strict=True):
        first, *others = marks_of(finding, finding.related, outcome.sources)
        line_hash = hashes.get(finding.path, {}).get(first.span.line)
        result: Json = {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": finding.level.word,
            "message": {"text": _message(finding, others)},
            "locations": [_location(first, outcome.sources, function=finding.function)],
            "partialFingerprints": {
                **({"primaryLocationLineHash": line_hash} if line_hash else {}),
                "drainlint/v1": own,
            },
            "properties": {"confidence": finding.confidence.word},
        }
        if others:
            result["relatedLocations"] = [
                _location(mark, outcome.sources, number=number)
                for number, mark in enumerate(others[:_MOST_PLACES], start=1)
            ]
        if finding.steps:
            result["codeFlows"] = [_code_flow(finding, first, outcome.sources)]
        if some_suppressed:
            result["suppressions"] = list(_suppressions(finding))
        yield result


def _line_hashes(outcome: Outcome) -> Mapping[str, Mapping[int, str]]:
    """GitHub's hashes of the lines that findings begin on, by path and line number."""
    wanted: dict[str, set[int]] = {}
    for finding in outcome.findings:
        wanted.setdefault(finding.path, set()).add(finding.place.line)
    return {
        path: line_hashes(outcome.sources.get(path, ()), numbers)
        for path, numbers in wanted.items()
    }


def _message(finding: Finding, related: list[Mark]) -> str:
    """Title, way out, and links to the related places by their ids."""
    remedy = finding.remedy[:1].upper() + finding.remedy[1:]
    sentences = [_escaped(_sentence(text)) for text in (finding.message, remedy) if text]
    links = [
        f"[{_escaped(' '.join(mark.label.split()) or f'line {mark.span.line}')}]({number})"
        for number, mark in enumerate(related[:_MOST_PLACES], start=1)
    ]
    if links:
        sentences.append(f"See {', '.join(links)}.")
    for number, most, noun in (
        (len(related), _MOST_PLACES, "place"),
        (len(finding.steps), _MOST_STEPS, "step"),
    ):
        if number > most:
            sentences.append(f"{counted(number - most, f'more {noun}')} left out here.")
    return " ".join(sentences)


def _sentence(text: str) -> str:
    """The text in one line, with a full stop unless it ends with a mark of its own."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _escaped(text: str) -> str:
    """The text where brackets are no links: SARIF reads `[text](1)` even in plain messages."""
    return re.sub(r"([\\\[\]])", r"\\\1", text)


def _location(
    mark: Mark,
    sources: Mapping[str, tuple[str, ...]],
    *,
    number: int | None = None,
    function: str = "",
) -> Json:
    """A place with its snippet, its text, and its id where a message links it."""
    location: Json = {} if number is None else {"id": number}
    location["physicalLocation"] = {
        "artifactLocation": _artifact(mark.path),
        "region": _region(mark.span, sources.get(mark.path, ())),
    }
    if function:
        location["logicalLocations"] = [{"fullyQualifiedName": function, "kind": "function"}]
    if mark.label:
        location["message"] = {"text": _escaped(mark.label)}
    return location


def _artifact(path: str) -> Json:
    """A file's address: relative to the root, or absolute where it lies outside."""
    try:
        address = quote(path, errors="surrogateescape")
    except UnicodeEncodeError:  # half a character, which Windows allows in names
        address = quote(path, errors="surrogatepass")
    if path.startswith("/"):
        return {"uri": f"file://{address}"}
    return {"uri": address, "uriBaseId": _ROOT}


def _region(span: Span, lines: tuple[str, ...]) -> Json:
    region: Json = {
        "startLine": span.line,
        "startColumn": span.start,
        "endLine": span.line,
        "endColumn": span.end,
    }
    if snippet := line_at(lines, span.line)[span.start - 1 : span.end - 1]:
        region["snippet"] = {"text": snippet}
    return region


def _code_flow(finding: Finding, first: Mark, sources: Mapping[str, tuple[str, ...]]) -> Json:
    """The drain path from its root to the finding."""
    steps = [
        Mark(step.path, span_of(step.place, sources.get(step.path, ())), step.text)
        for step in finding.steps[:_MOST_STEPS]
    ]
    if (steps[-1].path, steps[-1].span) != (first.path, first.span):
        steps.append(first)
    locations = [{"location": _location(step, sources)} for step in steps]
    return {"threadFlows": [{"locations": locations}]}


def _suppressions(finding: Finding) -> Iterator[Json]:
    if finding.suppression:
        kind = "external" if finding.suppression.origin == "baseline" else "inSource"
        reason = finding.suppression.reason
        yield {"kind": kind, **({"justification": reason} if reason else {})}


def _parse_error(finding: Finding, sources: Mapping[str, tuple[str, ...]]) -> Json:
    """A file that could not be parsed, which is a result as well."""
    mark, *_ = marks_of(finding, (), sources)
    return {
        "descriptor": {"id": finding.code},
        "level": "warning",
        "message": {"text": _escaped(_sentence(finding.message))},
        "locations": [_location(mark, sources)],
    }


def _notification(notice: Notice) -> Json:
    """A file given up, or a crash of ours: the run was not what it should have been."""
    return {
        "descriptor": {"id": notice.code},
        "level": "error",
        "message": {"text": _escaped(_sentence(notice.text))},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(notice.path)}}],
    }


def _too_many(outcome: Outcome) -> Iterator[Json]:
    """What to do where GitHub would reject the file."""
    if len(outcome.findings) > _MOST_RESULTS:
        text = (
            f"{len(outcome.findings)} results; GitHub rejects more than {_MOST_RESULTS} in one "
            "run. Check parts of the repository in runs of their own."
        )
        yield {
            "descriptor": {"id": "too-many-results"},
            "level": "warning",
            "message": {"text": text},
        }
