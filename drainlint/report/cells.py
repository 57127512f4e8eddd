"""How text lies on a terminal: what is safe to print, how wide it is, where it wraps."""

import re
import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_EMOJI_STYLE = "\ufe0f"
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_UNSEEN = frozenset(("Mn", "Me", "Cf", "Cc"))
_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SIGNS: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(0x20)},
    **dict.fromkeys((*range(0x80, 0xA0), 0x2028, 0x2029, *_DIRECTIONS), 0xFFFD),
    0x7F: 0x2421,
    ord("\t"): "    ",
}
_CHUNK = re.compile(r"(?:`[^`]*`|\S)+")


def shown(text: str) -> str:
    """The text as it may be printed: every tab is four blanks, wherever it stands.

    What would move the cursor, start an escape sequence or turn the direction of writing becomes a
    visible sign: code under analysis is not to be trusted with a terminal.
    """
    return text if text.isascii() and text.isprintable() else text.translate(_SIGNS)


def width_of(text: str) -> int:
    """How many cells the text takes: East Asian letters and emoji take two, accents none.

    Written here and not taken from rich, whose answer depends on its version and the environment,
    so that a report is the same everywhere.
    """
    if text.isascii():
        return len(text)
    return sum(_cells(char, before) for before, char in zip(" " + text, text, strict=False))


def _cells(char: str, before: str) -> int:
    """The cells that a character adds to what stands before it."""
    if before == _JOINER or (char in _SKIN_TONES and before > "\u2000"):
        return 0
    if char == _EMOJI_STYLE:
        return int(unicodedata.category(before) == "So" and not _is_wide(before))
    if unicodedata.category(char) in _UNSEEN and char != "\xad":
        return 0
    return 2 if _is_wide(char) else 1


def _is_wide(char: str) -> bool:
    """Whether a character takes two cells."""
    return unicodedata.east_asian_width(char) in "WF"


def wrap(text: str, width: int, taken: int = 0) -> Iterator[str]:
    """Part a text into lines of at most `width` cells, the first of which has `taken` cells less.

    Code in backticks stays together where it fits on a line; a word that is too long sticks out.
    """
    line, used = "", taken
    for chunk in _chunks(text, width):
        needed = width_of(chunk)
        if line and used + 1 + needed > width:
            yield line
            line, used = chunk, needed
        elif line:
            line, used = f"{line} {chunk}", used + 1 + needed
        else:
            line, used = chunk, used + needed
    yield line


def _chunks(text: str, width: int) -> Iterator[str]:
    """The pieces between which a line may end."""
    for chunk in _CHUNK.findall(shown(" ".join(text.split()))):
        if width_of(chunk) <= width:
            yield chunk
        else:
            yield from chunk.split()
