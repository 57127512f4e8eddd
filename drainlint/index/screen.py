"""Which functions can matter: those that hold a word of some rule, tested over their own lines."""

from collections.abc import Collection, Iterator

from drainlint.index.collect import Indexed
from drainlint.index.entries import MAIN, MODULE
from drainlint.source import Source

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

    It may let too much through, never too little: a function's lambdas and nested functions that
    share its lines count for it.
    """
    every = frozenset(word for groups in words for group in groups for word in group)
    if not identifiers(source.text) & every and source.text.isascii():
        return frozenset()
    entries = indexed.entry.functions
    owner = _owners(indexed, len(source.lines))
    texts: dict[str, list[str]] = {name: [] for name in entries}
    for number, line in enumerate(source.lines, 1):
        texts[owner[number]].append(line)
    chosen = {
        name
        for name, lines in texts.items()
        if lines and _matter(identifiers("\n".join(lines)), every, words)
    }
    if MAIN in entries and MODULE in chosen:
        chosen.add(MAIN)
    return frozenset(chosen)


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
    spans = [
        (entries[name].first_line, -entries[name].end_line, name) for name in indexed.nodes
    ]
    for first, last, name in sorted(spans):
        yield name, first, -last
