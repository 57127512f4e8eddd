"""Which functions console scripts enter: from packaging metadata beside the code."""

import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping

from drainlint.index.entries import MODULE, ModuleEntry
from drainlint.metadata import ENTRY_POINTS, PYPROJECT, SETUP
from drainlint.model.expression import Constant, Expression

OPTIONS = "options.entry_points"
"""The section of `setup.cfg` that lists scripts."""
TARGET = re.compile(r"[\w.-]+\s*=\s*([\w.]+:[\w.]+)")


def scripts(texts: Mapping[str, str], modules: Mapping[str, ModuleEntry]) -> frozenset[str]:
    """The targets of all console scripts of a project, as `package.module:function`.

    `texts` are the project's packaging metadata by their paths relative to its root.
    """
    listed = [*_pyproject(texts.get(PYPROJECT, "")), *_ini(texts.get(SETUP, ""), OPTIONS)]
    return frozenset([*listed, *_installed(texts), *_setup_py(modules)])


def _pyproject(text: str) -> Iterator[str]:
    try:
        table = tomllib.loads(text)
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


def _installed(texts: Mapping[str, str]) -> Iterator[str]:
    for path, text in texts.items():
        if path.endswith(f"/{ENTRY_POINTS}"):
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
