"""The map of a program as JSON.

    {
      "version": 1,                     grows when a field changes its meaning or goes
      "tool": {"name", "version"},
      "entries": [{
        "sort",                         console script, package, main guard, command, main function
        "name", "at",                   `at` is {"path", "line", "column"} wherever it occurs
        "services": ["Worker"],         those that it makes
        "handlers": [handler]
      }],
      "handlers": [handler],            those that no entry is seen to register
      "services": [{
        "name", "at",
        "heirs": ["..."],               classes that inherit all of it and add nothing
        "base": null or "...",          the class that shows what is inherited
        "signals": [{"name", "nature", "owner", "set_by": [act], "read_by": [act]}],
        "holds": [{"name", "sort", "nature", "type", "owner", "several",
                   "created", "handed_in", "started", "stopped", "joined",
                   "asked"}],           lists of acts
        "submits": [act],
        "makes": [made]                 the calls that make what it holds
      }],
      "made": [made],                   workers and resources that no service keeps
      "deliveries": [{"function", "how", "message", "at",
                      "worked_on", "handed_to", "acknowledged"}],   lists of steps
      "drain_paths": [{"number", "sort", "label", "triggers", "by_name", "root": node}],
      "left_out": {"entries", "users", "quiet", "drawn", "side", "made"}   how many are not shown
    }

A handler is `{"label", "at", "registered", "triggers", "sets", "drain_path", "remarks"}`:
`registered` and `drain_path` may be null, `triggers` are signals, `sets` stop signals
(`Worker.alive`). A made thing is `{"sort", "nature", "type", "text", "at", "function", "kept",
"several", "in_loop", "within", "stopped", "handed_on"}`; sort is `worker` or `resource`; a worker
has `runs`, `daemon` (null where it is not said), `started`, `joined` and `asked` as well, a
resource `given_to` and `used`. How a delivery is received is `callback`, `loop` or `take`; a step
is `{"text", "at", "verb", "cleanup"}`. An act is
`{"function", "at", "text", "bound"}`. A node is `{"name", "at", "waits", "calls",
"called_on", "again"}`: `called_on` is the line on which the function above calls it, null for a
root; `again` is null, or the number of the path in which the function is drawn. A wait is
`{"sort", "text", "at", "bound", "remarks"}`; sort is `wait`, `pause` or `loop`. A bound is null
where nothing waits, else `{"sort", "seconds", "text", "around"}`: sort is `none`, `constant`,
`expression`, `handed on` (a parameter that is None by default) or `caller` (a parameter). `around`
is the enclosing timeout; a wait has `limit` as well: what bounds it and is no timeout, in words.
"""

import json
from dataclasses import asdict

from drainlint import __version__
from drainlint.chart.servicemap import (
    DrainPath,
    Entry,
    Handler,
    MappedService,
    MappedWait,
    Node,
    ServiceMap,
    Spot,
)
from drainlint.model.deadline import Deadline
from drainlint.model.delivery import Delivery, Step
from drainlint.model.made import Made, Resource, Worker
from drainlint.model.service import Act, Held, StopSignal

Json = dict[str, object]

FORMAT_VERSION = 1


