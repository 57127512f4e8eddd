"""Which functions are to be read: what the screen could not tell without the link.

The screen takes every `get` for a queue's; here kinds tell whose it is. And a few functions are
read although they hold no word: a coroutine may block its loop by calling a plain helper, a
function may run a callback under a lock, an exception of any name may be a SystemExit.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from drainlint.index.entries import MAIN, MODULE, FunctionEntry
from drainlint.index.screen import ON_DRAIN_PATH, UNDER_A_LOCK, VERB, Vocabulary
from drainlint.link.exits import is_system_exit
from drainlint.link.names import FunctionId
from drainlint.link.program import Program
from drainlint.link.underlock import UnderLocks
from drainlint.model.expression import Call


class Candidates:
    """Chooses, file by file, what is to be read."""

    def __init__(self, program: Program, vocabulary: Vocabulary, under_locks: UnderLocks) -> None:
        """Take the linked program, the words of its rules, and what knows of locks."""
        self.program = program
        self.vocabulary = vocabulary
        self.under_locks = under_locks

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
        found = {verb for part in parts for verb in self._verbs(part)}
        if any(self.program.drain_paths.touches(part) for part in parts):
            found.add(ON_DRAIN_PATH)
        if any(self.under_locks.locks.may_be_held(part) for part in parts):
            found.add(UNDER_A_LOCK)
        return self.vocabulary.matter(words | found)

    def _verbs(self, key: FunctionId) -> Iterator[str]:
        for call in self.program.names.function(key).calls:
            if call.receiver is None or any(self.vocabulary.may_do(call)):
                yield from self._does(key, call)

    def _does(self, key: FunctionId, call: Call) -> Iterator[str]:
        known = self.program.facts(key, call)
        if known is None:
            return
        yield VERB + known[0].does
        if known[0].runs:
            yield from self.vocabulary.may_do(call)

    def _without_words(self, key: FunctionId, entry: FunctionEntry) -> Iterator[str]:
        if any(is_system_exit(self.program, key, raised) for raised in entry.raises):
            yield key.name
        if not entry.is_async:
            return
        if entry.awaits and self.program.drain_paths.touches(key):
            yield key.name
        if self._blocks(key, entry):
            yield key.name
        for callee in self.program.graph.callees.get(key, ()):
            helper = self.program.names.function(callee)
            if callee.path == key.path and not helper.is_async and self._blocks(callee, helper):
                yield key.name

    def _blocks(self, key: FunctionId, entry: FunctionEntry) -> bool:
        for call in entry.calls:
            known = self.program.facts(key, call)
            if known is None or known[0].asynchronous:
                continue
            if known[0].blocks or known[0].waits or known[0].does == "sleep":
                return True
        return False

    @cached_property
    def _with_others(self) -> frozenset[FunctionId]:
        return frozenset(self.under_locks.with_others())
