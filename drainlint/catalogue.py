"""Write what follows from the rules: `catalogue.json`, and the README's table and example.

For work on drainlint itself, in a clone: `python -m drainlint.catalogue` writes both;
`--check` changes nothing, names what is stale and exits 1.
"""

import argparse
import json
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from drainlint import rules
from drainlint.rule import Rule
from drainlint.rules.run import RunRule

CLONE = Path(__file__).parents[1]
CATALOGUE = Path(rules.__path__[0]) / rules.CATALOGUE
README = CLONE / "README.md"
EXAMPLE = "hard-exit"
"""The rule that the README shows whole: a short one that needs nothing but its own file."""

Entry = Mapping[str, Any]


def rule_modules() -> Iterator[ModuleType]:
    """Every `drainlint/rules/<family>/<rule>.py`, imported."""
    for family in pkgutil.iter_modules(rules.__path__, f"{rules.__name__}."):
        if family.ispkg:
            package = import_module(family.name)
            for module in pkgutil.iter_modules(package.__path__, f"{family.name}."):
                yield import_module(module.name)


def rules_in(module: ModuleType) -> tuple[type[Rule[Any]], ...]:
    """The rules that a module itself defines."""
    return tuple(
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Rule)
        and value.__module__ == module.__name__
    )


def entry_of(module: ModuleType) -> Entry:
    """What the catalogue says of the one rule in this module.

    Raises ValueError where there is not exactly one, and where its page cannot be read.
    """
    match rules_in(module):
        case (cls,):
            pass
        case found:
            msg = f"{module.__name__} holds {len(found)} rules; one file is one rule"
            raise ValueError(msg)
    rule = cls()
    try:
        page = rule.page
    except ValueError as error:
        msg = f"{module.__name__}: {error}"
        raise ValueError(msg) from error
    return {
        "code": cls.code,
        "name": rule.name,
        "family": rule.family,
        "noun": "" if issubclass(cls, RunRule) else cls.noun().__name__,
        "level": cls.level.worst.word,
        "words": [sorted(group) for group in cls.words.groups],
        "module": module.__name__,
        "headline": page.headline,
        "why": page.why,
        "bad": list(page.bad),
        "good": list(page.good),
        "cwe": cls.cwe,
    }


def entries() -> tuple[Entry, ...]:
    """The whole catalogue, in the order of codes."""
    return tuple(sorted(map(entry_of, rule_modules()), key=lambda entry: str(entry["code"])))


def catalogue(of: Sequence[Entry]) -> str:
    """The text of `catalogue.json`."""
    return json.dumps(of, indent=1, ensure_ascii=False) + "\n"


def table(of: Sequence[Entry]) -> str:
    """The README's table of rules."""
    rows = ["| code | name | family | level at worst | finds |", "|---|---|---|---|---|"]
    for entry in of:
        headline = str(entry["headline"]).replace("|", r"\|")
        rows.append(
            f"| {entry['code']} | `{entry['name']}` | {entry['family']} "
            f"| {entry['level']} | {headline} |"
        )
    return "\n".join(rows)


def example(of: Sequence[Entry]) -> str:
    """The README's example of a rule, as it stands in its file.

    Raises ValueError where there is no such rule.
    """
    for entry in of:
        if entry["name"] == EXAMPLE:
            file = CLONE.joinpath(*entry["module"].split(".")).with_suffix(".py")
            return f"```python\n{file.read_text(encoding='utf-8')}```"
    msg = f"the README shows `{EXAMPLE}`, and there is no such rule"
    raise ValueError(msg)


def with_part(text: str, name: str, part: str) -> str:
    """The README's text with what stands between a pair of markers replaced.

    Raises ValueError where the markers are missing.
    """
    between = re.compile(rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
    replaced, count = between.subn(lambda found: f"{found[1]}\n{part}\n\n{found[2]}", text)
    if count != 1:
        msg = f"README.md needs one pair of markers `<!-- {name}:begin -->`, `<!-- {name}:end -->`"
        raise ValueError(msg)
    return replaced


def generated() -> dict[Path, str]:
    """Every generated file with the text it should have."""
    of = entries()
    readme = README.read_text(encoding="utf-8")
    readme = with_part(readme, "rules", table(of))
    readme = with_part(readme, "example", example(of))
    return {CATALOGUE: catalogue(of), README: readme}


def stale() -> tuple[Path, ...]:
    """The generated files whose text is not what the rules say."""
    return tuple(
        path
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    )


def main() -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m drainlint.catalogue")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args().check
    try:
        changed = {path: generated()[path] for path in stale()}
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path, text in changed.items():
        name = path.relative_to(CLONE).as_posix()
        if check:
            sys.stderr.write(f"{name} is stale: run `python -m drainlint.catalogue`\n")
        else:
            path.write_text(text, encoding="utf-8")
            sys.stderr.write(f"wrote {name}\n")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
