"""What is on the drain path, and what is not: roots of every sort, directly and through calls."""

import textwrap
from pathlib import Path

import pytest

from drainlint.discover import SourceFile
from drainlint.finding import Finding, Level
from drainlint.gather import gather
from drainlint.index.screen import Vocabulary
from drainlint.knowledge import load
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.model.function import Drain
from drainlint.rules import words
from tests.conftest import findings_in
from tests.linked import program

SERVICES = Path(__file__).parents[1] / "fixtures" / "services"


def drain(made: Program, function: str, line: int = 0, path: str = "app.py") -> Drain | None:
    """Why a line of a function is on the drain path, or the function as a whole."""
    key = FunctionId(path, function)
    return made.drain(key, line or made.names.function(key).line)


def line_of(text: str, wanted: str) -> int:
    lines = textwrap.dedent(text).split("\n")
    return next(number for number, line in enumerate(lines, 1) if wanted in line)


def steps(found: Drain | None) -> list[str]:
    assert found is not None
    return [step.text for step in found.steps]


REGISTERED = {
    "signal.signal": "signal.signal(signal.SIGTERM, leave)",
    "signal.signal through partial": "signal.signal(signal.SIGTERM, functools.partial(leave, 1))",
    "signal.signal through a lambda": "signal.signal(signal.SIGTERM, lambda s, f: leave())",
    "add_signal_handler": "asyncio.get_event_loop().add_signal_handler(signal.SIGTERM, leave)",
    "atexit": "atexit.register(leave)",
    "weakref.finalize": "weakref.finalize(object(), leave)",
}
IMPORTS = "import asyncio, atexit, contextlib, functools, signal, threading, weakref\n"


@pytest.mark.parametrize("how", REGISTERED)
def test_what_is_registered_is_on_the_drain_path(how: str) -> None:
    made = program(
        f"{IMPORTS}def leave(*_):\n    wait()\n\ndef wait():\n    pass\n\n{REGISTERED[how]}\n"
    )
    assert drain(made, "leave") is not None
    found = drain(made, "wait")
    assert found is not None
    assert found.sort in ("signal", "exit-hook")
    assert not found.by_name
    assert steps(found)[-1] == "`wait`"


def test_atexit_is_a_decorator_too() -> None:
    made = program("import atexit\n\n@atexit.register\ndef leave():\n    pass\n")
    found = drain(made, "leave")
    assert found is not None
    assert (found.sort, found.root) == ("exit-hook", "exit hook `leave`")


def test_what_is_added_to_an_applications_list_of_hooks_is_on_the_drain_path() -> None:
    made = program(
        """
        from aiohttp import web

        async def empty_queue(app):
            pass

        async def fill_queue(app):
            pass

        async def left_out(app):
            pass

        def make(others):
            app = web.Application()
            app.on_startup.append(fill_queue)
            app.on_cleanup.append(empty_queue)
            others.append(left_out)
            return app
        """
    )

    found = drain(made, "empty_queue")
    assert found is not None
    assert (found.sort, found.by_name) == ("shutdown-hook", False)
    assert drain(made, "fill_queue") is None
    assert drain(made, "left_out") is None


def test_shutdown_hooks_of_web_frameworks_are_on_the_drain_path() -> None:
    made = program("""
        from contextlib import asynccontextmanager
        from fastapi import FastAPI

        @asynccontextmanager
        async def lifespan(app):
            before()
            yield
            after()

        def before(): ...

        def after(): ...

        app = FastAPI(lifespan=lifespan)

        @app.on_event("startup")
        async def begin(): ...

        @app.on_event("shutdown")
        async def bye(): ...
    """)
    hook = drain(made, "bye")
    assert hook is not None
    assert hook.sort == "shutdown-hook"
    assert drain(made, "begin") is None
    assert drain(made, "after") is not None
    assert drain(made, "before") is None


def test_a_handler_may_be_a_method_registered_by_its_own_class() -> None:
    made = program("""
        import signal

        class Server:
            def install(self):
                signal.signal(signal.SIGTERM, self.on_term)

            def on_term(self, signum, frame):
                self.finish_up()

            def finish_up(self): ...
    """)
    assert steps(drain(made, "Server.finish_up")) == [
        "signal handler `on_term`",
        "`Server.finish_up`",
    ]


def test_a_handler_handed_through_a_helper_is_still_a_handler() -> None:
    made = program("""
        import signal

        def install(handler):
            signal.signal(signal.SIGTERM, handler)

        def leave(signum, frame): ...

        install(leave)
    """)
    found = drain(made, "leave")
    assert found is not None
    assert found.sort == "signal"


def test_a_handler_handed_through_two_helpers_is_registered_by_the_outermost() -> None:
    made = program("""
        import signal

        def install(handler):
            signal.signal(signal.SIGTERM, handler)

        def install_twice(handler):
            install(handler)

        def leave(signum, frame): ...

        def main():
            install_twice(leave)
    """)
    (registration,) = made.graph.registrations
    assert (registration.target.name, registration.scope.name) == ("leave", "main")


