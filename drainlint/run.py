"""From a request to an outcome: every stage in its order, and what the run says about itself.

Three kinds of error are told apart: what the user got wrong (ConfigError), what is wrong with a
file (a finding or a notice; the rest goes on), and a fault of our own (a notice named `crash`).
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from drainlint.cache import Store
from drainlint.config import ConfigError, Configs, FileSettings, Overrides, RuleNames, config_in
from drainlint.contents import MARK
from drainlint.discover import Discovery, Found, SourceFile, absolute, find_root
from drainlint.finding import Confidence, Finding, Level, Notice
from drainlint.identity import identity
from drainlint.memory import Memory
from drainlint.model.place import Place
from drainlint.outcome import Outcome

if TYPE_CHECKING:
    from drainlint.chart.servicemap import ServiceMap
    from drainlint.gather import Problem
    from drainlint.recall import Options
    from drainlint.suppress import Remark

STDIN = "-"
"""The path that stands for standard input."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for."""

    paths: tuple[str, ...]
    overrides: Overrides = field(default_factory=Overrides)
    strict: bool = False
    """Show notes too."""
    fail_on: str | None = None
    show_ignored: bool = False
    heed_comments: bool = True
    """Whether comments in the source may set findings aside."""
    whole_project: bool = True
    """Whether facts come from every file under the root, or from `paths` alone."""
    jobs: int | None = None
    cache: Path | None = None
    """The folder in which facts are kept between runs; without it none are."""
    stdin: bytes | None = None
    stdin_filename: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request comes to before any file is read."""

    request: Request
    root: Path
    configs: Configs
    found: Found
    files: Sequence[SourceFile]
    """Those that facts come from."""
    fail_on: str
    strict: bool
    jobs: int
    warnings: tuple[str, ...]
    knowledge: Mapping[str, object]
    """What the configurations teach."""
    memory: Memory | None = None
    """What earlier runs learned of these files."""

    @property
    def whole_project(self) -> bool:
        """Whether facts come from more than the files asked for."""
        return self.files is not self.found.files

    def settings(self, relative: str) -> FileSettings:
        """What a file is judged by."""
        return self.configs.settings(relative)

    @property
    def active_rules(self) -> frozenset[str]:
        """The codes active for any file asked for; without files, those at the root."""
        names = [file.relative for file in self.found.files] or [""]
        return frozenset[str]().union(*(self.settings(name).rules for name in names))


def run(request: Request) -> Outcome:
    """Check what is asked for; raises ConfigError where nothing can be checked as asked."""
    return check(plan(request))


def plan(request: Request) -> Plan:
    """Find files and configurations; raises ConfigError where nothing can be checked as asked."""
    from drainlint.rules import cards  # noqa: PLC0415  the package holds every rule

    paths = tuple(path for path in request.paths if path != STDIN)
    filename = request.stdin_filename or "<stdin>"
    standing = [path for path in paths if os.path.lexists(path)]
    standing += [filename] if request.stdin is not None else []
    isolated = request.overrides.isolated
    root = find_root(standing or ["."], lambda folder: not isolated and config_in(folder))
    configs = Configs(root, RuleNames(cards()), request.overrides)
    discovery = Discovery(root, configs.of)
    stdin = None
    if request.stdin is not None:
        path = absolute(filename)
        stdin = SourceFile(path, discovery.relative(path), request.stdin)
    found = discovery.asked(paths, stdin)
    broken = tuple(configs.broken)
    if broken and not found.files:
        raise ConfigError(*(f"{notice.path}: {notice.text}" for notice in broken))
    found = replace(found, notices=(*broken, *found.notices))
    warnings = [*configs.warnings, *(f"{path}: no Python files in it" for path in found.empty)]
    whole = request.whole_project
    if whole and _too_much(root):
        whole = False
        warnings.append(f"no project holds all of these: facts come from them alone, not {root}")
    fail_on = request.fail_on or configs.main.fail_on
    memory, knowledge = None, configs.knowledge
    if request.cache is not None and found.files:
        store = Store(request.cache, root, identity(knowledge))
        memory = Memory(store, root, "project" if whole else "files")
    return Plan(
        request=request,
        root=root,
        configs=configs,
        found=found,
        files=discovery.project(found) if whole else found.files,
        fail_on=fail_on,
        strict=request.strict or fail_on == "note",
        jobs=request.jobs or configs.main.jobs or _cores(),
        warnings=tuple(warnings),
        knowledge=knowledge,
        memory=memory,
    )


def _cores() -> int:
    """The cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _too_much(root: Path) -> bool:
    """Whether a root is the file system's or the home folder, or above it: no project."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  which does not raise without a home
    marked = os.path.lexists(root / ".git") or config_in(str(root))
    return not marked and (root in (home, *home.parents) or root.parent == root)


def check(plan: Plan) -> Outcome:
    """Judge the files of a plan."""
    judged = _judge(plan) if plan.found.files else _Judged()
    findings = list(judged.findings)
    if plan.request.heed_comments:
        findings = _set_aside(plan, judged)
    findings.sort(key=lambda finding: finding.order)
    loud = [f for f in findings if plan.strict or f.level is not Level.NOTE]
    shown = tuple(f for f in loud if plan.request.show_ignored or not f.suppression)
    active = plan.active_rules
    return Outcome(
        root=plan.root,
        findings=shown,
        rules=tuple(card for card in plan.configs.names.cards if card.code in active),
        sources=_sources(plan, shown),
        files=len(plan.found.files) - len(judged.unchecked),
        skipped=plan.found.skipped,
        notices=(*plan.found.notices, *judged.notices),
        unparsable=judged.unparsable,
        ignored=sum(f.suppression is not None for f in findings),
        hidden_notes=sum(f.suppression is None for f in findings)
        - sum(f.suppression is None for f in loud),
    )


def exit_code(outcome: Outcome, fail_on: str) -> int:
    """0 nothing at or above `fail_on`, 1 findings, 2 something was not checked."""
    if outcome.notices:
        return 2
    if fail_on == "never":
        return 0
    limit = Level[fail_on.upper()]
    return int(any(f.level >= limit and not f.suppression for f in outcome.findings))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the stages say of the files asked for, before comments count."""

    findings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = ()
    unchecked: frozenset[str] = frozenset()
    """Files that could not be read or parsed."""
    doubtful: frozenset[str] = frozenset()
    """Files in which not every rule could do its work."""
    unparsable: int = 0


