"""The map, as people get it: real processes, text and JSON."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import drainlint, put

SERVICES = Path(__file__).parents[1] / "fixtures" / "services"
SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.fixture
def stubborn(tmp_path: Path) -> Path:
    """The service that does not drain, as a project of its own."""
    return Path(shutil.copytree(SERVICES / "stubborn", tmp_path / "stubborn"))


def drawn(folder: Path, *arguments: str) -> dict[str, Any]:
    """The map as JSON."""
    done = drainlint(folder, "map", ".", "--output", "json", *arguments)
    assert (done.code, done.err) == (0, "")
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_a_whole_map_looks_as_it_should(stubborn: Path) -> None:
    done = drainlint(stubborn, "map", ".")
    assert (done.code, done.err) == (0, "")
    assert done.out == (SNAPSHOTS / "map.txt").read_text(encoding="utf-8")


def test_the_whole_report_on_a_service_that_does_not_drain(stubborn: Path) -> None:
    done = drainlint(stubborn, ".", "--strict")
    assert done.code == 1
    assert done.out == (SNAPSHOTS / "stubborn.txt").read_text(encoding="utf-8")


def test_a_service_that_drains_well_has_nothing_to_hear(tmp_path: Path) -> None:
    graceful = Path(shutil.copytree(SERVICES / "graceful", tmp_path / "graceful"))
    assert drainlint(graceful, ".", "--strict").out == "no findings in 3 files\n"
    assert "no waits on them without a bound" in drainlint(graceful, "map", ".").out


def test_json_holds_entries_services_and_drain_paths(stubborn: Path) -> None:
    found = drawn(stubborn)
    assert (found["version"], found["tool"]["name"]) == (1, "drainlint")
    (entry,) = found["entries"]
    assert (entry["sort"], entry["name"]) == ("main function", "main")
    assert entry["at"] == {"path": "main.py", "line": 27, "column": 1}
    (handler,) = entry["handlers"]
    assert (handler["triggers"], handler["drain_path"]) == (["SIGTERM"], 1)
    assert handler["sets"] == ["Poller.stopping", "Worker.stopped"]
    assert [service["name"] for service in found["services"]] == ["Poller", "Worker", "Service"]
    (path,) = found["drain_paths"]
    assert (path["sort"], path["by_name"], path["root"]["name"]) == ("signal", False, "on_term")


def test_json_says_what_bounds_each_wait(stubborn: Path) -> None:
    worker = next(s for s in drawn(stubborn)["services"] if s["name"] == "Worker")
    (thread,) = worker["holds"]
    (join,) = thread["joined"]
    assert join["bound"] == {"sort": "none", "seconds": None, "text": "", "around": ""}
    assert join["at"] == {"path": "service.py", "line": 54, "column": 9}


def test_json_and_text_can_be_written_in_one_run(stubborn: Path) -> None:
    done = drainlint(stubborn, "map", ".", "--output", "text", "--output", "json=map.json")
    assert done.out == drainlint(stubborn, "map", ".").out
    assert json.loads((stubborn / "map.json").read_text(encoding="utf-8"))["version"] == 1


def test_a_subtree_is_drawn_once_and_referred_to_after_that(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "app.py": """\
import atexit
import signal
import threading

worker = threading.Thread(target=print)


def finish():
    worker.join()


def on_term(*_):
    finish()


@atexit.register
def at_exit():
    finish()


signal.signal(signal.SIGTERM, on_term)
"""
        },
    )
    out = drainlint(tmp_path, "map", ".").out
    assert out.count("waits `worker.join()`") == 1
    assert "`-- `finish` as in [1]  app.py:8\n" in out


def test_a_repeated_call_in_one_tree_is_drawn_as_above(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "app.py": """\
import atexit
import threading

worker = threading.Thread(target=print)


def finish():
    worker.join(5)


def first():
    finish()


def second():
    finish()


@atexit.register
def leave():
    first()
    second()
