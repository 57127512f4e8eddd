"""What is reported about the run itself: pages only, `drainlint.run` makes the findings."""

from collections.abc import Iterator

from drainlint.finding import Finding
from drainlint.model.noun import Noun
from drainlint.rule import NOTHING, Rule


class RunRule(Rule[Noun]):
    """Base of rules that judge no noun: a code, a level and a page for what the run reports."""

    words = NOTHING

    def check(self, noun: Noun) -> Iterator[Finding]:  # noqa: ARG002  # the shape of every rule
        """Yield nothing: no noun is judged."""
        yield from ()
