"""Which names conflict, which conditions agree, and which letters may be renamed."""

from __future__ import annotations

import pytest

from mars.symbolic.compare import Comparison
from mars.symbolic.names import agree_renamed, conditions_agree, conflict, split
from mars.symbolic.parser import parse
from mars.symbolic.policy import MATH

AGREE = Comparison(MATH).agree


@pytest.mark.parametrize(
    ("one", "other", "expected", "why"),
    [
        ("x", None, False, "a name on one side only"),
        (None, None, False, "no names"),
        ("x", "x", False, "one name"),
        ("x", "y", True, "two letters"),
        ("x_1", "x", False, "an index may be left out"),
        ("x_1", "x_2", True, "but not changed"),
        ("x_1", "y", True, "another letter all the same"),
        ("x", "f(x)", False, "a variable and a function can name one value"),
        ("f(x)", "f(t)", False, "the letter of a function is bound"),
        ("f(x)", "g(x)", True, "its name is not"),
        ("f(x)", "f'(x)", True, "a derivative is another function"),
        ("P(A)", "P(B)", True, "an event is not bound"),
        ("T(10)", "T(20)", True, "nor is a number"),
        ("|AB|", "|CD|", True, "two lengths"),
        ("AB", "CD", True, "two segments"),
        (r"\text{area}", r"\text{volume}", True, "two words"),
    ],
)
def test_two_names_conflict(one: str | None, other: str | None, expected: bool, why: str) -> None:
    first, second = (None if each is None else parse(each) for each in (one, other))
    assert conflict(first, second) is expected, why
    assert conflict(second, first) is expected, why


@pytest.mark.parametrize(
    ("text", "value", "condition"),
    [
        (r"2k\pi, k \in \mathbb{Z}", r"2k\pi", r"k \in \mathbb{Z}"),
        (r"2k \text{ where } k > 3", "2k", "k > 3"),
        ("2k", "2k", None),
        ("k > 3", "k > 3", None),
        ("1, 2", "1, 2", None),
    ],
)
def test_a_value_is_parted_from_its_condition(text: str, value: str, condition: str | None) -> None:
    assert split(parse(text)) == (parse(value), None if condition is None else parse(condition))


@pytest.mark.parametrize(
    ("reference", "answer", "expected", "why"),
    [
        (None, None, True, "no conditions"),
        (r"k \in \mathbb{Z}", None, True, "what a parameter runs through may be left unsaid"),
        (None, r"k \in \mathbb{Z}", True, "on either side"),
        ("k > 3", None, False, "a restriction may not"),
        (None, "k > 3", False, "nor be made up"),
        (r"k \in \mathbb{Z}", r"n \in \mathbb{Z}", True, "parameters of other names"),
        (r"k \in \mathbb{Z}", r"k \in \mathbb{N}", False, "that run through something else"),
        ("k > 3", "k > 3", True, "the same restriction"),
        ("k > 3", "3 < k", True, "turned around"),
        ("k > 3", "k < 3", False, "another restriction"),
        ("k > 3", r"k \in \mathbb{Z}", False, "a domain for a restriction"),
    ],
)
def test_conditions_agree(reference: str | None, answer: str | None, expected: bool, why: str) -> None:
    right, given = (None if each is None else parse(each) for each in (reference, answer))
    assert conditions_agree(right, given, AGREE) is expected, why


@pytest.mark.parametrize(
    ("reference", "answer", "expected", "why"),
    [
        (r"k\pi, k \in \mathbb{Z}", r"n\pi, n \in \mathbb{Z}", True, "both declare theirs"),
        (r"k\pi, k \in \mathbb{Z}", r"n\pi", True, "one side declares an integer for both"),
        (r"k\pi", r"n\pi, n \in \mathbb{Z}", True, "either side"),
        (r"k\pi, k \in \mathbb{Z}", r"2n\pi, n \in \mathbb{Z}", None, "the values must agree"),
        (r"k\pi, k \in \mathbb{Z}", r"n\pi, n \in \mathbb{N}", None, "and their domains"),
        ("2k", "2n", None, "letters that nothing declares are variables"),
        ("x + C", "x + K", True, "letters of arbitrary constants"),
        ("x + C", "x + D", None, "which not every letter is"),
        ("C_1 x + C_2", "K_2 x + K_1", True, "two of them, whichever is which"),
        ("x + C", "x + C", None, "nothing to rename"),
        ("x + C", "x", None, "a constant that is left out"),
        ("C_1 + C_2 x + C_3 x^2 + C_4 x^3", "K_1 + K_2 x + K_3 x^2 + K_4 x^3", None, "more than are tried"),
        ("f(x) = x + C", "g(x) = x + K", None, "values of other names"),
        (r"x = k\pi, k \in \mathbb{Z}", r"x = n\pi, n \in \mathbb{Z}", True, "behind the same name"),
        ("7 = 5", r"n\pi, n \in \mathbb{Z}", None, "a contradiction has no value"),
    ],
)
def test_parameters_are_renamed(reference: str, answer: str, expected: bool | None, why: str) -> None:
    found = agree_renamed(parse(reference), parse(answer), AGREE)
    assert (found and found.equal) is expected, why
    assert found is None or found.rule.startswith("parameters renamed")
