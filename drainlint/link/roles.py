"""Who runs a function: threads, tasks, handlers, the main flow; direct and through calls."""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from drainlint.index.entries import MAIN, MODULE
from drainlint.link.graph import Graph, Registration
from drainlint.link.names import ClassId, FunctionId, Library
from drainlint.model.expression import Constant, Group

WORKERS = frozenset(
    {
        "thread",
        "process",
        "executor",
        "process-executor",
        "task",
        "greenlet",
        "timer",
        "callback",
        "done-callback",
        "consumer",
        "off-loop",
    }
)
"""Roles of what runs beside the main flow."""
HANDLERS = frozenset({"signal-handler", "loop-signal-handler"})
COMMAND_FOLDERS = frozenset({"cli", "commands", "management", "scripts", "bin", "console"})
COMMAND_FILES = re.compile(r"(^|_)(cli|commands?|console|main)$")
MAIN_NAMES = re.compile(r"_*(async_)?main\d?$|cli$")


@dataclass(frozen=True, slots=True)
class Reached:
    """Why a function has a role: the registration, and the calls from its target to here."""

    registration: Registration
    chain: tuple[FunctionId, ...]
    """From the registered function to this one, both included."""


class Roles:
    """The roles of every function of a project."""

    def __init__(self, graph: Graph, scripts: Iterable[str] = ()) -> None:
        """Take the calls, and the console scripts (`package.module:function`) of the project."""
        self.graph = graph
        self.names = graph.names
        self._scripts = frozenset(scripts)

    @cached_property
    def _reached(self) -> Mapping[FunctionId, Mapping[str, Reached]]:
        found: dict[FunctionId, dict[str, Reached]] = defaultdict(dict)
        starts: dict[str, list[Registration]] = defaultdict(list)
        for registration in self.graph.registrations:
            starts[registration.role].append(registration)
        for role, registrations in starts.items():
            queue: deque[FunctionId] = deque()
            for registration in registrations:
                if role not in found[registration.target]:
                    reached = Reached(registration, (registration.target,))
                    found[registration.target][role] = reached
                    queue.append(registration.target)
            while queue:
                current = queue.popleft()
                reached = found[current][role]
                for callee in self.graph.callees.get(current, ()):
                    if role not in found[callee]:
                        chain = (*reached.chain, callee)
                        found[callee][role] = Reached(reached.registration, chain)
                        queue.append(callee)
        return found

    def of(self, key: FunctionId) -> Mapping[str, Reached]:
        """The roles of a function, each with the chain of calls that brings it."""
        return self._reached.get(key, {})

    def registered(self, key: FunctionId) -> frozenset[str]:
        """The roles that a function has itself, not through a caller."""
        return self._direct.get(key, frozenset())

    @cached_property
    def _direct(self) -> Mapping[FunctionId, frozenset[str]]:
        found: dict[FunctionId, set[str]] = defaultdict(set)
        for registration in self.graph.registrations:
            found[registration.target].add(registration.role)
        return {key: frozenset(roles) for key, roles in found.items()}

    # Main flow

    @cached_property
    def main(self) -> frozenset[FunctionId]:
        """The main flow itself: guarded blocks, `__main__.py`, `main()`, scripts, commands."""
        found: set[FunctionId] = set()
        scripts = self.script_functions
        for key, entry in self.names.functions():
            file = key.path.rpartition("/")[2]
            by_name = not entry.owner and MAIN_NAMES.match(entry.short_name)
            if (
                key.name == MAIN
                or (key.name == MODULE and file in ("__main__.py", "setup.py", "manage.py"))
                or (by_name and not self.registered(key) & WORKERS)
                or "command" in self.registered(key)
                or key in scripts
                or self._is_command_method(key)
                or self._takes_a_command_line(key)
            ):
                found.add(key)
        return frozenset(found)

    def _is_command_method(self, key: FunctionId) -> bool:
        """`handle` of a management command, `run` of a setuptools one, twisted's `opt_x`."""
        entry = self.names.function(key)
        if not entry.owner:
            return False
        name = entry.short_name
        owner = ClassId(key.path, entry.owner)
        bases = [b.dotted for b in self.graph.classes.line(owner) if isinstance(b, Library)]
        if name in ("handle", "run", "handle_noargs", "finalize_options"):
            return any(base.endswith("Command") for base in bases)
        if name == "__call__":
            return "argparse.Action" in bases
        options = name.startswith("opt_") or name in ("parseArgs", "postOptions")
        return options and "twisted.python.usage.Options" in bases

    def _takes_a_command_line(self, key: FunctionId) -> bool:
        """A function that is given the parsed arguments is what a subcommand enters."""
        entry = self.names.function(key)
        return not entry.owner and any(
            p.annotation is not None and p.annotation.path.rpartition(".")[2] == "Namespace"
            for p in entry.parameters
        )

    def in_command_line(self, key: FunctionId) -> bool:
        """Whether a file is a command line, by its place: `cli/`, `commands/`, `cli.py`."""
        *folders, file = key.path.removesuffix(".py").split("/")
        return bool(COMMAND_FOLDERS & set(folders)) or bool(COMMAND_FILES.search(file))

    @cached_property
    def script_functions(self) -> frozenset[FunctionId]:
        """The functions that console scripts enter."""
        found: set[FunctionId] = set()
        for script in self._scripts:
            module, _, name = script.partition(":")
            path = self.names.module(module.strip())
            if path is None:
                continue
            head = name.split("[")[0].strip()
            resolved = self.names.resolve(FunctionId(path, MODULE), head) if head else None
            if resolved is not None and isinstance(resolved.symbol, FunctionId):
                found.add(resolved.symbol)
            elif resolved is not None and isinstance(resolved.symbol, ClassId):
                found.update(self.graph._constructors(resolved.symbol))  # noqa: SLF001 - same stage
        return frozenset(found)

    @cached_property
    def helpers(self) -> frozenset[FunctionId]:
        """Functions that only the main flow calls, through any number of calls."""
        candidates = {
            key
            for key, entry in self.names.functions()
            if key not in self.main
            and self.graph.callers.get(key)
            and key not in self.graph.referenced
            and not self.registered(key)
            and entry.name != MODULE
        }
        changed = True
        while changed:
            kept = {
                key
                for key in candidates
                if all(
                    c in self.main or c in candidates or c == key for c in self.graph.callers[key]
                )
            }
            changed = kept != candidates
            candidates = kept
        return frozenset(self._rooted(candidates))

    def _rooted(self, candidates: set[FunctionId]) -> set[FunctionId]:
        """Those of the candidates that the main flow really reaches (not only each other)."""
        found: set[FunctionId] = set()
        queue = deque(self.main)
        while queue:
            for callee in self.graph.callees.get(queue.popleft(), ()):
                if callee in candidates and callee not in found:
                    found.add(callee)
                    queue.append(callee)
        return found


def scripts_of_setup(names: Iterable[object]) -> list[str]:
    """Console scripts among the constants of a `setup(entry_points=...)` call."""
    found: list[str] = []
    for value in names:
        match value:
            case Constant(value=str(text)):
                found += [
                    line.partition("=")[2].strip()
                    for line in text.splitlines()
                    if re.match(r"\s*[\w.-]+\s*=\s*[\w.]+:[\w.]+", line)
                ]
            case Group():
                found += scripts_of_setup(value.parts)
    return found
