"""One walk over a file's `ast`: who is defined, what names hold, who calls whom.

The walk is a single recursive visitor over the nodes that matter; expressions are lowered to the
model's values on the way, and every call is kept with its exact place, so that what is read with
libcst later can be joined to it.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

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
    Call,
    Expression,
    Group,
    Name,
)
from drainlint.source import Source

STOPPING = frozenset(
    {
        "KeyboardInterrupt",
        "SystemExit",
        "CancelledError",
        "Cancelled",
        "get_cancelled_exc_class",
        "GreenletExit",
        "BaseException",
    }
)
"""Exceptions that ask a program, task or greenlet to stop."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A file's entry, with what only the screen asks for."""

    entry: ModuleEntry
    words: Mapping[str, set[str]]
    """What the screen looks at, of each function that is read by itself, by qualified name."""
    modules: frozenset[str]
    """The parts of the names of all that it imports, `*` among them."""


def index(tree: ast.Module, source: Source) -> Indexed:
    """Index one file from its tree."""
    collector = _Collector(source)
    collector.module(tree)
    entry = ModuleEntry(
        source.path,
        dict(collector.imports),
        tuple(collector.stars),
        collector.functions,
        collector.classes,
        len(source.lines),
    )
    return Indexed(entry, collector.words, frozenset(collector.modules))


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
            self.words[MAIN] = main.words
            self.functions[MAIN] = FunctionEntry(
                MAIN,
                "",
                span[0],
                span[0],
                span[1],
                calls=tuple(main.calls),
                asked=tuple(sorted(main.asked)),
                regions=_regions(main, span[1]),
                entered=tuple(main.entered),
                turns=tuple(main.turns),
                awaits=tuple(main.awaits),
            )
        opened = self.stack[0]
        self.words[MODULE] = opened.words
        self.functions[MODULE] = FunctionEntry(
            MODULE,
            "",
            1,
            1,
            len(self.source.lines),
            bindings=opened.bound(),
            calls=tuple(opened.calls),
            asked=tuple(sorted(opened.asked)),
            regions=_regions(opened, len(self.source.lines)),
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
        if isinstance(node, ast.AsyncFunctionDef):
            opened.words.add("async")
        self.stack.append(opened)
        self.block(node.body)
        self.stack.pop()
        self.prefix, self.owner = kept
        if opened.owner and node.name not in self.methods[opened.owner]:
            self.methods[opened.owner].append(node.name)
        self.words[name] = opened.words
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
            opened.is_generator,
            opened.bound(),
            tuple(opened.calls),
            tuple(opened.results),
            tuple(sorted(opened.asked)),
            tuple(sorted(opened.shared)),
            _regions(opened, node.end_lineno or node.lineno),
            self.source.column(node.lineno, node.col_offset),
            tuple(opened.raises),
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
            if old in self.words:
                self.words[new] = self.words.pop(old)
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
        around.takes_over(body)
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
        _STATEMENTS.get(type(node), _Collector.plain)(self, node)

    def expr(self, node: ast.Expr) -> None:
        self.expression(node.value)

    def assign(self, node: ast.Assign) -> None:
        value = self.expression(node.value)
        for target in node.targets:
            self.bind(target, value, "assign", node.lineno)

    def annotated(self, node: ast.AnnAssign) -> None:
        self.bind(node.target, self.expression(node.annotation), "annotation", node.lineno)
        if node.value is not None:
            self.bind(node.target, self.expression(node.value), "assign", node.lineno)

    def augmented(self, node: ast.AugAssign) -> None:
        self.bind(node.target, self.expression(node.value), "augment", node.lineno)

    def if_(self, node: ast.If) -> None:
        self.expression(node.test)
        opened = self.stack[-1]
        before = opened.yields
        goes_on = [self.branch(node.body), self.branch(node.orelse)]
        opened.yields = before or (any(goes_on) and node.end_lineno) or 0
        if node.orelse:
            opened.regions += (_region("arm", node.body), _region("arm", node.orelse))

    def branch(self, statements: list[ast.stmt]) -> bool:
        """Whether what follows the statement may follow a `yield` of its branch, too.

        What follows that `yield` in the branch itself is noted; no other branch follows it.
        """
        opened = self.stack[-1]
        yielded = opened.yields
        self.block(statements)
        leaves = bool(statements) and isinstance(statements[-1], ast.Return | ast.Raise)
        if leaves and len(statements) > 1:
            opened.regions.append(_region("left", statements))
        if yielded or not opened.yields:
            return False
        opened.regions.extend(_yielded(opened, statements[-1].end_lineno or 0))
        opened.yields = 0
        return not leaves

    def return_(self, node: ast.Return) -> None:
        if node.value is not None:
            self.stack[-1].results.append(self.expression(node.value))

    def for_(self, node: ast.For | ast.AsyncFor) -> None:
        opened = self.stack[-1]
        opened.words.add("for")
        iterable = self.expression(node.iter)
        if isinstance(node, ast.AsyncFor):
            opened.checkpoints.append(iterable)
            opened.pauses("await")
        self.bind(node.target, iterable, "each", node.lineno)
        self.block(node.body)
        self.block(node.orelse)

    def while_(self, node: ast.While) -> None:
        opened = self.stack[-1]
        opened.words.add("while")
        test = self.expression(node.test)
        opened.asked.update(e.path for e in test.walk() if e.path)
        opened.turns.append(turn(node, test))
        self.block(node.body)
        self.block(node.orelse)

    def with_(self, node: ast.With | ast.AsyncWith) -> None:
        opened = self.stack[-1]
        opened.words.add("with")
        last_line = node.end_lineno or node.lineno
        for item in node.items:
            value = self.expression(item.context_expr)
            opened.entered.append(Entered(value, node.lineno, last_line))
            if isinstance(node, ast.AsyncWith):
                opened.checkpoints.append(value)
                opened.pauses("await")
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value, "enter", node.lineno)
        self.block(node.body)

    def try_(self, node: "ast.Try | ast.TryStar") -> None:
        opened = self.stack[-1]
        self.block(node.body)
        taken = False
        for handler in node.handlers:
            kind = UNKNOWN if handler.type is None else self.expression(handler.type)
            if handler.name:
                opened.bindings[handler.name].append(Binding(kind, "caught", (), handler.lineno))
            stops = _stops(kind) and not (taken and _is_rest(kind))
            taken = taken or stops
            opened.cleaning += stops
            self.block(handler.body)
            opened.cleaning -= stops
            if stops and not (_is_rest(kind) and isinstance(handler.body[-1], ast.Continue)):
                opened.regions.append(_region("interrupt", handler.body))
        self.block(node.orelse)
        if node.finalbody:
            opened.cleaning += 1
            self.block(node.finalbody)
            opened.cleaning -= 1
            opened.regions.append(_region("final", node.finalbody))

    def shared(self, node: ast.Global | ast.Nonlocal) -> None:
        self.stack[-1].shared.update(node.names)

    def match_(self, node: ast.Match) -> None:
        self.expression(node.subject)
        for case in node.cases:
            if case.guard is not None:
                self.expression(case.guard)
            self.block(case.body)

    def raise_(self, node: ast.Raise) -> None:
        raised = UNKNOWN if node.exc is None else self.expression(node.exc)
        named = raised.func if isinstance(raised, Call) else raised
        self.stack[-1].raises.append(named.path)
        if node.cause is not None:
            self.expression(node.cause)

    def plain(self, node: ast.stmt) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child)

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        opened = self.stack[-1]
        if isinstance(node, ast.ImportFrom) and node.module:
            self.modules.update(node.module.split("."))
        for alias in node.names:
            self.modules.update(alias.name.split("."))
            opened.words.add(alias.name.rpartition(".")[2])
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
    return (*opened.regions, *_yielded(opened, end_line))


