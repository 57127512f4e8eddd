"""The map of a program as text: entries, services, and drain paths as trees."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from drainlint.chart.servicemap import (
    DrainPath,
    Entry,
    Handler,
    LeftOut,
    MappedService,
    MappedWait,
    Node,
    ServiceMap,
    Spot,
    bound_of,
)
from drainlint.model.delivery import Delivery
from drainlint.model.made import Made, Resource, Worker
from drainlint.model.service import Act, Held, StopSignal
from drainlint.report.cells import shown, width_of, wrap

_STYLES = {
    "title": "bold",
    "name": "bold",
    "endless": "bold red",
    "bounded": "green",
    "place": "blue",
    "missing": "yellow",
    "faint": "dim",
}
_STEP = "  "

Paint = Callable[[str, str], str]
"""Gives a text the look of the thing it stands for."""


def render(chart: ServiceMap, *, color: bool = False, width: int = 80) -> str:
    """Draw a map for a terminal or a file that is `width` cells wide."""
    page = _Page(width, _colored if color else _plain)
    blocks = [
        *page.section("Entries", map(page.entry, chart.entries)),
        *page.section(
            "Handlers that no entry is seen to register", map(page.handler, chart.handlers)
        ),
        *page.section("Services", map(page.service, chart.services)),
        *page.section("Workers and resources of functions", map(page.made, chart.made)),
        *page.section("Messages", map(page.delivery, chart.deliveries)),
        *page.section("Drain paths", map(page.path, chart.paths)),
        "\n".join(shown(line) for line in _ending(chart)),
    ]
    return "\n\n".join(blocks) + "\n"


def _plain(text: str, _look: str) -> str:
    """Without colour."""
    return text


def _colored(text: str, look: str) -> str:
    """Between the escape sequences of a style, which do not depend on the environment."""
    from rich.color import ColorSystem  # noqa: PLC0415  only colour needs rich
    from rich.style import Style  # noqa: PLC0415

    return Style.parse(_STYLES[look]).render(text, color_system=ColorSystem.STANDARD)


@dataclass(frozen=True, slots=True)
class _Page:
    """What all blocks of a map share."""

    width: int
    paint: Paint

    def section(self, title: str, blocks: Iterable[Iterator[str]]) -> Iterator[str]:
        """A title, then its blocks; nothing at all where there is no block."""
        found = ["\n".join(block) for block in blocks]
        if found:
            yield self.paint(title, "title")
            yield from found

    def entry(self, entry: Entry) -> Iterator[str]:
        """The lines of one entry: what it makes, and what happens on the way out."""
        yield from self._line(
            _STEP, f"{entry.sort} `{entry.name}`", entry.spot, mark=f"`{entry.name}`"
        )
        if entry.services:
            made = ", ".join(f"`{name}`" for name in entry.services)
            yield from self._line(_STEP * 2, f"makes {made}")
        for handler in entry.handlers:
            yield from self.handler(handler, _STEP * 2)

    def handler(self, handler: Handler, margin: str = _STEP) -> Iterator[str]:
        """The lines of one handler: when it runs, what it sets, where it leads."""
        on = f"on {_listed(handler.triggers)}: " if handler.triggers else ""
        sets = f" sets {', '.join(f'`{name}`' for name in handler.sets)}" if handler.sets else ""
        path = f"{' and' if sets else ''} leads to [{handler.path}]" if handler.path else ""
        remarks = "".join(f", {remark}" for remark in handler.remarks)
        text = f"{on}{handler.label}{sets}{path}{remarks}"
        yield from self._line(margin, text, handler.spot)
        if handler.registered is not None:
            yield from self._line(margin + _STEP, "registered", handler.registered)

    def service(self, service: MappedService) -> Iterator[str]:
        """The lines of one lifetime: what stops it, its workers and resources."""
        lifetime = service.lifetime
        spot = Spot(lifetime.path, lifetime.place.line)
        yield from self._line(_STEP, lifetime.name, spot, mark=lifetime.name)
        if service.heirs:
            heirs = ", ".join(f"`{name}`" for name in service.heirs)
            yield from self._line(_STEP * 2, f"inherited unchanged by {heirs}")
        if service.base:
            yield from self._line(_STEP * 2, f"beside all of `{service.base}`")
        for signal in lifetime.signals:
            yield from self._signal(signal, lifetime.name)
        for held in lifetime.held:
            if not held.is_given or _is_handled(held):
                yield from self._held(held, lifetime.name, service.maker(held))
        given = [f"`{h.name}`" for h in lifetime.held if h.is_given and not _is_handled(h)]
        if given:
            yield from self._line(_STEP * 2, f"uses what others made: {', '.join(given)}")
        if lifetime.submits:
            yield from self._line(_STEP * 2, "work is handed over")
            yield from self._acts("in", lifetime.submits)

    def _signal(self, signal: StopSignal, owner: str) -> Iterator[str]:
        of = f", of `{signal.owner}`" if signal.owner != owner else ""
        yield from self._line(_STEP * 2, f"stop signal `{signal.name}` ({signal.nature}{of})")
        yield from self._acts("set in", signal.set_by)
        yield from self._acts("read in", signal.read_by)
        if not signal.is_set:
            yield from self._missing("set nowhere")
        if not signal.is_read:
            yield from self._missing("read nowhere")

    def made(self, made: Made) -> Iterator[str]:
        """The lines of a worker or resource that no attribute of a service keeps."""
        several = "several " if made.several else ""
        name = f" `{made.kept}`" if made.kept else ""
        spot = Spot(made.path, made.place.line)
        text = f"{made.nature}{name}: {several}{made.type}{_of(made)}"
        yield from self._line(_STEP, text, spot, mark=made.kept or made.nature)
        yield from self._line(_STEP * 2, f"made in `{made.function.short_name}`")
        if isinstance(made, Worker):
            yield from self._acts("started in", made.started, _STEP * 2)
            yield from self._acts("joined in", made.joined, _STEP * 2)
        if isinstance(made, Resource) and made.given_to:
            users = ", ".join(f"`{name}`" for name in made.given_to)
            yield from self._line(_STEP * 2, f"used by {users}")
        yield from self._acts("stopped in", made.stopped, _STEP * 2)
        yield from self._acts("handed on in", made.handed_on, _STEP * 2)
        if made.is_dropped:
            yield from self._missing("kept by nobody", _STEP * 2)
        elif isinstance(made, Worker) and made.is_left_behind:
            yield from self._missing("stopped, joined nowhere", _STEP * 2)
        elif isinstance(made, Resource) and made.is_left_open:
            yield from self._missing("closed nowhere", _STEP * 2)

    def delivery(self, one: Delivery) -> Iterator[str]:
        """The lines of a function that receives messages: what it does with each, in order."""
        how = {"callback": "is called with each", "loop": "loops over them", "take": "takes each"}
        name = f"`{one.function.short_name}`"
        text = f"{name} {how[one.how]}, as `{one.message}`"
        yield from self._line(_STEP, text, Spot(one.path, one.place.line), mark=name)
        words = (
            ("works on it", one.worked_on),
            ("hands it on", one.handed_to),
            ("acknowledges", one.acknowledged),
        )
        steps = [(step, word) for word, several in words for step in several]
        for step, word in sorted(steps, key=lambda item: (item[0].place, item[1])):
            spot = Spot(one.path, step.place.line)
            yield from self._line(_STEP * 2, f"{word}: `{step.text}`", spot)
        if one.is_acknowledged_first:
            yield from self._missing("acknowledged before it is worked on", _STEP * 2)
        elif one.is_acknowledged_while_worked_on:
            yield from self._missing("acknowledged while somebody else works on it", _STEP * 2)
        elif one.may_stay_unacknowledged and one.worked_on:
            yield from self._missing("not acknowledged where the work fails", _STEP * 2)

    def _held(self, held: Held, owner: str, made: Made | None) -> Iterator[str]:
        name = "is one itself" if held.name == "self" else f"`{held.name}`"
        several = "several " if held.several else ""
        of = f", of `{held.owner}`" if held.owner != owner else ""
        how = "" if made is None else _of(made)
        yield from self._line(_STEP * 2, f"{held.sort} {name}: {several}{held.type}{of}{how}")
        yield from self._acts("created in", held.created)
        yield from self._acts("given in", held.handed_in)
        yield from self._acts("started in", [a for a in held.started if a not in held.created])
        both = [act for act in held.stopped if act in held.joined]
        yield from self._acts("stopped in", [a for a in held.stopped if a not in both])
        yield from self._acts("stopped and joined in", both)
        yield from self._acts("joined in", [a for a in held.joined if a not in both])
        yield from self._acts("asked whether it runs in", held.asked)
        if held.sort != "service" and held.is_left_behind:
            what = "closed" if held.sort == "resource" else "stopped, joined"
            yield from self._missing(f"{what} nowhere")
        elif held.sort == "worker" and not held.joined:
            yield from self._missing("joined nowhere")

    def _acts(self, word: str, acts: Iterable[Act], margin: str = _STEP * 3) -> Iterator[str]:
        for act in acts:
            bound = "" if act.deadline is None else f"bound {bound_of(act.deadline)}"
            text = f"{word} `{act.short_function}`{', ' if bound else ''}{bound}"
            spot = Spot(act.path, act.place.line)
            look = "endless" if act.waits_for_ever else "bounded"
            yield from self._line(margin, text, spot, mark=bound, look=look)

    def _missing(self, text: str, margin: str = _STEP * 3) -> Iterator[str]:
        yield from self._line(margin, text, mark=text, look="missing")

    def path(self, path: DrainPath) -> Iterator[str]:
        """The tree of one drain path."""
        on = f"on {_listed(path.triggers)}: " if path.triggers else ""
        doubt = " (by its name alone)" if path.by_name else ""
        number = f"[{path.number}]"
        head = f"{number} {on}{path.label}{doubt}"
        yield from self._line(_STEP, head, path.root.spot, mark=number, look="name")
        if path.root.again:
            text = f"as in [{path.root.again}]"
            yield from self._line(_STEP * 2, text, mark=text, look="faint")
        elif not path.root.branches:
            yield from self._line(_STEP * 2, "nothing waits", mark="nothing waits", look="faint")
        yield from self._below(path.root, _STEP * 2, path.number)

    def _below(self, node: Node, margin: str, number: int) -> Iterator[str]:
        """What a node waits for and calls, as branches."""
        branches = node.branches
        for branch in branches:
            end = branch is branches[-1]
            if isinstance(branch, MappedWait):
                yield from self._wait(branch, margin, last=end)
                continue
            call = branch
            again = ""
            if call.again:
                again = " as above" if call.again == number else f" as in [{call.again}]"
            margins = margin + _branch(end), margin + _trunk(end)
            text = f"`{call.name}`{again}"
            yield from self._line(margins, text, call.spot, mark=again, look="faint")
            yield from self._below(call, margin + _trunk(end), number)

    def _wait(self, wait: MappedWait, margin: str, *, last: bool) -> Iterator[str]:
        word = {"wait": "waits", "pause": "pauses", "loop": "waits by asking"}[wait.sort]
        bound = f"bound {wait.bound}"
        remarks = "".join(f", {remark}" for remark in wait.remarks)
        look = "endless" if wait.is_unbounded else "bounded"
        margins = margin + _branch(last), margin + _trunk(last)
        text = f"{word} `{wait.text}`, {bound}{remarks}"
        yield from self._line(margins, text, wait.spot, mark=bound, look=look)

    def _line(
        self,
        margin: str | tuple[str, str],
        text: str,
        spot: Spot | None = None,
        *,
        mark: str = "",
        look: str = "name",
    ) -> Iterator[str]:
        """A text with its place behind it; what does not fit goes on below, deeper by one step.

        `margin` may be two, for the first line and for those below it. `mark` is the part of the
        text that is painted.
        """
        first, below = (margin, margin) if isinstance(margin, str) else margin
        below += _STEP * 2
        place = "" if spot is None else shown(f"{spot.path}:{spot.line}")
        room = self.width - width_of(below)
        lines = list(wrap(text, room, width_of(first) - width_of(below)))
        needed = width_of(lines[-1]) + width_of(first if len(lines) == 1 else below)
        beside = bool(place) and needed + len(_STEP) + width_of(place) <= self.width
        marked = [self._marked(line, shown(mark), look) for line in lines]
        if beside:
            marked[-1] += f"{_STEP}{self.paint(place, 'place')}"
        elif place:
            marked.append(self.paint(place, "place"))
        yield first + marked[0]
        yield from (below + line for line in marked[1:])

    def _marked(self, line: str, mark: str, look: str) -> str:
        """A line with the last place where it has the marked text painted."""
        head, found, tail = line.rpartition(mark) if mark else ("", "", line)
        return f"{head}{self.paint(found, look)}{tail}" if found else line


def _branch(last: bool) -> str:  # noqa: FBT001 - the one thing it is about
    return "`-- " if last else "|-- "


def _trunk(last: bool) -> str:  # noqa: FBT001 - the one thing it is about
    return "    " if last else "|   "


def _of(made: Made) -> str:
    """What a worker runs, and whether as a daemon, in words."""
    if not isinstance(made, Worker):
        return ""
    runs = f", runs {_listed(tuple(one.text for one in made.runs))}" if made.runs else ""
    return f"{runs}{', daemon' if made.daemon else ''}"


def _is_handled(held: Held) -> bool:
    """Whether the class does something with it beyond using it."""
    return bool(held.started or held.stopped or held.joined)


def _listed(names: tuple[str, ...]) -> str:
    """Names as people list them: `SIGINT and SIGTERM`."""
    quoted = [name if name.startswith("SIG") else f"`{name}`" for name in names]
    *others, last = quoted
    return f"{', '.join(others)} and {last}" if others else last


def _ending(chart: ServiceMap) -> Iterator[str]:
    """The last lines: how much there is, and what is not shown."""
    if not (chart.entries or chart.handlers or chart.services or chart.paths):
        yield "no entries, services or drain paths found"
    else:
        counts = (
            _counted(len(chart.entries), "entry", "entries"),
            _counted(len(chart.services), "service", "services"),
            _counted(len(chart.paths), "drain path", "drain paths"),
        )
        endless = _counted(chart.unbounded, "wait", "waits")
        yield f"{', '.join(counts)}; {endless} on them without a bound"
    left = tuple(_left_out(chart.left_out))
    if left:
        yield "not shown: " + "; ".join(left)
        yield "--all shows them"


def _left_out(left: LeftOut) -> Iterator[str]:
    said = (
        (left.entries, "entry", "entries", " (side code, or nothing starts or stops there)"),
        (left.users, "class", "classes", " (side code, or they only use what others made)"),
        (left.quiet, "root", "roots", " without waits"),
        (left.drawn, "stop method", "stop methods", " drawn within other paths"),
        (left.side, "root", "roots", " in tests and examples"),
        (left.made, "thing", "things", " that only the function that makes them knows"),
    )
    for number, one, many, why in said:
        if number:
            yield _counted(number, one, many) + why


def _counted(number: int, one: str, many: str) -> str:
    return f"{number or 'no'} {one if number == 1 else many}"
