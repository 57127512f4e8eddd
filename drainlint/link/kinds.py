"""What things are: from construction, annotation, factories, containers, and use."""

from collections.abc import Iterable

from drainlint.finding import Confidence
from drainlint.index.entries import MODULE, Binding, Parameter
from drainlint.knowledge import Knowledge
from drainlint.link.classes import Classes
from drainlint.link.names import ClassId, FunctionId, Library, Module, Names, Symbol, Variable
from drainlint.link.results import AWAITED, Results
from drainlint.link.use import Use
from drainlint.model.expression import (
    Arithmetic,
    Attribute,
    Await,
    Call,
    Comprehension,
    Conditional,
    Constant,
    Expression,
    Group,
    Lambda,
    Logic,
    Name,
    Starred,
    Subscript,
    Walrus,
)
from drainlint.model.kind import Kind, one_of

CHOICES = 12
"""So many classes of a table are looked at."""


def is_double(kind: Kind) -> bool:
    """Whether a thing only stands for another in a test: it says nothing of the program."""
    return kind.library.partition(".")[0] == "mock" or kind.library.startswith("unittest.mock")


class Kinds(Results):
    """Answers what an expression is, in the function it is written in."""

    def __init__(self, names: Names, classes: Classes, knowledge: Knowledge) -> None:
        """Take the project's names and classes, and what is known of libraries."""
        super().__init__(names, classes, knowledge)
        self.arguments: dict[FunctionId, dict[str, list[tuple[FunctionId, Expression]]]] = {}
        """What callers pass to each parameter; filled once calls are resolved."""
        self.use = Use(names, classes, knowledge)

    def forget(self) -> None:
        """Drop what rests on callers, for when more is known of them."""
        self._answers.forget()

    # Expressions

    def of(self, scope: FunctionId, expression: Expression) -> Kind | None:
        """What an expression is; None where that is not known."""
        if self._deep():
            return None
        self._depth += 1
        try:
            return self._of(scope, expression)
        finally:
            self._depth -= 1

    def _of(self, scope: FunctionId, expression: Expression) -> Kind | None:
        if type(expression) is Name:
            return self._name(scope, expression.dotted)
        if type(expression) is Constant:
            return None
        match expression:
            case Call():
                return self._call(scope, expression)
            case Await(value=value):
                kind = self.of(scope, value)
                if kind is not None and kind.nature in AWAITED:
                    return kind.element
                if isinstance(value, Call) and kind is not None and kind.nature == "session":
                    return kind  # a pool or client that is awaited to be set up gives itself
                return None
            case Walrus(value=value) | Starred(value=value):
                return self.of(scope, value)
            case Logic(values=values):
                return self._first(scope, values)
            case Conditional(test=test, body=body, otherwise=otherwise):
                return self.asked_for(scope, test, body) or self._first(scope, (body, otherwise))
            case Group(kind="tuple", items=items):
                kinds = tuple(self.of(scope, i) for i in items)
                return Kind("tuple", "tuple", element=next(filter(None, kinds), None), items=kinds)
            case Group(kind="dict", items=items):
                return Kind("dict", "dict", element=self._chosen(scope, items))
            case Group(kind=kind, items=items):
                return Kind(kind, kind, element=self._first(scope, items))
            case Comprehension(kind=kind, element=element):
                return Kind(kind, kind, element=self.of(scope, element))
            case Arithmetic(left=Expression() as left, operator="*" | "+"):
                found = self.of(scope, left)
                return found if found is not None and found.nature in ("list", "tuple") else None
            case Arithmetic(left=Expression() as left, operator="/"):
                found = self.of(scope, left)
                return found if found is not None and found.nature == "path" else None
            case Subscript(value=value):
                found = self.of(scope, value)
                if found is None or found.nature in ("class", "function"):
                    return found
                index_ = expression.index
                if found.items and isinstance(index_, Constant) and isinstance(index_.value, int):
                    within = -len(found.items) <= index_.value < len(found.items)
                    return found.items[index_.value] if within else None
                return found.element
            case Attribute(value=value, name=name):
                return self.member(self.of(scope, value), name)
            case Lambda(function=function):
                written = self.names.lambda_(scope, function)
                return None if written is None else Kind(":".join(written), "function")
        return None

    def _first(self, scope: FunctionId, values: Iterable[Expression]) -> Kind | None:
        return next((k for v in values if (k := self.of(scope, v)) is not None), None)

    def _chosen(self, scope: FunctionId, values: tuple[Expression, ...]) -> Kind | None:
        """What a table gives: one of its classes, where it holds classes of the project."""
        first = self._first(scope, values)
        if first is None or first.nature != "class" or not first.is_project:
            return first
        kinds = (self.of(scope, value) for value in values[:CHOICES])
        found = (k for k in kinds if k is not None and k.nature == "class" and k.is_project)
        return one_of((first, *found))

    def _name(self, scope: FunctionId, dotted: str) -> Kind | None:
        resolved = self.names.resolve(scope, dotted)
        if resolved is None:
            return None
        kind = self._symbol(resolved.symbol)
        for attribute in resolved.rest:
            if kind is None:
                break
            kind = self.member(kind, attribute)
        return kind or self._set_here(scope, dotted) or self._by_use(scope, dotted)

    def _set_here(self, scope: FunctionId, dotted: str) -> Kind | None:
        """An attribute of something else is what this very function sets it to."""
        if "." not in dotted or not self.names.is_function(scope):
            return None
        ways = self.names.function(scope).bindings.get(dotted, ())
        if not ways:
            return None
        key = ("set", scope, dotted)
        return self._answers.of(key, lambda: self._bound([(scope, way) for way in ways]))

    def _symbol(self, symbol: Symbol) -> Kind | None:
        match symbol:
            case FunctionId():
                return Kind(f"{symbol.path}:{symbol.name}", "function")
            case ClassId():
                return Kind(f"{symbol.path}:{symbol.name}", "class", element=self.instance(symbol))
            case Module(path=path):
                return Kind(path, "module")
            case Library(dotted=dotted):
                facts = self.knowledge.call(dotted)
                if facts is not None and facts.returns and not facts.does:
                    return None
                kind = self.kind_of_type(dotted)
                if kind is None:
                    return None
                return Kind(kind.type, "class", element=kind)
            case Variable(scope=scope, name=name):
                return self._variable(scope, name)
        return None

    def _variable(self, scope: FunctionId, name: str) -> Kind | None:
        return self._answers.of(("variable", scope, name), lambda: self._held(scope, name))

    def _held(self, scope: FunctionId, name: str) -> Kind | None:
        entry = self.names.function(scope)
        owner = self.classes.owner(scope)
        if owner is not None and entry.owner and name == self.classes.self_name(scope):
            kind: Kind | None = self.instance(owner)
            if any(d.path == "classmethod" for d in entry.decorators):
                kind = Kind(f"{owner.path}:{owner.name}", "class", element=kind)
        else:
            ways = [(scope, way) for way in entry.bindings.get(name, ())]
            if scope.name == MODULE:
                ways += self.names.filled(scope.path, name)
            kind = self._bound(ways)
            if kind is None:
                parameter = next((p for p in entry.parameters if p.name == name), None)
                kind = None if parameter is None else self._parameter(scope, parameter)
        return kind

    def _parameter(self, scope: FunctionId, parameter: Parameter) -> Kind | None:
        if parameter.star:
            return None
        kind = self.annotation(scope, parameter.annotation)
        if kind is None and parameter.default is not None:
            kind = self.of(self.names.enclosing(scope), parameter.default)
        if kind is None:
            self._answers.rest_on_callers()
            passed = self.arguments.get(scope, {}).get(parameter.name, ())
            kind = self._passed(passed) if passed else None
        return kind

    def _passed(self, values: Iterable[tuple[FunctionId, Expression]]) -> Kind | None:
        """What callers hand over, where all that is known of it agrees."""
        handed = self._answers.handed(lambda: [self.of(caller, value) for caller, value in values])
        kinds = [k for k in handed if k is None or not is_double(k)]
        known = [k for k in kinds if k is not None and k.nature]
        differs = any(k.nature == "function" for k in known) and len(known) < len(kinds)
        if known and not differs and all(k.library == known[0].library for k in known):
            return known[0].seen(Confidence.MEDIUM)
        return None

    def _bound(self, ways: Iterable[tuple[FunctionId, Binding]]) -> Kind | None:
        elements: list[Kind] = []
        container: Kind | None = None
        annotated: Kind | None = None
        several = False
        for scope, way in ways:
            if way.how in ("caught", "augment", "import"):
                continue
            if way.how == "annotation":
                annotated = annotated or self.annotation(scope, way.value)
                continue
            kind = (self._each if way.how == "each" else self.of)(scope, way.value)
            if kind is not None and way.how == "enter":
                kind = self.entered(kind)
            for item in way.items:
                kind = None if kind is None else _item(kind, item)
            if kind is None:
                continue
            if way.how == "element":
                elements.append(kind)
            else:
                several = several or (container is not None and kind.type != container.type)
                if container is None or _says_more(kind, container):
                    container = kind
        if several and self._derives(container, annotated):
            container = annotated  # one of several classes, all of them what is declared
        found = container or annotated
        if annotated is not None and (found is None or _says_more(annotated, found)):
            found = annotated
        if elements and (found is None or found.element is None):
            nature = found.nature if found is not None and found.nature else "list"
            known = next((e for e in elements if e.nature), elements[0])
            return Kind(found.type if found else nature, nature, element=known)
        return found

    def _derives(self, kind: Kind | None, base: Kind | None) -> bool:
        """Whether a thing is of a class of the project that derives from another one."""
        owner, above = self.project_class(kind), self.project_class(base)
        return owner is not None and above in self.classes.project_line(owner)

    def _each(self, scope: FunctionId, value: Expression) -> Kind | None:
        """What a loop over `value` binds."""
        word = value.func.path if isinstance(value, Call) else ""
        if isinstance(value, Call) and word in ("enumerate", "zip"):
            parts = [self.of(scope, a.value) for a in value.arguments if not a.name]
            items = tuple(p.element if p else None for p in parts)
            return Kind("tuple", "tuple", items=(None, *items) if word == "enumerate" else items)
        kind = self.of(scope, value)
        return None if kind is None else kind.element

    def entered(self, kind: Kind) -> Kind | None:
        """What `with ... as` binds."""
        owner = self.project_class(kind)
        if owner is not None:
            for method in ("__enter__", "__aenter__"):
                found = self.classes.method(owner, method)
                if found is not None:
                    return self.result(found) or kind
            return kind
        facts = self.knowledge.type(kind.type)
        if facts is not None and facts.entered:
            return self.annotation_text(facts.entered)
        if kind.nature == "list" and kind.element is not None:  # a @contextmanager's generator
            return kind.element
        return kind

    def member(self, kind: Kind | None, name: str) -> Kind | None:
        """What an attribute of a thing of this kind is."""
        if kind is None:
            return None
        if kind.nature == "module":
            return self._name(FunctionId(kind.type, MODULE), name)
        owner = self.project_class(kind.element if kind.nature == "class" else kind)
        if owner is not None:
            return self.attribute(owner, name)
        facts = self.knowledge.method(kind.library, name)
        return Kind(facts.name, "function") if facts is not None else None

    def attribute(self, key: ClassId, name: str) -> Kind | None:
        """What an attribute of a class's instances is: a method, a property's result, a value."""
        return self._answers.of(("attribute", key, name), lambda: self._attribute(key, name))

    def _attribute(self, key: ClassId, name: str) -> Kind | None:
        method = self.classes.method(key, name)
        if method is not None:
            entry = self.names.function(method)
            if any(
                d.path.rpartition(".")[2] in ("property", "cached_property")
                for d in entry.decorators
            ):
                kind = self.result(method)
            else:
                kind = Kind(f"{method.path}:{method.name}", "function")
        else:
            kind = self._bound(self.classes.bindings(key, name))
            if kind is None or not (kind.nature or kind.is_project):
                kind = self._attribute_by_use(key, name) or kind
        return kind

    # Use

    def _by_use(self, scope: FunctionId, dotted: str) -> Kind | None:
        """A parameter or local name is what it is used as, where nothing else tells."""
        head = dotted.partition(".")[0]
        if not self.names.is_function(scope) or head == self.classes.self_name(scope):
            return None
        return self.tested_for(scope, dotted) or self.use.as_what(self.use.of_name(scope, dotted))

    def _attribute_by_use(self, key: ClassId, name: str) -> Kind | None:
        return self.use.as_what(self.classes.used(key, name))


def _says_more(kind: Kind, known: Kind) -> bool:
    """Whether a kind tells more than one that is known already: a nature, or what it holds."""
    if not known.nature:
        return bool(kind.nature)
    return known.element is None and kind.element is not None


def _item(kind: Kind, position: int) -> Kind | None:
    if kind.items:
        return kind.items[position] if position < len(kind.items) else None
    return kind.element
