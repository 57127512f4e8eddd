"""A function as the link sees it: who runs it, and whether it runs while the program stops."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.place import Place
from drainlint.model.service import Service


@dataclass(frozen=True, slots=True)
class Drain:
    """Why a place is on the drain path."""

    root: str
    """What it begins with, for messages: "signal handler `on_term`"."""
    sort: str
    """`signal`, `exit-hook`, `shutdown-hook`, `method` (a stop method), `context` (`__exit__`),
    `finally`, `after-wait`."""
    steps: tuple[Related, ...]
    """The functions from the root to here, root first, each at its definition."""
    by_name: bool = False
    """The root's name is the only evidence, or a call on the way may enter another function as
    well: levels stay below error."""


@dataclass(frozen=True, slots=True)
class Function:
    """The function that a noun stands in."""

    path: str
    name: str
    """Qualified name; empty for a module's own statements."""
    place: Place
    is_async: bool = False
    roles: frozenset[str] = frozenset()
    """Who runs it, directly or through calls: `thread`, `task`, `signal-handler`, ..."""
    worker: str = ""
    """How it came to be a worker, for messages: "thread target `run`"; empty where it is none."""
    main: bool = False
    """It belongs to the main flow itself."""
    helper: bool = False
    """Only the main flow calls it."""
    command_line: bool = False
    """Its file is, by its place, the program's command line: `cli.py`, `commands/`."""
    service: Service | None = None
    """The service whose method it is (or is nested in)."""
    implements: str = ""
    """The nature of what its class is: a lock, queue, future, event, pool or thread."""

    alone: bool = False
    """The programs that reach its file have no worker, server, event loop or signal handler."""

    @property
    def short_name(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2] or "module"
