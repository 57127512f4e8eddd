"""Waiting: no deadline, or one that nobody checks."""

from drainlint.model.wait import Wait


def on_the_way(wait: Wait) -> str:
    """Who is held up by a wait without an end; for messages."""
    if wait.drain is not None:
        return f" while the service stops ({wait.drain.root})"
    if wait.function.worker:
        return f", and with it {wait.function.worker}"
    return ""
