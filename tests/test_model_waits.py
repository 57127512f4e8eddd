"""What a wait says of itself: its deadline, what bounds it, what it comes to with others."""

import pytest

from drainlint.finding import Level
from drainlint.model.deadline import AT_ONCE, FOREVER, Bound, Deadline
from drainlint.model.function import Function
from drainlint.model.place import Place
from drainlint.model.wait import Repeats, Wait
from tests.conftest import findings_in

HERE = Place(1, 1, 1, 9)


def wait(deadline: Deadline, *, repeats: Repeats | None = None, bounded_by: str = "") -> Wait:
    return Wait(
        path="a.py",
        place=HERE,
        function=Function("a.py", "stop", HERE),
        text="t.join()",
        verb="join",
        subject="t",
        deadline=deadline,
        bounded_by=bounded_by,
        repeats=repeats,
    )


def messages(source: str, rule: str) -> list[str]:
    return [f.message for f in findings_in(source, select=[rule])]


def test_a_wait_without_a_deadline_is_unbounded_unless_something_around_it_bounds_it() -> None:
    assert wait(FOREVER).is_unbounded
    assert not wait(FOREVER, bounded_by="asyncio.timeout(5)").is_unbounded
    assert not wait(Deadline(Bound.CONSTANT, 5.0)).is_unbounded


def test_a_wait_that_hands_on_the_callers_none_or_does_not_wait_is_not_bounded_here() -> None:
    assert wait(Deadline(Bound.CONSTANT, 5.0)).is_bounded_here
    assert wait(Deadline(Bound.CALLER, None, "timeout")).is_bounded_here
    assert not wait(Deadline(Bound.HANDED_ON, text="timeout")).is_bounded_here
    assert not wait(AT_ONCE).is_bounded_here


@pytest.mark.parametrize(("count", "total"), [(12.0, 60.0), (None, None)])
def test_a_loop_multiplies_its_waits_where_it_is_known_how_often_it_turns(
    count: float | None, total: float | None
) -> None:
    assert wait(Deadline(Bound.CONSTANT, 5.0), repeats=Repeats(HERE, "ts", count)).total == total


def test_a_wait_outside_of_loops_comes_to_its_own_timeout() -> None:
    assert wait(Deadline(Bound.CONSTANT, 5.0)).total == 5.0
    assert wait(Deadline(Bound.EXPRESSION, text="left")).total is None


@pytest.mark.parametrize(
    ("deadline", "shown"),
    [
        (FOREVER, "none"),
        (Deadline(Bound.CONSTANT, 2.5, "GRACE"), "2.5 s"),
        (Deadline(Bound.CALLER, 5.0, "timeout"), "5 s"),
        (Deadline(Bound.CALLER, None, "timeout"), "timeout"),
        (Deadline(Bound.EXPRESSION, text="left"), "left"),
    ],
)
def test_a_deadline_is_shown_in_seconds_where_they_are_known(
    deadline: Deadline, shown: str
) -> None:
    assert deadline.shown == shown


def test_the_message_on_a_row_of_waits_names_every_number() -> None:
    source = """
import threading

class Pool:
    def __init__(self):
        self.one = threading.Thread(target=print)
        self.two = threading.Thread(target=print)

    def stop(self):
        self.one.join(20)
        self.two.join(10)
        return self.one.is_alive() or self.two.is_alive()
"""
    (message,) = messages(source, "timeouts-add-up")
    assert message.startswith("with `self.two.join(10)` the waits add up to 20 + 10 s")


def test_the_message_on_a_loop_of_waits_multiplies() -> None:
    source = """
import threading

class Pool:
    def __init__(self):
        self.threads = [threading.Thread(target=print) for _ in range(12)]

    def stop(self):
        for thread in self.threads:
            thread.join(5)
        return [t for t in self.threads if t.is_alive()]
"""
    assert messages(source, "timeouts-add-up") == [
        "`thread.join(5)` adds up to 12 x 5 s, more than the drain budget of 25 s"
    ]


def test_only_the_longer_branch_of_an_if_counts_towards_a_row() -> None:
    source = """
import threading

class Pool:
    def __init__(self):
        self.one = threading.Thread(target=print)
        self.two = threading.Thread(target=print)

    def stop(self, fast):
        if fast:
            self.one.join(1)
        else:
            self.one.join(12)
        self.two.join(12)
        return self.one.is_alive() or self.two.is_alive()
"""
    assert messages(source, "timeouts-add-up") == []


def test_milliseconds_count_as_such() -> None:
    source = """
import threading

class Pool:
    def __init__(self):
        self.one = threading.Thread(target=print)

    def stop(self, timeout_ms=40_000):
        self.one.join(timeout_ms / 1000)
        return self.one.is_alive()
"""
    assert messages(source, "timeout-over-budget") == [
        "`self.one.join(timeout_ms / 1000)` may take 40 s, and the drain budget is 25 s"
    ]


def test_a_timeout_around_every_call_of_a_coroutine_bounds_what_it_awaits() -> None:
    source = """
import asyncio

class Pool:
    def __init__(self):
        self.tasks = set()
        self.ended = asyncio.Event()

    async def stop(self):
        await asyncio.wait_for(self._drain(), 5)

    async def _drain(self):
        await self._settle()

    async def _settle(self):
        await self.ended.wait()
"""
    assert messages(source, "unbounded-await") == []
    unbounded = source.replace("asyncio.wait_for(self._drain(), 5)", "self._drain()")
    assert len(messages(unbounded, "unbounded-await")) == 1


def test_a_test_of_the_timeout_makes_the_wait_the_callers_choice() -> None:
    source = """
import threading

class Pool:
    def __init__(self):
        self.one = threading.Thread(target=print)

    def stop(self, deadline=None):
        if deadline is None:
            self.one.join()
        else:
            self.one.join(deadline)
        return self.one.is_alive()
"""
    (finding,) = findings_in(source, select=["unbounded-join"])
    assert finding.level is Level.NOTE


ROOM = """
class Room:
    def join(self, {parameter}):
        self.name = {parameter}

def enter(rooms, name):
    rooms.find(name).join()
"""


@pytest.mark.parametrize(
    ("parameter", "level"), [("nickname", Level.NOTE), ("timeout", Level.WARNING)]
)
def test_an_unknown_join_may_enter_a_room_where_the_project_has_rooms(
    parameter: str, level: Level
) -> None:
    (finding,) = findings_in(ROOM.format(parameter=parameter), select=["unbounded-join"])
    assert finding.level is level


IDLE = """
import threading

def {name}():
    stop, loaded = threading.Event(), threading.Event()
    threading.Thread(target=work, args=(stop, loaded)).start()
    loaded.wait()
    stop.wait()

def work(stop, loaded):
    loaded.set()
    stop.set()
"""


@pytest.mark.parametrize(
    ("name", "waits"), [("main", ["loaded.wait()"]), ("load", ["loaded.wait()", "stop.wait()"])]
)
def test_the_main_flow_is_idle_where_it_waits_to_be_told_to_stop(
    name: str, waits: list[str]
) -> None:
    found = messages(IDLE.format(name=name), "unbounded-wait")
    assert [message.partition("`")[2].partition("`")[0] for message in found] == waits


FOLDER = """
class Folder:
    def join(self, {parameter}):
        return wait({parameter})

    def walk(self):
        print(self.join(None))
"""


@pytest.mark.parametrize(("parameter", "found"), [("path", 0), ("timeout", 1)])
def test_a_join_of_its_own_that_takes_a_path_is_no_wait(parameter: str, found: int) -> None:
    assert len(messages(FOLDER.format(parameter=parameter), "unbounded-join")) == found
