"""Whatever the bytes are, the run ends, nothing crashes, and findings stand inside their file.

The samples are the same in every run: a failure here can be repeated.
"""

import io
import random
import sysconfig
import tokenize
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import hypothesmith
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drainlint import rules
from drainlint.finding import Finding
from drainlint.model.place import Place
from tests.conftest import analysis_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
STDLIB = Path(sysconfig.get_path("stdlib"))
SHARDS = 8
SAMPLE = 3
"""Of so many files of the standard library one is read; the tests of the interpreter included."""

SERVICE = b"""\
import signal
import threading
import time


class Service:
    def __init__(self):
        self.worker = threading.Thread(target=self.work)
        self.running = True

    def work(self):
        while self.running:
            time.sleep(60)

    def stop(self):
        self.running = False
        self.worker.join()


signal.signal(signal.SIGTERM, lambda *_: Service().stop())
"""

repeatable = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def lines_of(content: bytes) -> list[str]:
    """The lines as Python counts them: they end at `\\r\\n`, `\\n` or `\\r`, and nowhere else."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    text = content.decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def inside(place: Place, lines: list[str]) -> bool:
    """Whether a place is one of this text, its end included; 0 means the end of the line."""
    starts = 1 <= place.line <= len(lines) and 1 <= place.column <= len(lines[place.line - 1]) + 1
    ends = place.line <= place.end_line <= len(lines) and (
        0 <= place.end_column <= len(lines[place.end_line - 1]) + 1
    )
    return starts and ends


def paths_in(findings: Sequence[Finding]) -> set[str]:
    """The files that findings and their stories speak of."""
    told = [place for finding in findings for place in (*finding.related, *finding.steps)]
    return {finding.path for finding in findings} | {place.path for place in told}


def survives(files: Mapping[str, bytes]) -> int:
    """Check what must hold whatever these files are; the number of findings."""
    analysis = analysis_of(files)

    assert not analysis.crashes
    assert not analysis.unreadable
    for problem in analysis.unparsable:
        assert problem.text
        assert problem.line >= 1
        assert problem.column >= 1
    lines = {path: lines_of(files[path]) for path in paths_in(analysis.findings)}
    for finding in analysis.findings:
        assert inside(finding.place, lines[finding.path]), finding
        for other in (*finding.related, *finding.steps):
            assert inside(other.place, lines[other.path]), (finding, other)
    return len(analysis.findings)


def drawn(path: Path) -> int:
    """A number that belongs to a path for ever, spread evenly."""
    return int.from_bytes(sha256(path.relative_to(STDLIB).as_posix().encode()).digest()[:4])


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_sample_of_the_standard_library_is_read(shard: int) -> None:
    files = {
        path.relative_to(STDLIB).as_posix(): path.read_bytes()
        for path in sorted(STDLIB.rglob("*.py"))
        if "site-packages" not in path.parts and drawn(path) % (SAMPLE * SHARDS) == shard
    }
    assert files

    survives(files)


@given(source=hypothesmith.from_grammar() | hypothesmith.from_node())
@settings(repeatable, max_examples=80)
def test_generated_programs_are_read(source: str) -> None:
    survives({"service.py": source.encode("utf-8", "surrogatepass")})


SOURCES = [
    *(path.read_text(encoding="utf-8") for path in sorted(FIXTURES.rglob("*.py"))),
    *(example for card in rules.cards() for example in (*card.bad, *card.good)),
]


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A fixture with lines dropped, doubled, exchanged or cut: what editing leaves behind."""
    lines = draw(st.sampled_from(SOURCES)).split("\n")
    for _ in range(draw(st.integers(1, 6))):
        here = draw(st.integers(0, len(lines) - 1))
        there = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "double", "exchange", "cut", "indent"])):
            case "drop" if len(lines) > 1:
                del lines[here]
            case "double":
                lines.insert(there, lines[here])
            case "exchange":
                lines[here], lines[there] = lines[there], lines[here]
            case "cut":
                lines[here] = lines[here][: draw(st.integers(0, len(lines[here])))]
            case _:
                lines[here] = "    " + lines[here]
    return "\n".join(lines).encode()


@given(content=mangled())
@settings(repeatable, max_examples=150)
def test_mangled_fixtures_are_read(content: bytes) -> None:
    survives({"service.py": content})


@given(content=st.binary(max_size=4096))
@settings(repeatable, max_examples=100)
def test_random_bytes_are_read(content: bytes) -> None:
    survives({"service.py": content})


@given(content=st.binary(max_size=64), at=st.integers(0, len(SERVICE)))
@settings(repeatable, max_examples=100)
def test_random_bytes_inside_a_service_are_read(content: bytes, at: int) -> None:
    survives({"service.py": SERVICE[:at] + content + SERVICE[at:]})


def nested(opening: str, closing: str = "", core: str = "x", depth: int = 5000) -> bytes:
    return (opening * depth + core + closing * depth).encode()


def staircase(header: str, last: str, depth: int) -> bytes:
    """Blocks within blocks."""
    steps = [" " * level + header for level in range(depth)]
    return "\n".join([*steps, " " * depth + last]).encode()


