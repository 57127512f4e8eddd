"""Settles findings: one for each place, with the level that its context gives it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from drainlint.config import FileSettings
from drainlint.finding import Finding, Level, Related
from drainlint.model.place import Place

CALLS = "705 204 609 611 603 310 202 317 312 313 315 602 314 307 305 306 304 301 302 110 303 308 309 311 203 201"  # noqa: E501 - one order
LOOPS = "601 602 607 512 107 111 103 101 106 109 105 104 102 511 501 517 707"
EXITS = "404 405 402 403 401 406"
CREATED = "516 509 510 109 508 605 507 506 505 515"
CLOSED = "701 703 706 704"
HANDLERS = "609 611 603 604 606 608 612"
ORDERS: tuple[tuple[str, ...], ...] = tuple(
    tuple(f"DRN{code}" for code in line.split())
    for line in (
        CALLS,
        LOOPS,
        EXITS,
        CREATED,
        CLOSED,
        HANDLERS,
        "306 707",
        "502 513",
        "518 514",
        "801 802 807",
    )
)
"""Of two findings at one place that stand in one line, only the first in that line is reported."""
IN_A_LOOP = frozenset({"DRN201", "DRN203", "DRN301", "DRN302", "DRN303"})
"""What a finding on a loop takes over from the loop's own body."""
RAISES_NOTHING = frozenset({"DRN201", "DRN203"})
"""A pause inside a pure wait does not raise the level of the wait."""


def settle(findings: Iterable[Finding], settings: FileSettings) -> Iterator[Finding]:
    """The findings of one file, one for each place; `settings` may remap levels."""
    given = sorted({_key(f): f for f in findings}.values(), key=lambda f: f.order)
    kept = [replace(f, level=_remapped(f, settings.levels)) for f in given]
    kept = _merged(kept)
    yield from kept


def _key(finding: Finding) -> tuple[str, Place]:
    return (finding.code, finding.place)


def _remapped(finding: Finding, levels: Mapping[str, str]) -> Level:
    """The configuration's level, before side code and confidence lower it."""
    word = levels.get(finding.code)
    level = finding.level if word is None else Level[word.upper()]
    if finding.lowered_by:
        level = Level(max(Level.NOTE, level - finding.lowered_by))
    return level


def _merged(findings: list[Finding]) -> list[Finding]:
    at: dict[Place, list[int]] = defaultdict(list)
    for number, finding in enumerate(findings):
        at[finding.place].append(number)
    taken: dict[int, int] = {}
    for number, finding in enumerate(findings):
        for place in (finding.place, *finding.about):
            for other in at.get(place, ()):
                if other not in taken and other != number and _hides(finding, findings[other]):
                    taken[other] = number
    hidden: dict[int, list[Finding]] = defaultdict(list)
    for number in taken:
        hidden[_root(number, taken)].append(findings[number])
    return [
        _with(finding, hidden[number])
        for number, finding in enumerate(findings)
        if number not in taken
    ]


def _root(number: int, taken: Mapping[int, int]) -> int:
    while number in taken:
        number = taken[number]
    return number


def _hides(first: Finding, second: Finding) -> bool:
    """Whether `first` is reported in place of `second`."""
    if second.place in first.about and second.code in IN_A_LOOP:
        return True
    if first.place != second.place:
        return False
    for order in ORDERS:
        if first.code in order and second.code in order:
            return order.index(first.code) < order.index(second.code)
    return False


def _says_no_more(pause: Finding, loop: Finding) -> bool:
    """Whether a hidden finding is the pause of a pure wait, which does not raise its level."""
    return pause.code in RAISES_NOTHING and pause.place != loop.place and loop.only_waits


def _with(finding: Finding, hidden: list[Finding]) -> Finding:
    """A finding at the highest level among those it hides, which it names as related."""
    if not hidden:
        return finding
    loud = [f.level for f in hidden if not _says_no_more(f, finding)]
    named = tuple(
        Related(f.path, f.place, f"also {f.name}") for f in hidden if f.place != finding.place
    )
    seen = {r.place for r in finding.related}
    related = (*finding.related, *(r for r in named if r.place not in seen))
    return replace(finding, level=max([finding.level, *loud]), related=related)
