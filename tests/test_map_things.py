"""What a map says beside entries, services and drain paths: workers, handlers, messages."""

import json
import textwrap
from pathlib import Path
from typing import Any

from tests.test_cli import drainlint, put


def text(folder: Path, source: str, *arguments: str) -> str:
    put(folder, {"app.py": textwrap.dedent(source)})
    done = drainlint(folder, "map", ".", *arguments)
    assert (done.code, done.err) == (0, "")
    return done.out


def drawn(folder: Path, source: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text(folder, source, "--output", "json"))
    return found


WORKERS = """
    import signal
    import socket
    import threading


    class Service:
        def start(self):
            self.worker = threading.Thread(target=self.run, daemon=True)
            self.worker.start()

        def run(self): ...


    def read(sock): ...


    def ignore(*_):
        pass


    def main():
        signal.signal(signal.SIGTERM, ignore)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        sock = socket.create_connection(("host", 1), timeout=3)
        reader = threading.Thread(target=read, args=(sock,))
        reader.start()
        Service().start()
        reader.join(5)
        threading.Thread(target=read, args=(sock,)).start()


    if __name__ == "__main__":
        main()
"""


def test_the_workers_and_resources_of_functions_are_shown(tmp_path: Path) -> None:
    out = text(tmp_path, WORKERS)
    section = out.partition("Workers and resources of functions\n")[2].partition("\n1 entry")[0]
    expected = """
        socket `sock`: socket  app.py:25
          made in `main`
          used by `reader`, `threading.Thread(target=read, args=(sock))`
          handed on in `main`  app.py:26
          handed on in `main`  app.py:30

        thread `reader`: Thread, runs `read`  app.py:26
          made in `main`
          started in `main`  app.py:27
          joined in `main`, bound 5 s  app.py:29

        thread: Thread, runs `read`  app.py:30
          made in `main`
          started in `main`  app.py:30
          kept by nobody
    """
    assert section == textwrap.indent(textwrap.dedent(expected), "  ")


def test_a_service_says_what_its_workers_run(tmp_path: Path) -> None:
    assert "worker `worker`: Thread, runs `Service.run`, daemon\n" in text(tmp_path, WORKERS)


def test_handlers_that_do_nothing_are_told_apart(tmp_path: Path) -> None:
    out = text(tmp_path, WORKERS)
    assert "on SIGTERM: signal handler `ignore`, does nothing  app.py:18\n" in out
    assert "on SIGHUP: `SIG_IGN`, ignores it  app.py:24\n" in out


def test_json_holds_workers_resources_and_remarks(tmp_path: Path) -> None:
    found = drawn(tmp_path, WORKERS)
    sock, reader, dropped = found["made"]
    assert (sock["sort"], sock["nature"], sock["given_to"][0]) == ("resource", "socket", "reader")
    assert (reader["sort"], reader["runs"], reader["daemon"]) == ("worker", ["read"], None)
    assert [act["bound"]["seconds"] for act in reader["joined"]] == [5]
    assert (dropped["kept"], len(dropped["started"])) == ("", 1)
    (service,) = found["services"]
    assert [(one["kept"], one["daemon"]) for one in service["makes"]] == [("self.worker", True)]
    (entry,) = found["entries"]
    assert [handler["remarks"] for handler in entry["handlers"]] == [
        ["does nothing"],
        ["ignores it"],
    ]


MESSAGES = """
    import kafka


    def handle(order): ...


    def consume():
        consumer = kafka.KafkaConsumer("orders", enable_auto_commit=False)
        for message in consumer:
            consumer.commit()
            handle(message.value)
"""


def test_what_becomes_of_messages_is_shown_in_its_order(tmp_path: Path) -> None:
    out = text(tmp_path, MESSAGES)
    assert (
        """\
  `consume` loops over them, as `message`  app.py:10
    acknowledges: `consumer.commit()`  app.py:11
    works on it: `handle(message.value)`  app.py:12
    acknowledged before it is worked on
"""
        in out
    )


def test_json_holds_deliveries(tmp_path: Path) -> None:
    (one,) = drawn(tmp_path, MESSAGES)["deliveries"]
    assert (one["how"], one["message"]) == ("loop", "message")
    assert [step["verb"] for step in one["acknowledged"]] == ["commit"]


def test_a_wait_whose_cancellation_is_swallowed_says_where(tmp_path: Path) -> None:
    out = text(
        tmp_path,
        """
        import asyncio


        class Service:
            def __init__(self):
                self.task = asyncio.create_task(print())

            async def stop(self):
                try:
                    await asyncio.wait({self.task})
                except asyncio.CancelledError:
                    pass
        """,
    )
    assert "cancellation ends at `except" in " ".join(out.split())
    assert "asyncio.CancelledError` on line 12" in " ".join(out.split())
