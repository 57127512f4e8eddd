"""Rules as SARIF describes them: what GitHub shows beside an alert, offline and complete."""

import re
from collections.abc import Iterator

from drainlint.finding import Confidence, Finding, Level
from drainlint.outcome import Outcome, RuleCard

Json = dict[str, object]

_LONGEST = 1024
"""GitHub rejects longer short and full descriptions; the help text has no such limit."""
_SEVERITIES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}


def cards_of(outcome: Outcome) -> tuple[RuleCard, ...]:
    """Every active rule, and a makeshift card for a finding whose rule is not among them."""
    known = {card.code for card in outcome.rules}
    strangers = {f.code: f for f in outcome.findings if f.code not in known}
    return (*outcome.rules, *map(_makeshift, strangers.values()))


def _makeshift(finding: Finding) -> RuleCard:
    """A card with what a finding itself tells of its rule."""
    return RuleCard(finding.code, finding.name, "run", finding.level, finding.name, finding.message)


def descriptor(card: RuleCard, confidence: Confidence = Confidence.HIGH) -> Json:
    """A rule as a SARIF reportingDescriptor; `confidence` is the best of its findings."""
    why = " ".join(card.why.split())
    return {
        "id": card.code,
        "name": card.name,
        "shortDescription": {"text": cut(card.headline or card.name)},
        "fullDescription": {"text": cut(why or card.headline or card.name)},
        "help": {"text": _help_text(card), "markdown": _help_markdown(card)},
        "defaultConfiguration": {"level": card.level.word},
        "properties": {
            "precision": confidence.word,
            "problem.severity": _SEVERITIES[card.level],
            "tags": list(_tags(card)),
        },
    }


def cut(text: str) -> str:
    """The text, ended after a word with a sign for it where it is longer than GitHub takes."""
    if len(text) <= _LONGEST:
        return text
    return text[: _LONGEST - 2].rsplit(" ", 1)[0] + " …"


def _tags(card: RuleCard) -> Iterator[str]:
    yield "reliability"
    yield card.family
    if card.cwe is not None:
        yield f"external/cwe/cwe-{card.cwe}"


def _footer(card: RuleCard) -> str:
    return f"The same page in a terminal: `drainlint explain {card.name}`."


def _help_text(card: RuleCard) -> str:
    """The rule's page without markup."""
    examples = [
        f"{title}:\n{re.sub('^(?=.)', '    ', code, flags=re.MULTILINE)}".rstrip()
        for title, code in _examples(card)
    ]
    parts = (card.headline, card.why, *examples, _footer(card))
    return "\n\n".join(part for part in parts if part)


def _help_markdown(card: RuleCard) -> str:
    """The rule's page with its examples as blocks of Python."""
    examples = [f"**{title}**\n\n{_fenced(code)}" for title, code in _examples(card)]
    parts = (card.headline, card.why, *examples, _footer(card))
    return "\n\n".join(part for part in parts if part)


def _examples(card: RuleCard) -> Iterator[tuple[str, str]]:
    yield from (("Bad", code) for code in card.bad)
    yield from (("Good", code) for code in card.good)


def _fenced(code: str) -> str:
    """A block of Python in a fence that is longer than any in the code itself."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return f"{fence}python\n{code.rstrip()}\n{fence}"
