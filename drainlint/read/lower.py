"""The libcst visitor: it walks a function once and gives its body as the model's values.

Nodes are visited in source order (libcst's field order differs for a few), because places come
from streams in that order.
"""

from collections.abc import Mapping, Sequence

import libcst as cst

from drainlint.model.expression import (
    Constant,
    Expression,
    Group,
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
from drainlint.read.expressions import OPERATORS, ExpressionReader
from drainlint.read.positions import Places

_AST_NAMES = {
    "Import": "Import",
    "ImportFrom": "ImportFrom",
    "Pass": "Pass",
    "TypeAlias": "TypeAlias",
}


class Lowering(ExpressionReader):
    """Lowers one slice of a file; `bodies` then holds every function met in it."""

    def __init__(self, places: Places, names: Mapping[int, str], prefix: str) -> None:
        """Give the places of a slice, function names by the line of their `def`, and a prefix.

        The prefix is the qualified name, with its dot, of what the slice is nested in.
        """
        super().__init__(places, prefix)
        self.names = names
        self.bodies: list[Body] = []

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

    def simple(self, node: cst.BaseSmallStatement) -> Statement:
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

    def compound(self, node: cst.CSTNode) -> Statement:
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
