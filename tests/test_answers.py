"""Answers that rest on each other: the same whoever asks first, and each found about once."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from drainlint.link.answers import FOLLOWED, Answers

Graph = dict[int, list[int | str]]
"""What each question asks, in order: other questions, or answers by name."""
NODES = 5


class Asked:
    """Answers a graph of questions: each has the first answer that it gets."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.answers: Answers[str] = Answers()
        self.times = 0

    def of(self, node: int) -> str | None:
        return self.answers.of(("node", node), lambda: self._find(node))

    def _find(self, node: int) -> str | None:
        self.times += 1
        for one in self.graph[node]:
            found = one if isinstance(one, str) else self.of(one)
            if found is not None:
                return found
        return None


things = st.one_of(st.integers(0, NODES - 1), st.sampled_from("ab"))
graphs = st.fixed_dictionaries({n: st.lists(things, max_size=3) for n in range(NODES)})


@given(graphs, st.permutations(range(NODES)))
def test_whoever_asks_first_gets_the_same_answers(graph: Graph, order: list[int]) -> None:
    one, other = Asked(graph), Asked(graph)
    assert {n: one.of(n) for n in range(NODES)} == {n: other.of(n) for n in order}


def test_all_in_a_circle_know_what_one_of_them_knows() -> None:
    graph: Graph = {0: [1], 1: [2], 2: [0, "a"]}
    for order in permutations(graph):
        asked = Asked(graph)
        assert [asked.of(n) for n in order] == ["a", "a", "a"]


def test_a_large_circle_is_asked_a_few_times_not_once_for_each_of_its_questions() -> None:
    size = 30
    asked = Asked({n: [(n + 1) % size, (n + 7) % size] for n in range(size)})
    assert [asked.of(n) for n in range(size)] == [None] * size
    assert asked.times <= 4 * size


def test_what_callers_hand_over_is_followed_through_a_few_calls_only() -> None:
    answers: Answers[int] = Answers()

    def held(steps: int) -> int | None:
        return answers.of((steps,), lambda: handed(steps))

    def handed(steps: int) -> int | None:
        if not steps:
            return 1
        return next(iter(answers.handed(lambda: [held(steps - 1)])), None)

    assert held(FOLLOWED) == 1
    assert held(FOLLOWED + 1) is None
    assert held(FOLLOWED) == 1


def test_an_answer_that_was_cut_short_is_not_kept() -> None:
    answers: Answers[int] = Answers()
    times = []

    def find() -> int:
        times.append(1)
        if len(times) == 1:
            answers.gave_up()
        return len(times)

    assert answers.of(("x",), find) == 1
    assert answers.of(("x",), find) == 2
    assert answers.of(("x",), find) == 2
