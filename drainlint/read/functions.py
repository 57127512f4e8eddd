"""Reads the functions that matter with libcst, each from its own lines.

A function's lines stand unchanged behind an `if 1:` (never dedented: that breaks strings and
continuation lines), so that its places need one subtraction. Where that does not parse, or the
places do not pair, the whole file is read at once.
"""

import ast
from collections.abc import Collection, Iterator, Mapping

import libcst as cst

from drainlint.index.collect import Indexed
from drainlint.index.entries import MAIN, MODULE, FunctionEntry
from drainlint.model.statement import Block, Body, If
from drainlint.read.lower import Lowering
from drainlint.read.positions import MispairedError, Places
from drainlint.source import Source


class UnreadableSyntaxError(Exception):
    """libcst refuses what `ast` took."""


def read(
    source: Source, tree: ast.Module, indexed: Indexed, wanted: Collection[str]
) -> tuple[Body, ...]:
    """Read the functions named in `wanted` (qualified names of the index).

    Raises UnreadableSyntaxError where libcst takes neither the slices nor the whole file.
    """
    try:
        bodies = list(_slices(source, tree, indexed, wanted))
    except (cst.ParserSyntaxError, MispairedError):
        bodies = _whole(source, tree, indexed)
    return tuple(b for b in bodies if b.function in wanted)


def _names(indexed: Indexed) -> dict[int, str]:
    return {node.lineno: name for name, node in indexed.nodes.items()}


def _slices(
    source: Source, tree: ast.Module, indexed: Indexed, wanted: Collection[str]
) -> Iterator[Body]:
    names = _names(indexed)
    for entry in _outermost(indexed, wanted):
        node = indexed.nodes[entry.name]
        places = Places([node], indexed.column)
        text = source.excerpt(entry.first_line, entry.end_line)
        indented = node.col_offset > 0
        parsed = cst.parse_module(f"if 1:\n{text}" if indented else text)
        lowering = Lowering(places, names, f"{entry.parent}." if entry.parent else "")
        if indented:
            block = parsed.body[0]
            assert isinstance(block, cst.If)  # noqa: S101 - the wrapper itself
            lowering.suite(block.body)
        else:
            lowering.module(parsed, "")
        places.finish()
        yield from lowering.bodies
    if MODULE in wanted or MAIN in wanted:
        yield from _module_level(source, tree, indexed, names)


def _outermost(indexed: Indexed, wanted: Collection[str]) -> Iterator[FunctionEntry]:
    """The wanted functions that lie in no other wanted one; the rest is read with these."""
    entries = indexed.entry.functions
    last = 0
    for entry in sorted(
        (entries[name] for name in wanted if name in indexed.nodes),
        key=lambda e: (e.first_line, -e.end_line),
    ):
        if entry.end_line > last:
            yield entry
            last = entry.end_line


def _module_level(
    source: Source, tree: ast.Module, indexed: Indexed, names: Mapping[int, str]
) -> Iterator[Body]:
    """The module's own statements, definitions left out, as the bodies MODULE and MAIN."""
    main = indexed.entry.functions.get(MAIN)
    own: list[Block] = []
    for group in _sharing_lines(tree.body):
        if all(isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for s in group):
            continue
        first, last = group[0].lineno, group[-1].end_lineno or group[-1].lineno
        places = Places(group, indexed.column)
        lowering = Lowering(places, names, "")
        block = lowering.module(cst.parse_module(source.excerpt(first, last)), "")
        places.finish()
        yield from lowering.bodies
        if main is not None and first == main.line and isinstance(block[0], If):
            yield Body(MAIN, block[0].body)
            own.append(block[0].otherwise)
        else:
            own.append(block)
    yield Body(MODULE, tuple(s for block in own for s in block))


def _sharing_lines(statements: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    group: list[ast.stmt] = []
    for statement in statements:
        if group and statement.lineno > (group[-1].end_lineno or 0):
            yield group
            group = []
        group.append(statement)
    if group:
        yield group


def _whole(source: Source, tree: ast.Module, indexed: Indexed) -> list[Body]:
    try:
        parsed = cst.parse_module(source.text)
        places = Places([tree], indexed.column)
        lowering = Lowering(places, _names(indexed), "")
        block = lowering.module(parsed, "")
        places.finish()
    except (cst.ParserSyntaxError, MispairedError) as fault:
        raise UnreadableSyntaxError(str(fault) or "its places cannot be told") from fault
    main = indexed.entry.functions.get(MAIN)
    guards = [s for s in block if isinstance(s, If) and main and s.place.line == main.line]
    bodies = [Body(MAIN, g.body) for g in guards]
    return [*lowering.bodies, *bodies, Body(MODULE, tuple(s for s in block if s not in guards))]
