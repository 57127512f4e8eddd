"""Answers that rest on other answers, possibly in a circle: who asks first must not matter."""

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

A = TypeVar("A")
Key = tuple[object, ...]
At = tuple[Key, int]
"""A question, and through how many calls it may still be followed."""

FAR = 1 << 30
"""Below no open question."""
NOTHING = -1
"""Below every open question: for what was not followed to its end."""
ROUNDS = 6
"""So often the questions of a circle are asked anew, each time with the answers of the last."""
FOLLOWED = 4
"""Through how many calls it is followed what callers hand over."""


class _Passing(NamedTuple, Generic[A]):
    """What was found for a question that rests on an open one."""

    answer: A | None
    rests_on: int
    find: Callable[[], A | None]


class Answers(Generic[A]):
    """Keeps what was found; questions that ask each other in a circle are answered together.

    `a = b or C()` and `b = a` ask each other. They are found as one walks the questions in depth
    (the strongly connected components of Tarjan's), and then asked in rounds: at first none of them
    has an answer, and in each round everyone gets the answers of the round before, until nothing
    changes. Whichever is asked first, the rounds are the same.

    What is handed over by callers is followed through a few calls. An answer that rests on it is
    kept with the number of calls that were left.
    """

    def __init__(self) -> None:
        """Begin without answers."""
        self._sure: dict[Key, A | None] = {}
        """Answers that rest on no caller."""
        self._handed: dict[At, A | None] = {}
        """Answers that rest on what callers hand over."""
        self._left = FOLLOWED
        self._rests_on_callers = False
        self._open: dict[At, int] = {}
        self._lowest = FAR
        """The lowest open question on which the one at hand rests."""
        self._passing: dict[At, _Passing[A]] = {}
        """Questions that rest on open ones, in the order in which they were found."""
        self._round: dict[At, tuple[A | None, int]] = {}
        """The answers of the last round, each with the open question whose circle is solved."""
        self._cut: dict[At, A | None] = {}
        """Answers that were not followed to their end, kept for the question from outside."""

    def of(self, key: Key, find: Callable[[], A | None]) -> A | None:
        """The answer under this key, found if it is not known."""
        if key in self._sure:
            return self._sure[key]
        at = key, self._left
        if at in self._handed:
            self._rests_on_callers = True
            return self._handed[at]
        if at in self._round:
            answer, rests_on = self._round[at]
        elif at in self._open:
            answer, rests_on = None, self._open[at]
        elif at in self._passing:
            answer, rests_on, _ = self._passing[at]
        elif at in self._cut:
            answer, rests_on = self._cut[at], NOTHING
        else:
            return self._found(at, find)
        self._lowest = min(self._lowest, rests_on)
        return answer

    def rest_on_callers(self) -> None:
        """Note that the question at hand has another answer once more is known of callers."""
        self._rests_on_callers = True

    def handed(self, find: Callable[[], Iterable[A | None]]) -> list[A | None]:
        """What callers hand over, one call further away; nothing where it is too far."""
        self.rest_on_callers()
        if not self._left:
            return []
        self._left -= 1
        try:
            return list(find())
        finally:
            self._left += 1

    def _found(self, at: At, find: Callable[[], A | None]) -> A | None:
        number = self._open[at] = len(self._open)
        before = len(self._passing)
        outer, self._lowest = self._lowest, FAR
        outer_rests, self._rests_on_callers = self._rests_on_callers, False
        try:
            found = find()
            if self._lowest == number:
                found = self._solved(at, _Passing(found, number, find), before)
        finally:
            del self._open[at]
            rests_on, self._lowest = self._lowest, min(outer, self._lowest)
        if rests_on >= number:
            self._keep(at, found)
        elif rests_on > NOTHING:
            self._passing[at] = _Passing(found, rests_on, find)
        else:
            self._since(before)
            self._cut[at] = found
        self._rests_on_callers |= outer_rests
        if not self._open:
            self._cut.clear()
            self._lowest = FAR
        return found

    def _keep(self, at: At, found: A | None) -> None:
        if self._rests_on_callers:
            self._handed[at] = found
        else:
            self._sure[at[0]] = found

    def _since(self, before: int) -> dict[At, _Passing[A]]:
        """Take out the questions that were found since there were so many."""
        taken = dict(list(self._passing.items())[before:])
        for at in taken:
            del self._passing[at]
        return taken

    def _solved(self, first: At, question: _Passing[A], before: int) -> A | None:
        """The answer to a question that others ask in turn, found together with theirs."""
        number = question.rests_on
        circle = {**self._since(before), first: question}
        answers: dict[At, A | None] = dict.fromkeys(circle)
        below = FAR
        try:
            for _ in range(ROUNDS):
                self._round.update((one, (answer, number)) for one, answer in answers.items())
                fresh: dict[At, A | None] = {}
                for one, asked in circle.items():
                    fresh[one] = self._asked_again(one, asked)
                    if self._lowest < number:
                        below = min(below, self._lowest)
                joining = self._since(before)
                circle.update(joining)
                fresh.update((one, asked.answer) for one, asked in joining.items())
                settled = fresh == answers
                answers = fresh
                if settled:
                    break
        finally:
            for one in circle:
                self._round.pop(one, None)
        self._lowest = below
        for one, answer in answers.items():
            if below == FAR:
                self._keep(one, answer)
            elif below > NOTHING and one != first:
                self._passing[one] = _Passing(answer, below, circle[one].find)
        return answers[first]

    def _asked_again(self, at: At, question: _Passing[A]) -> A | None:
        self._lowest = FAR
        left, self._left = self._left, at[1]
        try:
            return question.find()
        finally:
            self._left = left

    def gave_up(self) -> None:
        """Note that the question at hand was not followed to its end."""
        self._lowest = NOTHING

    def forget(self) -> None:
        """Drop what rests on callers, for when more is known of them."""
        self._handed.clear()
