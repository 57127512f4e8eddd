"""Reading: every function of real code gets the bodies and places that `ast` sees."""

import ast
import sysconfig
import unicodedata
from pathlib import Path

import pytest

from drainlint.index.collect import index
from drainlint.index.entries import MAIN, MODULE, ModuleEntry
from drainlint.model.expression import Call
from drainlint.model.statement import Body
from drainlint.read.functions import Reader
from drainlint.source import Source, decode

STDLIB = Path(sysconfig.get_paths()["stdlib"])
REAL = sorted(STDLIB.glob("[a-z]*.py"))[::4] + sorted((STDLIB / "asyncio").glob("*.py"))

ODD = {
    "look-alikes": "def f():\n    \uff57\uff41\uff49\uff54(1); x.\uff47(2)\n",
    "tabs and form feeds": "if x:\n\tdef f():\n\t\twait(1)\n\n\n\f\tdef g(): wait(2)\n",
    "strings left of the body": 'class C:\n    def f(self):\n        x = """\nleft\n"""\n        wait(x)\n',
    "comments left of the body": "class C:\n    def f(self):\n# left\n        wait(1)\n",
    "carriage returns": "def f():\r\n    wait(1)\r\n    return g(\r\n  2)\r\n",
    "non-ASCII": "def f():\n    'é'; wait('ü', g(1)); wait(2)\n",
    "decorators and defaults": "@deco(1)\ndef f(a=g(2), *b, c: h(3) = i(4)) -> j(5):\n    wait(6)\n",
    "nested definitions": "def f():\n    @d()\n    def g():\n        wait(1)\n    class K(b()):\n        def m(self): wait(2)\n    return lambda: wait(3)\n",
    "f-strings": "def f():\n    wait(f'{g(1)} {h(2)!r:>{w(3)}}', k(4))\n",
    "one line": "def f(): wait(1); wait(2)\n",
    "conditional expressions": "def f():\n    return a(1) if b(2) else c(3)\n",
    "comprehensions": "def f():\n    return [a(x) for x in b(1) if c(x) for y in d(2)], {e(1): g(2) for z in h()}\n",
    "except star": "def f():\n    try:\n        a(1)\n    except* b(2) as e:\n        c(3)\n    else:\n        d(4)\n    finally:\n        e(5)\n",
    "match": "def f():\n    match a(1):\n        case K(x) if b(2):\n            c(3)\n        case _:\n            d(4)\n",
    "walrus and lambda": "def f():\n    if (x := a(1)) and (lambda q=b(2): c(q)):\n        d(x)\n",
    "line continuation": "def f():\n    return a(1) + \\\n        b(2)\n\nx = 1; y = g(3)\n",
    "main guard": "def f(): ...\nif __name__ == '__main__':\n    f()\nelse:\n    g(1)\n",
}


def everything(source: Source) -> tuple[ModuleEntry, tuple[Body, ...]]:
    entry = index(ast.parse(source.text), source).entry
    return entry, tuple(Reader(source, entry).read(list(entry.functions)).values())


def definitions(entry: ModuleEntry) -> set[str]:
    return {name for name, function in entry.functions.items() if function.is_definition}


def calls(body: Body) -> list[Call]:
    found = [
        part
        for block in body.statements
        for statement in block.walk()
        for expression in statement.expressions
        for part in expression.walk()
        if isinstance(part, Call)
    ]
    return sorted(found, key=lambda c: c.place)


@pytest.mark.parametrize("path", REAL, ids=lambda p: p.name)
def test_every_function_of_real_code_is_read_with_the_places_of_its_calls(path: Path) -> None:
    entry, bodies = everything(decode(path.name, path.read_bytes()))
    known = {c.place for f in entry.functions.values() for c in f.calls}

    assert {b.function for b in bodies} >= {n for n in entry.functions if "<" not in n}
    assert all(call.place in known for body in bodies for call in calls(body))


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_layouts_are_read_with_exact_places(text: str) -> None:
    source = decode("odd.py", text.encode())
    entry, bodies = everything(source)
    lines = source.lines

    for call in (c for body in bodies for c in calls(body)):
        line = unicodedata.normalize("NFKC", lines[call.place.line - 1])
        assert line[call.place.column - 1 :].startswith(call.func.text.split("(")[0])
    assert {b.function for b in bodies} >= definitions(entry)


def test_the_main_guard_is_a_body_of_its_own() -> None:
    _, bodies = everything(decode("odd.py", ODD["main guard"].encode()))
    by_name = {b.function: b for b in bodies}

    assert [c.func.text for c in calls(by_name[MAIN])] == ["f"]
    assert [c.func.text for c in calls(by_name[MODULE])] == ["g"]


def test_of_functions_with_one_name_each_keeps_what_is_nested_in_it() -> None:
    text = (
        "class C:\n"
        "    @property\n    def p(self): return sorted([], key=lambda x: a(x))\n"
        "    @p.setter\n    def p(self, v): self.v = list(map(lambda y: b(y), v))\n"
        "if x:\n    def f():\n        def g(): c(1)\n        return g\n"
        "else:\n    def f():\n        def g(): d(2)\n        return g\n"
    )
    entry, bodies = everything(decode("again.py", text.encode()))

    assert {b.function for b in bodies} >= definitions(entry)
    assert {"C.p", "C.p@5", "f", "f.g", "f@7", "f@7.g"} <= set(entry.functions)
    lambdas = [n for n in entry.functions if "<lambda" in n]
    assert sorted(n.partition(".<")[0] for n in lambdas) == ["C.p", "C.p@5"]


WRITTEN = (
    "a * (b + 1)",
    "a - (b - c)",
    "a - b - c",
    "(a ** b) ** c",
    "a ** b ** c",
    "-(a + b)",
    "not (a or b)",
    "a and (b or c)",
    "(a if b else c) + 1",
    "(a or b) is None",
    "~(a | b) & c",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_parentheses_are_written_where_they_matter(text: str) -> None:
    source = decode("a.py", f"f({text})\n".encode())
    (call,) = index(ast.parse(source.text), source).entry.functions[MODULE].calls

    written = call.arguments[0].value.text
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(text))
