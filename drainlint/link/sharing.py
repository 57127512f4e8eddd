"""Work on every file of a project that several processes may share."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Done = TypeVar("Done")


class Sharing(Protocol):
    """Whoever has work on files done."""

    def each(self, paths: Sequence[str], work: Callable[[str], Done]) -> list[Done]:
        """What the work gives for each file, in the order of the files.

        It may be done in another process: what it gives must bear being pickled, and whatever else
        it does may stay without effect here.
        """


class Alone:
    """Does all of the work itself."""

    def each(self, paths: Sequence[str], work: Callable[[str], Done]) -> list[Done]:
        """What the work gives for each file, in the order of the files."""
        return [work(path) for path in paths]
