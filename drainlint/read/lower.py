"""The libcst visitor: it walks a function once and gives its body as the model's values.

Nodes are visited in source order (libcst's field order differs for a few), because places come
from streams in that order.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import libcst as cst

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
from drainlint.model.statement import (
    Assign,
    Block,
    Body,
    Define,
    Do,
    For,
    Handler,
    If,
    Item,
    Leave,
    Match,
    Other,
    Pass,
    Raise,
    Return,
    Statement,
    Try,
    While,
    With,
)
from drainlint.read.positions import Places

OPERATORS = {
    "Add": "+",
    "Subtract": "-",
    "Multiply": "*",
    "Divide": "/",
    "FloorDivide": "//",
    "Modulo": "%",
    "Power": "**",
    "BitOr": "|",
    "BitAnd": "&",
    "BitXor": "^",
    "LeftShift": "<<",
    "RightShift": ">>",
    "MatrixMultiply": "@",
    "Minus": "-",
    "Plus": "+",
    "BitInvert": "~",
    "Equal": "==",
    "NotEqual": "!=",
    "LessThan": "<",
    "LessThanEqual": "<=",
    "GreaterThan": ">",
    "GreaterThanEqual": ">=",
    "Is": "is",
    "IsNot": "is not",
    "In": "in",
    "NotIn": "not in",
}


class Lowering:
    """Lowers one slice of a file; `bodies` then holds every function met in it."""

    def __init__(self, places: Places, names: Mapping[int, str], prefix: str) -> None:
        """Give the places of the slice, the function names by the line of their `def`, and the
        qualified name that lambdas outside of those functions are nested in, with its dot."""  # noqa: D209
        self.places = places
        self.names = names
        self.prefix = prefix
        self.bodies: list[Body] = []

    # Statements

    def module(self, module: cst.Module, name: str) -> Block:
        """Lower a module's statements, and keep them as the body called `name`, if it has one."""
        block = self.block(module.body)
        if name:
            self.bodies.append(Body(name, block))
        return block

    def block(self, lines: Sequence[cst.CSTNode]) -> Block:
        """Lower the lines of a suite."""
        statements: list[Statement] = []
        for line in lines:
            if isinstance(line, cst.SimpleStatementLine | cst.SimpleStatementSuite):
                statements.extend(self.simple(small) for small in line.body)
            else:
                statements.append(self.compound(line))
        return tuple(statements)

    def suite(self, suite: cst.BaseSuite) -> Block:
        """Lower an indented block, or what stands on the header's own line."""
        if isinstance(suite, cst.SimpleStatementSuite):
            return tuple(self.simple(small) for small in suite.body)
        return self.block(suite.body)

    def simple(self, node: cst.BaseSmallStatement) -> Statement:  # noqa: C901, PLR0911 - one dispatch
        match node:
            case cst.Expr():
                place = self.places.statement("Expr")
                value = self.expression(node.value)
                if isinstance(value, Constant):
                    return Pass(*place)
                return Do(*place, value)
            case cst.Assign():
                place = self.places.statement("Assign")
                targets = tuple(self.expression(t.target) for t in node.targets)
                return Assign(*place, targets, self.expression(node.value))
            case cst.AnnAssign():
                place = self.places.statement("AnnAssign")
                target = self.expression(node.target)
                self.expression(node.annotation.annotation)
                return Assign(*place, (target,), self.optional(node.value))
            case cst.AugAssign():
                place = self.places.statement("AugAssign")
                target = self.expression(node.target)
                operator = OPERATORS.get(type(node.operator).__name__.removesuffix("Assign"), "?")
                return Assign(*place, (target,), self.expression(node.value), f"{operator}=")
            case cst.Return():
                return Return(*self.places.statement("Return"), self.optional(node.value))
            case cst.Raise():
                place = self.places.statement("Raise")
                value_ = self.optional(node.exc)
                if isinstance(node.cause, cst.From):
                    self.expression(node.cause.item)
                return Raise(*place, value_)
            case cst.Break() | cst.Continue():
                word = type(node).__name__
                return Leave(*self.places.statement(word), word.lower())
            case cst.Global() | cst.Nonlocal():
                place = self.places.statement(type(node).__name__)
                return Pass(*place, tuple(n.name.value for n in node.names))
            case cst.Assert():
                place = self.places.statement("Assert")
                test = self.expression(node.test)
                message = self.optional(node.msg)
                return Other(*place, "assert", (test,) if message is None else (test, message))
            case cst.Del():
                place = self.places.statement("Delete")
                return Other(*place, "del", (self.expression(node.target),))
            case _:
                return Pass(*self.places.statement(_AST_NAMES.get(type(node).__name__, "")))

    def compound(self, node: cst.CSTNode) -> Statement:  # noqa: C901, PLR0911 - one dispatch
        match node:
            case cst.If():
                return self.if_(node)
            case cst.FunctionDef():
                return self.function(node)
            case cst.ClassDef():
                return self.class_(node)
            case cst.While():
                place = self.places.statement("While")
                test = self.expression(node.test)
                return While(*place, test, self.suite(node.body), self.else_(node.orelse))
            case cst.For():
                place = self.places.statement("For")
                target, iterable = self.expression(node.target), self.expression(node.iter)
                body, otherwise = self.suite(node.body), self.else_(node.orelse)
                is_async = node.asynchronous is not None
                return For(*place, target, iterable, body, otherwise, is_async)
            case cst.With():
                place = self.places.statement("With")
                items = tuple(self.item(i) for i in node.items)
                return With(*place, items, self.suite(node.body), node.asynchronous is not None)
            case cst.Try() | cst.TryStar():
                place = self.places.statement(type(node).__name__)
                body = self.suite(node.body)
                handlers = tuple(self.handler(h) for h in node.handlers)
                otherwise = self.else_(node.orelse)
                final = () if node.finalbody is None else self.suite(node.finalbody.body)
                return Try(*place, body, handlers, otherwise, final)
            case cst.Match():
                return self.match_(node)
        message = f"libcst gave a compound statement unknown here: {type(node).__name__}"
        raise TypeError(message)

    def if_(self, node: cst.If) -> If:
        place = self.places.statement("If")
        test, body = self.expression(node.test), self.suite(node.body)
        if isinstance(node.orelse, cst.If):
            return If(*place, test, body, (self.if_(node.orelse),))
        return If(*place, test, body, self.else_(node.orelse))

    def else_(self, node: cst.Else | None) -> Block:
        return () if node is None else self.suite(node.body)

    def item(self, node: cst.WithItem) -> Item:
        value = self.expression(node.item)
        return Item(value, None if node.asname is None else self.expression(node.asname.name))

    def handler(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> Handler:
        place = self.places.handler()
        kind = None if node.type is None else self.expression(node.type)
        kinds = () if kind is None else kind.items if isinstance(kind, Group) else (kind,)
        name = "" if node.name is None else self.expression(node.name.name).path
        return Handler(place, kinds, name, self.suite(node.body))

    def match_(self, node: cst.Match) -> Match:
        place = self.places.statement("Match")
        subject = self.expression(node.subject)
        guards: list[Expression] = []
        cases: list[Block] = []
        for case in node.cases:
            if case.guard is not None:
                guards.append(self.expression(case.guard))
            cases.append(self.suite(case.body))
        return Match(*place, subject, tuple(guards), tuple(cases))

    def function(self, node: cst.FunctionDef) -> Define:
        decorators = node.decorators
        for decorator in decorators:
            self.expression(decorator.decorator)
        place = self.places.statement("FunctionDef")
        self.parameters(node.params)
        if node.returns is not None:
            self.expression(node.returns.annotation)
        name = self.names.get(place[0].line, "")
        kept, self.prefix = self.prefix, f"{name}."
        block = self.suite(node.body)
        self.prefix = kept
        if name:
            self.bodies.append(Body(name, block))
        return Define(*place, name)

    def class_(self, node: cst.ClassDef) -> Define:
        for decorator in node.decorators:
            self.expression(decorator.decorator)
        place = self.places.statement("ClassDef")
        for argument in (*node.bases, *node.keywords):
            self.expression(argument.value)
        kept, self.prefix = self.prefix, f"{self.prefix}{node.name.value}."
        self.suite(node.body)
        self.prefix = kept
        return Define(*place, node.name.value)

    def parameters(self, params: cst.Parameters) -> None:
        """Visit annotations and defaults: they hold calls and lambdas whose places must be used up."""
        star = [params.star_arg] if isinstance(params.star_arg, cst.Param) else []
        double = [params.star_kwarg] if params.star_kwarg else []
        for param in (
            *params.posonly_params,
            *params.params,
            *star,
            *params.kwonly_params,
            *double,
        ):
            if param.annotation is not None:
                self.expression(param.annotation.annotation)
            if param.default is not None:
                self.expression(param.default)

    # Expressions

    def optional(self, node: cst.BaseExpression | None) -> Expression | None:
        """Lower what may be absent."""
        return None if node is None else self.expression(node)

    def expression(self, node: cst.CSTNode) -> Expression:
        """Lower an expression."""
        lower = _EXPRESSIONS.get(type(node))
        return UNKNOWN if lower is None else lower(self, node)

    def name(self, node: cst.Name) -> Expression:
        return _SINGLETONS.get(node.value) or Name(node.value)

    def attribute(self, node: cst.Attribute) -> Expression:
        value = self.expression(node.value)
        if type(value) is Name:
            return Name(f"{value.dotted}.{node.attr.value}")
        return Attribute(value, node.attr.value)

    def call(self, node: cst.Call) -> Expression:
        func = node.func
        last = func.value if isinstance(func, cst.Name) else ""
        if isinstance(func, cst.Attribute):
            last = func.attr.value
        place = self.places.call(last)
        lowered = self.expression(func)
        arguments = tuple(
            Argument(
                self.expression(a.value), a.star or ("" if a.keyword is None else a.keyword.value)
            )
            for a in node.args
        )
        return Call(lowered, arguments, place)

    def number(self, node: cst.Integer | cst.Float | cst.Imaginary) -> Expression:
        return Constant(node.evaluated_value)

    def ellipsis(self, node: cst.Ellipsis) -> Expression:  # noqa: ARG002 - there is only one
        return Constant(...)

    def string(self, node: cst.SimpleString) -> Expression:
        return Constant(node.evaluated_value)

    def concatenated(self, node: cst.ConcatenatedString) -> Expression:
        value = node.evaluated_value
        return Text() if value is None else Constant(value)

    def subscript(self, node: cst.Subscript) -> Expression:
        value = self.expression(node.value)
        indices = [
            self.expression(e.slice.value) if isinstance(e.slice, cst.Index) else self.slice(e.slice)
            for e in node.slice
        ]
        return Subscript(value, indices[0] if len(indices) == 1 else Group("tuple", tuple(indices)))

    def slice(self, node: cst.BaseSlice) -> Expression:
        if isinstance(node, cst.Slice):
            for part in (node.lower, node.upper, node.step):
                self.optional(part)
        return UNKNOWN

    def group(self, node: cst.List | cst.Tuple | cst.Set) -> Expression:
        items = tuple(self.expression(e) for e in node.elements)
        return Group(type(node).__name__.lower(), items)

    def element(self, node: cst.Element) -> Expression:
        return self.expression(node.value)

    def starred(self, node: cst.StarredElement) -> Expression:
        return Starred(self.expression(node.value))

    def dict(self, node: cst.Dict) -> Expression:
        keys, values = [], []
        for element in node.elements:
            keys.append(
                self.expression(element.key) if isinstance(element, cst.DictElement) else UNKNOWN
            )
            values.append(self.expression(element.value))
        return Group("dict", tuple(values), tuple(keys))

    def comparison(self, node: cst.Comparison) -> Expression:
        left = self.expression(node.left)
        rights = tuple(self.expression(c.comparator) for c in node.comparisons)
        return Compare(
            left, tuple(OPERATORS[type(c.operator).__name__] for c in node.comparisons), rights
        )

    def boolean(self, node: cst.BooleanOperation) -> Expression:
        word = "and" if isinstance(node.operator, cst.And) else "or"
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(left, Logic) and left.operator == word and not _parenthesised(node.left):
            return Logic(word, (*left.values, right))
        return Logic(word, (left, right))

    def binary(self, node: cst.BinaryOperation) -> Expression:
        left, right = self.expression(node.left), self.expression(node.right)
        return Arithmetic(left, OPERATORS[type(node.operator).__name__], right)

    def unary(self, node: cst.UnaryOperation) -> Expression:
        value = self.expression(node.expression)
        if isinstance(node.operator, cst.Not):
            return Not(value)
        return Arithmetic(None, OPERATORS[type(node.operator).__name__], value)

    def conditional(self, node: cst.IfExp) -> Expression:
        body, test = self.expression(node.body), self.expression(node.test)
        return Conditional(test, body, self.expression(node.orelse))

    def await_(self, node: cst.Await) -> Expression:
        return Await(self.expression(node.expression))

    def yield_(self, node: cst.Yield) -> Expression:
        if isinstance(node.value, cst.From):
            return Await(self.expression(node.value.item), "yield from")
        return Yield(None if node.value is None else self.expression(node.value))

    def lambda_(self, node: cst.Lambda) -> Expression:
        place = self.places.lambda_()
        name = f"{self.prefix}<lambda@{place.line}:{place.column}>"
        self.parameters(node.params)
        kept, self.prefix = self.prefix, f"{name}."
        body = self.expression(node.body)
        self.prefix = kept
        return Lambda(name, body)

    def comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp) -> Expression:
        element = self.expression(node.elt)
        kind = type(node).__name__.removesuffix("Comp").lower()
        return Comprehension(
            "generator" if kind == "generatorexp" else kind, element, self.clauses(node.for_in)
        )

    def dict_comprehension(self, node: cst.DictComp) -> Expression:
        self.expression(node.key)
        element = self.expression(node.value)
        return Comprehension("dict", element, self.clauses(node.for_in))

    def clauses(self, node: cst.CompFor) -> tuple[Clause, ...]:
        target, iterable = self.expression(node.target), self.expression(node.iter)
        conditions = tuple(self.expression(c.test) for c in node.ifs)
        inner = () if node.inner_for_in is None else self.clauses(node.inner_for_in)
        return (Clause(target, iterable, conditions), *inner)

    def walrus(self, node: cst.NamedExpr) -> Expression:
        target = self.expression(node.target).path
        return Walrus(target, self.expression(node.value))

    def text(self, node: cst.FormattedString) -> Expression:  # noqa: ARG002 - one shape for all
        return Text()


