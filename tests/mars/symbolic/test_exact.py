"""Rational expressions have their exact value, whatever its size, up to a size that is foreseen."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.exact import TooLarge, rational
from mars.symbolic.tree import Based, Node, Number, Quantity
from tests.mars.symbolic.trees import PI, add, call, fold, mul, nines, node, over, power, root

EXACT: list[tuple[Node, Fraction | int | None, str]] = [
    (power(2024, 4046), 2024**4046, "a large power"),
    (power(2, -99), Fraction(1, 2**99), "a tiny power"),
    (call("binomial", 2026, 1013), math.comb(2026, 1013), "a large binomial coefficient"),
    (call("binomial", -2, 3), -4, "a negative upper index"),
    (over(1, call("factorial", 2004)), Fraction(1, math.factorial(2004)), "a tiny reciprocal"),
    (call("double_factorial", 7), 105, "every other factor"),
    (call("permutations", 5, 2), 20, "ordered choices"),
    (call("gcd", 12, 18, 8), 2, "several arguments"),
    (call("lcm", 4, 6), 12, "least common multiple"),
    (call("mod", -7, 3), 2, "the remainder has the sign of the modulus"),
    (call("floor", Fraction(-7, 2)), -4, "down"),
    (call("ceil", Fraction(-7, 2)), -3, "up"),
    (call("max", 1, Fraction(3, 2)), Fraction(3, 2), "maximum"),
    (root(Fraction(9, 4)), Fraction(3, 2), "a perfect square"),
    (root(-27, 3), -3, "an odd root of a negative number"),
    (power(8, Fraction(-2, 3)), Fraction(1, 4), "a root and a power"),
    (root(2), None, "an irrational root"),
    (root(-4), None, "an even root of a negative number"),
    (root(0, 3), 0, "a root of nothing"),
    (call("log", 4, 8), Fraction(3, 2), "powers of one base"),
    (call("lg", Fraction(1, 1000)), -3, "decimal logarithm"),
    (call("log", 2, 3), None, "an irrational logarithm"),
    (call("cos", 0), 1, "where cosine is rational for certain"),
    (fold("sum", "k", 1, 100, "k"), 5050, "a finite sum"),
    (fold("product", "k", 1, 5, "k"), 120, "a finite product"),
    (fold("sum", "k", 3, 2, "k"), 0, "an empty sum"),
    (Based(54, 5), 54, "a number in another base has its value"),
    (Quantity(Number(Fraction(10)), "%"), Fraction(1, 10), "per cent"),
    (over(1, add(1, -1)), None, "nothing divides by zero"),
    (mul(2, PI), None, "pi is irrational"),
    (add("x", 1), None, "a variable without a value"),
]


@pytest.mark.parametrize(("tree", "expected", "why"), EXACT, ids=[why for *_, why in EXACT])
def test_value(tree: Node, expected: Fraction | int | None, why: str) -> None:
    assert rational(tree) == expected


@pytest.mark.parametrize(
    "tree",
    [
        nines(4),
        call("factorial", power(10, 9)),
        call("double_factorial", power(10, 9)),
        call("binomial", power(10, 7), mul(5, power(10, 6))),
        fold("sum", "k", 1, power(10, 9), power("k", "k")),
        fold("product", "k", 1, 1999, power(2, 1000)),
        fold("sum", "a", 1, 1999, fold("sum", "b", 1, 1999, over("a", "b"))),
    ],
    ids=["tower", "factorial", "double factorial", "binomial", "long sum", "growing product", "nested sums"],
)
def test_what_would_be_too_large_is_refused_before_it_is_computed(tree: Node) -> None:
    with pytest.raises(TooLarge):
        rational(tree)


def test_variables_take_their_values_and_bound_ones_hide_them() -> None:
    tree = add("x", fold("sum", "x", 1, 3, "x"))
    assert rational(tree, {"x": Fraction(1, 2)}) == Fraction(13, 2)


@given(st.fractions(max_denominator=10**6), st.integers(1, 12))
def test_a_root_undoes_a_power(value: Fraction, degree: int) -> None:
    expected = abs(value) if degree % 2 == 0 else value
    assert rational(root(node(value**degree), degree)) == expected


@given(st.fractions(), st.fractions(), st.fractions())
def test_arithmetic_is_that_of_fractions(a: Fraction, b: Fraction, c: Fraction) -> None:
    assert rational(add(mul(a, b), c)) == a * b + c
