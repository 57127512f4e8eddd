"""`while` loops: where they stand, and what the tests read by which they end."""

import ast
from collections.abc import Iterator

from drainlint.index.entries import Turn
from drainlint.model.expression import Expression


def turn(node: ast.While, test: Expression) -> Turn:
    """A loop whose test was lowered already."""
    left_by = frozenset(path for one in _exits(node.body) for path in _paths(one))
    return Turn(test, node.lineno, node.end_lineno or node.lineno, left_by)


def _exits(block: list[ast.stmt]) -> Iterator[ast.expr]:
    """The tests after which a loop is left: `if self.stopping: break`."""
    for statement in block:
        if isinstance(statement, ast.If):
            within = [*_exits(statement.body), *_exits(statement.orelse)]
            if within or _leaves(statement.body) or _leaves(statement.orelse):
                yield statement.test
            yield from within
        elif isinstance(statement, ast.With | ast.AsyncWith | ast.Try):
            yield from _exits(statement.body)


def _leaves(block: list[ast.stmt]) -> bool:
    return bool(block) and isinstance(block[-1], ast.Break | ast.Return)


def _paths(test: ast.expr) -> Iterator[str]:
    """The dotted names that a test reads: `self.stop.is_set` is read as `self.stop`, too."""
    for node in ast.walk(test):
        if isinstance(node, ast.Name | ast.Attribute):
            text = _dotted(node)
            if text:
                yield text


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            head = _dotted(value)
            return f"{head}.{attribute}" if head else ""
    return ""
