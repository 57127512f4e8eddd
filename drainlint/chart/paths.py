"""The drain paths of a map: every root once, numbered in the order in which they are drawn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drainlint.chart.servicemap import DrainPath
from drainlint.chart.trees import Trees
from drainlint.link.entries import Entries, ProgramEntry
from drainlint.link.graph import Registration
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.roots import CERTAIN, REGISTERED, Root, shown

OF_AN_ENTRY = frozenset({"finally", "after-wait"})
"""Sorts of roots that belong to the entry that runs them."""


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


@dataclass(frozen=True, slots=True)
class Way:
    """A root, and all that is registered to lead to it."""

    root: Root
    registrations: tuple[Registration, ...] = ()


class Paths:
    """Draws each root once; what was drawn before is referred to by its number."""

    def __init__(self, program: Program, entries: Entries, wishes: Wishes) -> None:
        """Take the linked program, its entries, and what is to be drawn."""
        self.program = program
        self.wishes = wishes
        self.entries = entries
        self.trees = Trees(program)
        self.drawn: list[DrainPath] = []
        self.numbers: dict[Root, int] = {}
        """0 for a root on which nothing waits."""
        self._owned: set[Root] = set()
        self.ways = tuple(self._ways())

    def _ways(self) -> Iterator[Way]:
        registered: dict[tuple[FunctionId, str], list[Registration]] = {}
        for one in self.program.graph.registrations:
            sort, _ = REGISTERED.get(one.role, ("", ""))
            registered.setdefault((one.target, sort), []).append(one)
        roots = self.program.drain_paths.roots
        certain = {root.function for root in roots if root.sort in CERTAIN}
        seen: set[tuple[FunctionId, str, int, int]] = set()
        for root in roots:
            key = (root.function, root.sort, root.first_line, root.last_line)
            again = root.sort == "method" and root.function in certain
            if key not in seen and not again and not any(_holds(one, root) for one in roots):
                seen.add(key)
                yield Way(root, tuple(registered.get((root.function, root.sort), ())))

    def of_entry(self, entry: ProgramEntry) -> list[Way]:
        """The roots that an entry brings about: the handlers it registers, its own `finally`."""
        reach = self.entries.reach(entry.function)
        beside = FunctionId(entry.function.path, "<module>")  # it is imported before it runs
        found = [
            way
            for way in self.ways
            if any(one.scope in reach or one.scope == beside for one in way.registrations)
            or (way.root.sort in OF_AN_ENTRY and way.root.function in reach)
        ]
        self._owned.update(way.root for way in found)
        return found

    def of_no_entry(self) -> list[Way]:
        """Handlers and hooks whose registration no entry, asked for so far, leads to."""
        return [
            way
            for way in self.ways
            if way.root.sort in CERTAIN
            and way.root not in self._owned
            and self.wishes.shows(way.root.function.path)
        ]

    def draw(self, way: Way) -> int:
        """The number of a root's tree; 0 where nothing on it waits."""
        root = way.root
        if root not in self.numbers:
            number = len(self.drawn) + 1
            tree = self.trees.draw(root, number)
            if tree is None and self.wishes.everything:
                tree = self.trees.bare(root)
            self.numbers[root] = 0 if tree is None else number
            if tree is not None:
                label, triggers = self.label(way), self.triggers(way)
                self.drawn.append(DrainPath(number, root.sort, label, triggers, root.by_name, tree))
        return self.numbers[root]

    def label(self, way: Way) -> str:
        """What a root is, with its class's name: "signal handler `Worker.handle_exit`"."""
        root = way.root
        if way.registrations:
            _, word = REGISTERED[way.registrations[0].role]
            return f"{word} `{shown(self.program.names.function(root.function))}`"
        return f"stop method {root.label}" if root.sort == "method" else root.label

    def draw_the_rest(self) -> tuple[int, int, int]:
        """Draw what belongs to no entry: how many were quiet, drawn within others, side code."""
        quiet = within = side = 0
        rest = [way for way in self.ways if way.root.function.path in self.wishes.asked]
        for way in sorted(rest, key=_rank):
            if not self.wishes.shows(way.root.function.path):
                side += 1
            elif way.root in self.numbers:
                quiet += not self.numbers[way.root]
            elif self.trees.is_drawn(way.root) and not self.wishes.everything:
                within += 1
            else:
                quiet += not self.draw(way)
        return quiet, within, side

    def triggers(self, way: Way) -> tuple[str, ...]:
        """The signals that lead to a root."""
        found = (name for one in way.registrations for name in self.entries.triggers(one))
        return tuple(dict.fromkeys(found))


def _holds(outer: Root, root: Root) -> bool:
    """Whether a `finally` is part of what follows the wait for stop in the same function."""
    return (
        outer.sort == "after-wait"
        and root.sort == "finally"
        and outer.function == root.function
        and outer.first_line <= root.first_line
        and root.last_line <= outer.last_line
    )


def _rank(way: Way) -> tuple[bool, int, str, int]:
    """What was registered comes first, then what is entered, then what only bears a name."""
    root = way.root
    order = ("signal", "exit-hook", "shutdown-hook", "after-wait", "finally", "context", "method")
    return root.by_name, order.index(root.sort), root.function.path, root.first_line
