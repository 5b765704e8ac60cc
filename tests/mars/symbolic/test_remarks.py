"""What stands behind a value: units are read, conditions kept, reasons dropped, and words refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.exact import rational
from mars.symbolic.lexer import Token, tokenize
from mars.symbolic.parser import parse
from mars.symbolic.remarks import is_domain, is_wordy
from mars.symbolic.tree import Constant, Logic, Node, Number, Quantity, Relation, Sequence, Symbol, Text

FIVE = Number(Fraction(5))


def runs_through(name: str, *letters: str) -> Relation:
    return Relation(("in",), (Sequence(tuple(map(Symbol, letters))), Constant(name)))


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        (r"k \in \mathbb{Z}", True, "a parameter and its numbers"),
        (r"k \in \mathbb{N}", True, "whichever they are"),
        (r"k \in (0, 1)", False, "an interval restricts"),
        ("k > 3", False, "so does an inequality"),
        (r"2k \in \mathbb{Z}", False, "half an integer is no parameter"),
        (r"k \notin \mathbb{Z}", False, "what it is not"),
        ("k = 3", False, "what it is"),
    ],
)
def test_what_parameters_run_through(text: str, expected: bool, why: str) -> None:
    assert is_domain(parse(text)) is expected, why


@pytest.mark.parametrize(
    ("remark", "expected", "why"),
    [
        (r"\text{ for all integers } k", runs_through("integers", "k"), "a domain in words"),
        (r"\text{ for positive integers } k", runs_through("naturals", "k"), "its sign"),
        (r"\text{ where } k \text{ is any real number}", runs_through("reals", "k"), "the letter first"),
        (r"\text{ where } k, m \text{ are integers}", runs_through("integers", "k", "m"), "several letters"),
        (r"\text{ for positive real } k", runs_through("positive reals", "k"), "a sign that makes another set"),
        (r"\text{ for any } k", runs_through("any", "k"), "anything"),
        (r"\text{ if } k > 3", parse("k > 3"), "a condition"),
        (r"\text{ such that } k > 3", parse("k > 3"), "in two words"),
        (r"\text{ for all } k > 3", parse("k > 3"), "a restriction with its quantifier"),
        (r"\text{ for } 0 < k < 3", parse("0 < k < 3"), "a chain"),
        (" (k > 3)", parse("k > 3"), "in parentheses"),
        (r", k \in \mathbb{Z}", parse(r"k \in \mathbb{Z}"), "behind a comma"),
    ],
)
def test_conditions_are_kept(remark: str, expected: Node, why: str) -> None:
    assert parse(f"2k{remark}") == Logic("where", (parse("2k"), expected)), why


@pytest.mark.parametrize("reason", ["because nothing else fits", r"\text{ since } 2 + 3 = 5", "because (a) holds"])
def test_reasons_are_dropped(reason: str) -> None:
    assert parse(f"5 {reason}") == FIVE


@pytest.mark.parametrize(
    ("text", "value", "unit", "why"),
    [
        ("5 km", 5, "km", "a unit"),
        ("5 km/h", 5, "km/h", "a quotient"),
        (r"5 \text{ square feet}", 5, "ft^2", "a power in words"),
        (r"5 \text{ feet}^2", 5, "ft^2", "a power behind words"),
        (r"5 \mathrm{m}^{2}", 5, "m^2", "a power in braces"),
        (r"5 \text{ apples}", 5, "apple", "a counted thing"),
        (r"12\$", 12, "$", "a currency behind its number"),
        (r"240 \text{ yuan } (\text{A})", 240, "yuan", "whose value it is, in parentheses, is dropped"),
    ],
)
def test_units_are_kept(text: str, value: int, unit: str, why: str) -> None:
    assert parse(text) == Quantity(Number(Fraction(value)), unit), why


def value_of(tree: Node) -> Fraction:
    assert isinstance(tree, Quantity)
    found = rational(tree.value)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        (r"2 \text{ hours } 30 \text{ minutes}", Fraction(5, 2), "h"),
        (r"5 \text{ feet } 3 \text{ inches}", Fraction(21, 4), "ft"),
        (r"1 \text{ hour } 1 \text{ minute } 1 \text{ second}", Fraction(3661, 3600), "h"),
        ("5 dozen eggs", Fraction(60), "egg"),
    ],
)
def test_quantities_of_one_kind_are_added(text: str, value: Fraction, unit: str) -> None:
    tree = parse(text)
    assert (value_of(tree), getattr(tree, "unit", None)) == (value, unit)


@given(st.integers(0, 99), st.integers(0, 59))
def test_hours_and_minutes_are_hours(hours: int, minutes: int) -> None:
    assert value_of(parse(rf"{hours} \text{{ hours }} {minutes} \text{{ minutes}}")) == hours + Fraction(minutes, 60)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (r"2x \text{ blorps}", "an unknown unit of an unknown"),
        ("5 if n is even", "a condition in words"),
        ("5 as well as 6", "another answer"),
        ("5 with a remark", "words that are no condition"),
        (r"5 \text{ which is } 6", "a remark with a value"),
    ],
)
def test_words_that_are_no_remark_are_not_dropped(text: str, why: str) -> None:
    """Then the whole answer counts as words."""
    assert isinstance(parse(text), Text), why


@pytest.mark.parametrize(
    ("text", "expected"), [("km", True), (r"\text{m}", True), ("m", False), ("5", False), (r"\pi", False)]
)
def test_a_wordy_token(text: str, expected: bool) -> None:
    [token] = tokenize(text)
    assert isinstance(token, Token)
    assert is_wordy(token) is expected
