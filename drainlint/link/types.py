"""Types: what an annotation, a class of the project or a library's class names."""

import ast
import re
from functools import cache

from drainlint.index.collect import index
from drainlint.index.entries import MODULE
from drainlint.knowledge import Knowledge
from drainlint.link.answers import Answers
from drainlint.link.classes import Classes
from drainlint.link.names import ClassId, FunctionId, Library, Names, Variable
from drainlint.model.expression import (
    Arithmetic,
    Constant,
    Expression,
    Group,
    Name,
    Subscript,
)
from drainlint.model.kind import Kind
from drainlint.source import Source

DEPTH = 40
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
MAPPINGS = frozenset(
    {
        "dict",
        "Dict",
        "Mapping",
        "MutableMapping",
        "defaultdict",
        "OrderedDict",
        "DefaultDict",
        "WeakValueDictionary",
        "WeakKeyDictionary",
    }
)
AWAITABLES = frozenset({"Awaitable", "Coroutine"})


class Types:
    """Answers what a type's name stands for, in the scope it is written in."""

    def __init__(self, names: Names, classes: Classes, knowledge: Knowledge) -> None:
        """Take the project's names and classes, and what is known of libraries."""
        self.names = names
        self.classes = classes
        self.knowledge = knowledge
        self._annotations: dict[str, Kind | None] = {}
        self._answers: Answers[Kind] = Answers()
        self._depth = 0

    def _deep(self) -> bool:
        if self._depth <= DEPTH:
            return False
        self._answers.gave_up()
        return True

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
        path, name = kind.definition
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
                return (
                    None
                    if name == "None"
                    or (name.startswith("typing.") and self.knowledge.type(name) is None)
                    else self.kind_of_type(name)
                )
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
    ways = index(tree, Source("", text, (text,))).entry.functions[MODULE].bindings.get("_")
    return ways[0].value if ways else None
