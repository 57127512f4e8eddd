"""Where facts are kept between runs: a folder for each project in the user's cache folder.

A file holds a value behind a header: what it is, whom it serves (a digest of all that facts depend
on beside the analysed files) and a checksum. Whatever does not fit (damaged, cut short, of another
version, written by somebody else) is no value, and is written anew. A file is written beside its
place and renamed, so that another run sees the old one or the new one and never a mixture.

Values are pickled, because nothing else in the standard library reads thousands of small values as
fast. A pickle can run code when it is read, so these are read only from a folder that belongs to
the user and that nobody else may write to, behind the checksum, and by a reader that makes nothing
but drainlint's own values: whoever gets past the first two still finds no function to call.
"""

import os
import pickle
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

MAGIC = b"drainlint facts 1\n"
SIZE = 16
"""Bytes of a digest."""
TAG = "CACHEDIR.TAG"
"""Marks a folder as ours, as backup programs know it; its time says when it was last of use."""
TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# Facts that drainlint keeps.\n"
ENDING = ".facts"
DAY = 24 * 60 * 60
UNUSED = 30 * DAY
"""Seconds after which a project that nobody checks is forgotten."""
ROOM = 500_000_000
"""Bytes that all projects may take together."""
_VALUES = frozenset(
    f"drainlint.{part}" for part in ("finding", "gather", "index.entries", "knowledge")
)
"""Modules of values, beside those of `drainlint.model`."""
_CONSTANTS: Mapping[str, Any] = {"complex": complex, "Ellipsis": ...}
"""What source code holds as a constant, and pickles name."""


def digest(*parts: bytes) -> bytes:
    """A digest of several parts, each counted with its length."""
    made = blake2b(digest_size=SIZE)
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.digest()


def default_folder() -> Path | None:
    """The user's cache folder for drainlint; None where there is no home."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/AppData/Local")  # noqa: PTH111
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")  # noqa: PTH111  which raises nothing
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):  # noqa: PTH117  what is not absolute is to be passed over
            base = os.path.expanduser("~/.cache")  # noqa: PTH111  which raises nothing
    return Path(base, "drainlint") if os.path.isabs(base) else None  # noqa: PTH117


class _Reader(pickle.Unpickler):
    """Reads drainlint's own values, and refuses to look up anything else."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  whatever it is
        return _named(module, name)


@cache
def _named(module: str, name: str) -> Any:  # noqa: ANN401
    """A class of values or a constant; raises pickle.UnpicklingError for whatever is neither."""
    if module == "builtins" and name in _CONSTANTS:
        return _CONSTANTS[name]
    if module in _VALUES or module.startswith("drainlint.model."):
        __import__(module)
        found = vars(sys.modules[module]).get(name)
        if isinstance(found, type) and found.__module__ == module:
            return found
    raise pickle.UnpicklingError(f"{module}.{name} is no value of drainlint's")


def pack(value: object) -> bytes:
    """A value as bytes; raises RecursionError for one that is nested too deeply."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> Any:  # noqa: ANN401  whatever was packed
    """The value again; raises pickle.UnpicklingError or another Exception where there is none."""
    return _Reader(BytesIO(packed)).load()


class Store:
    """The kept values of one project, each under a name of its own."""

    def __init__(self, base: Path, root: Path, key: bytes) -> None:
        """Take the cache folder, the project's root, and a digest of what else values rest on.

        Each Python and each installation of drainlint has a folder of its own, because one would
        throw away what the other needs.
        """
        owner = f"{root}\0{sys.implementation.cache_tag}\0{Path(__file__).parent}"
        self.base = base
        self.folder = base / digest(owner.encode("utf-8", "surrogateescape")).hex()
        self._key = key
        self._written = False

    def load(self, name: str) -> Any:  # noqa: ANN401  whatever was saved
        """The value of this name; None where there is none that can be trusted."""
        if not self._ours:
            return None
        try:
            content = (self.folder / (name + ENDING)).read_bytes()
        except OSError:
            return None
        start = len(MAGIC) + 2 * SIZE
        head, payload = content[:start], memoryview(content)[start:]
        if head != MAGIC + self._key + blake2b(payload, digest_size=SIZE).digest():
            return None
        try:
            return _Reader(BytesIO(payload)).load()
        except Exception:  # noqa: BLE001  a damaged pickle raises whatever it likes
            return None

    def save(self, name: str, value: object) -> None:
        """Keep a value; where that is not possible, the next run does the work again."""
        payload = pack(value)
        check = blake2b(payload, digest_size=SIZE).digest()
        place = self.folder / (name + ENDING)
        beside = self.folder / f"{name}.{os.getpid()}"
        try:
            self._prepare()
            if not self._ours:
                return
            with beside.open("wb") as file:
                file.writelines((MAGIC, self._key, check, payload))
            beside.replace(place)
        except OSError:
            _remove(beside)

    def touch(self) -> None:
        """Note that the project is still of use, once a day."""
        tag = self.folder / TAG
        try:
            if time.time() - tag.stat().st_mtime > DAY:
                os.utime(tag)
        except OSError:
            return

    @property
    def _ours(self) -> bool:
        """Whether the folder is the user's, and nobody else may write to it."""
        try:
            status = self.folder.lstat()
        except OSError:
            return False
        if sys.platform == "win32":
            return True
        return status.st_uid == os.getuid() and not status.st_mode & 0o022

    def _prepare(self) -> None:
        """Make the folder, and make room for it."""
        if self._written:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / TAG).write_text(TAG_TEXT, encoding="utf-8")
        prune(self.base, self.folder)
        self._written = True


def prune(base: Path, spared: Path | None = None) -> None:
    """Forget projects that nobody checks any more, and the oldest ones where room is short."""
    now = time.time()
    kept: list[tuple[float, int, Path]] = []
    for folder in _projects(base):
        try:
            used = (folder / TAG).stat().st_mtime
            size = sum(entry.stat().st_size for entry in os.scandir(folder))
        except OSError:
            continue
        if folder == spared:
            used = now
        if now - used > UNUSED:
            _forget(folder)
        else:
            kept.append((used, size, folder))
    taken = 0
    for _, size, folder in sorted(kept, reverse=True):
        taken += size
        if taken > ROOM and folder != spared:
            _forget(folder)


def _projects(base: Path) -> Iterator[Path]:
    """The folders that are ours, told by their names and by what marks them."""
    for folder in base.iterdir():
        digits = len(folder.name) == 2 * SIZE and set(folder.name) <= set("0123456789abcdef")
        if digits and (folder / TAG).is_file():
            yield folder


def _forget(folder: Path) -> None:
    """Remove a project's folder, the mark last: what is left behind is found again."""
    try:
        files = sorted(folder.iterdir(), key=lambda file: file.name == TAG)
        for file in files:
            file.unlink(missing_ok=True)
        folder.rmdir()
    except OSError:
        return


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError:
        return
