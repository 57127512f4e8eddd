"""What numbers and timeouts come to."""

import math

import pytest

from drainlint.link.names import FunctionId
from drainlint.model.deadline import Bound
from drainlint.model.expression import Constant
from tests.linked import call_in, program

HEAD = """
import sys, threading, random, datetime
TICK = 0.5
MINUTE = 60
class S:
    pause = 2
    def __init__(self, given):
        self.limit = None
        self.known = 3
        self.given = given
    def f(self, handed=None, real=7, required=...):
        wait(VALUE)
"""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("TICK", 0.5),
        ("MINUTE * 2 + 1", 121),
        ("-TICK", -0.5),
        ("self.known", 3),
        ("self.pause", 2),
        ("self.given", None),
        ("real", None),
        ("min(TICK, self.given)", 0.5),
        ("max(1, 3)", 3),
        ("random.uniform(0, 4)", 4),
        ("datetime.timedelta(minutes=2, seconds=1).total_seconds()", 121),
        ("1 if x else 4", 4),
        ("1 if x else self.given", None),
        ("1 / 0", None),
        ("True", None),
        ("'5'", None),
    ],
)
def test_a_number_is_the_highest_that_an_expression_can_come_to(
    text: str, number: float | None
) -> None:
    made = program(HEAD.replace("VALUE", text))
    value = call_in(made, "S.f", "wait").arguments[0].value

    assert made.values.number(FunctionId("app.py", "S.f"), value) == number


@pytest.mark.parametrize("text", ["sys.maxsize", "threading.TIMEOUT_MAX", 'float("inf")'])
def test_some_numbers_bound_nothing(text: str) -> None:
    made = program(HEAD.replace("VALUE", text))
    value = call_in(made, "S.f", "wait").arguments[0].value

    number = made.values.number(FunctionId("app.py", "S.f"), value)

    assert number is None or math.isinf(number) or number > 10**9
    assert made.values.timeout(FunctionId("app.py", "S.f"), value, None).is_none


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("None", Bound.NONE),
        ("self.limit", Bound.NONE),
        ("5", Bound.CONSTANT),
        ("handed", Bound.HANDED_ON),
        ("real", Bound.CALLER),
        ("self.given", Bound.EXPRESSION),
        ("compute()", Bound.EXPRESSION),
    ],
)
def test_a_timeout_has_a_bound(text: str, bound: Bound) -> None:
    made = program(HEAD.replace("VALUE", text))
    value = call_in(made, "S.f", "wait").arguments[0].value

    assert made.values.timeout(FunctionId("app.py", "S.f"), value, None).bound is bound


@pytest.mark.parametrize(
    ("call", "bound", "seconds"),
    [
        ("queue.Queue().get()", Bound.NONE, None),
        ("queue.Queue().get(timeout=5)", Bound.CONSTANT, 5.0),
        ("queue.Queue().get(True, 5)", Bound.CONSTANT, 5.0),
        ("queue.Queue().get(5)", Bound.NONE, None),
        ("queue.Queue().get(False)", Bound.CONSTANT, 0.0),
        ("threading.Lock().acquire(timeout=-1)", Bound.NONE, None),
        ("threading.Event().wait(0)", Bound.CONSTANT, 0.0),
        ("select.poll().poll(500)", Bound.CONSTANT, 0.5),
        ("threading.Event().wait(*given)", Bound.EXPRESSION, None),
    ],
)
def test_a_call_is_bounded_as_its_library_says(
    call: str, bound: Bound, seconds: float | None
) -> None:
    made = program(f"import queue, threading, select\n\ndef f(given):\n    {call}\n")
    key = FunctionId("app.py", "f")
    written = max(made.names.function(key).calls, key=lambda c: len(c.arguments) + len(c.func.text))
    known = made.facts(key, written)

    assert known is not None
    deadline = made.values.deadline(key, written, known[0])
    assert (deadline.bound, deadline.seconds) == (bound, seconds)


def test_a_literal_is_none_only_where_it_is_none() -> None:
    made = program("def f(): ...")

    assert made.values.is_none(FunctionId("app.py", "f"), Constant(None))
    assert not made.values.is_none(FunctionId("app.py", "f"), Constant(0))
