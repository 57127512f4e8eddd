"""One walk over a file's `ast`: who is defined, what names hold, who calls whom.

The walk is a single recursive visitor over the nodes that matter; expressions are lowered to the
model's values on the way, and every call is kept with its exact place, so that what is read with
libcst later can be joined to it.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from drainlint.index.entries import (
    MAIN,
    MODULE,
    Binding,
    ClassEntry,
    Entered,
    FunctionEntry,
    ModuleEntry,
    Region,
)
from drainlint.index.expressions import Expressions
from drainlint.index.scope import Open
from drainlint.index.turns import turn
from drainlint.model.expression import (
    UNKNOWN,
    Expression,
    Group,
    Name,
)

STOPPING = frozenset(
    {"KeyboardInterrupt", "SystemExit", "CancelledError", "GreenletExit", "BaseException"}
)
"""Exceptions that ask a program, task or greenlet to stop."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A file's entry, with the tree's own nodes for whoever reads on in the same process."""

    entry: ModuleEntry
    nodes: Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]
    """The definition of each function of the entry that has one, by qualified name."""
    column: Callable[[int, int], int]
    """Turns a line and an offset in UTF-8 bytes into a column of code points, from 1."""


def index(tree: ast.Module, path: str, lines: tuple[str, ...]) -> Indexed:
    """Index one file from its tree; `lines` are needed where they are not plain ASCII."""
    collector = _Collector(lines)
    collector.module(tree)
    entry = ModuleEntry(
        path,
        dict(collector.imports),
        tuple(collector.stars),
        collector.functions,
        collector.classes,
        len(lines),
    )
    return Indexed(entry, collector.nodes, collector.column)


