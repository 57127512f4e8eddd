"""Lowers `ast` expressions to the model's values, and keeps every call and binding on the way."""

import ast
from collections import defaultdict

from drainlint.index.entries import (
    MODULE,
    Awaited,
    Binding,
    ClassEntry,
    FunctionEntry,
    Parameter,
)
from drainlint.index.scope import Open
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


class Expressions:
    """The part of the walk that looks at expressions."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        self.wide = frozenset(n for n, line in enumerate(lines, 1) if not line.isascii())
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        self.functions: dict[str, FunctionEntry] = {}
        self.classes: dict[str, ClassEntry] = {}
        self.nodes: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self.methods: dict[str, list[str]] = defaultdict(list)
        self.stack: list[Open] = [Open(MODULE)]
        self.prefix = ""
        self.owner = ""

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

    def parameters(self, args: ast.arguments) -> tuple[Parameter, ...]:
        def one(
            arg: ast.arg, default: ast.expr | None, star: str = "", *, kw: bool = False
        ) -> Parameter:
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

    def expression(self, node: ast.expr) -> Expression:
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
                value = self.expression(node.value)
                self.stack[-1].checkpoints.append(value)
                if value.path:
                    self.stack[-1].awaits.append(Awaited(value, self.place(node)))
                return Await(value)
            case ast.Lambda():
                return self.lambda_(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.comprehension(node)
            case ast.JoinedStr():
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        self.expression(part.value)
                return Text(_constant(node.values[:1]), _constant(node.values[-1:]))
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
        opened = Open(name)
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
            bindings=opened.bound(),
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


def _constant(parts: list[ast.expr]) -> str:
    """The text of a part of an f-string that is constant; empty for any other."""
    part = parts[0] if parts else None
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