WORKER = """
import threading

class Service:
    def __init__(self):
        self.worker = threading.Thread(target=self.run)

    def run(self): ...

    def {name}(self):
        {body}
"""


@pytest.mark.parametrize(
    "name", ["stop", "close", "_shutdown", "async_stop", "on_exit", "__exit__"]
)
def test_the_stop_methods_of_a_service_count_in_full(name: str) -> None:
    found = drain(program(WORKER.format(name=name, body="...")), f"Service.{name}")
    assert found is not None
    assert not found.by_name


def test_a_stop_method_of_anything_else_counts_by_its_name() -> None:
    found = drain(program("class Thing:\n    def stop(self): ...\n"), "Thing.stop")
    assert found is not None
    assert found.by_name


def test_a_method_that_begins_with_such_a_word_counts_where_it_ends_what_it_owns() -> None:
    ends = program(WORKER.format(name="stop_worker", body="self.worker.join()"))
    only_named = program(WORKER.format(name="stop_words", body="return ['the', 'a']"))
    assert drain(ends, "Service.stop_worker") is not None
    assert drain(only_named, "Service.stop_words") is None


def test_what_is_ended_must_be_something_that_lives() -> None:
    made = program("""
        import threading

        class Batch:
            def abort(self, why): ...

        class Sender:
            def __init__(self):
                self.worker = threading.Thread(target=print)
                self.batch = Batch()
                self.ready = threading.Condition()

            def abort_batch(self):
                self.batch.abort("no more")

            def drain_events(self):
                self.ready.wait(1)

            def stop_worker(self):
                self.worker.join()
    """)
    assert drain(made, "Sender.abort_batch") is None
    assert drain(made, "Sender.drain_events") is None
    assert drain(made, "Sender.stop_worker") is not None


JOB = """
import redis

class Job:
    def __init__(self, connection: redis.Redis):
        self.connection = connection{thread}

    def finish(self):
        {body}
"""


@pytest.mark.parametrize(
    ("thread", "body", "certain"),
    [
        ("", "self.connection.delete('job')", False),
        ("", "self.connection.close()", True),
        ("; self.worker = threading.Thread(target=print)", "self.done = 1", True),
    ],
)
def test_finish_is_the_end_of_a_service_where_that_lives_or_it_ends_something(
    thread: str, body: str, *, certain: bool
) -> None:
    text = f"import threading\n{JOB.format(thread=thread, body=body)}"
    found = drain(program(text), "Job.finish")
    assert found is not None
    assert found.by_name is not certain


def test_super_is_followed_into_the_base() -> None:
    made = program("""
        import threading

        class Base:
            def __init__(self):
                self.worker = threading.Thread(target=print)

            def wind_up(self): ...

        class Service(Base):
            def stop(self):
                super().wind_up()
    """)
    assert steps(drain(made, "Base.wind_up")) == ["`Service.stop`", "`Base.wind_up`"]


def test_what_overrides_a_called_method_is_on_the_drain_path() -> None:
    made = program("""
        import threading

        class Base:
            def __init__(self):
                self.worker = threading.Thread(target=print)

            def stop(self):
                self.wind_up()

            def wind_up(self): ...

        class Special(Base):
            def wind_up(self): ...
    """)
    assert steps(drain(made, "Special.wind_up")) == ["`Base.stop`", "`Special.wind_up`"]


def test_decorated_functions_are_followed_through_their_calls() -> None:
    made = program("""
        import atexit, functools

        def logged(function):
            @functools.wraps(function)
            def inner(*args):
                return function(*args)
            return inner

        @atexit.register
        @logged
        def leave():
            finish_up()

        @logged
        def finish_up(): ...
    """)
    assert drain(made, "finish_up") is not None


CONTEXT = """
import contextlib

@contextlib.contextmanager
def running():
    begin()
    yield
    wind_up()

def begin(): ...

def wind_up(): ...
"""


def test_what_follows_the_yield_of_a_context_manager_is_on_the_drain_path() -> None:
    made = program(CONTEXT)
    assert drain(made, "running", line_of(CONTEXT, "wind_up()")) is not None
    assert drain(made, "running", line_of(CONTEXT, "begin()")) is None
    assert drain(made, "wind_up") is not None
    assert drain(made, "begin") is None


LEAVING = """
import contextlib
import threading

@contextlib.contextmanager
def ending(worker: threading.Thread):
    yield
    worker.join()

@contextlib.contextmanager
def setting_back(settings):
    yield
    settings.update(old)

class Worker:
    def __init__(self):
        self.thread = threading.Thread(target=print)

    def __exit__(self, *_):
        self.thread.join()

class Patch:
    def __exit__(self, *_):
        self.module.name = self.old
"""


