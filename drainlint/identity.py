# ruff: noqa: PTH118, PTH123
"""What facts rest on beside the files they are about: drainlint, Python, what users teach it."""

import os
import sys
from collections.abc import Iterator, Mapping

from drainlint.cache import digest

SOURCES = (".py", ".toml", ".json")
LIBCST = ("_version.py", "__init__.py")
"""Files that change with libcst's version: importing it, or asking for metadata, takes too long."""


def identity(knowledge: Mapping[str, object]) -> bytes:
    """A digest of drainlint's own files, of the Python and libcst in use, and of users' tables.

    By content and not by version, so that neither a development install nor a changed table is
    ever served old facts.
    """
    package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  300 files
    own = [part for name in sorted(_sources(package)) for part in (name.encode(), _read(name))]
    about = (sys.version, sys.implementation.cache_tag or "", repr(knowledge))
    return digest(*(text.encode("utf-8", "backslashreplace") for text in about), *own, _libcst())


def _libcst() -> bytes:
    """What tells the version of the libcst that would be imported."""
    files = (os.path.join(folder, "libcst", name) for folder in sys.path for name in LIBCST)
    return next(filter(None, map(_read, files)), b"")


def _sources(folder: str) -> Iterator[str]:
    """The files that drainlint is made of."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _sources(entry.path)
            elif entry.name.endswith(SOURCES):
                yield entry.path


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError:
        return b""
