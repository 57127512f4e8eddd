"""What several tests need: the engine on source text, and repositories made on the spot."""

import ast
import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from drainlint import rules
from drainlint.analysis import Analysis, Options, analyse
from drainlint.config import Configs, Overrides, RuleNames
from drainlint.discover import SourceFile
from drainlint.finding import Finding, Level

PROJECT = Path(__file__).parents[1]
GIT = shutil.which("git")
os.environ["DRAINLINT_CACHE_DIR"] = tempfile.mkdtemp(prefix="drainlint-tests-")
atexit.register(shutil.rmtree, os.environ["DRAINLINT_CACHE_DIR"], ignore_errors=True)

ROOT = Path(__file__).parent / "nowhere"
"""The root of projects that exist in memory only."""

IMPORTED_FOR_EXAMPLES = (
    "asyncio",
    "atexit",
    "collections",
    "concurrent.futures",
    "contextlib",
    "logging",
    "multiprocessing",
    "os",
    "queue",
    "random",
    "select",
    "signal",
    "socket",
    "socketserver",
    "subprocess",
    "sys",
    "threading",
    "time",
    "weakref",
)


def analysis_of(
    files: Mapping[str, bytes],
    *,
    select: Iterable[str] | None = None,
) -> Analysis:
    """What the engine makes of a project: relative paths with their contents, all asked for."""
    chosen = None if select is None else tuple(select)
    configs = Configs(ROOT, RuleNames(rules.cards()), Overrides(select=chosen, isolated=True))
    sources = [SourceFile(ROOT / path, path, content) for path, content in files.items()]
    options = Options(
        root=ROOT,
        settings=configs.settings,
        knowledge=configs.knowledge,
        jobs=1,
        rules=frozenset().union(*(configs.settings(path).rules for path in files)),
    )
    return analyse(sources, frozenset(files), options)


def findings_in(
    source: str | Mapping[str, str],
    *,
    strict: bool = True,
    select: Iterable[str] | None = None,
    path: str = "service.py",
) -> list[Finding]:
    """The findings in one file's text, or in a project's (path to text), in report order.

    `strict` keeps notes; `select` names the rules to run, all of them without it.
    """
    project = {path: source} if isinstance(source, str) else source
    analysis = analysis_of({p: t.encode() for p, t in project.items()}, select=select)
    assert not [*analysis.unparsable, *analysis.unreadable, *analysis.crashes]
    return [f for f in analysis.findings if strict or f.level > Level.NOTE]


def with_imports(example: str) -> str:
    """An example as a whole file: it starts with the imports that it leaves out.

    A page's example need not import the modules of `IMPORTED_FOR_EXAMPLES`: each one that it uses
    as `module.name`, and neither imports nor defines itself, is imported for it. Everything else
    that matters to a finding stands in the example.
    """
    tree = ast.parse(example)
    used, bound = set[str](), set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name)):
                used.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                bound.add(name)
            case ast.ClassDef(name=name):
                bound.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                bound.update((alias.asname or alias.name).split(".")[0] for alias in names)
    missing = [name for name in IMPORTED_FOR_EXAMPLES if name.split(".")[0] in used - bound]
    return "".join(f"import {name}\n" for name in missing) + example


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular, whatever the machine's own settings are."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    nobody = dict.fromkeys(("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"), os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        nobody |= {f"GIT_{role}_NAME": "nobody", f"GIT_{role}_EMAIL": "nobody@localhost"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=environment | nobody,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A git repository in which these files are staged."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(folder, "add", "--all")
    return folder


def working_tree(folder: Path) -> Path:
    """A git repository whose one commit is this project as it stands here, committed or not."""
    repository(folder, {})
    listed = git(PROJECT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        source, target = PROJECT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "the working tree")
    return folder