def test_leaving_a_block_that_only_sets_something_back_says_little_of_the_end() -> None:
    made = program(LEAVING)

    def weak(function: str, line: str = "") -> bool:
        found = drain(made, function, line_of(LEAVING, line) if line else 0)
        assert found is not None
        return found.by_name

    assert not weak("ending", "worker.join()")
    assert weak("setting_back", "settings.update")
    assert not weak("Worker.__exit__")
    assert weak("Patch.__exit__")


def test_a_generator_that_is_no_context_manager_does_not_count() -> None:
    made = program(CONTEXT.replace("@contextlib.contextmanager", ""))
    assert drain(made, "wind_up") is None


ONE_OF_TWO = """
import contextlib

@contextlib.contextmanager
def connection(existing):
    if existing is not None:
        yield existing
        wind_up()
        return
    begin()
    yield connect()
    wind_down()

def begin(): ...

def wind_up(): ...

def wind_down(): ...
"""


def test_only_its_own_branch_follows_a_yield_that_returns() -> None:
    made = program(ONE_OF_TWO)
    assert drain(made, "wind_up") is not None
    assert drain(made, "begin") is None
    assert drain(made, "wind_down") is not None


BRANCHES = """
import contextlib

@contextlib.contextmanager
def connection(fast):
    if fast:
        yield connect()
        wind_up()
    else:
        begin()
        yield connect()
        wind_down()
    forget()

def begin(): ...

def wind_up(): ...

def wind_down(): ...

def forget(): ...
"""


def test_no_branch_follows_the_yield_of_another() -> None:
    made = program(BRANCHES)
    on_path = {n for n in ("begin", "wind_up", "wind_down", "forget") if drain(made, n)}
    assert on_path == {"wind_up", "wind_down", "forget"}


@pytest.mark.parametrize("command", ["import click\n\n@click.command()", "import os"])
def test_a_command_of_a_command_line_ends_what_its_user_names_not_its_program(command: str) -> None:
    made = program(f"{command}\ndef cleanup():\n    wait()\n\ndef wait(): ...\n")
    assert (drain(made, "wait") is None) == ("click" in command)


@pytest.mark.parametrize("made_of", ["socketio.AsyncServer()", "Something()"])
def test_a_handler_of_requests_answers_one_whatever_its_name(made_of: str) -> None:
    made = program(f"""
    import socketio

    bus = {made_of}

    @bus.on("stop")
    async def stop(session):
        await answer()

    async def answer(): ...
    """)
    assert (drain(made, "answer") is None) == ("socketio" in made_of)


ONE_WAY = """
import signal, threading

done = threading.Event()

def main(serves):
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    if serves:
        done.wait()
        wind_up()
        return
    begin()

def begin(): ...

def wind_up(): ...

main(True)
"""


def test_only_its_branch_follows_a_wait_for_stop_where_that_returns() -> None:
    made = program(ONE_WAY)
    assert drain(made, "wind_up") is not None
    assert drain(made, "begin") is None
    made = program(ONE_WAY.replace("        return\n", ""))
    assert drain(made, "begin") is not None


COMMANDS = """
import signal, threading

done = threading.Event()

def main(command):
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    if command == "serve":
        done.wait()
        wind_up()
    elif command == "check":
        begin()
    else:
        show()
    forget()

def begin(): ...

def show(): ...

def wind_up(): ...

def forget(): ...

main("serve")
"""


def test_no_other_branch_follows_a_wait_for_stop() -> None:
    made = program(COMMANDS)
    on_path = {n for n in ("begin", "show", "wind_up", "forget") if drain(made, n)}
    assert on_path == {"wind_up", "forget"}


NESTED = """
import asyncio

class Session:
    def __init__(self):
        self.jobs = asyncio.Queue()
        self.task = asyncio.create_task(self.serve())

    async def serve(self):
        async def {name}():
            await wait()
        await {name}()

async def wait(): ...
"""


@pytest.mark.parametrize(("name", "certain"), [("drain", None), ("shutdown", False)])
def test_a_nested_function_is_a_stop_by_its_name_at_most(name: str, certain: object) -> None:
    found = drain(program(NESTED.format(name=name)), "wait")
    assert (found and not found.by_name) == certain


def test_an_asynchronous_generator_that_drains_gives_its_caller_one_after_the_other() -> None:
    source = """
    import asyncio

    class Turn:
        def __init__(self):
            self.queue = asyncio.Queue()
            self.task = asyncio.create_task(self.drain())

        async def drain(self):
            {gives}
            await wait()
            self.task.cancel()

    async def wait(): ...
    """
    assert drain(program(source.format(gives="yield 1")), "wait") is None
    assert drain(program(source.format(gives="print(1)")), "wait") is not None


def test_what_only_a_test_ends_is_not_on_the_drain_path() -> None:
    fixture = """
    import contextlib
    from shop.store import Store

    @contextlib.contextmanager
    def filled():
        store = Store()
        yield store
        store.empty_all()
    """
    store = "class Store:\n    def empty_all(self):\n        pass\n"
    places = {"tests/fixtures.py": None, "shop/filled.py": "context"}
    for path, sort in places.items():
        made = program({"shop/__init__.py": "", "shop/store.py": store, path: fixture})
        found = drain(made, "Store.empty_all", path="shop/store.py")
        assert (found and found.sort) == sort


