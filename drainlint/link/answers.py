"""Answers that rest on other answers, possibly in a circle: who asks first must not matter."""

from collections.abc import Callable
from typing import Generic, TypeVar

A = TypeVar("A")
Key = tuple[object, ...]

FAR = 1 << 30
"""Below no open question."""


class Answers(Generic[A]):
    """Keeps what was found; what rests on a question that is still open is kept for a while only.

    `a = b or C()` and `b = a` ask each other. Within one question from outside, the inner one that
    comes round gets None. What was found with such a None holds for that question alone; kept, it
    would be another answer than the same question gets when it is asked first.
    """

    def __init__(self) -> None:
        """Begin without answers."""
        self._sure: dict[Key, A | None] = {}
        self._whole: dict[Key, A | None] = {}
        """Answers to questions from outside that rest on a circle."""
        self._passing: dict[Key, A | None] = {}
        """Answers that hold for the question at hand."""
        self._open: dict[Key, int] = {}
        self._lowest = FAR
        """The lowest open question on which the one at hand rests; -1 for what was kept for it."""

    def of(self, key: Key, find: Callable[[], A | None]) -> A | None:
        """The answer under this key, found if it is not known."""
        if key in self._sure:
            return self._sure[key]
        if not self._open:
            if key in self._whole:
                return self._whole[key]
        elif key in self._open:
            self._lowest = min(self._lowest, self._open[key])
            return None
        elif key in self._passing:
            self._lowest = -1
            return self._passing[key]
        return self._found(key, find)

    def _found(self, key: Key, find: Callable[[], A | None]) -> A | None:
        at = self._open[key] = len(self._open)
        outer, self._lowest = self._lowest, FAR
        try:
            found = find()
        finally:
            del self._open[key]
        rests_on, self._lowest = self._lowest, outer
        if rests_on >= at:
            self._sure[key] = found
        elif self._open:
            self._passing[key] = found
            self._lowest = min(outer, rests_on)
        else:
            self._whole[key] = found
        if not self._open:
            self._passing.clear()
            self._lowest = FAR
        return found

    def gave_up(self) -> None:
        """Note that the question at hand was not followed to its end."""
        self._lowest = -1

    def forget(self) -> None:
        """Drop every answer, for when more is known."""
        self._sure.clear()
        self._whole.clear()
