"""The workers and resources of a map: those of classes, and those that only functions have."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from drainlint.chart.paths import Wishes
from drainlint.link.makings import Makings
from drainlint.link.names import ClassId
from drainlint.link.program import Program
from drainlint.model.made import Made, Worker


class MadeThings:
    """What the functions of the asked files make, by who keeps it."""

    def __init__(self, program: Program, wishes: Wishes) -> None:
        """Take the linked program, and what is to be shown."""
        self.program = program
        self.wishes = wishes

    @cached_property
    def _all(self) -> tuple[tuple[ClassId | None, Made], ...]:
        makings = Makings(self.program)
        return tuple(
            (self._keeper(made), made)
            for key, _ in self.program.names.functions()
            if self.wishes.shows(key.path)
            for made in makings.of(key)
        )

    def _keeper(self, made: Made) -> ClassId | None:
        """The class with an attribute that keeps it."""
        service = made.function.service
        if service is None or not made.kept.partition(".")[2]:
            return None
        return ClassId(service.path, service.name)

    @cached_property
    def by_class(self) -> dict[ClassId, list[Made]]:
        """What the attributes of each class keep."""
        found: dict[ClassId, list[Made]] = defaultdict(list)
        for keeper, made in self._all:
            if keeper is not None:
                found[keeper].append(made)
        return found

    @cached_property
    def of_functions(self) -> tuple[Made, ...]:
        """What no attribute of a class keeps."""
        return tuple(made for keeper, made in self._all if keeper is None)

    def shown(self) -> Iterator[Made]:
        """What is worth showing: workers that run on, and resources that others use or forget."""
        for made in self.of_functions:
            if self.wishes.everything or _says_something(made):
                yield made


def _says_something(made: Made) -> bool:
    if isinstance(made, Worker):
        at_once = any(act.place.line == made.place.line for act in made.joined)
        return made.is_started and not at_once and not made.within
    return bool(getattr(made, "given_to", ()))
