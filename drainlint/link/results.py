"""What calls give: constructors, factories, containers, functions of the project."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping

from drainlint.finding import Confidence
from drainlint.index.entries import MODULE, FunctionEntry
from drainlint.knowledge import CallFacts, Knowledge
from drainlint.link.classes import Classes
from drainlint.link.names import ClassId, FunctionId, Library, Names, Variable
from drainlint.link.types import Types
from drainlint.model.expression import (
    Call,
    Constant,
    Expression,
    Group,
    Lambda,
    Name,
    Subscript,
)
from drainlint.model.kind import Kind, one_of

AWAITED = frozenset({"coroutine", "task", "aio-future"})
"""Natures that an `await` is for."""
CHOICES = 12
"""So many methods of one name are asked what they give."""
PLAIN = frozenset(
    {"list", "set", "dict", "tuple", "deque", "path", "function", "class", "module", "coroutine"}
)
"""Natures that tell nothing of what a thing is for."""
KEEPERS = frozenset(
    {
        "list",
        "set",
        "tuple",
        "frozenset",
        "sorted",
        "reversed",
        "iter",
        "copy.copy",
        "weakref.ref",
        "weakref.proxy",
        "typing.cast",
        "filter",
    }
)
"""Functions whose result holds (or is) what their last argument holds (or is)."""


class Results(Types, ABC):
    """Answers what a call gives, and what is known of the library's function it calls."""

    def __init__(self, names: Names, classes: Classes, knowledge: Knowledge) -> None:
        """Take the project's names and classes, and what is known of libraries."""
        super().__init__(names, classes, knowledge)
        self._asked: dict[FunctionId, Mapping[str, tuple[Expression, ...]]] = {}

    @abstractmethod
    def of(self, scope: FunctionId, expression: Expression) -> Kind | None:
        """What an expression is; None where that is not known."""

    @abstractmethod
    def member(self, kind: Kind | None, name: str) -> Kind | None:
        """What an attribute of a thing of this kind is."""

    @abstractmethod
    def entered(self, kind: Kind) -> Kind | None:
        """What `with ... as` binds."""

    def method_facts(self, kind: Kind | None, method: str) -> CallFacts | None:
        """What is known of calling `method` on a thing of this kind."""
        return None if kind is None else self.knowledge.method(kind.library, method)

    def facts(self, scope: FunctionId, call: Call) -> tuple[CallFacts, Kind | None] | None:
        """What is known of a call to a library, and the kind of what it is called on.

        A method of the project's own takes precedence over one that its library base has.
        """
        receiver = call.receiver
        if receiver is not None and call.method not in self.knowledge.last_names:
            return None
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
        kind = None if receiver is None else self.of(scope, receiver)
        if kind is None:
            return self._facts_of_alias(scope, call) if receiver is None else None
        owner = self.project_class(kind)
        if owner is not None and self._is_overridden(owner, kind, call.method):
            return None
        found = self.method_facts(kind, call.method)
        return None if found is None else (found, kind)

    def _is_overridden(self, owner: ClassId, kind: Kind, method: str) -> bool:
        """Whether a class of the project has a library's method itself, or what that calls."""
        listed = self.knowledge.type(kind.library)
        names = (method, *(listed.through if listed is not None else ()))
        return any(self.classes.method(owner, name) is not None for name in names)

    def _facts_of_alias(
        self, scope: FunctionId, call: Call
    ) -> tuple[CallFacts, Kind | None] | None:
        """What is known of a library's class or function under a name of the project's own."""
        kind = self.of(scope, call.func)
        if kind is None:
            dotted = self.names.renamed(scope, call.func.path)
        elif kind.is_project or kind.nature not in ("class", "function"):
            return None
        else:
            dotted = kind.type
        found = self.knowledge.call(dotted) if dotted else None
        return None if found is None else (found, self.kind_of_type(_split(dotted)[0]))

    def _call(self, scope: FunctionId, call: Call) -> Kind | None:
        path = call.func.path
        resolved = self.names.resolve(scope, path) if path else None
        if resolved is not None and not resolved.rest:
            match resolved.symbol:
                case ClassId() as key:
                    return self.instance(key)
                case FunctionId() as function:
                    return self.result(function) or self._imported_by(scope, call, function)
                case Library(dotted=dotted):
                    return self._library_call(scope, call, dotted)
        if path == "super":
            return None
        receiver = call.receiver
        if isinstance(receiver, Call) and receiver.func.path == "super":
            return self._super(scope, call.method)
        held = None if receiver is None else self.of(scope, receiver)
        chained = receiver is not None and not path  # asked once: chains of calls are long
        kind = self.member(held, call.method) if chained else self.of(scope, call.func)
        if kind is None:
            return self._lookup(scope, call, held) or self._by_method(scope, call, held)
        if kind.nature == "class":
            return kind.element
        if kind.nature == "function" and kind.is_project:
            file, name = kind.definition
            return self.result(FunctionId(file, name))
        if kind.nature == "function":
            facts = self.knowledge.call(kind.type)
            given = self._returned(facts) if facts is not None else None
            return given or self._lookup(scope, call, held)
        return None

    def _by_method(self, scope: FunctionId, call: Call, held: Kind | None) -> Kind | None:
        """What a method gives whose owner is not known, where all of its name give one nature.

        The project has a `spawn_managed_thread`, libraries have none, and each one returns a
        green thread. Classes of the project are not told so: too much rests on them.
        """
        receiver = call.receiver
        methods = self.classes.methods_called(call.method)
        if receiver is None or not 0 < len(methods) <= CHOICES:
            return None
        if held is not None or call.method in self.knowledge.last_names:
            return None
        if self._is_from_library(scope, receiver):
            return None
        kinds = [self.result(method) for method in methods]
        first = kinds[0]
        if first is None or not first.nature or first.is_project or first.nature in PLAIN:
            return None
        alike = all(k is not None and k.nature == first.nature for k in kinds)
        return first.seen(Confidence.MEDIUM) if alike else None

    def _is_from_library(self, scope: FunctionId, value: Expression) -> bool:
        resolved = self.names.resolve(scope, value.path) if value.path else None
        return resolved is not None and isinstance(resolved.symbol, Library)

    def _lookup(self, scope: FunctionId, call: Call, held: Kind | None) -> Kind | None:
        """Methods that give what they hold or are given: `d.get(k)`, `l.pop()`, `enter_context`.

        `held`: what the method is called on.
        """
        kind = held
        if kind is not None and kind.nature == "exit-stack" and call.method == "enter_context":
            entering = self.of(scope, call.arguments[0].value) if call.arguments else None
            return None if entering is None else self.entered(entering)
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
        if facts is not None and facts.does == "import":
            return self._imported(scope, call)
        if facts is not None and facts.does == "bound" and facts.asynchronous and call.arguments:
            element = self._awaited_result(scope, call.arguments[0].value)
            return None if element is None else Kind("coroutine", "coroutine", element=element)
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
                written = self.names.lambda_(scope, factory.function)
                return None if written is None else self.result(written)
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
                return self.member(source, text) if isinstance(text, str) else None
            return source.element if source is not None else None
        by_method = self.knowledge.method(*_split(dotted)) if "." in dotted else None
        if by_method is not None:
            return self._returned(by_method)
        return self.kind_of_type(dotted)

    def _imported_by(self, scope: FunctionId, call: Call, function: FunctionId) -> Kind | None:
        """What a function of the project gives that imports what it is told to."""
        if not any("." in text for text in _texts(self.names, scope, call)):
            return None
        entry = self.names.function(function)
        imports = any(
            c.method == "import_module" or c.func.path == "__import__" for c in entry.calls
        )
        looks_up = any(c.func.path == "getattr" for c in entry.calls)
        return self._imported(scope, call) if imports and looks_up else None

    def _imported(self, scope: FunctionId, call: Call) -> Kind | None:
        """What `import_string("package.module.Class")` gives, where that is the project's own."""
        found = []
        for text in _texts(self.names, scope, call):
            module, _, name = text.replace(":", ".").rpartition(".")
            path = self.names.module(module) if name else None
            kind = None if path is None else self.of(FunctionId(path, MODULE), Name(name))
            if kind is not None and kind.is_project:
                found.append(kind)
        return one_of(found)

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

    def tested_for(self, scope: FunctionId, dotted: str) -> Kind | None:
        """What a function asks whether it is: `isinstance(x, Thread)`, of one class alone."""
        classes = self._asked_of(scope).get(dotted, ())
        return self._instance_of(scope, classes[0]) if len(classes) == 1 else None

    def asked_for(self, scope: FunctionId, test: Expression, value: Expression) -> Kind | None:
        """What a value is where a test finds it so: `x if isinstance(x, Popen) else start(x)`."""
        match test:
            case Call(func=Name(dotted="isinstance"), arguments=(thing, asked)):
                same = bool(value.path) and thing.value.path == value.path
                return self._instance_of(scope, asked.value) if same else None
        return None

    def _instance_of(self, scope: FunctionId, asked: Expression) -> Kind | None:
        """An instance of the class that something is tested for."""
        kind = self.of(scope, asked)
        known = kind.element if kind is not None and kind.nature == "class" else None
        if known is None or not (known.nature or known.is_project):
            return None
        return known.seen(Confidence.MEDIUM)

    def _asked_of(self, scope: FunctionId) -> Mapping[str, tuple[Expression, ...]]:
        """The classes that a function asks about for each name or attribute."""
        if scope not in self._asked:
            found: dict[str, dict[Expression, None]] = defaultdict(dict)
            for call in self.names.function(scope).calls:
                if call.func.path == "isinstance" and len(call.arguments) > 1:
                    thing, classes, *_ = call.arguments
                    found[thing.value.path][classes.value] = None
            self._asked[scope] = {path: tuple(classes) for path, classes in found.items()}
        return self._asked[scope]

    def result(self, key: FunctionId) -> Kind | None:
        """What calling a function of the project gives: by annotation, else by what it returns."""
        return self._answers.of(("result", key), lambda: self._result(key))

    def _result(self, key: FunctionId) -> Kind | None:
        entry = self.names.function(key)
        kind = self.annotation(key, entry.returns)
        if kind is None or not (kind.nature or kind.is_project):
            returned = [k for r in entry.results if (k := self.of(key, r)) is not None]
            kind = next((k for k in returned if k.nature), returned[0] if returned else kind)
        if entry.is_async and not entry.is_generator:
            kind = Kind("coroutine", "coroutine", element=kind)
        return kind


