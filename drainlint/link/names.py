"""What a dotted name stands for: imports, re-exports, scopes, across the modules of a project."""

import builtins
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from drainlint.index.entries import (
    MAIN,
    MODULE,
    Binding,
    ClassEntry,
    FunctionEntry,
    ModuleEntry,
)

HOPS = 12
"""How many re-exports are followed before a name is given up as circular."""


class FunctionId(NamedTuple):
    """A function of the project: file and qualified name."""

    path: str
    name: str


class ClassId(NamedTuple):
    """A class of the project: file and qualified name."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Library:
    """Something outside the project (or a builtin), by dotted name."""

    dotted: str


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project."""

    path: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that is assigned to, in the function (or module) that binds it."""

    scope: FunctionId
    name: str


Symbol = Library | Module | Variable | FunctionId | ClassId


@dataclass(frozen=True, slots=True)
class Resolved:
    """The symbol that a dotted name reaches, and the attributes that are left behind it."""

    symbol: Symbol
    rest: tuple[str, ...] = ()


class Names:
    """The modules of a project, and what names in them stand for."""

    def __init__(self, modules: Mapping[str, ModuleEntry], package: str = "") -> None:
        """Take the index of every file, by path.

        `package` is the dotted name of the project's root where that is a package itself, as when
        `drainlint path/to/package` is asked for by itself.
        """
        self.modules = modules
        self.package = package
        self._cache: dict[FunctionId, dict[str, Resolved | None]] = defaultdict(dict)
        self._heads: dict[FunctionId, dict[str, Symbol | None]] = defaultdict(dict)
        self._filled: dict[str, dict[str, list[tuple[FunctionId, Binding]]]] = {}

    def forget(self) -> None:
        """Drop what was looked up, once most of it will not be asked for again."""
        self._cache.clear()
        self._heads.clear()

    # Modules by name

    @cached_property
    def _packages(self) -> frozenset[str]:
        return frozenset(
            p.removesuffix("__init__.py").rstrip("/")
            for p in self.modules
            if p.endswith("__init__.py")
        )

    def module_name(self, path: str) -> str:
        """The dotted name under which a file is imported, from the topmost package around it."""
        *folders, file = path.split("/")
        parts = [] if file == "__init__.py" else [file.removesuffix(".py")]
        while folders and "/".join(folders) in self._packages:
            parts.insert(0, folders.pop())
        if not folders and self.package:
            parts.insert(0, self.package)
        return ".".join(parts)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self.modules):
            name = self.module_name(path)
            found[name].append(path)
            # Namespace packages have no __init__.py: a file is known by every longer name, too.
            *folders, _ = path.split("/")
            above = len(folders) - name.count(".") - path.endswith("__init__.py")
            for start in range(max(above, 0)):
                found[".".join([*folders[start : max(above, 0)], name])].append(path)
        return dict(found)

    def module(self, dotted: str, near: str = "") -> str | None:
        """The file of a module; of several with the same name the one nearest to file `near`."""
        paths = self._by_name.get(dotted)
        if not paths:
            return None
        return max(paths, key=lambda p: _shared_folders(p, near)) if len(paths) > 1 else paths[0]

    def absolute(self, target: str, path: str) -> str:
        """An import's target with its leading dots resolved, for an import in file `path`."""
        level = len(target) - len(target.lstrip("."))
        if not level:
            return target
        package = self.module_name(path).split(".")
        if not path.endswith("__init__.py"):
            package = package[:-1]
        package = package[: len(package) - (level - 1)]
        return ".".join([*package, *filter(None, [target.lstrip(".")])])

    # Definitions

    def function(self, key: FunctionId) -> FunctionEntry:
        """The entry of a function; of a class's own body, which is a scope as well, its bindings.

        Raises KeyError for a scope of neither.
        """
        module = self.modules[key.path]
        entry = module.functions.get(key.name)
        if entry is not None:
            return entry
        body = module.classes[key.name]
        return FunctionEntry(
            body.name, "", body.line, body.first_line, body.end_line, bindings=body.bindings
        )

    def enclosing(self, key: FunctionId | ClassId) -> FunctionId:
        """The scope that a function's (or class's) decorators, defaults and bases are written in.

        A class's own body counts: its scope bears the class's name.
        """
        parent = key.name.rpartition(".")[0]
        return FunctionId(key.path, parent or MODULE)

    def lambda_(self, scope: FunctionId, name: str) -> FunctionId | None:
        """The entry of a lambda that is written in `scope`.

        Where its function is one of several with the same name, it moved along with it.
        """
        functions = self.modules[scope.path].functions
        moved = f"{scope.name}.{name[name.rindex('<lambda') :]}"
        found = next((n for n in (name, moved) if n in functions), None)
        return None if found is None else FunctionId(scope.path, found)

    def is_function(self, key: FunctionId) -> bool:
        """Whether a scope is a function, not the body of a class."""
        return key.name in self.modules[key.path].functions

    def klass(self, key: ClassId) -> ClassEntry:
        """The entry of a class."""
        return self.modules[key.path].classes[key.name]

    def functions(self) -> Iterator[tuple[FunctionId, FunctionEntry]]:
        """Every function of the project, in the order of paths and definitions."""
        for path in sorted(self.modules):
            for name, entry in self.modules[path].functions.items():
                yield FunctionId(path, name), entry

    def classes(self) -> Iterator[tuple[ClassId, ClassEntry]]:
        """Every class of the project, in the order of paths and definitions."""
        for path in sorted(self.modules):
            for name, entry in self.modules[path].classes.items():
                yield ClassId(path, name), entry

    # Resolution

    def resolve(self, scope: FunctionId, dotted: str) -> Resolved | None:
        """What `dotted` reaches when it is written in `scope`; None for a name nobody binds.

        Parameters and `self` are variables of their function.
        """
        known = self._cache[scope]
        try:
            return known[dotted]
        except KeyError:
            known[dotted] = None
            head, *rest = dotted.split(".")
            start = self._start(scope, head)
            found = None if start is None else self._follow(start, tuple(rest))
            known[dotted] = found
            return found

    def _start(self, scope: FunctionId, head: str) -> Symbol | None:
        """What a plain name stands for, which most dotted names in a function begin with."""
        known = self._heads[scope]
        if head not in known:
            known[head] = self._head(scope, head)
        return known[head]

    def _head(self, scope: FunctionId, head: str) -> Symbol | None:
        module = self.modules[scope.path]
        name = scope.name if scope.name not in (MODULE, MAIN) else ""
        first = True
        while name:
            if name in module.classes and not first:  # a class's names are not seen from methods
                name = name.rpartition(".")[0]
                continue
            entry = module.functions.get(name)
            if f"{name}.{head}" in module.functions:
                return FunctionId(scope.path, f"{name}.{head}")
            if f"{name}.{head}" in module.classes:
                return ClassId(scope.path, f"{name}.{head}")
            if entry is not None and head not in entry.shared:
                for way in entry.bindings.get(head, ()):
                    if way.how == "import":
                        return self._imported(way.value.path, scope.path)
                bound = any(way.how != "element" for way in entry.bindings.get(head, ()))
                if bound or any(p.name == head for p in entry.parameters):
                    return Variable(FunctionId(scope.path, name), head)
            name, first = name.rpartition(".")[0], False
        return self._member(scope.path, head) or _builtin(head)

    def renamed(self, scope: FunctionId, name: str) -> str:
        """The library's function that a name is another name for: `sleep = time.sleep`."""
        resolved = self.resolve(scope, name) if name else None
        if resolved is None or resolved.rest or not isinstance(resolved.symbol, Variable):
            return ""
        home, own = resolved.symbol.scope, resolved.symbol.name
        ways = self.function(home).bindings.get(own, ())
        if len(ways) != 1 or ways[0].how != "assign" or not ways[0].value.path:
            return ""
        target = self.resolve(home, ways[0].value.path)
        symbol = target.symbol if target is not None else None
        return symbol.dotted if isinstance(symbol, Library) else ""

    def filled(self, path: str, name: str) -> Iterable[tuple[FunctionId, Binding]]:
        """What the functions of a module put into a container of its own namespace."""
        if path not in self._filled:
            found: dict[str, list[tuple[FunctionId, Binding]]] = {}
            for function, entry in self.modules[path].functions.items():
                scope = FunctionId(path, function)
                for bound, ways in entry.bindings.items():
                    own = Resolved(Variable(FunctionId(path, MODULE), bound))
                    elements = [way for way in ways if way.how == "element"]
                    if elements and function != MODULE and self.resolve(scope, bound) == own:
                        found.setdefault(bound, []).extend((scope, way) for way in elements)
            self._filled[path] = found
        return self._filled[path].get(name, ())

    def _member(self, path: str, name: str, hops: int = 0) -> Symbol | None:
        """What a module's own namespace holds under `name`."""
        module = self.modules[path]
        if name in module.functions:
            return FunctionId(path, name)
        if name in module.classes:
            return ClassId(path, name)
        if name in module.imports:
            return self._imported(module.imports[name], path, hops)
        own = module.functions.get(MODULE)
        if own is not None and name in own.bindings:
            return Variable(FunctionId(path, MODULE), name)
        for star in module.stars:
            target = self.module(self.absolute(star, path), path)
            if target and target != path and hops < HOPS:
                found = self._member(target, name, hops + 1)
                if found is not None:
                    return found
        return None

    def _imported(self, target: str, path: str, hops: int = 0) -> Symbol | None:
        dotted = self.absolute(target, path)
        if found := self.module(dotted, path):
            return Module(found)
        head, _, last = dotted.rpartition(".")
        container = self.module(head, path) if head else None
        if container is not None and hops < HOPS and (container != path or last != target):
            return self._member(container, last, hops + 1) or Library(dotted)
        return Library(dotted)

    def _follow(self, symbol: Symbol, rest: tuple[str, ...]) -> Resolved:
        while rest:
            step: Symbol | None = None
            match symbol:
                case Library(dotted):
                    return Resolved(Library(".".join([dotted, *rest])))
                case Module(path):
                    step = self._member(path, rest[0])
                    if step is None:
                        inner = self.module(f"{self.module_name(path)}.{rest[0]}", path)
                        step = None if inner is None else Module(inner)
                case ClassId(path, name):
                    functions, classes = self.modules[path].functions, self.modules[path].classes
                    if f"{name}.{rest[0]}" in functions:
                        step = FunctionId(path, f"{name}.{rest[0]}")
                    elif f"{name}.{rest[0]}" in classes:
                        step = ClassId(path, f"{name}.{rest[0]}")
            if step is None:
                break
            symbol, rest = step, rest[1:]
        return Resolved(symbol, rest)


def _shared_folders(path: str, near: str) -> int:
    count = 0
    for one, other in zip(path.split("/"), near.split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count


def _builtin(name: str) -> Library | None:
    return Library(name) if hasattr(builtins, name) or name in ("exit", "quit") else None
