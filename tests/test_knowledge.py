"""What the tables say, held against the running interpreter and against each other."""

import ast
import asyncio
import concurrent.futures
import importlib
import inspect
import math
import multiprocessing
import multiprocessing.connection
import multiprocessing.pool
import queue
import re
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import drainlint.knowledge
from drainlint.knowledge import FOREVER, BadKnowledgeError, CallFacts, TypeFacts, load, names
from drainlint.knowledge.names import NameFacts, named

TABLES = Path(drainlint.knowledge.__file__).parent
KNOWLEDGE = load()
Try = Callable[[float | None], object]
"""A wait, to be tried with a timeout."""
BRIEF = 0.02
"""A timeout, in seconds, that is meant to run out."""
pytestmark = pytest.mark.filterwarnings("ignore:'.*' is deprecated:DeprecationWarning")
SET_BY_INSTANCE: dict[str, Callable[[], object]] = {
    "asyncio.Condition": asyncio.Condition,
    "multiprocessing.Condition": multiprocessing.Condition,
    "multiprocessing.Lock": multiprocessing.Lock,
    "multiprocessing.Value": lambda: multiprocessing.Value("i", 0),
    "multiprocessing.context.BaseContext": multiprocessing.get_context,
    "select.poll": getattr(select, "poll", object),
    "threading.Condition": threading.Condition,
}
"""Types some of whose methods exist only on their instances."""
NOT_LOOKED_UP = {
    "multiprocessing.managers.SyncManager.shutdown": "made by start()",
    "os._wrap_close.read": "passed on to the pipe",
}
KEYWORD_FROM_3_12 = {
    "ftplib.FTP_TLS",
    "http.client.HTTPSConnection",
    "imaplib.IMAP4_SSL",
    "poplib.POP3_SSL",
    "smtplib.SMTP_SSL",
}


def raw_tables() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(TABLES.glob("*.toml")):
        if file.name == names.TABLE:
            continue
        yield file.name, tomllib.loads(file.read_text("utf-8"))


def find(dotted: str) -> object:
    """The thing that a dotted name stands for. Raises LookupError where there is none."""
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:size]))
        except ImportError:
            continue
        try:
            for part in parts[size:]:
                found = getattr(found, part)
        except AttributeError:
            break
        return found
    raise LookupError(dotted)


def candidates(name: str) -> Iterator[Callable[..., object]]:
    """What a call's entry may stand for: under each name of its type, and on an instance."""
    head, _, last = name.rpartition(".")
    owner = KNOWLEDGE.types.get(head)
    names = [name, *(f"{other}.{last}" for other in owner.same)] if owner else [name]
    for one in names:
        try:
            found = find(one)
        except LookupError:
            continue
        if callable(found):
            yield found
    if head in SET_BY_INSTANCE:
        found = getattr(SET_BY_INSTANCE[head](), last, None)
        if callable(found):
            yield found


def is_of_this_python(facts: CallFacts) -> bool:
    here = sys.version_info[1]
    since = max((int(n) for n in re.findall(r"from 3\.(\d+)", facts.source)), default=0)
    until = min((int(n) for n in re.findall(r"until 3\.(\d+)", facts.source)), default=99)
    return since <= here <= until


STANDARD = {
    name: facts
    for name, facts in sorted(KNOWLEDGE.calls.items())
    if name.partition(".")[0] in sys.stdlib_module_names
    and is_of_this_python(facts)
    and name not in NOT_LOOKED_UP
}


