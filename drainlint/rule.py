"""The shape of a rule: one class, one file, one fixture, all bearing the same name.

A rule is a pure function from a noun of `drainlint.model` to findings. Its type argument is the
dispatch, its docstring is the documentation page, and the page's `Bad:` and `Good:` blocks are
tests. There is nothing to register: the class's module gives the family, its name the rule's name.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

from drainlint.finding import Confidence, Finding, Level, Related
from drainlint.model.noun import Noun
from drainlint.model.place import Place
from drainlint.words import ON, ON_DRAIN_PATH, UNDER_A_LOCK, said

N = TypeVar("N", bound=Noun)


@dataclass(frozen=True, slots=True)
class Words:
    """What a function must hold for a rule to find anything in it.

    Of every group one word must be there; `drainlint.words` says what a word may be. A
    necessary condition only: it may let too much through, never too little.
    """

    groups: tuple[frozenset[str], ...]

    def __or__(self, other: "Words") -> "Words":
        """Either one; raises ValueError where one of them has several groups."""
        (one,), (another,) = self.groups, other.groups
        return Words((one | another,))

    def __and__(self, other: "Words") -> "Words":
        """Both conditions."""
        return Words(self.groups + other.groups)


def any_of(*words: str) -> Words:
    """At least one of these."""
    return Words((frozenset(words),))


def does(*verbs: str, ways: Iterable[str] = (), on: Iterable[str] = ()) -> Words:
    """A call to a library that, by the knowledge tables, does one of these.

    In all of these `ways`: `BLOCKING` (it holds up its thread, not a coroutine), `BOUNDED` or
    `UNBOUNDED` (by a timeout of its own); and `on` a thing of one of these natures.
    """
    natures: list[tuple[str, ...]] = [(f"{ON}{nature}",) for nature in on] or [()]
    return any_of(*(said(verb, (*ways, *nature)) for verb in verbs for nature in natures))


LOOPS = any_of("while", "for")
TIMED = ("event", "aio-event", "condition")
"""Natures of what a timed wait can be upon that serves as a pause."""
PAUSES = any_of("sleep") | does("sleep") | does("wait", on=TIMED)
"""What makes a pause: a sleep, be it by its name alone, or a timed wait."""
POLLS = LOOPS & (PAUSES | any_of("while"))
"""What makes a loop that pauses; a `while` may do so in a helper, and is read anyway."""
UNKNOWN_WAITS = any_of(
    "join(x)", "wait(x)", "result(x)", "exception(x)", "communicate(x)", "get()", "wait_for"
)
"""Waits on what no table knows: a method of the project's own, or a join."""
DRAINS = any_of(ON_DRAIN_PATH)
"""What is found only where a stop leads."""
LOCKED = any_of(UNDER_A_LOCK)
"""What is found only where the function, or who calls it, holds a lock."""
NOTHING = Words(())
"""For rules that need no function opened: they judge what the index and the link know."""


@dataclass(frozen=True, slots=True)
class Levels:
    """How bad a rule's findings are: the worst level it gives, and the level of one noun."""

    worst: Level
    of: Callable[[Any], Level]


def always(level: Level) -> Levels:
    """The same level wherever it stands."""
    return Levels(level, lambda _: level)


def on_drain_path(there: Level, elsewhere: Level) -> Levels:
    """One level on the drain path, another elsewhere.

    Where a stop method's name is the only evidence for the path, at most a warning.
    """

    def level(noun: Noun) -> Level:
        if noun.drain is None:
            return elsewhere
        return min(there, Level.WARNING) if noun.drain.by_name else there

    return Levels(max(there, elsewhere), level)


@dataclass(frozen=True, slots=True)
class Page:
    """A rule's documentation, read from its docstring."""

    headline: str
    why: str
    bad: tuple[str, ...]
    good: tuple[str, ...]

    @classmethod
    def of(cls, docstring: str) -> "Page":
        """Read a docstring: headline, paragraphs, then `Bad:` and `Good:` blocks.

        Raises ValueError where the headline or the paragraphs are missing.
        """
        from inspect import cleandoc  # noqa: PLC0415  only for pages

        text = cleandoc(docstring)
        prose, *blocks = re.split(r"^(Bad|Good):\n", text, flags=re.MULTILINE)
        headline, _, why = prose.partition("\n\n")
        if not headline.strip() or not why.strip():
            msg = "a rule's docstring needs a headline and a paragraph that says why"
            raise ValueError(msg)
        examples: dict[str, list[str]] = {"Bad": [], "Good": []}
        for word, block in zip(blocks[::2], blocks[1::2], strict=True):
            examples[word].append(textwrap.dedent(block).strip("\n") + "\n")
        return cls(
            " ".join(headline.split()), why.strip(), tuple(examples["Bad"]), tuple(examples["Good"])
        )


class Rule(Generic[N]):
    """Base of all rules; the type argument names the noun it judges."""

    code: ClassVar[str]
    level: ClassVar[Levels]
    words: ClassVar[Words]
    cwe: ClassVar[int | None] = None
    """The weakness it is an instance of, only where one fits exactly."""

    @classmethod
    def noun(cls) -> type[Noun]:
        """The noun that this rule judges: its type argument."""
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                return cast("type[Noun]", argument)
        msg = f"{cls.__name__} does not say which noun it judges: class {cls.__name__}(Rule[Wait])"
        raise TypeError(msg)

    @cached_property
    def name(self) -> str:
        """The class's name in kebab case: what people write in comments and options."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(self).__name__).lower()

    @cached_property
    def family(self) -> str:
        """The folder the rule lies in."""
        return type(self).__module__.split(".")[-2]

    @cached_property
    def page(self) -> Page:
        """The rule's documentation."""
        return Page.of(type(self).__doc__ or "")

    def check(self, noun: N) -> Iterator[Finding]:
        """Yield what is wrong with this noun."""
        raise NotImplementedError

    def found(  # noqa: PLR0913 - a finding has so many parts, and most have a default
        self,
        noun: Noun,
        message: str,
        *related: Related | None,
        remedy: str = "",
        level: Level | None = None,
        about: tuple[Place, ...] = (),
        at: Place | None = None,
    ) -> Finding:
        """Build a finding at the noun's place, at the rule's own level, unless others are given."""
        return Finding(
            code=self.code,
            name=self.name,
            level=self.level.of(noun) if level is None else level,
            confidence=noun.confidence,
            lowered_by=_lowered(noun, self.family),
            path=noun.path,
            place=(at or noun.place).first_line,
            message=message,
            related=tuple(r for r in related if r is not None),
            steps=noun.drain.steps if noun.drain else (),
            function=noun.function.name,
            remedy=remedy,
            about=about,
            only_waits=noun.only_waits,
        )


DRAINING = frozenset({"sleeping", "waiting"})
"""Families that judge how long a drain takes: where nothing is to be drained, nobody waits."""


def _lowered(noun: Noun, family: str) -> int:
    """Side code is worth a note at most; what was recognised by name alone loses a step."""
    if noun.side or (noun.function.alone and family in DRAINING):
        return int(Level.ERROR)
    return 1 if noun.confidence is Confidence.LOW else 0
