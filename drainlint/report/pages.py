"""Rules for people: the page of one, and a table of several."""

from collections.abc import Callable, Iterable, Iterator

from drainlint.outcome import RuleCard


def page(card: RuleCard, width: int, paint: Callable[..., str]) -> Iterator[str]:
    """A rule's page."""
    import textwrap  # noqa: PLC0415  only where a page is shown

    yield paint(f"{card.code} {card.name}", bold=True) + f" ({card.family}, {card.level.word})"
    for paragraph in (card.headline, *card.why.split("\n\n")):
        yield ""
        indented = paragraph.startswith((" ", "-", "*"))
        yield paragraph if indented else textwrap.fill(" ".join(paragraph.split()), width)
    for title, look, examples in (("Bad", "red", card.bad), ("Good", "green", card.good)):
        for example in examples:
            yield f"\n{paint(f'{title}:', fg=look, bold=True)}"
            yield textwrap.indent(example.rstrip("\n"), "    ")
    if card.family != "run":
        yield f"\nTo allow it in one place: # drainlint: ignore[{card.name}] why"


def table(cards: Iterable[RuleCard], paint: Callable[..., str]) -> Iterator[str]:
    """One line for each rule."""
    cards = tuple(cards)
    room = max((len(card.name) for card in cards), default=0)
    for card in cards:
        name = paint(f"{card.name:{room}}", bold=True)
        yield f"{card.code}  {name}  {card.level.word:7}  {card.headline}"