def parameters(function: Callable[..., object]) -> list[inspect.Parameter] | None:
    """The parameters after `self`; None where the interpreter does not tell them."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    return found[1:] if found and found[0].name in ("self", "cls") else found


def agrees(found: list[inspect.Parameter], name: str, at: int | None) -> bool:
    """Whether a parameter of that name is found at that position, or by name only."""
    plain = [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if at is None:
        open_ended = any(p.kind is p.VAR_KEYWORD for p in found)
        return open_ended or any(p.name == name for p in found)
    if at < len(plain):
        return plain[at].name == name or plain[at].kind is inspect.Parameter.POSITIONAL_ONLY
    return any(p.kind is p.VAR_POSITIONAL for p in found)


def named_parameters(facts: CallFacts) -> Iterator[tuple[str, int | None]]:
    if facts.timeout:
        yield facts.timeout, facts.at
    if facts.blocking:
        yield facts.blocking, facts.blocking_at
    for run in facts.runs:
        yield run.argument, run.at


# The tables among themselves


def test_every_entry_names_its_source() -> None:
    assert [f.name for f in KNOWLEDGE.types.values() if not f.source] == []
    assert [f.name for f in KNOWLEDGE.calls.values() if not f.source] == []


def test_no_name_is_listed_twice() -> None:
    for kind in ("type", "call", "alias", "decorator"):
        listed = Counter(name for _, table in raw_tables() for name in table.get(kind, {}))
        assert [name for name, times in listed.items() if times > 1] == []


def test_no_other_name_stands_for_two_types() -> None:
    others: Counter[str] = Counter()
    for _, table in raw_tables():
        for values in table.get("type", {}).values():
            others.update(values.get("same", ()))
        others.update(table.get("alias", {}).keys())
    assert [name for name, times in others.items() if times > 1] == []


def test_an_alias_hides_no_entry_and_leads_to_one() -> None:
    listed = KNOWLEDGE.types.keys() | KNOWLEDGE.calls.keys()
    assert sorted(KNOWLEDGE.aliases.keys() & listed) == []
    assert sorted(set(KNOWLEDGE.aliases.values()) - listed) == []


def type_names(annotation: str) -> Iterator[str]:
    def dotted(node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return name
            case ast.Attribute(value=value, attr=attr):
                return f"{dotted(value)}.{attr}"
        return ""

    def walk(node: ast.expr) -> Iterator[str]:
        match node:
            case ast.Subscript(value=value, slice=inner):
                yield from walk(value)
                yield from walk(inner)
            case ast.Tuple(elts=items):
                for item in items:
                    yield from walk(item)
            case ast.BinOp(left=left, right=right):
                yield from walk(left)
                yield from walk(right)
            case ast.Name() | ast.Attribute():
                yield dotted(node)

    yield from walk(ast.parse(annotation, mode="eval").body)


def test_every_type_that_an_entry_mentions_is_known() -> None:
    plain = {"list", "set", "tuple", "dict", "object", "str", "bytes", "int", "float", "bool"}
    mentioned = {c.returns for c in KNOWLEDGE.calls.values()}
    for facts in KNOWLEDGE.types.values():
        mentioned |= {facts.base, facts.element, facts.entered}
    names = {name for text in mentioned - {""} for name in type_names(text)}
    assert sorted(n for n in names - plain if KNOWLEDGE.type(n) is None) == []


def test_every_method_belongs_to_a_listed_type() -> None:
    heads = {name.rpartition(".")[0] for name in KNOWLEDGE.calls}
    classes = {head for head in heads if head.rpartition(".")[2][:1].isupper()}
    assert sorted(head for head in classes if head not in KNOWLEDGE.types) == []


def test_no_line_of_bases_is_a_circle() -> None:
    for facts in KNOWLEDGE.types.values():
        seen, base = {facts.name}, facts.base
        while base:
            assert base not in seen
            seen.add(base)
            found = KNOWLEDGE.type(base)
            assert found is not None
            base = found.base


# What names say


def test_every_sort_of_names_says_what_it_means_and_where_it_is_from() -> None:
    for sort, facts in names.sorts().items():
        assert facts.means, sort
        assert facts.source, sort
        assert facts.words + facts.begins + facts.ends + facts.has + facts.holds, sort


def test_every_sort_of_names_is_asked_for_and_no_other() -> None:
    code = "".join(p.read_text("utf-8") for p in TABLES.parent.rglob("*.py"))
    asked = set(re.findall(r"""(?:named|catches)\(\s*"([a-z-]+)\"""", code))
    kept = set(re.findall(r"""\("([a-z-]+)", "[a-z]+"\)""", code))
    assert asked <= names.sorts().keys()
    assert asked | kept >= names.sorts().keys()


