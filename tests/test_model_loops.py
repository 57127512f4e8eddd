"""What the engine understands of loops: whether they wait, what they ask, what bounds them."""

from collections.abc import Iterator

import pytest

from drainlint.finding import Level
from drainlint.link.nouns import Nouns
from drainlint.model.loop import Loop
from drainlint.model.noun import Noun
from tests.conftest import findings_in
from tests.linked import program

HEAD = """\
import asyncio, queue, requests, threading, time
jobs = queue.Queue()
stop = threading.Event()
def stopper():
    stop.set()
"""


def nouns_of(body: str, head: str = HEAD) -> Iterator[Noun]:
    """The nouns of a function with this body, after the imports and names of `head`."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
    made = program(head + "def run(client, items):\n" + lines)
    for key, entry in made.names.functions():
        read = made.bodies.get(key)
        if read is not None:
            assert not entry.short_name.startswith("<lambda")
            yield from Nouns(made).of_body(key, read)


def loop_of(body: str) -> Loop:
    return next(noun for noun in nouns_of(body) if isinstance(noun, Loop))


@pytest.mark.parametrize(
    "body",
    [
        "while client.busy:\n    time.sleep(1)",
        "while True:\n    if client.ready:\n        break\n    time.sleep(1)",
        "while True:\n    if client.ready:\n        client.start()\n        return\n    time.sleep(1)",
        "while not client.ready:\n    log.info('waiting')\n    time.sleep(1)",
        "n = 0\nwhile client.busy:\n    n += 1\n    time.sleep(1)",
        "while True:\n    state = client.get_state()\n    if state == 'ready':\n        break\n    time.sleep(1)",
        "for _ in range(10):\n    if client.ready:\n        break\n    time.sleep(1)",
    ],
)
def test_a_loop_that_only_sleeps_and_asks_is_a_pure_wait(body: str) -> None:
    assert loop_of(body).waits_by_asking


@pytest.mark.parametrize(
    "body",
    [
        "while client.busy:\n    client.work()\n    time.sleep(1)",
        "while True:\n    client.work()\n    time.sleep(1)",
        "while True:\n    try:\n        return client.first\n    except IndexError:\n        time.sleep(1)",
        "while client.busy:\n    for item in items:\n        item.work()\n    time.sleep(1)",
        "for item in items:\n    time.sleep(1)",
        "while not stop.is_set():\n    stop.wait(1)",
        "while client.busy:\n    stop.wait(1)\n    stop.clear()",
    ],
)
def test_a_loop_that_works_leaves_or_is_woken_is_none(body: str) -> None:
    assert not loop_of(body).waits_by_asking


@pytest.mark.parametrize(
    ("test", "sort"),
    [
        ("not jobs.empty()", "queue"),
        ("jobs.qsize() > 0", "queue"),
        ("jobs.unfinished_tasks", "queue"),
        ("client.busy", "flag"),
        ("not stop.is_set()", "flag"),
        ("client.is_connected()", "flag"),
        ("client.is_alive()", "liveness"),
        ("any(t.is_alive() for t in items)", "liveness"),
        ("client.poll() is None", "liveness"),
        ("requests.get('x').ok", "external"),
        ("threading.active_count() > 1", "everything"),
    ],
)
def test_a_question_is_sorted_by_what_it_is_about(test: str, sort: str) -> None:
    assert loop_of(f"while {test}:\n    time.sleep(1)").questions[0].sort == sort


@pytest.mark.parametrize(
    ("body", "deadline"),
    [
        ("while client.busy and time.monotonic() < end:\n    time.sleep(1)", "its condition"),
        ("while client.busy and not deadline.expired:\n    time.sleep(1)", "its condition"),
        ("while client.busy or time.time() < end:\n    time.sleep(1)", ""),
        ("while client.busy:\n    if deadline.expired():\n        raise TimeoutError\n    time.sleep(1)", "a check in its body"),
        ("while client.busy:\n    assert time.time() < start + 10\n    time.sleep(1)", "a check in its body"),
        ("for _ in range(20):\n    if client.ready:\n        break\n    time.sleep(1)", "at most 20 turns"),
        ("while client.busy:\n    time.sleep(1)", ""),
        ("while client.busy and not stop.is_set():\n    time.sleep(1)", ""),
    ],
)  # fmt: skip
def test_a_deadline_is_a_clock_or_a_count(body: str, deadline: str) -> None:
    assert loop_of(body).deadline == deadline


def test_a_question_that_the_body_waits_on_is_no_polling() -> None:
    loop = loop_of("while not stop.is_set() and client.busy:\n    stop.wait(1)")

    assert [(q.text, q.waited) for q in loop.questions] == [
        ("stop.is_set()", True),
        ("client.busy", False),
    ]
    assert loop.asks("flag") == loop.questions[1]
    assert loop.pause_is_cut_short


def test_a_limit_of_room_is_told_from_a_wait_for_empty() -> None:
    assert loop_of("while jobs.qsize() > 100:\n    time.sleep(1)").asks_for_room
    assert loop_of("while jobs.full():\n    time.sleep(1)").asks_for_room
    assert not loop_of("while jobs.qsize() > 0:\n    time.sleep(1)").asks_for_room


def test_a_take_that_ends_the_loop_is_no_attempt() -> None:
    ends = (
        "while True:\n    try:\n        jobs.get_nowait()\n    except queue.Empty:\n        break"
    )
    goes_on = ends.replace("break", "time.sleep(1)")

    assert not loop_of(ends).attempts
    assert [a.text for a in loop_of(goes_on).attempts] == ["jobs.get_nowait()"]


def test_only_what_every_turn_logs_is_a_report() -> None:
    always = loop_of("while client.busy:\n    print('waiting')\n    time.sleep(0.1)")
    sometimes = loop_of(
        "while client.busy:\n    if client.news:\n        print('waiting')\n    time.sleep(0.1)"
    )

    assert [r.text for r in always.reports] == ["print('waiting')"]
    assert not sometimes.reports


@pytest.mark.parametrize(
    ("pauses", "wakeups"),
    [
        ("time.sleep(0.001)", "1000 times a second"),
        ("time.sleep(0.25)", "4 times a second"),
        ("time.sleep(5)", "every 5 s"),
        ("time.sleep(delay())", "on every turn"),
    ],
)
def test_the_rate_of_a_loop_is_told_in_numbers(pauses: str, wakeups: str) -> None:
    assert loop_of(f"while client.busy:\n    {pauses}").wakeups == wakeups


def test_a_loop_without_a_pause_spins() -> None:
    assert loop_of("while client.busy:\n    pass").spins
    assert loop_of("while client.busy:\n    time.sleep(0)").spins
    assert loop_of("while True:\n    if not jobs.empty():\n        jobs.get()()").spins
    assert not loop_of("while client.busy:\n    client.read()").spins
    assert not loop_of("while client.busy:\n    time.sleep(0.01)").spins


SUPERVISOR = """\
import signal, threading, time
child = threading.Thread(target=print)
class Ended(Exception): ...
def ends(number, frame):
    {ends}