MAIN = """
def main():
    begin()
    try:
        serve()
    except KeyboardInterrupt:
        say_goodbye()
    finally:
        wind_up()

def begin(): ...

def serve(): ...

def say_goodbye(): ...

def wind_up(): ...

if __name__ == "__main__":
    main()
"""


def test_finally_and_interrupt_handlers_of_main_are_on_the_drain_path() -> None:
    made = program(MAIN)
    on_path = {name: drain(made, name) for name in ("begin", "serve", "say_goodbye", "wind_up")}
    assert on_path["begin"] is on_path["serve"] is None
    assert steps(on_path["say_goodbye"]) == ["interrupt handler of `main`", "`say_goodbye`"]
    assert steps(on_path["wind_up"]) == ["`finally` of `main`", "`wind_up`"]


def test_finally_of_any_other_function_is_not_on_the_drain_path() -> None:
    made = program(MAIN.replace("main()", "work()").replace('"__main__"', '"elsewhere"'))
    assert drain(made, "wind_up") is None


WAITING = """
import signal, threading

done = threading.Event()

def on_term(signum, frame):
    done.set()

def main():
    signal.signal(signal.SIGTERM, on_term)
    begin()
    done.wait()
    wind_up()

def begin(): ...

def wind_up(): ...

if __name__ == "__main__":
    main()
"""


def test_what_follows_the_wait_for_stop_is_on_the_drain_path_but_not_the_wait() -> None:
    made = program(WAITING)
    assert steps(drain(made, "wind_up")) == ["what follows `done.wait()` in `main`", "`wind_up`"]
    assert drain(made, "main", line_of(WAITING, "done.wait()")) is None
    assert drain(made, "begin") is None


HANDED_ON = """
import asyncio, signal

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    stopped = asyncio.create_task(stop.wait())
    await begin()
    await asyncio.wait({stopped, serve()}, return_when=asyncio.FIRST_COMPLETED)
    wind_up()

async def begin(): ...

async def serve(): ...

def wind_up(): ...

asyncio.run(main())
"""


def test_a_task_that_waits_for_stop_is_waited_for_where_it_is_awaited() -> None:
    made = program(HANDED_ON)
    assert drain(made, "main", line_of(HANDED_ON, "asyncio.wait(")) is None
    assert drain(made, "begin") is None
    assert drain(made, "wind_up") is not None


KEPT = {
    "under a name": """
        async def main(trigger=None):
            if trigger is None:
                trigger = told().wait
            begin()
            await trigger()
            wind_up()
    """,
    "by its caller": """
        async def main():
            await until(told().wait)

        async def until(trigger):
            begin()
            await trigger()
            wind_up()
    """,
    "in the block of a task group": """
        async def main(trigger=None):
            if trigger is None:
                trigger = told().wait
            async with asyncio.TaskGroup() as group:
                begin()
                group.create_task(leave(trigger))
            wind_up()

        async def leave(trigger):
            await trigger()
            raise SystemExit
    """,
}
WITH_HANDLER = """
import asyncio, signal

def begin(): ...

def wind_up(): ...

class Told:
    def __init__(self):
        self.event = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.event.set)
"""


@pytest.mark.parametrize("told", ["SIGTERM", "nobody"])
@pytest.mark.parametrize("how", KEPT)
def test_a_wait_for_stop_that_is_kept_to_be_called_later_is_one_where_it_is_called(
    how: str, told: str
) -> None:
    text = WITH_HANDLER + textwrap.dedent(KEPT[how].replace("told().", "STOP.event."))
    text += "\nSTOP = Told()\nasyncio.run(main())\n"
    if told == "nobody":
        text = text.replace("self.event.set)", "print)")
    made = program(text)
    assert (drain(made, "wind_up") is not None) == (told == "SIGTERM")
    assert drain(made, "begin") is None


def test_a_wait_for_an_event_that_no_handler_sets_is_no_wait_for_stop() -> None:
    made = program(WAITING.replace("done.set()", "pass"))
    assert drain(made, "wind_up") is None