@pytest.mark.parametrize(
    ("sort", "name", "is_one"),
    [
        ("looks-up", "get_status", True),
        ("looks-up", "_async_getStatus", True),
        ("looks-up", "client.describe", True),
        ("looks-up", "getter", False),
        ("predicate", "isAlive", True),
        ("predicate", "isolate", False),
        ("end-marker", "_STOP_ITEM", True),
        ("end-marker", "WORKER_SENTINEL", True),
        ("end-marker", "sender", False),
        ("does-not-wait", "zmq.NOBLOCK", True),
        ("limit", "self._shutdownDeadline", True),
        ("timeout-scope", "ceil_timeout", True),
        ("timeout-scope", "timeouts", False),
    ],
)
def test_a_name_is_held_against_whole_words(sort: str, name: str, is_one: bool) -> None:  # noqa: FBT001 - a column of the table
    assert named(sort, name) is is_one


def words_of(section: str) -> set[str]:
    """The words that a section of the README explains, each in code at the start of a row."""
    text = (TABLES / "README.md").read_text("utf-8")
    _, _, rest = text.partition(f"\n## {section}\n")
    assert rest, f"the README has no section {section!r}"
    rows = rest.partition("\n## ")[0].splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("| `")]
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def test_the_readme_explains_exactly_the_words_that_the_tables_use() -> None:
    types, calls = KNOWLEDGE.types.values(), KNOWLEDGE.calls.values()
    roles = {r.role for c in calls for r in c.runs} | {r for t in types for r, _ in t.methods}
    assert words_of("Natures") == {t.nature for t in types}
    assert words_of("Verbs") == {c.does for c in calls} - {""}
    assert words_of("Questions") == {c.asks for c in calls} - {""}
    assert words_of("Roles") == (roles | set(KNOWLEDGE.decorators.values())) - {""}
    assert words_of("Outcomes") == {c.outcome.partition(" ")[0] for c in calls} - {""}
    assert words_of("Units") == {c.unit for c in calls}
    numbers = {word for c in calls for word in (c.none, c.zero, c.negative)}
    assert words_of("What None, 0 and less mean") == numbers


def test_the_readme_explains_exactly_the_keys_that_the_loader_knows() -> None:
    keys = {field.name for field in fields(CallFacts)}
    assert words_of("Keys of a call") == keys - {"name"}
    keys = {field.name for field in fields(TypeFacts)}
    assert words_of("Keys of a type") == keys - {"name"}
    keys = {field.name for field in fields(NameFacts)}
    assert words_of("Keys of a sort of names") == keys - {"name"}


def test_a_bound_has_a_parameter_or_is_a_plain_fact() -> None:
    for name, facts in KNOWLEDGE.calls.items():
        assert facts.timeout or facts.at is None, name
        assert facts.blocking or facts.blocking_at is None, name
        assert facts.timeout or facts.none == "forever", name
        assert facts.default >= 0, name
        assert facts.unit == "s" or facts.timeout, name
        assert facts.runs == () or all(run.argument for run in facts.runs), name


def test_a_wait_with_a_timeout_says_how_its_end_is_told() -> None:
    silent = {"network", "flush", "close", "stop", "wait", "select", "take", "put", "join", "lock"}
    for name, facts in KNOWLEDGE.calls.items():
        if facts.timeout and facts.does in silent - {"network", "close", "stop"}:
            assert facts.outcome or facts.asynchronous or facts.blocks, name


def test_a_table_of_ones_own_extends_the_shipped_ones() -> None:
    extra = {
        "source": "our own library",
        "type": {"ours.Client": {"nature": "session", "same": ["ours.connect"]}},
        "call": {"ours.Client.fetch": {"does": "network", "timeout": "within", "at": 1}},
        "decorator": {"ours.on_message": "consumer"},
    }
    known = load(extra)
    found = known.method("ours.connect", "fetch")
    assert found is not None
    assert (found.timeout, found.at, found.default) == ("within", 1, FOREVER)
    assert known.decorators["ours.on_message"] == "consumer"
    assert known.call("time.sleep") == KNOWLEDGE.call("time.sleep")


