"""Which functions are to be read: what the screen could not tell without the link.

The screen takes every `get` for a queue's; here kinds tell whose it is. And a few functions are
read although they hold no word: a coroutine may block its loop by calling a plain helper, a
function may run a callback under a lock, an exception of any name may be a SystemExit.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from drainlint.index.entries import MAIN, MODULE, FunctionEntry
from drainlint.index.screen import Vocabulary
from drainlint.knowledge import CallFacts
from drainlint.link.exits import is_system_exit
from drainlint.link.handed import HANDED_ON, WAITING
from drainlint.link.limits import CLOCKS, is_plain
from drainlint.link.moments import kept
from drainlint.link.names import FunctionId
from drainlint.link.program import WORKER_WORDS, Program
from drainlint.link.roles import HANDLERS
from drainlint.link.underlock import UnderLocks
from drainlint.link.waits import CLIENTS, may_join
from drainlint.model.deadline import Bound
from drainlint.model.expression import Call, Expression, Name
from drainlint.words import (
    BLOCKING,
    BOUNDED,
    HANDLES_SIGNALS,
    IN_A_WORKER,
    ODD_LIMIT,
    ON,
    ON_DRAIN_PATH,
    UNBOUNDED,
    UNDER_A_LOCK,
)

ALL_WAYS = frozenset({BLOCKING, BOUNDED, UNBOUNDED})


class Candidates:
    """Chooses, file by file, what is to be read."""

    def __init__(self, program: Program, vocabulary: Vocabulary, under_locks: UnderLocks) -> None:
        """Take the linked program, the words of its rules, and what knows of locks."""
        self.program = program
        self.vocabulary = vocabulary
        self.under_locks = under_locks
        self._blocking: dict[FunctionId, bool] = {}
        self._waiting: dict[FunctionId, bool] = {}

    def of(self, path: str, screened: Mapping[str, frozenset[str]]) -> frozenset[str]:
        """The names of the functions of one file that are to be read.

        `screened` are those that the screen let through, with their words.
        """
        parts: dict[str, list[FunctionId]] = defaultdict(list)
        module = self.program.names.modules[path]
        for name in module.functions:
            parts[module.reader(name)].append(FunctionId(path, name))
        found = {n for n, words in screened.items() if self._matters(words, parts[n])}
        if MAIN in screened and MODULE in found:
            found.add(MAIN)
        found |= {key.name for key in self._with_others if key.path == path}
        for name, entry in module.functions.items():
            found.update(self._without_words(FunctionId(path, name), entry))
        return frozenset(found)

    def _matters(self, words: frozenset[str], parts: list[FunctionId]) -> bool:
        """Whether a function, its lambdas included, holds the words of a rule."""
        found = {word for part in parts for word in self._of_calls(part)}
        found.update(word for part in parts for word in self._linked(part, words | found))
        return self.vocabulary.matter(words - self._guesses | found)

    def _linked(self, part: FunctionId, found: Collection[str]) -> Iterator[str]:
        if self.program.drain_paths.touches(part):
            yield ON_DRAIN_PATH
        if self.under_locks.locks.may_be_held(part):
            yield UNDER_A_LOCK
        if not WORKER_WORDS.keys().isdisjoint(self.program.roles.of(part)):
            yield IN_A_WORKER
        if HANDLERS & self.program.roles.registered(part):
            yield HANDLES_SIGNALS
        if not self._clocks.isdisjoint(found):
            yield from kept(self.program, part)

    @cached_property
    def _clocks(self) -> frozenset[str]:
        return frozenset(word for verb in CLOCKS for word in self.vocabulary.of_verb(verb, ()))

    @cached_property
    def _guesses(self) -> frozenset[str]:
        """Words of the screen's that guess by a call's name what the link knows."""
        names = WAITING | {"sleep"}
        return frozenset(w for w in self.vocabulary.every if w.partition("(")[0] in names)

    def _of_calls(self, key: FunctionId) -> Iterator[str]:
        for call in self.program.names.function(key).calls:
            named = call.method in WAITING or call.method == "sleep"
            if named or call.receiver is None or any(self.vocabulary.may_do(call)):
                yield from self._does(key, call)

    def _does(self, key: FunctionId, call: Call) -> Iterator[str]:
        known = self.program.facts(key, call)
        if known is None:
            yield from self._guessed(key, call)
            return
        facts, kind = known
        ways = set(self._ways(key, call, facts))
        if kind is not None:
            ways.add(f"{ON}{kind.nature}")
        yield from self.vocabulary.of_verb(facts.does, ways)
        if facts.timeout and not is_plain(self.program, key, call, facts):
            yield ODD_LIMIT
        for runs in facts.runs:
            handed = self._handed(key, call.argument(runs.argument, runs.at))
            if handed is not None:
                yield from self.vocabulary.of_verb(handed.does, ALL_WAYS)

    def _handed(self, key: FunctionId, value: Expression | None) -> CallFacts | None:
        """What is known of a function that a call hands on: `os._exit`, `thread.join`."""
        if value is None:
            return None
        if dotted := self.program.library(key, value.path):
            return self.program.knowledge.call(dotted)
        head, dot, method = value.path.rpartition(".")
        kind = self.program.kinds.of(key, Name(head)) if dot else None
        return self.program.kinds.method_facts(kind, method)

    def _ways(self, key: FunctionId, call: Call, facts: CallFacts) -> Iterator[str]:
        if not facts.asynchronous:
            yield BLOCKING
        if facts.waits or facts.does in CLIENTS:
            deadline = self.program.values.deadline(key, call, facts)
            if not deadline.is_none:
                yield BOUNDED
            if deadline.is_none or deadline.bound is Bound.HANDED_ON:
                yield UNBOUNDED

    def _guessed(self, key: FunctionId, call: Call) -> Iterator[str]:
        """What a call is taken for that no table knows: a pause, a join, a wait by its method."""
        if call.method == "sleep":
            yield call.method
        if call.method in WAITING and call.receiver is not None and not call.is_open:
            joins = call.method == "join" and may_join(self.program, key, call)
            if joins or any(map(self._waits, self.program.graph.targets(key, call))):
                yield from (w for w in self._guesses if w.partition("(")[0] == call.method)

    def _waits(self, key: FunctionId) -> bool:
        """Whether a function may hand on a wait of its own."""
        if key not in self._waiting:
            calls = self.program.names.function(key).calls
            known = (self.program.facts(key, call) for call in calls)
            self._waiting[key] = any(k is not None and k[0].does in HANDED_ON for k in known)
        return self._waiting[key]

    def _without_words(self, key: FunctionId, entry: FunctionEntry) -> Iterator[str]:
        if any(is_system_exit(self.program, key, raised) for raised in entry.raises):
            yield key.name
        if not entry.is_async:
            return
        if entry.awaits and self.program.drain_paths.touches(key):
            yield key.name
        if self._blocks(key, entry) or any(self.under_locks.locks.across_awaits(key)):
            yield key.name
        for callee in self.program.graph.callees.get(key, ()):
            helper = self.program.names.function(callee)
            if callee.path == key.path and not helper.is_async and self._blocks(callee, helper):
                yield key.name

    def _blocks(self, key: FunctionId, entry: FunctionEntry) -> bool:
        if key not in self._blocking:
            self._blocking[key] = self._has_blocking_call(key, entry)
        return self._blocking[key]

    def _has_blocking_call(self, key: FunctionId, entry: FunctionEntry) -> bool:
        for call in entry.calls:
            if call.receiver is not None and call.method not in self._blocking_names:
                continue
            known = self.program.facts(key, call)
            if known is None or known[0].asynchronous:
                continue
            if _may_block(known[0]):
                return True
        return False

    @cached_property
    def _blocking_names(self) -> frozenset[str]:
        """The last names of all methods that may block."""
        calls = self.program.knowledge.calls
        return frozenset(n.rpartition(".")[2] for n, facts in calls.items() if _may_block(facts))

    @cached_property
    def _with_others(self) -> frozenset[FunctionId]:
        return frozenset(self.under_locks.with_others())


def _may_block(facts: CallFacts) -> bool:
    return facts.blocks or facts.waits or facts.does == "sleep"