HELPERS = {
    "a function that waits": """
        stop = threading.Event()

        def on_term(*_):
            stop.set()

        def wait_for_signals():
            signal.signal(signal.SIGTERM, on_term)
            stop.wait()

        def main():
            begin()
            wait_for_signals()
            wind_up()
    """,
    "an event of an object": """
        class Signals:
            def __init__(self):
                self.stop = threading.Event()
                signal.signal(signal.SIGTERM, self.on_term)

            def on_term(self, *_):
                self.stop.set()

            def wait(self):
                self.stop.wait()

        def main():
            signals = Signals()
            begin()
            signals.wait()
            wind_up()
    """,
    "a loop by the flag of an object": """
        class Killer:
            kill_now = False

            def __init__(self):
                signal.signal(signal.SIGTERM, self.on_term)

            def on_term(self, *_):
                self.kill_now = True

        def main():
            killer = Killer()
            while not killer.kill_now:
                begin()
            wind_up()
    """,
    "a loop that is left": """
        running = True

        def on_term(*_):
            global running
            running = False

        def main():
            signal.signal(signal.SIGTERM, on_term)
            while True:
                begin()
                if not running:
                    break
            wind_up()
    """,
    "a coroutine that is awaited": """
        async def wait_for_signals():
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            await stop.wait()

        async def serve():
            begin()
            await wait_for_signals()
            wind_up()

        def main():
            asyncio.run(serve())
    """,
    "a future": """
        async def serve():
            loop = asyncio.get_running_loop()
            stop = loop.create_future()
            loop.add_signal_handler(signal.SIGTERM, stop.set_result, None)
            begin()
            await stop
            wind_up()

        asyncio.run(serve())
    """,
    "a handler that wakes the loop": """
        async def wait_for_signals():
            loop = asyncio.get_running_loop()
            event = asyncio.Event()

            def on_term(*_):
                loop.call_soon_threadsafe(event.set)

            signal.signal(signal.SIGTERM, on_term)
            await event.wait()

        async def close_when_told():
            await wait_for_signals()
            wind_up()

        async def serve():
            closing = asyncio.create_task(close_when_told())
            begin()
    """,
}
AROUND = "import asyncio, signal, threading\n\ndef begin(): ...\n\ndef wind_up(): ...\n"


@pytest.mark.parametrize("how", HELPERS)
def test_what_follows_a_helper_that_waits_for_stop_is_on_the_drain_path(how: str) -> None:
    made = program(AROUND + textwrap.dedent(HELPERS[how]))
    found = drain(made, "wind_up")
    assert found is not None
    assert found.sort == "after-wait"
    assert drain(made, "begin") is None


NO_WAITS = {
    "a flag that no handler sets": ("self.kill_now = True", "self.count = 1"),
    "a loop that also ends otherwise": ("not killer.kill_now", "not killer.kill_now and left()"),
}


@pytest.mark.parametrize("how", NO_WAITS)
def test_what_follows_any_other_loop_is_not_on_the_drain_path(how: str) -> None:
    text = HELPERS["a loop by the flag of an object"].replace(*NO_WAITS[how])
    assert drain(program(AROUND + textwrap.dedent(text)), "wind_up") is None


def test_whoever_starts_a_task_that_waits_for_stop_goes_on_at_once() -> None:
    made = program(AROUND + textwrap.dedent(HELPERS["a handler that wakes the loop"]))
    assert not [r for r in made.drain_paths.roots if r.function.name == "serve"]


def test_finally_of_a_loop_that_ends_by_the_flag_of_a_handler_is_on_the_drain_path() -> None:
    made = program("""
        import signal

        class Worker:
            def work(self):
                signal.signal(signal.SIGTERM, self.request_stop)
                try:
                    while not self.stopping:
                        self.step()
                finally:
                    self.wind_up()

            def request_stop(self, *_):
                self.stopping = True

            def step(self): ...

            def wind_up(self): ...
    """)
    assert steps(drain(made, "Worker.wind_up")) == [
        "`finally` of `Worker.work`",
        "`Worker.wind_up`",
    ]
    assert drain(made, "Worker.step") is None


def test_finally_of_what_a_handler_breaks_off_is_on_the_drain_path() -> None:
    made = program("""
        import signal, time

        class StopRequested(Exception): ...

        class Scheduler:
            def _install(self):
                signal.signal(signal.SIGTERM, self._request_stop)

            def _request_stop(self, *_):
                raise StopRequested

            def start(self):
                self._install()
                try:
                    while True:
                        self.step()
                finally:
                    self.wind_up()

            def step(self): ...

            def wind_up(self): ...
    """)
    assert steps(drain(made, "Scheduler.wind_up"))[0] == "`finally` of `Scheduler.start`"
    assert drain(made, "Scheduler.step") is None


def test_a_loop_is_left_where_a_test_within_a_test_of_the_flag_says_so() -> None:
    made = program("""
        import signal

        class Pool:
            def __init__(self):
                signal.signal(signal.SIGTERM, self.request_stop)

            def request_stop(self, *_):
                self.status = "stopped"

            def start(self):
                while True:
                    if self.status == "stopped":
                        if self.all_ended():
                            break
                    self.step()
                self.wind_up()

            def all_ended(self): ...

            def step(self): ...

            def wind_up(self): ...
    """)
    assert drain(made, "Pool.wind_up") is not None
    assert drain(made, "Pool.step") is None


def test_a_handler_of_a_signal_that_never_asks_to_stop_is_not_on_the_drain_path() -> None:
    text = """
        import signal

        def on_signal(*_):
            wind_up()

        def wind_up(): ...

        signal.signal(signal.{name}, on_signal)
    """
    assert drain(program(text.format(name="SIGCHLD")), "wind_up") is None
    assert drain(program(text.format(name="SIGALRM")), "wind_up") is None
    assert drain(program(text.format(name="SIGUSR1")), "wind_up") is not None


