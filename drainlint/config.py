# ruff: noqa: PTH111, PTH113, PTH118, PTH119, PTH120
"""What each file is judged by: the nearest configuration file, and the command line over it.

A file obeys the nearest `drainlint.toml` or `pyproject.toml` with our table, from its own folder
up to the project's root; files are not merged but by `extend`. Every path in a configuration file
is relative to that file. A faulty configuration is a value too (`Config.problems`), so that the
files that obey another one can still be checked. Every folder of a walk is asked about, so paths
are strings here.
"""

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from drainlint.discover import Globs, SideCode, absolute
from drainlint.finding import Notice
from drainlint.outcome import RuleCard
from drainlint.patterns import compiled
from drainlint.spelling import closest

FILE_NAMES = ("drainlint.toml", "pyproject.toml")
"""Where configuration may stand, the first one first."""
DEFAULT_BUDGET = 25.0
"""Seconds between SIGTERM and SIGKILL, less a margin: Kubernetes grants 30."""
DEFAULT_MIN_SLEEP = 0.1
"""Seconds; a constant pause up to and including this one is too short to speak of."""
FAIL_ON = ("error", "warning", "note", "never")
LEVELS = ("error", "warning", "note", "off")


class ConfigError(Exception):
    """What is asked for cannot be done: bad options or names; one line for each problem."""

    def __init__(self, *problems: str) -> None:
        """Keep each problem, ready to be printed on a line of its own."""
        super().__init__("\n".join(problems))
        self.problems = problems


class RuleNames:
    """How people name rules: by name, code, family (a word, or `DRN3`), or `ALL`."""

    def __init__(self, cards: Iterable[RuleCard]) -> None:
        """Make the table of every word that names a rule or several."""
        self.cards = tuple(cards)
        self.every = frozenset(card.code for card in self.cards)
        self.rules: dict[str, str] = {}
        """Each rule's name and code, to its code."""
        self.groups: dict[str, frozenset[str]] = {"ALL": self.every}
        """Families, by word and by the beginning of their codes."""
        for card in self.cards:
            self.rules |= {card.code: card.code, card.name: card.code}
            for word in (card.family, card.code[:4]):
                self.groups[word] = self.groups.get(word, frozenset()) | {card.code}
        self._rules = {word.casefold(): code for word, code in self.rules.items()}
        self._groups = {word.casefold(): codes for word, codes in self.groups.items()}

    def rule(self, word: str) -> str | None:
        """The code of the one rule that a word names."""
        return self._rules.get(word.strip().casefold())

    def codes(self, word: str) -> frozenset[str]:
        """The codes that a word stands for; none where it is unknown."""
        code = self.rule(word)
        return frozenset({code}) if code else self._groups.get(word.strip().casefold(), frozenset())

    def unknown(self, words: Iterable[str]) -> Iterator[str]:
        """A sentence for each word that names no rule."""
        for word in words:
            if not self.codes(word):
                yield f"unknown rule `{word}`{closest(word, (*self.rules, *self.groups))}"

    def union(self, words: Iterable[str]) -> frozenset[str]:
        """The codes of several words."""
        return frozenset().union(*map(self.codes, words))


