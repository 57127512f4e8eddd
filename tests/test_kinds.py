"""What things are: by construction, annotation, factory, container and use."""

import pytest

from drainlint.finding import Confidence
from drainlint.link.names import FunctionId
from tests.linked import call_in, kind_in, program

HOLDER = """
import queue, threading, asyncio, subprocess, concurrent.futures as cf
from dataclasses import dataclass, field
from typing import Optional
from threading import Event as Bell

class Worker(threading.Thread):
    pass

def make() -> "queue.Queue[int]":
    return queue.Queue()

def build():
    return threading.Event()

@dataclass
class Box:
    jobs: queue.Queue = field(default_factory=queue.Queue)
    done: Optional[threading.Event] = None

class Service:
    bell: Bell

    def __init__(self, given: threading.Thread, stop=None, pool: "cf.Executor | None" = None):
        self.jobs = queue.Queue()
        self.given = given
        self.stop_event = stop or threading.Event()
        self.workers = [Worker() for _ in range(3)]
        self.by_name = {}
        self.made = make()
        self.built = build()
        self.pool = pool
        self.late = None

    def start(self):
        self.by_name["x"] = threading.Thread(target=self.run)
        self.late = subprocess.Popen(["true"])
        self.future = self.pool.submit(print)
        self.tasks = set()
        self.tasks.add(asyncio.create_task(self.go()))

    @property
    def main_worker(self):
        return self.workers[0]

    async def go(self):
        async with asyncio.timeout(3) as scope:
            reader, writer = await asyncio.open_connection("h", 1)

    def run(self):
        for worker in self.workers:
            pass
        for name, thread in self.by_name.items():
            pass
        for number, task in enumerate(self.tasks):
            pass
        first, *rest = self.workers
        with cf.ThreadPoolExecutor() as executor:
            results = [executor.submit(print) for _ in range(3)]
        if (child := subprocess.Popen(["true"])):
            pass
        box = Box()
"""


@pytest.mark.parametrize(
    ("function", "name", "nature"),
    [
        ("Service.run", "self.jobs", "queue"),
        ("Service.run", "self.given", "thread"),
        ("Service.run", "self.stop_event", "event"),
        ("Service.run", "self.workers", "list"),
        ("Service.run", "worker", "thread"),
        ("Service.run", "thread", "thread"),
        ("Service.run", "task", "task"),
        ("Service.run", "first", "thread"),
        ("Service.run", "self.made", "queue"),
        ("Service.run", "self.built", "event"),
        ("Service.run", "self.pool", "executor"),
        ("Service.run", "self.late", "popen"),
        ("Service.run", "self.future", "future"),
        ("Service.run", "executor", "executor"),
        ("Service.run", "child", "popen"),
        ("Service.run", "self.bell", "event"),
        ("Service.run", "self.main_worker", "thread"),
        ("Service.run", "box.jobs", "queue"),
        ("Service.run", "box.done", "event"),
        ("Service.go", "writer", "stream-writer"),
    ],
)
def test_a_thing_is_known(function: str, name: str, nature: str) -> None:
    kind = kind_in(program(HOLDER), function, name)

    assert kind is not None
    assert kind.nature == nature


def test_a_list_knows_what_it_holds() -> None:
    kind = kind_in(program(HOLDER), "Service.run", "results")

    assert kind is not None
    assert kind.element is not None
    assert kind.element.nature == "future"


def test_what_is_only_used_like_a_process_is_one_on_weaker_evidence() -> None:
    made = program("""
        def stop(child):
            child.terminate()
            if child.returncode is None and child.poll() is None:
                child.wait()
                child.communicate()
    """)

    kind = kind_in(made, "stop", "child")

    assert kind is not None
    assert (kind.nature, kind.evidence) == ("popen", Confidence.MEDIUM)


def test_a_parameter_is_what_every_caller_passes() -> None:
    made = program("""
        import queue, threading

        def work(jobs, log):
            jobs.get()

        jobs = queue.Queue()
        threading.Thread(target=work, args=(jobs, print)).start()
    """)

    kind = kind_in(made, "work", "jobs")

    assert kind is not None
    assert (kind.nature, kind.evidence) == ("queue", Confidence.MEDIUM)


def test_a_parameter_that_callers_pass_different_things_for_is_not_known() -> None:
    made = program("""
        import queue, threading

        def work(thing):
            return thing

        work(queue.Queue())
        work(threading.Event())
    """)

    assert kind_in(made, "work", "thing") is None


