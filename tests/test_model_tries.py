"""`try` blocks: what is swallowed, re-raised, awaited in cleanup, skipped."""

import textwrap

import pytest

from drainlint.link.names import FunctionId
from drainlint.link.tries import tries
from drainlint.model.tryblock import TryBlock
from tests.linked import program

IMPORTS = (
    "import asyncio, concurrent.futures, contextlib, queue, threading\n\n"
    "class Shutdown(Exception): ...\n\nclass Left(SystemExit): ...\n\n"
)


def blocks(text: str, function: str = "main") -> list[TryBlock]:
    made = program(IMPORTS + textwrap.dedent(text))
    key = FunctionId("app.py", function)
    body = made.bodies.get(key)
    assert body is not None
    return list(tries(made, key, body))


def block(text: str, function: str = "main") -> TryBlock:
    (found,) = blocks(text, function)
    return found


def awaiting(clause: str, before: str = "...") -> TryBlock:
    """A coroutine that awaits a task under this clause."""
    return block(f"""
        async def main(task, event):
            {before}
            try:
                await asyncio.wait_for(task, 5)
            {clause}
    """)


@pytest.mark.parametrize(
    ("clause", "swallows"),
    [
        ("except asyncio.CancelledError: pass", True),
        ("except BaseException: pass", True),
        ("except: pass", True),
        ("except (ValueError, asyncio.CancelledError): return", True),
        ("except Exception: pass", False),
        ("except Shutdown: pass", False),
        ("except asyncio.CancelledError: raise", False),
        ("except asyncio.CancelledError as exc: task.error = exc", False),
        ("except BaseException as exc: event.set_exception(exc)", False),
        ("except asyncio.CancelledError as exc: print(exc)", True),
    ],
)
def test_a_cancellation_is_swallowed_where_nobody_else_hears_of_it(
    clause: str, *, swallows: bool
) -> None:
    assert bool(awaiting(clause).swallowing) is swallows


def test_without_an_await_no_cancellation_strikes() -> None:
    found = block("""
        async def main(event):
            try:
                event.set()
            except asyncio.CancelledError:
                pass
            await asyncio.wait_for(event.wait(), 5)
    """)
    assert not found.swallowing


@pytest.mark.parametrize(
    ("kind", "interrupts"),
    [
        ("KeyboardInterrupt", True),
        ("SystemExit", True),
        ("Left", True),
        ("BaseException", True),
        ("Exception", False),
        ("Shutdown", False),
    ],
)
def test_an_interrupt_is_swallowed_in_plain_code(kind: str, *, interrupts: bool) -> None:
    found = block(f"""
        def main(jobs: queue.Queue):
            while True:
                try:
                    jobs.get(timeout=5)
                except {kind}:
                    continue
    """)
    assert bool(found.swallowing) is interrupts
    assert found.goes_on is interrupts
    assert found.waits_or_loops


def test_a_loop_does_not_go_on_where_the_clause_leaves_it() -> None:
    found = block("""
        async def main(task):
            while True:
                try:
                    await asyncio.wait_for(task, 5)
                except asyncio.CancelledError:
                    break
    """)
    assert found.in_loop
    assert not found.goes_on
    assert found.catches[0].leaves == "break"


def test_whether_a_clause_names_what_asks_to_stop() -> None:
    assert awaiting("except asyncio.CancelledError: pass").catches[0].named
    assert not awaiting("except BaseException: pass").catches[0].named


def test_a_clause_raises_on_every_way_or_on_some() -> None:
    some = awaiting("""except BaseException:
                if event:
                    raise
    """)
    always = awaiting("""except BaseException:
                if event:
                    raise
                else:
                    raise Shutdown
    """)
    assert (some.catches[0].may_raise, some.catches[0].reraises) == (True, False)
    assert always.catches[0].reraises


def test_awaiting_what_one_has_cancelled_is_no_swallowing_of_others() -> None:
    text = """
        async def main(task):
            {before}
            try:
                await task
            except asyncio.CancelledError:
                pass
            await asyncio.wait_for(task, 5)
    """
    assert block(text.format(before="task.cancel()")).cancels_itself
    assert not block(text.format(before="task.add_done_callback(print)")).cancels_itself


def test_a_suppress_is_a_block_as_well() -> None:
    found = block("""
        async def main(task):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait_for(task, 5)
    """)
    (catch,) = found.swallowing
    assert catch.text == "contextlib.suppress(asyncio.CancelledError)"
    assert found.last_act


def test_the_cancellation_of_a_future_of_threads_is_another_class() -> None:
    found = awaiting("except concurrent.futures.CancelledError: pass")
    assert found.catches[0].is_for_threads
    assert not found.swallowing


def test_what_cleanup_awaits_is_known() -> None:
    found = awaiting("""except asyncio.CancelledError:
                await event.wait()
                raise
            finally:
                await event.close()
    """)
    assert [one.text for one in found.cleanup] == [
        "awaits `event.wait()`",
        "awaits `event.close()`",
    ]


def test_a_return_in_a_finally_drops_the_exception() -> None:
    found = awaiting("""finally:
                return
    """)
    assert found.leaves_finally is not None
    assert awaiting("finally: print()").leaves_finally is None


def test_a_step_that_an_exception_before_it_skips_is_known() -> None:
    text = """
        async def main(reader: asyncio.StreamReader):
            done = asyncio.Event()
            try:
                await asyncio.wait_for(reader.read(), 5)
                done.set()
            {clause}
    """
    found = block(text.format(clause="except Exception: pass"))
    assert [one.text for one in found.skipped] == ["`done.set()` is skipped"]
    assert not block(text.format(clause="finally: done.set()")).skipped
    early = text.replace("await asyncio", "done.set(); await asyncio", 1)
    early = early.replace("                done.set()\n", "")
    assert not block(early.format(clause="except Exception: pass")).skipped