@dataclass(frozen=True, slots=True)
class FileSettings:
    """What one file is judged by."""

    rules: frozenset[str]
    """Codes of the active rules."""
    budget: float
    """Seconds."""
    min_sleep: float
    """Seconds."""
    levels: Mapping[str, str]
    """Code to `error`, `warning` or `note`; a rule that is `off` is not among `rules`."""
    side_code: SideCode


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says over every configuration file."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    budget: float | None = None
    file: Path | None = None
    """The one file that every file obeys instead of its nearest."""
    values: tuple[str, ...] = ()
    """`KEY=VALUE`, each a line of TOML."""
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration: a file with what it extends, or the defaults."""

    file: Path | None = None
    select: tuple[str, ...] = ("ALL",)
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[Globs, tuple[str, ...]], ...] = ()
    exclude: tuple[Globs, ...] | None = None
    """None means the default excludes."""
    extend_exclude: tuple[Globs, ...] = ()
    budget: float = DEFAULT_BUDGET
    min_sleep: float = DEFAULT_MIN_SLEEP
    side_code: tuple[Globs, ...] | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
    """Code to level, `off` included."""
    fail_on: str = "warning"
    jobs: int | None = None
    knowledge: Mapping[str, object] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Why this configuration cannot be used."""
    warnings: tuple[str, ...] = ()

    @property
    def excluding(self) -> tuple[Globs, ...]:
        """All globs that leave files out, whoever names them."""
        return (self.exclude or ()) + self.extend_exclude

    @property
    def default_excludes(self) -> bool:
        """Whether the default excludes count: `exclude` takes their place."""
        return self.exclude is None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key's value with the file it stands in, for its relative paths and for messages."""

    value: object
    base: str
    origin: str

    def strings(self) -> tuple[str, ...]:
        """A list of strings."""
        if not isinstance(self.value, list) or not all(isinstance(v, str) for v in self.value):
            raise _Invalid("a list of strings")
        return tuple(self.value)

    def globs(self) -> tuple[Globs, ...]:
        """A list of patterns."""
        patterns = tuple(pattern.removeprefix("./") for pattern in self.strings())
        try:
            compiled(patterns)
        except ValueError as error:
            raise _Invalid("a list of glob patterns") from error
        return (Globs(self.base, patterns, self.origin),)

    def seconds(self) -> float:
        """A finite number of seconds that is not negative."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise _Invalid("a number of seconds that is not negative")
        return float(value)

    def count(self) -> int:
        """A number of at least one."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < 1:
            raise _Invalid("a whole number of at least 1")
        return self.value

    def fail_on(self) -> str:
        """One of `FAIL_ON`."""
        if self.value not in FAIL_ON:
            raise _Invalid(f"one of {', '.join(FAIL_ON)}")
        return str(self.value)

    def table(self) -> Mapping[str, object]:
        """A table, its content passed on as it is."""
        if not isinstance(self.value, dict):
            raise _Invalid("a table")
        return self.value

    def per_file(self) -> tuple[tuple[Globs, tuple[str, ...]], ...]:
        """A table of a pattern and the names ignored in the files it matches."""
        return tuple(
            (replace(self, value=[pattern]).globs()[0], replace(self, value=names).strings())
            for pattern, names in self.table().items()
        )

    def levels(self) -> Mapping[str, str]:
        """A table of rule and level."""
        if not all(value in LEVELS for value in self.table().values()):
            raise _Invalid(f"a table of rules, each with one of {', '.join(LEVELS)}")
        return {name: str(value) for name, value in self.table().items()}


class _Invalid(Exception):  # noqa: N818  never leaves this module
    """A value is not what its key wants; says what it must be."""


_KEYS: Mapping[str, Callable[[_Entry], object]] = {
    "select": _Entry.strings,
    "ignore": _Entry.strings,
    "extend-select": _Entry.strings,
    "per-file-ignores": _Entry.per_file,
    "exclude": _Entry.globs,
    "extend-exclude": _Entry.globs,
    "budget": _Entry.seconds,
    "min-sleep": _Entry.seconds,
    "side-code": _Entry.globs,
    "levels": _Entry.levels,
    "fail-on": _Entry.fail_on,
    "jobs": _Entry.count,
    "knowledge": _Entry.table,
}
_ADDING = frozenset({"extend-select", "extend-exclude", "per-file-ignores", "levels", "knowledge"})
"""Keys that add to what `extend` brings; the others replace it."""


