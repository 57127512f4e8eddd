"""Where drain paths begin: what is registered, what is named for it, what lines lead out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from drainlint.index.entries import MODULE, FunctionEntry
from drainlint.link.entries import Entries
from drainlint.link.graph import Graph, Registration
from drainlint.link.names import FunctionId
from drainlint.link.roles import HANDLERS, Roles
from drainlint.link.services import EVENTS, RESOURCES, WORKERS, Services
from drainlint.link.stopwaits import StopWaits
from drainlint.model.expression import Await, Call
from drainlint.model.hook import OTHERS, RELOADS

WORDS = (
    "stop|close|aclose|shutdown|drain|terminate|kill|abort|quit|cleanup|teardown|disconnect|"
    "destroy|end|finish|unschedule"
)
WHOLE = re.compile(rf"_*(async_)?({WORDS})$")
BEGINS = re.compile(rf"_*(async_)?({WORDS})_")
HOOKS = re.compile(r"on_(stop|close|shutdown|exit)$|(before|after)_\w*shutdown$")
OF_ANYTHING = re.compile(r"_*(async_)?(abort|cleanup|destroy|drain|end|finish)$")
"""Names that requests, batches and files have for their ends as well: they say less."""
OF_REQUESTS = re.compile(r"_*(async_)?(abort|end|finish)_")
"""Beginnings of names of steps in a request's life; what it closes may be that one's."""
RUNS_ON = re.compile(r"_(loop|forever)$")
"""What ends the name of a function that runs beside the rest: `_drain_loop` works off a queue."""
CONTEXT = frozenset({"__exit__", "__aexit__", "__del__"})
ENDING = frozenset(
    {
        "stop",
        "join",
        "cancel",
        "close",
        "aclose",
        "shutdown",
        "terminate",
        "kill",
        "wait",
        "wait_closed",
        "disconnect",
        "killall",
        "joinall",
        "drain",
        "abort",
        "destroy",
    }
)
"""Methods that, called on something of one's own, make a `stop_x` a stop method."""
ENDS_THINGS = re.compile(r"_*(async_)?(stop|close|aclose|shutdown|terminate|kill|disconnect)_")
BESIDE = {"drain": "write", "stop": "play"}
"""Methods that are no stops of a class which has another one, by the other's name."""
OF_THE_LIVING = frozenset({"wait", "drain", "abort", "destroy", "disconnect"})
"""Those that do so only on what is known to have a lifetime: a batch is aborted, too."""
REGISTERED = {
    "signal-handler": ("signal", "signal handler"),
    "loop-signal-handler": ("signal", "signal handler"),
    "exit-hook": ("exit-hook", "exit hook"),
    "finaliser": ("exit-hook", "finaliser"),
    "shutdown-hook": ("shutdown-hook", "shutdown hook"),
}
FAR = 1 << 30
"""Behind the last line of any file."""
LIVING = WORKERS | RESOURCES | EVENTS
RUNS_BESIDE = frozenset({"thread", "process", "greenlet"})
CERTAIN = frozenset({"signal", "exit-hook", "shutdown-hook"})


@dataclass(frozen=True, slots=True)
class Root:
    """Where a drain path begins."""

    function: FunctionId
    sort: str
    label: str
    by_name: bool = False
    first_line: int = 0
    """Where only part of the function is on the drain path: its lines; 0 for all of it."""
    last_line: int = 0

    vague: bool = False
    """A method whose name requests, batches and files have for their ends as well."""

    @property
    def says_little(self) -> bool:
        """Whether it may be the end of anything, and ends nothing: so what it leads to may be."""
        return self.by_name and (self.sort == "context" or self.vague)


