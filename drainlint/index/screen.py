"""Which functions can matter: those that hold a word of some rule, tested over their own lines."""

import re
from collections.abc import Collection, Iterator

from drainlint.index.collect import Indexed
from drainlint.index.entries import MAIN, MODULE
from drainlint.model.expression import Call, Constant
from drainlint.source import Source

LIMITS = re.compile("time|deadline|wait|delay|remain|interval|sec|block", re.IGNORECASE)
"""Names that say how long, or whether, to wait."""
Groups = tuple[frozenset[str], ...]

_SEPARATORS = {
    chr(code): " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")
}
_TABLE = str.maketrans(_SEPARATORS)


def identifiers(text: str) -> frozenset[str]:
    """All identifiers and keywords of a text, those in strings and comments included."""
    return frozenset(text.translate(_TABLE).split())


def wanted(indexed: Indexed, source: Source, words: Collection[Groups]) -> frozenset[str]:
    """The functions to be read: those in whose own lines some rule's words are all found.

    A word is an identifier, or `name()`: a call of that name whose positional arguments say no
    more than how long to wait (`get()` is a queue's, `get(key)` a dictionary's). It may let too
    much through, never too little: a function's lambdas share its lines and count for it.
    """
    every = frozenset(word for groups in words for group in groups for word in group)
    plain = frozenset(word.removesuffix("()") for word in every)
    renamed = _renamed(indexed, plain)
    if source.text.isascii() and not identifiers(source.text) & (plain | renamed.keys()):
        return frozenset()
    entries = indexed.entry.functions
    owner = _owners(indexed, len(source.lines))
    texts: dict[str, list[str]] = {name: [] for name in entries}
    for number, line in enumerate(source.lines, 1):
        texts[owner[number]].append(line)
    shaped: dict[str, set[str]] = {name: set() for name in entries}
    for entry in entries.values():
        for call in entry.calls:
            if call.method in plain and _is_bare(call):
                shaped[owner[call.place.line]].add(f"{call.method}()")
    chosen = set()
    for name, lines in texts.items():
        found = identifiers("\n".join(lines)) | shaped[name]
        found |= {renamed[word] for word in found & renamed.keys()}
        if _matter(found, every, words):
            chosen.add(name)
    if MAIN in entries and MODULE in chosen:
        chosen.add(MAIN)
    return frozenset(chosen)


def _renamed(indexed: Indexed, words: frozenset[str]) -> dict[str, str]:
    """Names under which a file imports a word: `from time import sleep as pause`."""
    found = {}
    for local, target in indexed.entry.imports.items():
        last = target.rpartition(".")[2]
        if last in words and local != last:
            found[local] = last
    return found


def _is_bare(call: Call) -> bool:
    return all(
        argument.name
        or (isinstance(argument.value, Constant) and not isinstance(argument.value.value, str))
        or any(LIMITS.search(part.path) for part in argument.value.walk())
        for argument in call.arguments
    )


def _matter(found: frozenset[str], every: frozenset[str], words: Collection[Groups]) -> bool:
    known = found & every
    return bool(known) and any(all(group & known for group in groups) for groups in words)


def _owners(indexed: Indexed, lines: int) -> list[str]:
    """The innermost function of each line, by line number."""
    owner = [MODULE] * (lines + 2)
    for name, first, last in _spans(indexed):
        owner[first : last + 1] = [name] * (min(last, lines + 1) - first + 1)
    return owner


def _spans(indexed: Indexed) -> Iterator[tuple[str, int, int]]:
    """Every span, outer ones first, so that inner ones are written over them."""
    entries = indexed.entry.functions
    main = entries.get(MAIN)
    if main is not None:
        yield MAIN, main.line, main.end_line
    spans = [(entries[name].first_line, -entries[name].end_line, name) for name in indexed.nodes]
    for first, last, name in sorted(spans):
        yield name, first, -last
