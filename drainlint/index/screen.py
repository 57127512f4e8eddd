"""Which functions can matter: those that hold the words of some rule (`drainlint.words`).

The screen may let too much through, never too little: of what only the link can tell it takes the
best for granted, every call of a name for the library's, and every function to be on a drain path.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from drainlint.index.collect import Indexed
from drainlint.index.entries import MAIN, MODULE
from drainlint.knowledge import Knowledge
from drainlint.model.expression import (
    Call,
    Comprehension,
    Constant,
    Expression,
    Group,
    Starred,
    Text,
)
from drainlint.words import BARE, LINKED, ONE, verb_and_ways

LIMITS = re.compile("time|deadline|wait|delay|remain|interval|sec|block", re.IGNORECASE)
"""Names that say how long, or whether, to wait."""
Groups = tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Vocabulary:
    """The words of all rules, and the names of the calls that they speak of."""

    rules: tuple[Groups, ...]
    """Of each rule the groups of which one word each must be there."""
    verbs: Mapping[str, frozenset[str]]
    """What a call of some name may do, as words, by the last part of its name."""

    @classmethod
    def of(cls, rules: Iterable[Groups], knowledge: Knowledge) -> "Vocabulary":
        """The vocabulary of these rules, with the names from these tables."""
        kept = tuple(dict.fromkeys(groups for groups in rules if groups))
        asked: dict[str, set[str]] = defaultdict(set)
        for word in {word for groups in kept for group in groups for word in group}:
            verb, _ = verb_and_ways(word)
            if verb:
                asked[verb].add(word)
        verbs: dict[str, set[str]] = defaultdict(set)
        for dotted, facts in knowledge.calls.items():
            if facts.does in asked:
                verbs[dotted.rpartition(".")[2]] |= asked[facts.does]
        return cls(kept, {name: frozenset(words) for name, words in verbs.items()})

    @cached_property
    def every(self) -> frozenset[str]:
        """All words."""
        return frozenset(word for groups in self.rules for group in groups for word in group)

    @cached_property
    def shaped(self) -> frozenset[str]:
        """The names of the calls whose arguments matter."""
        return frozenset(word.partition("(")[0] for word in self.every if word.endswith(")"))

    @cached_property
    def _ways(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """Of each verb its words, with the ways that they ask for."""
        found: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        for word in self.every:
            verb, ways = verb_and_ways(word)
            if verb:
                found[verb][word] = ways
        return found

    def of_verb(self, verb: str, ways: Collection[str]) -> Iterator[str]:
        """The words that a call meets which does this in these ways."""
        for word, wanted in self._ways.get(verb, {}).items():
            if wanted.issubset(ways):
                yield word

    def matter(self, found: Collection[str]) -> bool:
        """Whether some rule's words are all among those found."""
        return any(all(not group.isdisjoint(found) for group in groups) for groups in self.rules)

    def may_do(self, call: Call, name: str = "") -> Iterator[str]:
        """What a call of this name may do, or hand on to be done, whatever library is meant."""
        yield from self.verbs.get(name or call.method, ())
        for argument in call.arguments:
            _, dot, last = argument.value.path.rpartition(".")
            if dot:
                yield from self.verbs.get(last, ())


def screen(indexed: Indexed, vocabulary: Vocabulary) -> dict[str, frozenset[str]]:
    """The functions that may have to be read, each with its words but for those of the tables.

    A function's lambdas are read with it and count for it; so does, for a module's own statements,
    what stands in the bodies of classes.
    """
    known = vocabulary.every | vocabulary.shaped | vocabulary.verbs.keys()
    renamed = _renamed(indexed, known)
    shaped, verbs = _of_calls(indexed, vocabulary, renamed)
    chosen = {}
    for name, own in indexed.words.items():
        found = own & vocabulary.every
        found |= {renamed[word] for word in own & renamed.keys()}
        found |= shaped[name]
        held = found | verbs[name]
        if held and vocabulary.matter(held | LINKED):
            chosen[name] = frozenset(found)
    if MAIN in indexed.words and MODULE in chosen:
        chosen.setdefault(MAIN, frozenset())
    return chosen


def _renamed(indexed: Indexed, words: Collection[str]) -> dict[str, str]:
    """A file's own names for a word: `from time import sleep as pause`, `_sleep = time.sleep`."""
    named = list(indexed.entry.imports.items())
    for local, ways in indexed.entry.functions[MODULE].bindings.items():
        named += [(local, way.value.path) for way in ways]
    found = {}
    for local, target in named:
        last = target.rpartition(".")[2]
        if last in words and local != last:
            found[local] = last
    return found


_Found = defaultdict[str, set[str]]


def _of_calls(
    indexed: Indexed, vocabulary: Vocabulary, renamed: Mapping[str, str]
) -> tuple[_Found, _Found]:
    """The words about the calls of each function: their shapes, and what they may do."""
    shaped: _Found = defaultdict(set)
    verbs: _Found = defaultdict(set)
    for name, entry in indexed.entry.functions.items():
        reader = indexed.entry.reader(name)
        for call in entry.calls:
            method = call.method
            method = renamed.get(method, method)
            verbs[reader].update(vocabulary.may_do(call, method))
            if method in vocabulary.shaped:
                shaped[reader].update(method + shape for shape in _shapes(call))
    return shaped, verbs


def _shapes(call: Call) -> Iterator[str]:
    if _is_bare(call):
        yield BARE
        yield ONE
    elif _takes_one(call):
        yield ONE


def _is_bare(call: Call) -> bool:
    return all(
        argument.name
        or (isinstance(argument.value, Constant) and not isinstance(argument.value.value, str))
        or any(LIMITS.search(part.path) for part in argument.value.walk())
        for argument in call.arguments
    )


def _takes_one(call: Call) -> bool:
    """Whether at most one argument is given by position, and may be a number of seconds."""
    if isinstance(call.receiver, Constant | Text):
        return False
    given = [a.value for a in call.arguments if not a.name]
    return len(given) <= 1 and all(_may_be_a_number(value) for value in given)


def _may_be_a_number(value: Expression) -> bool:
    if isinstance(value, Constant):
        return not isinstance(value.value, str | bytes)
    return not isinstance(value, Text | Group | Comprehension | Starred)