class Roots:
    """Finds the roots of a project's drain paths."""

    def __init__(self, graph: Graph, roles: Roles, services: Services) -> None:
        """Take the calls, roles and services of a project."""
        self.graph = graph
        self.names = graph.names
        self.roles = roles
        self.services = services
        self._entries = Entries(graph, roles)

    @cached_property
    def whole(self) -> tuple[Root, ...]:
        """The roots that are functions, not only some lines of one."""
        return (*self._registered(), *self._named())

    def _registered(self) -> Iterator[Root]:
        for registration in self.graph.registrations:
            sort, label = REGISTERED.get(registration.role, ("", ""))
            if sort and not self._is_for_something_else(registration):
                entry = self.names.function(registration.target)
                in_full = "<lambda" in entry.name or registration.call is None
                name = shown(entry) if in_full else entry.short_name
                yield Root(registration.target, sort, f"{label} `{name}`")

    def _is_for_something_else(self, registration: Registration) -> bool:
        """Whether a handler is only for signals that do not ask to stop: SIGCHLD, SIGHUP."""
        if registration.role not in HANDLERS:
            return False
        signals = list(self._entries.triggers(registration))
        return bool(signals) and all(signal in OTHERS | RELOADS for signal in signals)

    def _named(self) -> Iterator[Root]:
        for key, entry in self.names.functions():
            name = entry.short_name
            said = said_by(name)
            if not said or self._is_run_otherwise(key, entry):
                continue
            label = f"`{shown(entry)}`"
            if said == "context":
                if entry.owner:
                    service = self.services.of_function(key) is not None
                    certain = service and not self.services.borrows(key)
                    certain = certain or self._ends_something(key, entry)
                    yield Root(key, "context", label, not certain)
            elif said == "whole" or self._ends_its_own(key, entry):
                streams = name.endswith("drain")
                command = streams or not self._ends_its_own(key, entry)
                if command and _is_a_command(self.graph, key, name):
                    continue
                of_anything = OF_ANYTHING.match(name.partition("@")[0]) is not None
                if of_anything and self._ends_another(key, entry):
                    continue
                certain = bool(entry.owner) and self.services.is_stopped_by(key)
                if certain and of_anything:
                    certain = self.services.lives(key) or self._ends_its_own(key, entry)
                vague = of_anything and bool(entry.owner)
                yield Root(key, "method", label, not certain, vague=vague)

    def _is_run_otherwise(self, key: FunctionId, entry: FunctionEntry) -> bool:
        """Whether it runs as a worker, for each request or as a command, whatever its name says.

        `finish` of a handler ends a request, `destroy` of a view an object, `stop` of a chat its
        answer, `cleanup` of a command line what the user asks for, and a generator that drains
        gives its caller one thing after the other.
        """
        roles = self.roles.registered(key)
        command = not entry.owner and key in self.roles.main
        gives = entry.is_async and entry.is_generator
        nested = not entry.owner and bool(entry.parent)
        tasks = nested or RUNS_ON.search(entry.short_name) is not None
        beside = RUNS_BESIDE | {"task"} if tasks else RUNS_BESIDE
        return bool(roles & (beside | {"request-handler"}) or command or gives)

    def _ends_another(self, key: FunctionId, entry: FunctionEntry) -> bool:
        """Whether `end` or `finish` is a step of its function's, or ends what it is given."""
        if not entry.owner and entry.parent:
            return True
        given = entry.parameters[1 if entry.owner else 0 :]
        needed = [p for p in given if p.default is None and not p.star]
        return bool(needed) and not self._ends_its_own(key, entry)

    def _ends_its_own(self, key: FunctionId, entry: FunctionEntry) -> bool:
        """Whether a `stop_x` stops, joins, cancels or closes what its object or module owns."""
        of_request = OF_REQUESTS.match(entry.short_name) is not None
        return any(
            call.method in ENDING
            and _is_owned(self.graph, key, entry, call)
            and self._lives(key, call, seen=of_request)
            for call in entry.calls
        ) or _awaits_its_own(self.graph, key, entry, dropped=of_request)

    def _ends_something(
        self, key: FunctionId, entry: FunctionEntry, first_line: int = 0, last_line: int = FAR
    ) -> bool:
        """Whether what leaves a block ends something, rather than setting back what it changed."""
        return any(
            first_line <= call.place.line <= last_line
            and (
                ENDS_THINGS.match(call.method) is not None
                or (call.method in ENDING and call.receiver is not None and self._lives(key, call))
            )
            for call in entry.calls
        )

    def _lives(self, key: FunctionId, call: Call, *, seen: bool = False) -> bool:
        """Whether what a call ends has a lifetime, as far as that is known.

        Where that must be `seen`, what nobody knows has none: files are closed, too.
        """
        kind = None if call.receiver is None else self.graph.kinds.of(key, call.receiver)
        owner = self.graph.kinds.project_class(kind)
        if call.method not in OF_THE_LIVING and not seen:
            return True
        service = owner is not None and self.services.of(owner) is not None
        living = LIVING - EVENTS if call.method == "wait" else LIVING  # it waits to be told
        return service or (kind is not None and kind.nature in living)

    def partial(self, stop_waits: StopWaits) -> Iterator[Root]:
        """The roots that are lines: what runs last in a main flow, a worker or a context."""
        for key, entry in self.names.functions():
            wait = stop_waits.all.get(key)
            if wait is None and not entry.regions:
                continue
            main = (
                wait is not None
                or key in self.roles.main
                or _is_sole_entry(self.graph, self.roles, key)
            )
            main = main or key in stop_waits.interrupted
            worker = bool(self.roles.registered(key) & {*RUNS_BESIDE, "task"})
            for region in entry.regions:
                lines = (region.first_line, region.last_line)
                if region.sort == "yielded":
                    if _is_context_manager(self.roles, key, entry):
                        label = f"what follows the `yield` of `{shown(entry)}`"
                        lifespan = "lifespan" in self.roles.registered(key)
                        sort = "shutdown-hook" if lifespan else "context"
                        certain = lifespan or self._ends_something(key, entry, *lines)
                        yield Root(key, sort, label, not certain, *lines)
                elif region.sort in ("final", "interrupt") and (main or worker):
                    word = "`finally`" if region.sort == "final" else "interrupt handler"
                    where = f"{word} of `{shown(entry)}`"
                    yield Root(key, "finally", where, False, *lines)
            if wait is not None:
                label = f"what follows `{wait.text}` in `{shown(entry)}`"
                for lines in wait.followed_by(entry):
                    yield Root(key, "after-wait", label, False, *lines)


