"""What the engine understands of pauses: how long, and whether a stop cuts them short."""

import pytest

from drainlint.finding import Level
from drainlint.model.pause import Pause
from tests.conftest import findings_in
from tests.test_model_loops import HEAD, nouns_of


def pause_of(body: str, head: str = HEAD) -> Pause:
    return next(noun for noun in nouns_of(body, head) if isinstance(noun, Pause))


@pytest.mark.parametrize(
    ("call", "seconds"),
    [
        ("time.sleep(5)", 5),
        ("time.sleep(2 * 60)", 120),
        ("time.sleep(min(client.delay, 3))", 3),
        ("time.sleep(random.uniform(1, 4))", 4),
        ("time.sleep(client.delay)", None),
        ("time.sleep(*items)", None),
        ("stop.wait(2)", 2),
        ("stop.wait(timeout=0.5)", 0.5),
    ],
)
def test_the_longest_that_a_pause_can_take_is_known(call: str, seconds: float | None) -> None:
    assert pause_of(call, "import random\n" + HEAD).seconds == seconds


def test_a_wait_without_a_timeout_is_no_pause() -> None:
    assert not any(isinstance(noun, Pause) for noun in nouns_of("stop.wait()"))


def test_an_event_cuts_its_own_pause_short() -> None:
    pause = pause_of("stop.wait(5)")

    assert (pause.event, pause.is_timed_wait, pause.can_be_cut_short) == ("stop", True, True)


@pytest.mark.parametrize(
    "body",
    [
        "threading.Event().wait(5)",
        "never = threading.Event()\nnever.wait(5)",
    ],
)
def test_an_event_that_nobody_sets_is_a_plain_sleep(body: str) -> None:
    assert not pause_of(body).can_be_cut_short


@pytest.mark.parametrize(
    ("head", "call"),
    [
        ("import gevent\n", "gevent.sleep(5)"),
        ("import eventlet\n", "eventlet.sleep(5)"),
        ("from gevent import sleep as nap\n", "nap(5)"),
    ],
)
def test_a_greenlet_can_be_killed_while_it_sleeps(head: str, call: str) -> None:
    assert pause_of(call, head).cancellable


def test_a_pause_after_readiness_went_off_lets_traffic_drain() -> None:
    assert pause_of("client.ready = False\ntime.sleep(5)").lets_traffic_drain
    assert not pause_of("client.ready = True\ntime.sleep(5)").lets_traffic_drain


HANDLER = """
import signal
import sys
import time


def on_term(signum, frame):
    say_goodbye()
    sys.exit(0)


def say_goodbye():
    time.sleep(10)


def main():
    signal.signal(signal.SIGTERM, on_term)
    time.sleep(3600)


if __name__ == "__main__":
    main()
"""


def test_a_handler_that_raises_cuts_the_main_flow_short_and_not_its_own_pause() -> None:
    pauses = [noun for noun in nouns_of("pass", HANDLER) if isinstance(noun, Pause)]

    assert {p.seconds: p.interrupted_by_signal for p in pauses} == {10: False, 3600: True}


CHILD = """\
import multiprocessing, signal, threading, time
class Ended(Exception): ...
def ends(number, frame):
    {ends}
def run(work):
    signal.signal(signal.SIGTERM, ends)
    while True:
        work()
        time.sleep(5)
{worker}(target=run).start()
"""


def test_a_process_that_registers_a_handler_which_raises_is_not_held_up() -> None:
    process = "multiprocessing.Process"
    raises = CHILD.format(ends="raise Ended", worker=process)
    returns = CHILD.format(ends="print(number)", worker=process)

    assert not findings_in(raises, select=["DRN201"])
    assert [f.level for f in findings_in(returns, select=["DRN201"])] == [Level.ERROR]


def test_a_thread_is_held_up_whatever_a_handler_raises() -> None:
    text = CHILD.format(ends="raise Ended", worker="threading.Thread")

    assert [f.level for f in findings_in(text, select=["DRN201"])] == [Level.ERROR]


LEAVING = {
    "raise SystemExit": True,
    "sys.exit(1) if number else sys.exit(0)": True,
    "with open('log'):\n        raise KeyboardInterrupt": True,
    "if number == signal.SIGTERM:\n        sys.exit(0)": True,
    "if STATE:\n        sys.exit(1)\n    else:\n        raise SystemExit": True,
    "if STATE:\n        sys.exit(1)\n    STATE.append(1)": False,
    "try:\n        print(number)\n    finally:\n        sys.exit(0)": True,
    "STATE.append(1)": False,
}
LEAVES = """\
import signal, sys, threading, time
STATE = []
def ends(number, frame):
    {ends}
def main():
    signal.signal(signal.SIGTERM, ends)
    threading.Thread(target=print).start()
    time.sleep(5)
if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("ends", LEAVING)
def test_a_handler_that_always_leaves_cuts_the_main_flow_short(ends: str) -> None:
    found = findings_in(LEAVES.format(ends=ends), select=["DRN201"])

    assert bool(found) is not LEAVING[ends]


def test_a_lambda_that_exits_cuts_the_main_flow_short() -> None:
    text = LEAVES.format(ends="pass").replace("TERM, ends", "TERM, lambda *_: sys.exit(0)")

    assert not findings_in(text, select=["DRN201"])