def _parenthesised(node: cst.BaseExpression) -> bool:
    return bool(node.lpar)


_AST_NAMES = {"Import": "Import", "ImportFrom": "ImportFrom", "Pass": "Pass", "TypeAlias": "TypeAlias"}
_SINGLETONS = {"None": Constant(None), "True": Constant(True), "False": Constant(False)}  # noqa: FBT003
_EXPRESSIONS: dict[type[cst.CSTNode], Callable[[Lowering, Any], Expression]] = {
    cst.Name: Lowering.name,
    cst.Attribute: Lowering.attribute,
    cst.Call: Lowering.call,
    cst.SimpleString: Lowering.string,
    cst.Ellipsis: Lowering.ellipsis,
    cst.Integer: Lowering.number,
    cst.Float: Lowering.number,
    cst.Imaginary: Lowering.number,
    cst.ConcatenatedString: Lowering.concatenated,
    cst.FormattedString: Lowering.text,
    cst.Subscript: Lowering.subscript,
    cst.List: Lowering.group,
    cst.Tuple: Lowering.group,
    cst.Set: Lowering.group,
    cst.Element: Lowering.element,
    cst.StarredElement: Lowering.starred,
    cst.Dict: Lowering.dict,
    cst.Comparison: Lowering.comparison,
    cst.BooleanOperation: Lowering.boolean,
    cst.BinaryOperation: Lowering.binary,
    cst.UnaryOperation: Lowering.unary,
    cst.IfExp: Lowering.conditional,
    cst.Await: Lowering.await_,
    cst.Yield: Lowering.yield_,
    cst.Lambda: Lowering.lambda_,
    cst.ListComp: Lowering.comprehension,
    cst.SetComp: Lowering.comprehension,
    cst.GeneratorExp: Lowering.comprehension,
    cst.DictComp: Lowering.dict_comprehension,
    cst.NamedExpr: Lowering.walrus,
}
