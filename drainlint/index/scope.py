"""A function while its body is being walked."""

from collections import defaultdict
from collections.abc import Mapping

from drainlint.index.entries import Awaited, Binding, Entered, Region, Turn
from drainlint.model.expression import Call, Expression


class Open:
    """A function whose body is being walked."""

    __slots__ = (
        "asked",
        "awaits",
        "bindings",
        "calls",
        "checkpoints",
        "entered",
        "name",
        "owner",
        "raises",
        "regions",
        "results",
        "shared",
        "turns",
        "yields",
    )

    def __init__(self, name: str, owner: str = "") -> None:
        self.name = name
        self.owner = owner
        self.bindings: dict[str, list[Binding]] = defaultdict(list)
        self.calls: list[Call] = []
        self.results: list[Expression] = []
        self.asked: set[str] = set()
        self.shared: set[str] = set()
        self.regions: list[Region] = []
        self.entered: list[Entered] = []
        self.turns: list[Turn] = []
        self.checkpoints: list[Expression] = []
        self.awaits: list[Awaited] = []
        self.raises = False
        self.yields = 0
        """The line of the first `yield`, 0 for none."""

    def bound(self) -> Mapping[str, tuple[Binding, ...]]:
        """Its bindings as they are kept."""
        return {name: tuple(ways) for name, ways in self.bindings.items()}