@pytest.mark.parametrize(
    "extra",
    [
        {"call": {"ours.wait": {"doez": "wait"}}},
        {"type": {"ours.Thing": {}}},
        {"colour": {"ours.Thing": "red"}},
    ],
)
def test_a_table_with_an_unknown_key_or_a_missing_one_is_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(BadKnowledgeError):
        load(extra)


# The tables against the interpreter


@pytest.mark.parametrize("name", STANDARD)
def test_a_call_of_the_standard_library_exists(name: str) -> None:
    assert list(candidates(name)), f"nothing is called {name}"


@pytest.mark.parametrize(
    "name", [name for name, facts in STANDARD.items() if list(named_parameters(facts))]
)
def test_its_parameters_stand_where_the_table_says(name: str) -> None:
    signatures = [p for c in candidates(name) if (p := parameters(c)) is not None]
    wanted = list(named_parameters(STANDARD[name]))
    if not signatures:
        pytest.skip("the interpreter does not tell its parameters")
    assert any(all(agrees(found, *one) for one in wanted) for found in signatures), signatures


@pytest.mark.parametrize("name", [name for name, facts in STANDARD.items() if facts.timeout])
def test_its_timeout_has_the_default_that_the_table_says(name: str) -> None:
    facts = STANDARD[name]
    defaults = [
        p.default
        for c in candidates(name)
        for p in parameters(c) or ()
        if p.name == facts.timeout and p.default is not p.empty
    ]
    if not defaults:
        pytest.skip("it has none, or the interpreter does not tell")
    if facts.default == FOREVER:
        assert all(d is None or d == -1 or type(d) is object for d in defaults)
    else:
        assert defaults == [facts.default] * len(defaults)


@pytest.mark.parametrize("name", [name for name, facts in STANDARD.items() if facts.timeout])
def test_a_timeout_that_can_be_given_by_position_has_one(name: str) -> None:
    facts = STANDARD[name]
    if facts.at is not None or name in KEYWORD_FROM_3_12:
        return
    for one in candidates(name):
        found = parameters(one) or []
        kinds = {p.kind for p in found if p.name == facts.timeout}
        assert inspect.Parameter.POSITIONAL_OR_KEYWORD not in kinds


@pytest.mark.parametrize("name", STANDARD)
def test_what_the_table_calls_plain_is_no_coroutine_function(name: str) -> None:
    if any(inspect.iscoroutinefunction(c) for c in candidates(name)):
        assert STANDARD[name].asynchronous


# What really happens when the time runs out


def lock_held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


def full(made: "queue.Queue[int]") -> "queue.Queue[int]":
    made.put(1)
    return made


def never() -> "concurrent.futures.Future[None]":
    return concurrent.futures.Future()


def join_a_thread(timeout: float | None) -> object:
    stop = threading.Event()
    worker = threading.Thread(target=stop.wait)
    worker.start()
    try:
        return worker.join(timeout)  # type: ignore[func-returns-value]
    finally:
        stop.set()


def in_condition(timeout: float | None) -> object:
    condition = threading.Condition()
    with condition:
        return condition.wait(timeout)


def for_predicate(timeout: float | None) -> object:
    condition = threading.Condition()
    with condition:
        return condition.wait_for(lambda: False, timeout)


def with_child(use: Callable[["subprocess.Popen[bytes]", float | None], object]) -> Try:
    def run(timeout: float | None) -> object:
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            try:
                return use(child, timeout)
            finally:
                child.kill()

    return run


def run_a_child(timeout: float | None) -> object:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    return subprocess.run(command, check=False, timeout=timeout)


def join_a_process(timeout: float | None) -> object:
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=time.sleep, args=(60,))
    worker.start()
    try:
        return worker.join(timeout)  # type: ignore[func-returns-value]
    finally:
        worker.kill()
        worker.join()
        worker.close()