def render(chart: ServiceMap) -> str:
    """Render a map as one JSON object."""
    report: Json = {
        "version": FORMAT_VERSION,
        "tool": {"name": "drainlint", "version": __version__},
        "entries": [_entry(entry) for entry in chart.entries],
        "handlers": [_handler(handler) for handler in chart.handlers],
        "services": [_service(service) for service in chart.services],
        "made": [_made(made) for made in chart.made],
        "deliveries": [_delivery(one) for one in chart.deliveries],
        "drain_paths": [_path(path) for path in chart.paths],
        "left_out": asdict(chart.left_out),
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _at(spot: Spot) -> Json:
    return {"path": spot.path, "line": spot.line, "column": spot.column}


def _entry(entry: Entry) -> Json:
    return {
        "sort": entry.sort,
        "name": entry.name,
        "at": _at(entry.spot),
        "services": entry.services,
        "handlers": [_handler(handler) for handler in entry.handlers],
    }


def _handler(handler: Handler) -> Json:
    return {
        "label": handler.label,
        "at": _at(handler.spot),
        "registered": None if handler.registered is None else _at(handler.registered),
        "triggers": handler.triggers,
        "sets": handler.sets,
        "drain_path": handler.path or None,
        "remarks": handler.remarks,
    }


def _service(service: MappedService) -> Json:
    lifetime = service.lifetime
    return {
        "name": lifetime.name,
        "at": _at(Spot(lifetime.path, lifetime.place.line, lifetime.place.column)),
        "heirs": service.heirs,
        "base": service.base or None,
        "signals": [_signal(signal) for signal in lifetime.signals],
        "holds": [_held(held) for held in lifetime.held],
        "submits": [_act(act) for act in lifetime.submits],
        "makes": [_made(made) for made in service.makes],
    }


def _made(made: Made) -> Json:
    found: Json = {
        "sort": "worker" if isinstance(made, Worker) else "resource",
        "nature": made.nature,
        "type": made.type,
        "text": made.text,
        "at": _at(Spot(made.path, made.place.line, made.place.column)),
        "function": made.function.name,
        "kept": made.kept,
        "several": made.several,
        "in_loop": made.in_loop,
        "within": made.within,
        "stopped": [_act(act) for act in made.stopped],
        "handed_on": [_act(act) for act in made.handed_on],
    }
    if isinstance(made, Worker):
        found |= {
            "runs": [one.text for one in made.runs],
            "daemon": made.daemon,
            "started": [_act(act) for act in made.started],
            "joined": [_act(act) for act in made.joined],
            "asked": [_act(act) for act in made.asked],
        }
    if isinstance(made, Resource):
        found |= {"given_to": made.given_to, "used": [_act(act) for act in made.used]}
    return found


def _signal(signal: StopSignal) -> Json:
    return {
        "name": signal.name,
        "nature": signal.nature,
        "owner": signal.owner,
        "set_by": [_act(act) for act in signal.set_by],
        "read_by": [_act(act) for act in signal.read_by],
    }


def _held(held: Held) -> Json:
    return {
        "name": held.name,
        "sort": held.sort,
        "nature": held.nature,
        "type": held.type,
        "owner": held.owner,
        "several": held.several,
        "created": [_act(act) for act in held.created],
        "handed_in": [_act(act) for act in held.handed_in],
        "started": [_act(act) for act in held.started],
        "stopped": [_act(act) for act in held.stopped],
        "joined": [_act(act) for act in held.joined],
        "asked": [_act(act) for act in held.asked],
    }


def _act(act: Act) -> Json:
    return {
        "function": act.function,
        "at": _at(Spot(act.path, act.place.line, act.place.column)),
        "text": act.text,
        "bound": None if act.deadline is None else _bound(act.deadline),
    }


def _bound(deadline: Deadline, around: str = "") -> Json:
    return {
        "sort": deadline.bound.value,
        "seconds": deadline.seconds,
        "text": deadline.text,
        "around": around,
    }


def _delivery(one: Delivery) -> Json:
    def steps(several: tuple[Step, ...]) -> list[Json]:
        return [
            {
                "text": step.text,
                "at": _at(Spot(one.path, step.place.line, step.place.column)),
                "verb": step.verb,
                "cleanup": step.cleanup,
            }
            for step in several
        ]

    return {
        "function": one.function.name,
        "how": one.how,
        "message": one.message,
        "at": _at(Spot(one.path, one.place.line, one.place.column)),
        "worked_on": steps(one.worked_on),
        "handed_to": steps(one.handed_to),
        "acknowledged": steps(one.acknowledged),
    }


def _path(path: DrainPath) -> Json:
    return {
        "number": path.number,
        "sort": path.sort,
        "label": path.label,
        "triggers": path.triggers,
        "by_name": path.by_name,
        "root": _node(path.root),
    }


def _node(node: Node) -> Json:
    return {
        "name": node.name,
        "at": _at(node.spot),
        "waits": [_wait(wait) for wait in node.waits],
        "calls": [_node(call) for call in node.calls],
        "called_on": node.called_on or None,
        "again": node.again or None,
    }


def _wait(wait: MappedWait) -> Json:
    return {
        "sort": wait.sort,
        "text": wait.text,
        "at": _at(wait.spot),
        "bound": _bound(wait.deadline, wait.around) | {"limit": wait.limit},
        "remarks": wait.remarks,
    }