def _split(dotted: str) -> tuple[str, str]:
    head, _, last = dotted.rpartition(".")
    return head, last


def parameters_of(
    entry: FunctionEntry, call: Call, *, bound: bool
) -> Iterator[tuple[str, Expression]]:
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


def _texts(names: Names, scope: FunctionId, call: Call) -> Iterator[str]:
    """The strings that a call's first argument may be: constants, or values of a table."""
    value = call.arguments[0].value if call.arguments else None
    texts: tuple[Expression, ...] = () if value is None else (value,)
    if isinstance(value, Name) and "." not in value.dotted:
        texts = _assigned(names, scope, value.dotted)
    for one in texts:
        table = one.value if isinstance(one, Subscript) else None
        if isinstance(one, Call) and one.method == "get":
            table = one.receiver
        held = () if table is None or not table.path else _assigned(names, scope, table.path)
        items = (item for group in held if isinstance(group, Group) for item in group.items)
        for text in (one, *items):
            if isinstance(text, Constant) and isinstance(text.value, str):
                yield text.value


def _assigned(names: Names, scope: FunctionId, dotted: str) -> tuple[Expression, ...]:
    """What is assigned to a variable, as written."""
    resolved = names.resolve(scope, dotted)
    if resolved is None or resolved.rest or not isinstance(resolved.symbol, Variable):
        return ()
    variable = resolved.symbol
    ways = names.function(variable.scope).bindings.get(variable.name, ())
    return tuple(way.value for way in ways if way.how == "assign" and not way.items)
