"""Builds exits: `sys.exit`, `raise SystemExit`, hard exits, signals to oneself."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from drainlint.knowledge.names import named
from drainlint.link.calls import Known
from drainlint.link.forks import only_in_children, side_of_fork
from drainlint.link.names import ClassId, FunctionId, Library
from drainlint.link.program import Program
from drainlint.link.roles import HANDLERS
from drainlint.link.roots import ENDING
from drainlint.link.surroundings import Spot
from drainlint.model.exit import Exit
from drainlint.model.expression import Call, Compare, Constant, Expression, Name
from drainlint.model.statement import If, Raise, Return, Try

EXITING = frozenset({"exit", "hard-exit", "kill"})


def exits(known: Known) -> Iterator[Exit]:
    """The exits that a call is, or hands over."""
    if known.does in EXITING and known.facts is not None:
        sort = _sort(known)
        if sort and not _is_wrapper(known):
            yield _noun(known.program, known.key, known.call, known.occurrence.spot, sort)
        return
    for value, role in _handed_over(known):
        facts = known.program.knowledge.call(known.program.library(known.key, value.path))
        if facts is not None and facts.does in ("exit", "hard-exit"):
            sort = "hard" if facts.does == "hard-exit" else "exit"
            made = _noun(known.program, known.key, known.call, known.occurrence.spot, sort)
            yield _handed(made, value.path, role)


def _handed_over(known: Known) -> Iterator[tuple[Expression, str]]:
    """What a call hands on to be run, and as what; a thread runs what its methods are handed."""
    if known.facts is not None:
        for runs in known.facts.runs:
            value = known.call.argument(runs.argument, runs.at)
            if value is not None and value.path:
                yield value, runs.role
        return
    given = [a.value for a in known.call.arguments if a.value.path]
    if given and any(_is_of_a_thread(known, t) for t in _targets(known)):
        yield from ((value, "thread") for value in given)


def _targets(known: Known) -> Iterable[FunctionId]:
    return known.program.graph.targets(known.key, known.call)


def _is_of_a_thread(known: Known, target: FunctionId) -> bool:
    owner = known.program.classes.owner(target)
    return owner is not None and known.program.kinds.instance(owner).nature == "thread"


def _handed(made: Exit, path: str, role: str) -> Exit:
    function = replace(made.function, main=False, helper=False, roles=made.function.roles | {role})
    worker = f"the {role.replace('-', ' ')} it is handed to" if role in IN_PROCESS else ""
    return replace(made, text=path, handed_over=True, function=function, in_worker=worker)


def raised(program: Program, key: FunctionId, spot: Spot) -> Exit | None:
    """The exit that a `raise SystemExit` (or a subclass of it) is."""
    statement = spot.statement
    if not isinstance(statement, Raise) or statement.value is None:
        return None
    value = statement.value
    path = value.func.path if isinstance(value, Call) else value.path
    if not is_system_exit(program, key, path):
        return None
    place = value.place if isinstance(value, Call) else statement.place
    made = _noun(program, key, Call(Name(path), (), place), spot, "exit")
    return replace(made, text=f"raise {value.text}", place=statement.place)


def is_system_exit(program: Program, key: FunctionId, path: str) -> bool:
    """Whether a dotted name is SystemExit or a subclass of it."""
    resolved = program.names.resolve(key, path) if path else None
    if resolved is None or resolved.rest:
        return False
    if isinstance(resolved.symbol, ClassId):
        return any(
            isinstance(base, Library) and base.dotted == "SystemExit"
            for base in program.classes.line(resolved.symbol)
        )
    return resolved.symbol == Library("SystemExit")


def _sort(known: Known) -> str:
    """What sort of exit a call is; empty where it ends somebody else."""
    name = known.facts.name if known.facts is not None else ""
    if known.does == "exit":
        return "exit"
    if known.does == "hard-exit":
        return "exec" if ".exec" in name else "hard"
    if not any("SIGKILL" in e.path for a in known.call.arguments for e in a.value.walk()):
        return ""
    first = known.call.arguments[0].value if known.call.arguments else None
    to_itself = name.endswith("raise_signal") or _is_own_pid(known, first)
    return "kill" if to_itself else ""


def _is_wrapper(known: Known) -> bool:
    """Whether a method does no more than bear the exit's name: its callers exit."""
    return known.function.short_name == known.call.method and "." in known.function.name


def _is_own_pid(known: Known, given: Expression | None) -> bool:
    """Whether it is `os.getpid()` (or the own group), also by the name it was given."""
    if isinstance(given, Call) and given.method == "getpgid":
        whose = given.argument("pid", 0)
        return isinstance(whose, Constant) or _is_own_pid(known, whose)
    if isinstance(given, Call):
        return given.method in ("getpid", "getpgrp")
    if given is None or not given.path:
        return False
    ways = known.program.names.function(known.key).bindings.get(given.path, ())
    return bool(ways) and all(
        isinstance(way.value, Call) and _is_own_pid(known, way.value) for way in ways
    )


