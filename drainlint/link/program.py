"""The project as a whole: index and knowledge joined, and what nouns are built from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Protocol

from drainlint.index.entries import MAIN, MODULE, ModuleEntry
from drainlint.knowledge import CallFacts, Knowledge
from drainlint.link.classes import Classes
from drainlint.link.drain import DrainPaths
from drainlint.link.graph import Graph
from drainlint.link.kinds import Kinds
from drainlint.link.leaving import leaves
from drainlint.link.lifetimes import Lifetimes
from drainlint.link.names import FunctionId, Library, Names, Variable
from drainlint.link.programs import Programs
from drainlint.link.roles import HANDLERS, WORKERS, Roles
from drainlint.link.services import Services
from drainlint.link.sharing import Alone, Sharing
from drainlint.link.values import Values
from drainlint.model.expression import Call, Constant, Name
from drainlint.model.function import Drain, Function
from drainlint.model.kind import Kind
from drainlint.model.place import Place
from drainlint.model.statement import Body

IMPLEMENTED = frozenset(
    {
        "lock",
        "rlock",
        "queue",
        "future",
        "event",
        "condition",
        "semaphore",
        "barrier",
        "pool",
        "result",
        "executor",
    }
)
WORKER_WORDS = {
    "thread": "thread target",
    "process": "process target",
    "process-executor": "job of a process pool",
    "executor": "job of an executor",
    "off-loop": "job of an executor",
    "task": "task",
    "greenlet": "greenlet",
    "timer": "timer callback",
    "callback": "callback",
    "done-callback": "done-callback",
    "consumer": "consumer callback",
}


class GivesBodies(Protocol):
    """Whoever reads the bodies of functions."""

    def get(self, key: FunctionId) -> Body | None:
        """The body of a function; None where there is none to be read."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of a project besides its code."""

    scripts: tuple[str, ...] = ()
    """Console scripts, `module:function`."""
    package: str = ""
    """The root's own dotted name, where it is a package."""
    side_code: Callable[[str], bool] = lambda _: False
    """Tells tests and examples by their place."""