"""
        },
    )
    lines = drainlint(tmp_path, "map", ".").out.splitlines()
    assert [line for line in lines if "`--" in line or "|--" in line] == [
        "    |-- `first`  app.py:11",
        "    |   `-- `finish`  app.py:7",
        "    |       `-- waits `worker.join(5)`, bound 5 s  app.py:8",
        "    `-- `second`  app.py:15",
        "        `-- `finish` as above  app.py:7",
    ]


def test_functions_that_call_each_other_are_drawn_once(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "app.py": """\
import atexit
import time


def ping(n):
    time.sleep(1)
    pong(n)


def pong(n):
    ping(n)


atexit.register(ping, 3)
"""
        },
    )
    out = drainlint(tmp_path, "map", ".").out
    assert out.count("pauses `time.sleep(1)`, bound 1 s") == 1


def test_what_says_little_is_counted_and_shown_on_request(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "app.py": "class Thing:\n    def stop(self):\n        pass\n",
            "tests/test_app.py": "class Fake:\n    def stop(self):\n        pass\n",
        },
    )
    some = drainlint(tmp_path, "map", ".").out
    assert "1 root without waits" in some
    assert "1 root in tests and examples" in some
    assert "--all shows them" in some
    all_ = drainlint(tmp_path, "map", ".", "--all").out
    assert "not shown" not in all_
    assert all_.count("nothing waits") == 2


def test_all_shows_entries_of_tests_too(stubborn: Path) -> None:
    guard = "def work():\n    pass\n\n\nif __name__ == '__main__':\n    work()\n"
    put(stubborn, {"tests/test_it.py": guard})
    assert len(drawn(stubborn)["entries"]) == 1
    assert len(drawn(stubborn, "--all")["entries"]) == 2


def test_only_what_is_asked_for_is_drawn_but_trees_lead_anywhere(stubborn: Path) -> None:
    done = drainlint(stubborn, "map", "main.py")
    assert "Services" not in done.out
    assert "service.py:54" in done.out


def test_a_program_with_nothing_to_draw_says_so(tmp_path: Path) -> None:
    put(tmp_path, {"app.py": "print('hello')\n"})
    done = drainlint(tmp_path, "map", ".")
    assert (done.code, done.out) == (0, "no entries, services or drain paths found\n")


def test_colour_changes_nothing_but_the_colour(stubborn: Path) -> None:
    plain = drainlint(stubborn, "map", ".").out
    colored = drainlint(stubborn, "map", ".", "--color", "always").out
    assert colored != plain
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain


def test_no_line_is_wider_than_the_page(stubborn: Path) -> None:
    assert max(map(len, drainlint(stubborn, "map", ".").out.splitlines())) <= 80


def test_maps_are_the_same_for_any_number_of_jobs_and_any_seed(stubborn: Path) -> None:
    one = drainlint(stubborn, "map", ".", "--jobs", "1").out
    other = drainlint(stubborn, "map", ".", "-j2", env={"PYTHONHASHSEED": "7"}).out
    assert one == other


def test_a_file_that_cannot_be_parsed_is_named_and_the_rest_is_drawn(stubborn: Path) -> None:
    put(stubborn, {"broken.py": "def:\n"})
    done = drainlint(stubborn, "map", ".")
    assert done.code == 2
    assert [line.split(":")[1].strip() for line in done.errors] == ["broken.py"]
    assert "Drain paths" in done.out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--output", "sarif"], "--output: unknown format `sarif`; there are text, json"),
        (["--output", "jsn"], "--output: unknown format `jsn`; did you mean `json`?"),
    ],
)
def test_an_unknown_format_is_named(stubborn: Path, arguments: list[str], error: str) -> None:
    done = drainlint(stubborn, "map", ".", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.errors == [f"error: {error}"]


def test_a_path_that_does_not_exist_is_an_error(stubborn: Path) -> None:
    done = drainlint(stubborn, "map", "nowhere")
    assert done.code == 2
    assert "nowhere" in done.err


def test_a_misspelt_verb_is_suggested(stubborn: Path) -> None:
    assert "did you mean `map`" in drainlint(stubborn, "mpa").err


# Entries


def entries(folder: Path) -> list[tuple[str, str]]:
    return [(entry["sort"], entry["name"]) for entry in drawn(folder)["entries"]]


HANDLED = """\
import signal


