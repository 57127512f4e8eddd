"""What a test asks about: a queue, a flag, somebody's liveness, the world outside."""

from collections.abc import Iterator

from drainlint.link.names import FunctionId
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
STATUS = frozenset({"exitcode", "returncode"})
BY_METHOD = {
    "qsize": "queue",
    "is_alive": "liveness",
    "isAlive": "liveness",
    "is_set": "flag",
    "isSet": "flag",
    "locked": "flag",
    "unfinished_tasks": "queue",
}
"""Methods whose name is rare enough to tell, where the thing itself is not known."""
HOPS = 2


class Questions:
    """Finds the questions in the tests of one function."""

    def __init__(self, program: Program, key: FunctionId, hops: int = 0) -> None:
        """Ask for tests written in the function `key`."""
        self.program = program
        self.key = key
        self.hops = hops

    def all(self, test: Expression, where: str, place: Place) -> Iterator[Question]:
        """Every question of a test, in source order; `place` serves those that have none."""
        for part in self._atoms(test):
            found = self.question(part, where, place)
            if found is not None:
                yield found

    def _atoms(self, test: Expression) -> Iterator[Expression]:
        match test:
            case Logic() | Compare() | Arithmetic() | Conditional() | Not() | Await() | Walrus():
                if isinstance(test, Compare) and self._is_status(test):
                    yield test
                    return
                for part in test.parts:
                    yield from self._atoms(part)
            case Call() if test.func.path in ("any", "all", "sum", "bool", "int", "list") and test.arguments:
                for argument in test.arguments:
                    yield from self._atoms(argument.value)
            case Call() if test.func.path == "len" and test.arguments:
                inner = test.arguments[0].value
                if isinstance(inner, Comprehension):
                    yield from self._atoms(inner)
                else:
                    yield test
            case Comprehension():
                for clause in test.clauses:
                    for condition in clause.conditions:
                        yield from self._atoms(condition)
                yield from self._atoms(test.element)
            case _:
                yield test

    def _is_status(self, test: Compare) -> bool:
        """`p.poll() is None`, `p.exitcode is None`."""
        right = test.rights[0]
        if not (isinstance(right, Constant) and right.value is None):
            return False
        left = test.left
        if isinstance(left, Call):
            return left.method == "poll"
        return left.path.rpartition(".")[2] in STATUS

    def question(
        self, part: Expression, where: str = "condition", place: Place | None = None
    ) -> Question | None:
        """The question that one atom of a test asks; None for what asks nothing known."""
        place = place or Place(0, 0, 0, 0)
        match part:
            case Compare():
                return self._status(part, where, place)
            case Call():
                return self._called(part, where)
            case Subscript(value=value) if value.path and self.program.is_shared(self.key, value.path):
                return Question("flag", part.text, place, value.path, where)
            case Attribute():
                return Question("flag", part.text, place, part.value.text, where, certain=False)
            case Name(dotted=path):
                return self._named(path, where, place)
        return None

    def _status(self, test: Compare, where: str, place: Place) -> Question | None:
        left = test.left
        if isinstance(left, Call):
            kind = None if left.receiver is None else self.program.kinds.of(self.key, left.receiver)
            if kind is not None and kind.nature not in PROCESSES:
                return None
            subject = "" if left.receiver is None else left.receiver.text
            looks = kind is not None or "proc" in subject.lower() or "child" in subject.lower()
            return Question("liveness", test.text, left.place, subject, where, certain=looks)
        return Question("liveness", test.text, place, left.path.rpartition(".")[0], where)

    def _called(self, call: Call, where: str) -> Question | None:
        if call.func.path == "len" and call.arguments:
            inner = call.arguments[0].value
            kind = self.program.kinds.of(self.key, inner)
            sort = "queue" if kind is not None and kind.nature in QUEUES else "flag"
            if sort == "flag" and not (inner.path and self.program.is_shared(self.key, inner.path)):
                return None
            return Question(sort, call.text, call.place, inner.text, where)
        subject = "" if call.receiver is None else call.receiver.text
        known = self.program.facts(self.key, call)
        if known is not None and known[0].asks:
            return Question(known[0].asks, call.text, call.place, subject, where)
        if known is None and call.method in BY_METHOD and subject and not call.arguments:
            targets = self.program.graph.targets(self.key, call)
            if not targets:
                return Question(BY_METHOD[call.method], call.text, call.place, subject, where)
        return self._through(call, where, subject)

    def _through(self, call: Call, where: str, subject: str) -> Question | None:
        """A method of the project that does nothing but ask: `return not self._queue.empty()`."""
        if self.hops >= HOPS or call.arguments:
            return None
        for target in self.program.graph.targets(self.key, call):
            entry = self.program.names.function(target)
            if len(entry.results) != 1 or len(entry.calls) > 2 or entry.is_async:  # noqa: PLR2004 - more than a question
                continue
            inner = Questions(self.program, target, self.hops + 1)
            for found in inner.all(entry.results[0], where, call.place):
                return Question(found.sort, call.text, call.place, subject, where, found.certain)
        return None

    def _named(self, path: str, where: str, place: Place) -> Question | None:
        head, _, last = path.rpartition(".")
        if last in STATUS and head:
            return Question("liveness", path, place, head, where)
        if last == "unfinished_tasks":
            return Question("queue", path, place, head, where)
        kind: Kind | None = self.program.kinds.of(self.key, Name(path))
        if kind is not None and kind.nature in QUEUES:
            return Question("queue", path, place, path, where)
        if kind is not None and kind.nature in ("class", "function", "module"):
            return None
        if self.program.library(self.key, path) or not self.program.is_shared(self.key, path):
            return None
        return Question("flag", path, place, path, where)
