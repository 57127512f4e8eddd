"""What is measured on: real packages, pinned to the byte, unpacked and never imported."""

import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.install import run, run_pip

_CHANGE = b"\n# changed by the benchmark: "


@dataclass(frozen=True, slots=True)
class Package:
    """A distribution of the package index, and the file of it that is changed between runs."""

    name: str
    version: str
    sha256: str
    changed: str
    """A file in which drainlint finds something."""
    source: bool = False
    """Whether there is a source distribution only; pip asks its build for its name."""

    @property
    def label(self) -> str:
        """How reports name it."""
        return f"{self.name} {self.version}"


PACKAGES = (
    Package(
        "celery",
        "5.7.0",
        "18310a9c919f9029e4735367484d93e6a25cdfd30afdc474622cc263d9b35f6e",
        "celery/utils/timer2.py",
    ),
    Package(
        "distributed",
        "2026.8.0",
        "3bd8882861a2cf497453f28c6b61135fa8ef2bb1d6885ad3b9f27e887e9c0e01",
        "distributed/threadpoolexecutor.py",
    ),
    Package(
        "homeassistant",
        "2024.3.3",
        "6e1ec2c07441d63fdcfb8acd2c4bbb6f68bc97330855784d3623d10c38fe3577",
        "homeassistant/util/thread.py",
    ),
    Package(
        "salt",
        "3006.9",
        "7703c73a71c67327d48b2893ce9cf031ee52e2816df0daf78d6fe18a99b353e3",
        "salt/utils/process.py",
        source=True,
    ),
)
CLEAN = "celery/utils/deprecated.py"
"""A file of celery in which there is nothing to find, nor to read."""
FOUND = "celery/utils/timer2.py"
"""A file of celery with findings."""
SLICED = Path("homeassistant/components")
"""The folder of homeassistant whose every n-th folder makes a slice of it."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The folder that holds all that is measured; what stands there already is not made again."""

    folder: Path
    limit: float
    """Seconds that a download may take."""

    def tree(self, package: Package) -> Path:
        """A package, unpacked in a git repository; raises NotInstalledError."""
        return self._made(f"{package.name}-{package.version}", lambda at: self._unpack(package, at))

    def slice(self, package: Package, step: int) -> Path:
        """Every `step`-th folder of homeassistant's components; raises NotInstalledError."""
        whole = self.tree(package) / SLICED
        parts = sorted(path for path in whole.iterdir() if path.is_dir())[::step]

        def fill(at: Path) -> None:
            for part in parts:
                shutil.copytree(part, at / SLICED / part.name)

        return self._made(f"{package.name}-{package.version}-{step}", fill)

    def alone(self, package: Package, file: str) -> Path:
        """One file of a package in a git repository of its own; raises NotInstalledError."""
        source = self.tree(package) / file
        return self._made(f"alone-{source.stem}", lambda at: _copy(source, at / source.name))

    def _made(self, name: str, fill: Callable[[Path], None]) -> Path:
        """A git repository that `fill` has filled: there as a whole, or not at all."""
        folder = self.folder / "trees" / name
        if folder.is_dir():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            tree = Path(made) / "tree"
            tree.mkdir()
            fill(tree)
            run(["git", "init", "--quiet", str(tree)], self.limit)
            tree.joinpath(".semgrepignore").touch()  # or semgrep leaves out tests
            tree.rename(folder)
        return folder

    def _unpack(self, package: Package, folder: Path) -> None:
        """Download a distribution with pip, which checks the hash, and unpack it."""
        pin = f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n"
        kind = ["--no-binary", package.name] if package.source else ["--only-binary", ":all:"]
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            wanted = Path(made) / "requirements.txt"
            wanted.write_text(pin, encoding="utf-8")
            got = Path(made) / "got"
            pip = ["download", "--no-deps", *kind, "--require-hashes", "-r", str(wanted)]
            run_pip([*pip, "--dest", str(got)], self.limit)
            (archive,) = got.iterdir()
            unpack(archive, folder)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a wheel, or the one folder that a source distribution holds.

    Nothing is written outside of `folder`: a zip file's extraction keeps to it by itself, a tar
    file's by the `data` filter, which raises tarfile.FilterError.
    """
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)  # noqa: S202 - which writes nowhere else
        return
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        with tarfile.open(archive) as distribution:
            distribution.extractall(made, filter="data")
        (top,) = Path(made).iterdir()
        for part in top.iterdir():
            part.rename(folder / part.name)


def lines_in(folder: Path) -> int:
    """How many lines of Python a folder holds."""
    return sum(path.read_bytes().count(b"\n") for path in folder.rglob("*.py"))


@contextmanager
def changing(file: Path) -> Iterator[Callable[[], None]]:
    """A call that changes a file, each time to something new; at the end it is as it was."""
    original = file.read_bytes().partition(_CHANGE)[0]
    times = 0

    def change() -> None:
        nonlocal times
        times += 1
        file.write_bytes(original + _CHANGE + str(times).encode() + b"\n")

    try:
        yield change
    finally:
        file.write_bytes(original)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