def with_pool(use: Callable[[Any, float | None], object]) -> Try:
    def run(timeout: float | None) -> object:
        stop = threading.Event()
        pool = multiprocessing.pool.ThreadPool(1)
        try:
            return use(pool.apply_async(stop.wait), timeout)
        finally:
            stop.set()
            pool.close()
            pool.join()

    return run


def with_pipe(use: Callable[[Any, float | None], object]) -> Try:
    def run(timeout: float | None) -> object:
        ours, theirs = multiprocessing.Pipe()
        with ours, theirs:
            return use(ours, timeout)

    return run


def with_socket(use: Callable[[socket.socket, float | None], object]) -> Try:
    def run(timeout: float | None) -> object:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            return use(ours, timeout)

    return run


def from_queue_of_processes(timeout: float | None) -> object:
    jobs: Any = multiprocessing.Queue()
    try:
        return jobs.get(True, timeout)
    finally:
        jobs.close()
        jobs.join_thread()


def polled(ours: socket.socket, timeout: float | None) -> object:
    made = select.poll()
    made.register(ours, select.POLLIN)
    return made.poll(None if timeout is None else timeout * 1000)


def selected(ours: socket.socket, timeout: float | None) -> object:
    with selectors.DefaultSelector() as selector:
        selector.register(ours, selectors.EVENT_READ)
        return selector.select(timeout)


def by_asyncio(use: Callable[[float | None], Coroutine[Any, Any, object]]) -> Try:
    return lambda timeout: asyncio.run(use(timeout))


async def awaited_for(seconds: float | None) -> object:
    return await asyncio.wait_for(asyncio.Event().wait(), seconds)


async def under_timeout(seconds: float | None) -> object:
    async with asyncio.timeout(seconds):
        return await asyncio.Event().wait()


async def awaited_together(seconds: float | None) -> object:
    task = asyncio.create_task(asyncio.Event().wait())
    try:
        return await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()


TRIED: dict[str, Try] = {
    "threading.Thread.join": join_a_thread,
    "threading.Event.wait": lambda t: threading.Event().wait(t),
    "threading.Condition.wait": in_condition,
    "threading.Condition.wait_for": for_predicate,
    "threading.Lock.acquire": lambda t: lock_held().acquire(timeout=t),  # type: ignore[arg-type]
    "threading.Semaphore.acquire": lambda t: threading.Semaphore(0).acquire(timeout=t),
    "threading.Barrier.wait": lambda t: threading.Barrier(2).wait(t),
    "queue.Queue.get": lambda t: queue.Queue[int]().get(timeout=t),
    "queue.Queue.put": lambda t: full(queue.Queue[int](1)).put(2, timeout=t),
    "queue.SimpleQueue.get": lambda t: queue.SimpleQueue[int]().get(timeout=t),
    "concurrent.futures.Future.result": lambda t: never().result(t),
    "concurrent.futures.Future.exception": lambda t: never().exception(t),
    "concurrent.futures.wait": lambda t: concurrent.futures.wait([never()], t),
    "concurrent.futures.as_completed": lambda t: next(
        concurrent.futures.as_completed([never()], t)
    ),
    "multiprocessing.Event.wait": lambda t: multiprocessing.Event().wait(t),
    "multiprocessing.Lock.acquire": lambda t: multiprocessing.Semaphore(0).acquire(True, t),
    "multiprocessing.Queue.get": from_queue_of_processes,
    "multiprocessing.Process.join": join_a_process,
    "multiprocessing.connection.Connection.poll": with_pipe(lambda pipe, t: pipe.poll(t)),
    "multiprocessing.connection.wait": with_pipe(
        lambda pipe, t: multiprocessing.connection.wait([pipe], t)
    ),
    "multiprocessing.pool.AsyncResult.get": with_pool(lambda result, t: result.get(t)),
    "multiprocessing.pool.AsyncResult.wait": with_pool(lambda result, t: result.wait(t)),
    "subprocess.Popen.wait": with_child(lambda child, t: child.wait(t)),
    "subprocess.Popen.communicate": with_child(lambda child, t: child.communicate(None, t)),
    "subprocess.run": run_a_child,
    "select.select": with_socket(lambda ours, t: select.select([ours], [], [], t)),
    "select.poll.poll": with_socket(polled),
    "selectors.BaseSelector.select": with_socket(selected),
    "signal.sigtimedwait": lambda t: signal.sigtimedwait([signal.SIGUSR2], t),  # type: ignore[arg-type]
    "asyncio.wait_for": by_asyncio(awaited_for),
    "asyncio.timeout": by_asyncio(under_timeout),
    "asyncio.wait": by_asyncio(awaited_together),
}


