"""Builds waits for children whose output nobody has read yet."""

from collections.abc import Iterator

from drainlint.finding import Related
from drainlint.link.calls import Known
from drainlint.link.names import FunctionId, Variable
from drainlint.link.origins import calls_on, identity, made, runs
from drainlint.link.program import Program
from drainlint.model.child import ChildWait
from drainlint.model.expression import Call, Expression, Group, Name
from drainlint.model.wait import Wait

CHILDREN = frozenset({"process", "popen"})
READS = frozenset({"get", "get_nowait", "recv", "recv_bytes", "poll"})
WRITES = frozenset({"put", "put_nowait", "send", "send_bytes"})
CHANNELS = frozenset({"queue", "connection"})
STREAMS = ("stdout", "stderr")
BETWEEN_PROCESSES = ("multiprocessing", "billiard", "multiprocess", "torch")

_Made = tuple[FunctionId, Call]
"""A function, and the call in it that made the child."""


def child_wait(known: Known, waited: Wait | None) -> ChildWait | None:
    """The wait for a child that cannot end before it is read; None for any other call."""
    receiver = known.call.receiver
    if waited is None or receiver is None or waited.nature not in CHILDREN or waited.ended:
        return None
    if waited.verb not in ("join", "wait") or known.call.method == "communicate" or waited.killed:
        return None
    for scope, call in made(known.program, known.key, receiver):
        kind = known.program.kinds.of(scope, call)
        if kind is None or kind.nature != waited.nature:
            continue
        if waited.nature == "popen":
            return _of_pipe(known, waited, scope, call)
        for channel in _channels(known.program, scope, call):
            found = _of_queue(known, waited, scope, call, channel)
            if found is not None:
                return found
    return None


def _noun(
    known: Known, waited: Wait, made_by: _Made, channel: str, read: Related | None
) -> ChildWait:
    return ChildWait(
        **known.noun,
        text=known.call.text,
        child=waited.subject,
        channel=channel,
        fed=Related(made_by[0].path, made_by[1].place.first_line, f"it writes to `{channel}`"),
        read=read,
        is_bounded=not waited.deadline.is_none,
    )


# Queues and pipes of multiprocessing


def _channels(program: Program, scope: FunctionId, call: Call) -> Iterator[str]:
    """The queues and pipe ends that the child's function writes to, as the parent names them."""
    for target in runs(program, scope, call):
        entry = program.names.function(target)
        given = _given(call)
        plain = [p.name for p in entry.parameters if not p.star]
        if entry.owner:
            plain = plain[1:]
        written = {
            c.receiver.path
            for c in entry.calls
            if c.method in WRITES and c.receiver is not None and c.receiver.path
        }
        for name, value in zip(plain, given, strict=False):
            kind = program.kinds.of(scope, value)
            if name not in written or kind is None or kind.nature not in CHANNELS:
                continue
            if value.path and kind.library.startswith(BETWEEN_PROCESSES):
                yield value.path


def _given(call: Call) -> tuple[Expression, ...]:
    listed = call.argument("args", 3)
    return listed.items if isinstance(listed, Group) else ()


def _of_queue(
    known: Known, waited: Wait, scope: FunctionId, made_by: Call, channel: str
) -> ChildWait | None:
    program = known.program
    if identity(program, scope, channel) is None:
        return None
    ends = (channel, *_other_ends(program, scope, channel))
    reads = [found for end in ends for found in calls_on(program, scope, end, READS)]
    if any(s != known.key for s, _ in reads) or _goes_elsewhere(program, scope, channel, made_by):
        return None  # another function or thread may be reading meanwhile
    if any(c.place.line < known.call.place.line for _, c in reads):
        return None
    read = next((c for _, c in reads), None)
    if read is None:
        return None
    late = Related(known.key.path, read.place.first_line, "it is read only here")
    return _noun(known, waited, (scope, made_by), channel, late)


def _other_ends(program: Program, scope: FunctionId, channel: str) -> Iterator[str]:
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


def _of_pipe(known: Known, waited: Wait, scope: FunctionId, made_by: Call) -> ChildWait | None:
    piped = [s for s in STREAMS if _is_pipe(known.program, scope, made_by.argument(s))]
    resolved = known.program.names.resolve(known.key, waited.subject)
    if not piped or resolved is None or not isinstance(resolved.symbol, Variable):
        return None
    if resolved.rest or scope != known.key or _is_handed_on(known, waited.subject):
        return None
    streams = tuple(f"{waited.subject}.{s}" for s in piped)
    early, late = False, None
    for line, text in _mentions(known, waited.subject, streams):
        early = early or line < known.call.place.line
        late = late or (line, text)
    if early:
        return None
    read = None
    if late is not None:
        place = known.call.place._replace(line=late[0], end_line=late[0], column=1, end_column=0)
        read = Related(known.key.path, place, f"`{late[1]}` is read only here")
    return _noun(known, waited, (scope, made_by), streams[0], read)


def _is_pipe(program: Program, scope: FunctionId, given: Expression | None) -> bool:
    return given is not None and program.library(scope, given.path).endswith("subprocess.PIPE")


def _mentions(known: Known, child: str, streams: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """The lines on which the child's streams are named, or all of it is read."""
    entry = known.program.names.function(known.key)
    for call in entry.calls:
        paths = {e.path for e in call.walk()} | {call.func.path}
        if any(p.startswith(s) for p in paths for s in streams):
            yield call.place.line, call.text
        if call.func.path in (f"{child}.communicate", f"{child}.__exit__"):
            yield call.place.line, call.text
    for ways in entry.bindings.values():
        for way in ways:
            if any(e.path.startswith(s) for e in way.value.walk() for s in streams):
                yield way.line, way.value.text


def _is_handed_on(known: Known, child: str) -> bool:
    """Whether the child as a whole goes to somebody else, or is returned or kept."""
    entry = known.program.names.function(known.key)
    given = (a.value for c in entry.calls for a in c.arguments)
    kept = (w.value for p, ways in entry.bindings.items() if p != child for w in ways)
    return any(e == Name(child) for value in (*given, *kept, *entry.results) for e in value.walk())