DEEP = {
    "parentheses": nested("(", ")"),
    "lists": nested("[", "]"),
    "calls": nested("f(", ")"),
    "attributes": b"x" + b".y" * 20_000,
    "calls in a chain": b"x" + b".wait()" * 20_000,
    "unary operators": nested("not "),
    "sums": b"x = " + b" + ".join([b"1"] * 20_000),
    "conditions": nested("a if b else "),
    "lambdas": nested("lambda: "),
    "f-strings": b"f'{" * 100 + b"1" + b"}'" * 100,
    "loops": staircase("while x:", "time.sleep(1)", 90),
    "too many loops": staircase("while x:", "time.sleep(1)", 200),
    "functions": staircase("def f():", "time.sleep(1)", 90),
    "classes": staircase("class Service:", "def stop(self): self.worker.join()", 90),
    "else ifs": b"if a: pass\n" + b"elif a: time.sleep(1)\n" * 3000,
    "tries": b"def stop():\n" + b"  try: t.join()\n  finally: t.join()\n" * 2000,
    "decorators": b"@f\n" * 3000 + b"def stop(): t.join()\n",
}


@pytest.mark.parametrize("content", [pytest.param(c, id=name) for name, c in DEEP.items()])
def test_deep_nesting_is_read(content: bytes) -> None:
    survives({"service.py": content})


CALLS_BACK = b"""\

class Button:
    def __init__(self):
        self.pressed = lambda: Service().stop()

    def press(self):
        self.pressed()


def press(button: Button):
    pressed = lambda: button.press()
    pressed()
"""


def test_a_colon_in_the_name_of_a_file_is_no_more_than_a_letter() -> None:
    source = SERVICE + CALLS_BACK

    assert survives({"at_10:14.py": source}) == survives({"app.py": source}) > 0


STOP = "import threading\ndef stop(worker: threading.Thread):\n    worker.join()  # ä€😀\n"

READABLE = {
    "a byte order mark": b"\xef\xbb\xbf" + STOP.encode(),
    "a byte order mark and a cookie": b"\xef\xbb\xbf# coding: utf-8\n" + STOP.encode(),
    "a latin-1 cookie": ("# -*- coding: latin-1 -*-\n" + STOP.replace("€😀", "")).encode("latin-1"),
    "a cookie on the second line": ("\n# vim: set fileencoding=cp1252 :\n" + STOP[:-4]).encode(),
    "a cookie of an unusual codec": ("# coding: utf-7\n" + STOP[:-5]).encode("utf-7"),
    "Windows line ends": STOP.replace("\n", "\r\n").encode(),
    "old Macintosh line ends": STOP.replace("\n", "\r").encode(),
    "mixed line ends": STOP.replace("\n", "\r", 1).replace("\n", "\r\n", 1).encode(),
    "form feeds": STOP.replace("def", "\f\ndef").replace("    worker", "\f    worker").encode(),
    "other line separators": STOP.replace("ä", "\x0b\x1c\x85\u2028\u2029").encode(),
    "tabs": STOP.replace("    ", "\t").encode(),
    "no line end": STOP.rstrip().encode(),
    "a line continued": STOP.replace("worker.join", "worker\\\n        .join").encode(),
    "wide letters before the finding": STOP.replace("    worker", "    '😀ä'; worker").encode(),
}

UNREADABLE = {
    "nothing": b"",
    "a line end": b"\n",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "an unknown cookie": b"# coding: klingon\n" + STOP.encode(),
    "a codec that is not for text": b"# coding: rot13\n" + STOP.encode(),
    "a codec that gives bytes": b"# coding: base64\n" + STOP.encode(),
    "a cookie against the byte order mark": b"\xef\xbb\xbf# coding: latin-1\n" + STOP.encode(),
    "bytes that are not utf-8": STOP.encode("latin-1", "replace"),
    "utf-16": STOP.encode("utf-16"),
    "utf-32": STOP.encode("utf-32"),
    "a null byte": STOP.encode().replace(b"join", b"jo\0in"),
    "null bytes alone": b"\0" * 1000,
    "lone surrogates": STOP.encode().replace("😀".encode(), b"\xed\xa0\xbd"),
    "the end of file of old": STOP.encode() + b"\x1a",
    "Python 2": b"print 'stopping'\nexec 'worker.join()'\n",
    "a huge number": b"x = " + b"9" * 100_000 + b"\n",
    "a dedent to nowhere": b"def stop():\n        worker.join()\n    worker.join()\n",
    "an unfinished string": b"'''worker.join()\n",
    "a warning of the parser": b"def stop(worker):\n    assert (worker, 'x')\n    '\\d' is 1\n",
}


@pytest.mark.parametrize("content", [pytest.param(c, id=name) for name, c in READABLE.items()])
def test_a_finding_is_found_in_every_encoding_and_with_all_line_ends(content: bytes) -> None:
    assert survives({"service.py": content}) == 1


@pytest.mark.parametrize("content", [pytest.param(c, id=name) for name, c in UNREADABLE.items()])
def test_unreadable_text_is_survived_beside_a_readable_file(content: bytes) -> None:
    assert survives({"broken.py": content, "service.py": STOP.encode()}) >= 1


def test_a_huge_file_is_read() -> None:
    functions = b"".join(b"def stop_%d(t):\n    t.join()\n\n" % n for n in range(20_000))

    assert survives({"service.py": functions}) > 0


def test_one_endless_line_is_read() -> None:
    assert survives({"service.py": b"def stop(t): " + b"t.join(); " * 20_000}) > 0


def test_many_small_files_are_read() -> None:
    chance = random.Random(1)  # noqa: S311 - the same in every run
    letters = "stop wait join sleep while True : ( ) . , \n def class import async await = 1"
    files = {
        f"file_{number}.py": " ".join(chance.choices(letters.split(" "), k=60)).encode()
        for number in range(300)
    }

    survives(files)