def test_kinds_cross_modules_through_bases_aliases_and_re_exports() -> None:
    made = program(
        {
            "pkg/__init__.py": "from .inner import Base as Root",
            "pkg/inner.py": "import threading\n\nclass Base:\n    def __init__(self):\n        self.stop = threading.Event()\n",
            "app.py": "from pkg import Root\n\nclass App(Root):\n    def run(self):\n        return self.stop\n",
        }
    )

    kind = kind_in(made, "App.run", "self.stop")

    assert kind is not None
    assert kind.nature == "event"


def test_a_parameter_is_what_its_function_asks_whether_it_is() -> None:
    made = program("""
        import subprocess, threading

        def end(child):
            if isinstance(child, subprocess.Popen):
                child.wait()

        def end_either(child):
            if isinstance(child, subprocess.Popen) or isinstance(child, threading.Thread):
                child.wait()

        def show(text):
            return text.join() if isinstance(text, str) else text
    """)
    child = kind_in(made, "end", "child")
    assert child is not None
    assert (child.nature, child.evidence) == ("popen", Confidence.MEDIUM)
    assert kind_in(made, "end_either", "child") is None
    assert kind_in(made, "show", "text") is None


def test_an_exit_stack_gives_what_it_enters() -> None:
    made = program("""
        import contextlib, subprocess

        def run():
            with contextlib.ExitStack() as stack:
                child = stack.enter_context(subprocess.Popen(["true"]))
                child.wait()
    """)
    child = kind_in(made, "run", "child")
    assert child is not None
    assert child.nature == "popen"


def test_circular_definitions_end() -> None:
    made = program("""
        a = b
        b = a

        def f():
            return g()

        def g():
            return f()

        class A(B): pass
        class B(A): pass
    """)

    assert kind_in(made, "f", "a") is None
    assert made.kinds.result(next(k for k, _ in made.names.functions() if k.name == "f")) is None


def test_a_class_with_its_own_request_decides_what_its_other_methods_do() -> None:
    made = program("""
        import requests

        class Patient(requests.Session):
            def request(self, *args, **kwargs):
                kwargs.setdefault("timeout", 5)
                return super().request(*args, **kwargs)

        class Plain(requests.Session):
            pass

        def patient():
            Patient().get("https://example.org")

        def plain():
            Plain().get("https://example.org")
    """)

    def facts(function: str) -> object:
        return made.facts(FunctionId("app.py", function), call_in(made, function, "get"))

    assert facts("plain") is not None
    assert facts("patient") is None


def test_what_rests_on_a_circle_is_the_same_whoever_is_asked_for_first() -> None:
    text = """
        import threading

        class Service:
            def __init__(self):
                self.first = self.second or threading.Event()
                self.second = self.first

            def wait(self):
                pass
    """

    def natures(*names: str) -> dict[str, str]:
        made = program(text)
        kinds = {name: kind_in(made, "Service.wait", f"self.{name}") for name in names}
        return {name: "" if kind is None else kind.nature for name, kind in kinds.items()}

    assert natures("first", "second") == natures("second", "first")
    assert natures("second")["second"] == "event"


@pytest.mark.parametrize(
    ("imported", "passed", "nature"),
    [
        ("unittest.mock", "unittest.mock.sentinel.TRANSPORT", None),
        ("queue", "queue.Queue()", "queue"),
    ],
)
def test_a_double_that_a_test_passes_says_nothing_of_the_program_unlike_a_real_thing(
    imported: str, passed: str, nature: str | None
) -> None:
    made = program(
        {
            "client.py": """
            class Client:
                def connected(self, transport):
                    self.transport = transport
            """,
            "tests/test_client.py": f"""
            import {imported}
            from client import Client

            def test_it():
                Client().connected({passed})
            """,
        }
    )

    kind = kind_in(made, "Client.connected", "self.transport", "client.py")
    assert (None if kind is None else kind.nature) == nature


CONTAINER = """
    import eventlet

    class Container:
        def spawn_managed_thread(self, run):
            return eventlet.spawn(run)
    """


def test_a_method_gives_what_all_of_its_name_give_where_nobody_says_whose_it_is() -> None:
    made = program(
        {
            "container.py": CONTAINER,
            "timer.py": """
            class Timer:
                container = None

                def start(self):
                    self.thread = self.container.spawn_managed_thread(self.run)
            """,
        }
    )

    kind = kind_in(made, "Timer.start", "self.thread", "timer.py")
    assert kind is not None
    assert (kind.nature, kind.evidence) == ("greenlet", Confidence.MEDIUM)