def _toml(file: str) -> dict[str, object] | None:
    """Our table in a file; None where a pyproject.toml has none.

    Raises ConfigError for what cannot be read or is no TOML.
    """
    import tomllib  # noqa: PLC0415  most folders have no configuration

    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(error.strerror or str(error)) from None
    if os.path.basename(file) != "pyproject.toml":
        word = b""
    elif (word := b"drainlint") not in content:
        return None
    try:
        table: object = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"this is not TOML: {error}") from None
    for key in ("tool", "drainlint") if word else ():
        table = table.get(key) if isinstance(table, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError("`tool.drainlint` must be a table")
    return table


def config_in(folder: str, listing: Container[str] | None = None) -> str | None:
    """The configuration file in a folder, if there is one; `listing` spares the look.

    A broken file that may be ours counts, so that it is complained of and not passed over.
    """
    for name in FILE_NAMES:
        if listing is not None and name not in listing:
            continue
        file = os.path.join(folder, name)
        if not os.path.isfile(file):
            continue
        try:
            if name != "pyproject.toml" or _toml(file) is not None:
                return file
        except ConfigError:
            return file
    return None


class Configs:
    """Every configuration of a run: nearest files, each read once, under the command line."""

    def __init__(self, root: Path, names: RuleNames, overrides: Overrides | None = None) -> None:
        """Raises ConfigError for what the command line itself gets wrong."""
        self.root = absolute(str(root))
        self.names = names
        self.overrides = overrides = overrides or Overrides()
        self._patch: dict[str, list[_Entry]] = {}
        self._of: dict[str, Config] = {}
        self._settings: dict[tuple[int, tuple[bool, ...]], FileSettings] = {}
        self._plain: dict[str, FileSettings] = {}
        """Of folders whose files are all judged alike."""
        problems = list(names.unknown((*(overrides.select or ()), *overrides.extend_select)))
        for text in overrides.values:
            problems += self._take(text)
        if overrides.isolated and overrides.file:
            problems.append("`--isolated` leaves no room for `--config FILE`")
        if problems:
            raise ConfigError(*dict.fromkeys(problems))
        self._fixed: Config | None = None
        """The one that every file obeys, where the command line says so."""
        if overrides.file:
            self._fixed = self._load(absolute(str(overrides.file)))
        elif overrides.isolated:
            self._fixed = self._build({}, None)

    @cached_property
    def main(self) -> Config:
        """The root's own: the one whose run-wide keys count."""
        return self.of(self.root)

    @property
    def warnings(self) -> Iterator[str]:
        """Names to ignore that are no rule's, each said once."""
        said = [f"--ignore: {text}" for text in self.names.unknown(self.overrides.ignore)]
        yield from dict.fromkeys((*said, *(w for config in self._met for w in config.warnings)))

    @property
    def _met(self) -> Iterator[Config]:
        return iter({id(c): c for c in (self.main, *self._of.values())}.values())

    @property
    def broken(self) -> Iterator[Notice]:
        """The configurations met so far that cannot be used."""
        for config in self._met:
            shown = self._shown(str(config.file))
            for problem in config.problems:
                yield Notice("DRN002", shown, problem.removeprefix(f"{shown}: "))

    @property
    def knowledge(self) -> Mapping[str, object]:
        """What all configurations met so far teach, together; the root's own counts last."""
        known: dict[str, object] = {}
        for config in sorted(self._met, key=lambda c: (c is self.main, str(c.file or ""))):
            known = _joined(known, config.knowledge)
        return known

    def of(self, folder: str, listing: Container[str] | None = None) -> Config:
        """The configuration that files in a folder obey; `listing` spares looking for it."""
        if self._fixed is not None:
            return self._fixed
        known = self._of.get(folder)
        if known is None:
            file = config_in(folder, listing)
            parent = os.path.dirname(folder)
            if file is not None:
                known = self._load(file)
            elif folder in {self.root, parent}:
                known = self._build({}, None)
            else:
                known = self.of(parent)
            self._of[folder] = known
        return known

    def settings(self, relative: str) -> FileSettings:
        """What a file, given relative to the root, is judged by."""
        folder = relative[: relative.rfind("/") + 1]
        if folder in self._plain:
            return self._plain[folder]
        path = os.path.join(self.root, relative)
        config = self.of(os.path.dirname(path))
        matched = tuple(globs.match(path) for globs, _ in config.per_file_ignores)
        key = (id(config), matched)
        known = self._settings.get(key)
        if known is None:
            rules = self._selected(config)
            for hit, (_, words) in zip(matched, config.per_file_ignores, strict=True):
                rules -= self.names.union(words) if hit else frozenset()
            budget = self.overrides.budget
            self._settings[key] = known = FileSettings(
                rules=rules,
                budget=config.budget if budget is None else budget,
                min_sleep=config.min_sleep,
                levels={c: level for c, level in config.levels.items() if level != "off"},
                side_code=SideCode(self.root, config.side_code),
            )
        if not matched:
            self._plain[folder] = known
        return known

    def _selected(self, config: Config) -> frozenset[str]:
        """The rules that a configuration and the command line choose together.

        `cannot-parse` and `cannot-read` say what was not checked: no selection leaves them out,
        only an explicit `ignore` does.
        """
        names, said = self.names, self.overrides
        always = frozenset({"DRN001", "DRN002"}) & names.every
        if said.select is not None:
            rules = names.union(said.select) | always
        else:
            off = frozenset(code for code, level in config.levels.items() if level == "off")
            rules = names.union(config.select) | names.union(config.extend_select) | always
            rules -= names.union(config.ignore) | off
        return (rules | names.union(said.extend_select)) - names.union(said.ignore)

    def _take(self, text: str) -> list[str]:
        """Add a `KEY=VALUE` of the command line to the patch; returns what is wrong with it."""
        import tomllib  # noqa: PLC0415

        try:
            table = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            return [f"--config {text}: this is not KEY=VALUE in TOML: {error}"]
        entries = {k: [_Entry(v, str(Path.cwd()), "--config")] for k, v in table.items()}
        problems = self._build(entries, None).problems
        for key, found in entries.items():
            self._patch.setdefault(key, []).extend(found)
        return list(problems)

    def _load(self, file: str) -> Config:
        """Read a file and what it extends."""
        try:
            entries = self._entries(file, ())
        except ConfigError as error:
            problems = tuple(f"{self._shown(file)}: {problem}" for problem in error.problems)
            return Config(file=Path(file), problems=problems)
        return self._build(entries, file)

    def _entries(self, file: str, seen: tuple[str, ...]) -> dict[str, list[_Entry]]:
        """Each key with its values, those of extended files first."""
        if file in seen:
            raise ConfigError("`extend` comes back to a file that it started from")
        table = _toml(file)
        if table is None:
            raise ConfigError("there is no `[tool.drainlint]` table")
        folder = os.path.dirname(file)
        entries: dict[str, list[_Entry]] = {}
        base = table.pop("extend", None)
        if base is not None:
            if not isinstance(base, str):
                raise ConfigError("`extend` must be the path of a file")
            path = os.path.normpath(os.path.join(folder, os.path.expanduser(base)))
            try:
                entries = self._entries(path, (*seen, file))
            except ConfigError as error:
                shown = self._shown(path)
                raise ConfigError(*(f"extends {shown}: {p}" for p in error.problems)) from None
        for key, value in table.items():
            entries.setdefault(key, []).append(_Entry(value, folder, self._shown(file)))
        return entries

    def _build(self, entries: Mapping[str, list[_Entry]], file: str | None) -> Config:
        """Make a configuration of its entries and the command line's; collects what is wrong."""
        problems: list[str] = []
        warnings: list[str] = []
        values: dict[str, object] = {}
        for key in dict.fromkeys((*entries, *self._patch)):
            for entry in (*entries.get(key, ()), *self._patch.get(key, ())):
                if key not in _KEYS:
                    problems.append(f"{entry.origin}: unknown key `{key}`{closest(key, _KEYS)}")
                    continue
                try:
                    value = _KEYS[key](entry)
                except _Invalid as error:
                    problems.append(f"{entry.origin}: `{key}` must be {error}")
                    continue
                faults, doubts = self._names_in(key, value)
                problems += [f"{entry.origin}: `{key}`: {text}" for text in faults]
                warnings += [f"{entry.origin}: `{key}`: {text}" for text in doubts]
                adds = key in _ADDING and key in values
                values[key] = _joined(values[key], value) if adds else value
        if not problems and "levels" in values:
            values["levels"] = self._levels(values["levels"])
        chosen = {} if problems else {key.replace("-", "_"): value for key, value in values.items()}
        return Config(
            file=Path(file) if file else None,
            problems=tuple(problems),
            warnings=tuple(warnings),
            **chosen,  # type: ignore[arg-type] # each key's reader gives its field's type
        )

    def _names_in(self, key: str, value: object) -> tuple[list[str], list[str]]:
        """What is wrong, and what is doubtful, in the rule names under a key."""
        listed = value if isinstance(value, tuple | dict) else ()
        match key:
            case "select" | "extend-select" | "levels":
                return list(self.names.unknown(listed)), []
            case "ignore":
                return [], list(self.names.unknown(listed))
            case "per-file-ignores":
                return [], [text for _, words in listed for text in self.names.unknown(words)]
            case _:
                return [], []

    def _levels(self, levels: object) -> Mapping[str, str]:
        """The same table by code; a rule's own entry counts over its family's."""
        assert isinstance(levels, dict)  # noqa: S101  for the type checker
        entries = sorted(levels.items(), key=lambda item: -len(self.names.codes(item[0])))
        return {code: level for word, level in entries for code in self.names.codes(word)}

    def _shown(self, file: str) -> str:
        """A file as messages name it: relative to the root where it lies under it."""
        prefix = self.root.rstrip("/") + "/"
        return file.removeprefix(prefix)


def _joined(old: Any, new: Any) -> Any:  # noqa: ANN401  whatever TOML holds
    """Two values of an adding key as one: tables entry by entry, lists one after the other."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{k: _joined(old[k], v) if k in old else v for k, v in new.items()}}
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        return (*old, *new) if isinstance(old, tuple) else [*old, *new]
    return new
