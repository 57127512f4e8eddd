"""What things are: from construction, annotation, factories, containers, and use."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache, cached_property

from drainlint.finding import Confidence
from drainlint.index.collect import index
from drainlint.index.entries import MODULE, Binding, FunctionEntry, Parameter
from drainlint.knowledge import CallFacts, Knowledge, TypeFacts
from drainlint.link.classes import Classes
from drainlint.link.names import ClassId, FunctionId, Library, Module, Names, Symbol, Variable
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
from drainlint.model.kind import Kind

DEPTH = 14
"""How many steps a kind is followed through names, attributes and factories."""
WRAPPERS = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired"})
DOTTED = re.compile(r"[A-Za-z_][\w.]*")
CONTAINERS = {
    "list": "list",
    "List": "list",
    "set": "set",
    "Set": "set",
    "frozenset": "set",
    "Sequence": "list",
    "Iterable": "list",
    "Iterator": "list",
    "Collection": "list",
    "MutableSequence": "list",
    "Generator": "list",
    "AsyncIterator": "list",
    "AsyncIterable": "list",
    "AsyncGenerator": "list",
    "WeakSet": "set",
}
MAPPINGS = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict", "DefaultDict", "WeakValueDictionary", "WeakKeyDictionary"})  # fmt: skip
AWAITED = frozenset({"coroutine", "task", "aio-future"})
"""Natures that an `await` is for."""
AWAITABLES = frozenset({"Awaitable", "Coroutine"})
KEEPERS = frozenset({"list", "set", "tuple", "frozenset", "sorted", "reversed", "iter", "copy.copy", "weakref.ref", "weakref.proxy", "typing.cast", "filter"})  # fmt: skip
"""Functions whose result holds (or is) what their last argument holds (or is)."""


class Kinds:
    """Answers what an expression is, in the function it is written in."""

    def __init__(self, names: Names, classes: Classes, knowledge: Knowledge) -> None:
        """Take the project's names and classes, and what is known of libraries."""
        self.names = names
        self.classes = classes
        self.knowledge = knowledge
        self.arguments: dict[FunctionId, dict[str, list[tuple[FunctionId, Expression]]]] = {}
        """What callers pass to each parameter; filled once calls are resolved."""
        self._variables: dict[tuple[FunctionId, str], Kind | None] = {}
        self._attributes: dict[tuple[ClassId, str], Kind | None] = {}
        self._results: dict[FunctionId, Kind | None] = {}
        self._used: dict[FunctionId, Mapping[str, Set[str]]] = {}
        self._annotations: dict[str, Kind | None] = {}
        self._depth = 0

    def forget(self) -> None:
        """Drop what was answered, for when more is known of callers."""
        self._variables.clear()
        self._attributes.clear()
        self._results.clear()

    # Library calls

    def method_facts(self, kind: Kind | None, method: str) -> CallFacts | None:
        """What is known of calling `method` on a thing of this kind."""
        return None if kind is None else self.knowledge.method(kind.library, method)

    def facts(self, scope: FunctionId, call: Call) -> tuple[CallFacts, Kind | None] | None:
        """What is known of a call to a library, and the kind of what it is called on.

        A method of the project's own takes precedence over one that its library base has.
        """
        path = call.func.path
        resolved = self.names.resolve(scope, path) if path else None
        if resolved is not None and isinstance(resolved.symbol, Library):
            found = self.knowledge.call(resolved.symbol.dotted)
            if found is not None:
                head, _, _ = resolved.symbol.dotted.rpartition(".")
                return found, self.kind_of_type(head)
            head, _, last = resolved.symbol.dotted.rpartition(".")
            by_class = self.knowledge.method(head, last) if head else None
            return None if by_class is None else (by_class, self.kind_of_type(head))
        receiver = call.receiver
        if receiver is None:
            return None
        kind = self.of(scope, receiver)
        if kind is None:
            return None
        owner = self.project_class(kind)
        if owner is not None and self.classes.method(owner, call.method) is not None:
            return None
        found = self.method_facts(kind, call.method)
        return None if found is None else (found, kind)

    # Types

    def kind_of_type(self, dotted: str) -> Kind | None:
        """An instance of a library's class."""
        facts = self.knowledge.type(dotted)
        if facts is None:
            return Kind(dotted) if dotted and dotted.rpartition(".")[2][:1].isupper() else None
        element = self.annotation_text(facts.element) if facts.element else None
        return Kind(facts.name, facts.nature, element=element)

    def instance(self, key: ClassId) -> Kind:
        """An instance of a class of the project."""
        for base in self.classes.line(key):
            if isinstance(base, Library):
                facts = self.knowledge.type(base.dotted)
                if facts is not None:
                    return Kind(f"{key.path}:{key.name}", facts.nature, facts.name)
        return Kind(f"{key.path}:{key.name}")

    def project_class(self, kind: Kind | None) -> ClassId | None:
        """The class of the project that a kind is an instance of."""
        if kind is None or not kind.is_project or kind.nature in ("class", "function", "module"):
            return None
        path, _, name = kind.type.partition(":")
        return ClassId(path, name)

    def annotation_text(self, text: str) -> Kind | None:
        """The kind that an annotation in a table of facts names."""
        if text not in self._annotations:
            parsed = _parsed(text)
            self._annotations[text] = None if parsed is None else self._annotated(parsed, None)
        return self._annotations[text]

    def annotation(self, scope: FunctionId, annotation: Expression | None) -> Kind | None:
        """The kind that an annotation names, with `Optional` and its like taken off."""
        return None if annotation is None else self._annotated(annotation, scope)

    def _annotated(self, annotation: Expression, scope: FunctionId | None) -> Kind | None:
        match annotation:
            case Constant(value=str(text)):
                parsed = _parsed(text)
                return None if parsed is None else self._annotated(parsed, scope)
            case Name(dotted=dotted):
                return self._named_type(dotted, scope)
            case Arithmetic(left=Expression() as left, operator="|", right=right):
                return self._annotated(left, scope) or self._annotated(right, scope)
            case Subscript(value=Name(dotted=dotted), index=inner):
                return self._generic(dotted, inner, scope)
        return None

    def _named_type(self, dotted: str, scope: FunctionId | None) -> Kind | None:
        last = dotted.rpartition(".")[2]
        if scope is None:
            return Kind(last, "list") if last in CONTAINERS else self.kind_of_type(dotted)
        resolved = self.names.resolve(scope, dotted)
        match resolved.symbol if resolved and not resolved.rest else None:
            case ClassId() as key:
                return self.instance(key)
            case Library(dotted=name):
                if name in ("list", "set", "dict", "tuple"):
                    return Kind(name, name)
                return None if name == "None" or name.startswith("typing.") else self.kind_of_type(name)
            case Variable() as variable:  # an alias for a type: `Job = Union[...]`
                for way in self.names.function(variable.scope).bindings.get(variable.name, ()):
                    if self._deep():
                        return None
                    self._depth += 1
                    try:
                        return self._annotated(way.value, variable.scope)
                    finally:
                        self._depth -= 1
        return None

    def _generic(self, dotted: str, inner: Expression, scope: FunctionId | None) -> Kind | None:
        last = dotted.rpartition(".")[2]
        parts = inner.items if isinstance(inner, Group) else (inner,)
        if not parts:
            return None
        if last in WRAPPERS:
            return self._annotated(parts[0], scope)
        if last == "Union":
            return next((k for p in parts if (k := self._annotated(p, scope))), None)
        if last in CONTAINERS:
            return Kind(last, CONTAINERS[last], element=self._annotated(parts[0], scope))
        if last in MAPPINGS:
            return Kind(last, "dict", element=self._annotated(parts[-1], scope))
        if last in ("tuple", "Tuple"):
            items = tuple(self._annotated(p, scope) for p in parts)
            return Kind(last, "tuple", element=items[0], items=items)
        if last in AWAITABLES:
            return Kind(last, "coroutine", element=self._annotated(parts[-1], scope))
        if last in ("type", "Type"):
            kind = self._annotated(parts[0], scope)
            return None if kind is None else Kind(kind.type, "class", element=kind)
        kind = self._named_type(dotted, scope)
        if kind is not None and kind.element is None and len(parts) == 1:
            element = self._annotated(parts[0], scope)
            return Kind(kind.type, kind.nature, kind.base, element)
        return kind

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

    def _deep(self) -> bool:
        return self._depth > DEPTH

    def _of(self, scope: FunctionId, expression: Expression) -> Kind | None:  # noqa: C901, PLR0911, PLR0912 - one dispatch
        match expression:
            case Name(dotted=dotted):
                return self._name(scope, dotted)
            case Call():
                return self._call(scope, expression)
            case Await(value=value):
                kind = self.of(scope, value)
                if kind is not None and kind.nature in AWAITED:
                    return kind.element
                return None
            case Walrus(value=value) | Starred(value=value):
                return self.of(scope, value)
            case Logic(values=values):
                return self._first(scope, values)
            case Conditional(body=body, otherwise=otherwise):
                return self._first(scope, (body, otherwise))
            case Group(kind="tuple", items=items):
                kinds = tuple(self.of(scope, i) for i in items)
                return Kind("tuple", "tuple", element=next(filter(None, kinds), None), items=kinds)
            case Group(kind=kind, items=items):
                return Kind(kind, kind, element=self._first(scope, items))
            case Comprehension(kind=kind, element=element):
                return Kind(kind, kind, element=self.of(scope, element))
            case Arithmetic(left=Expression() as left, operator="*" | "+"):
                found = self.of(scope, left)
                return found if found is not None and found.nature in ("list", "tuple") else None
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
                return self._member(self.of(scope, value), name)
            case Lambda(function=function):
                return Kind(f"{scope.path}:{function}", "function")
        return None

    def _first(self, scope: FunctionId, values: Iterable[Expression]) -> Kind | None:
        return next((k for v in values if (k := self.of(scope, v)) is not None), None)

    def _name(self, scope: FunctionId, dotted: str) -> Kind | None:
        resolved = self.names.resolve(scope, dotted)
        if resolved is None:
            return None
        kind = self._symbol(resolved.symbol)
        for attribute in resolved.rest:
            if kind is None:
                return self._by_use(scope, dotted)
            kind = self._member(kind, attribute)
        return kind or self._by_use(scope, dotted)

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
        key = (scope, name)
        if key in self._variables:
            return self._variables[key]
        self._variables[key] = None
        entry = self.names.function(scope)
        owner = self.classes.owner(scope)
        if owner is not None and entry.owner and name == self.classes.self_name(scope):
            kind: Kind | None = self.instance(owner)
            if any(d.path == "classmethod" for d in entry.decorators):
                kind = Kind(f"{owner.path}:{owner.name}", "class", element=kind)
        else:
            kind = self._bound((scope, way) for way in entry.bindings.get(name, ()))
            if kind is None:
                parameter = next((p for p in entry.parameters if p.name == name), None)
                kind = None if parameter is None else self._parameter(scope, entry, parameter)
        self._variables[key] = kind
        return kind

    def _parameter(
        self, scope: FunctionId, entry: FunctionEntry, parameter: Parameter
    ) -> Kind | None:
        if parameter.star:
            return None
        kind = self.annotation(scope, parameter.annotation)
        if kind is None and parameter.default is not None:
            kind = self.of(self.names.enclosing(scope), parameter.default)
        if kind is None:
            passed = self.arguments.get(scope, {}).get(parameter.name, ())
            kinds = [self.of(caller, value) for caller, value in passed]
            known = [k for k in kinds if k is not None and k.nature]
            if known and all(k.library == known[0].library for k in known):
                kind = known[0].seen(Confidence.MEDIUM)
        return kind

    def _bound(self, ways: Iterable[tuple[FunctionId, Binding]]) -> Kind | None:
        elements: list[Kind] = []
        container: Kind | None = None
        annotated: Kind | None = None
        for scope, way in ways:
            if way.how in ("caught", "augment", "import"):
                continue
            if way.how == "annotation":
                annotated = annotated or self.annotation(scope, way.value)
                continue
            kind = self.of(scope, way.value)
            if kind is None:
                continue
            if way.how == "each":
                kind = self._each(kind, scope, way.value)
            elif way.how == "enter":
                kind = self._entered(kind)
            for item in way.items:
                kind = None if kind is None else _item(kind, item)
            if kind is None:
                continue
            if way.how == "element":
                elements.append(kind)
            elif container is None or (not container.nature and kind.nature):
                container = kind
            elif container.nature and container.element is None and kind.element is not None:
                container = kind
        found = container or annotated
        if annotated is not None and (found is None or not found.nature):
            found = annotated
        if elements and (found is None or found.element is None):
            nature = found.nature if found is not None and found.nature else "list"
            known = next((e for e in elements if e.nature), elements[0])
            return Kind(found.type if found else nature, nature, element=known)
        return found

    def _each(self, kind: Kind, scope: FunctionId, value: Expression) -> Kind | None:
        """What a loop over `value` binds."""
        if isinstance(value, Call):
            word = value.func.path
            if word == "enumerate" and value.arguments:
                inner = self.of(scope, value.arguments[0].value)
                element = inner.element if inner else None
                return Kind("tuple", "tuple", items=(None, element))
            if word == "zip":
                parts = [self.of(scope, a.value) for a in value.arguments]
                return Kind("tuple", "tuple", items=tuple(p.element if p else None for p in parts))
        return kind.element

    def _entered(self, kind: Kind) -> Kind | None:
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

    def _member(self, kind: Kind | None, name: str) -> Kind | None:
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
        if (key, name) in self._attributes:
            return self._attributes[key, name]
        self._attributes[key, name] = None
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
        self._attributes[key, name] = kind
        return kind

    # Calls

    def _call(self, scope: FunctionId, call: Call) -> Kind | None:
        path = call.func.path
        resolved = self.names.resolve(scope, path) if path else None
        if resolved is not None and not resolved.rest:
            match resolved.symbol:
                case ClassId() as key:
                    return self.instance(key)
                case FunctionId() as function:
                    return self.result(function)
                case Library(dotted=dotted):
                    return self._library_call(scope, call, dotted)
        if path == "super":
            return None
        receiver = call.receiver
        if isinstance(receiver, Call) and receiver.func.path == "super":
            return self._super(scope, call.method)
        kind = self.of(scope, call.func)
        if kind is None:
            return self._lookup(scope, call)
        if kind.nature == "class":
            return kind.element
        if kind.nature == "function" and kind.is_project:
            file, _, name = kind.type.partition(":")
            return self.result(FunctionId(file, name))
        if kind.nature == "function":
            facts = self.knowledge.call(kind.type)
            return self._returned(facts) if facts is not None else None
        return None

    def _lookup(self, scope: FunctionId, call: Call) -> Kind | None:
        """Methods of containers that give what they hold: `d.get(k)`, `d.values()`, `l.pop()`."""
        receiver = call.receiver
        kind = None if receiver is None else self.of(scope, receiver)
        if kind is None or kind.nature not in ("list", "set", "dict", "tuple", "deque"):
            return None
        if call.method in ("get", "pop", "popleft", "setdefault", "popitem"):
            return kind.element
        if call.method in ("values", "copy", "union", "difference"):
            return Kind("list", "list", element=kind.element)
        if call.method == "items":
            return Kind("list", "list", element=Kind("tuple", "tuple", items=(None, kind.element)))
        return None

    def _library_call(self, scope: FunctionId, call: Call, dotted: str) -> Kind | None:
        facts = self.knowledge.call(dotted)
        if facts is not None and facts.returns:
            found = self._returned(facts)
            if found is not None and found.element is None and call.arguments:
                element = self._awaited_result(scope, call.arguments[0].value)
                if found.nature in ("task", "aio-future") and element is not None:
                    return Kind(found.type, found.nature, element=element)
            return found
        if dotted in KEEPERS and call.arguments:
            return self.of(scope, call.arguments[-1].value)
        if dotted in ("functools.partial", "functools.partialmethod") and call.arguments:
            return self.of(scope, call.arguments[0].value)
        if dotted in ("dataclasses.field", "attr.ib", "attrs.field"):
            factory = call.argument("default_factory") or call.argument("factory")
            made = None if factory is None else self.of(scope, factory)
            if made is not None and made.nature == "class":
                return made.element
            if isinstance(factory, Lambda):
                return self.result(FunctionId(scope.path, factory.function))
            return made if made is not None and made.nature != "function" else None
        if dotted in ("collections.defaultdict", "defaultdict") and call.arguments:
            made = self.of(scope, call.arguments[0].value)
            element = made.element if made is not None and made.nature == "class" else None
            return Kind("dict", "dict", element=element)
        if dotted in ("getattr", "next", "min", "max") and call.arguments:
            source = self.of(scope, call.arguments[0].value)
            if dotted == "getattr":
                name = call.arguments[1].value if len(call.arguments) > 1 else None
                text = name.value if isinstance(name, Constant) else None
                return self._member(source, text) if isinstance(text, str) else None
            return source.element if source is not None else None
        by_method = self.knowledge.method(*_split(dotted)) if "." in dotted else None
        if by_method is not None:
            return self._returned(by_method)
        return self.kind_of_type(dotted)

    def _awaited_result(self, scope: FunctionId, value: Expression) -> Kind | None:
        kind = self.of(scope, value)
        return kind.element if kind is not None and kind.nature == "coroutine" else None

    def _returned(self, facts: CallFacts) -> Kind | None:
        kind = self.annotation_text(facts.returns) if facts.returns else None
        if facts.asynchronous and kind is not None and kind.nature not in AWAITED:
            return Kind("coroutine", "coroutine", element=kind)
        return kind

    def _super(self, scope: FunctionId, method: str) -> Kind | None:
        owner = self.classes.owner(scope)
        if owner is None:
            return None
        for one in list(self.classes.project_line(owner))[1:]:
            found = FunctionId(one.path, f"{one.name}.{method}")
            if found.name in self.names.modules[one.path].functions:
                return self.result(found)
        return None

    def result(self, key: FunctionId) -> Kind | None:
        """What calling a function of the project gives: by annotation, else by what it returns."""
        if key in self._results:
            return self._results[key]
        self._results[key] = None
        entry = self.names.function(key)
        kind = self.annotation(key, entry.returns)
        if kind is None or not (kind.nature or kind.is_project):
            returned = [k for r in entry.results if (k := self.of(key, r)) is not None]
            kind = next((k for k in returned if k.nature), returned[0] if returned else kind)
        if entry.is_async and not entry.is_generator:
            kind = Kind("coroutine", "coroutine", element=kind)
        self._results[key] = kind
        return kind

    # Use

    def _by_use(self, scope: FunctionId, dotted: str) -> Kind | None:
        """A parameter or local name is what it is used as, where nothing else tells."""
        head = dotted.partition(".")[0]
        if not self.names.is_function(scope) or head == self.classes.self_name(scope):
            return None
        used = self._methods_used(scope).get(dotted, frozenset())
        return self._used_as(used)

    def _attribute_by_use(self, key: ClassId, name: str) -> Kind | None:
        return self._used_as(self.classes.used(key, name))

    def _methods_used(self, scope: FunctionId) -> Mapping[str, Set[str]]:
        """The methods called in a function on each name or attribute."""
        if scope not in self._used:
            found: dict[str, set[str]] = defaultdict(set)
            for call in self.names.function(scope).calls:
                head, dot, method = call.func.path.rpartition(".")
                if dot:
                    found[head].add(method)
            self._used[scope] = found
        return self._used[scope]

    def _used_as(self, used: Set[str]) -> Kind | None:
        if not used:
            return None
        matching = [
            (len(methods), facts)
            for word in used & self._uses.keys()
            for methods, facts in self._uses[word]
            if methods <= used
        ]
        if not matching:
            return None
        _, facts = max(matching, key=lambda m: (m[0], m[1].name))
        return Kind(facts.name, facts.nature, evidence=Confidence.MEDIUM)

    @cached_property
    def _uses(self) -> Mapping[str, list[tuple[frozenset[str], TypeFacts]]]:
        table: dict[str, list[tuple[frozenset[str], TypeFacts]]] = defaultdict(list)
        for facts in self.knowledge.types.values():
            for methods in facts.used_as:
                for method in methods:
                    table[method].append((frozenset(methods), facts))
        return table


@cache
def _parsed(annotation: str) -> Expression | None:
    """An annotation that stands in a string, as an expression."""
    text = annotation.strip()
    if DOTTED.fullmatch(text):
        return Constant(None) if text == "None" else Name(text)
    text = f"_: {text}"
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    ways = index(tree, "", (text,)).entry.functions[MODULE].bindings.get("_")
    return ways[0].value if ways else None


def _item(kind: Kind, position: int) -> Kind | None:
    if kind.items:
        return kind.items[position] if position < len(kind.items) else None
    return kind.element


def _split(dotted: str) -> tuple[str, str]:
    head, _, last = dotted.rpartition(".")
    return head, last


def parameters_of(entry: FunctionEntry, call: Call, *, bound: bool) -> Iterator[tuple[str, Expression]]:
    """Which parameter each argument of a call goes to; `bound` where `self` is given already."""
    plain = [p.name for p in entry.parameters if not p.star and not p.keyword_only]
    if bound:
        plain = plain[1:]
    position = 0
    for argument in call.arguments:
        if argument.name in ("*", "**"):
            return
        if argument.name:
            yield argument.name, argument.value
        elif position < len(plain):
            yield plain[position], argument.value
            position += 1