def known(name: str) -> CallFacts:
    """The facts about a call, whichever base of its type lists them."""
    head, _, last = name.rpartition(".")
    facts = KNOWLEDGE.calls.get(name) or KNOWLEDGE.method(head, last)
    assert facts is not None
    return facts


def outcome_of(attempt: Callable[[], object]) -> object:
    try:
        return attempt()
    except Exception as raised:  # noqa: BLE001 - which one it is is what the test asks
        return raised


@pytest.mark.parametrize("name", TRIED)
def test_when_the_time_runs_out_it_does_what_the_table_says(name: str) -> None:
    told, _, exception = known(name).outcome.partition(" ")
    result = outcome_of(lambda: TRIED[name](BRIEF))
    match told:
        case "nothing" | "none":
            assert result is None
        case "false":
            assert result is False
        case "empty":
            assert isinstance(result, (list, tuple))
            assert not any(result)
        case "not-done":
            assert isinstance(result, tuple)
            assert result[-1]
        case "raises":
            wanted = find(exception if "." in exception else f"builtins.{exception}")
            assert type(result) is wanted
        case _:
            pytest.fail(f"no test for the outcome {told!r}")


@pytest.mark.parametrize("name", [n for n in TRIED if known(n).none == "error"])
def test_none_is_refused_where_the_table_says_so(name: str) -> None:
    assert isinstance(outcome_of(lambda: TRIED[name](None)), (TypeError, ValueError))


@pytest.mark.parametrize("name", [n for n in TRIED if known(n).zero == "poll"])
def test_zero_does_not_wait_where_the_table_says_so(name: str) -> None:
    assert same_end(outcome_of(lambda: TRIED[name](0)), name)


@pytest.mark.parametrize("name", [n for n in TRIED if known(n).negative == "error"])
def test_a_negative_number_is_refused_where_the_table_says_so(name: str) -> None:
    refused = outcome_of(lambda: TRIED[name](-1))
    assert isinstance(refused, ValueError)


@pytest.mark.parametrize("name", [n for n in TRIED if known(n).negative == "poll"])
def test_a_negative_number_does_not_wait_where_the_table_says_so(name: str) -> None:
    assert same_end(outcome_of(lambda: TRIED[name](-1)), name)


def same_end(result: object, name: str) -> bool:
    """Whether a wait of no length ended as one does whose time ran out."""
    expected = outcome_of(lambda: TRIED[name](BRIEF))
    return type(result) is type(expected)


def test_what_is_listed_as_never_waiting_returns_at_once() -> None:
    assert outcome_of(queue.Queue[int]().get_nowait).__class__ is queue.Empty
    assert outcome_of(lambda: full(queue.Queue[int](1)).put_nowait(2)).__class__ is queue.Full
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        assert ours.poll() is False
    for name in ("queue.Queue.get_nowait", "queue.Queue.put_nowait"):
        assert KNOWLEDGE.calls[name].default == 0
    assert KNOWLEDGE.calls["multiprocessing.connection.Connection.poll"].default == 0


def test_a_number_alone_switches_waiting_on_and_bounds_nothing() -> None:
    for name in ("queue.Queue.get", "threading.Lock.acquire", "multiprocessing.Queue.get"):
        facts = KNOWLEDGE.calls[name]
        assert (facts.blocking_at, facts.at) == (0, 1)
        assert math.isinf(facts.default)
