"""One walk over a file's `ast`: who is defined, what names hold, who calls whom.

The walk is a single recursive visitor over the nodes that matter; expressions are lowered to the
model's values on the way, and every call is kept with its exact place, so that what is read with
libcst later can be joined to it.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from drainlint.index.entries import (
    MAIN,
    MODULE,
    Binding,
    ClassEntry,
    FunctionEntry,
    ModuleEntry,
    Parameter,
    Region,
)
from drainlint.model.expression import (
    UNKNOWN,
    Argument,
    Arithmetic,
    Attribute,
    Await,
    Call,
    Clause,
    Compare,
    Comprehension,
    Conditional,
    Constant,
    Expression,
    Group,
    Lambda,
    Logic,
    Name,
    Not,
    Starred,
    Subscript,
    Text,
    Walrus,
    Yield,
)
from drainlint.model.place import Place

FILLS = frozenset({"append", "add", "appendleft", "insert", "setdefault"})
"""Methods that put their last argument into the container they are called on."""

STOPPING = frozenset(
    {"KeyboardInterrupt", "SystemExit", "CancelledError", "GreenletExit", "BaseException"}
)
"""Exceptions that ask a program, task or greenlet to stop."""

COMPARISONS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
OPERATIONS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitOr: "|",
    ast.BitAnd: "&",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.MatMult: "@",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Invert: "~",
}


class _Open:
    """A function whose body is being walked."""

    __slots__ = (
        "asked",
        "bindings",
        "calls",
        "name",
        "owner",
        "raises",
        "regions",
        "results",
        "shared",
        "yields",
    )

    def __init__(self, name: str, owner: str = "") -> None:
        self.name = name
        self.owner = owner
        self.bindings: dict[str, list[Binding]] = defaultdict(list)
        self.calls: list[Call] = []
        self.results: list[Expression] = []
        self.asked: set[str] = set()
        self.shared: set[str] = set()
        self.regions: list[Region] = []
        self.raises = False
        self.yields = 0
        """The line of the first `yield`, 0 for none."""


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


class _Collector:
    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        self.wide = frozenset(n for n, line in enumerate(lines, 1) if not line.isascii())
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        self.functions: dict[str, FunctionEntry] = {}
        self.classes: dict[str, ClassEntry] = {}
        self.nodes: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self.methods: dict[str, list[str]] = defaultdict(list)
        self.stack: list[_Open] = [_Open(MODULE)]
        self.prefix = ""
        self.owner = ""

    # Places

    def column(self, line: int, offset: int) -> int:
        """A column of code points, from 1, for an offset in UTF-8 bytes."""
        if line in self.wide:
            return len(self.lines[line - 1].encode()[:offset].decode(errors="ignore")) + 1
        return offset + 1

    def place(self, node: ast.expr | ast.stmt | ast.excepthandler) -> Place:
        end_line = node.end_lineno or node.lineno
        return Place(
            node.lineno,
            self.column(node.lineno, node.col_offset),
            end_line,
            self.column(end_line, node.end_col_offset or 0),
        )

    # Definitions

    def module(self, tree: ast.Module) -> None:
        main = _Open(MAIN)
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
            )
        opened = self.stack[0]
        self.functions[MODULE] = FunctionEntry(
            MODULE,
            "",
            1,
            1,
            len(self.lines),
            bindings=_frozen(opened.bindings),
            calls=tuple(opened.calls),
            asked=frozenset(opened.asked),
            regions=_regions(opened, len(self.lines)),
        )

    def define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = tuple(self.expression(d) for d in node.decorator_list)
        returns = None if node.returns is None else self.expression(node.returns)
        parameters = self.parameters(node.args)
        name = self.prefix + node.name
        opened = _Open(name, self.owner)
        kept = self.prefix, self.owner
        self.prefix, self.owner = f"{name}.", ""
        self.stack.append(opened)
        self.block(node.body)
        self.stack.pop()
        self.prefix, self.owner = kept
        if name in self.functions:  # the last one counts, as at run time; a setter is no last one
            if any(d.path.endswith((".setter", ".deleter")) for d in decorators):
                name = f"{name}@{node.lineno}"
            else:
                earlier = self.functions[name]
                moved = f"{name}@{earlier.line}"
                self.functions[moved] = replace(earlier, name=moved)
                self.nodes[moved] = self.nodes[name]
        elif opened.owner:
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
            _frozen(opened.bindings),
            tuple(opened.calls),
            tuple(opened.results),
            frozenset(opened.asked),
            frozenset(opened.shared),
            _regions(opened, node.end_lineno or node.lineno),
            self.column(node.lineno, node.col_offset),
            opened.raises,
        )

    def parameters(self, args: ast.arguments) -> tuple[Parameter, ...]:
        def one(arg: ast.arg, default: ast.expr | None, star: str = "", *, kw: bool = False) -> Parameter:
            return Parameter(
                arg.arg,
                None if arg.annotation is None else self.expression(arg.annotation),
                None if default is None else self.expression(default),
                star,
                kw,
            )

        plain = [*args.posonlyargs, *args.args]
        defaults = [None] * (len(plain) - len(args.defaults)) + list(args.defaults)
        return (
            *(one(a, d) for a, d in zip(plain, defaults, strict=True)),
            *(() if args.vararg is None else (one(args.vararg, None, "*"),)),
            *(one(a, d, kw=True) for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)),
            *(() if args.kwarg is None else (one(args.kwarg, None, "**"),)),
        )

    def define_class(self, node: ast.ClassDef) -> None:
        bases = tuple(self.expression(b) for b in node.bases)
        for keyword in node.keywords:
            self.expression(keyword.value)
        decorators = tuple(self.expression(d) for d in node.decorator_list)
        name = self.prefix + node.name
        kept = self.prefix, self.owner
        self.prefix, self.owner = f"{name}.", name
        around = self.stack[-1]
        body = _Open(name)
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
                _frozen(body.bindings),
                tuple(self.methods[name]),
            ),
        )

    # Statements

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 - one dispatch, in the order of frequency
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
                self.bind(node.target, self.expression(node.iter), "each", node.lineno)
                self.block(node.body)
                self.block(node.orelse)
            case ast.While():
                test = self.expression(node.test)
                opened.asked.update(e.path for e in test.walk() if e.path)
                self.block(node.body)
                self.block(node.orelse)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    value = self.expression(item.context_expr)
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

    def bind(
        self,
        target: ast.expr,
        value: Expression,
        how: str,
        line: int,
        items: tuple[int, ...] = (),
    ) -> None:
        match target:
            case ast.Name():
                self.stack[-1].bindings[target.id].append(Binding(value, how, items, line))
            case ast.Attribute():
                path = self.expression(target).path
                if path:
                    self.stack[-1].bindings[path].append(Binding(value, how, items, line))
            case ast.Tuple() | ast.List():
                for position, part in enumerate(target.elts):
                    self.bind(part, value, how, line, (*items, position))
            case ast.Subscript():
                path = self.expression(target.value).path
                self.expression(target.slice)
                if path and how == "assign":
                    self.stack[-1].bindings[path].append(Binding(value, "element", items, line))
            case ast.Starred():
                self.expression(target.value)
            case _:
                self.expression(target)

    # Expressions

    def expression(self, node: ast.expr) -> Expression:  # noqa: C901, PLR0911, PLR0912 - one dispatch, in the order of frequency
        match node:
            case ast.Name():
                return Name(node.id)
            case ast.Attribute():
                value = self.expression(node.value)
                if type(value) is Name:
                    return Name(f"{value.dotted}.{node.attr}")
                return Attribute(value, node.attr)
            case ast.Constant():
                return Constant(node.value)
            case ast.Call():
                return self.call(node)
            case ast.Subscript():
                return Subscript(self.expression(node.value), self.expression(node.slice))
            case ast.List() | ast.Tuple() | ast.Set():
                kind = type(node).__name__.lower()
                return Group(kind, tuple(self.expression(e) for e in node.elts))
            case ast.Dict():
                keys = tuple(UNKNOWN if k is None else self.expression(k) for k in node.keys)
                return Group("dict", tuple(self.expression(v) for v in node.values), keys)
            case ast.Compare():
                return Compare(
                    self.expression(node.left),
                    tuple(COMPARISONS[type(o)] for o in node.ops),
                    tuple(self.expression(c) for c in node.comparators),
                )
            case ast.BoolOp():
                word = "and" if isinstance(node.op, ast.And) else "or"
                return Logic(word, tuple(self.expression(v) for v in node.values))
            case ast.BinOp():
                left, right = self.expression(node.left), self.expression(node.right)
                return Arithmetic(left, OPERATIONS[type(node.op)], right)
            case ast.UnaryOp():
                value = self.expression(node.operand)
                if isinstance(node.op, ast.Not):
                    return Not(value)
                return Arithmetic(None, OPERATIONS[type(node.op)], value)
            case ast.IfExp():
                test, body = self.expression(node.test), self.expression(node.body)
                return Conditional(test, body, self.expression(node.orelse))
            case ast.Await():
                return Await(self.expression(node.value))
            case ast.Lambda():
                return self.lambda_(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.comprehension(node)
            case ast.JoinedStr():
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        self.expression(part.value)
                return Text()
            case ast.Starred():
                return Starred(self.expression(node.value))
            case ast.NamedExpr():
                value = self.expression(node.value)
                self.bind(node.target, value, "assign", node.lineno)
                return Walrus(node.target.id, value)
            case ast.Yield():
                self.stack[-1].yields = self.stack[-1].yields or node.lineno
                return Yield(None if node.value is None else self.expression(node.value))
            case ast.YieldFrom():
                self.stack[-1].yields = self.stack[-1].yields or node.lineno
                return Await(self.expression(node.value), "yield from")
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.expression(child)
                return UNKNOWN

    def call(self, node: ast.Call) -> Call:
        func = self.expression(node.func)
        arguments = [
            Argument(self.expression(a.value), "*")
            if isinstance(a, ast.Starred)
            else Argument(self.expression(a))
            for a in node.args
        ]
        arguments += [Argument(self.expression(k.value), k.arg or "**") for k in node.keywords]
        call = Call(func, tuple(arguments), self.place(node))
        opened = self.stack[-1]
        opened.calls.append(call)
        if arguments and call.method in FILLS and call.receiver is not None and call.receiver.path:
            opened.bindings[call.receiver.path].append(
                Binding(arguments[-1].value, "element", (), node.lineno)
            )
        return call

    def lambda_(self, node: ast.Lambda) -> Lambda:
        parameters = self.parameters(node.args)
        place = self.place(node)
        name = f"{self.prefix}<lambda@{place.line}:{place.column}>"
        opened = _Open(name)
        kept = self.prefix, self.owner
        self.prefix, self.owner = f"{name}.", ""
        self.stack.append(opened)
        body = self.expression(node.body)
        self.stack.pop()
        self.prefix, self.owner = kept
        self.functions[name] = FunctionEntry(
            name,
            "",
            place.line,
            place.line,
            place.end_line,
            parameters,
            is_generator=bool(opened.yields),
            bindings=_frozen(opened.bindings),
            calls=tuple(opened.calls),
            results=(body,),
            column=place.column,
        )
        return Lambda(name, body)

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> Comprehension:
        clauses = []
        for clause in node.generators:
            iterable = self.expression(clause.iter)
            self.bind(clause.target, iterable, "each", clause.target.lineno)
            target = self.expression(clause.target)
            conditions = tuple(self.expression(c) for c in clause.ifs)
            clauses.append(Clause(target, iterable, conditions))
        if isinstance(node, ast.DictComp):
            self.expression(node.key)
            element = self.expression(node.value)
        else:
            element = self.expression(node.elt)
        kind = {"ListComp": "list", "SetComp": "set", "DictComp": "dict"}.get(
            type(node).__name__, "generator"
        )
        return Comprehension(kind, element, tuple(clauses))


def _frozen(bindings: dict[str, list[Binding]]) -> dict[str, tuple[Binding, ...]]:
    return {name: tuple(ways) for name, ways in bindings.items()}


def _region(sort: str, block: list[ast.stmt]) -> Region:
    return Region(sort, block[0].lineno, block[-1].end_lineno or block[-1].lineno)


def _regions(opened: _Open, end_line: int) -> tuple[Region, ...]:
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
