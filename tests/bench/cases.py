"""What is measured: trees, single files and slices, by tools that know them or do not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.bench.corpus import CLEAN, FOUND, PACKAGES, Corpus, Package, changing, lines_in
from tests.bench.measure import Failure, Sample, measure
from tests.bench.peers import COMPARED, DRAINLINT, Installed, State

_LONG = 60.0
"""Seconds after which a peer is not run again: what comes and goes is small beside it."""
STEPS = (4, 2)
"""Every so many folders make a slice."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    label: str
    folder: Path
    """Where the tools are started, the root of a project."""
    target: str = "."
    """What they are asked to check, relative to it."""
    state: State = State.COLD
    changed: str = ""
    """The file that is changed before each run, relative to the folder."""
    lines: int = 0
    """The lines in the target, where they are many."""
    peers: bool = True
    """Whether others than ruff are measured."""
    code: int | None = None
    """The exit code that drainlint must have for the label to be true."""

    def suits(self, installed: Installed) -> bool:
        """Whether a tool takes part: those without a cache have no other state than cold."""
        if self.state is not State.COLD and not installed.tool.cached:
            return False
        return self.peers or installed.tool in COMPARED


@dataclass(slots=True)
class Runs:
    """What the runs of one tool in one case gave."""

    samples: list[Sample] = field(default_factory=list)
    memory: int | None = None
    failure: str = ""
    """Why there are no samples, or no more."""


def cases(corpus: Corpus, packages: Sequence[Package]) -> Iterator[Case]:
    """All cases on some of the packages; raises NotInstalledError."""
    for package in packages:
        yield from _trees(corpus, package)
        if package is PACKAGES[0]:
            yield from _files(corpus, package)


def _trees(corpus: Corpus, package: Package) -> Iterator[Case]:
    folder = corpus.tree(package)
    whole = Case(package.label, folder, changed=package.changed, lines=lines_in(folder))
    yield from (replace(whole, state=state) for state in State)
    if package.name == "homeassistant":
        for step in STEPS:
            part = corpus.slice(package, step)
            label = f"{package.label}, 1/{step} of its components"
            yield Case(label, part, lines=lines_in(part), peers=False)


def _files(corpus: Corpus, package: Package) -> Iterator[Case]:
    folder = corpus.tree(package)
    for words, file, code in (("a clean file", CLEAN, 0), ("a file with findings", FOUND, 1)):
        inside = Case(f"{words} of {package.name}", folder, file, changed=file, code=code)
        yield from (replace(inside, state=state) for state in State)
        alone = corpus.alone(package, file)
        name = Path(file).name
        yield from (
            Case(f"{words} alone", alone, name, state, changed=name, code=code) for state in State
        )


@dataclass(frozen=True, slots=True)
class Bench:
    """Runs cases."""

    repeat: int
    limit: float
    """Seconds that a run may take."""
    caches: Path
    """A folder that is empty at first."""
    tell: Callable[[str], None]
    """Hears what goes on."""

    def runs(self, case: Case, tools: Sequence[Installed]) -> Mapping[str, Runs]:
        """Measure the tools in turns, after a first run of each that is not counted.

        The first run compiles bytecode and fills the caches of the tool and of the disk; its
        memory is looked at, which costs time. Where a peer's takes long, it is counted
        nevertheless, and the only one.
        """
        taking = [each for each in tools if case.suits(each)]
        runs = {each.tool.name: Runs() for each in taking}
        touching = changing(case.folder / case.changed) if case.changed else nullcontext(_nothing)
        with touching as change:
            for each in taking:
                self._one(case, each, runs[each.tool.name], first=True)
            for _ in range(self.repeat):
                for each in taking:
                    if case.state is State.CHANGED:
                        change()
                    self._one(case, each, runs[each.tool.name])
        return runs

    def _one(self, case: Case, installed: Installed, runs: Runs, *, first: bool = False) -> None:
        """One run, unless an earlier one failed or was counted as the only one."""
        tool = installed.tool
        if runs.failure or (tool not in COMPARED and any(s.wall > _LONG for s in runs.samples)):
            return
        self.tell(f"{case.label}, {case.state}: {tool.name}")
        cache = self.caches / tool.name / f"{case.folder.name}-{case.state}"
        command = installed.command(case.folder, case.target, case.state, cache)
        if case.code is not None and tool is DRAINLINT:
            command = replace(command, accepted=frozenset({case.code}))
        match measure(command, self.limit, watch=first):
            case Failure(reason):
                runs.failure = reason
            case sample:
                if first:
                    runs.memory = sample.memory
                if not first or (tool not in COMPARED and sample.wall > _LONG):
                    runs.samples.append(sample)


def _nothing() -> None:
    """Changes no file."""
