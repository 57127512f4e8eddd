"""Outcomes for the tests of reports, made by hand: no engine is needed to render one."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from drainlint.finding import Confidence, Finding, Level, Notice, Related, Suppression
from drainlint.model.place import Place
from drainlint.outcome import Outcome, RuleCard, Skipped

WORKER = "src/worker.py"
MAIN = "src/main.py"

SOURCES = {
    WORKER: """\
import threading


class Worker:
    def __init__(self, jobs):
        self.jobs = jobs
        self.worker = threading.Thread(target=self.run)
        self.stopping = False

    def run(self):
        while not self.stopping:
            if not self.jobs.empty():
                self.handle(self.jobs.get())
            time.sleep(0.1)

    def stop(self):
        self.stopping = True
        self.worker.join()
""",
    MAIN: """\
import signal

def on_term(signum, frame):
    SERVICE.stop()

signal.signal(signal.SIGTERM, on_term)
""",
}

CARDS = (
    RuleCard(
        "DRN001", "cannot-parse", "run", Level.WARNING, "A file cannot be parsed.", "So it goes."
    ),
    RuleCard(
        "DRN002", "cannot-read", "run", Level.ERROR, "A file cannot be read.", "Nothing was seen."
    ),
    RuleCard(
        "DRN101",
        "poll-queue",
        "polling",
        Level.ERROR,
        "A loop asks a queue whether it has work, then sleeps.",
        "A stop request is noticed only after the pause.\n\nWait in `get()` instead.",
        bad=("while running:\n    if not jobs.empty():\n        handle(jobs.get())\n",),
        good=('while (job := jobs.get()) is not STOP:\n    """```"""\n    handle(job)\n',),
    ),
    RuleCard(
        "DRN307",
        "unbounded-join",
        "waiting",
        Level.ERROR,
        "A thread is joined without a timeout.",
        "The service hangs with its worker.",
        cwe=833,
    ),
)


def lines_of(text: str) -> tuple[str, ...]:
    return tuple(re.split(r"\r\n|\r|\n", text))


def place_of(text: str, wanted: str, nth: int = 0) -> Place:
    """Where a piece of one line stands in a text, for the n-th time."""
    places = [
        Place(number, match.start() + 1, number, match.end() + 1)
        for number, line in enumerate(lines_of(text), start=1)
        for match in re.finditer(re.escape(wanted), line)
    ]
    return places[nth]


def related(path: str, wanted: str, text: str, nth: int = 0) -> Related:
    return Related(path, place_of(SOURCES[path], wanted, nth), text)


POLL = Finding(
    code="DRN101",
    name="poll-queue",
    level=Level.WARNING,
    confidence=Confidence.MEDIUM,
    path=WORKER,
    place=place_of(SOURCES[WORKER], "while not self.stopping:")._replace(end_column=0),
    message="this loop polls `self.jobs.empty()`; `get()` waits without polling",
    related=(
        related(WORKER, "time.sleep(0.1)", "wakes 10 times a second"),
        related(WORKER, "self.jobs.empty()", "asks here"),
    ),
    function="Worker.run",
    remedy="wait in `get()`, and put an end marker into the queue to stop the loop",
)

JOIN = Finding(
    code="DRN307",
    name="unbounded-join",
    level=Level.ERROR,
    confidence=Confidence.HIGH,
    path=WORKER,
    place=place_of(SOURCES[WORKER], "self.worker.join()"),
    message="`self.worker.join()` can wait for ever while the service stops",
    related=(
        related(WORKER, "self.worker.join()", "no deadline"),
        related(WORKER, "threading.Thread(target=self.run)", "started here"),
    ),
    steps=(
        related(MAIN, "signal.signal(signal.SIGTERM, on_term)", "signal handler `on_term`"),
        related(MAIN, "SERVICE.stop()", "calls `Worker.stop`"),
        related(WORKER, "stop", "on the drain path: `on_term` -> `stop`", nth=2),
    ),
    function="Worker.stop",
    remedy="give it what is left of the drain budget and look at `is_alive()` afterwards",
)

IGNORED = replace(
    POLL, level=Level.NOTE, suppression=Suppression("inline", "the broker cannot block")
)
BASELINED = replace(JOIN, suppression=Suppression("baseline"))

UNPARSABLE = Finding(
    code="DRN001",
    name="cannot-parse",
    level=Level.WARNING,
    confidence=Confidence.HIGH,
    path="src/broken.py",
    place=Place(3, 1, 3, 0),
    message="invalid syntax for Python 3.11",
)


def outcome_of(
    *findings: Finding,
    sources: Mapping[str, str] = SOURCES,
    files: int = 12,
    notices: tuple[Notice, ...] = (),
) -> Outcome:
    return Outcome(
        root=Path("/nowhere/project"),
        findings=findings,
        rules=CARDS,
        sources={path: lines_of(text) for path, text in sources.items()},
        files=files,
        notices=notices,
        unparsable=sum(finding.code == "DRN001" for finding in findings),
    )


def finding_in(text: str, wanted: str, path: str = WORKER) -> Outcome:
    """An outcome with one finding at a piece of a text of its own."""
    place = place_of(text, wanted)
    finding = replace(
        JOIN,
        path=path,
        place=place,
        related=(Related(path, place, "here"),),
        steps=(),
        function="",
        remedy="",
    )
    return outcome_of(finding, sources={path: text})


def everything() -> Outcome:
    """All that a report can speak of."""
    return replace(
        outcome_of(
            POLL,
            IGNORED,
            JOIN,
            BASELINED,
            UNPARSABLE,
            notices=(
                Notice("DRN002", "src/secret.py", "permission denied"),
                Notice("crash", "src/odd.py", "poll-queue failed on this file: KeyError('jobs')"),
            ),
        ),
        skipped=(
            Skipped("src/types.pyi", "stub"),
            Skipped("src/more.pyi", "stub"),
            Skipped("docs/tour.ipynb", "notebook"),
        ),
        ignored=1,
        baselined=1,
        hidden_notes=3,
    )


def awkward() -> dict[str, Outcome]:
    """Outcomes that have broken reports before, by what is awkward about them."""
    wide = "x = '日本語😀', worker.join()\n"
    return {
        "no findings": outcome_of(),
        "no files": outcome_of(files=0),
        "everything": everything(),
        "East Asian letters and emoji": finding_in(wide, "worker.join()"),
        "tabs": finding_in("if x:\n\tif y:\n\t\tworker.join()\t# why\n", "worker.join()"),
        "line ends of Windows": finding_in("import x\r\n\r\nworker.join()\r\n", "worker.join()"),
        "controls": finding_in("a = '\x1b[31m\x0c\u202e'; worker.join()\n", "worker.join()"),
        "a path to be encoded": finding_in("worker.join()\n", "join", path="a b/50%/#[x]/c:d.py"),
        "an undecodable path": finding_in("worker.join()\n", "join", path="caf\udce9.py"),
        "half a character in a path": finding_in("worker.join()\n", "join", path="a\ud83d.py"),
        "a long line": finding_in("x = " + "1 + " * 2000 + "join()\n", "join()"),
        "a place behind the end": outcome_of(replace(JOIN, place=Place(99, 7, 99, 9))),
        "a place behind its line": outcome_of(replace(JOIN, place=Place(2, 70, 2, 90))),
        "a place of no width": outcome_of(replace(JOIN, place=Place(1, 3, 1, 3))),
        "a place before the start": outcome_of(replace(JOIN, place=Place(0, 0, 0, 0))),
        "a place of many lines": outcome_of(replace(POLL, place=Place(10, 5, 14, 28))),
        "no source": outcome_of(JOIN, sources={}),
        "brackets": outcome_of(
            replace(JOIN, message="`a[0](1)` [b](2) \\ waits", remedy="[use](3) `x[i]`")
        ),
        "an unknown rule": outcome_of(replace(JOIN, code="DRN999", name="brand-new")),
        "several lines of message": outcome_of(replace(JOIN, message="one\ntwo\r\nthree")),
        "an empty message": outcome_of(replace(JOIN, message="", remedy="")),
        "hundreds": outcome_of(*([JOIN, POLL] * 300)),
    }
