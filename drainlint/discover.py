# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH114, PTH116, PTH120
"""From the arguments to the files: what is checked, what is left out and why.

Ignore files and default excludes count below an argument, never for the argument itself or its
parents; the configuration's own excludes always count. Symbolic links to folders are not followed,
so that no file has two names and no walk runs in circles.

A walk meets thousands of entries, so paths are strings until a file is kept.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, overload

from drainlint.finding import Notice
from drainlint.outcome import Skipped
from drainlint.patterns import IgnoreFile, compiled, slashed

if TYPE_CHECKING:
    import re
    from collections.abc import Container

DEFAULT_EXCLUDES = (".*", "venv", "node_modules", "build", "dist", "__pycache__", "site-packages")
DEFAULT_SIDE_CODE = (
    "test/",
    "tests/",
    "test_*.py",
    "*_test.py",
    "tests.py",
    "*_tests.py",
    "conftest.py",
    "example/",
    "examples/",
    "doc/",
    "docs/",
    "bench/",
    "benchmark/",
    "benchmarks/",
    "setup.py",
    "noxfile.py",
)
"""Code beside the service: a folder's name with a slash, or a pattern for a file's name."""

_EXCLUDED_NAMES = frozenset(DEFAULT_EXCLUDES) - {".*"}
_NO_SOURCE = frozenset({".git", "__pycache__"})
"""Folders that hold nothing anybody wrote: left out without being counted."""
_NOT_CHECKED = {".pyi": "type stub", ".ipynb": "notebook"}
_MET = (".py", *_NOT_CHECKED)
"""Endings of files that a walk takes note of."""


@dataclass(frozen=True, slots=True)
class Globs:
    """Patterns as `.gitignore` writes them, relative to the folder of the file they stand in."""

    base: str
    """An absolute folder."""
    patterns: tuple[str, ...]
    origin: str
    """The file they stand in, for reasons."""

    def match(self, path: str) -> bool:
        """Whether an absolute path, or a folder that holds it, matches; folders end in a slash."""
        prefix = slashed(self.base)
        if not self.patterns or not path.startswith(prefix) or path == prefix:
            return False
        return compiled(self.patterns).match_file(path[len(prefix) :])


@dataclass(frozen=True, slots=True)
class SideCode:
    """Which files are tests, examples and set-up, by where they stand under the root."""

    root: str
    globs: tuple[Globs, ...] | None = None
    """None means `DEFAULT_SIDE_CODE`."""

    def __call__(self, relative: str) -> bool:
        """Whether a file, given relative to the root, is side code."""
        if self.globs is not None:
            path = slashed(self.root) + relative
            return any(globs.match(path) for globs in self.globs)
        names, pattern = _default_side_code()
        *folders, name = relative.split("/")
        return not names.isdisjoint(folders) or pattern.match(name) is not None


@cache
def _default_side_code() -> tuple[frozenset[str], "re.Pattern[str]"]:
    import re  # noqa: PLC0415
    from fnmatch import translate  # noqa: PLC0415

    folders = frozenset(p.rstrip("/") for p in DEFAULT_SIDE_CODE if p.endswith("/"))
    files = (translate(p) for p in DEFAULT_SIDE_CODE if not p.endswith("/"))
    return folders, re.compile("|".join(files))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read, by where it stands and by the name that reports give it."""

    place: str | Path
    """Made a path only where it is asked for: a walk meets thousands of files."""
    relative: str
    """Relative to the project's root, with forward slashes."""
    content: bytes | None = None
    """What came by standard input in the file's place."""

    @property
    def path(self) -> Path:
        """Where it stands."""
        return Path(self.place)


class Excludes(Protocol):
    """What discovery asks of a configuration."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Why it cannot be used; its files are left out then."""

    @property
    def excluding(self) -> tuple[Globs, ...]:
        """Globs that leave files out, whoever names them."""

    @property
    def default_excludes(self) -> bool:
        """Whether the default excludes count."""


ConfigOf = Callable[[str, "Container[str] | None"], Excludes]
"""The configuration that a folder's files obey; the folder's listing spares looking for it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the arguments come to."""

    files: tuple[SourceFile, ...]
    """In the order of their relative paths, each once."""
    skipped: tuple[Skipped, ...]
    notices: tuple[Notice, ...]
    empty: tuple[str, ...]
    """Arguments that are folders without a file to check."""


def common_folder(paths: Iterable[str]) -> Path:
    """The deepest folder that holds every path; a path that is no folder counts by its parent."""
    absolute = map(os.path.abspath, paths)
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in absolute]
    return Path(os.path.commonpath(folders)) if folders else Path.cwd()


def find_root(paths: Iterable[str], configured: Callable[[str], object]) -> Path:
    """The project's root: the repository's, else the nearest folder that `configured` accepts.

    A repository comes first, so that a file of a folder with its own configuration is judged from
    the same root whether it is named alone or met in a run over the whole repository. Without
    either it is the folder that holds all paths.
    """
    common = common_folder(paths)
    upward = (common, *common.parents)
    for folder in upward:
        if os.path.lexists(folder / ".git"):
            return folder
    return next((folder for folder in upward if configured(str(folder))), common)


