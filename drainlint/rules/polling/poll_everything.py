"""DRN111."""

from collections.abc import Iterator

from drainlint.finding import Finding, Level
from drainlint.model.loop import Loop
from drainlint.rule import Rule, always, any_of
from drainlint.rules.polling import held, pause_notes


class PollEverything(Rule[Loop]):
    """A loop waits until the runtime knows of nobody else who is alive.

    The runtime counts everybody: threads of libraries, of the interpreter, of a debugger. The loop
    waits for workers that are not its own, walks all of them on every turn, and ends late or never.
    Keep the workers that you start, and join those.

    Bad:
        def stop():
            while threading.active_count() > 1:
                time.sleep(0.1)

    Good:
        def stop(workers):
            deadline = time.monotonic() + 20
            for worker in workers:
                worker.join(max(0.0, deadline - time.monotonic()))
    """

    code = "DRN111"
    level = always(Level.WARNING)
    words = any_of("while", "for") & any_of(
        "enumerate()",
        "active_count",
        "activeCount",
        "all_tasks",
        "active_children",
        "_current_frames",
        "get_objects",
        "get_referrers",
        "get_running_tasks",
    )

    def check(self, loop: Loop) -> Iterator[Finding]:
        """Flag a pure wait whose end depends on everybody."""
        asks = loop.asks("everything")
        if asks is None or not loop.waits_by_asking:
            return
        yield self.found(
            loop,
            f"this loop waits until `{asks.text}` knows of nobody else{held(loop)}",
            *pause_notes(loop, asks),
            remedy="keep the workers that you start, and join those under one deadline",
            about=tuple(p.place for p in loop.pauses),
        )
