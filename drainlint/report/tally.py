"""The last line of a report, which counts everything, and the words for what does not count."""

from collections import Counter
from collections.abc import Iterator

from drainlint.finding import Level, Notice, Suppression
from drainlint.outcome import Outcome, Skipped

_ORIGINS = {
    "inline": "ignored",
    "file": "ignored in the whole file",
    "baseline": "in the baseline",
}


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def suppression_word(suppression: Suppression) -> str:
    """What became of a suppressed finding: `ignored`, `in the baseline`."""
    return _ORIGINS.get(suppression.origin, suppression.origin)


def why_suppressed(suppression: Suppression) -> str:
    """Why a finding is shown but not counted: `ignored: somebody's reason`."""
    word = suppression_word(suppression)
    return f"{word}: {suppression.reason}" if suppression.reason else word


def notice_name(notice: Notice, outcome: Outcome) -> str:
    """The name people know a notice by: `cannot-read` for DRN002, `crash` for a crash."""
    return next((card.name for card in outcome.rules if card.code == notice.code), notice.code)


def summary(outcome: Outcome) -> str:
    """One line that counts what was found, what was looked at and what was not shown."""
    return "; ".join((_found(outcome), *_left_out(outcome)))


def _found(outcome: Outcome) -> str:
    """Findings by level, and in how many files."""
    where = f"in {counted(outcome.files, 'file')}" if outcome.files else "(no files were checked)"
    levels = [
        counted(number, level.word)
        for level in sorted(Level, reverse=True)
        if (number := outcome.count(level))
    ]
    total = sum(map(outcome.count, Level))
    if not total:
        return f"no findings {where}"
    return f"{counted(total, 'finding')} ({', '.join(levels)}) {where}"


def _left_out(outcome: Outcome) -> Iterator[str]:
    """What is not among the findings, each with its number."""
    if outcome.unparsable:
        yield f"{counted(outcome.unparsable, 'file')} could not be parsed"
    for code, number in sorted(Counter(notice.code for notice in outcome.notices).items()):
        yield _given_up(code, number)
    if outcome.skipped:
        yield f"{counted(len(outcome.skipped), 'file')} skipped ({_reasons(outcome.skipped)})"
    if outcome.ignored:
        yield f"{outcome.ignored} ignored"
    if outcome.baselined:
        yield f"{outcome.baselined} in the baseline"
    if outcome.hidden_notes:
        yield f"{counted(outcome.hidden_notes, 'note')} not shown (--strict)"


def _given_up(code: str, number: int) -> str:
    """Notices of one code."""
    match code:
        case "DRN002":
            return f"{counted(number, 'file')} could not be read"
        case "crash":
            return "1 crash of drainlint" if number == 1 else f"{number} crashes of drainlint"
        case _:
            return f"{counted(number, 'notice')} ({code})"


def _reasons(skipped: tuple[Skipped, ...]) -> str:
    """Why files were skipped, the commonest reason first."""
    reasons = Counter(file.reason for file in skipped)
    if len(reasons) == 1:
        return next(iter(reasons))
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason}: {number}" for reason, number in ordered)
