"""What an exit says of itself: whom it ends, and where."""

import pytest

from tests.conftest import findings_in

EXITS = ["exit-outside-main", "exit-in-worker", "hard-exit"]


def found(source: str) -> list[tuple[str, str]]:
    return [(f.name, f.level.word) for f in findings_in(source, select=EXITS)]


def test_an_exit_in_a_thread_is_told_apart_from_one_in_a_task() -> None:
    source = """
import asyncio, sys, threading

def work():
    sys.exit(1)

async def serve():
    sys.exit(1)

async def start():
    threading.Thread(target=work).start()
    return asyncio.create_task(serve())
"""
    thread, task = findings_in(source, select=EXITS)
    assert thread.message == "`sys.exit(1)` ends only thread target `work`, not the program"
    assert task.message == (
        "`sys.exit(1)` in task `serve` tears the event loop down around its other tasks"
    )


def test_a_greenlets_exit_is_the_programs() -> None:
    source = """
import gevent, sys

def work():
    sys.exit(1)

gevent.spawn(work)
"""
    assert found(source) == [("exit-outside-main", "warning")]


def test_what_the_main_flow_calls_too_is_no_workers() -> None:
    source = """
import sys, threading

def fail():
    sys.exit(1)

def work():
    fail()

def main():
    threading.Thread(target=work).start()
    fail()
"""
    assert ("exit-in-worker", "error") not in found(source)


@pytest.mark.parametrize("test", ["pid == 0", "not pid", "0 == pid"])
def test_the_child_of_a_fork_may_end_itself(test: str) -> None:
    source = f"""
import os

class Forker:
    def run(self):
        pid = os.fork()
        if {test}:
            os._exit(0)
        return pid
"""
    assert found(source) == []


@pytest.mark.parametrize("test", ["pid > 0", "pid", "pid != 0"])
def test_a_parent_that_daemonises_may_end_itself(test: str) -> None:
    source = f"""
import os

def detach():
    pid = os.fork()
    if {test}:
        os._exit(0)
"""
    assert found(source) == []


def test_sigkill_to_a_pid_of_its_own_is_a_hard_exit_and_to_others_is_not() -> None:
    source = """
import os, signal

def end(pids):
    me = os.getpid()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    os.kill(me, signal.SIGKILL)
"""
    (finding,) = findings_in(source, select=EXITS)
    assert (finding.name, finding.place.line) == ("hard-exit", 8)


def test_an_exit_of_a_signal_handler_is_the_main_flows() -> None:
    source = """
import signal, sys

def on_term(signum, frame):
    sys.exit(0)

signal.signal(signal.SIGTERM, on_term)
"""
    assert found(source) == []


def test_an_exit_handed_over_ends_whoever_runs_it() -> None:
    source = """
import os, sys, threading

def arm():
    threading.Timer(5, sys.exit).start()
    threading.Timer(5, os._exit, (1,)).start()
"""
    assert found(source) == [("exit-in-worker", "error"), ("hard-exit", "error")]


def test_the_code_that_parses_the_command_line_may_exit() -> None:
    source = """
class Options:
    def __init__(self, parser):
        self.known = parser.parse_args()
        if not self.known.task:
            raise SystemExit("no task")
"""
    assert found(source) == []
