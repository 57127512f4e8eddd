"""A function while its body is being walked."""

from collections import defaultdict
from collections.abc import Mapping

from drainlint.index.entries import Awaited, Binding, Entered, Region, Turn
from drainlint.model.expression import Call, Expression

CLEANUP = "await in cleanup"
"""The word for an `await` or `yield` in a block that runs on the way out."""


class Open:
    """A function whose body is being walked."""

    __slots__ = (
        "asked",
        "awaits",
        "bindings",
        "calls",
        "checkpoints",
        "cleaning",
        "entered",
        "is_generator",
        "name",
        "owner",
        "raises",
        "regions",
        "results",
        "shared",
        "turns",
        "words",
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
        self.raises: list[str] = []
        self.words: set[str] = set()
        """What the screen looks at: its identifiers, and the keywords of its statements."""
        self.cleaning = 0
        """How many blocks that run on the way out are open."""
        self.yields = 0
        """The line of the first `yield` that what is still to come may follow, 0 for none."""
        self.is_generator = False

    def pauses(self, word: str) -> None:
        """Note that it gives control away, by `await` or `yield`."""
        self.words.add(word)
        if self.cleaning:
            self.words.add(CLEANUP)

    def takes_over(self, inner: "Open") -> None:
        """Note what is read along with it: a lambda, the body of a class."""
        self.words |= inner.words

    def bound(self) -> Mapping[str, tuple[Binding, ...]]:
        """Its bindings as they are kept."""
        return {name: tuple(ways) for name, ways in self.bindings.items()}
