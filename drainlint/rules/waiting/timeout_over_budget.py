"""DRN307."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.knowledge import WAITING
from drainlint.model.wait import Wait
from drainlint.rule import DRAINS, Rule, any_of, does, on_drain_path
from drainlint.rules.waiting import is_far_from_the_stop
from drainlint.words import BOUNDED, IN_A_WORKER

MADE = ("client", "limits")
"""What makes a client, wherever it stands: workers may ask through it."""
CLIENTS = (*MADE, "network")


class TimeoutOverBudget(Rule[Wait]):
    """A timeout is longer than the whole stop may take.

    The platform grants some seconds between SIGTERM and SIGKILL. A wait on the way out that may
    take longer is as good as unbounded: the process is killed in the middle of it. The same holds
    for a client's timeout: a worker stuck in such a request cannot be waited for.

    Bad:
        class Pool:
            def __init__(self):
                self.finished = threading.Event()

            def close(self):
                self.finished.wait(timeout=60)

    Good:
        class Pool:
            def __init__(self):
                self.finished = threading.Event()

            def close(self):
                if not self.finished.wait(timeout=20):
                    log.error("work in flight is given up")
    """

    code = "DRN307"
    level = on_drain_path(Level.WARNING, Level.NOTE)
    words = (any_of("join(x)") | does(*WAITING, *CLIENTS, ways=(BOUNDED,)) | does("bound")) & (
        DRAINS | any_of(IN_A_WORKER) | does(*MADE, ways=(BOUNDED,))
    )

    def check(self, wait: Wait) -> Iterator[Finding]:
        """Flag a constant timeout over the budget, on the drain path or of a client."""
        seconds = wait.deadline.seconds
        if seconds is None or seconds <= wait.budget or wait.bounded_by:
            return
        if wait.ended or wait.killed:
            return
        matters = wait.drain or wait.function.worker or wait.serves_workers
        if wait.verb in CLIENTS and (wait.by_default or not matters):
            return
        if wait.drain is None and wait.verb not in CLIENTS:
            return
        yield self.found(
            wait,
            f"`{wait.text}` may take {seconds:g} s, and the drain budget is {wait.budget:g} s",
            wait.related(wait.place, f"{seconds:g} s > budget {wait.budget:g} s"),
            remedy="give it less than the budget, or what is left of it",
            level=Level.NOTE if is_far_from_the_stop(wait) else None,
        )