class Project(Sequence[SourceFile]):
    """The files that facts come from: those asked for, then every other file under the root.

    The others are looked for only when somebody goes beyond `asked`, because a run that can
    find nothing in the files asked for needs no others.
    """

    def __init__(
        self, asked: tuple[SourceFile, ...], walk: Callable[[], Iterable[SourceFile]]
    ) -> None:
        """Keep how to find the others."""
        self.asked = asked
        self._walk = walk

    @cached_property
    def _files(self) -> tuple[SourceFile, ...]:
        known = {file.relative for file in self.asked}
        return (*self.asked, *(file for file in self._walk() if file.relative not in known))

    @overload
    def __getitem__(self, index: int) -> SourceFile: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SourceFile, ...]: ...
    def __getitem__(self, index: int | slice) -> SourceFile | tuple[SourceFile, ...]:
        return self._files[index]

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[SourceFile]:
        yield from self.asked
        yield from self._files[len(self.asked) :]


def absolute(path: str) -> str:
    """An absolute path with forward slashes; symbolic links stay as they are."""
    return os.path.abspath(path).replace(os.sep, "/")


def _ending(name: str) -> str:
    return name[name.rfind(".") :]


@dataclass(slots=True)
class _Net:
    """What a walk has gathered so far."""

    files: dict[str, SourceFile] = field(default_factory=dict)
    """By relative path."""
    links: dict[str, str] = field(default_factory=dict)
    """Relative path to real path, of files that are symbolic links."""
    skipped: dict[str, str] = field(default_factory=dict)
    notices: dict[str, Notice] = field(default_factory=dict)
    walked: set[str] = field(default_factory=set)


