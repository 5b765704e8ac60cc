"""Which stage and rule tells two values apart; that they are the same answer is test_compare's."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.parser import parse
from mars.symbolic.policy import MATH, PROFILES, Policy
from mars.symbolic.tree import Number
from mars.symbolic.values import significant, values_agree

EXACT = replace(MATH, rounding="exact", decimals=None, coarser=None)


@pytest.mark.parametrize(
    ("reference", "answer", "equal", "stage", "rule"),
    [
        ("6/4", "3/2", True, "exact", "exact numbers"),
        ("6/4", "5/2", False, "exact", "exact numbers"),
        ("x + x", "2x", True, "numeric", "at random points"),
        (r"\sqrt{8}", r"2\sqrt{2}", True, "numeric", ""),
        (r"\pi", "3", False, "numeric", ""),
        (r"\pi^2", "9.8696", False, "numeric", ""),
        ("3.142", r"\pi", True, "numeric", "rounds to the reference's 3 places"),
        (r"\frac{2}{7}", "0.285714", True, "numeric", "the reference to 6 places"),
        ("248.37", "248.4", True, "numeric", "the reference rounded to 1 places"),
        ("5", r"\frac{10}{2} \text{ km}", True, "exact", "exact numbers"),
        ("5 km", r"5 \text{ s}", False, "structure", "s is not km"),
        ("5 apples", "5 pears", False, "structure", "the words 'pear' and 'apple'"),
        ("5 units", "10/2", True, "exact", "exact numbers"),
        (r"25\%", "50/2", True, "exact", "percent sign left out"),
        (r"0.5\%", "0.5", False, "exact", "exact numbers"),
        (r"30^\circ", r"\frac{\pi}{6}", True, "numeric", "degrees in radians"),
        (r"\frac{1}{2}", r"\sin 30^\circ", False, "structure", "left to be computed: sin"),
        ("110_2", "6", False, "structure", "not written in base 2"),
        ("110_2", "12_4", False, "structure", "not written in base 2"),
        (r"\sum_{k=1}^{\infty} \frac{1}{k^x}", r"\sum_{k=2}^{\infty} \frac{1}{k^x}", None, "numeric", ""),
    ],
)
def test_the_rule_that_decides_is_named(reference: str, answer: str, equal: bool | None, stage: str, rule: str) -> None:
    found = values_agree(parse(reference), parse(answer), MATH)
    assert (found.equal, found.stage) == (equal, stage), found.rule
    assert rule in found.rule


@pytest.mark.parametrize(
    ("policy", "reference", "answer", "rule"),
    [
        (PROFILES["strict"], "5 km", "5", "unit km on one side only"),
        (PROFILES["strict"], r"\frac{1}{2}", r"\frac{2}{4}", "not simplest"),
        (replace(MATH, form="expanded"), "x^2-1", "(x-1)(x+1)", "not expanded"),
        (replace(MATH, form="factored"), "x^2-1", "x^2-1", "not factored"),
        (replace(MATH, percent="value"), r"25\%", "25", "exact numbers"),
    ],
)
def test_a_policy_that_refuses_says_why(policy: Policy, reference: str, answer: str, rule: str) -> None:
    found = values_agree(parse(reference), parse(answer), policy)
    assert found.equal is False
    assert rule in found.rule


def test_a_temperature_is_converted_with_its_zero_point() -> None:
    found = values_agree(parse(r"100 \text{ degrees Celsius}"), parse("212 °F"), MATH)
    assert found.equal is True


def test_a_temperature_that_is_no_number_stays_open() -> None:
    found = values_agree(parse(r"x \text{ degrees Celsius}"), parse("x °F"), MATH)
    assert found.equal is None
    assert found.rule == "scales with other zero points"


@pytest.mark.parametrize(
    ("value", "places", "digits"),
    [("0", 2, 0), ("0.30", 2, 2), ("0.0030", 4, 2), ("12.5", 1, 3), ("-12.5", 1, 3), ("100", 0, 3)],
)
def test_significant_digits(value: str, places: int, digits: int) -> None:
    assert significant(Fraction(value), places) == digits


def test_counting_digits_of_huge_numbers_is_bounded() -> None:
    assert significant(Fraction(10**5000), 0) >= 300


@given(st.fractions(max_denominator=1000), st.integers(1, 8))
def test_a_decimal_longer_by_two_places_rounds_to_its_reference(value: Fraction, places: int) -> None:
    longer = Fraction(round(value * 10 ** (places + 2)), 10 ** (places + 2))
    short = Fraction(round(longer * 10**places), 10**places)
    found = values_agree(Number(short, places), Number(longer, places + 2), MATH)
    assert found.equal is (significant(short, places) >= 3 or short == longer)


@given(st.fractions(max_denominator=1000), st.fractions(max_denominator=1000), st.integers(1, 6))
def test_without_rounding_only_the_value_counts(one: Fraction, other: Fraction, places: int) -> None:
    right = Number(Fraction(round(one * 10**places), 10**places), places)
    given_ = Number(Fraction(round(other * 10**places), 10**places), places)
    assert values_agree(right, given_, EXACT).equal is (right.value == given_.value)


@given(st.fractions(max_denominator=1000), st.fractions(max_denominator=1000))
def test_a_tolerance_is_relative_to_the_reference(one: Fraction, other: Fraction) -> None:
    policy = replace(EXACT, tolerance=Fraction(1, 100))
    found = values_agree(Number(one), Number(other), policy)
    integers = one.denominator == 1 == other.denominator
    assert found.equal is (one == other or (not integers and abs(one - other) <= abs(one) / 100))
