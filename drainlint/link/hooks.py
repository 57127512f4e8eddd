"""Builds signal handlers and exit hooks: what is registered, for what, and what comes of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from drainlint.finding import Confidence, Related
from drainlint.index.entries import FunctionEntry
from drainlint.link.calls import Placed
from drainlint.link.entries import Entries
from drainlint.link.graph import Registration
from drainlint.link.names import ClassId, FunctionId, Variable
from drainlint.link.program import Program
from drainlint.link.roles import HANDLERS
from drainlint.link.roots import shown
from drainlint.model.expression import Call, Expression
from drainlint.model.function import Drain, Function
from drainlint.model.hook import ExitHook, Hook, SignalHandler
from drainlint.model.place import Place

HOOKS = frozenset({"exit-hook", "finaliser", "shutdown-hook", "lifespan"})
LOOKS_UP = frozenset({"signal", "getsignal"})
"""Functions that give what was registered before."""


class Hooks:
    """The signal handlers and exit hooks of a program."""

    def __init__(self, program: Program) -> None:
        """Take the linked program."""
        self.program = program
        self._entries = Entries(program.graph, program.roles)

    @cached_property
    def all(self) -> tuple[Hook, ...]:
        """Every registration, in the order of files and lines."""
        found = [*self._called(), *self._declared()]
        return tuple(sorted(found, key=lambda hook: (hook.path, hook.place, hook.handler)))

    @cached_property
    def of(self) -> Mapping[FunctionId, list[Hook]]:
        """The registrations of each function of the project."""
        found: dict[FunctionId, list[Hook]] = defaultdict(list)
        by_place = {
            (key.path, entry.line, entry.column): key
            for key, entry in self.program.names.functions()
        }
        for hook in self.all:
            if hook.defined is not None:
                place = hook.defined.place
                found[by_place[hook.defined.path, place.line, place.column]].append(hook)
        return found

    @cached_property
    def _by_call(self) -> Mapping[int, list[Registration]]:
        found: dict[int, list[Registration]] = defaultdict(list)
        for registration in self.program.graph.registrations:
            if registration.call is not None:
                found[id(registration.call)].append(registration)
        return found

    @cached_property
    def _registering(self) -> frozenset[str]:
        """The last names of the functions that register what is meant here."""
        return frozenset(
            name.rpartition(".")[2]
            for name, facts in self.program.knowledge.calls.items()
            if any(runs.role in HANDLERS | HOOKS for runs in facts.runs)
        )

    def _called(self) -> Iterator[Hook]:
        """What calls register: `signal.signal(SIGTERM, on_term)`."""
        for key, entry in self.program.names.functions():
            for call in entry.calls:
                if call.method in self._registering:
                    yield from self._of_call(key, entry, call)

    def _of_call(self, key: FunctionId, entry: FunctionEntry, call: Call) -> Iterator[Hook]:
        known = self.program.facts(key, call)
        for runs in known[0].runs if known is not None else ():
            value = call.argument(runs.argument, runs.at)
            if value is None or runs.role not in HANDLERS | HOOKS:
                continue
            targets = [r for r in self._by_call.get(id(call), ()) if r.role == runs.role]
            if runs.role in HANDLERS:
                yield from self._handlers(key, entry, call, value, targets)
            else:
                yield from self._hooks(key, call, value, runs.role, targets)

    def _declared(self) -> Iterator[Hook]:
        """What decorators register, and methods that a framework calls on its subclasses."""
        for one in self.program.graph.registrations:
            if one.call is None and one.role in HOOKS:
                yield self._hook(one.scope, one.place, "", one.role, one.target)

    # Signals

    def _handlers(
        self,
        key: FunctionId,
        entry: FunctionEntry,
        call: Call,
        value: Expression,
        registrations: list[Registration],
    ) -> Iterator[SignalHandler]:
        if not registrations:
            yield self._foreign(key, entry, call, value)
        for one in registrations:
            target = self.program.names.function(one.target)
            told = self.program.drain_paths.stop_waits.told_by(one.target)
            yield SignalHandler(
                **self._placed(key, call),
                text=call.text,
                handler=shown(target),
                defined=_defined(one.target, target),
                signals=tuple(dict.fromkeys(self._entries.triggers(one))),
                on_loop=one.role == "loop-signal-handler",
                sets=tuple(sorted(_thing(owner, name) for owner, name in told)),
                raises=self.program.always_leaves(one.target),
                acts=bool(target.calls or target.bindings or target.raises),
                keeps_previous=_keeps_previous(entry, call),
                in_worker=self._function(one.scope).worker,
                in_coroutine=entry.is_async,
            )

    def _foreign(
        self, key: FunctionId, entry: FunctionEntry, call: Call, value: Expression
    ) -> SignalHandler:
        """What is registered is the library's own, or not known: `SIG_IGN`, `stop.set`."""
        last = value.path.rpartition(".")[2] or value.text
        head, _, method = value.path.rpartition(".")
        waits = self.program.drain_paths.stop_waits
        registration = Registration("signal-handler", key, key, call.place, call=call)
        return SignalHandler(
            **self._placed(key, call),
            text=call.text,
            handler=last if last.startswith("SIG_") else value.text,
            signals=tuple(dict.fromkeys(self._entries.triggers(registration, key))),
            on_loop=call.method == "add_signal_handler",
            sets=(head,) if method and waits.is_told(key, head) else (),
            acts=last != "SIG_IGN",
            ignores=last == "SIG_IGN",
            restores=last in ("SIG_DFL", "default_int_handler") or self._is_previous(key, value),
            keeps_previous=_keeps_previous(entry, call),
            in_worker=self._function(key).worker,
            in_coroutine=entry.is_async,
        )

    def _is_previous(self, key: FunctionId, value: Expression) -> bool:
        """Whether a value was registered before: `old = signal.getsignal(n)`, also in a table."""
        for path in (part.path for part in value.walk() if part.path):
            resolved = self.program.names.resolve(key, path)
            if resolved is None or not isinstance(resolved.symbol, Variable):
                continue
            holder = self.program.names.function(resolved.symbol.scope)
            for way in holder.bindings.get(resolved.symbol.name, ()):
                if isinstance(way.value, Call) and way.value.method in LOOKS_UP:
                    return True
        return False

    # Exit hooks

    def _hooks(
        self,
        key: FunctionId,
        call: Call,
        value: Expression,
        role: str,
        registrations: list[Registration],
    ) -> Iterator[ExitHook]:
        if not registrations and (value.path or isinstance(value, Call)):
            yield ExitHook(
                **self._placed(key, call),
                text=call.text,
                handler=value.text,
                sort=role,
            )
        for one in registrations:
            yield self._hook(key, call.place, call.text, role, one.target)

    def _hook(
        self, key: FunctionId, place: Place, text: str, role: str, target: FunctionId
    ) -> ExitHook:
        entry = self.program.names.function(target)
        return ExitHook(
            path=key.path,
            place=place,
            function=self._function(key),
            drain=self._drain(key, place),
            text=text or shown(entry),
            handler=shown(entry),
            defined=_defined(target, entry),
            sort=role,
            also_on_signal=target in self._on_signal,
        )

    @cached_property
    def _on_signal(self) -> frozenset[FunctionId]:
        """The functions that a signal handler leads to."""
        found: set[FunctionId] = set()
        for one in self.program.graph.registrations:
            if one.role in HANDLERS and one.target not in found:
                found.update(self.program.drain_paths.closure(one.target))
        return frozenset(found)

    def _placed(self, key: FunctionId, call: Call) -> Placed:
        """What every noun about a registering call begins with."""
        return {
            "path": key.path,
            "place": call.place,
            "function": self._function(key),
            "drain": self._drain(key, call.place),
            "confidence": Confidence.HIGH,
        }

    def _function(self, key: FunctionId) -> Function:
        return self.program.function(key)

    def _drain(self, key: FunctionId, place: Place) -> Drain | None:
        return self.program.drain(key, place.line)


def _defined(key: FunctionId, entry: FunctionEntry) -> Related:
    return Related(key.path, Place(entry.line, entry.column, entry.line, 0), f"`{shown(entry)}`")


def _thing(owner: FunctionId | ClassId, name: str) -> str:
    """A thing as people say it: an attribute with its class, a variable by its name."""
    return f"{owner.name}.{name}" if isinstance(owner, ClassId) else name


def _keeps_previous(entry: FunctionEntry, call: Call) -> bool:
    """Whether what was registered before is kept, or asked for in the same function."""
    kept = any(
        part is call for ways in entry.bindings.values() for w in ways for part in w.value.walk()
    )
    return kept or any(other.method == "getsignal" for other in entry.calls)
