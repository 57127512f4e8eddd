"""What is made to live for a while: workers and resources, where they are made."""

from dataclasses import dataclass

from drainlint.finding import Related
from drainlint.model.noun import Noun
from drainlint.model.service import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Noun):
    """Something with a lifetime, at the call that makes it."""

    text: str
    """The call, for messages."""
    nature: str
    """`thread`, `task`, `executor`, `session`, ...: as the knowledge tables say."""
    type: str
    """The class's own name."""
    kept: str = ""
    """The name that keeps it: `self.worker`, `threads`; empty where nobody does."""
    several: bool = False
    """It is one of several that are kept together."""
    in_loop: bool = False
    """Each turn of a loop makes one."""
    within: bool = False
    """A `with` ends it."""
    handed_on: tuple[Act, ...] = ()
    """Returned, or given to somebody else, who may end it."""
    stopped: tuple[Act, ...] = ()
    """Asked to end: stopped, cancelled, closed, terminated."""

    @property
    def is_local(self) -> bool:
        """Whether only a variable of its function keeps it."""
        return bool(self.kept) and "." not in self.kept

    @property
    def is_dropped(self) -> bool:
        """Whether nobody can ever ask it to end: it is neither kept nor handed on."""
        return not (self.kept or self.handed_on or self.within)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker(Made):
    """What runs beside the main flow: a thread, process, task, timer, pool, executor, child."""

    runs: tuple[Related, ...] = ()
    """The functions of the project that it runs, each at its definition."""
    daemon: bool | None = None
    """Whether the program ends without it; None where that is not said."""
    running: bool = False
    """It runs from the moment it is made."""
    started: tuple[Act, ...] = ()
    joined: tuple[Act, ...] = ()
    """Waited for until it has ended, each with what bounds the wait."""
    asked: tuple[Act, ...] = ()
    """Asked whether it still runs."""

    @property
    def is_started(self) -> bool:
        """Whether it ever runs, as far as its own place tells."""
        return self.running or bool(self.started)

    @property
    def is_joined(self) -> bool:
        """Whether somebody waits until it has ended."""
        return self.within or bool(self.joined)

    @property
    def joined_without_deadline(self) -> bool:
        """Whether a wait for its end can last for ever."""
        return any(act.waits_for_ever for act in self.joined)

    @property
    def is_left_behind(self) -> bool:
        """Whether it runs, and nobody asks it to end, waits for that, or takes it over."""
        return self.is_started and not (self.is_joined or self.stopped or self.handed_on)

    @property
    def outlives_the_program(self) -> bool:
        """Whether the interpreter waits for its end although nobody asks it to end."""
        return self.is_left_behind and not self.daemon and self.nature in ("thread", "process")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Made):
    """What is opened and must be closed: a connection, a session, a server, a socket."""

    given_to: tuple[str, ...] = ()
    """The workers that are made with it, as they are kept: they use it until they have ended."""
    used: tuple[Act, ...] = ()
    """What else is done with it, in the order of lines."""

    @property
    def is_left_open(self) -> bool:
        """Whether nobody closes it or takes it over."""
        return not (self.stopped or self.within or self.handed_on)