class _Collector(Expressions):
    def module(self, tree: ast.Module) -> None:
        main = Open(MAIN)
        span = (0, 0)
        for statement in tree.body:
            if isinstance(statement, ast.If) and _is_main_guard(statement.test):
                main.bindings = self.stack[0].bindings
                self.stack.append(main)
                self.block(statement.body)
                self.stack.pop()
                self.block(statement.orelse)
                span = (statement.lineno, statement.end_lineno or statement.lineno)
            else:
                self.statement(statement)
        if span[0]:
            self.functions[MAIN] = FunctionEntry(
                MAIN,
                "",
                span[0],
                span[0],
                span[1],
                calls=tuple(main.calls),
                asked=frozenset(main.asked),
                regions=_regions(main, span[1]),
                entered=tuple(main.entered),
                turns=tuple(main.turns),
                awaits=tuple(main.awaits),
            )
        opened = self.stack[0]
        self.functions[MODULE] = FunctionEntry(
            MODULE,
            "",
            1,
            1,
            len(self.lines),
            bindings=opened.bound(),
            calls=tuple(opened.calls),
            asked=frozenset(opened.asked),
            regions=_regions(opened, len(self.lines)),
            entered=tuple(opened.entered),
            turns=tuple(opened.turns),
            awaits=tuple(opened.awaits),
        )

    def define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = tuple(self.expression(d) for d in node.decorator_list)
        returns = None if node.returns is None else self.expression(node.returns)
        parameters = self.parameters(node.args)
        name = self._named(node, decorators)
        opened = Open(name, self.owner)
        kept = self.prefix, self.owner
        self.prefix, self.owner = f"{name}.", ""
        self.stack.append(opened)
        self.block(node.body)
        self.stack.pop()
        self.prefix, self.owner = kept
        if opened.owner and node.name not in self.methods[opened.owner]:
            self.methods[opened.owner].append(node.name)
        self.nodes[name] = node
        self.functions[name] = FunctionEntry(
            name,
            opened.owner,
            node.lineno,
            min([node.lineno, *(d.lineno for d in node.decorator_list)]),
            node.end_lineno or node.lineno,
            parameters,
            decorators,
            returns,
            isinstance(node, ast.AsyncFunctionDef),
            bool(opened.yields),
            opened.bound(),
            tuple(opened.calls),
            tuple(opened.results),
            frozenset(opened.asked),
            frozenset(opened.shared),
            _regions(opened, node.end_lineno or node.lineno),
            self.column(node.lineno, node.col_offset),
            opened.raises,
            tuple(opened.entered),
            tuple(opened.turns),
            tuple(opened.awaits),
            tuple(opened.checkpoints),
        )

    def _named(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        decorators: tuple[Expression, ...],
    ) -> str:
        """The qualified name of a function that begins here.

        Of several with one name the last one counts, as at run time: earlier ones, with all that
        is nested in them, get their line behind the name. A setter or deleter gets it itself.
        """
        name = self.prefix + node.name
        if name not in self.functions:
            return name
        if any(d.path.endswith((".setter", ".deleter")) for d in decorators):
            return f"{name}@{node.lineno}"
        moved = f"{name}@{self.functions[name].line}"
        for old in [n for n in self.functions if n == name or n.startswith(f"{name}.")]:
            new = moved + old[len(name) :]
            self.functions[new] = replace(self.functions.pop(old), name=new)
            if old in self.nodes:
                self.nodes[new] = self.nodes.pop(old)
        return name

    def define_class(self, node: ast.ClassDef) -> None:
        bases = tuple(self.expression(b) for b in node.bases)
        for keyword in node.keywords:
            self.expression(keyword.value)
        decorators = tuple(self.expression(d) for d in node.decorator_list)
        name = self.prefix + node.name
        kept = self.prefix, self.owner
        self.prefix, self.owner = f"{name}.", name
        around = self.stack[-1]
        body = Open(name)
        body.calls = around.calls
        self.stack.append(body)
        self.block(node.body)
        self.stack.pop()
        self.prefix, self.owner = kept
        self.classes.setdefault(
            name,
            ClassEntry(
                name,
                node.lineno,
                min([node.lineno, *(d.lineno for d in node.decorator_list)]),
                node.end_lineno or node.lineno,
                bases,
                decorators,
                body.bound(),
                tuple(self.methods[name]),
            ),
        )

    # Statements

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        opened = self.stack[-1]
        match node:
            case ast.Expr():
                self.expression(node.value)
            case ast.Assign():
                value = self.expression(node.value)
                for target in node.targets:
                    self.bind(target, value, "assign", node.lineno)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.define(node)
            case ast.If():
                self.expression(node.test)
                self.block(node.body)
                self.block(node.orelse)
            case ast.Return():
                if node.value is not None:
                    opened.results.append(self.expression(node.value))
            case ast.AnnAssign():
                self.bind(node.target, self.expression(node.annotation), "annotation", node.lineno)
                if node.value is not None:
                    self.bind(node.target, self.expression(node.value), "assign", node.lineno)
            case ast.AugAssign():
                self.bind(node.target, self.expression(node.value), "augment", node.lineno)
            case ast.For() | ast.AsyncFor():
                iterable = self.expression(node.iter)
                if isinstance(node, ast.AsyncFor):
                    opened.checkpoints.append(iterable)
                self.bind(node.target, iterable, "each", node.lineno)
                self.block(node.body)
                self.block(node.orelse)
            case ast.While():
                test = self.expression(node.test)
                opened.asked.update(e.path for e in test.walk() if e.path)
                opened.turns.append(turn(node, test))
                self.block(node.body)
                self.block(node.orelse)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    value = self.expression(item.context_expr)
                    last_line = node.end_lineno or node.lineno
                    opened.entered.append(Entered(value, node.lineno, last_line))
                    if isinstance(node, ast.AsyncWith):
                        opened.checkpoints.append(value)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, value, "enter", node.lineno)
                self.block(node.body)
            case ast.Try() | ast.TryStar():
                self.block(node.body)
                for handler in node.handlers:
                    kind = UNKNOWN if handler.type is None else self.expression(handler.type)
                    if handler.name:
                        opened.bindings[handler.name].append(
                            Binding(kind, "caught", (), handler.lineno)
                        )
                    self.block(handler.body)
                    if _stops(kind):
                        opened.regions.append(_region("interrupt", handler.body))
                self.block(node.orelse)
                self.block(node.finalbody)
                if node.finalbody:
                    opened.regions.append(_region("final", node.finalbody))
            case ast.ClassDef():
                self.define_class(node)
            case ast.Import() | ast.ImportFrom():
                self.imported(node)
            case ast.Global() | ast.Nonlocal():
                opened.shared.update(node.names)
            case ast.Match():
                self.expression(node.subject)
                for case in node.cases:
                    if case.guard is not None:
                        self.expression(case.guard)
                    self.block(case.body)
            case _:
                opened.raises = opened.raises or isinstance(node, ast.Raise)
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.expression(child)

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        opened = self.stack[-1]
        for alias in node.names:
            if isinstance(node, ast.Import):
                local = alias.asname or alias.name.partition(".")[0]
                target = alias.name if alias.asname else local
            elif alias.name == "*":
                self.stars.append("." * node.level + (node.module or ""))
                continue
            else:
                local = alias.asname or alias.name
                base = "." * node.level + (node.module or "")
                target = f"{base}{'' if base.endswith('.') or not base else '.'}{alias.name}"
            if opened.name in (MODULE, MAIN):
                self.imports.setdefault(local, target)
            else:
                opened.bindings[local].append(Binding(Name(target), "import", (), node.lineno))


def _region(sort: str, block: list[ast.stmt]) -> Region:
    return Region(sort, block[0].lineno, block[-1].end_lineno or block[-1].lineno)


def _regions(opened: Open, end_line: int) -> tuple[Region, ...]:
    if opened.yields:
        opened.regions.append(Region("yielded", opened.yields + 1, end_line))
    return tuple(opened.regions)


def _stops(kind: Expression) -> bool:
    """Whether an `except` for this catches what asks a program or task to stop."""
    kinds = kind.items if isinstance(kind, Group) else (kind,)
    return any(k is UNKNOWN or k.path.rpartition(".")[2] in STOPPING for k in kinds)


def _is_main_guard(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name | ast.Constant)
        and any(
            isinstance(side, ast.Name) and side.id == "__name__"
            for side in (test.left, *test.comparators)
        )
        and any(
            isinstance(side, ast.Constant) and side.value == "__main__"
            for side in (test.left, *test.comparators)
        )
    )
