"""Every tree has a line that a person can read, and no line is long."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.parser import parse
from mars.symbolic.tree import Labelled, Node, Number, Sequence, Sum, Text
from mars.symbolic.writing import LONGEST, write
from tests.mars.symbolic.trees import node, power


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", "5"),
        ("-5", "-5"),
        ("0.50", "0.50"),
        ("-0.05", "-0.05"),
        ("1,000", "1000"),
        (r"\frac{1}{2}", "1/2"),
        (r"\frac{x+1}{2y}", "(x + 1)/(2*y)"),
        ("-3x", "-3*x"),
        ("x(-3)", "x*(-3)"),
        ("x - 5", "x - 5"),
        ("2x^2", "2*(x^2)"),
        (r"2\sqrt{3}", "2*sqrt(3)"),
        (r"2(\sqrt{2} + 1)", "2*(sqrt(2) + 1)"),
        (r"\sqrt[3]{2}", "2^(1/3)"),
        (r"\pm 3", "±3"),
        (r"\mp x", "∓x"),
        ("f(x, y)", "f(x, y)"),
        (r"\sin x", "sin(x)"),
        (r"\sum_{k=1}^{n} k", "sum(k; k: 1, n)"),
        ("110_2", "6 (from base 2)"),
        ("5 km", "5 km"),
        ("1, 2", "1, 2"),
        ("[1, 2)", "[1, 2)"),
        (r"\{1, 2\}", "{1, 2}"),
        (r"\{x | x > 2\}", "{x | x > 2}"),
        (r"(0, 1) \cup (2, 3)", "(0, 1) union (2, 3)"),
        (r"x < 1 \text{ or } x > 2", "x < 1 or x > 2"),
        (r"2k, k \in \mathbb{Z}", "2*k where k in integers"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "[1, 2; 3, 4]"),
        ("0 < x < 1", "0 < x < 1"),
        ("1:2", "1 : 2"),
        ("Minimum: 1", "minimum: 1"),
        (r"\text{North}", "'north'"),
    ],
)
def test_a_tree_in_a_line(text: str, expected: str) -> None:
    assert write(parse(text)) == expected


def test_long_lists_tell_their_length() -> None:
    shown = write(Sequence(tuple(map(node, range(21)))))
    assert shown.endswith("19, … (21 items)")
    assert write(Sequence(tuple(map(node, range(20))))).endswith("18, 19")


@pytest.mark.parametrize(
    "tree",
    [
        Sum(tuple(map(node, range(1000)))),
        Text("word " * 1000),
        Labelled("name " * 100, node(1)),
        power(10**60, 10**60),
    ],
    ids=["sum", "words", "label", "power"],
)
def test_no_line_is_long(tree: Node) -> None:
    shown = write(tree)
    assert len(shown) <= LONGEST
    assert shown.endswith("…") or len(shown) < LONGEST


def test_huge_numbers_tell_their_size_and_are_not_written_out() -> None:
    assert write(Number(Fraction(10**5000))) == "a number of about 5000 digits"


@given(st.fractions(), st.none() | st.integers(1, 30))
def test_any_rational_is_written_within_the_line(value: Fraction, places: int | None) -> None:
    assert 0 < len(write(Number(value, places))) <= LONGEST


@given(st.integers(-(10**9), 10**9), st.integers(1, 9))
def test_a_decimal_reads_back_as_itself(digits: int, places: int) -> None:
    value = Fraction(digits, 10**places)
    written = write(Number(value, places))
    assert Fraction(written) == value
    assert len(written.partition(".")[2]) == places
