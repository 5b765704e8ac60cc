"""Curves told apart by where they are; that two are the same is never proved here."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mars.symbolic.parser import parse
from mars.symbolic.zero_sets import zeros_agree
from tests.mars.symbolic.trees import add, call, mul, power


@pytest.mark.parametrize(
    ("first", "second", "expected", "why"),
    [
        ("x^2 + y^2 - 4", "2x^2 + 2y^2 - 8", None, "the same circle, which looking does not prove"),
        ("x^2 + y^2 - 4", "x^2 + y^2 - 9", False, "another circle"),
        ("x^3 - x - 1", "(x^3 - x - 1)(x^2 + 1)", None, "a factor without zeros"),
        ("x^3 - x - 1", "(x^3 - x - 1)(x - 2)", False, "one zero more"),
        ("(x^3 - x - 1)(x - 2)", "x^3 - x - 1", False, "or one fewer"),
        ("x^2 + 3", "x^2 + 5", False, "no zeros are no agreement"),
        ("x - 1", "(x - 1)^2", None, "a double zero is not told from a simple one"),
        (r"e^x - 2", r"x - \ln 2", None, "a zero that is irrational"),
        (r"e^x - 2", r"x - 0.7", False, "and is not its neighbour"),
        (r"\frac{1}{x}", "x - 3", False, "a pole is no zero"),
    ],
)
def test_zeros(first: str, second: str, expected: bool | None, why: str) -> None:
    assert zeros_agree(parse(first), parse(second)) is expected, why


def test_what_is_too_much_work_stays_open() -> None:
    few, many = (add(-1, *(call("sin", mul(place, "x")) for place in range(1, count))) for count in (4, 10_000))
    assert zeros_agree(few, add(few, 1)) is False
    assert zeros_agree(many, add(many, 1)) is None


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_points_within_reach_are_told_apart(one: int, other: int) -> None:
    assume(one != other)
    first, second = (mul(add("x", -value), add(power("x", 2), 1)) for value in (one, other))
    assert zeros_agree(first, second) is False
    assert zeros_agree(first, mul(2, first)) is None