def _yielded(opened: Open, end_line: int) -> Iterator[Region]:
    if opened.yields and opened.yields < end_line:
        yield Region("yielded", opened.yields + 1, end_line)


def _stops(kind: Expression) -> bool:
    """Whether an `except` for this catches what asks a program or task to stop."""
    kinds = kind.items if isinstance(kind, Group) else (kind,)
    named = (k.func if isinstance(k, Call) else k for k in kinds)
    return any(k is UNKNOWN or k.path.rpartition(".")[2] in STOPPING for k in named)


def _is_rest(kind: Expression) -> bool:
    """Whether an `except` takes whatever the ones before it left: nothing that asks to stop."""
    return kind is UNKNOWN or kind.path.rpartition(".")[2] == "BaseException"


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


_STATEMENTS: dict[type[ast.stmt], Callable[[_Collector, Any], None]] = {
    ast.Expr: _Collector.expr,
    ast.Assign: _Collector.assign,
    ast.FunctionDef: _Collector.define,
    ast.AsyncFunctionDef: _Collector.define,
    ast.If: _Collector.if_,
    ast.Return: _Collector.return_,
    ast.AnnAssign: _Collector.annotated,
    ast.AugAssign: _Collector.augmented,
    ast.For: _Collector.for_,
    ast.AsyncFor: _Collector.for_,
    ast.While: _Collector.while_,
    ast.With: _Collector.with_,
    ast.AsyncWith: _Collector.with_,
    ast.Try: _Collector.try_,
    ast.TryStar: _Collector.try_,
    ast.ClassDef: _Collector.define_class,
    ast.Import: _Collector.imported,
    ast.ImportFrom: _Collector.imported,
    ast.Global: _Collector.shared,
    ast.Nonlocal: _Collector.shared,
    ast.Match: _Collector.match_,
    ast.Raise: _Collector.raise_,
}
