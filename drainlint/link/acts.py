"""What the methods of a class do with its attributes: start, stop, join, set, read, submit.

Calls are resolved through local names (`worker = self.worker`), loops (`for t in self.threads`),
containers (`list(self.tasks.values())`), and one step into a helper that an attribute is handed to.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from drainlint.index.entries import Binding, FunctionEntry
from drainlint.link.names import ClassId, FunctionId
from drainlint.link.verbs import METHODS, VERBS, Done, Verbs, act_of
from drainlint.model.deadline import FOREVER
from drainlint.model.expression import (
    Arithmetic,
    Await,
    Call,
    Comprehension,
    Conditional,
    Constant,
    Expression,
    Group,
    Logic,
    Name,
    Starred,
    Subscript,
    Walrus,
)
from drainlint.model.place import Place

STEPS = 4
"""How many names, loops and containers lie between an attribute and its use at most."""
LOOKS = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter", "filter", "enumerate"})
"""Functions whose result holds what their last argument holds."""
OPENS = frozenset({"values", "items", "copy", "pop", "get", "popleft", "popitem"})
"""Methods of a container that give what it holds."""


@dataclass(frozen=True, slots=True)
class Acts(Verbs):
    """Finds what is done to the attributes of one class."""

    key: ClassId

    def inside(self) -> Iterator[Done]:
        """What the class's own methods and those of its bases do."""
        for one in self.graph.classes.project_line(self.key):
            for function, entry in self.graph.classes.members(one):
                me = self.graph.classes.self_name(function)
                if me:
                    yield from self._of(function, entry, me)

    def outside(self, function: FunctionId, call: Call) -> Iterator[Done]:
        """What a call outside the class does to an instance, or to an attribute of one."""
        receiver = call.receiver
        path = "" if receiver is None else receiver.path
        if not path:
            return
        if self._is_instance(function, path):
            yield from self.called(function, call, "self")
            return
        head, dot, attribute = path.rpartition(".")
        if dot and self._is_instance(function, head):
            yield from self.called(function, call, attribute)

    def _is_instance(self, function: FunctionId, path: str) -> bool:
        if path == self.graph.classes.self_name(function):
            return False
        found = self.graph.kinds.project_class(self.graph.kinds.of(function, Name(path)))
        if found is None:
            return False
        line = self.graph.classes.project_line
        return self.key in line(found) or found in line(self.key)

    # Calls

    def _of(self, function: FunctionId, entry: FunctionEntry, me: str) -> Iterator[Done]:
        for call in entry.calls:
            receiver = call.receiver
            own = receiver is not None and receiver.path == me
            if own and call.method in ("start", "join", "terminate", "kill"):
                yield from self.called(function, call, "self")
            attributes = self.attributes(entry, me, receiver)
            for attribute in attributes:
                yield from self.called(function, call, attribute)
            if not attributes:
                yield from self._given(function, entry, me, call)
        for awaited in entry.awaits:
            act = act_of(function, awaited.place, f"await {awaited.value.text}", FOREVER)
            for attribute in self.attributes(entry, me, awaited.value):
                yield Done(attribute, "join", act)
        for entered in entry.entered:
            place = Place(entered.first_line, 1, entered.first_line, 0)
            act = act_of(function, place, f"with {entered.value.text}", None)
            for attribute in self.attributes(entry, me, entered.value):
                yield Done(attribute, "enter", act)
        yield from self._kept(function, entry, me)

    def _kept(self, function: FunctionId, entry: FunctionEntry, me: str) -> Iterator[Done]:
        """Methods that are kept under a name to be called later: `stopped = self.done.is_set`."""
        for name, ways in entry.bindings.items():
            for way in ways:
                head, _, method = way.value.path.rpartition(".")
                start, dot, attribute = head.partition(".")
                if start != me or not dot or "." in attribute:
                    continue
                act = act_of(
                    function, Place(way.line, 1, way.line, 0), f"{name} = {way.value.text}", None
                )
                for word in METHODS.get(method, ()):
                    if word in ("set", "read"):
                        yield Done(attribute, word, act)

    def _given(
        self, function: FunctionId, entry: FunctionEntry, me: str, call: Call
    ) -> Iterator[Done]:
        """What a function does to the attributes that it is given: `gather(*self.tasks)`."""
        given = dict.fromkeys(
            name for a in call.arguments for name in self.attributes(entry, me, a.value)
        )
        known = self.graph.kinds.facts(function, call) if given else None
        if known is not None:
            facts = known[0]
            words = ("join",) if facts.does == "bound" else VERBS.get(facts.does, ())
            deadline = self.deadline(function, call, facts) if "join" in words else None
            act = act_of(function, call.place, call.text, deadline)
            for attribute in given:
                for word in words:
                    if word in ("join", "stop"):
                        yield Done(attribute, word, act, call)
        if given:
            yield from self._helped(function, entry, me, call)
        yield from self._handed(function, me, call)

    def _handed(self, function: FunctionId, me: str, call: Call) -> Iterator[Done]:
        """Methods that are handed on: `add_signal_handler(SIGTERM, self.stop.set)`."""
        for argument in call.arguments:
            head, _, method = argument.value.path.rpartition(".")
            start, dot, attribute = head.partition(".")
            if start != me or not dot or "." in attribute:
                continue
            for word in METHODS.get(method, ()):
                deadline = FOREVER if word == "join" else None
                act = act_of(function, call.place, call.text, deadline)
                yield Done(attribute, word, act, call)

    def _helped(
        self, function: FunctionId, entry: FunctionEntry, me: str, call: Call
    ) -> Iterator[Done]:
        """What a helper, or a function that is started, does to what it is given."""
        known = self.graph.kinds.facts(function, call)
        targets = [*self.graph.targets(function, call)]
        for runs in known[0].runs if known is not None else ():
            handed = call.argument(runs.argument, runs.at)
            targets += () if handed is None else self.graph.named(function, handed)
        for target in targets:
            helper = self.graph.names.function(target)
            for name, passed in self.graph.kinds.arguments.get(target, {}).items():
                given = [self.attributes(entry, me, v) for f, v in passed if f == function]
                for attribute in dict.fromkeys(a for attributes in given for a in attributes):
                    for inner in helper.calls:
                        if self._names(helper, inner.receiver, name):
                            yield from self.called(target, inner, attribute)

    def _names(self, entry: FunctionEntry, value: Expression | None, name: str) -> bool:
        """Whether an expression is what a local name holds, or an element of it."""
        if value is None or not value.path or "." in value.path:
            return False
        ways = entry.bindings.get(value.path, ())
        return value.path == name or any(
            way.how == "each" and any(e.path == name for e in way.value.walk()) for way in ways
        )

    # Attributes

    def attributes(
        self, entry: FunctionEntry, me: str, value: Expression | None, steps: int = 0
    ) -> tuple[str, ...]:
        """The attributes that an expression is, or takes something out of."""
        if value is None or steps > STEPS:
            return ()
        path = value.path
        if path:
            head, dot, attribute = path.partition(".")
            if dot:
                return (attribute,) if head == me and "." not in attribute else ()
            return self._local(entry, me, path, steps)
        found = (a for part in _held_in(value) for a in self.attributes(entry, me, part, steps + 1))
        return tuple(dict.fromkeys(found))

    def _local(self, entry: FunctionEntry, me: str, name: str, steps: int) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for way in entry.bindings.get(name, ()):
            value = way.value
            if way.how not in ("assign", "each", "enter"):
                continue
            if isinstance(value, Group) and way.items and way.items[0] < len(value.items):
                value = value.items[way.items[0]]
            found.update(dict.fromkeys(self.attributes(entry, me, value, steps + 1)))
        for path, ways in entry.bindings.items():
            head, _, attribute = path.partition(".")
            if head == me and attribute and "." not in attribute and _is_put(entry, ways, name):
                found[attribute] = None
        return tuple(found)


