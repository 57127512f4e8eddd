"""Exact places for what libcst reads, without its position provider.

libcst's own positions cost twice its parse. The same text is parsed with `ast` as well, so the
n-th call (statement, lambda, handler) that libcst shows in source order is the n-th of `ast`. Each
pair is checked by a name that both know; where one does not fit, `MispairedError` tells the caller
to ask libcst itself.
"""

import ast
from collections.abc import Iterable, Iterator

from drainlint.model.place import Place
from drainlint.source import Source

Positioned = ast.expr | ast.stmt | ast.excepthandler


PLACELESS = frozenset(
    {"Name", "Constant", "Load", "Store", "Del", "And", "Or", "JoinedStr", "TemplateStr"}
)
"""Nodes that hold no place, by name, since not every Python has all of them; libcst shows what
stands in a formatted string otherwise."""


class MispairedError(Exception):
    """The two parsers do not show the same nodes in the same order."""


class Places:
    """Four streams of places, one for each sort of node that gets an exact one."""

    def __init__(self, nodes: Iterable[ast.AST], source: Source, above: int = 0) -> None:
        """Take the places of all within `nodes`, whose text begins below `above` lines."""
        self._source = source
        self._above = above
        found: dict[type, list[Positioned]] = {
            ast.Call: [],
            ast.stmt: [],
            ast.Lambda: [],
            ast.excepthandler: [],
        }
        for part in _outside_of_strings(nodes):
            match part:
                case ast.Call() | ast.Lambda():
                    found[type(part)].append(part)
                case ast.stmt():
                    found[ast.stmt].append(part)
                case ast.ExceptHandler():
                    found[ast.excepthandler].append(part)
        self._streams = {
            kind: iter(sorted(places, key=_start_then_longest)) for kind, places in found.items()
        }

    def call(self, method: str) -> Place:
        """The place of the next call, whose function's last name is `method`."""
        node = self._next(ast.Call)
        assert isinstance(node, ast.Call)  # noqa: S101 - what the stream holds
        if _method(node.func) != method:
            raise MispairedError
        return self._place(node)

    def statement(self, word: str) -> tuple[Place, int]:
        """The header's place and the last line of the next statement, an ast class named `word`."""
        node = self._next(ast.stmt)
        assert isinstance(node, ast.stmt)  # noqa: S101 - what the stream holds
        if type(node).__name__.removeprefix("Async") != word:
            raise MispairedError
        return self._header(node), (node.end_lineno or node.lineno) + self._above

    def lambda_(self) -> Place:
        """The place of the next lambda."""
        return self._place(self._next(ast.Lambda))

    def handler(self) -> Place:
        """The first line of the next `except` clause."""
        node = self._next(ast.excepthandler)
        assert isinstance(node, ast.ExceptHandler)  # noqa: S101 - what the stream holds
        start = self._place(node)
        end = start if node.type is None else self._place(node.type)
        width = start.column + len("except")
        return Place(start.line, start.column, start.line, end.end_column if node.type else width)

    def finish(self) -> None:
        """Raise MispairedError where places are left over."""
        if any(next(stream, None) is not None for stream in self._streams.values()):
            raise MispairedError

    def _next(self, kind: type) -> Positioned:
        node = next(self._streams[kind], None)
        if node is None:
            raise MispairedError
        return node

    def _place(self, node: Positioned) -> Place:
        line, end = node.lineno + self._above, (node.end_lineno or node.lineno) + self._above
        return Place(
            line,
            self._source.column(line, node.col_offset),
            end,
            self._source.column(end, node.end_col_offset or 0),
        )

    def _header(self, node: ast.stmt) -> Place:
        whole = self._place(node)
        last: Positioned
        match node:
            case ast.If() | ast.While():
                last = node.test
            case ast.For() | ast.AsyncFor():
                last = node.iter
            case ast.With() | ast.AsyncWith():
                item = node.items[-1]
                last = item.optional_vars or item.context_expr
            case ast.Match():
                last = node.subject
            case ast.Try() | ast.TryStar():
                return Place(whole.line, whole.column, whole.line, whole.column + len("try"))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return Place(whole.line, whole.column, whole.line, 0)
            case _:
                return whole
        end = self._place(last)
        return Place(whole.line, whole.column, end.end_line, end.end_column)


def _outside_of_strings(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes that may hold a place, in no order, formatted strings left out."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        for name in node._fields:
            held = getattr(node, name, None)
            children = held if isinstance(held, list) else (held,)
            waiting += [
                child
                for child in children
                if isinstance(child, ast.AST) and type(child).__name__ not in PLACELESS
            ]


def _start_then_longest(node: Positioned) -> tuple[int, int, int, int]:
    return (node.lineno, node.col_offset, -(node.end_lineno or 0), -(node.end_col_offset or 0))


def _method(func: ast.expr) -> str:
    match func:
        case ast.Name():
            return func.id
        case ast.Attribute():
            return func.attr
    return ""
