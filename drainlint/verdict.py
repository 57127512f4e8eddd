"""Rules judge nouns: those just read, and those that an earlier run has kept."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from drainlint.config import FileSettings
from drainlint.finding import Finding, Notice
from drainlint.memory import Conditions
from drainlint.model.noun import Noun
from drainlint.rule import Rule
from drainlint.rules import cards, rule

Spoken = tuple[Noun, tuple[str, ...]]
"""A noun, and the codes of the rules that spoke of it."""


def conditions(path: str, settings: FileSettings) -> Conditions:
    """What the nouns of a file are judged under."""
    return Conditions(settings.budget, settings.min_sleep, settings.side_code(path))


@dataclass
class Jury:
    """Applies rules to nouns; a rule that crashes is reported, and the others go on."""

    settings: Callable[[str], FileSettings]
    """What a file is judged by, by its path relative to the root."""
    rules: frozenset[str]
    """Codes that are active for any file."""
    keeping: bool = False
    """Whether rules that are not active are heard too, so that what they speak of is kept."""
    crashes: list[Notice] = field(default_factory=list)

    def first(self, path: str, nouns: Iterable[Noun]) -> tuple[list[Finding], list[Spoken]]:
        """What active rules find in a file, and what any rule that was heard spoke of."""
        settings = self.settings(path)
        under = conditions(path, settings)._asdict()
        found: list[Finding] = []
        spoken: list[Spoken] = []
        for noun in nouns:
            judged = replace(noun, **under)
            codes = []
            for judging in self._by_noun.get(type(noun).__name__, ()):
                active = judging.code in settings.rules
                said = self._said(judging, judged, active=active)
                if active:
                    found += said or ()
                if said is None or said:
                    codes.append(judging.code)
            if codes:
                spoken.append((judged, tuple(codes)))
        return found, spoken

    def again(self, path: str, spoken: Iterable[Spoken]) -> Iterator[Finding]:
        """What active rules find in what was kept of a file."""
        active = self.settings(path).rules
        for noun, codes in spoken:
            for code in codes:
                if code in active:
                    yield from self._said(rule(code), noun, active=True) or ()

    def _said(self, judging: Rule[Noun], noun: Noun, *, active: bool) -> Sequence[Finding] | None:
        """What a rule says of a noun; None where it crashed."""
        try:
            return list(judging.check(noun))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other rules go on
            if active:
                text = f"rule {judging.name} failed: {type(fault).__name__}: {fault}"
                self.crashes.append(Notice("crash", noun.path, text))
            return None

    @cached_property
    def _by_noun(self) -> Mapping[str, Sequence[Rule[Noun]]]:
        found: dict[str, list[Rule[Noun]]] = defaultdict(list)
        for card in cards():
            if card.noun and (self.keeping or card.code in self.rules):
                found[card.noun].append(rule(card.code))
        return found
