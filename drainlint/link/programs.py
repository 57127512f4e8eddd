"""Programs without workers: nothing runs beside their main flow, and nobody has to drain them."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property

from drainlint.index.entries import MODULE
from drainlint.knowledge import CallFacts
from drainlint.link.graph import Graph
from drainlint.link.names import ClassId, FunctionId, Library
from drainlint.link.roles import HANDLERS, WORKERS, Roles
from drainlint.link.services import WORKERS as NATURES
from drainlint.model.expression import Call

BESIDE = (NATURES - {"popen", "aio-process"}) | {"server", "app", "loop"}
"""Natures of what runs beside the main flow; a child that it waits for does not."""
ROLES = (
    WORKERS | HANDLERS | {"main", "request-handler", "lifespan", "startup-hook", "shutdown-hook"}
)
VERBS = frozenset({"spawn", "serve", "fork"})
IMPORTS = frozenset({"import_module", "__import__", "load_entry_point", "iter_entry_points"})
"""Calls that bring in what cannot be seen."""
STARTS = frozenset(
    {"run", "start", "serve", "serve_forever", "run_forever", "main", "work", "listen", "consume"}
    | {"loop", "launch", "execute_from_command_line"}
)
"""Methods of something unknown that may well start or serve."""

Node = FunctionId | ClassId
"""A function, or a class any of whose methods may be called."""


class Programs:
    """Tells which files belong only to programs that do one thing after the other."""

    def __init__(self, graph: Graph, roles: Roles, side_code: Callable[[str], bool]) -> None:
        """Take the calls and roles of a project, and what is side code by its place."""
        self.graph = graph
        self.names = graph.names
        self.roles = roles
        self.side_code = side_code

    def is_alone(self, path: str) -> bool:
        """Whether some program reaches a file, and none that does has anything beside it."""
        return path in self._alone

    @cached_property
    def _alone(self) -> frozenset[str]:
        quiet: set[str] = set()
        loud: set[str] = set()
        for key in sorted(self.roles.main):
            if not self.side_code(key.path):
                reached = self._quietly_reached(key)
                if reached is None:
                    loud.add(key.path)
                else:
                    quiet |= reached
        if quiet:
            quiet -= self._imported(loud)
        return frozenset(path for path in quiet if not self._holds_life(path))

    def _holds_life(self, path: str) -> bool:
        """Whether a file starts something, if only where no program is seen to lead."""
        functions = self.names.modules[path].functions
        return any(self._is_lively(FunctionId(path, name)) for name in functions)

    def _quietly_reached(self, entry: FunctionId) -> set[str] | None:
        """The files that an entry reaches; None where it reaches something lively.

        Rather more than less: an object may have any of its methods called, a module runs when it
        is entered.
        """
        seen: set[Node] = {entry}
        queue: deque[Node] = deque(seen)
        while queue:
            node = queue.popleft()
            if isinstance(node, FunctionId) and self._is_lively(node):
                return None
            for one in self._of_class(node) if isinstance(node, ClassId) else self._after(node):
                if one not in seen:
                    seen.add(one)
                    queue.append(one)
        return {node.path for node in seen}

    def _imported(self, paths: set[str]) -> set[str]:
        """Files, and all that they import, through any number of imports."""
        seen = set(paths)
        queue = deque(paths)
        while queue:
            path = queue.popleft()
            for target in self._imports_of(path):
                if target not in seen:
                    seen.add(target)
                    queue.append(target)
        return seen

    def _imports_of(self, path: str) -> Iterator[str]:
        module = self.names.modules[path]
        targets = {*module.imports.values(), *module.stars}
        for entry in module.functions.values():
            for ways in entry.bindings.values():
                targets.update(way.value.path for way in ways if way.how == "import")
        for target in targets:
            dotted = self.names.absolute(target, path)
            for name in (dotted, dotted.rpartition(".")[0]):
                found = self.names.module(name, path) if name else None
                if found is not None:
                    yield found

    def _of_class(self, key: ClassId) -> Iterator[Node]:
        """The methods of a class, its bases and its heirs."""
        classes = self.graph.classes
        for one in (*classes.project_line(key), *classes.children(key)):
            yield from (function for function, _ in classes.members(one))

    def _after(self, key: FunctionId) -> Iterator[Node]:
        """What a function calls, makes, or hands on, and the module around it."""
        yield from self.graph.callees.get(key, ())
        if key.name != MODULE and MODULE in self.names.modules[key.path].functions:
            yield FunctionId(key.path, MODULE)
        calls = self.names.function(key).calls
        values = (value for c in calls for value in (c.func, *(a.value for a in c.arguments)))
        for path in {value.path for value in values}:
            resolved = self.names.resolve(key, path) if path else None
            if resolved is not None and isinstance(resolved.symbol, FunctionId | ClassId):
                yield resolved.symbol

    # What is lively

    @cached_property
    def _registering(self) -> frozenset[FunctionId]:
        """Functions that hand something to a worker, a server or a signal."""
        return frozenset(one.scope for one in self.graph.registrations if one.role in ROLES)

    @cached_property
    def _verbs(self) -> frozenset[str]:
        """The last names of calls that start, serve, or register a handler."""
        calls = self.graph.knowledge.calls.items()
        return frozenset(name.rpartition(".")[2] for name, facts in calls if _starts(facts))

    def _is_lively(self, key: FunctionId) -> bool:
        """Whether a function starts something, serves, handles signals, or loads the unseen."""
        entry = self.names.function(key)
        if entry.is_async or key in self._registering:
            return True
        for call in entry.calls:
            if call.method in IMPORTS or self._makes_one(key, call.func.path):
                return True
            if call.method in self._verbs | STARTS and self._may_start(key, call):
                return True
        return False

    def _may_start(self, key: FunctionId, call: Call) -> bool:
        """Whether a call starts or serves; one of an unknown thing may."""
        known = self.graph.kinds.facts(key, call)
        if known is not None:
            return _starts(known[0])
        return call.method in STARTS and not self.graph.targets(key, call)

    def _makes_one(self, key: FunctionId, path: str) -> bool:
        """Whether a call makes a thread, a server, a pool."""
        resolved = self.names.resolve(key, path) if path else None
        symbol = None if resolved is None or resolved.rest else resolved.symbol
        if isinstance(symbol, ClassId):
            return self.graph.kinds.instance(symbol).nature in BESIDE
        if not isinstance(symbol, Library):
            return False
        facts = self.graph.knowledge.type(symbol.dotted)
        return facts is not None and facts.nature in BESIDE


def _starts(facts: CallFacts) -> bool:
    return facts.does in VERBS or any(runs.role in ROLES for runs in facts.runs)
