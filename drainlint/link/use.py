"""What things are used as: the methods that are called on a name, and the types that have them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from drainlint.finding import Confidence
from drainlint.index.entries import MODULE, FunctionEntry
from drainlint.knowledge import Knowledge, TypeFacts
from drainlint.link.classes import Classes, uses
from drainlint.link.names import FunctionId, Names, Variable
from drainlint.model.kind import Kind


class Use:
    """Answers what names are used as."""

    def __init__(self, names: Names, classes: Classes, knowledge: Knowledge) -> None:
        """Take the project's names and classes, and what is known of libraries."""
        self.names = names
        self.classes = classes
        self.knowledge = knowledge
        self._own: dict[frozenset[str], bool] = {}
        self._used: dict[FunctionId, Mapping[str, AbstractSet[str]]] = {}

    def of_name(self, scope: FunctionId, dotted: str) -> AbstractSet[str]:
        """The methods called on a name where it is bound, and in what is nested in there.

        `ready = self.handler.event_object()`: a callback sets it, and the function waits for it.
        """
        resolved = self.names.resolve(scope, dotted)
        symbol = resolved.symbol if resolved is not None else None
        home = symbol.scope if isinstance(symbol, Variable) else scope
        if not self.names.is_function(home):
            home = scope
        if home not in self._used:
            nested = (self.names.function(key) for key in self.nested(home))
            self._used[home] = _methods_used(self.names.function(home), nested)
        return self._used[home].get(dotted, frozenset())

    def nested(self, key: FunctionId) -> Sequence[FunctionId]:
        """The functions nested in a function, directly or not."""
        return self._nested.get(key, ())

    @cached_property
    def _nested(self) -> Mapping[FunctionId, list[FunctionId]]:
        found: dict[FunctionId, list[FunctionId]] = defaultdict(list)
        for key, _ in self.names.functions():
            outer = self.names.enclosing(key)
            while outer.name != MODULE and self.names.is_function(outer):
                found[outer].append(key)
                outer = self.names.enclosing(outer)
        return dict(found)

    def as_what(self, used: AbstractSet[str]) -> Kind | None:
        """The type that has these methods, as far as the tables tell."""
        if not used:
            return None
        matching = [
            (len(methods), facts)
            for word in used & self._types.keys()
            for methods, facts in self._types[word]
            if methods <= used and not self._is_of_the_project(methods)
        ]
        if not matching:
            return None
        _, facts = max(matching, key=lambda m: (m[0], m[1].name))
        return Kind(facts.name, facts.nature, evidence=Confidence.MEDIUM)

    def _is_of_the_project(self, methods: frozenset[str]) -> bool:
        """Whether a class of the project has these methods as well: then its things are used."""
        if methods not in self._own:
            first, *others = methods
            owners = (self.classes.owner(f) for f in self.classes.methods_called(first))
            self._own[methods] = any(
                owner is not None and all(self.classes.method(owner, name) for name in others)
                for owner in owners
            )
        return self._own[methods]

    @cached_property
    def _types(self) -> Mapping[str, list[tuple[frozenset[str], TypeFacts]]]:
        table: dict[str, list[tuple[frozenset[str], TypeFacts]]] = defaultdict(list)
        for facts in self.knowledge.types.values():
            for methods in facts.used_as:
                for method in methods:
                    table[method].append((frozenset(methods), facts))
        return table


def _methods_used(
    entry: FunctionEntry, nested: Iterable[FunctionEntry]
) -> Mapping[str, AbstractSet[str]]:
    """The methods called in a function, and in those nested in it, on each name or attribute."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in (entry, *nested):
        own = set() if one is entry else {*one.bindings, *(p.name for p in one.parameters)}
        for call in one.calls:
            head, dot, _ = call.func.path.rpartition(".")
            if dot and head.partition(".")[0] not in own:
                found[head].update(uses(call, one))
    return found