def on_term(*_):
    raise SystemExit


def {name}():
    signal.signal(signal.SIGTERM, on_term)
"""


def test_console_scripts_come_first_and_stand_even_where_nothing_is_registered(
    tmp_path: Path,
) -> None:
    put(
        tmp_path,
        {
            "pyproject.toml": '[project.scripts]\nserve = "tool.cli:serve"\n',
            "tool/__init__.py": "",
            "tool/cli.py": "def serve():\n    pass\n",
            "tool/again.py": HANDLED.format(name="main"),
        },
    )
    assert entries(tmp_path) == [("console script", "serve"), ("main function", "main")]


def test_a_guard_around_main_is_no_entry_of_its_own(tmp_path: Path) -> None:
    guard = "\n\nif __name__ == '__main__':\n    main()\n"
    put(tmp_path, {"app.py": HANDLED.format(name="main") + guard})
    assert entries(tmp_path) == [("main function", "main")]


def test_a_guard_that_does_more_is_an_entry(tmp_path: Path) -> None:
    guard = "\n\nif __name__ == '__main__':\n    begin()\n"
    put(tmp_path, {"app.py": HANDLED.format(name="begin") + guard})
    assert entries(tmp_path) == [("main guard", "app")]


def test_signals_are_found_through_loops_and_parameters(tmp_path: Path) -> None:
    helper = """\
import signal


def install(signals, handler):
    for one in signals:
        signal.signal(one, handler)
"""
    text = """\
import signal

from helper import install


def on_term(*_):
    raise SystemExit


def main():
    install([signal.SIGTERM, signal.SIGINT], on_term)
"""
    put(tmp_path, {"app.py": text, "helper.py": helper})
    ((handler,),) = [entry["handlers"] for entry in drawn(tmp_path)["entries"]]
    assert handler["triggers"] == ["SIGTERM", "SIGINT"]
    assert handler["registered"] == {"path": "helper.py", "line": 6, "column": 9}


def test_handlers_that_no_entry_registers_are_shown_all_the_same(tmp_path: Path) -> None:
    put(tmp_path, {"app.py": HANDLED.format(name="install")})
    found = drawn(tmp_path)
    assert found["entries"] == []
    assert [handler["label"] for handler in found["handlers"]] == ["signal handler `on_term`"]
    assert "Handlers that no entry is seen to register" in drainlint(tmp_path, "map", ".").out


def test_what_a_subclass_inherits_is_shown_with_its_base(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "app.py": """\
import threading


class Base:
    def __init__(self):
        self.worker = threading.Thread(target=print)


class Same(Base):
    pass


class More(Base):
    def more(self):
        self.extra = threading.Thread(target=print)
"""
        },
    )
    base, more = drawn(tmp_path)["services"]
    assert (base["name"], base["heirs"], base["base"]) == ("Base", ["Same"], None)
    assert (more["name"], more["base"]) == ("More", "Base")
    assert [held["name"] for held in more["holds"]] == ["extra"]


def test_what_tests_do_is_not_taken_for_the_service_itself(tmp_path: Path) -> None:
    service = """\
import threading


class Service:
    def __init__(self):
        self.worker = threading.Thread(target=print)
"""
    test = "from app import Service\n\n\ndef test_it():\n    s = Service()\n    s.worker.join()\n"
    put(tmp_path, {"app.py": service, "tests/test_app.py": test})
    (found,) = drawn(tmp_path)["services"]
    assert found["holds"][0]["joined"] == []
    assert "stopped, joined nowhere" in drainlint(tmp_path, "map", ".").out


def test_a_path_named_map_is_written_with_a_dot(tmp_path: Path) -> None:
    put(tmp_path, {"map/app.py": HANDLED.format(name="main")})
    assert drainlint(tmp_path, "./map", "--output", "concise").out.endswith("in 1 file\n")
