"""What a test asks about: a queue, a flag, somebody's liveness, the world outside."""

from collections.abc import Iterator
from dataclasses import replace

from drainlint.knowledge import CallFacts
from drainlint.knowledge.names import named
from drainlint.link.calls import is_told_not_to_wait
from drainlint.link.lookups import OUTSIDE, looks_up, reaches_outside, tells_the_time
from drainlint.link.names import FunctionId
from drainlint.link.origins import ways
from drainlint.link.program import Program
from drainlint.model.expression import (
    Arithmetic,
    Attribute,
    Await,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Constant,
    Expression,
    Logic,
    Name,
    Not,
    Subscript,
    Walrus,
)
from drainlint.model.kind import Kind
from drainlint.model.loop import Question
from drainlint.model.place import Place

QUEUES = frozenset({"queue", "aio-queue", "deque"})
PROCESSES = frozenset({"process", "popen", "aio-process", "thread", "greenlet"})
KINDS_OF_NAMES = frozenset({"class", "function", "module"})
"""Natures of what a name stands for where it is no thing that changes."""
HOPS = 2


def is_room(test: Expression, where: str, question: Question | None = None) -> bool:
    """Whether a test asks if something has room: its size against a limit that is not 0."""
    if not isinstance(test, Compare) or not isinstance(test.left, Call):
        return False
    grows = {"condition": (">", ">="), "take": (">", ">="), "exit": ("<", "<=")}[where]
    size, (sign, *more), (limit, *_) = test.left, test.operators, test.rights
    if more or sign not in grows or not named("size", size.method):
        return False
    if question is not None and question.text not in {e.text for e in size.walk()}:
        return False
    return not (isinstance(limit, Constant) and limit.value in (0, 1))


def _asks_inside(value: Expression) -> bool:
    """Whether a part of an answer is looked at: `get(url).json()["status"]`."""
    return isinstance(value, Call | Subscript | Await | Attribute) and any(
        isinstance(e, Call) for e in value.walk()
    )


def _about(call: Call) -> Iterator[Expression]:
    """What a call is made on, and what it is given."""
    if call.receiver is not None:
        yield call.receiver
    yield from (argument.value for argument in call.arguments)


def _is_parents(program: Program, key: FunctionId, part: Expression) -> bool:
    """Whether what is asked about is the process that started this one."""
    named_here = (e for call in part.walk() if isinstance(call, Call) for e in _about(call))
    held = (
        value
        for e in named_here
        for value in (e, *(way.value for _, way in ways(program, key, e.path)))
    )
    return any(
        isinstance(inner, Call)
        and (known := program.facts(key, inner)) is not None
        and known[0].asks == "parent"
        for value in held
        for inner in value.walk()
    )


def _is_set(program: Program, key: FunctionId, call: Call, of: str) -> bool:
    """Whether another function of one's own class sets the attribute that a call asks for."""
    owner = program.classes.owner(key)
    name = call.argument("name", 1)
    if owner is None or of != program.classes.self_name(key):
        return False
    if not isinstance(name, Constant) or not isinstance(name.value, str):
        return False
    return any(one != key for one, _ in program.classes.bindings(owner, name.value))


def _is_mapping(program: Program, key: FunctionId, call: Call) -> bool:
    """Whether a mapping in memory is asked: `self.replies.get(number)`."""
    kind = None if call.receiver is None else program.kinds.of(key, call.receiver)
    return kind is not None and kind.nature == "dict"


def _rare(method: str) -> str:
    """What a method asks whose name is rare enough to tell by itself; empty for any other."""
    sorts = ("asks-queue", "queue"), ("asks-liveness-alone", "liveness"), ("asks-flag", "flag")
    return next((asked for sort, asked in sorts if named(sort, method)), "")


def _is_probe(call: Call) -> bool:
    """`os.kill(pid, 0)` sends nothing: it asks whether the process is there."""
    sent = call.argument("signal", 1)
    return isinstance(sent, Constant) and sent.value == 0


