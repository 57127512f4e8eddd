"""What all nouns share: where they stand, in which function, and whether on the drain path."""

from dataclasses import dataclass

from drainlint.finding import Confidence, Related
from drainlint.model.function import Drain, Function
from drainlint.model.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """Something a rule judges: a frozen value with an absolute place and short texts."""

    path: str
    """The file, relative to the project's root."""
    place: Place
    """Where a finding about it is put."""
    function: Function
    """The function it stands in."""
    drain: Drain | None = None
    """Why it is on the drain path, if it is."""
    confidence: Confidence = Confidence.HIGH
    """How it was recognised."""
    budget: float = 25.0
    """Seconds that the platform grants between SIGTERM and SIGKILL, less a margin."""
    min_sleep: float = 0.1
    """Seconds; a constant pause up to and including this one is too short to speak of."""
    side: bool = False
    """Its file is a test, an example, set-up: by place, not content."""

    @property
    def only_waits(self) -> bool:
        """Whether it is a loop that does nothing but wait."""
        return False

    def related(self, place: Place, text: str) -> Related:
        """A related place in the same file."""
        return Related(self.path, place.first_line, text)
