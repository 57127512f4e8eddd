"""What is tried until it succeeds: a probe of the world outside, or a claim on what is taken."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drainlint.knowledge.names import named
from drainlint.link.calls import Known, is_log
from drainlint.link.fetched import awaited, is_computed
from drainlint.link.lookups import OUTSIDE
from drainlint.link.origins import ways
from drainlint.link.turns import always_leaves
from drainlint.model.expression import Call, Expression
from drainlint.model.statement import (
    Assign,
    Block,
    Do,
    For,
    Leave,
    Pass,
    Return,
    Try,
    While,
    With,
)

SOCKETS = frozenset({"socket", "connection"})
ENDS = frozenset({"close", "settimeout", "log", "release"})
"""What is done with an open connection that nobody wants to use."""


def won(statement: Try, loop: While | For, known: Mapping[int, Known]) -> tuple[Call, ...]:
    """The calls whose success ends a loop, where a `try` does nothing but ask by them.

    Who connects and closes, or fetches and drops the answer, asks whether somebody is there; who
    creates exclusively, or locks a file without waiting, asks whether somebody else is done.
    What gives something that is used is no question but work that is tried again.
    """
    way = _way_out(statement, loop)
    if not way or all(always_leaves(handler.body) for handler in statement.handlers):
        return ()
    trial = _Trial(way, known)
    asked = tuple(one.call for one in trial.calls if trial.asks(one))
    return asked if asked and trial.only_asks else ()


def _way_out(statement: Try, loop: While | For) -> Block:
    """What runs where nothing fails, up to the loop's end; empty where it does not end."""
    for way in (statement.body, (*statement.body, *statement.otherwise)):
        if always_leaves(way) or _sets_condition(way, loop):
            return way
    return ()


def _sets_condition(way: Block, loop: While | For) -> bool:
    """Whether a way sets what the loop's condition reads: `taken = True`."""
    read = {e.path for e in loop.test.walk() if e.path} if isinstance(loop, While) else set()
    return any(
        isinstance(s, Assign) and not s.operator and any(t.path in read for t in s.targets)
        for s in way
    )


@dataclass(frozen=True, slots=True)
class _Trial:
    """The way that a `try` takes where nothing fails."""

    way: Block
    known: Mapping[int, Known]

    @property
    def calls(self) -> Iterator[Known]:
        """The calls on the way of which something is known, those of nested loops too."""
        for part in self._parts():
            if isinstance(part, Call) and id(part) in self.known:
                yield self.known[id(part)]

    @property
    def only_asks(self) -> bool:
        """Whether nothing else happens on the way than to ask, and to clear up behind that."""
        plain = (Do, Assign, With, Leave, Pass, Return)
        return all(isinstance(s, plain) for outer in self.way for s in outer.walk()) and all(
            self._is_harmless(one) for one in self.calls
        )

    def asks(self, one: Known) -> bool:
        """Whether a call claims something, or asks a host and wants no more than to be answered."""
        if one.does == "claim":
            return _fails_at_once(one)
        connects = one.does in OUTSIDE and named("connects", one.call.method)
        if connects and one.kind is not None and one.kind.nature in SOCKETS:
            return self._is_closed(one.subject)
        return (connects or _fetches(one)) and self._is_dropped(one)

    def _is_harmless(self, one: Known) -> bool:
        if self.asks(one) or one.does in ENDS or is_log(one.call) or is_computed(one.call):
            return True
        if any(id(e) in self.known and self.asks(self.known[id(e)]) for e in one.occurrence.around):
            return True  # what it gives is only asked with
        made = one.program.kinds.of(one.key, one.call)
        opens = made is not None and made.nature in SOCKETS and one.does not in OUTSIDE
        return opens or (named("unpacks", one.call.method) and one.call.receiver is not None)

    def _is_dropped(self, one: Known) -> bool:
        statement = one.occurrence.spot.statement
        match statement:
            case Do(value=value):
                return _is_end_of(awaited(value), one.call)
            case With(items=items, body=body):
                entered = any(awaited(item.value) is one.call for item in items)
                return entered and all(isinstance(s, Leave | Pass | Return) for s in body)
            case Assign(targets=(target,), value=value) if value is not None:
                mine = awaited(value) is one.call and bool(target.path) and "." not in target.path
                return mine and (self._is_closed(target.path) or self._is_only_checked(target.path))
        return False

    def _is_closed(self, path: str) -> bool:
        """Whether what was opened is closed on the way: nobody uses it later."""
        return bool(path) and any(
            c.method == "close" and c.receiver is not None and c.receiver.path == path
            for c in (p for p in self._parts() if isinstance(p, Call))
        )

    def _is_only_checked(self, path: str) -> bool:
        """`answer.raise_for_status()` and nothing else, before the function returns."""
        used = [p.path for p in self._parts() if p.path.split(".")[0] == path]
        checks = {f"{path}.raise_for_status", f"{path}.ok"}
        returns = any(isinstance(s, Return) for s in self.way)
        return returns and used.count(path) == 1 and set(used) - {path} <= checks

    def _parts(self) -> Iterator[Expression]:
        for outer in self.way:
            for statement in outer.walk():
                for expression in statement.expressions:
                    yield from expression.walk()


def _fetches(one: Known) -> bool:
    """Whether a call only asks a host for something: no POST, no statement for a database."""
    asks = one.facts is not None and one.facts.asks == "external"
    return asks and not named("queries", one.call.method)


def _is_end_of(value: Expression, call: Call) -> bool:
    """Whether a statement is just the call, or clears up what it gives: `urlopen(url).close()`."""
    while value is not call:
        if not isinstance(value, Call) or not named("unpacks", value.method):
            return False
        if value.receiver is None:
            return False
        value = awaited(value.receiver)
    return True


def _fails_at_once(one: Known) -> bool:
    """Whether a claim does not wait for whoever has it: it never does, or a flag says so."""
    facts = one.facts
    if facts is None or not facts.blocking:
        return True
    given = one.call.argument(facts.blocking, facts.blocking_at)
    if given is None:
        return False
    held = [given, *(way.value for _, way in ways(one.program, one.key, given.path))]
    return any(
        named("fails-at-once", part.path.rpartition(".")[2])
        for value in held
        for part in value.walk()
        if part.path
    )
