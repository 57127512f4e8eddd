"""Programs made of text, for tests of what the link knows."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

from drainlint.analysis import Options, link
from drainlint.config import Configs, Overrides, RuleNames
from drainlint.discover import SourceFile
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.model.expression import Call, Name
from drainlint.model.kind import Kind

ROOT = Path(__file__).parent / "nowhere"


def program(files: str | Mapping[str, str]) -> Program:
    """The linked program of a project, given as paths and texts or as the text of `app.py`."""
    given = {"app.py": files} if isinstance(files, str) else files
    configs = Configs(ROOT, RuleNames(()), Overrides(isolated=True))
    sources = [
        SourceFile(ROOT / path, path, textwrap.dedent(text).encode())
        for path, text in given.items()
    ]
    options = Options(ROOT, configs.settings, {}, 1, frozenset())
    return link(sources, options).program


def kind_in(made: Program, function: str, name: str, path: str = "app.py") -> Kind | None:
    """What a dotted name is, where it is written in a function."""
    return made.kinds.of(FunctionId(path, function), Name(name))


def call_in(made: Program, function: str, method: str, path: str = "app.py") -> Call:
    """The first call of `method` in a function."""
    calls = made.names.function(FunctionId(path, function)).calls
    return next(c for c in calls if c.method == method)
