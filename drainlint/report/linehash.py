r"""GitHub's line hash: the one fingerprint by which code scanning tells alerts apart.

The algorithm is the one that github/codeql-action publishes in `src/fingerprints.ts`: a rolling
hash modulo 2**64, base 37, over the 100 UTF-16 units that follow a line's start, where blanks and
tabs are skipped, every line end counts as `\n`, 65535 marks the end of the file and zeros follow
it. `:n` behind it tells the n-th line of the file with the same hash.

Here only the wanted lines are hashed; those before them are compared unit by unit, which is what
equal hashes stand for.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from struct import unpack

_WINDOW = 100
_BASE = 37
_MASK = 2**64 - 1
_LINE_END = "\n".encode("utf-16-le")
_END_MARK = b"\xff\xff"
_UNIT = 2
"""Bytes."""


def line_hashes(lines: tuple[str, ...], wanted: Collection[int]) -> Mapping[int, str]:
    """The hashes of the wanted lines, by line number from 1; lines that do not exist have none.

    The lines are those of the whole file: its text parted at line ends, so that the last one is
    empty where the file ends with a line end.
    """
    if not any(0 < number <= len(lines) for number in wanted):
        return {}
    units = [_units(line) for line in lines]
    text = _LINE_END.join(units) + _END_MARK + bytes(_WINDOW * _UNIT)
    windows = []
    start = 0
    for line in units:
        windows.append(text[start : start + _WINDOW * _UNIT])
        start += len(line) + _UNIT
    counts: Counter[bytes] = Counter()
    hashes = {}
    for number, window in enumerate(windows, start=1):
        counts[window] += 1
        if number in wanted:
            hashes[number] = f"{_hash(window):x}:{counts[window]}"
    return hashes


def _units(line: str) -> bytes:
    """The UTF-16 units of a line that count."""
    return line.replace(" ", "").replace("\t", "").encode("utf-16-le", "surrogatepass")


def _hash(window: bytes) -> int:
    """The hash of one window."""
    value = 0
    for unit in unpack(f"<{_WINDOW}H", window):
        value = (value * _BASE + unit) & _MASK
    return value
