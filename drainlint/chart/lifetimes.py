"""Lifetimes as they are drawn: without what tests do, and without what a base shows already."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from drainlint.model.service import Act, Lifetime

Side = Callable[[str], bool]
"""Whether a file is a test, an example or set-up."""


def without_side_code(lifetime: Lifetime, side: Side) -> Lifetime:
    """A lifetime without what side code does: a test that joins a worker joins it nowhere else."""

    def kept(acts: Iterable[Act]) -> tuple[Act, ...]:
        return tuple(act for act in acts if not side(act.path))

    return replace(
        lifetime,
        held=tuple(
            replace(
                one,
                created=kept(one.created),
                handed_in=kept(one.handed_in),
                started=kept(one.started),
                stopped=kept(one.stopped),
                joined=kept(one.joined),
                asked=kept(one.asked),
            )
            for one in lifetime.held
        ),
        signals=tuple(
            replace(one, set_by=kept(one.set_by), read_by=kept(one.read_by))
            for one in lifetime.signals
        ),
        submits=kept(lifetime.submits),
    )


def of_its_own(lifetime: Lifetime) -> Lifetime:
    """A lifetime without what its bases bind."""
    return replace(
        lifetime,
        held=tuple(one for one in lifetime.held if one.owner == lifetime.name),
        signals=tuple(one for one in lifetime.signals if one.owner == lifetime.name),
        submits=(),
    )