def main():
    signal.signal(signal.SIGTERM, ends)
    child.start()
    while child.is_alive():
        time.sleep(15)
if __name__ == "__main__":
    main()
"""


def test_a_handler_that_raises_ends_the_pauses_of_the_main_flow() -> None:
    raises, returns = SUPERVISOR.format(ends="raise Ended"), SUPERVISOR.format(ends="print(number)")

    (ended,) = findings_in(raises, select=["DRN103"])
    (unheard,) = findings_in(returns, select=["DRN103"])

    assert ended.level is Level.NOTE
    assert "notices nothing" not in ended.message
    assert unheard.level is Level.WARNING
    assert "notices nothing during a pause" in unheard.message


def test_a_countdown_has_as_many_turns_as_it_counts() -> None:
    turns = {
        "range(30, -1, -1)": 31,
        "range(2, 10)": 8,
        "range(0, 10, 3)": 4,
        "range(client.first, 10)": 10,
        "range(client.first, 0, -1)": None,
    }

    found = {over: loop_of(f"for _ in {over}:\n    time.sleep(1)").turns for over in turns}

    assert found == turns


IDLE = """\
import threading, time
class Service:
    def __init__(self):
        self.running = True
        self.paired = False
        self.thread = threading.Thread(target=self.run)
    def run(self):
        while self.running{more}:
            time.sleep(2)
    def pair(self):
        self.paired = True
    def stop(self):
        self.running = False
"""


def test_who_waits_to_be_stopped_needs_no_deadline() -> None:
    (idle,) = findings_in(IDLE.format(more=""), select=["DRN102"])
    (waits,) = findings_in(IDLE.format(more=" and not self.paired"), select=["DRN102"])

    assert "`self.running` changes, and hears of it up to 2 s late" in idle.message
    assert "`self.paired` changes without a deadline" in waits.message


def test_what_is_configured_is_no_question() -> None:
    asked = loop_of(
        "while True:\n    if client.config.early and stop.is_set():\n        break\n"
        "    time.sleep(1)"
    ).questions

    assert [question.text for question in asked] == ["stop.is_set()"]


def test_the_handlers_of_the_function_itself_count_first() -> None:
    other = """\

def other(number, frame):
    print(number)
def serve():
    signal.signal(signal.SIGTERM, other)
"""
    text = SUPERVISOR.format(ends="raise Ended").replace("\ndef main", other + "def main")

    (ended,) = findings_in(text, select=["DRN103"])

    assert ended.level is Level.NOTE