def test_a_signal_that_asks_to_reload_or_to_sleep_begins_no_drain_path() -> None:
    made = program("""
        import signal

        def on_hup(number, frame):
            reload()

        def on_sleep(number, frame):
            pause()

        def on_either(number, frame):
            wind_up()

        signal.signal(signal.SIGHUP, on_hup)
        signal.signal(signal.SIGTSTP, on_sleep)
        signal.signal(signal.SIGHUP, on_either)
        signal.signal(signal.SIGTERM, on_either)

        def reload(): ...

        def pause(): ...

        def wind_up(): ...
    """)
    assert drain(made, "reload") is drain(made, "pause") is None
    assert drain(made, "wind_up") is not None


def test_who_only_looks_for_a_signal_for_a_while_goes_on_with_its_work() -> None:
    made = program("""
        import queue, signal

        class App:
            def __init__(self):
                self.errors = queue.Queue()
                self.signals = queue.Queue()
                signal.signal(signal.SIGTERM, self.failed)

            def failed(self, number, frame):
                self.errors.put(number)
                self.signals.put(number)

            def look(self):
                return self.errors.get(timeout=0.1)

            def wait(self):
                return self.signals.get()

            def turn(self):
                self.look()
                self.work()

            def run(self):
                self.wait()
                self.wind_up()

            def work(self): ...

            def wind_up(self): ...
    """)
    assert drain(made, "App.work") is None
    assert drain(made, "App.wind_up") is not None


def test_a_loop_that_takes_signals_from_a_queue_ends_when_it_is_left() -> None:
    made = program("""
        import queue, signal

        class Arbiter:
            def __init__(self):
                self.signals = queue.SimpleQueue()
                signal.signal(signal.SIGTERM, self.signal)

            def signal(self, number, frame):
                self.signals.put_nowait(number)

            def next_signal(self):
                number = self.signals.get(timeout=1)
                self.note(number)
                return number

            def run(self):
                try:
                    while True:
                        self.handle(self.next_signal())
                except KeyboardInterrupt:
                    self.wind_up()

            def note(self, number): ...

            def handle(self, number): ...

            def wind_up(self): ...
    """)
    assert drain(made, "Arbiter.wind_up") is not None
    assert drain(made, "Arbiter.note") is drain(made, "Arbiter.handle") is None


def test_what_is_set_far_from_a_handler_is_no_request_to_stop() -> None:
    text = """
        import asyncio, signal

        class Child:
            def __init__(self):
                self.ready = asyncio.Future()

            async def supervise(self):
                await self.ready
                await self.watch()

            async def watch(self): ...

            def give_up(self):
                self.ready.cancel()

            def put_out(self):
                self.{far}()

            def let_go(self):
                self.give_up()

        child = Child()

        def on_term(*_):
            wind_up()

        def wind_up():
            child.put_out()

        signal.signal(signal.SIGTERM, on_term)
    """
    assert drain(program(text.format(far="let_go")), "Child.watch") is None
    assert drain(program(text.format(far="give_up")), "Child.watch") is not None


def test_a_coroutine_that_is_put_by_is_not_waited_for_on_the_spot() -> None:
    text = """
        import asyncio, signal

        class Server:
            def __init__(self):
                self.stopping = asyncio.Event()

            async def serve(self):
                await self.stopping.wait()

        async def main():
            server = Server()
            signal.signal(signal.SIGTERM, lambda *_: server.stopping.set())
            servers = []
            {how}
            after()

        def after(): ...

        if __name__ == "__main__":
            asyncio.run(main())
    """
    assert drain(program(text.format(how="await server.serve()")), "after") is not None
    assert drain(program(text.format(how="servers.append(server.serve())")), "after") is None


def test_what_leaves_a_block_leads_on_only_where_it_ends_something() -> None:
    text = """
        from contextlib import contextmanager

        @contextmanager
        def lent(pool):
            yield pool
            {after}(pool)

        def fill(pool):
            top_up()

        def close_idle(pool):
            top_up()

        def top_up(): ...
    """
    assert drain(program(text.format(after="fill")), "top_up") is None
    assert drain(program(text.format(after="close_idle")), "top_up") is not None


@pytest.mark.parametrize(
    "start",
    [
        "threading.Thread(target=self.drain).start()",
        "threading.Thread(target=functools.partial(self.drain, 1)).start()",
    ],
)
def test_a_function_that_runs_as_a_worker_is_no_stop_method(start: str) -> None:
    made = program(f"""
        import functools, threading

        class Service:
            def begin(self):
                {start}

            def drain(self, *_): ...
    """)
    assert drain(made, "Service.drain") is None


def test_what_nobody_calls_when_the_program_stops_is_not_on_the_drain_path() -> None:
    made = program("def work():\n    rest()\n\ndef rest(): ...\n")
    assert drain(made, "work") is None
    assert drain(made, "rest") is None


# Whole projects


