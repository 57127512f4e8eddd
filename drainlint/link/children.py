"""Builds waits for children whose output nobody has read yet."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from drainlint.finding import Related
from drainlint.index.entries import FunctionEntry
from drainlint.link.calls import Known
from drainlint.link.commands import fills_no_pipe
from drainlint.link.ended import statement_calls
from drainlint.link.killings import JUST_BEFORE
from drainlint.link.names import FunctionId, Variable
from drainlint.link.origins import calls_on, identity, made, runs
from drainlint.link.program import Program
from drainlint.link.results import parameters_of
from drainlint.link.turns import leaves
from drainlint.model.child import ChildWait
from drainlint.model.expression import Call, Compare, Conditional, Expression, Group, Name
from drainlint.model.statement import While
from drainlint.model.wait import Wait

PIPED = frozenset({"popen", "aio-process"})
CHILDREN = PIPED | {"process"}
READS = frozenset({"get", "get_nowait", "recv", "recv_bytes", "poll"})
WRITES = frozenset({"put", "put_nowait", "send", "send_bytes"})
CHANNELS = frozenset({"queue", "connection"})
STREAMS = ("stdout", "stderr")
BETWEEN_PROCESSES = ("multiprocessing", "billiard", "multiprocess", "torch")
RUN_UNREAD = frozenset({"subprocess.call", "subprocess.check_call"})
"""Functions that run a child to its end and never read its pipes."""

_Made = tuple[FunctionId, Call]
"""A function, and the call in it that made the child."""


@dataclass(frozen=True, slots=True)
class _Wait:
    """A call that waits for a child, or a loop that asks until it has ended."""

    known: Known
    nature: str
    is_bounded: bool

    @property
    def child(self) -> str:
        """What is waited for, as written."""
        return self.known.subject


def child_wait(known: Known, waited: Wait | None) -> ChildWait | None:
    """The wait for a child that cannot end before it is read; None for any other call."""
    if known.facts is not None and known.facts.name in RUN_UNREAD:
        return _never_read(known)
    wait = _of_child(known, waited)
    if wait is None or known.call.receiver is None:
        return None
    for scope, call in made(known.program, known.key, known.call.receiver):
        if wait.nature in PIPED:
            if not _makes(known.program, scope, call, wait.nature):
                continue
            if _feeds_another(known.program, scope, call, wait.child):
                continue
            return _of_pipe(wait, scope, call)
        kind = known.program.kinds.of(scope, call)
        if kind is None or kind.nature != wait.nature:
            continue
        for channel in channels(known.program, scope, call):
            found = _of_queue(wait, scope, call, channel.path)
            if found is not None:
                return found
    return None


def _makes(program: Program, scope: FunctionId, call: Call, nature: str) -> bool:
    """Whether a call makes a child of this nature, itself or once it is awaited."""
    kind = program.kinds.of(scope, call)
    if kind is not None and kind.nature == "coroutine":
        kind = kind.element
    return kind is not None and kind.nature == nature


def _feeds_another(program: Program, scope: FunctionId, made_by: Call, child: str) -> bool:
    """Whether another child reads what one writes, by the name that it was given first."""
    entry = program.names.function(scope)
    names = {
        name
        for name, ways in entry.bindings.items()
        if name != child and any(way.value == made_by for way in ways)
    }
    given = {e.path for c in entry.calls for a in c.arguments for e in a.value.walk() if e.path}
    return any(f"{name}.{stream}" in given for name in names for stream in STREAMS)


def _of_child(known: Known, waited: Wait | None) -> _Wait | None:
    if waited is None:
        return _polled(known)
    if waited.nature not in CHILDREN or waited.ended or waited.killed:
        return None
    if waited.verb not in ("join", "wait") or known.call.method == "communicate":
        return None
    if waited.nature == "process" and _was_terminated(known):
        return None
    return _Wait(known, waited.nature, not waited.is_unbounded)


def _was_terminated(known: Known) -> bool:
    """Whether it was terminated just before; a command may handle the signal, and write on."""
    return any(
        call.method == "terminate"
        and call.receiver is not None
        and call.receiver.text == known.subject
        for number, statement in enumerate(known.occurrence.spot.preceding())
        if number < JUST_BEFORE
        for call in statement_calls(statement)
    )


def _polled(known: Known) -> _Wait | None:
    """`while child.poll() is None: sleep(1)`: the loop waits as `child.wait()` would."""
    loop = known.occurrence.spot.statement
    if known.call.method != "poll" or not isinstance(loop, While):
        return None
    if known.kind is None or known.kind.nature != "popen":
        return None
    asked = isinstance(loop.test, Compare) and loop.test.left == known.call
    return _Wait(known, "popen", is_bounded=not asked or leaves(loop.body))


def _never_read(known: Known) -> ChildWait | None:
    """`subprocess.call(..., stdout=PIPE)`: it hands nobody the other end of the pipe."""
    piped = [s for s in STREAMS if _is_pipe(known.program, known.key, known.call.argument(s))]
    if not piped or known.facts is None:
        return None
    bounded = known.call.argument(known.facts.timeout) is not None
    wait = _Wait(known, "popen", bounded)
    found = _noun(wait, (known.key, known.call), f"{piped[0]}=PIPE", None)
    return replace(found, child="its child")


def _noun(wait: _Wait, made_by: _Made, channel: str, read: Related | None) -> ChildWait:
    return ChildWait(
        **wait.known.noun,
        text=wait.known.call.text,
        child=wait.child,
        channel=channel,
        fed=Related(made_by[0].path, made_by[1].place.first_line, f"it writes to `{channel}`"),
        read=read,
        is_bounded=wait.is_bounded,
        is_brief=wait.nature in PIPED and fills_no_pipe(wait.known.program, *made_by),
    )


# Queues and pipes of multiprocessing


@dataclass(frozen=True, slots=True)
class Channel:
    """A queue or pipe end that a child writes to."""

    path: str
    """As whoever makes the child names it."""
    writer: FunctionId
    writes: tuple[Call, ...]


def channels(program: Program, scope: FunctionId, call: Call) -> Iterator[Channel]:
    """The queues and pipe ends that are handed to a child, and that its function writes to."""
    for target in runs(program, scope, call):
        entry = program.names.function(target)
        given = _given(call)
        plain = [p.name for p in entry.parameters if not p.star]
        if program.classes.self_name(target):
            plain = plain[1:]
        passed = [*zip(plain, given, strict=False), *_kept(program, target, scope, call)]
        for name, value in passed:
            writes = tuple(
                c
                for c in entry.calls
                if c.method in WRITES and c.receiver is not None and c.receiver.path == name
            )
            kind = program.kinds.of(scope, value)
            if not writes or kind is None or kind.nature not in CHANNELS:
                continue
            if value.path and kind.library.startswith(BETWEEN_PROCESSES):
                yield Channel(value.path, target, writes)


def _kept(
    program: Program, run: FunctionId, scope: FunctionId, call: Call
) -> Iterator[tuple[str, Expression]]:
    """What a process of a class of its own keeps of what it is made with: `self.results`."""
    owner = program.kinds.project_class(program.kinds.of(scope, call))
    making = None if owner is None else program.classes.method(owner, "__init__")
    if owner is None or making is None:
        return
    me = program.classes.self_name(run)
    for name, value in parameters_of(program.names.function(making), call, bound=True):
        for attribute in program.classes.attributes(owner):
            ways = [w for s, w in program.classes.bindings(owner, attribute) if s == making]
            if any(way.how == "assign" and way.value.path == name for way in ways):
                yield f"{me}.{attribute}", value


def _given(call: Call) -> tuple[Expression, ...]:
    listed = call.argument("args", 3)
    return listed.items if isinstance(listed, Group) else ()


def _of_queue(wait: _Wait, scope: FunctionId, made_by: Call, channel: str) -> ChildWait | None:
    known = wait.known
    program = known.program
    if identity(program, scope, channel) is None:
        return None
    ends = (channel, *other_ends(program, scope, channel))
    reads = [found for end in ends for found in calls_on(program, scope, end, READS)]
    if any(s != known.key for s, _ in reads) or _goes_elsewhere(program, scope, channel, made_by):
        return None  # another function or thread may be reading meanwhile
    if any(c.place.line < known.call.place.line for _, c in reads):
        return None
    read = next((c for _, c in reads), None)
    if read is None:
        return None
    late = Related(known.key.path, read.place.first_line, "it is read only here")
    return _noun(wait, (scope, made_by), channel, late)


def other_ends(program: Program, scope: FunctionId, channel: str) -> Iterator[str]:
    """The other end of a pipe: what the same call gave to another name."""
    bindings = program.names.function(scope).bindings
    for way in bindings.get(channel, ()):
        for name, ways in bindings.items():
            if name != channel and any(w.items and w.value == way.value for w in ways):
                yield name


def _goes_elsewhere(program: Program, scope: FunctionId, channel: str, child: Call) -> bool:
    """Whether the channel is handed to anybody but children, who might read it."""
    for call in program.names.function(scope).calls:
        named = any(e.path == channel for a in call.arguments for e in a.value.walk())
        if not named or call == child:
            continue
        kind = program.kinds.of(scope, call)
        if kind is None or kind.nature != "process":
            return True
    return False


# Pipes of subprocess


@dataclass(frozen=True, slots=True)
class _Mention:
    """Where a child's streams are named, or all of it is read or handed to somebody."""

    scope: FunctionId
    line: int
    text: str
    hands_on: bool = False
    """The child itself goes to somebody else, or is returned or kept under another name."""


