"""What is taken off around a value, and what both signs of an expression make of it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.numeric import Outcome, same_value
from mars.symbolic.parser import parse
from mars.symbolic.peeling import MOST_BRANCHES, branches, is_label, peel
from mars.symbolic.tree import Signed, Sum, Symbol
from tests.mars.symbolic.trees import node


@pytest.mark.parametrize(
    ("text", "value", "label", "why"),
    [
        ("5", "5", None, "a value without a name"),
        ("x = 5", "5", "x", "a name"),
        ("9 = x", "9", "x", "the name may come last"),
        ("z = 1 + 1 = 2", "2", "z", "the last side of a chain is the answer"),
        ("1 + 1 = 2", "2", None, "a chain needs no name"),
        ("x = y = 3", "3", "x", "two names of one value"),
        (r"5 \approx 4.99", "5", None, "what rounds a value is dropped"),
        (r"x = 5 \approx 4.99", "5", "x", "behind a name too"),
        (r"x \approx 3", "3", "x", "unless it is all there is"),
        ("f(x) = x^2", "x^2", "f(x)", "the name of a function"),
        ("|AB| = 3", "3", "|AB|", "the length of a segment"),
        ("y = 2x", "2x", "y", "a value with variables"),
        ("(x, y) = (5, 3)", "(5, 3)", "(x, y)", "coordinates"),
        (r"x \in \{2, 3\}", r"\{2, 3\}", "x", "membership in a finite set"),
        ("7 = 5", None, None, "a chain that contradicts itself"),
        ("x = 5 + 5 = 12", None, None, "behind a name too"),
        ("x^2 = 4", "x^2 = 4", None, "an equation is no name"),
        ("2x = 6", "2x = 6", None, "nor is one that is not solved"),
        (r"x \in [0, 1]", r"x \in [0, 1]", None, "membership in an interval is a statement"),
        ("x < 5", "x < 5", None, "so is an inequality"),
    ],
)
def test_names_come_off(text: str, value: str | None, label: str | None, why: str) -> None:
    peeled = peel(parse(text))
    assert peeled.value == (None if value is None else parse(value)), why
    assert peeled.label == (None if label is None else parse(label)), why


def test_a_label_in_words_comes_off_too() -> None:
    peeled = peel(parse("Minimum: 1"))
    assert (peeled.value, peeled.label) == (parse("1"), parse(r"\text{minimum}"))


@pytest.mark.parametrize("value", ["7", r"\frac{1}{3}", "2a + 1", "(1, 2)", r"\text{north}", r"\sqrt{2}"])
def test_peeling_a_named_value_is_the_value_and_peeling_again_changes_nothing(value: str) -> None:
    tree = parse(value)
    once = peel(parse(f"x = {value}"))
    assert (once.value, once.label) == (tree, Symbol("x"))
    assert peel(tree).value == tree


@given(st.fractions(max_denominator=10**6), st.sampled_from(["x", "n", "S", "a_1"]))
def test_any_rational_survives_its_name(value: Fraction, name: str) -> None:
    written = rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    assert peel(parse(f"{name} = {written}")).value == parse(written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", True),
        ("f(x)", True),
        ("T(10)", True),
        ("f'(x)", True),
        ("|AB|", True),
        ("AB", True),
        ("(x, y)", True),
        (r"\text{area}", True),
        ("5", False),
        ("2x", False),
        ("xy", False),
        ("x + y", False),
        ("|x - 1|", False),
        (r"\sin(x)", False),
        ("(x, 3)", False),
    ],
)
def test_what_can_be_a_name(text: str, expected: bool) -> None:
    assert is_label(parse(text)) is expected


@pytest.mark.parametrize(
    ("text", "values", "why"),
    [
        ("3", ["3"], "one value has one branch"),
        (r"1 \pm \sqrt{2}", [r"1 + \sqrt{2}", r"1 - \sqrt{2}"], "one sign has two"),
        (r"a \pm b \mp c", ["a + b - c", "a - b + c"], "signs and their opposites change together"),
        (r"a \pm b \pm c", ["a + b + c", "a + b - c", "a - b + c", "a - b - c"], "signs change by themselves"),
    ],
)
def test_both_signs_are_written_out(text: str, values: list[str], why: str) -> None:
    spread = branches(parse(text))
    assert len(spread) == len(values), why
    for branch, value in zip(spread, values, strict=True):
        assert same_value(branch, parse(value)).outcome is Outcome.SAME, why


@given(st.integers(0, 8))
def test_the_number_of_branches_is_bounded(count: int) -> None:
    spread = branches(Sum((node(1), *(Signed(node(10**place)) for place in range(count)))))
    if 2**count <= MOST_BRANCHES:
        assert len(set(spread)) == 2**count
    else:
        assert len(spread) == 1
