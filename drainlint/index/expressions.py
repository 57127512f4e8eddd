"""Lowers `ast` expressions to the model's values, and keeps every call and binding on the way."""

import ast
from collections import defaultdict
from collections.abc import Callable
from typing import Any

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
from drainlint.source import Source

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

    def __init__(self, source: Source) -> None:
        self.source = source
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        self.functions: dict[str, FunctionEntry] = {}
        self.classes: dict[str, ClassEntry] = {}
        self.modules: set[str] = set()
        self.methods: dict[str, list[str]] = defaultdict(list)
        self.stack: list[Open] = [Open(MODULE)]
        self.names: dict[str, Name] = {}
        self.constants: dict[tuple[type, object], Constant] = {}
        self.words: dict[str, set[str]] = {}
        self.prefix = ""
        self.owner = ""

    def place(self, node: ast.expr) -> Place:
        line, end_line = node.lineno, node.end_lineno or node.lineno
        start, end = node.col_offset, node.end_col_offset or 0
        if self.source.wide:
            start, end = self.source.column(line, start), self.source.column(end_line, end)
            return Place(line, start, end_line, end)
        return Place(line, start + 1, end_line, end + 1)

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
        """Lower an expression, and keep what is called, bound and named on the way."""
        return _LOWER.get(type(node), Expressions.other)(self, node)

    def named(self, dotted: str) -> Name:
        """The name; one value for all its mentions, which are many."""
        known = self.names.get(dotted)
        if known is None:
            known = self.names[dotted] = Name(dotted)
        return known

    def name(self, node: ast.Name) -> Expression:
        self.stack[-1].words.add(node.id)
        return self.named(node.id)

    def attribute(self, node: ast.Attribute) -> Expression:
        value = self.expression(node.value)
        self.stack[-1].words.add(node.attr)
        if type(value) is Name:
            return self.named(f"{value.dotted}.{node.attr}")
        return Attribute(value, node.attr)

    def constant(self, node: ast.Constant) -> Expression:
        key = (type(node.value), node.value)
        known = self.constants.get(key)
        if known is None:
            known = self.constants[key] = Constant(node.value)
        return known

    def subscript(self, node: ast.Subscript) -> Expression:
        return Subscript(self.expression(node.value), self.expression(node.slice))

    def group(self, node: ast.List | ast.Tuple | ast.Set) -> Expression:
        return Group(type(node).__name__.lower(), tuple(map(self.expression, node.elts)))

    def dict(self, node: ast.Dict) -> Expression:
        keys = tuple(UNKNOWN if k is None else self.expression(k) for k in node.keys)
        return Group("dict", tuple(map(self.expression, node.values)), keys)

    def comparison(self, node: ast.Compare) -> Expression:
        return Compare(
            self.expression(node.left),
            tuple(COMPARISONS[type(o)] for o in node.ops),
            tuple(map(self.expression, node.comparators)),
        )

    def logic(self, node: ast.BoolOp) -> Expression:
        word = "and" if isinstance(node.op, ast.And) else "or"
        return Logic(word, tuple(map(self.expression, node.values)))

    def binary(self, node: ast.BinOp) -> Expression:
        left, right = self.expression(node.left), self.expression(node.right)
        return Arithmetic(left, OPERATIONS[type(node.op)], right)

    def unary(self, node: ast.UnaryOp) -> Expression:
        value = self.expression(node.operand)
        if isinstance(node.op, ast.Not):
            return Not(value)
        return Arithmetic(None, OPERATIONS[type(node.op)], value)

    def conditional(self, node: ast.IfExp) -> Expression:
        test, body = self.expression(node.test), self.expression(node.body)
        return Conditional(test, body, self.expression(node.orelse))

    def await_(self, node: ast.Await) -> Expression:
        value = self.expression(node.value)
        opened = self.stack[-1]
        opened.pauses("await")
        opened.checkpoints.append(value)
        if value.path:
            opened.words.add("await name")
            opened.awaits.append(Awaited(value, self.place(node)))
        return Await(value)

    def text(self, node: ast.JoinedStr) -> Expression:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.expression(part.value)
        return Text(_constant(node.values[:1]), _constant(node.values[-1:]))

    def starred(self, node: ast.Starred) -> Expression:
        return Starred(self.expression(node.value))

    def walrus(self, node: ast.NamedExpr) -> Expression:
        value = self.expression(node.value)
        self.bind(node.target, value, "assign", node.lineno)
        return Walrus(node.target.id, value)

    def yield_(self, node: ast.Yield) -> Expression:
        opened = self.stack[-1]
        opened.pauses("yield")
        opened.yields = opened.yields or node.lineno
        opened.is_generator = True
        value = None if node.value is None else self.expression(node.value)
        if value is not None and value.path:
            opened.words.add("await name")
        return Yield(value)

    def yield_from(self, node: ast.YieldFrom) -> Expression:
        opened = self.stack[-1]
        opened.pauses("yield")
        opened.yields = opened.yields or node.lineno
        opened.is_generator = True
        return Await(self.expression(node.value), "yield from")

    def other(self, node: ast.expr) -> Expression:
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
        opened.words.update(k.arg for k in node.keywords if k.arg)
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
        self.stack[-1].takes_over(opened)
        self.prefix, self.owner = kept
        self.functions[name] = FunctionEntry(
            name,
            "",
            place.line,
            place.line,
            place.end_line,
            parameters,
            is_generator=opened.is_generator,
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


_LOWER: dict[type[ast.expr], Callable[[Expressions, Any], Expression]] = {
    ast.Name: Expressions.name,
    ast.Attribute: Expressions.attribute,
    ast.Constant: Expressions.constant,
    ast.Call: Expressions.call,
    ast.Subscript: Expressions.subscript,
    ast.List: Expressions.group,
    ast.Tuple: Expressions.group,
    ast.Set: Expressions.group,
    ast.Dict: Expressions.dict,
    ast.Compare: Expressions.comparison,
    ast.BoolOp: Expressions.logic,
    ast.BinOp: Expressions.binary,
    ast.UnaryOp: Expressions.unary,
    ast.IfExp: Expressions.conditional,
    ast.Await: Expressions.await_,
    ast.Lambda: Expressions.lambda_,
    ast.ListComp: Expressions.comprehension,
    ast.SetComp: Expressions.comprehension,
    ast.GeneratorExp: Expressions.comprehension,
    ast.DictComp: Expressions.comprehension,
    ast.JoinedStr: Expressions.text,
    ast.Starred: Expressions.starred,
    ast.NamedExpr: Expressions.walrus,
    ast.Yield: Expressions.yield_,
    ast.YieldFrom: Expressions.yield_from,
}


def _constant(parts: list[ast.expr]) -> str:
    """The text of a part of an f-string that is constant; empty for any other."""
    part = parts[0] if parts else None
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
