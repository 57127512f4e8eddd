"""The text of a file, decoded as Python decodes it."""

import io
import re
import tokenize
from dataclasses import dataclass

LINE_END = re.compile(r"\r\n|\r|\n")
"""Python's own line ends; `str.splitlines` knows more, and would count lines wrongly."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text and lines."""

    path: str
    """Relative to the project's root, with forward slashes."""
    text: str
    lines: tuple[str, ...]
    """Without their ends."""
    wide: frozenset[int] = frozenset()
    """The numbers, from 1, of the lines in which a character may take several bytes."""

    def column(self, line: int, offset: int) -> int:
        """A column of code points, from 1, for an offset in bytes of UTF-8 as `ast` counts."""
        if line in self.wide:
            return len(self.lines[line - 1].encode()[:offset].decode(errors="ignore")) + 1
        return offset + 1

    def excerpt(self, first: int, last: int) -> str:
        """The lines from `first` to `last`, counted from 1, each with a plain end."""
        return "\n".join(self.lines[first - 1 : last]) + "\n"


def decode(path: str, content: bytes) -> Source:
    """Decode a file by its byte order mark or PEP 263 cookie.

    Raises SyntaxError for an unknown encoding or cookie, UnicodeDecodeError (a ValueError) for
    bytes that do not fit it.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    try:
        text = content.decode(encoding)
    except LookupError as fault:  # `rot13`: a codec, but none of text
        raise SyntaxError(str(fault)) from fault
    lines = LINE_END.split(text) if "\r" in text else text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    wide = () if text.isascii() else (n for n, line in enumerate(lines, 1) if not line.isascii())
    return Source(path, text, tuple(lines), frozenset(wide))
