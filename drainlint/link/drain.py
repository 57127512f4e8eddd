"""The drain path: which code runs while the program stops, and how it gets there."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from drainlint.finding import Related
from drainlint.index.entries import MODULE, FunctionEntry
from drainlint.link.entries import Entries
from drainlint.link.graph import Graph, Registration
from drainlint.link.names import ClassId, FunctionId
from drainlint.link.objects import Objects
from drainlint.link.roles import HANDLERS, Roles
from drainlint.link.services import EVENTS, RESOURCES, WORKERS, Services
from drainlint.link.started import Started
from drainlint.link.stopwaits import StopWaits
from drainlint.model.expression import Call
from drainlint.model.function import Drain
from drainlint.model.hook import OTHERS, RELOADS
from drainlint.model.place import Place

WORDS = (
    "stop|close|aclose|shutdown|drain|terminate|kill|abort|quit|cleanup|teardown|disconnect|"
    "destroy|end|finish|unschedule"
)
WHOLE = re.compile(rf"_*(async_)?({WORDS})$")
BEGINS = re.compile(rf"_*(async_)?({WORDS})_")
HOOKS = re.compile(r"on_(stop|close|shutdown|exit)$|(before|after)_\w*shutdown$")
OF_ANYTHING = re.compile(r"_*(async_)?(abort|cleanup|destroy|drain|end|finish)$")
"""Names that requests, batches and files have for their ends as well: they say less."""
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


@dataclass(frozen=True, slots=True)
class _Reached:
    root: Root
    chain: tuple[FunctionId, ...]
    me: ClassId | None
    """What `self` is at its end, at least."""

    guessed: bool = False
    """A call on the way may as well enter another function."""

    @property
    def is_weak(self) -> bool:
        return self.root.by_name or self.guessed


class _Found:
    """What was reached so far, and on which objects."""

    def __init__(self, objects: Objects) -> None:
        self.first: dict[FunctionId, _Reached] = {}
        self._objects = objects
        self._on: dict[FunctionId, set[ClassId | None]] = {}

    def is_new(self, one: _Reached) -> bool:
        """Whether a chain leads to a function, or to an object, that no other has led to."""
        here = one.chain[-1]
        seen = self._on.setdefault(here, set())
        if self._objects.covers(seen, one.me):
            return False
        seen.add(one.me)
        self.first.setdefault(here, one)
        return True


class DrainPaths:
    """Every function and place that runs while the program stops, with the shortest chain."""

    def __init__(
        self,
        graph: Graph,
        roles: Roles,
        services: Services,
        side_code: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Take the calls, roles and services of a project, and what is side code by its place."""
        self._side_code = cache(side_code)
        self.graph = graph
        self.names = graph.names
        self.roles = roles
        self.services = services
        self._entries = Entries(graph, roles)
        self._started = Started(graph)
        self._objects = Objects(graph.classes)
        self.stop_waits = StopWaits(graph, roles, self._stopping)

    # Roots

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """Every root of the project, the best evidence first."""
        found = [*self._whole, *self._regions()]
        return tuple(sorted(found, key=lambda r: (r.by_name, r.sort not in CERTAIN)))

    @cached_property
    def _whole(self) -> tuple[Root, ...]:
        """The roots that are functions, not only some lines of one."""
        return (*self._registered(), *self._named())

    def _stopping(self) -> set[FunctionId]:
        """The functions that run when the program stops, whatever its main flow waits for."""
        found = _Found(self._objects)
        self._spread(found, map(self._at, self._whole), certain=False)
        return found.first.keys() - self.roles.main

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
            said = _said_by(name)
            if not said or self._is_run_otherwise(key, entry):
                continue
            label = f"`{shown(entry)}`"
            if said == "context":
                if entry.owner:
                    certain = self.services.of_function(key) is not None
                    certain = certain or self._ends_something(key, entry)
                    yield Root(key, "context", label, not certain)
            elif said == "whole" or self._ends_its_own(key, entry):
                if _is_a_command(self.graph, key, name) and not self._ends_its_own(key, entry):
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
        beside = RUNS_BESIDE if entry.owner or not entry.parent else RUNS_BESIDE | {"task"}
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
        return any(
            call.method in ENDING
            and _is_owned(self.graph, key, entry, call)
            and self._lives(key, call)
            for call in entry.calls
        ) or _awaits_its_own(self.graph, key, entry)

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

    def _lives(self, key: FunctionId, call: Call) -> bool:
        """Whether what a call ends has a lifetime, as far as that is known."""
        kind = None if call.receiver is None else self.graph.kinds.of(key, call.receiver)
        owner = self.graph.kinds.project_class(kind)
        if call.method not in OF_THE_LIVING:
            return True
        service = owner is not None and self.services.of(owner) is not None
        living = LIVING - EVENTS if call.method == "wait" else LIVING  # it waits to be told
        return service or (kind is not None and kind.nature in living)

    def _regions(self) -> Iterator[Root]:
        for key, entry in self.names.functions():
            wait = self.stop_waits.all.get(key)
            if wait is None and not entry.regions:
                continue
            main = wait is not None or key in self.roles.main or self._is_sole_entry(key)
            main = main or key in self.stop_waits.interrupted
            worker = bool(self.roles.registered(key) & {*RUNS_BESIDE, "task"})
            for region in entry.regions:
                lines = (region.first_line, region.last_line)
                if region.sort == "yielded":
                    if self._is_context_manager(key, entry):
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

    def _is_sole_entry(self, key: FunctionId) -> bool:
        """A helper that the main flow enters directly, such as `run()` under the guard."""
        callers = self.graph.callers.get(key, set())
        return key in self.roles.helpers and bool(callers) and callers <= self.roles.main

    def _is_context_manager(self, key: FunctionId, entry: FunctionEntry) -> bool:
        if "lifespan" in self.roles.registered(key):
            return True
        return any(
            d.path.rpartition(".")[2] in ("contextmanager", "asynccontextmanager")
            for d in entry.decorators
        )

    def is_stop_wait(self, key: FunctionId, call: Call) -> bool:
        """Whether a call is a wait for the request to stop: an event that a handler sets."""
        return self.stop_waits.is_wait(key, call)

    def closure(self, start: FunctionId) -> Iterator[FunctionId]:
        """A function and all that it calls, transitively."""
        seen = {start}
        queue = deque([start])
        while queue:
            current = queue.popleft()
            yield current
            for callee in self.graph.callees.get(current, ()):
                if callee not in seen:
                    seen.add(callee)
                    queue.append(callee)

    # Paths

    @cached_property
    def _reached(self) -> dict[FunctionId, _Reached]:
        """Functions that are on the drain path as a whole, each by its best evidence."""
        found = _Found(self._objects)
        guesses = self._spread(found, self._begun(by_name=False))
        weak = list(self._begun(by_name=True))
        leading = (one for one in weak if not one.root.says_little)
        self._spread(found, (*guesses, *leading), certain=False)
        self._spread(found, (one for one in weak if one.root.says_little), certain=False)
        return found.first

    def _begun(self, *, by_name: bool) -> Iterator[_Reached]:
        """Where paths begin: the roots themselves, and what the lines of partial roots call."""
        for root in self.roots:
            if root.by_name is not by_name:
                continue
            start = self._at(root)
            if not root.first_line:
                yield start
                continue
            for callee in self._called_in(root):
                yield from self._entering(start, callee)

    def _at(self, root: Root) -> _Reached:
        return _Reached(root, (root.function,), self._objects.of(root.function))

    def _entering(self, current: _Reached, callee: FunctionId) -> Iterator[_Reached]:
        """A chain with one more call, if its object allows that."""
        caller = current.chain[-1]
        entered = self._objects.after(caller, current.me, callee)
        if entered is not None:
            guessed = current.guessed or (caller, callee) in self.graph.guessed
            yield _Reached(current.root, (*current.chain, callee), *entered, guessed)

    def _spread(
        self,
        found: _Found,
        starts: Iterable[_Reached],
        *,
        certain: bool = True,
    ) -> list[_Reached]:
        """Follow calls from where paths begin, the shortest chains first.

        Where only what is `certain` counts, the calls that are guesses are given back.
        """
        guesses: list[_Reached] = []
        queue: deque[_Reached] = deque()

        def reach(one: _Reached) -> None:
            if self._is_staged(one):
                return
            if one.guessed and certain:
                guesses.append(one)
            elif found.is_new(one):
                queue.append(one)

        for start in starts:
            reach(start)
        while queue:
            current = queue.popleft()
            if current.root.says_little and len(current.chain) > 1:
                continue
            for callee in self.graph.callees.get(current.chain[-1], ()):
                if not self._goes_on(current, callee):
                    for one in self._entering(current, callee):
                        reach(one)
        return guesses

    def _goes_on(self, current: _Reached, callee: FunctionId) -> bool:
        """Whether nobody waits for what is started; a root's own, and a handler's, is its stop."""
        is_stop = current.root.sort in CERTAIN or len(current.chain) == 1
        return not is_stop and self._started.nobody_waits(current.chain[-1], callee)

    def _is_staged(self, reached: _Reached) -> bool:
        """Whether only a test or an example leads there: it ends what it likes, when it likes."""
        root, here = reached.root.function.path, reached.chain[-1].path
        return root != here and self._side_code(root) and not self._side_code(here)

    def _called_in(self, root: Root) -> Iterator[FunctionId]:
        """What the lines of a root call, where only part of a function is on the drain path."""
        for call in self.names.function(root.function).calls:
            if root.first_line <= call.place.line <= root.last_line:
                yield from self.graph.targets(root.function, call)

    @cached_property
    def _partial(self) -> dict[FunctionId, list[Root]]:
        found: dict[FunctionId, list[Root]] = {}
        for root in self.roots:
            if root.first_line:
                found.setdefault(root.function, []).append(root)
        return found

    def touches(self, key: FunctionId) -> bool:
        """Whether any line of a function is on the drain path."""
        return key in self._reached or key in self._partial

    def of(self, key: FunctionId, line: int) -> Drain | None:
        """Why a line of a function is on the drain path; None where it is not."""
        reached = self._reached.get(key)
        if reached is None or reached.is_weak:
            for root in self._partial.get(key, ()):
                if root.first_line <= line <= root.last_line:
                    reached = self._at(root)
                    break
        if reached is None:
            return None
        root = reached.root
        steps = tuple(self._step(one, root, first=not n) for n, one in enumerate(reached.chain))
        return Drain(root.label, root.sort, steps, reached.is_weak)

    def _step(self, key: FunctionId, root: Root, *, first: bool) -> Related:
        entry = self.names.function(key)
        line = root.first_line if first and root.first_line else entry.line
        column = 1 if first and root.first_line else entry.column
        place = Place(line, column, line, 0)
        return Related(key.path, place, root.label if first else f"`{shown(entry)}`")


def _awaits_its_own(graph: Graph, key: FunctionId, entry: FunctionEntry) -> bool:
    """Whether a method waits for a task of its object: `await self.task`."""
    me = graph.classes.self_name(key)
    for awaited in entry.awaits:
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
def _said_by(name: str) -> str:
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