class Program:
    """Everything that is known of a project once all its files are indexed."""

    def __init__(
        self,
        modules: Mapping[str, ModuleEntry],
        knowledge: Knowledge,
        bodies: GivesBodies,
        layout: Layout,
        sharing: Sharing | None = None,
    ) -> None:
        """Link every file by its index; `bodies` reads a function when its body is asked for.

        Where several processes link the same project in step, `sharing` brings them together.
        """
        self.bodies = bodies
        self._leaving: dict[FunctionId, bool] = {}
        self.knowledge = knowledge
        self.names = Names(modules, layout.package)
        self.classes = Classes(self.names)
        self.kinds = Kinds(self.names, self.classes, knowledge)
        self.values = Values(self.names, self.classes)
        self.graph = Graph(self.names, self.classes, self.kinds, knowledge, sharing or Alone())
        self.roles = Roles(self.graph, layout.scripts)
        self.services = Services(self.classes, self.kinds)
        self.lifetimes = Lifetimes(self.services, self.graph, self.values)
        self.programs = Programs(self.graph, self.roles, layout.side_code)
        self.drain_paths = DrainPaths(self.graph, self.roles, self.services, layout.side_code)
        self._functions: dict[FunctionId, Function] = {}

    def function(self, key: FunctionId) -> Function:
        """The function noun for a function of the index."""
        if key not in self._functions:
            entry = self.names.function(key)
            roles = self.roles.of(key)
            worker = next((r for r in WORKER_WORDS if r in roles), "")
            shown = ""
            if worker:
                target = self.names.function(roles[worker].registration.target).short_name
                shown = f"{WORKER_WORDS[worker]} `{target}`"
            owner = self.classes.owner(key)
            nature = "" if owner is None else self.kinds.instance(owner).nature
            self._functions[key] = Function(
                key.path,
                "" if key.name in (MODULE, MAIN) else key.name,
                Place(entry.line, entry.column, entry.line, 0),
                is_async=entry.is_async,
                roles=frozenset(roles),
                worker=shown,
                main=key in self.roles.main or key.name == MAIN,
                helper=key in self.roles.helpers,
                command_line=self.roles.in_command_line(key),
                service=self.services.of_function(key),
                implements=nature if nature in IMPLEMENTED else "",
                alone=self.programs.is_alone(key.path),
            )
        return self._functions[key]

    def drain(self, key: FunctionId, line: int) -> Drain | None:
        """Why a line of a function is on the drain path."""
        return self.drain_paths.of(key, line)

    def facts(self, key: FunctionId, call: Call) -> tuple[CallFacts, Kind | None] | None:
        """What is known of a call to a library."""
        return self.kinds.facts(key, call)

    def library(self, key: FunctionId, path: str) -> str:
        """The dotted name of the library's thing that a path names; empty for anything else."""
        resolved = self.names.resolve(key, path) if path else None
        if resolved is None or not isinstance(resolved.symbol, Library):
            return ""
        return ".".join([resolved.symbol.dotted, *resolved.rest])

    def is_shared(self, key: FunctionId, path: str) -> bool:
        """Whether somebody else can change what a path names while a loop waits for it."""
        resolved = self.names.resolve(key, path)
        if "." in path:
            return True
        if resolved is None or not isinstance(resolved.symbol, Variable):
            return False
        variable = resolved.symbol
        if variable.scope.name == MODULE or variable.scope != key:
            return True
        inner = f"{key.name}."
        functions = self.names.modules[key.path].functions
        return any(
            name.startswith(inner)
            and (
                path in entry.shared or any(c.func.path.startswith(f"{path}.") for c in entry.calls)
            )
            for name, entry in functions.items()
        )

    def is_switched(self, key: FunctionId, path: str) -> bool:
        """Whether a path names a module's variable that some function sets anew: no constant."""
        resolved = self.names.resolve(key, path) if path else None
        if resolved is None or resolved.rest or not isinstance(resolved.symbol, Variable):
            return False
        scope, name = resolved.symbol.scope, resolved.symbol.name
        return scope.name == MODULE and any(
            name in entry.shared and name in entry.bindings
            for entry in self.names.modules[scope.path].functions.values()
        )

    @cached_property
    def touched(self) -> frozenset[str]:
        """The last names of what somebody sets, notifies or hands on, anywhere in the project."""
        found: set[str] = set()
        handed: set[str] = set()
        for _, entry in self.names.functions():
            for call in entry.calls:
                if call.method in ("set", "notify", "notify_all", "notifyAll", "clear"):
                    found.add(call.func.path.rpartition(".")[0].rpartition(".")[2])
                for argument in call.arguments:
                    if type(argument.value) is Name:  # as most are
                        handed.add(argument.value.dotted)
                    elif type(argument.value) is not Constant:
                        handed.update(part.path for part in argument.value.walk())
            found.update(r.path.rpartition(".")[2] for r in entry.results)
        for path in handed:
            head, _, last = path.rpartition(".")
            found |= {last, head.rpartition(".")[2]}
        return frozenset(found)

    @cached_property
    def _handlers(self) -> Mapping[str, tuple[FunctionId, ...]]:
        """The functions registered for signals, by the file that registers them."""
        found: dict[str, list[FunctionId]] = {}
        for registration in self.graph.registrations:
            if registration.role in HANDLERS:
                found.setdefault(registration.scope.path, []).append(registration.target)
        return {path: tuple(targets) for path, targets in found.items()}

    @cached_property
    def _own_handlers(self) -> Mapping[FunctionId, tuple[FunctionId, ...]]:
        """The functions registered for signals, by the function that registers them."""
        found: dict[FunctionId, list[FunctionId]] = {}
        for registration in self.graph.registrations:
            if registration.role in HANDLERS:
                found.setdefault(registration.scope, []).append(registration.target)
        return {scope: tuple(targets) for scope, targets in found.items()}

    def has_returning_handler(self, key: FunctionId) -> bool:
        """Whether a signal handler that returns is in force while a main flow's function runs.

        One that raises or exits cuts a pause short, and so does the default where there is none.
        """
        paths = {key.path, *(f.path for f in self.drain_paths.closure(key))}
        return any(
            not self.always_leaves(target)
            for path in paths
            for target in self._handlers.get(path, ())
        )

    def has_raising_handlers(self, key: FunctionId) -> bool:
        """Whether a function, or else its file, registers signal handlers that raise or exit."""
        handlers = self._own_handlers.get(key) or self._handlers.get(key.path, ())
        return bool(handlers) and all(self.always_leaves(target) for target in handlers)

    def has_raising_handlers_of_its_own(self, key: FunctionId) -> bool:
        """Whether a function itself registers signal handlers, all of which raise or exit."""
        return key in self._own_handlers and self.has_raising_handlers(key)

    def always_leaves(self, key: FunctionId) -> bool:
        """Whether a handler raises or exits instead of returning, whenever it is called."""
        if key not in self._leaving:
            body, entry = self.bodies.get(key), self.names.function(key)
            is_exit = partial(self._is_exit, key)
            if body is None:  # a lambda
                self._leaving[key] = any(map(is_exit, entry.calls))
            else:
                given = next((p.name for p in entry.parameters if p.name != "self"), "")
                self._leaving[key] = leaves(body.statements, given, is_exit)
        return self._leaving[key]

    def _is_exit(self, key: FunctionId, call: Call) -> bool:
        known = self.facts(key, call)
        return known is not None and known[0].does in ("exit", "hard-exit")

    def is_worker(self, function: Function) -> bool:
        """Whether a function runs beside the main flow."""
        return bool(function.roles & WORKERS)
