"""What earlier runs learned of a project: of each file by itself, and of what rules judged in it.

Facts are kept, never findings. A file's own facts rest on its content. What rules judge in it, the
nouns, rests on all files of the project together: those are kept beside a digest of all contents,
and serve as long as that is the same. Only nouns of which a rule spoke are kept, with the budget
and the like that they were judged under.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from drainlint.cache import Store, digest, unpack
from drainlint.contents import Contents
from drainlint.discover import SourceFile

if TYPE_CHECKING:
    from drainlint.knowledge import Knowledge

SHARDS = 16
"""Files that facts are spread over, so that a change of one writes a part of them."""

Shard = dict[str, tuple[bytes, bytes]]
"""The digest of a file's content and its packed facts, by relative path."""


class Conditions(NamedTuple):
    """What nouns are judged under."""

    budget: float
    """Seconds."""
    min_sleep: float
    """Seconds."""
    side: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What rules spoke of in a project, in one state of it."""

    state: bytes
    """A digest of the project's state."""
    files: Mapping[str, tuple[Conditions, bytes]] = field(default_factory=dict)
    """The packed nouns of each file that was asked for, with what they were judged under."""
    problems: bytes = b""
    """What is to be said of files that cannot be parsed or read, packed."""
    asked: bytes = b""
    """A digest of the files asked for, where what was found serves no other choice; else empty."""


class Memory:
    """The kept facts of a project, as far as they are still true."""

    def __init__(self, store: Store, root: Path, choice: str) -> None:
        """Take the store, the project's root, and which files are judged: the project's or some."""
        self._store = store
        self._root = str(root)
        self._choice = choice
        rows, idle = store.load("contents") or ({}, {})
        self.contents = Contents(rows)
        self._idle: dict[str, bytes] = idle
        """The digests of files in which nothing can be found."""
        self._files: dict[str, SourceFile] = {}
        self._shards: dict[int, Shard] = {}
        self._learned: set[str] = set()
        self._judged: Judged | None = None
        self._knowledge: Knowledge | None = None

    def look(self, files: Iterable[SourceFile]) -> None:
        """Find out what these files hold."""
        for file in files:
            self._files.setdefault(file.relative, file)
        self.contents.look(self._files.values())

    @property
    def paths(self) -> list[str]:
        """The files that were looked at, in the order of their paths."""
        return sorted(self._files)

    def knowledge(self, load: "Callable[[], Knowledge]") -> "Knowledge":
        """The merged tables: to read them as TOML takes several times as long."""
        if self._knowledge is None:
            self._knowledge = self._store.load("knowledge")
        if self._knowledge is None:
            self._knowledge = load()
            self._store.save("knowledge", self._knowledge)
        return self._knowledge

    def idle(self, path: str) -> bool:
        """Whether a file is known to hold nothing in which anything can be found."""
        return self._idle.get(path) == self.contents.digest(path)

    def facts(self, paths: Iterable[str]) -> Iterator[tuple[str, Any]]:
        """What is known of files by themselves, by path."""
        for path in paths:
            held, packed = self._shard(path).get(path, (b"", b""))
            if held == self.contents.digest(path):
                yield path, unpack(packed)

    def learn(self, path: str, facts: bytes, *, idle: bool) -> None:
        """Take in what a file told by itself."""
        if self._files[path].content is not None:
            return
        held = self.contents.digest(path)
        self._shard(path)[path] = held, facts
        self._learned.add(path)
        if idle:
            self._idle[path] = held

    def state(self, *surroundings: str) -> bytes:
        """A digest of every file that was looked at, and of what else the project rests on."""
        paths = self.paths
        texts = (text.encode("utf-8", "surrogateescape") for text in (*surroundings, *paths))
        held = b"".join(map(self.contents.digest, paths))
        return digest(held, len(paths).to_bytes(8, "big"), *texts)

    def judged(self, state: bytes) -> Judged:
        """What rules spoke of in this state of the project; empty where that is not known."""
        kept = self._store.load(self._choice)
        return Judged(*kept) if kept and kept[0] == state else Judged(state)

    def judge(self, judged: Judged) -> None:
        """Take in what rules spoke of; it joins what is known of other files in the same state."""
        known = self.judged(judged.state)
        alone = judged.asked or known.asked
        files = judged.files if alone else {**known.files, **judged.files}
        self._judged = replace(judged, files=files)

    def keep(self) -> None:
        """Write what is new, as far as the files still are what they were."""
        same = {path for path in self._learned if self.contents.same(self._files[path])}
        for path in self._learned - same:
            del self._shard(path)[path]
            self._idle.pop(path, None)
        judged = self._judged
        if judged is not None and self._unchanged():
            files = {path: (tuple(under), packed) for path, (under, packed) in judged.files.items()}
            kept = (judged.state, files, judged.problems, judged.asked)
            self._store.save(self._choice, kept)
        for number in sorted({_number(path) for path in same}):
            shard = self._shards[number]
            self._store.save(_name(number), {p: v for p, v in shard.items() if self._exists(p)})
        if self.contents.changed or same:
            idle = {path: held for path, held in self._idle.items() if self._exists(path)}
            self._store.save("contents", (self.contents.lasting(self._exists), idle))
        self._store.touch()

    def _unchanged(self) -> bool:
        """Whether every file looked at is the disk's, and holds what it did."""
        return all(
            file.content is None and self.contents.same(file) for file in self._files.values()
        )

    def _exists(self, path: str) -> bool:
        return path in self._files or os.path.lexists(f"{self._root}/{path}")

    def _shard(self, path: str) -> Shard:
        number = _number(path)
        if number not in self._shards:
            self._shards[number] = self._store.load(_name(number)) or {}
        return self._shards[number]


def _number(path: str) -> int:
    """The shard of a file: by a digest, because `hash` is another in every process."""
    return digest(path.encode("utf-8", "surrogateescape"))[0] % SHARDS


def _name(number: int) -> str:
    return f"files-{number:02}"
