"""Lowers libcst's expressions to the model's values, each visited in source order."""

import unicodedata
from collections.abc import Callable
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


class ExpressionReader:
    """The part of the visitor that reads expressions."""

    def __init__(self, places: Places, prefix: str) -> None:
        """Give the places of the slice, and the qualified name that its lambdas are nested in."""
        self.places = places
        self.prefix = prefix

    def parameters(self, params: cst.Parameters) -> None:
        """Visit annotations and defaults: the places of their calls must be used up."""
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

    def optional(self, node: cst.BaseExpression | None) -> Expression | None:
        """Lower what may be absent."""
        return None if node is None else self.expression(node)

    def expression(self, node: cst.CSTNode) -> Expression:
        """Lower an expression."""
        lower = _EXPRESSIONS.get(type(node))
        return UNKNOWN if lower is None else lower(self, node)

    def name(self, node: cst.Name) -> Expression:
        return _SINGLETONS.get(node.value) or Name(_identifier(node))

    def attribute(self, node: cst.Attribute) -> Expression:
        value = self.expression(node.value)
        if type(value) is Name:
            return Name(f"{value.dotted}.{_identifier(node.attr)}")
        return Attribute(value, _identifier(node.attr))

    def call(self, node: cst.Call) -> Expression:
        func = node.func
        last = _identifier(func) if isinstance(func, cst.Name) else ""
        if isinstance(func, cst.Attribute):
            last = _identifier(func.attr)
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
            self.expression(e.slice.value)
            if isinstance(e.slice, cst.Index)
            else self.slice(e.slice)
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


def _identifier(node: cst.Name) -> str:
    """A name as Python knows it: in the normal form that makes one of its look-alikes."""
    return node.value if node.value.isascii() else unicodedata.normalize("NFKC", node.value)


def _parenthesised(node: cst.BaseExpression) -> bool:
    return bool(node.lpar)


_SINGLETONS = {"None": Constant(None), "True": Constant(True), "False": Constant(False)}
_EXPRESSIONS: dict[type[cst.CSTNode], Callable[[ExpressionReader, Any], Expression]] = {
    cst.Name: ExpressionReader.name,
    cst.Attribute: ExpressionReader.attribute,
    cst.Call: ExpressionReader.call,
    cst.SimpleString: ExpressionReader.string,
    cst.Ellipsis: ExpressionReader.ellipsis,
    cst.Integer: ExpressionReader.number,
    cst.Float: ExpressionReader.number,
    cst.Imaginary: ExpressionReader.number,
    cst.ConcatenatedString: ExpressionReader.concatenated,
    cst.FormattedString: ExpressionReader.text,
    cst.Subscript: ExpressionReader.subscript,
    cst.List: ExpressionReader.group,
    cst.Tuple: ExpressionReader.group,
    cst.Set: ExpressionReader.group,
    cst.Element: ExpressionReader.element,
    cst.StarredElement: ExpressionReader.starred,
    cst.Dict: ExpressionReader.dict,
    cst.Comparison: ExpressionReader.comparison,
    cst.BooleanOperation: ExpressionReader.boolean,
    cst.BinaryOperation: ExpressionReader.binary,
    cst.UnaryOperation: ExpressionReader.unary,
    cst.IfExp: ExpressionReader.conditional,
    cst.Await: ExpressionReader.await_,
    cst.Yield: ExpressionReader.yield_,
    cst.Lambda: ExpressionReader.lambda_,
    cst.ListComp: ExpressionReader.comprehension,
    cst.SetComp: ExpressionReader.comprehension,
    cst.GeneratorExp: ExpressionReader.comprehension,
    cst.DictComp: ExpressionReader.dict_comprehension,
    cst.NamedExpr: ExpressionReader.walrus,
}