def _is_sole_entry(graph: Graph, roles: Roles, key: FunctionId) -> bool:
    """A helper that the main flow enters directly, such as `run()` under the guard."""
    callers = graph.callers.get(key, set())
    return key in roles.helpers and bool(callers) and callers <= roles.main


def _is_context_manager(roles: Roles, key: FunctionId, entry: FunctionEntry) -> bool:
    if "lifespan" in roles.registered(key):
        return True
    return any(
        d.path.rpartition(".")[2] in ("contextmanager", "asynccontextmanager")
        for d in entry.decorators
    )


def _awaits_its_own(graph: Graph, key: FunctionId, entry: FunctionEntry, *, dropped: bool) -> bool:
    """Whether a method waits for a task of its object: `await self.task`.

    Whoever gives its caller what a task has found out only asks for that; a step of a request that
    does not drop it (`dropped`) takes it as well.
    """
    me = graph.classes.self_name(key)
    bound = (way.value for ways in entry.bindings.values() for way in ways if dropped)
    taken = {value.value.path for value in (*bound, *entry.results) if isinstance(value, Await)}
    for awaited in entry.awaits:
        if awaited.value.path in taken:
            continue
        head, dot, _ = awaited.value.path.partition(".")
        kind = graph.kinds.of(key, awaited.value) if dot and head == me else None
        if kind is not None and kind.nature == "task":
            return True
    return False


def _is_a_command(graph: Graph, key: FunctionId, name: str) -> bool:
    """Whether the class says by its other methods that one means something else than its end.

    A stream's `drain` waits until it may write on, a player's `stop` ends a song.
    """
    owner, beside = graph.classes.owner(key), BESIDE.get(name.removeprefix("async_"), "")
    return owner is not None and bool(beside) and graph.classes.method(owner, beside) is not None


def _is_owned(graph: Graph, key: FunctionId, entry: FunctionEntry, call: Call) -> bool:
    """Whether a call is upon its object, its module, or something that one of them owns."""
    head, dot, _ = call.func.path.partition(".")
    if not dot:
        return False
    me = graph.classes.self_name(key)
    if head == me:
        return True
    resolved = graph.names.resolve(key, head)
    symbol = resolved.symbol if resolved else None
    if getattr(symbol, "scope", None) == FunctionId(key.path, MODULE):
        return True
    ways = entry.bindings.get(head, ())
    return any(me and me in {e.path.partition(".")[0] for e in w.value.walk()} for w in ways)


@cache
def said_by(name: str) -> str:
    """What a function's name says of the end: `whole`, `begins` or `context`; empty for nothing."""
    if name.startswith("<"):
        return ""
    name = name.partition("@")[0]
    if name in CONTEXT:
        return "context"
    if WHOLE.match(name) or HOOKS.match(name):
        return "whole"
    return "begins" if BEGINS.match(name) else ""


def shown(entry: FunctionEntry) -> str:
    """A function's name as people say it: `Pool.close`, `main`."""
    name = entry.name.partition("@")[0] if "<lambda" not in entry.name else entry.name
    name = re.sub(r"<lambda@[\d:]+>", "lambda", name)
    return ".".join(name.split(".")[-2:]) if entry.owner else name.rpartition(".")[2]
