"""Signal handlers and exit hooks: registered for what, and what comes of it."""

import textwrap

import pytest

from drainlint.link.hooks import Hooks
from drainlint.model.hook import ExitHook, Hook, SignalHandler
from tests.linked import program

IMPORTS = "import asyncio, atexit, signal, sys, threading, weakref\n\n"


def hooks(text: str) -> tuple[Hook, ...]:
    return Hooks(program(IMPORTS + textwrap.dedent(text))).all


def handler(text: str) -> SignalHandler:
    (found,) = (one for one in hooks(text) if isinstance(one, SignalHandler))
    return found


def hook(text: str) -> ExitHook:
    (found,) = (one for one in hooks(text) if isinstance(one, ExitHook))
    return found


def test_a_handler_is_registered_for_a_signal_and_sets_an_event() -> None:
    found = handler("""
        stop = threading.Event()

        def on_term(signum, frame):
            stop.set()

        def main():
            signal.signal(signal.SIGTERM, on_term)
    """)
    assert (found.handler, found.signals, found.sets) == ("on_term", ("SIGTERM",), ("stop",))
    assert found.defined is not None
    assert found.defined.place.line == 6
    assert found.function.name == "main"
    assert found.hears_sigterm
    assert not found.raises
    assert not found.is_deaf
    assert not found.on_loop
    assert not found.keeps_previous


def test_a_method_sets_the_flag_of_its_class_by_what_it_calls() -> None:
    found = handler("""
        class Server:
            def install(self):
                signal.signal(signal.SIGINT, self.on_int)

            def on_int(self, *_):
                self.stop()

            def stop(self):
                self.running = False
    """)
    assert (found.handler, found.sets) == ("Server.on_int", ("Server.running",))
    assert not found.hears_sigterm


@pytest.mark.parametrize(
    ("body", "raises", "deaf"),
    [
        ("raise SystemExit", True, False),
        ("sys.exit(0)", True, False),
        ("pass", False, True),
        ("'''Nothing to do.'''", False, True),
        ("print('ouch')", False, False),
    ],
)
def test_whether_a_handler_raises_or_does_nothing(body: str, *, raises: bool, deaf: bool) -> None:
    found = handler(f"def on_term(*_):\n    {body}\n\nsignal.signal(signal.SIGTERM, on_term)\n")
    assert (found.raises, found.is_deaf) == (raises, deaf)


def test_a_signal_may_be_ignored() -> None:
    found = handler("signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    assert (found.handler, found.signals, found.ignores) == ("SIG_IGN", ("SIGHUP",), True)
    assert found.is_deaf
    assert not found.hears_sigterm


RESTORED = {
    "the default": "signal.signal(signal.SIGTERM, signal.SIG_DFL)",
    "what was there before": (
        "previous = signal.getsignal(signal.SIGTERM)\n    signal.signal(signal.SIGTERM, previous)"
    ),
    "what a table holds": (
        "old = {}\n    old[15] = signal.getsignal(15)\n    signal.signal(15, old[15])"
    ),
}


@pytest.mark.parametrize("how", RESTORED)
def test_what_was_there_before_may_be_restored(how: str) -> None:
    found = handler(f"def main():\n    {RESTORED[how]}\n")
    assert found.restores
    assert not found.is_deaf


def test_a_handler_may_keep_what_was_there_before() -> None:
    found = handler("""
        def on_term(*_):
            previous()

        previous = signal.signal(signal.SIGTERM, on_term)
    """)
    assert found.keeps_previous


def test_a_handler_of_the_loop_runs_between_callbacks() -> None:
    found = handler("""
        async def main():
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            await stop.wait()
    """)
    assert (found.handler, found.on_loop, found.in_coroutine) == ("stop.set", True, True)
    assert found.sets == ("stop",)
    assert found.signals == ("SIGTERM",)


def test_a_handler_that_a_worker_registers_is_known_as_such() -> None:
    found = handler("""
        def on_term(*_): ...

        def run():
            signal.signal(signal.SIGTERM, on_term)

        threading.Thread(target=run).start()
    """)
    assert found.in_worker == "thread target `run`"


def test_a_loop_over_signals_registers_for_each_of_them() -> None:
    found = handler("""
        def on_term(*_): ...

        def main():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, on_term)
    """)
    assert found.signals == ("SIGTERM", "SIGINT")
    assert found.asks_to_stop


def test_children_and_alarms_do_not_ask_to_stop() -> None:
    found = handler("def reap(*_): ...\n\nsignal.signal(signal.SIGCHLD, reap)\n")
    assert not found.asks_to_stop


def test_an_exit_hook_alone_is_skipped_by_an_unhandled_signal() -> None:
    text = """
        def flush(): ...

        atexit.register(flush)
    """
    found = hook(text)
    assert (found.handler, found.sort) == ("flush", "exit-hook")
    assert found.is_skipped_by_signals
    leads_there = "\n        def on_term(*_):\n            flush()\n\n"
    both = hook(text + leads_there + "        signal.signal(signal.SIGTERM, on_term)\n")
    assert both.also_on_signal
    assert not both.is_skipped_by_signals


HOOKS = {
    "a method of something": ("atexit.register(pool.shutdown)", "exit-hook", "pool.shutdown"),
    "a finaliser": ("weakref.finalize(pool, print)", "finaliser", "print"),
    "a decorator": ("@atexit.register\ndef leave(): ...", "exit-hook", "leave"),
}


@pytest.mark.parametrize("how", HOOKS)
def test_hooks_are_known_however_they_are_registered(how: str) -> None:
    text, sort, name = HOOKS[how]
    found = hook(f"pool = object()\n{text}\n")
    assert (found.sort, found.handler) == (sort, name)
