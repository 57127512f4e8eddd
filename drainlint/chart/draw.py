"""Draws the map of a linked program."""

from collections.abc import Iterator
from dataclasses import replace

from drainlint.chart.lifetimes import of_its_own, without_side_code
from drainlint.chart.makings import MadeThings
from drainlint.chart.paths import Paths, Way, Wishes
from drainlint.chart.servicemap import Entry, Handler, LeftOut, MappedService, ServiceMap, Spot
from drainlint.index.entries import MAIN, MODULE
from drainlint.link.deliveries import deliveries
from drainlint.link.entries import PACKAGE, SCRIPT, Entries, ProgramEntry
from drainlint.link.hooks import Hooks
from drainlint.link.names import ClassId, FunctionId
from drainlint.link.program import Program
from drainlint.link.roots import shown
from drainlint.model.delivery import Delivery
from drainlint.model.expression import Name
from drainlint.model.hook import ExitHook, Hook, SignalHandler
from drainlint.model.service import Lifetime


def draw(program: Program, wishes: Wishes) -> ServiceMap:
    """The map of a program."""
    return _Drawing(program, wishes).whole()


class _Drawing:
    """The drawing under way."""

    def __init__(self, program: Program, wishes: Wishes) -> None:
        self.program = program
        self.wishes = wishes
        self.entries = Entries(program.graph, program.roles)
        self.paths = Paths(program, self.entries, wishes)
        self.lifetimes = {
            key: lifetime
            if wishes.side_code(key.path)
            else without_side_code(lifetime, wishes.side_code)
            for key, lifetime in program.lifetimes.all()
        }
        self.hooks = Hooks(program)
        self.things = MadeThings(program, wishes)
        self._made: dict[FunctionId, frozenset[ClassId]] = {}

    def whole(self) -> ServiceMap:
        services = self._services()
        asked = [e for e in self.entries.all if e.function.path in self.wishes.asked]
        drawings = [self._entry(e) for e in asked if self.wishes.shows(e.function.path)]
        kept = [d for d in drawings if self.wishes.everything or _says_something(d)]
        handlers = [self._handler(way) for way in self.paths.of_no_entry()]
        quiet, within, side = self.paths.draw_the_rest()
        shown_classes = sum(1 + len(service.heirs) for service in services)
        things = tuple(self.things.shown())
        holders = sum(key.path in self.wishes.asked for key in self.lifetimes)
        return ServiceMap(
            tuple(kept),
            tuple(handlers),
            tuple(services),
            things,
            tuple(self._deliveries()),
            tuple(self.paths.drawn),
            LeftOut(
                len(asked) - len(kept),
                holders - shown_classes,
                quiet,
                within,
                side,
                len(self.things.of_functions) - len(things),
            ),
        )

    def _deliveries(self) -> Iterator[Delivery]:
        """Every function that acknowledges messages, or hands them on."""
        for key, _ in self.program.names.functions():
            if self.wishes.shows(key.path):
                for one in deliveries(self.program, key):
                    if one.acknowledged or one.handed_to:
                        yield one

    # Entries

    def _entry(self, entry: ProgramEntry) -> Entry:
        key = entry.function
        defined = self.program.names.function(key)
        handlers = [self._handler(way) for way in self.paths.of_entry(entry)]
        handlers += self._foreign(key)
        return Entry(
            entry.sort,
            self._name(entry),
            Spot(key.path, defined.line, defined.column),
            tuple(h for h in handlers if h.path or h.sets or h.registered is not None),
            tuple(self._makes(key)),
        )

    def _name(self, entry: ProgramEntry) -> str:
        """What people call an entry: the function, or for a guard the module."""
        module = self.program.names.module_name(entry.function.path)
        if entry.function.name in (MAIN, MODULE):
            return module or entry.function.path
        return shown(self.program.names.function(entry.function))

    def _handler(self, way: Way) -> Handler:
        root = way.root
        defined = self.program.names.function(root.function)
        first = min(way.registrations, key=lambda one: one.place, default=None)
        place = None
        if first is not None:
            path = self.entries.registered_in(first).path
            place = Spot(path, first.place.line, first.place.column)
        return Handler(
            self.paths.label(way),
            Spot(root.function.path, root.first_line or defined.line),
            place,
            self.paths.triggers(way),
            () if root.first_line else self._tells(root.function),
            self.paths.draw(way),
            () if root.first_line else tuple(self._remarks(root.function)),
        )

    def _remarks(self, handler: FunctionId) -> list[str]:
        """What is known of a handler or hook besides what it sets and where it leads."""
        return list(dict.fromkeys(r for h in self.hooks.of.get(handler, ()) for r in remarks(h)))

    def _foreign(self, start: FunctionId) -> Iterator[Handler]:
        """Handlers that an entry registers, and that are no function of the project."""
        reach = self.entries.reach(start)
        for hook in self.hooks.all:
            key = FunctionId(hook.path, hook.function.name or MODULE)
            if hook.defined is not None or key not in reach:
                continue
            if isinstance(hook, SignalHandler) and (not hook.restores or self.wishes.everything):
                spot = Spot(hook.path, hook.place.line, hook.place.column)
                label = f"`{hook.handler}`"
                told = tuple(remarks(hook))
                yield Handler(label, spot, spot, hook.signals, hook.sets, remarks=told)

    def _tells(self, handler: FunctionId) -> tuple[str, ...]:
        """The stop signals that a handler sets; where it sets none, what else it sets."""
        hooks = (h for h in self.hooks.of.get(handler, ()) if isinstance(h, SignalHandler))
        return tuple(self._sets(handler)) or next((hook.sets for hook in hooks), ())

    def _sets(self, handler: FunctionId) -> Iterator[str]:
        """The stop signals that a handler, or what it calls, sets."""
        reach = set(self.program.drain_paths.closure(handler))
        for key, lifetime in self.lifetimes.items():
            bases = [b for b in self.program.classes.project_line(key) if b != key]
            inherited = {
                s for b in bases if b in self.lifetimes for s in self.lifetimes[b].stop_signals
            }
            for signal in lifetime.signals:
                sets = any(FunctionId(act.path, act.function) in reach for act in signal.set_by)
                if sets and signal.name not in inherited:
                    yield f"{lifetime.short_name}.{signal.name}"

    def _makes(self, start: FunctionId) -> Iterator[str]:
        """The services that an entry makes, directly or through what it calls."""
        beside = FunctionId(start.path, MODULE)  # it is imported before it runs
        reach = (beside, *self.entries.reach(start))
        made = {key for one in reach for key in self._made_in(one)}
        for key, lifetime in self.lifetimes.items():
            if key in made and not lifetime.is_only_a_user:
                yield lifetime.short_name

    def _made_in(self, key: FunctionId) -> frozenset[ClassId]:
        if key not in self._made:
            kinds = self.program.kinds
            calls = self.program.names.function(key).calls
            found = (
                kinds.project_class(kinds.of(key, c))
                for c in calls
                if self._makes_one(key, c.func.path)
            )
            self._made[key] = frozenset(one for one in found if one is not None)
        return self._made[key]

    def _makes_one(self, key: FunctionId, path: str) -> bool:
        """Whether a name is a class of the project, or something that holds one."""
        resolved = self.program.names.resolve(key, path) if path else None
        if resolved is None:
            return False
        if isinstance(resolved.symbol, ClassId) and not resolved.rest:
            return True
        kind = self.program.kinds.of(key, Name(path))
        return kind is not None and kind.nature == "class" and kind.is_project

    # Services

    def _services(self) -> list[MappedService]:
        """The lifetimes to be shown; what a base has in full is shown there."""
        heirs: dict[ClassId, list[str]] = {}
        kept: list[tuple[ClassId, MappedService]] = []
        for key, lifetime in self.lifetimes.items():
            if not self.wishes.shows(key.path):
                continue
            if lifetime.is_only_a_user and not self.wishes.everything:
                continue
            base = self._base(key, lifetime)
            own = lifetime if base is None else of_its_own(lifetime)
            if base is None or own.held or own.signals:
                makes = tuple(self.things.by_class.get(key, ()))
                of = "" if base is None else base.name
                kept.append((key, MappedService(own, base=of, makes=makes)))
            else:
                heirs.setdefault(base, []).append(lifetime.short_name)
        return [replace(one, heirs=tuple(heirs.get(key, ()))) for key, one in kept]

    def _base(self, key: ClassId, lifetime: Lifetime) -> ClassId | None:
        """The nearest base that is shown with what a class inherits."""
        owners = {held.owner for held in lifetime.held}
        owners |= {signal.owner for signal in lifetime.signals}
        line = [one for one in self.program.classes.project_line(key) if one != key]
        return next(
            (
                one
                for one in line
                if one.name in owners
                and self.wishes.shows(one.path)
                and one in self.lifetimes
                and not self.lifetimes[one].is_only_a_user
            ),
            None,
        )


def remarks(hook: Hook) -> Iterator[str]:
    """What is known of a registration, in words."""
    if isinstance(hook, ExitHook):
        if hook.is_skipped_by_signals and hook.sort == "exit-hook":
            yield "no signal handler leads there"
        return
    if isinstance(hook, SignalHandler):
        if hook.ignores:
            yield "ignores it"
        elif hook.is_deaf:
            yield "does nothing"
        if hook.raises:
            yield "raises"
        if hook.in_worker:
            yield f"registered in {hook.in_worker}"
        if hook.keeps_previous:
            yield "keeps what was registered before"


def _says_something(entry: Entry) -> bool:
    """Whether an entry is worth a line: what people start is, a guard in a library is not."""
    return bool(entry.handlers or entry.services) or entry.sort in (SCRIPT, PACKAGE)