def _judge(plan: Plan) -> _Judged:
    """Run all stages; findings at their final levels."""
    from drainlint.recall import recalled  # noqa: PLC0415  not without files

    asked = frozenset(file.relative for file in plan.found.files)
    options = _options(plan)
    analysis = recalled(plan.files, asked, options)
    if analysis is None:
        from drainlint.analysis import analyse  # noqa: PLC0415  most of drainlint

        analysis = analyse(plan.files, asked, options)
    unparsable = [problem for problem in analysis.unparsable if problem.path in asked]
    unreadable = [problem for problem in analysis.unreadable if problem.path in asked]
    unchecked = frozenset(problem.path for problem in (*unparsable, *unreadable))
    unread = (Notice("DRN002", p.path, f"cannot be read: {p.text}") for p in unreadable)
    broken = _own(plan, "DRN001", _cannot_parse(plan, unparsable)) if unparsable else ()
    return _Judged(
        findings=(*analysis.findings, *broken),
        notices=(*unread, *analysis.crashes),
        unchecked=unchecked,
        doubtful=unchecked | {crash.path for crash in analysis.crashes},
        unparsable=len(unparsable),
    )


def _options(plan: Plan) -> "Options":
    """What the engine is asked to do."""
    from drainlint.recall import Options  # noqa: PLC0415  not without files

    return Options(
        root=plan.root,
        settings=plan.configs.settings,
        knowledge=plan.knowledge,
        jobs=plan.jobs,
        rules=plan.active_rules,
        memory=plan.memory,
    )


def _cannot_parse(plan: Plan, problems: Iterable["Problem"]) -> Iterator["Remark"]:
    """A remark on each file that is no Python to the Python that runs drainlint."""
    from drainlint.suppress import Remark  # noqa: PLC0415  few files are broken

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    files = {file.relative: file for file in plan.found.files}
    for problem in problems:
        lines = _lines(plan, files, problem.path)
        line = max(1, min(problem.line, len(lines)))
        text = lines[line - 1] if lines else ""
        column = max(1, min(problem.column, len(text)))
        yield Remark(
            problem.path,
            Place(line, column, line, max(column, len(text)) + 1),
            f"Python {version} cannot parse this file: {problem.text}",
            "run drainlint with a Python that knows this syntax, or leave the file out",
        )


def _own(plan: Plan, code: str, remarks: Iterable["Remark"]) -> Iterator[Finding]:
    """What the run itself has to say, where its rule is active."""
    card = next(card for card in plan.configs.names.cards if card.code == code)
    for remark in remarks:
        settings = plan.settings(remark.path)
        if code not in settings.rules:
            continue
        level = Level[settings.levels[code].upper()] if code in settings.levels else card.level
        yield Finding(
            code=code,
            name=card.name,
            level=Level.NOTE if settings.side_code(remark.path) else level,
            confidence=Confidence.HIGH,
            path=remark.path,
            place=remark.place,
            message=remark.text,
            remedy=remark.remedy,
        )