class Questions:
    """Finds the questions in the tests of one function."""

    def __init__(self, program: Program, key: FunctionId, hops: int = 0) -> None:
        """Ask for tests written in the function `key`."""
        self.program = program
        self.key = key
        self.hops = hops

    def all(self, test: Expression, where: str, place: Place) -> Iterator[Question]:
        """Every question of a test, in source order; `place` serves those that have none."""
        for part, compared in self._atoms(test):
            found = self.question(part, where, place)
            if (
                found is not None
                and found.sort == "liveness"
                and _is_parents(self.program, self.key, part)
            ):
                found = replace(found, sort="parent")
            if found is not None:
                room = compared is not None and is_room(compared, where, found)
                yield replace(found, room=True) if room else found

    def _atoms(
        self, test: Expression, around: Compare | None = None
    ) -> Iterator[tuple[Expression, Compare | None]]:
        """The smallest parts of a test, each with the comparison it stands in."""
        match test:
            case Await(value=value):
                yield from self._atoms(value, around)
            case Compare() if self._is_status(test):
                yield test, around
            case Logic() | Compare() | Arithmetic() | Conditional() | Not() | Await() | Walrus():
                inside = test if isinstance(test, Compare) else around
                for part in test.parts:
                    yield from self._atoms(part, inside)
            case Call(receiver=None) if named("passes-on", test.func.path) and test.arguments:
                for argument in test.arguments:
                    yield from self._atoms(argument.value, around)
            case Call(receiver=Expression() as receiver) if named("compares-sets", test.method):
                for compared in (receiver, *(a.value for a in test.arguments)):
                    yield from self._atoms(compared, around)
            case Call(receiver=Expression() as receiver) if (
                named("views", test.method) and not test.arguments
            ):
                yield from self._atoms(receiver, around)
            case Call() if test.func.path == "len" and test.arguments:
                inner = test.arguments[0].value
                if isinstance(inner, Comprehension | Call):
                    yield from self._atoms(inner, around)
                else:
                    yield test, around
            case Comprehension():
                for clause in test.clauses:
                    if isinstance(clause.iterable, Call):
                        yield from self._atoms(clause.iterable, around)
                    for condition in clause.conditions:
                        yield from self._atoms(condition, around)
                yield from self._atoms(test.element, around)
            case _:
                yield test, around

    def _is_status(self, test: Compare) -> bool:
        """`p.poll() is None`, `p.exitcode is None`."""
        right = test.rights[0]
        if not (isinstance(right, Constant) and right.value is None):
            return False
        left = test.left.value if isinstance(test.left, Await) else test.left
        if isinstance(left, Call):
            return left.method == "poll"
        return named("exit-status", left.path)

    def question(
        self, part: Expression, where: str = "condition", place: Place | None = None
    ) -> Question | None:
        """The question that one atom of a test asks; None for what asks nothing known."""
        place = place or Place(0, 0, 0, 0)
        match part:
            case Await(value=value):
                return self.question(value, where, place)
            case Compare():
                return self._status(part, where, place)
            case Attribute(value=Call(receiver=Expression() as receiver), name=name) if named(
                "asks-queue", name
            ):
                return Question("queue", part.text, place, receiver.text, where)
            case Call(func=Attribute(value=Call() as inner)) if named("unpacks", part.method):
                found = self.question(inner, where, place)
                getter = found is None and named("looks-up", part.method)
                return self._called(part, where) if getter else found
            case Attribute(value=value, name=name) if _asks_inside(value) and named(
                "asks-liveness", name
            ):
                asked = self.question(value, where, place)
                return asked or Question("liveness", part.text, place, "", where, certain=False)
            case Subscript(value=value) | Attribute(value=value) if _asks_inside(value):
                return self.question(value, where, place)
            case Call():
                return self._called(part, where)
            case Subscript(value=value) if value.path and self.program.is_shared(
                self.key, value.path
            ):
                return Question("flag", part.text, place, value.path, where)
            case Attribute():
                return Question("flag", part.text, place, part.value.text, where, certain=False)
            case Name(dotted=path):
                return self._named(path, where, place)
        return None

    def _status(self, test: Compare, where: str, place: Place) -> Question | None:
        left = test.left.value if isinstance(test.left, Await) else test.left
        if isinstance(left, Call):
            kind = None if left.receiver is None else self.program.kinds.of(self.key, left.receiver)
            if kind is not None and kind.nature not in PROCESSES and not kind.is_project:
                return None
            subject = "" if left.receiver is None else left.receiver.text
            looks = kind is not None or "proc" in subject.lower() or "child" in subject.lower()
            return Question("liveness", test.text, left.place, subject, where, certain=looks)
        return Question("liveness", test.text, place, left.path.rpartition(".")[0], where)

    def _called(self, call: Call, where: str) -> Question | None:
        if call.func.path == "len" and call.arguments:
            return self._length(call, where)
        if call.func.path in ("hasattr", "getattr") and call.arguments and where != "body":
            return self._attribute(call, where)
        subject = "" if call.receiver is None else call.receiver.text
        known = self.program.facts(self.key, call)
        if self._is_anybody(subject):
            return Question("everything", call.text, call.place, subject, where)
        if known is not None and known[0].does == "kill" and not _is_probe(call):
            return None
        if known is not None and known[0].asks:
            room = call.method == "full"
            return Question(known[0].asks, call.text, call.place, subject, where, room=room)
        if known is not None and known[0].does in OUTSIDE:
            return Question("external", call.text, call.place, subject, where)
        if known is not None:
            return self._probe(call, where, subject, known[0])
        return self._unknown(call, where, subject)

    def _is_anybody(self, subject: str) -> bool:
        """Whether a name stands for each of those that the runtime knows of."""
        ways = self.program.names.function(self.key).bindings.get(subject, ())
        return any(
            way.how == "each"
            and isinstance(part, Call)
            and (known := self.program.facts(self.key, part)) is not None
            and known[0].asks == "everything"
            for way in ways
            for part in way.value.walk()
        )

    def _probe(self, call: Call, where: str, subject: str, facts: CallFacts) -> Question | None:
        """`stop.wait(0)`, `t.join(0)`, `waitpid(pid, WNOHANG)`: a wait that does not wait asks."""
        if facts.does == "wait" and is_told_not_to_wait(call):
            return Question("liveness", call.text, call.place, subject, where)
        if facts.does not in ("wait", "join"):
            return None
        if not self.program.values.deadline(self.key, call, facts).polls:
            return None
        return Question(
            "flag" if facts.does == "wait" else "liveness", call.text, call.place, subject, where
        )

    def _attribute(self, call: Call, where: str) -> Question | None:
        """`hasattr(self, "result")`: whether somebody has set it."""
        of = call.arguments[0].value.path
        if not of:
            return None
        return Question(
            "flag",
            call.text,
            call.place,
            of,
            where,
            certain=_is_set(self.program, self.key, call, of),
        )

    def _length(self, call: Call, where: str) -> Question | None:
        inner = call.arguments[0].value
        kind = self.program.kinds.of(self.key, inner)
        sort = "queue" if kind is not None and kind.nature in QUEUES else "flag"
        if sort == "flag" and not (inner.path and self.program.is_shared(self.key, inner.path)):
            return None
        return Question(sort, call.text, call.place, inner.text, where)

    def _unknown(self, call: Call, where: str, subject: str) -> Question | None:
        """What a call asks that the tables do not know: by what it comes to, else by its name.

        What stands alone as a statement (`body`) asks nothing: nobody looks at the answer.
        """
        if where == "body":
            return None
        targets = self.program.graph.targets(self.key, call)
        if targets and all(tells_the_time(self.program, target) for target in targets):
            return None
        if not targets and subject and not call.arguments and (sort := _rare(call.method)):
            return Question(sort, call.text, call.place, subject, where)
        through = self._through(call, where, subject)
        if (
            named("asks-liveness", call.method)
            and subject
            and (through is None or through.sort == "flag")
        ):
            return Question(
                "liveness", call.text, call.place, subject, where, certain=bool(targets)
            )
        if through is not None:
            return through
        if (
            not targets
            and subject
            and not call.arguments
            and named("asks-queue-perhaps", call.method)
        ):
            return Question("queue", call.text, call.place, subject, where, certain=False)
        if not targets and subject and named("asks-outside", call.method):
            return Question("external", call.text, call.place, subject, where, certain=False)
        asks_for_it = named("looks-up", call.method) and where != "take"
        fetches = bool(targets) and where != "take" and all(self._fetches(t) for t in targets)
        asks = asks_for_it or named("predicate", call.method) or fetches
        given = self.program.names.resolve(self.key, call.func.path) is not None
        if not (subject or targets or given) or not asks:
            return None
        outside = any(reaches_outside(self.program, t) for t in targets) or (
            asks_for_it and (not targets or named("looks-up-outside", call.method))
        )
        sort = "external" if outside and not _is_mapping(self.program, self.key, call) else "flag"
        return Question(sort, call.text, call.place, subject, where, certain=bool(targets))

    def _fetches(self, target: FunctionId) -> bool:
        """Whether a function of the project, whatever its name, gives what it looked up outside."""
        return reaches_outside(self.program, target) and looks_up(self.program, target)

    def _through(self, call: Call, where: str, subject: str) -> Question | None:
        """A method of the project that does nothing but ask: `return not self._queue.empty()`."""
        if self.hops >= HOPS or call.arguments:
            return None
        for target in self.program.graph.targets(self.key, call):
            entry = self.program.names.function(target)
            if len(entry.results) != 1 or len(entry.calls) > 2 or entry.is_async:  # noqa: PLR2004 - more than a question
                continue
            if any("." in bound for bound in entry.bindings):  # it moves something on
                continue
            inner = Questions(self.program, target, self.hops + 1)
            for found in inner.all(entry.results[0], where, call.place):
                return replace(found, text=call.text, place=call.place, subject=subject)
        return None

    def _named(self, path: str, where: str, place: Place) -> Question | None:
        head, _, last = path.rpartition(".")
        if named("exit-status", last) and head:
            return Question("liveness", path, place, head, where)
        if named("asks-queue", last):
            return Question("queue", path, place, head, where)
        kind: Kind | None = self.program.kinds.of(self.key, Name(path))
        if kind is not None and kind.nature in QUEUES:
            return Question("queue", path, place, path, where)
        asked = self._property(path, where, place)
        if asked is not None or (kind is not None and kind.nature in KINDS_OF_NAMES):
            return asked
        if self.program.library(self.key, path) or not self.program.is_shared(self.key, path):
            return None
        return Question("flag", path, place, path, where, certain=not self._is_made_for_class(path))

    def _is_made_for_class(self, path: str) -> bool:
        """Whether a call in the body of a class made an attribute: reading it may run anything."""
        me, _, name = path.partition(".")
        owner = self.program.classes.owner(self.key)
        if owner is None or me != self.program.classes.self_name(self.key):
            return False
        return any(
            isinstance(way.value, Call)
            for one in self.program.classes.project_line(owner)
            for way in self.program.names.klass(one).bindings.get(name, ())
        )

    def _property(self, path: str, where: str, place: Place) -> Question | None:
        """A property of the project's own: what its result asks."""
        head = path.rpartition(".")[0]
        if not head or self.hops >= HOPS:
            return None
        call = Call(Name(path), (), place)
        for target in self.program.graph.targets(self.key, call):
            entry = self.program.names.function(target)
            if not any(
                d.path.rpartition(".")[2] in ("property", "cached_property")
                for d in entry.decorators
            ):
                continue
            inner = Questions(self.program, target, self.hops + 1)
            asked = (q for r in entry.results[:1] for q in inner.all(r, where, place))
            found = next(asked, None)
            sure = all(self.program.facts(target, c) is not None for c in entry.calls)
            if found is not None and len(entry.results) == 1:
                return replace(found, text=path, subject=head, certain=found.certain and sure)
            return Question("flag", path, place, path, where, certain=sure)
        return None
