"""Who is measured: drainlint from this working tree, and others with their related checks."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.bench.install import run, run_pip
from tests.bench.measure import Command

PROJECT = Path(__file__).parents[2]
_RULES = Path(__file__).with_name("semgrep.yml")
_UNSET = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED", "VIRTUAL_ENV")


class State(StrEnum):
    """What a tool knows of the files when it starts."""

    COLD = "cold"
    """Nothing: it uses no cache."""
    WARM = "warm"
    """Everything: it has read the same files before."""
    CHANGED = "one file changed"
    """All but one file."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A linter, how it is installed and how it is called; `{home}` is a folder of its own."""

    name: str
    version: str
    arguments: tuple[str, ...]
    accepted: frozenset[int]
    """Exit codes that mean that it did its work."""
    cold: tuple[str, ...] = ()
    """The arguments that keep it from using a cache."""
    cached: tuple[str, ...] = ()
    """The arguments that give it a cache, `{cache}`; empty for a tool that has none."""
    further: tuple[str, ...] = ()
    """Requirements beside the tool itself."""


FOUND_OR_NOT = frozenset({0, 1})
_PYLINT = (
    "missing-timeout,subprocess-run-check,subprocess-popen-preexec-fn,consider-using-with,"
    "bare-except,broad-exception-caught,lost-exception,return-in-finally,"
    "bad-thread-instantiation,useless-with-lock,consider-using-sys-exit"
)
_PYLINT_WARNED = frozenset({0, 4, 8, 4 + 8})
"""Bits for warnings and refactorings; 1 is a crash, 2 an error or wrong usage."""
DRAINLINT = Tool(
    "drainlint",
    "",
    (sys.executable, "-P", "-m", "drainlint", "--isolated", "--output", "concise"),
    FOUND_OR_NOT,
    cold=("--no-cache",),
    cached=("--cache-dir", "{cache}"),
)
RUFF = Tool(
    "ruff",
    "0.17.6",
    (
        "{home}/bin/ruff",
        *("check", "--isolated", "--output-format", "concise"),
        *("--select", "ASYNC,S,BLE,TRY,PLW,B012,E722,RUF006,SIM115"),
    ),
    FOUND_OR_NOT,
    cold=("--no-cache",),
    cached=("--cache-dir", "{cache}"),
)
PEERS = (
    RUFF,
    Tool(
        "flake8-async",
        "26.8.1",
        ("{home}/bin/flake8", "--isolated", "--select", "ASYNC"),
        FOUND_OR_NOT,
        further=("flake8==7.5.0",),
    ),
    Tool(
        "pylint",
        "4.1.4",
        (
            "{home}/bin/pylint",
            *("--rcfile={home}/empty", "--persistent=n", "--recursive=y", "--jobs=0", "--score=n"),
            *("--disable=all", f"--enable={_PYLINT}"),
        ),
        _PYLINT_WARNED,
    ),
    Tool(
        "bandit",
        "1.9.4",
        (
            "{home}/bin/bandit",
            *("--quiet", "--recursive"),
            *("--tests", "B110,B112,B113,B312,B321,B404,B602,B603,B604,B605,B606,B607"),
        ),
        FOUND_OR_NOT,
    ),
    Tool(
        "semgrep",
        "1.180.0",
        (
            "{home}/bin/semgrep",
            *("scan", "--config", str(_RULES), "--metrics", "off", "--disable-version-check"),
            *("--quiet", "--max-target-bytes", "0", "--timeout", "0"),
        ),
        FOUND_OR_NOT,
    ),
)


COMPARED = (DRAINLINT, RUFF)
"""The two that every case has: fast enough to be run as often as is asked."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A tool that can be run."""

    tool: Tool
    home: Path
    """Its environment."""
    scratch: Path
    """Where all tools keep bytecode and state."""

    def command(self, folder: Path, target: str, state: State, cache: Path) -> Command:
        """Check `target` from within `folder`."""
        more = self.tool.cold if state is State.COLD else self.tool.cached
        words = (*self.tool.arguments, *more, target)
        filled = (word.format(home=self.home, cache=cache) for word in words)
        return Command(tuple(filled), folder, self._environment(), self.tool.accepted)

    def _environment(self) -> Mapping[str, str]:
        """Ours, with bytecode written, and with the user's own settings out of reach."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in _UNSET and not name.startswith("GIT_")
        }
        added = {
            "PYTHONPYCACHEPREFIX": str(self.scratch / "bytecode"),
            "XDG_CONFIG_HOME": str(self.scratch),
            "XDG_CACHE_HOME": str(self.scratch),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PYLINTHOME": str(self.scratch / "pylint"),
            "SEMGREP_SETTINGS_FILE": str(self.scratch / "semgrep-settings.yml"),
            "SEMGREP_LOG_FILE": str(self.scratch / "semgrep.log"),
            "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }
        if self.tool is DRAINLINT:
            added["PYTHONPATH"] = str(PROJECT)
        return kept | added


def install(tool: Tool, folder: Path, limit: float) -> Installed:
    """A tool in an environment of its own below a folder; raises NotInstalledError."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    if tool is DRAINLINT:
        return Installed(tool, Path(sys.prefix), scratch)
    home = folder / "peers" / f"{tool.name}-{tool.version}"
    done = home / "empty"
    if not done.exists():
        run([sys.executable, "-m", "venv", "--clear", str(home)], limit)
        wanted = (f"{tool.name}=={tool.version}", *tool.further)
        run_pip(["install", "--quiet", *wanted], limit, str(home / "bin" / "python"))
        done.touch()
    return Installed(tool, home, scratch)
