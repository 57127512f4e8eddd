"""Reads the functions that matter with libcst, each from its own lines.

A function's lines stand unchanged behind an `if 1:` (never dedented: that breaks strings and
continuation lines), so that its places need one subtraction. Where that does not parse, or the
places do not pair, the whole file is read at once.
"""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

import libcst as cst

from drainlint.index.entries import MAIN, MODULE, FunctionEntry, ModuleEntry
from drainlint.model.statement import Block, Body, If
from drainlint.read.lower import Lowering
from drainlint.read.positions import MispairedError, Places
from drainlint.source import Source

WRAPPER = "if 1:\n"


class UnreadableSyntaxError(Exception):
    """libcst refuses what `ast` took."""


class Reader:
    """Reads functions of one file; what was read once is kept."""

    def __init__(self, source: Source, entry: ModuleEntry) -> None:
        """Take a file's text, and its index, which says where its functions are."""
        self.source = source
        self.entry = entry
        self._bodies: dict[str, Body] = {}
        self._is_whole = False

    def read(self, wanted: Collection[str]) -> dict[str, Body]:
        """The bodies of these functions (qualified names of the index; of lambdas there is none).

        Raises UnreadableSyntaxError where libcst takes neither the slices nor the whole file.
        """
        missing = [name for name in wanted if name not in self._bodies]
        if missing and not self._is_whole:
            try:
                self._read_slices(missing)
            except (SyntaxError, cst.ParserSyntaxError, MispairedError):
                self._read_whole()
        return {name: self._bodies[name] for name in wanted if name in self._bodies}

    def _keep(self, *bodies: Body) -> None:
        self._bodies.update((body.function, body) for body in bodies)

    @cached_property
    def _names(self) -> Mapping[int, str]:
        """The qualified names of functions by the lines of their `def`."""
        return {f.line: f.name for f in self.entry.functions.values() if f.is_definition}

    def _read_slices(self, wanted: Collection[str]) -> None:
        for entry in self._outermost(wanted):
            self._read_slice(entry)
        if MODULE in wanted or MAIN in wanted:
            self._read_module_level()

    def _outermost(self, wanted: Collection[str]) -> Iterator[FunctionEntry]:
        """The wanted functions that lie in no other wanted one; the rest is read with these."""
        entries = (self.entry.functions[name] for name in wanted)
        last = 0
        for entry in sorted(
            (e for e in entries if e.is_definition), key=lambda e: (e.first_line, -e.end_line)
        ):
            if entry.end_line > last:
                yield entry
                last = entry.end_line

    def _read_slice(self, entry: FunctionEntry) -> None:
        text = self.source.excerpt(entry.first_line, entry.end_line)
        above = entry.first_line - 1
        if entry.column > 1:
            text, above = WRAPPER + text, above - 1
        nodes = ast.parse(text).body
        parsed: Sequence[cst.CSTNode] = cst.parse_module(text).body
        if entry.column > 1:
            outer, block = nodes[0], parsed[0]
            assert isinstance(outer, ast.If)  # noqa: S101 - the wrapper itself
            assert isinstance(block, cst.If)  # noqa: S101 - the wrapper itself
            nodes, parsed = outer.body, block.body.body
        places = Places(nodes, self.source, above)
        lowering = Lowering(places, self._names, f"{entry.parent}." if entry.parent else "")
        lowering.block(parsed)
        places.finish()
        self._keep(*lowering.bodies)

    def _read_module_level(self) -> None:
        """The module's own statements, definitions left out, as the bodies MODULE and MAIN."""
        main = self.entry.functions.get(MAIN)
        own: list[Block] = []
        for group in _sharing_lines(ast.parse(self.source.text).body):
            if all(isinstance(s, _DEFINITIONS) for s in group):
                continue
            first, last = group[0].lineno, group[-1].end_lineno or group[-1].lineno
            places = Places(group, self.source)
            lowering = Lowering(places, self._names, "")
            block = lowering.block(cst.parse_module(self.source.excerpt(first, last)).body)
            places.finish()
            self._keep(*lowering.bodies)
            if main is not None and first == main.line and isinstance(block[0], If):
                self._keep(Body(MAIN, block[0].body))
                own.append(block[0].otherwise)
            else:
                own.append(block)
        self._keep(Body(MODULE, tuple(s for block in own for s in block)))

    def _read_whole(self) -> None:
        try:
            parsed = cst.parse_module(self.source.text)
            places = Places([ast.parse(self.source.text)], self.source)
            lowering = Lowering(places, self._names, "")
            block = lowering.block(parsed.body)
            places.finish()
        except (cst.ParserSyntaxError, MispairedError) as fault:
            raise UnreadableSyntaxError(str(fault) or "its places cannot be told") from fault
        main = self.entry.functions.get(MAIN)
        guards = [s for s in block if isinstance(s, If) and main and s.place.line == main.line]
        self._keep(*lowering.bodies, *(Body(MAIN, guard.body) for guard in guards))
        self._keep(Body(MODULE, tuple(s for s in block if s not in guards)))
        self._is_whole = True


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _sharing_lines(statements: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    group: list[ast.stmt] = []
    for statement in statements:
        if group and statement.lineno > (group[-1].end_lineno or 0):
            yield group
            group = []
        group.append(statement)
    if group:
        yield group