def sources(name: str) -> dict[str, str]:
    """The files of a project among the fixtures, by path."""
    folder = SERVICES / name
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.py"))
    }


def crossing() -> Finding:
    (finding,) = findings_in(sources("crossing"))
    return finding


def test_a_drain_path_crosses_packages_re_exports_and_relative_imports() -> None:
    finding = crossing()
    assert (finding.name, finding.level, finding.path) == (
        "unbounded-join",
        Level.ERROR,
        "transport/pools/senders.py",
    )
    assert [(step.path, step.text) for step in finding.steps] == [
        ("app/main.py", "signal handler `on_term`"),
        ("core/lifecycle/coordinator.py", "`Coordinator.leave`"),
        ("transport/gate.py", "`Gate.fall`"),
        ("transport/pools/senders.py", "`Senders.conclude`"),
    ]


def test_a_module_without_any_word_of_a_rule_carries_the_path() -> None:
    path = "core/lifecycle/coordinator.py"
    text = sources("crossing")[path]
    vocabulary = Vocabulary.of(words().values(), load())
    file = SourceFile(SERVICES / "crossing" / path, path, text.encode())
    (facts,) = gather([file], vocabulary, 1)
    assert not facts.screened
    assert path in {step.path for step in crossing().steps}


def test_without_its_handler_the_same_wait_is_no_error() -> None:
    files = sources("crossing")
    files["app/main.py"] = files["app/main.py"].replace(
        "signal.signal(signal.SIGTERM, on_term)", ""
    )
    assert [f.level for f in findings_in(files)] != [Level.ERROR]


def test_a_service_that_drains_well_is_left_alone() -> None:
    assert findings_in(sources("graceful"), strict=True) == []


def test_a_lambda_in_one_of_several_functions_with_one_name_is_known() -> None:
    made = program(
        """
        import signal

        if x:
            def setup():
                signal.signal(signal.SIGTERM, lambda *_: stop())
        else:
            def setup():
                signal.signal(signal.SIGTERM, lambda *_: halt())

        def stop(): ...
        def halt(): ...
        """
    )

    assert {r.target.name.partition(".<")[0] for r in made.graph.registrations} == {
        "setup",
        "setup@5",
    }


def test_a_method_that_may_end_anything_leads_on_to_what_it_calls_alone() -> None:
    text = """
        class Route:
            def {name}(self):
                self.guard()

            def guard(self):
                self.settle()

            def settle(self): ...
    """
    aborting = program(text.format(name="abort"))
    assert drain(aborting, "Route.guard") is not None
    assert drain(aborting, "Route.settle") is None
    assert drain(program(text.format(name="stop")), "Route.settle") is not None


@pytest.mark.parametrize("then", ["return task", "return asyncio.shield(task)"])
def test_a_task_that_is_given_to_the_caller_is_waited_for(then: str) -> None:
    text = """
        import asyncio

        class Cluster:
            async def close(self):
                await self.wind_up()

            def wind_up(self):
                task = asyncio.ensure_future(self.retire())
                {then}

            async def retire(self): ...
    """
    assert drain(program(text.format(then=then)), "Cluster.retire") is not None
    assert drain(program(text.format(then="self.task = task")), "Cluster.retire") is None


HEIRS = """
    class Channel:
        def leave(self):
            {leaving}

        def _delete(self):
            pass

    class Memory(Channel):
        def stop(self):
            super().leave()

        def _delete(self):
            self.forget()

        def forget(self):
            pass

    class Wire(Channel):
        def _delete(self):
            self.send()

        def send(self):
            pass

    class Cached(Memory):
        def _delete(self):
            pass
    """


@pytest.mark.parametrize(
    ("leaving", "reached"),
    [
        ("self._delete()", {"Memory._delete", "Memory.forget", "Cached._delete"}),
        ("Wire()._delete()", {"Wire._delete", "Wire.send"}),
        ("self.refresh()", set()),
    ],
)
def test_a_chain_stays_on_the_object_that_it_is_on(leaving: str, reached: set[str]) -> None:
    """An heir's end does not lead through its base into what only another heir does."""
    made = program(HEIRS.format(leaving=leaving))
    paths = {name for name in made.names.modules["app.py"].functions if drain(made, name)}
    assert paths == reached | {"Memory.stop", "Channel.leave"}


def test_whoever_may_be_any_heir_leads_into_all_of_them() -> None:
    made = program(HEIRS.replace("def leave", "def close").format(leaving="self._delete()"))
    for name in ("Channel._delete", "Memory.forget", "Wire.send", "Cached._delete"):
        assert drain(made, name) is not None, name


@pytest.mark.parametrize("heir", ["class Both(Stops, Works):\n    pass", ""])
def test_one_heir_leads_into_another_where_a_class_is_both(heir: str) -> None:
    made = program(
        """
        class Base:
            def leave(self):
                self.halt()

        class Stops(Base):
            def stop(self):
                super().leave()

        class Works(Base):
            def halt(self):
                self.join_all()

            def join_all(self):
                pass
"""
        + textwrap.indent(heir, " " * 8)
    )
    assert (drain(made, "Works.join_all") is not None) is bool(heir)


