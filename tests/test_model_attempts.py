"""Cleanups, moments, limits, closes and children: what decides a finding, case by case."""

import pytest

from tests.conftest import findings_in


def names_in(source: str, rule: str) -> list[str]:
    """The levels of one rule's findings."""
    return [f.level.word for f in findings_in(source, select=[rule])]


CLEANUP = """
import {library}

async def run(connection):
    try:
        await connection.run()
    {section}:
        {scope}:
            await connection.flush()
"""


@pytest.mark.parametrize("section", ["finally", "except BaseException", "except"])
@pytest.mark.parametrize("library", ["trio", "anyio"])
def test_cleanup_is_cancelled_before_it_begins(library: str, section: str) -> None:
    source = CLEANUP.format(library=library, section=section, scope="if connection")

    assert names_in(source, "cleanup-already-cancelled") == ["error"]


@pytest.mark.parametrize(
    ("library", "section", "scope"),
    [
        ("asyncio", "finally", "if connection"),
        ("trio", "except OSError", "if connection"),
        ("trio", "finally", "with trio.move_on_after(3, shield=True)"),
        ("anyio", "finally", "with anyio.CancelScope(shield=True)"),
    ],
)
def test_cleanup_that_runs_is_left_alone(library: str, section: str, scope: str) -> None:
    source = CLEANUP.format(library=library, section=section, scope=scope)

    assert not names_in(source, "cleanup-already-cancelled")


@pytest.mark.parametrize(
    ("call", "levels"),
    [
        ("jobs.get(5)", ["error"]),
        ("jobs.get(timeout)", ["error"]),
        ("jobs.get(True)", []),
        ("jobs.get(1)", []),
        ("jobs.get(*given)", []),
        ("jobs.get(block=True, timeout=5)", []),
        ("jobs.get(timeout=time.time() + 5)", ["error"]),
        ("jobs.get(timeout=wait_ms)", ["warning"]),
        ("jobs.get(timeout=wait_ms / 1000)", []),
    ],
)
def test_a_timeout_does_what_it_says(call: str, levels: list[str]) -> None:
    source = f"import queue, time\njobs = queue.Queue()\ndef take(timeout, given, wait_ms):\n    {call}\n"

    assert names_in(source, "broken-timeout") == levels


@pytest.mark.parametrize(
    ("use", "levels"),
    [
        ("while time.time() < until: work()", ["note"]),
        ("event.wait(until - time.time())", ["note"]),
        ("print(until - time.time())", []),
        ("return until", []),
        ("if until < time.time(): raise ValueError", []),
    ],
)
def test_a_wall_clock_matters_where_it_bounds(use: str, levels: list[str]) -> None:
    source = f"import time\ndef take(event):\n    until = time.time() + 5\n    {use}\n"

    assert names_in(source, "wall-clock-deadline") == levels


@pytest.mark.parametrize(
    ("close", "levels"),
    [
        ("self.pool.shutdown()", ["warning"]),
        ("self.pool.shutdown(wait=False)", []),
        ("with ThreadPoolExecutor() as pool: pool.submit(self.other.load)", ["warning"]),
        ("self.pool_down()", ["warning"]),
    ],
)
def test_a_close_on_the_drain_path_waits_for_jobs(close: str, levels: list[str]) -> None:
    source = f"""
from concurrent.futures import ThreadPoolExecutor

class Service:
    def __init__(self, other):
        self.pool = ThreadPoolExecutor()
        self.other = other

    def stop(self):
        {close}

    def pool_down(self):
        self.pool.shutdown(True)

    def restart(self):
        self.pool.shutdown()
"""
    found = [f.level.word for f in findings_in(source, select=["unbounded-close"]) if f.steps]

    assert found[: len(levels)] == levels
    assert len(found) <= 1


def test_a_child_that_is_read_before_it_is_joined_is_left_alone() -> None:
    source = """
from multiprocessing import Process, Queue

def work(results):
    results.put(1)

def collect():
    results = Queue()
    child = Process(target=work, args=(results,))
    child.start()
    {first}
    {second}
"""
    join, read = "child.join()", "results.get(timeout=5)"

    assert names_in(source.format(first=join, second=read), "join-before-read") == ["error"]
    assert not names_in(source.format(first=read, second=join), "join-before-read")