def _held_in(value: Expression) -> tuple[Expression, ...]:
    """The expressions that an expression is one of, or takes something out of."""
    match value:
        case Await(value=inner) | Walrus(value=inner) | Starred(value=inner):
            return (inner,)
        case Subscript(value=inner):
            return (inner,)
        case Conditional(body=body, otherwise=otherwise):
            return (body, otherwise)
        case Logic(values=values):
            return values
        case Group(items=items):
            return items
        case Arithmetic(left=Expression() as left, operator="+", right=right):
            return (left, right)
        case Comprehension(element=element, clauses=clauses):
            # `[t.join for t in self.threads]` is no use of what it loops over
            return tuple(c.iterable for c in clauses) if isinstance(element, Name | Call) else ()
        case Call() if value.method in LOOKS and value.arguments:
            return (value.arguments[-1].value,)
        case Call() if value.method in OPENS and value.receiver is not None:
            return (value.receiver,)
        case Call() if value.method in ("shield", "ref", "cast") and value.arguments:
            return (value.arguments[-1].value,)
    return ()


def _is_put(entry: FunctionEntry, ways: Iterable[Binding], name: str) -> bool:
    """Whether what a local name holds is put where these bindings lead.

    `self.worker = worker`, `self.workers.append(worker)`, `worker = self.worker = Thread()`.
    """
    made = [way.value for way in entry.bindings.get(name, ()) if isinstance(way.value, Call)]
    return any(
        any(part.path == name for part in (way.value, *way.value.parts)) or way.value in made
        for way in ways
        if way.how in ("assign", "element") and not isinstance(way.value, Comprehension)
    )


def is_marker(call: Call) -> bool:
    """Whether a call puts an end marker: None, or a constant in capitals."""
    given = call.arguments[0].value if call.arguments else None
    if isinstance(given, Constant):
        return given.value is None
    last = "" if given is None else given.path.rpartition(".")[2].lstrip("_")
    return bool(last) and last.isupper()
