"""A wait: a call that may hold its caller up until somebody else has done something."""

from dataclasses import dataclass

from drainlint.model.deadline import Bound, Deadline
from drainlint.model.noun import Noun
from drainlint.model.place import Place


@dataclass(frozen=True, slots=True)
class Repeats:
    """A loop that makes the same wait for one thing after the other."""

    place: Place
    """The loop's header."""
    text: str
    """What it goes over, as written."""
    count: float | None = None
    """How many there are, where that is known."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A bounded wait that comes before another one on the same way through a function."""

    place: Place
    text: str
    seconds: float
    """The longest it can take, its turns included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Noun):
    """A call that waits, and what bounds it."""

    text: str
    """The call, for messages."""
    verb: str
    """`join`, `wait`, `take`, `put`, `lock`, `close`, `network`, `client`, `limits`, `process`,
    `select`, `bound` (bounds what it encloses), `await` (a task or future, awaited by its name)."""
    subject: str
    """What is waited for, as written; empty for a plain function."""
    nature: str = ""
    """What it is: `thread`, `queue`, `event`, ...; empty where that is not known."""
    type: str = ""
    """The class's own name, where it is known."""
    deadline: Deadline
    can_be_bounded: bool = True
    """The call has a parameter that bounds it."""
    by_default: bool = False
    """What bounds it (or does not) is the library's default: no timeout is given."""
    runs_its_job: bool = False
    """It runs what it is given and gives its result, as a plain call would."""
    is_brief: bool = False
    """The child only tells something, or sends a signal, and ends."""
    in_its_pools_block: bool = False
    """It is made within the `with` of the executor whose jobs it waits for: so is their end."""
    has_bounded_jobs: bool = False
    """It waits for jobs each of which bounds what it waits for itself."""
    is_attended: bool = False
    """The child is a program that its user works with: an editor, a pager."""
    is_for_another: bool = False
    """The child is told to stop what lives elsewhere, and may well outlive this program."""
    is_facade: bool = False
    """It gives the result of a call of the project's own, as a blocking twin of that call does."""
    serves_workers: bool = False
    """It makes a client through which workers ask."""
    awaited: bool = False
    """It gives an awaitable, or is awaited: a coroutine waits, not a thread."""
    awaited_here: bool = False
    """The coroutine stops right here for it; an awaitable may also be handed on."""
    blocks: bool = False
    """It blocks the thread, and thus an event loop."""
    remote: bool = False
    """How long it takes is up to another host or process."""
    handed_over: bool = False
    """It is not called here but handed to somebody who will (`run_in_executor(None, t.join)`)."""
    bounded_by: str = ""
    """The enclosing timeout, where there is one."""
    ended: str = ""
    """Why what is waited for has provably ended already; empty where it may go on."""
    killed: bool = False
    """What is waited for was sent SIGKILL just before."""
    gave_result: bool = False
    """The process that is waited for has given what it gives last: it is about to end."""
    cancelled: bool = False
    """What is awaited was cancelled just before, and its cancellation is handled here."""
    woken_by_stop: bool = False
    """It stands in a loop, and the class's stop sets or notifies what it waits for."""
    idle: bool = False
    """It is the main flow's one wait for the request to stop."""
    own_job: bool = False
    """It stands in the implementation of what waits: a lock's `acquire`, a future's `result`."""
    hands_on: bool = False
    """It stands in a method of the same name, which hands the wait and its outcome on."""
    locks: tuple[str, ...] = ()
    """The locks that are held around it, as written."""
    in_loop: bool = False
    seen: str = ""
    """How somebody learns that the time ran out; empty where nobody looks."""
    is_pause: bool = False
    """A timed wait that only lets time pass, and that a stop cuts short."""
    ready: str = ""
    """Why a take does not wait: "non-blocking", "reported readable"; empty where it may."""
    marker: bool = False
    """It puts an end marker into a queue that has a bound, and may be full."""
    endless: str = ""
    """The header of the endless worker loop that it feeds, which nothing it takes can end."""
    repeats: Repeats | None = None
    """The loop that makes this wait anew, with the same bound, for one thing after the other."""
    earlier: tuple[Earlier, ...] = ()
    """On the drain path: bounded waits before it on the same way through the function."""

    @property
    def is_unbounded(self) -> bool:
        """Whether nothing at all bounds it, here or around it."""
        return self.deadline.is_none and not self.bounded_by

    @property
    def is_bounded_here(self) -> bool:
        """Whether a timeout of its own bounds it, and it does wait."""
        return self.deadline.bound not in (Bound.NONE, Bound.HANDED_ON) and not self.deadline.polls

    @property
    def total(self) -> float | None:
        """The longest it can take in seconds, all turns of its loop included, if that is known."""
        seconds = self.deadline.seconds
        if seconds is None or self.repeats is None:
            return seconds
        return None if self.repeats.count is None else seconds * self.repeats.count