def _of_pipe(wait: _Wait, scope: FunctionId, made_by: Call) -> ChildWait | None:
    known = wait.known
    piped = [s for s in STREAMS if _is_pipe(known.program, scope, made_by.argument(s))]
    resolved = known.program.names.resolve(known.key, wait.child)
    if not piped or resolved is None or not isinstance(resolved.symbol, Variable):
        return None
    if not resolved.rest and scope != known.key:
        return None
    mentions = list(_mentions(known, wait.child, own=not resolved.rest))
    if any(m.hands_on or m.scope != known.key for m in mentions):
        return None  # somebody else may be reading meanwhile
    if any(m.line < known.call.place.line for m in mentions):
        return None
    loop = known.occurrence.spot.statement
    if isinstance(loop, While) and any(m.line <= loop.end_line for m in mentions):
        return None
    late = next((m for m in mentions if not m.text.endswith(".close()")), None)
    if late is None:
        public = resolved.rest and not resolved.rest[-1].startswith("_")
        streams = "" if public else f"{wait.child}.{piped[0]}"  # others may read what is public
        return _noun(wait, (scope, made_by), streams, None) if streams else None
    place = known.call.place._replace(line=late.line, end_line=late.line, column=1, end_column=0)
    read = Related(known.key.path, place, f"`{late.text}` is read only here")
    return _noun(wait, (scope, made_by), f"{wait.child}.{piped[0]}", read)


