"""What is done under a lock: who holds it, who needs it, who only keeps it for writing."""

import pytest

from tests.conftest import findings_in

SERVICE = """
import threading

class Service:
    def __init__(self):
        self.lock = threading.Lock()
        self.worker = threading.Thread(target=self.run)

    def stop(self):
        {stop}

    def run(self):
        {run}
"""


def under_lock(stop: str, run: str = "with self.lock: pass") -> list[tuple[str, str]]:
    """The levels and rules of a service's findings about locks."""
    found = findings_in(SERVICE.format(stop=stop, run=run), select=["wait-under-lock"])
    return [(f.name, f.level.word) for f in found]


@pytest.mark.parametrize(
    "stop",
    [
        "with self.lock: self.worker.join(5)",
        "with self.lock, open('x'): self.worker.join(5)",
        "self.lock.acquire()\n        self.worker.join(5)\n        self.lock.release()",
        "lock = self.lock\n        with lock: self.worker.join(5)",
    ],
)
def test_a_join_holds_the_lock_that_the_worker_needs(stop: str) -> None:
    assert under_lock(stop) == [("wait-under-lock", "error")]


@pytest.mark.parametrize(
    "stop",
    [
        "with self.lock: pass\n        self.worker.join(5)",
        "self.lock.acquire()\n        self.lock.release()\n        self.worker.join(5)",
        "with self.lock: self.worker.join(0)",
        "with self.other: self.worker.join(5)",
    ],
)
def test_a_join_without_the_lock_is_left_alone(stop: str) -> None:
    assert not under_lock(stop)


def test_a_bounded_join_of_a_worker_that_needs_no_lock_is_left_alone() -> None:
    assert not under_lock("with self.lock: self.worker.join(5)", "print()")


def test_a_worker_may_need_the_lock_in_a_function_that_it_calls() -> None:
    source = SERVICE.format(stop="with self.lock: self.worker.join(5)", run="self.work()")
    source += "\n    def work(self):\n        with self.lock: pass\n"

    (found,) = findings_in(source, select=["wait-under-lock"])

    assert "`work` needs" in found.message
    assert {"`work` waits for `self.lock` here"} <= {r.text for r in found.related}


def test_a_lock_in_a_base_class_is_the_same_lock() -> None:
    base = "import threading\nclass Base:\n    def __init__(self):\n        self.lock = threading.Lock()\n"
    derived = """
import threading
from base import Base

class Service(Base):
    def start(self):
        self.worker = threading.Thread(target=self.run)

    def stop(self):
        with self.lock:
            self.worker.join(5)

    def run(self):
        self.note()
"""
    helper = "\n    def note(self):\n        with self.lock: pass\n"

    found = findings_in(
        {"base.py": base + helper, "service.py": derived}, select=["wait-under-lock"]
    )

    assert [(f.path, f.level.word) for f in found] == [("service.py", "error")]


def test_findings_do_not_depend_on_the_order_of_functions() -> None:
    lines = [
        "    def a(self):\n        with self.lock: self.b()\n",
        "    def b(self):\n        self.c()\n",
        "    def c(self):\n        self.worker.join()\n",
        "    def run(self):\n        with self.lock: pass\n",
    ]
    head = (
        "import threading\nclass S:\n    def __init__(self):\n"
        "        self.lock = threading.Lock()\n"
        "        self.worker = threading.Thread(target=self.run)\n"
    )

    messages = {
        tuple(f.message for f in findings_in(head + "".join(some), select=["wait-under-lock"]))
        for some in (lines, lines[::-1], lines[2:] + lines[:2])
    }

    assert len(messages) == 1
    assert messages != {()}
