"""Draws the map of a linked program."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from drainlint.chart.servicemap import (
    DrainPath,
    Entry,
    Handler,
    LeftOut,
    MappedService,
    ServiceMap,
    Spot,
)
from drainlint.chart.trees import Trees
from drainlint.index.entries import MAIN, MODULE
from drainlint.link.drain import CERTAIN, REGISTERED, Root, shown
from drainlint.link.entries import SCRIPT, Entries, ProgramEntry
from drainlint.link.graph import Registration
from drainlint.link.names import ClassId, FunctionId
from drainlint.link.program import Program
from drainlint.model.service import Held, Lifetime


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a map is to show."""

    asked: frozenset[str]
    """The files whose entries, classes and roots are shown; the trees go wherever calls lead."""
    side_code: Callable[[str], bool]
    everything: bool = False
    """Also what is left out otherwise because it says little."""

    def shows(self, path: str) -> bool:
        """Whether what stands in a file is shown."""
        return path in self.asked and (self.everything or not self.side_code(path))


def draw(program: Program, wishes: Wishes) -> ServiceMap:
    """The map of a program."""
    return _Drawing(program, wishes).whole()


@dataclass(frozen=True, slots=True)
class _Way:
    """A root, and all that is registered to lead to it."""

    root: Root
    registrations: tuple[Registration, ...] = ()


@dataclass
class _Drawing:
    """The drawing under way: trees are numbered in the order in which they are drawn."""

    program: Program
    wishes: Wishes
    numbers: dict[Root, int] = field(default_factory=dict)
    paths: list[DrainPath] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trees = Trees(self.program)
        self.entries = Entries(self.program.graph, self.program.roles)
        self.ways = tuple(self._ways())

    def whole(self) -> ServiceMap:
        lifetimes = self._lifetimes()
        services = self._services(lifetimes)
        shown_names = {(s.lifetime.path, s.lifetime.name) for s in services}
        shown_entries = [e for e in self.entries.all if self.wishes.shows(e.function.path)]
        owned = {entry: self._on_the_way_out(entry) for entry in shown_entries}
        for way in (way for ways in owned.values() for way in ways):
            self._draw(way)
        quiet, drawn, side = self._draw_the_rest()
        drawings = [
            self._entry(entry, owned[entry], lifetimes, shown_names) for entry in shown_entries
        ]
        kept = [d for d in drawings if self.wishes.everything or _says_something(d)]
        asked_for = sum(entry.function.path in self.wishes.asked for entry in self.entries.all)
        return ServiceMap(
            tuple(kept),
            tuple(services),
            tuple(self.paths),
            LeftOut(
                entries=asked_for - len(kept),
                users=len(lifetimes) - len(services) - sum(len(s.heirs) for s in services),
                quiet=quiet,
                drawn=drawn,
                side=side,
            ),
        )

    # Drain paths

    def _ways(self) -> Iterator[_Way]:
        """Every root once, with its registrations."""
        by_target: dict[tuple[FunctionId, str], list[Registration]] = {}
        for one in self.program.graph.registrations:
            sort = REGISTERED.get(one.role, ("", ""))[0]
            by_target.setdefault((one.target, sort), []).append(one)
        seen: set[tuple[FunctionId, str, int, int]] = set()
        certain = {r.function for r in self.program.drain_paths.roots if r.sort in CERTAIN}
        for root in self.program.drain_paths.roots:
            whole_again = root.function in certain and root.sort == "method"
            place = (root.function, root.sort, root.first_line, root.last_line)
            if place not in seen and not whole_again:
                seen.add(place)
                yield _Way(root, tuple(by_target.get((root.function, root.sort), ())))

    def _on_the_way_out(self, entry: ProgramEntry) -> list[_Way]:
        """The roots that an entry brings about: handlers it registers, its own `finally`."""
        reach = self.entries.reach(entry.function)
        return [
            way
            for way in self.ways
            if any(one.scope in reach for one in way.registrations)
            or (way.root.sort in ("finally", "after-wait") and way.root.function in reach)
            or (way.root.sort in CERTAIN and self._is_beside(way, entry))
        ]

    def _is_beside(self, way: _Way, entry: ProgramEntry) -> bool:
        """Whether a module registers it on import, and the entry stands in that module."""
        return any(
            one.scope == FunctionId(entry.function.path, MODULE) for one in way.registrations
        )

    def _draw(self, way: _Way) -> None:
        root = way.root
        if root in self.numbers:
            return
        self.numbers[root] = 0
        number = len(self.paths) + 1
        tree = self.trees.draw(root, number)
        if tree is None:
            return
        self.numbers[root] = number
        label = root.label if root.sort != "method" else f"stop method {root.label}"
        triggers = self._triggers(way)
        self.paths.append(DrainPath(number, root.sort, label, triggers, root.by_name, tree))

    def _draw_the_rest(self) -> tuple[int, int, int]:
        """The paths that belong to no entry; how many are quiet, drawn before, or side code."""
        quiet = drawn = side = 0
        rest = [w for w in self.ways if w.root.function.path in self.wishes.asked]
        for way in sorted(rest, key=_rank):
            if not self.wishes.shows(way.root.function.path):
                side += 1
            elif way.root not in self.numbers and self.trees.is_drawn(way.root):
                drawn += 1
                if self.wishes.everything:
                    self._draw(way)
            else:
                self._draw(way)
                quiet += not self.numbers[way.root]
        return quiet, 0 if self.wishes.everything else drawn, side

    def _triggers(self, way: _Way) -> tuple[str, ...]:
        found = (name for one in way.registrations for name in self.entries.triggers(one))
        return tuple(dict.fromkeys(found))

    # Entries

    def _entry(
        self,
        entry: ProgramEntry,
        ways: list[_Way],
        lifetimes: dict[ClassId, Lifetime],
        shown_names: set[tuple[str, str]],
    ) -> Entry:
        key = entry.function
        reach = self.entries.reach(key)
        made = (
            name
            for name in ("__init__", "__post_init__", "__new__")
            for cls in lifetimes
            if (cls.path, cls.name) in shown_names
            and self.program.classes.method(cls, name) in reach
            and self._is_made(cls, reach)
        )
        services = tuple(dict.fromkeys(self._class_name(cls) for cls in self._made_in(reach, lifetimes) if (cls.path, cls.name) in shown_names))
        del made
        line = self.program.names.function(key)
        return Entry(
            entry.sort,
            self._name(entry),
            Spot(key.path, line.line, line.column),
            tuple(self._handler(way) for way in ways),
            services,
        )