def _set_aside(plan: Plan, judged: _Judged) -> list[Finding]:
    """All findings, those that a comment sets aside marked, with those about the comments."""
    commented = list(_commented(plan))
    if not commented:
        return list(judged.findings)
    from drainlint.suppress import Suppressions  # noqa: PLC0415  few files have such comments

    comments = Suppressions(plan.configs.names)
    for file, content in commented:
        comments.read(file.relative, content)

    def marked(findings: Iterable[Finding]) -> Iterator[Finding]:
        for finding in findings:
            yield replace(finding, suppression=comments.of(finding))

    def ran(path: str, code: str) -> bool:
        tried = plan.whole_project and path not in judged.doubtful and code != "DRN003"
        return tried and code in plan.settings(path).rules

    known = list(marked((*judged.findings, *_own(plan, "DRN004", comments.faults))))
    return [*known, *marked(_own(plan, "DRN003", list(comments.unused(ran))))]


def _commented(plan: Plan) -> Iterator[tuple[SourceFile, bytes]]:
    """The files that may hold comments of ours, with their bytes."""
    for file in plan.found.files:
        if plan.memory is not None and plan.memory.contents.marked(file.relative) is False:
            continue
        content = _content(file)
        if MARK in content:
            yield file, content


def _content(file: SourceFile) -> bytes:
    """A file's bytes; none where it cannot be read, which is said elsewhere."""
    if file.content is not None:
        return file.content
    try:
        return file.path.read_bytes()
    except OSError:
        return b""


def _lines(plan: Plan, files: Mapping[str, SourceFile], path: str) -> tuple[str, ...]:
    """The lines of a file as reports quote them; bytes that do not decode are shown as signs."""
    from drainlint.source import LINE_END, decode  # noqa: PLC0415  not without findings

    content = _content(files.get(path) or SourceFile(plan.root / path, path))
    try:
        return decode(path, content).lines
    except (SyntaxError, ValueError):
        return tuple(LINE_END.split(content.decode("utf-8", "replace")))


def _sources(plan: Plan, findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """The lines of every file that a finding speaks of."""
    files = {file.relative: file for file in plan.found.files}
    paths = {f.path for f in findings}
    paths |= {place.path for f in findings for place in (*f.related, *f.steps)}
    return {path: _lines(plan, files, path) for path in sorted(paths)}


def chart(plan: Plan, *, everything: bool) -> "tuple[ServiceMap, tuple[Notice, ...]]":
    """The map of what a plan asks for, and what went wrong with its files."""
    from drainlint.analysis import link  # noqa: PLC0415  not without files
    from drainlint.chart.draw import draw  # noqa: PLC0415  only for maps
    from drainlint.chart.paths import Wishes  # noqa: PLC0415

    linked = link(plan.files, _options(plan))
    if plan.memory is not None:
        plan.memory.keep()
    asked = frozenset(file.relative for file in plan.found.files)
    own = [facts for path, facts in linked.facts.items() if path in asked]
    unread = (
        Notice("DRN002", f.unreadable.path, f"cannot be read: {f.unreadable.text}")
        for f in own
        if f.unreadable is not None
    )
    broken = (
        Notice("DRN001", f.unparsable.path, f"cannot be parsed: {f.unparsable.text}")
        for f in own
        if f.unparsable is not None
    )
    wishes = Wishes(asked, lambda path: plan.settings(path).side_code(path), everything)
    return draw(linked.program, wishes), (*plan.found.notices, *unread, *broken)


@dataclass(frozen=True, slots=True)
class Target:
    """A report that is asked for: its format, and the file it goes to (None: standard output)."""

    format: str
    file: Path | None = None

    @property
    def fault(self) -> str:
        """Why the file cannot be written, as far as one can tell before the work."""
        if self.file is None:
            return ""
        file = absolute(str(self.file))
        if os.path.isdir(file):  # noqa: PTH112  which raises nothing
            return f"`{self.file}` is a folder"
        folder = file.rpartition("/")[0] or "/"
        return "" if os.path.isdir(folder) else f"there is no folder `{folder}`"  # noqa: PTH112


def write(texts: Mapping[Path, str]) -> None:
    """Write reports: all beside their files first, then each in its place, so none is half written.

    Raises ConfigError where a file cannot be written; nothing of that report is left then.
    """
    beside: dict[Path, Path] = {}
    file = Path()
    try:
        for number, (file, text) in enumerate(texts.items()):
            real = file.resolve()
            if real.exists() and not real.is_file():
                real.write_bytes(text.encode())
                continue
            beside[real] = real.with_name(f".drainlint-{os.getpid()}-{number}")
            beside[real].write_bytes(text.encode())
            if real.exists():
                beside[real].chmod(real.stat().st_mode)
        for file in list(beside):
            beside[file].replace(file)
            del beside[file]
    except OSError as error:
        raise ConfigError(f"cannot write `{file}`: {error.strerror}") from None
    finally:
        for rest in beside.values():
            rest.unlink(missing_ok=True)
