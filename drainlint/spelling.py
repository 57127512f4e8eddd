"""Words that people may have meant."""

from collections.abc import Iterable


def closest(word: str, words: Iterable[str]) -> str:
    """`; did you mean ...?` with the word that looks most like this one, or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415  only after a mistake

    spelled = {w.casefold(): w for w in words}
    match = get_close_matches(word.casefold(), spelled, 1)
    return f"; did you mean `{spelled[match[0]]}`?" if match else ""
