"""Workers and resources: who makes, keeps, starts, stops, joins and closes them."""

import textwrap

import pytest

from drainlint.link.makings import Makings
from drainlint.link.names import FunctionId
from drainlint.model.made import Made, Resource, Worker
from drainlint.model.service import Act
from tests.linked import program

IMPORTS = (
    "import asyncio, multiprocessing, socket, subprocess, threading\n"
    "from concurrent.futures import ThreadPoolExecutor\n\n"
    "def work(*_): ...\n\n"
)


def made(text: str, function: str) -> list[Made]:
    linked = program(IMPORTS + textwrap.dedent(text))
    return list(Makings(linked).of(FunctionId("app.py", function)))


def worker(text: str, function: str = "main") -> Worker:
    (found,) = (one for one in made(text, function) if isinstance(one, Worker))
    return found


def resource(text: str, function: str = "main") -> Resource:
    (found,) = (one for one in made(text, function) if isinstance(one, Resource))
    return found


def texts(acts: tuple[Act, ...]) -> list[str]:
    return [act.text for act in acts]


def test_a_local_thread_is_started_and_joined_where_it_is_made() -> None:
    found = worker("""
        def main():
            reader = threading.Thread(target=work, daemon=True)
            reader.start()
            reader.join(5)
    """)
    assert (found.nature, found.kept, found.is_local, found.daemon) == (
        "thread",
        "reader",
        True,
        True,
    )
    assert [related.text for related in found.runs] == ["work"]
    assert texts(found.started) == ["reader.start()"]
    assert texts(found.joined) == ["reader.join(5)"]
    assert not found.joined_without_deadline
    assert not found.is_left_behind


def test_a_thread_that_is_started_at_once_is_dropped() -> None:
    found = worker("""
        def main():
            threading.Thread(target=work).start()
    """)
    assert found.is_dropped
    assert found.is_started
    assert found.is_left_behind
    assert found.outlives_the_program


def test_a_thread_that_is_never_started_is_not_left_behind() -> None:
    found = worker("""
        def main():
            reader = threading.Thread(target=work)
    """)
    assert not found.is_started
    assert not found.is_left_behind


def test_threads_of_a_list_are_followed_into_loops() -> None:
    found = worker("""
        def main():
            threads = []
            while len(threads) < 5:
                one = threading.Thread(target=work)
                one.start()
                threads.append(one)
            for each in threads:
                each.join()
    """)
    assert (found.kept, found.several, found.in_loop) == ("threads", True, True)
    assert texts(found.started) == ["one.start()"]
    assert texts(found.joined) == ["each.join()"]
    assert found.joined_without_deadline


def test_a_thread_of_an_attribute_is_joined_by_another_method() -> None:
    found = worker(
        """
        class Service:
            def start(self):
                self.worker = threading.Thread(target=self.run)
                self.worker.daemon = True
                self.worker.start()

            def run(self): ...

            def stop(self):
                self.worker.join(5)
        """,
        "Service.start",
    )
    assert (found.kept, found.daemon) == ("self.worker", True)
    assert [related.text for related in found.runs] == ["Service.run"]
    assert [act.short_function for act in found.joined] == ["stop"]
    assert not found.is_left_behind


def test_a_thread_of_the_module_is_joined_by_any_function_of_it() -> None:
    found = worker(
        """
        watcher = threading.Thread(target=work)
        watcher.start()

        def stop():
            watcher.join()
        """,
        "<module>",
    )
    assert [act.short_function for act in found.joined] == ["stop"]


HANDED_ON = {
    "returned": "return threading.Thread(target=work)",
    "returned by its name": "one = threading.Thread(target=work)\n    return one",
    "given away": "keep(threading.Thread(target=work))",
    "given away by its name": "one = threading.Thread(target=work)\n    one.start()\n    keep(one)",
    "returned with others": "return [threading.Thread(target=work) for _ in range(3)]",
}


@pytest.mark.parametrize("how", HANDED_ON)
def test_who_takes_it_over_may_end_it(how: str) -> None:
    found = worker(f"def main():\n    {HANDED_ON[how]}\n")
    assert found.handed_on
    assert not found.is_left_behind


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("asyncio.create_task(serve())", True),
        ("task = asyncio.create_task(serve())", True),
        ("task = asyncio.create_task(serve())\n    await task", False),
        ("task = asyncio.create_task(serve())\n    await asyncio.wait_for(task, 5)", False),
        ("await asyncio.create_task(serve())", False),
        ("tasks = [asyncio.create_task(serve())]\n    await asyncio.gather(*tasks)", False),
        ("task = asyncio.create_task(serve())\n    task.cancel()", False),
    ],
)
def test_a_task_runs_at_once_and_somebody_has_to_await_it(body: str, *, left: bool) -> None:
    found = worker(f"async def serve(): ...\n\nasync def main():\n    {body}\n")
    assert (found.nature, found.running) == ("task", True)
    assert found.is_left_behind is left
    assert [related.text for related in found.runs] == ["serve"]


def test_the_deadline_of_a_join_is_that_of_what_bounds_it() -> None:
    text = """
        async def serve(): ...

        async def main():
            task = asyncio.create_task(serve())
            await {waits}
    """
    bounded = worker(text.format(waits="asyncio.wait_for(task, 5)"))
    endless = worker(text.format(waits="asyncio.gather(task)"))
    assert not bounded.joined_without_deadline
    assert endless.joined_without_deadline


def test_an_executor_in_a_with_ends_with_it() -> None:
    found = worker("""
        def main():
            with ThreadPoolExecutor() as pool:
                pool.submit(work)
    """)
    assert found.within
    assert found.is_joined
    assert not found.is_left_behind


def test_a_subclass_of_a_thread_runs_its_own_run() -> None:
    text = """
        class Reader(threading.Thread):
            def __init__(self):
                super().__init__(daemon=True)

            def run(self): ...

        def main():
            Reader().start()
    """
    found = worker(text)
    assert [related.text for related in found.runs] == ["Reader.run"]
    assert found.daemon is True
    assert found.is_dropped


def test_a_child_process_is_stopped_and_waited_for() -> None:
    found = worker("""
        def main():
            child = subprocess.Popen(["sleep", "9"])
            child.terminate()
            child.wait(3)
    """)
    assert (found.nature, texts(found.stopped)) == ("popen", ["child.terminate()"])
    assert texts(found.joined) == ["child.wait(3)"]


def test_a_resource_is_opened_used_given_away_and_closed() -> None:
    found = resource("""
        def main():
            sock = socket.create_connection(("host", 1), timeout=3)
            reader = threading.Thread(target=work, args=(sock,))
            reader.start()
            sock.sendall(b"hello")
            sock.close()
    """)
    assert (found.nature, found.kept, found.given_to) == ("socket", "sock", ("reader",))
    assert texts(found.stopped) == ["sock.close()"]
    assert "sock.sendall(b'hello')" in texts(found.used)
    assert not found.is_left_open


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("sock = socket.socket()", True),
        ("sock = socket.socket()\n    sock.close()", False),
        ("with socket.socket() as sock:\n        sock.listen()", False),
        ("sock = socket.socket()\n    return sock", False),
    ],
)
def test_whether_a_resource_is_left_open(body: str, *, left: bool) -> None:
    assert resource(f"def main():\n    {body}\n").is_left_open is left


def test_what_only_finds_a_worker_makes_none() -> None:
    assert not made("def main():\n    one = threading.current_thread()\n", "main")
    assert not made("def main(threads):\n    threads.pop().join()\n", "main")
