"""Processes that do the same work in step, each its share of it.

A forked process has the memory of its parent: what was read before need not be sent to it. To send
it to another kind of process would cost more than it saves: elsewhere than on Linux one does all.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

Done = TypeVar("Done")
Made = TypeVar("Made")


class Team(Generic[Made]):
    """One of several processes that link a project together, and judge a share each.

    The first one has the connections to all others; they only know it. Whatever becomes of the
    others, the first one does their work where they do not.
    """

    def __init__(self, weights: Mapping[str, int], size: int) -> None:
        """Take how much work each file is, and how many processes there are to be."""
        self._weights = weights
        self._size = size
        self._share = 0
        self._first: Connection | None = None
        """To the first process; None in that one."""
        self._others: dict[int, Connection] = {}
        """To the others that are still there, by the numbers of their shares."""

    def together(self, prepare: Callable[[], Callable[[int], Made]]) -> list[Made]:
        """Prepare in step, and then do each share of what has been prepared, in the order of them.

        `prepare` gives what does the share of a number.
        """
        processes = list(self._started(prepare))
        work = prepare()
        found = [work(0)]
        for number in range(1, self._size):
            said = self._said(number)
            found.append(work(number) if said is None else said[0])
        for process in processes:
            process.join()  # drainlint: ignore[unbounded-join] it has said its last word
        return found

    def _started(self, prepare: Callable[[], Callable[[int], Made]]) -> Iterator[Any]:
        if self._size == 1 or sys.platform != "linux":
            return
        # a tenth of a second, and none of it for one process
        from multiprocessing import get_context  # noqa: PLC0415

        context = get_context("fork")
        for number in range(1, self._size):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=self._take_part, args=(number, theirs, ours, prepare), daemon=True
            )
            process.start()
            theirs.close()
            self._others[number] = ours
            yield process

    def _take_part(
        self,
        number: int,
        to: Connection,
        end: Connection,
        prepare: Callable[[], Callable[[int], Made]],
    ) -> None:
        """What another process does: a fault of its own ends it, and the first one meets it too.

        It closes the ends of the first process, or it would not see that process end.
        """
        for connection in (end, *self._others.values()):
            connection.close()
        self._share, self._first, self._others = number, to, {}
        try:
            to.send((prepare()(number),))
        except Exception:  # noqa: BLE001 - the first process does it again, and meets the fault
            to.close()

    def each(self, paths: Sequence[str], work: Callable[[str], Done]) -> list[Done]:
        """What some work gives for each file, in the order of the files."""
        shares = list(self._cut(paths))
        own = [work(path) for path in shares[self._share]]
        if self._first is not None:
            self._first.send((own,))
            parts: list[list[Done]] = self._first.recv()
        else:
            parts = [own]
            for number in range(1, self._size):
                said = self._said(number)
                parts.append([work(p) for p in shares[number]] if said is None else said[0])
            self._tell(parts)
        return list(chain.from_iterable(parts))

    def _cut(self, paths: Sequence[str]) -> Iterator[Sequence[str]]:
        """Neighbours stay together, because they speak of the same things."""
        whole = sum(self._weights.get(path, 0) for path in paths)
        begun = end = reached = 0
        for number in range(1, self._size):
            while end < len(paths) and reached * self._size < whole * number:
                reached += self._weights.get(paths[end], 0)
                end += 1
            yield paths[begun:end]
            begun = end
        yield paths[begun:]

    def _said(self, number: int) -> tuple[Any] | None:
        """What another process sends; None where it is no more."""
        if number not in self._others:
            return None
        try:
            said: tuple[Any] = self._others[number].recv()
        except (EOFError, OSError):
            self._others.pop(number).close()
            return None
        return said

    def _tell(self, parts: object) -> None:
        for number, connection in list(self._others.items()):
            try:
                connection.send(parts)
            except OSError:
                self._others.pop(number).close()