class Discovery:
    """Finds the files of one project."""

    def __init__(self, root: Path, config_of: ConfigOf) -> None:
        """Keep the root and the way to a folder's configuration."""
        self.root = root
        self._prefix = slashed(absolute(str(root)))
        self._config_of = config_of
        self._ignores: dict[str, IgnoreFile] = {}
        self._all: _Net | None = None
        """What a walk from the root has gathered, where one was made already."""

    def asked(self, paths: Iterable[str], stdin: SourceFile | None = None) -> Found:
        """The files that the arguments name and hold, and what came by standard input."""
        net = _Net()
        empty = [path for path in paths if not self._argument(path, net)]
        if stdin is not None and not self._left_out(str(stdin.path), net):
            net.files[stdin.relative] = stdin
        everything = absolute(str(self.root)) in net.walked and not net.links
        self._all = net if everything else None
        real = {str(file.place): name for name, file in net.files.items() if name not in net.links}
        for name, target in sorted(net.links.items()):
            other = real.setdefault(target, name)
            if other != name:
                del net.files[name]
                net.skipped[name] = "symbolic link to a file that is checked"
        return Found(
            files=tuple(net.files[name] for name in sorted(net.files)),
            skipped=tuple(
                Skipped(path, reason)
                for path, reason in sorted(net.skipped.items())
                if path not in net.files
            ),
            notices=tuple(net.notices[path] for path in sorted(net.notices)),
            empty=tuple(empty),
        )

    def project(self, found: Found) -> Project:
        """What was asked for and, once somebody wants them, all other files under the root."""

        def walk() -> list[SourceFile]:
            net = self._all
            if net is None:
                net = _Net()
                self._walk(self._prefix.rstrip("/"), net)
            return [net.files[name] for name in sorted(net.files)]

        return Project(found.files, walk)

    def relative(self, path: str) -> str:
        """An absolute path as reports name it."""
        if path.startswith(self._prefix):
            return path[len(self._prefix) :]
        return "." if path == self._prefix.rstrip("/") else path

    def _argument(self, argument: str, net: _Net) -> bool:
        """Take in one argument; False for a folder that holds nothing to check."""
        path = absolute(argument)
        relative = self.relative(path)
        shown = argument if relative == path else relative
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as error:
            text = getattr(error, "strerror", None) or str(error)
            net.notices[shown] = Notice("DRN002", shown, f"cannot be read: {text}")
            return True
        if stat.S_ISDIR(mode):
            before = len(net.files) + len(net.notices)
            again = path in net.walked
            if not self._left_out(path + "/", net):
                self._walk(path, net)
            return again or len(net.files) + len(net.notices) > before or self._has(path, net)
        if not stat.S_ISREG(mode):
            net.notices[shown] = Notice("DRN002", shown, "cannot be read: not a regular file")
        elif not self._left_out(path, net):
            self._keep(path, net, link=os.path.islink(path))
        return True

    def _has(self, folder: str, net: _Net) -> bool:
        """Whether other arguments have brought files of this folder, or all of it is left out."""
        prefix = slashed(self.relative(folder))
        return any(name.startswith(prefix) for name in (*net.files, *net.skipped))

    def _left_out(self, path: str, net: _Net) -> bool:
        """Whether a path that somebody named is left out all the same; notes the reason."""
        config = self._config_of(os.path.dirname(path), None)
        reason = next((f"excluded by {g.origin}" for g in config.excluding if g.match(path)), "")
        if not path.endswith("/"):
            reason = reason or _NOT_CHECKED.get(_ending(path), "")
            reason = reason or ("faulty configuration" if config.problems else "")
        if reason:
            net.skipped[self.relative(path)] = reason
        return bool(reason)

    def _keep(self, path: str, net: _Net, *, link: bool) -> None:
        relative = self.relative(path)
        net.files[relative] = SourceFile(path, relative)
        if link:
            net.links[relative] = os.path.realpath(path).replace(os.sep, "/")

    def _walk(self, top: str, net: _Net) -> None:
        """Gather what a folder holds."""
        waiting = [(top, self._above(top or "/"))]
        while waiting:
            folder, ignores = waiting.pop()
            net.walked.add(folder)
            try:
                with os.scandir(folder or "/") as scan:
                    entries = {entry.name: entry for entry in scan}
            except OSError as error:
                relative = self.relative(folder)
                text = f"cannot be read: {error.strerror}"
                net.notices[relative] = Notice("DRN002", relative, text)
                continue
            if ".git" in entries:
                ignores = self._ignore_file(f"{folder}/.git/info/exclude", folder)
            if ".gitignore" in entries:
                ignores = (*self._ignore_file(f"{folder}/.gitignore", folder), *ignores)
            config = self._config_of(folder or "/", entries)
            met = (entry for entry in entries.values() if _may_count(entry))
            below = (self._entry(folder, entry, ignores, config, net) for entry in met)
            waiting += [(path, ignores) for path in below if path]

    def _entry(
        self,
        folder: str,
        entry: "os.DirEntry[str]",
        ignores: tuple[IgnoreFile, ...],
        config: Excludes,
        net: _Net,
    ) -> str | None:
        """Take in one entry of a folder; the path of a folder to walk on into."""
        name = entry.name
        path = f"{folder}/{name}"
        if entry.is_dir(follow_symlinks=False):
            if name in _NO_SOURCE:
                return None
            reason = _reason(path + "/", name + "/", ignores, config)
            if not reason:
                return path
            net.skipped[self.relative(path) + "/"] = reason
        elif name.endswith(_MET):
            reason = _reason(path, name, ignores, config) or self._unfit(entry, path, config)
            if reason:
                net.skipped[self.relative(path)] = reason
            else:
                self._keep(path, net, link=entry.is_symlink())
        elif entry.is_symlink() and os.path.isdir(path):
            reason = _reason(path + "/", name + "/", ignores, config)
            net.skipped[self.relative(path) + "/"] = reason or "symbolic link to a folder"
        return None

    def _unfit(self, entry: "os.DirEntry[str]", path: str, config: Excludes) -> str:
        """Why a file met on the way cannot be checked, empty if it can."""
        reason = _NOT_CHECKED.get(_ending(path), "")
        if not reason and entry.is_symlink():
            target = os.path.realpath(path).replace(os.sep, "/")
            if not os.path.exists(target):
                reason = "broken symbolic link"
            elif target.startswith(self._prefix) and target.endswith(".py"):
                reason = "symbolic link within the project"
        if not reason and not entry.is_file(follow_symlinks=False) and not os.path.isfile(path):
            reason = "not a regular file"
        return reason or ("faulty configuration" if config.problems else "")

    def _above(self, top: str) -> tuple[IgnoreFile, ...]:
        """The ignore files above a folder that do not hide the folder itself, nearest first."""
        path = Path(top)
        above = (path, *path.parents)
        start = next((folder for folder in above if os.path.lexists(folder / ".git")), self.root)
        ignores: tuple[IgnoreFile, ...] = ()
        for folder in reversed(path.parents):
            if folder.is_relative_to(start):
                base = absolute(str(folder))
                if folder == start:
                    ignores = self._ignore_file(f"{base}/.git/info/exclude", base)
                ignores = (*self._ignore_file(f"{base}/.gitignore", base), *ignores)
        return tuple(file for file in ignores if not file.hides(top))

    def _ignore_file(self, file: str, base: str) -> tuple[IgnoreFile, ...]:
        """An ignore file, read once; none where there is no such file."""
        if file not in self._ignores:
            if not os.path.isfile(file):
                return ()
            self._ignores[file] = IgnoreFile(file, base)
        return (self._ignores[file],)


def _may_count(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is more than one of the many files that are no source."""
    return entry.name.endswith(_MET) or entry.is_dir(follow_symlinks=False) or entry.is_symlink()


def _reason(path: str, name: str, ignores: tuple[IgnoreFile, ...], config: Excludes) -> str:
    """Why an entry met on the way is left out, empty if it is not; folders end in a slash."""
    if config.default_excludes and (name[0] == "." or name.rstrip("/") in _EXCLUDED_NAMES):
        return "excluded by default"
    for file in ignores:
        verdict = file.verdict(path, name)
        if verdict is not None:
            if verdict:
                return "ignored by git"
            break
    return next(
        (f"excluded by {globs.origin}" for globs in config.excluding if globs.match(path)), ""
    )
