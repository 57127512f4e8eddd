"""Packaging metadata beside the code, as text: it names the functions that scripts enter."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

PYPROJECT, SETUP = "pyproject.toml", "setup.cfg"
ENTRY_POINTS = "entry_points.txt"


def metadata(root: Path) -> Mapping[str, str]:
    """The texts of a project's metadata by their relative paths, in the order of these.

    Metadata that cannot be read tells nothing; it is not ours to judge.
    """
    return {name: text for name in sorted(_names(root)) if (text := _text(root / name))}


def package(root: Path) -> str:
    """The dotted name under which a root that is a package itself is imported; else empty."""
    parts: list[str] = []
    while (root / "__init__.py").is_file() and root.name:
        parts.insert(0, root.name)
        root = root.parent
    return ".".join(parts)


def _names(root: Path) -> Iterator[str]:
    yield from (PYPROJECT, SETUP)
    try:
        entries = os.listdir(root)  # noqa: PTH208  names are all that is wanted
    except OSError:
        return
    for name in entries:
        if name.endswith((".dist-info", ".egg-info")):
            yield f"{name}/{ENTRY_POINTS}"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
