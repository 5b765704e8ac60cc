"""What SymPy decides: integrals, limits, infinite sums, and solutions of equations."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mars.symbolic.computer_algebra import simplifies_to_zero
from mars.symbolic.tree import Node
from tests.mars.symbolic.trees import (
    INFINITY,
    PI,
    E,
    add,
    call,
    fold,
    minus,
    nines,
    node,
    over,
    power,
    root,
)

CASES: list[tuple[Node, Node, bool | None, str]] = [
    (fold("integral", "t", 0, 1, power("t", 2)), node(Fraction(1, 3)), True, "a definite integral"),
    (fold("integral", "t", 0, 1, power("t", 2)), node(Fraction(1, 2)), False, "another value"),
    (fold("integral", "t", 0, "x", call("cos", "t")), call("sin", "x"), True, "a symbolic bound"),
    (fold("integral", "t", 0, "x", call("cos", "t")), call("cos", "x"), False, "another function"),
    (fold("integral", "t", None, None, "t"), over(power("t", 2), 2), None, "its constant is anybody's"),
    (fold("sum", "k", 1, INFINITY, power("k", -2)), over(power(PI, 2), 6), True, "Basel"),
    (fold("sum", "k", 0, "n", power(2, "k")), minus(power(2, add("n", 1)), 1), True, "a geometric sum"),
    (fold("limit", "t", 0, None, over(call("sin", "t"), "t")), node(1), True, "a limit"),
    (fold("limit", "n", INFINITY, None, power(add(1, over(1, "n")), "n")), E, True, "a limit at infinity"),
    (root(power("x", 2)), call("abs", "x"), True, "variables are real"),
    (nines(4), node(1), None, "what is too large is refused"),
    (call("factorial", power(10, 9)), node(1), None, "so is a long factorial"),
    (fold("sum", "k", 1, power(10, 9), power("k", "k")), node(1), None, "and a long sum"),
]


@pytest.mark.parametrize(("first", "second", "expected", "why"), CASES, ids=[why for *_, why in CASES])
def test_difference(first: Node, second: Node, expected: bool | None, why: str) -> None:
    assert simplifies_to_zero(first, second) is expected
    assert simplifies_to_zero(second, first) is expected
