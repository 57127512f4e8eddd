"""What a dotted name stands for, across modules."""

import pytest

from drainlint.link.names import (
    ClassId,
    FunctionId,
    Library,
    Module,
    Names,
    Resolved,
    Variable,
)
from tests.linked import program

PROJECT = {
    "pkg/__init__.py": "from .core import Engine, helper as assist\nfrom . import core\n",
    "pkg/core.py": "import time as t\nclass Engine:\n    def stop(self): ...\ndef helper(): ...\n",
    "pkg/stars.py": "from .core import *\nfrom os.path import *\n",
    "app.py": (
        "import pkg\nimport pkg.core as c\nfrom pkg import assist\nfrom pkg.stars import Engine as E\n"
        "import threading, os.path\nLIMIT = 3\n"
        "def outer(given):\n    from queue import Queue as Q\n    local = 1\n"
        "    def inner():\n        return local\n    return inner\n"
        "class Box:\n    size = 1\n    def method(self):\n        return size\n"
    ),
}


@pytest.mark.parametrize(
    ("scope", "dotted", "reached"),
    [
        ("<module>", "pkg.Engine", Resolved(ClassId("pkg/core.py", "Engine"))),
        ("<module>", "pkg.core.Engine.stop", Resolved(FunctionId("pkg/core.py", "Engine.stop"))),
        ("<module>", "c.helper", Resolved(FunctionId("pkg/core.py", "helper"))),
        ("<module>", "assist", Resolved(FunctionId("pkg/core.py", "helper"))),
        ("<module>", "E", Resolved(ClassId("pkg/core.py", "Engine"))),
        ("<module>", "c.t.sleep", Resolved(Library("time.sleep"))),
        ("<module>", "pkg", Resolved(Module("pkg/__init__.py"))),
        ("outer", "threading.Thread", Resolved(Library("threading.Thread"))),
        ("outer", "os.path.join", Resolved(Library("os.path.join"))),
        ("outer", "Q", Resolved(Library("queue.Queue"))),
        (
            "outer",
            "given.x.y",
            Resolved(Variable(FunctionId("app.py", "outer"), "given"), ("x", "y")),
        ),
        ("outer.inner", "local", Resolved(Variable(FunctionId("app.py", "outer"), "local"))),
        ("outer.inner", "LIMIT", Resolved(Variable(FunctionId("app.py", "<module>"), "LIMIT"))),
        ("outer", "inner", Resolved(FunctionId("app.py", "outer.inner"))),
        ("outer", "sum", Resolved(Library("sum"))),
        ("outer", "nobody", None),
        ("Box.method", "size", None),
    ],
)
def test_a_name_reaches_its_definition(scope: str, dotted: str, reached: Resolved | None) -> None:
    names = program(PROJECT).names

    assert names.resolve(FunctionId("app.py", scope), dotted) == reached


def test_of_two_modules_with_one_name_the_nearest_counts() -> None:
    names = program(
        {
            "one/util.py": "def f(): ...",
            "two/util.py": "def f(): ...",
            "two/app.py": "from util import f\n",
        }
    ).names

    assert names.resolve(FunctionId("two/app.py", "<module>"), "f") == Resolved(
        FunctionId("two/util.py", "f")
    )


def test_modules_in_folders_without_an_init_are_found() -> None:
    names = program(
        {
            "space/inner/mod.py": "def f(): ...",
            "app.py": "from space.inner.mod import f\n",
        }
    ).names

    assert names.resolve(FunctionId("app.py", "<module>"), "f") == Resolved(
        FunctionId("space/inner/mod.py", "f")
    )


def test_a_root_that_is_a_package_itself_is_known_by_its_name() -> None:
    made = Names(
        program(
            {
                "__init__.py": "",
                "inner.py": "def f(): ...",
                "app.py": "from pkg.inner import f\n",
            }
        ).names.modules,
        "pkg",
    )

    assert made.module_name("inner.py") == "pkg.inner"
    assert made.resolve(FunctionId("app.py", "<module>"), "f") == Resolved(
        FunctionId("inner.py", "f")
    )
