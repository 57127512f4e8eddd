"""A team gives what one process would give, whatever becomes of its members."""

import os
import sys
from collections.abc import Callable

import pytest

from drainlint.team import Team

PATHS = [f"{name}.py" for name in "abcdefg"]
WEIGHTS = {path: number for number, path in enumerate(PATHS)}
PARENT = os.getpid()

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="teams are forked")


def is_member() -> bool:
    """Whether this runs in another process than the first."""
    return os.getpid() != PARENT


def doubled(team: Team[list[str]]) -> Callable[[int], list[str]]:
    """Work in two steps, the second of which needs what all gave in the first."""
    first = team.each(PATHS, lambda path: path.removesuffix(".py"))
    second = team.each(PATHS, lambda path: path + "".join(first))
    return lambda number: [f"{number}:{one}" for one in second]


EXPECTED = [f"{path}abcdefg" for path in PATHS]


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_each_process_knows_what_all_have_found(size: int) -> None:
    team: Team[list[str]] = Team(WEIGHTS, size)

    found = team.together(lambda: doubled(team))

    assert found == [[f"{number}:{one}" for one in EXPECTED] for number in range(size)]


def test_the_work_is_done_in_several_processes() -> None:
    team: Team[set[int]] = Team(WEIGHTS, 2)

    def prepare() -> Callable[[int], set[int]]:
        seen = {*team.each(PATHS, lambda _: os.getpid())}
        return lambda _: seen

    first, second = team.together(prepare)

    assert len(first) == 2
    assert first == second


@pytest.mark.parametrize("ending", ["killed", "failing"])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_the_first_process_does_what_another_leaves_undone(ending: str, step: int) -> None:
    team: Team[list[str]] = Team(WEIGHTS, 3)

    def fall(at: int) -> None:
        if at == step and is_member():
            if ending == "killed":
                os._exit(9)
            raise MemoryError

    def prepare() -> Callable[[int], list[str]]:
        fall(1)
        first = team.each(PATHS, lambda path: path.removesuffix(".py"))
        fall(2)
        second = team.each(PATHS, lambda path: path + "".join(first))

        def work(number: int) -> list[str]:
            fall(3)
            return [f"{number}:{one}" for one in second]

        return work

    found = team.together(prepare)

    assert found == [[f"{number}:{one}" for one in EXPECTED] for number in range(3)]


def test_a_fault_that_all_meet_is_the_callers() -> None:
    team: Team[None] = Team(WEIGHTS, 2)

    def prepare() -> Callable[[int], None]:
        team.each(PATHS, lambda path: 1 // (len(path) - 4))
        return lambda _: None

    with pytest.raises(ZeroDivisionError):
        team.together(prepare)