def _is_pipe(program: Program, scope: FunctionId, given: Expression | None) -> bool:
    """Whether a stream is a pipe, be it only where something holds: `None if quiet else PIPE`."""
    if isinstance(given, Conditional):
        return any(_is_pipe(program, scope, g) for g in (given.body, given.otherwise))
    return given is not None and program.library(scope, given.path).endswith("subprocess.PIPE")


def _mentions(known: Known, child: str, *, own: bool) -> Iterator[_Mention]:
    """The mentions of a child's streams: in its function, or those of an attribute in its file."""
    functions = known.program.names.modules[known.key.path].functions
    if own:
        for name, entry in functions.items():
            own_names = {*entry.bindings, *(p.name for p in entry.parameters)}
            nested = name.startswith(f"{known.key.name}.") and child not in own_names
            if name == known.key.name or nested:
                yield from _mentions_in(FunctionId(known.key.path, name), entry, child)
        return
    last = child.rpartition(".")[2]
    thing = identity(known.program, known.key, child)
    for name, entry in functions.items():
        scope = FunctionId(known.key.path, name)
        heads = {p.partition(f".{last}")[0] for p in _paths(entry) if f".{last}" in p}
        for path in sorted(f"{head}.{last}" for head in heads):
            if identity(known.program, scope, path) in (thing, None):
                yield from _mentions_in(scope, entry, path)


def _paths(entry: FunctionEntry) -> Iterator[str]:
    values = (w.value for ways in entry.bindings.values() for w in ways)
    for value in (*entry.calls, *values, *entry.results):
        yield from (e.path for e in value.walk() if e.path)


def _mentions_in(scope: FunctionId, entry: FunctionEntry, child: str) -> Iterator[_Mention]:
    """The mentions of one function, in no order."""
    streams = tuple(f"{child}.{s}" for s in STREAMS)
    for call in entry.calls:
        paths = {e.path for e in call.walk()} | {call.func.path}
        reads = call.func.path in (f"{child}.communicate", f"{child}.__exit__")
        if reads or any(p.startswith(s) for p in paths for s in streams):
            yield _Mention(scope, call.place.line, call.text)
        if any(e == Name(child) for a in call.arguments for e in a.value.walk()):
            yield _Mention(scope, call.place.line, call.text, hands_on=True)
    for target, ways in entry.bindings.items():
        for way in ways:
            if any(e.path.startswith(s) for e in way.value.walk() for s in streams):
                yield _Mention(scope, way.line, way.value.text)
            if target != child and any(e == Name(child) for e in way.value.walk()):
                yield _Mention(scope, way.line, way.value.text, hands_on=True)
    for result in entry.results:
        if any(e == Name(child) for e in result.walk()):
            yield _Mention(scope, entry.line, result.text, hands_on=True)
