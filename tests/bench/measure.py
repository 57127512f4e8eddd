"""One run of a command: how long it took, how busy it was, how much memory it held.

Processor time is the whole tree's: the benchmark adopts what a command leaves behind, such as the
server that starts Python's worker processes, and counts it too.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.bench.install import last_line

_PR_SET_CHILD_SUBREAPER = 36
"""From linux/prctl.h."""
_OFTEN, _SELDOM = 0.005, 0.05
"""Seconds between two looks at the memory: at first, and after a while."""
_PATIENCE = 1.0
"""Seconds that what a command leaves behind has to end once it is killed."""
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, and the exit codes that mean that it did its work."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    accepted: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run cost."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of all processes, in user mode and in the kernel."""
    memory: int | None = None
    """The most that all processes held at a time, in bytes, shared pages counted once; None where
    nobody looked."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that gave no figures."""

    reason: str


def adopt_orphans() -> None:
    """Become the parent of what commands leave behind, where the system knows such a thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def measure(command: Command, limit: float, *, watch: bool = False) -> Sample | Failure:
    """Run a command once; `watch` looks at its memory all the while, which takes some time too.

    What it leaves behind is killed. A command that takes more than `limit` seconds is, too.
    """
    before = _spent()
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        with _Guard(process.pid, limit, watch=watch) as guard:
            code = process.wait()
        wall = time.perf_counter() - start
        _kill(process.pid)
        _reap()
        errors.seek(0)
        said = last_line(errors.read().decode(errors="replace"))
    if guard.killed:
        return Failure(f"over {limit:g} s")
    if code not in command.accepted:
        return Failure(f"exit code {code}: {said}" if said else f"exit code {code}")
    return Sample(wall, _spent() - before, guard.most if watch else None)


class _Guard(threading.Thread):
    """Kills a command after its limit, and looks at its memory until then if it is to."""

    def __init__(self, pid: int, limit: float, *, watch: bool) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.limit = limit
        self.watch = watch
        self.most: int | None = None
        self.killed = False
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join(_PATIENCE)

    def run(self) -> None:
        """Wait for the command's end in steps that grow, so that looking costs little of it."""
        begin = time.monotonic()
        passed = 0.0
        while passed < self.limit:
            step = self._step(passed) if self.watch else self.limit
            if self._ended.wait(min(step, self.limit - passed)):
                return
            if self.watch and (held := memory(self.pid)):
                self.most = max(held, self.most or 0)
            passed = time.monotonic() - begin
        self.killed = True
        _kill(self.pid)

    def _step(self, passed: float) -> float:
        """A look takes longer the more there is to see."""
        return max(_OFTEN, min(_SELDOM, passed / 10), passed / 100)


def memory(pid: int) -> int:
    """Bytes that a process and all below it hold now; 0 where the system does not tell."""
    return sum(_proportional(each) for each in _tree(pid))


def _tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for listed in PROC.glob(f"{pid}/task/*/children"):
        for child in _text(listed).split():
            yield from _tree(int(child))


def _proportional(pid: int) -> int:
    """Bytes of one process, of shared pages its share."""
    for line in _text(PROC / str(pid) / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(file: Path) -> str:
    """A file of /proc; nothing where its process has ended."""
    try:
        return file.read_text()
    except OSError:
        return ""


def _spent() -> float:
    """Processor seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _kill(group: int) -> None:
    """Kill what is left of a process group, if anything."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _reap() -> None:
    """Wait for the adopted, so that their time counts as that of children."""
    end = time.monotonic() + _PATIENCE
    with suppress(ChildProcessError):
        while time.monotonic() < end:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(_OFTEN)