@pytest.mark.parametrize(
    "other",
    [
        "def spawn_managed_thread(self, run): return threading.Thread(target=run)",
        "def spawn_managed_thread(self, run): return run",
    ],
)
def test_methods_of_one_name_that_give_different_things_tell_nothing(other: str) -> None:
    made = program(
        {
            "container.py": CONTAINER,
            "timer.py": f"""
            import threading

            class Other:
                {other}

            class Timer:
                container = None

                def start(self):
                    self.thread = self.container.spawn_managed_thread(self.run)
            """,
        }
    )

    assert kind_in(made, "Timer.start", "self.thread", "timer.py") is None


def test_a_method_of_a_known_thing_is_no_other_ones_of_its_name() -> None:
    made = program(
        {
            "container.py": CONTAINER,
            "timer.py": """
            from elsewhere import Container

            class Timer:
                def __init__(self):
                    self.container = Container()

                def start(self):
                    self.thread = self.container.spawn_managed_thread(self.run)
            """,
        }
    )

    assert kind_in(made, "Timer.start", "self.thread", "timer.py") is None


@pytest.mark.parametrize(
    ("callback", "nature"),
    [
        ("ready.set()", "event"),
        ("ready.set(event)", None),  # a gauge, a setting
        ("ready = []; ready.set()", None),  # another one
    ],
)
def test_what_a_callback_sets_and_its_function_waits_for_is_an_event(
    callback: str, nature: str | None
) -> None:
    made = program(
        f"""
        def enter(client):
            ready = client.handler.event_object()

            def created(event):
                {callback}

            client.exists("/ready", watch=created)
            ready.wait()
        """
    )

    kind = kind_in(made, "enter", "ready")
    assert (None if kind is None else kind.nature) == nature


def test_what_a_coroutine_sets_and_waits_for_is_no_event_of_threads() -> None:
    made = program(
        """
        async def refresh(client):
            needed = client.event()
            needed.set()
            await client.first(needed.wait())
        """
    )

    assert kind_in(made, "refresh", "needed") is None


def test_a_choice_by_isinstance_gives_an_instance_of_the_class_asked_for() -> None:
    made = program(
        """
        import subprocess

        class Pipe:
            def __init__(self, command):
                self.process = command if isinstance(command, subprocess.Popen) else start(command)

        def build():
            return Pipe(["sort"])
        """
    )

    kind = kind_in(made, "Pipe.__init__", "self.process")
    assert kind is not None
    assert kind.nature == "popen"


def test_a_function_of_a_library_is_known_under_the_name_that_another_module_gives_it() -> None:
    made = program(
        {
            "compat.py": """
            import time

            sleep = time.sleep
            if WINDOWS:
                pause = time.sleep
            else:
                pause = print
            """,
            "pool.py": """
            from compat import pause, sleep

            def get():
                sleep(1)
                pause(1)
            """,
        }
    )

    def does(name: str) -> str:
        known = made.facts(FunctionId("pool.py", "get"), call_in(made, "get", name, "pool.py"))
        return "" if known is None else known[0].does

    assert (does("sleep"), does("pause")) == ("sleep", "")


@pytest.mark.parametrize(
    ("declared", "found"),
    [(": Transport | None", "Transport"), (": Optional[Other]", "Web"), ("", "Web")],
)
def test_what_is_made_of_several_classes_is_what_it_is_declared_as_if_they_derive_from_it(
    declared: str, found: str
) -> None:
    made = program(
        f"""
        from typing import Optional

        class Transport:
            async def wait_closed(self): ...

        class Tcp(Transport):
            async def wait_closed(self): ...

        class Web(Transport):
            async def wait_closed(self): ...

        class Other: ...

        class Client:
            def __init__(self):
                self.transport{declared} = None

            def connect(self, web):
                if web:
                    self.transport = Web()
                else:
                    self.transport = Tcp()
        """
    )

    kind = kind_in(made, "Client.connect", "self.transport")
    assert kind is not None
    assert kind.short == found


@pytest.mark.parametrize("own", ["", "class Own:\n    def step(self):\n        return self\n"])
def test_each_call_of_a_long_chain_is_asked_once(own: str) -> None:
    """Asking twice for what a call is made on takes 2 to the 60th steps here: no end at all."""
    chain = ".step()" * 60
    made = program(
        f"{own}\nimport queue\ndef work():\n    end = queue.Queue(){chain}\n    end.join()\n"
    )

    assert kind_in(made, "work", "end") is None