IN_PROCESS = frozenset(
    {"thread", "executor", "off-loop", "task", "timer", "callback", "done-callback", "consumer"}
)
"""Workers that share the process. A greenlet's exit is the program's: the hub passes it on."""
NEAR = 4
"""Functions from a worker's own to here; further down, others call it as well."""
ON_LOOP = frozenset({"task", "callback", "done-callback"})
PARSERS = ("argparse.", "optparse.", "click.")


def _noun(program: Program, key: FunctionId, call: Call, spot: Spot, sort: str) -> Exit:
    function = program.function(key)
    roles = function.roles
    return Exit(
        path=key.path,
        place=call.place,
        function=function,
        drain=program.drain(key, call.place.line),
        text=call.text,
        sort=sort,
        in_child=side_of_fork(program, key, spot) == "child" or only_in_children(program, key),
        daemonises=side_of_fork(program, key, spot) == "parent"
        or "daemon" in program.names.function(key).short_name.lower(),
        last_act=_is_last_act(spot),
        second_signal=_on_second_signal(program, key, spot),
        in_handler_of_import=_reports_missing_import(spot),
        at_import=not function.name,
        in_command_line=_parses_command_line(program, key),
        in_signal_handler=bool(program.roles.registered(key) & HANDLERS),
        tears_loop=bool(roles & ON_LOOP) and not roles & (IN_PROCESS - ON_LOOP),
        in_worker=function.worker if _is_worker_only(program, key) else "",
        caught=_is_caught(program, key, spot),
        runs_as_process="process" in roles and not roles & IN_PROCESS,
    )


def _is_worker_only(program: Program, key: FunctionId) -> bool:
    """Whether workers of this process run a function, and the main flow does not."""
    function = program.function(key)
    if function.main or not function.roles & IN_PROCESS:
        return False
    if program.roles.registered(key) & IN_PROCESS:
        return True
    reached = program.roles.of(key)
    chains = [reached[role].chain for role in function.roles & IN_PROCESS]
    callers = program.graph.callers.get(key, set())
    return min(len(c) for c in chains) <= NEAR and all(
        set(program.roles.of(caller)) & IN_PROCESS and caller not in program.roles.main
        for caller in callers
    )


def _is_caught(program: Program, key: FunctionId, spot: Spot) -> bool:
    """Whether the worker that it runs in handles the exit, as by telling the main flow."""
    reached = program.roles.of(key)
    around = {f for role in set(reached) & IN_PROCESS for f in reached[role].chain} - {key}
    for entered in (i.value for w in spot.withs for i in w.items if isinstance(i.value, Call)):
        around.update(program.graph.targets(key, entered))
    return any(_handles_exits(program, function) for function in around)


def _handles_exits(program: Program, function: FunctionId) -> bool:
    body = program.bodies.get(function)
    return body is not None and any(
        kind.path.rpartition(".")[2] == "SystemExit"
        for statement in (s for top in body.statements for s in top.walk())
        if isinstance(statement, Try)
        for handler in statement.handlers
        for kind in handler.kinds
    )


def _parses_command_line(program: Program, key: FunctionId) -> bool:
    """Whether it is a part of parsing the command line: it parses, or extends a parser's class."""
    entry = program.names.function(key)
    if any(named("parses-command-line", call.method) for call in entry.calls):
        return True
    if [p.name for p in entry.parameters][-3:] == ["ctx", "param", "value"]:
        return True
    owner = program.classes.owner(key)
    return owner is not None and any(
        isinstance(base, Library) and base.dotted.startswith(PARSERS)
        for base in program.classes.line(owner)
    )


# Last acts and ways out


def _is_last_act(spot: Spot) -> bool:
    """Whether nothing follows it in a function that has stopped or waited for something before."""
    if any(True for _ in spot.following()):
        return False
    return any(
        isinstance(e, Call) and e.method in ENDING
        for statement in spot.preceding()
        for inner in statement.walk()
        for expression in inner.expressions
        for e in expression.walk()
    )


def _on_second_signal(program: Program, key: FunctionId, spot: Spot) -> bool:
    function = program.function(key)
    if not function.roles & {"signal-handler", "loop-signal-handler"}:
        return False
    for one in spot.outward():
        if isinstance(one.owner, If) and one.section == "body" and _asks_twice(one.owner.test):
            return True
    return any(
        isinstance(s, If) and _asks_twice(s.test) and isinstance(s.body[-1], Return)
        for s in spot.preceding()
    )


def _asks_twice(test: Expression) -> bool:
    """Whether a handler's test asks if it has run before: by a name, or by counting."""
    counts = isinstance(test, Compare) and any(
        isinstance(r, Constant) and isinstance(r.value, int) and not isinstance(r.value, bool)
        for r in test.rights
    )
    return _remembers(test) or (counts and "signum" not in test.text)


def _remembers(test: Expression) -> bool:
    return any(named("asked-twice", e.path) for e in test.walk() if e.path)


def _reports_missing_import(spot: Spot) -> bool:
    return any(
        isinstance(one.owner, Try)
        and one.section == "handler"
        and one.handler is not None
        and any(k.path in ("ImportError", "ModuleNotFoundError") for k in one.handler.kinds)
        for one in spot.outward()
    )