def test_a_block_that_only_uses_the_service_it_was_given_says_little_by_its_end() -> None:
    text = """
        import threading

        class Manager:
            def __init__(self):
                self.thread = threading.Thread(target=print)

            def launch(self, job):
                pass

        class Batch:
            def __init__(self, manager: Manager):
                self.manager = manager

            def __exit__(self, *_):
                self.submit()

            def submit(self):
                self.manager.launch(print)

        class Owner:
            def __init__(self):
                self.manager = Manager()

            def __exit__(self, *_):
                self.leave()

            def leave(self):
                self.manager.launch(print)
    """
    made = program(text)
    borrowed = drain(made, "Batch.submit")
    owned = drain(made, "Owner.leave")
    assert borrowed is not None
    assert borrowed.by_name
    assert owned is not None
    assert not owned.by_name


def test_a_destroy_that_is_a_request_like_others_is_no_way_to_stop() -> None:
    text = """
        class Proxy:
            def destroy(self):
                self.invoke("destroy")
                self.forget()

            def get(self):
                self.invoke("get")

            def invoke(self, name):
                pass

            def forget(self):
                pass
    """
    made = program(text)
    assert drain(made, "Proxy.invoke") is None
    assert drain(made, "Proxy.forget") is not None


def test_a_step_that_closes_a_file_ends_a_request_and_one_that_ends_a_worker_a_service() -> None:
    text = """
        import asyncio
        import wave

        class Handler:
            def __init__(self, path):
                self.file = wave.open(path)
                self.task = asyncio.create_task(self.run())

            async def run(self):
                pass

            async def finish_utterance(self):
                words = await self.task
                self.file.close()
                return words

            async def finish_all(self):
                await self.task

            async def finish_work(self):
                self.task.cancel()

            async def close_file(self):
                self.file.close()
    """
    made = program(text)
    assert drain(made, "Handler.finish_utterance") is None
    assert drain(made, "Handler.finish_all") is not None
    assert drain(made, "Handler.finish_work") is not None
    assert drain(made, "Handler.close_file") is not None


def test_a_stream_that_waits_for_its_own_writing_waits_to_write_on() -> None:
    text = """
        import asyncio

        class Stream:
            def write(self, data):
                self.writing = asyncio.create_task(self.send(data))

            async def send(self, data):
                pass

            async def drain(self):
                await self.writing

        class Jobs:
            def add(self, job):
                self.running = asyncio.create_task(job())

            async def drain(self):
                await self.running
    """
    made = program(text)
    assert drain(made, "Stream.drain") is None
    assert drain(made, "Jobs.drain") is not None


def test_an_except_for_all_that_goes_on_with_the_loop_is_no_way_out() -> None:
    text = """\
    import threading, time
    def run(client):
        while True:
            try:
                client.read()
            except:
                time.sleep(1)
                {last}
    threading.Thread(target=run).start()
    """
    goes_on = program(text.format(last="continue"))
    leaves = program(text.format(last="raise"))
    line = line_of(text, "time.sleep")

    assert drain(goes_on, "run", line) is None
    assert steps(drain(leaves, "run", line)) == ["interrupt handler of `run`"]


def test_a_method_that_gives_what_a_task_has_found_out_ends_nothing() -> None:
    text = """
        import asyncio

        class Handler:
            def __init__(self):
                self.task = asyncio.create_task(self.run())

            async def run(self):
                return 1

            async def stop_event_result(self):
                return await self.task

            async def stop_running(self):
                await self.task
    """
    made = program(text)
    assert drain(made, "Handler.stop_event_result") is None
    assert drain(made, "Handler.stop_running") is not None


LATER = """
    import asyncio
    import signal

    stopped = asyncio.Event()

    async def serve():
        await stopped.wait()

    async def main():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        {made}
        at_work()
        {awaited}
        wind_up()

    def at_work():
        pass

    def wind_up():
        pass
"""


@pytest.mark.parametrize(
    ("made", "awaited"),
    [
        ("serving = serve()", "await asyncio.gather(serving)"),
        ("tasks = [asyncio.create_task(c) for c in (serve(),)]", "await asyncio.wait(tasks)"),
        ("tasks = []; tasks.append(serve())", "await asyncio.gather(*tasks)"),
    ],
)
def test_what_follows_the_await_of_a_task_that_waits_is_on_the_drain_path(
    made: str, awaited: str
) -> None:
    linked = program(LATER.format(made=made, awaited=awaited))
    assert drain(linked, "at_work") is None
    assert drain(linked, "wind_up") is not None


def test_a_coroutine_that_waits_and_that_nobody_awaits_puts_nothing_on_the_drain_path() -> None:
    linked = program(LATER.format(made="serving = serve()", awaited="await asyncio.sleep(1)"))
    assert drain(linked, "at_work") is None
    assert drain(linked, "wind_up") is None
