"""The shapes that questions ask for, and what is still to be done in an expression."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.form import is_expanded, is_factored, is_simplest, operations
from mars.symbolic.parser import parse
from mars.symbolic.tree import Node


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        (r"\frac{1}{2}", set(), "a number"),
        (r"\sin 30^\circ", {"sin"}, "a function of a number"),
        (r"\sin x", set(), "of a variable it stands as it is"),
        (r"\sin x + \cos 1", {"cos"}, "each by itself"),
        (r"\log_2 \sin 1", {"log", "sin"}, "one within the other"),
        (r"\sqrt{2}", set(), "a root may stand"),
        ("5!", set(), "so may a factorial"),
        (r"\binom{5}{2}", set(), "and a binomial"),
        (r"\sum_{k=1}^{9} k", {"sum"}, "a sum over a bound variable"),
        (r"\sum_{k=1}^{n} k", set(), "up to a variable"),
        (r"\int_0^1 x\,dx", {"integral"}, "an integral"),
        (r"(1, \max(2, 3))", {"max"}, "in a list"),
    ],
)
def test_what_is_left_to_be_computed(text: str, expected: set[str], why: str) -> None:
    assert operations(parse(text)) == expected, why


FORMS: list[tuple[Callable[[Node], bool], str, bool, str]] = [
    (is_simplest, r"\frac{1}{2}", True, "reduced"),
    (is_simplest, r"\frac{2}{4}", False, "to be reduced"),
    (is_simplest, r"\frac{4}{1}", False, "a denominator of one"),
    (is_simplest, r"2\sqrt{3}", True, "nothing to take out"),
    (is_simplest, r"\sqrt{12}", False, "a square under the root"),
    (is_simplest, r"\sqrt[3]{54}", False, "a cube under its root"),
    (is_simplest, r"\sqrt{1}", False, "a root of one"),
    (is_simplest, "2^3", False, "a power that is small"),
    (is_simplest, "2^{100}", True, "one that nobody writes out"),
    (is_simplest, "1 + 2", False, "numbers to be added"),
    (is_simplest, r"1 + \sqrt{2}", True, "numbers that cannot be"),
    (is_simplest, r"2 \cdot 3", False, "to be multiplied"),
    (is_simplest, "-3x", True, "a sign is no factor"),
    (is_simplest, r"(1, \frac{2}{4})", False, "within a list"),
    (is_factored, "(x-1)(x+1)", True, "a product"),
    (is_factored, "x^2-1", False, "a sum"),
    (is_factored, "3(x-1)^2", True, "a number in front"),
    (is_factored, "(2x-2)(x+1)", False, "a number left within"),
    (is_factored, "(2x-2)^2", False, "below a power"),
    (is_factored, "x^2", True, "a power"),
    (is_factored, "7", True, "a number"),
    (is_expanded, "x^2-1", True, "a sum of powers"),
    (is_expanded, "(x-1)(x+1)", False, "a product of sums"),
    (is_expanded, "(x+1)^2", False, "a power of one"),
    (is_expanded, "x(x+1)+1", False, "within a sum"),
    (is_expanded, r"\frac{1}{x+1}", True, "a quotient"),
    (is_expanded, r"\sin((x+1)^2)", True, "below a function it may stand"),
]


@pytest.mark.parametrize(
    ("form", "text", "expected", "why"), FORMS, ids=[f"{row[0].__name__} {row[1]}" for row in FORMS]
)
def test_shape(form: Callable[[Node], bool], text: str, expected: bool, why: str) -> None:
    assert form(parse(text)) is expected, why


@given(st.integers(1, 999), st.integers(2, 999))
def test_a_fraction_is_simplest_exactly_when_it_is_reduced(above: int, below: int) -> None:
    reduced = all(above % common or below % common for common in range(2, min(above, below) + 1))
    assert is_simplest(parse(rf"\frac{{{above}}}{{{below}}}")) is reduced


@given(st.integers(2, 5000))
def test_a_root_is_simplest_exactly_without_square_factors(number: int) -> None:
    free = all(number % factor**2 for factor in range(2, 71))
    assert is_simplest(parse(rf"\sqrt{{{number}}}")) is free
