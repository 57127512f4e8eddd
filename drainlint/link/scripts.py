"""Which functions console scripts enter: from packaging metadata beside the code."""

import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from drainlint.index.entries import MODULE, ModuleEntry
from drainlint.model.expression import Constant, Expression

TARGET = re.compile(r"[\w.-]+\s*=\s*([\w.]+:[\w.]+)")


def scripts(root: Path, modules: Mapping[str, ModuleEntry]) -> frozenset[str]:
    """The targets of all console scripts of a project, as `package.module:function`.

    Metadata that cannot be read tells nothing; it is not ours to judge.
    """
    return frozenset([*_pyproject(root), *_setup_cfg(root), *_installed(root), *_setup_py(modules)])


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _pyproject(root: Path) -> Iterator[str]:
    try:
        table = tomllib.loads(_text(root / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return
    project = table.get("project", {})
    tool = table.get("tool", {})
    poetry = tool.get("poetry", {}) if isinstance(tool, dict) else {}
    for owner in (project, poetry):
        if isinstance(owner, dict):
            for key in ("scripts", "gui-scripts"):
                found = owner.get(key, {})
                yield from (str(v) for v in found.values()) if isinstance(found, dict) else ()


def _setup_cfg(root: Path) -> Iterator[str]:
    yield from _ini(_text(root / "setup.cfg"), "options.entry_points")


def _installed(root: Path) -> Iterator[str]:
    for folder in (*root.glob("*.dist-info"), *root.glob("*.egg-info")):
        text = _text(folder / "entry_points.txt")
        for section in ("console_scripts", "gui_scripts"):
            yield from _ini(text, "", section)


def _ini(text: str, container: str, section: str = "") -> Iterator[str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    if container and parser.has_section(container):
        for key in ("console_scripts", "gui_scripts"):
            listed = parser.get(container, key, fallback="")
            yield from (m[1] for m in TARGET.finditer(listed))
    elif section and parser.has_section(section):
        yield from (value for _, value in parser.items(section))


def _setup_py(modules: Mapping[str, ModuleEntry]) -> Iterator[str]:
    for path, entry in modules.items():
        own = entry.functions.get(MODULE)
        if path.rpartition("/")[2] != "setup.py" or own is None:
            continue
        for call in own.calls:
            points = call.argument("entry_points")
            if points is not None:
                yield from _targets(points)


def _targets(points: Expression) -> Iterator[str]:
    for part in points.walk():
        if isinstance(part, Constant) and isinstance(part.value, str):
            yield from (m[1] for m in TARGET.finditer(part.value))
