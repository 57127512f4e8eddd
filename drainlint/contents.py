"""What files hold, told by their digests; a file that looks unchanged is not read again.

A file is trusted where its size, its inode and its two times are what they were when it was last
read. The second time is that of the last change to anything about the file, which nobody can set
back: an edit that keeps the size and restores the time of the first is still noticed. A file that
was changed shortly before it was looked at may have been changed again within the same tick of the
file system's clock, and is read anew (as git does).
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping

from drainlint.cache import digest
from drainlint.discover import SourceFile

MARK = b"drainlint:"
"""What every comment that speaks to drainlint holds."""
TICK = 2_000_000_000
"""Nanoseconds; the coarsest clock of a file system that is still in use."""

Stamp = tuple[int, int, int, int]
Row = tuple[Stamp, bytes, bool]
"""How a file looks, the digest of its content, and whether it holds `MARK`."""
NEVER: Stamp = (0, 0, 0, 0)
"""No file looks like this."""


class Contents:
    """The digests of files, by their relative paths."""

    def __init__(self, known: Mapping[str, Row]) -> None:
        """Take what an earlier run has seen."""
        self.rows: dict[str, Row] = dict(known)
        """What is known of every file, looked at or not."""
        self.looked: set[str] = set()
        """The files whose rows are true."""
        self.changed = False
        """Whether there is anything in the rows that was not known before."""

    def look(self, files: Iterable[SourceFile]) -> None:
        """Find out what these files hold; each is looked at once."""
        trusted = time.time_ns() - TICK
        for file in files:
            path = file.relative
            if path in self.looked:
                continue
            self.looked.add(path)
            known = self.rows.get(path)
            if file.content is not None:
                self.rows[path] = _row(NEVER, file.content)
                continue
            stamp = stamp_of(file)
            if known is None or stamp == NEVER or known[0] != stamp:
                seen = stamp if max(stamp[:2]) < trusted else NEVER
                row = self.rows[path] = _read(file, seen)
                self.changed |= row != known and (known is not None or row[0] != NEVER)

    def digest(self, path: str) -> bytes:
        """The digest of what a file that was looked at holds."""
        return self.rows[path][1]

    def marked(self, path: str) -> bool | None:
        """Whether a file holds `MARK`; None for one that was not looked at."""
        return self.rows[path][2] if path in self.looked else None

    def same(self, file: SourceFile) -> bool:
        """Whether a file that was looked at still holds what it did."""
        stamp, held, _ = self.rows[file.relative]
        return _read(file, NEVER)[1] == held if stamp == NEVER else stamp_of(file) == stamp

    def lasting(self, exists: Callable[[str], bool]) -> dict[str, Row]:
        """The rows that may be trusted in another run."""
        return {p: row for p, row in self.rows.items() if row[0] != NEVER and exists(p)}


def stamp_of(file: SourceFile) -> Stamp:
    """How a file looks from outside; `NEVER` where that cannot be told."""
    try:
        status = os.stat(file.place)  # noqa: PTH116  thousands of them
    except OSError:
        return NEVER
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _read(file: SourceFile, stamp: Stamp) -> Row:
    try:
        content = file.path.read_bytes() if file.content is None else file.content
    except OSError as fault:
        return NEVER, digest(b"unreadable", (fault.strerror or str(fault)).encode()), False
    return _row(stamp, content)


def _row(stamp: Stamp, content: bytes) -> Row:
    return stamp, digest(content), MARK in content
