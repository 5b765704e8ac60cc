"""When two equations hold in the same places, and what solves one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mars.symbolic.equations import equations_agree, proportion, solve_linear, solves
from mars.symbolic.numeric import Outcome, real_value, same_value
from mars.symbolic.parser import parse
from mars.symbolic.tree import Node, Relation
from tests.mars.symbolic.trees import add, minus, mul, node


def sides(text: str) -> tuple[Node, Node]:
    tree = parse(text)
    assert isinstance(tree, Relation)
    return tree.sides[0], tree.sides[1]


@pytest.mark.parametrize(
    ("reference", "answer", "equal", "why"),
    [
        ("2x + 3y = 6", "4x + 6y = 12", True, "a multiple"),
        ("2x + 3y = 6", "6 = 2x + 3y", True, "turned around"),
        ("x^2 + y^2 = 4", "y^2 = 4 - x^2", True, "rearranged"),
        ("xy = 6", r"y = \frac{6}{x}", True, "solved"),
        ("2x + 3y = 6", "2x + 3y = 7", False, "parallel"),
        ("x + y = 1", "x + z = 1", False, "other variables"),
        ("x = 1", "x = 1 + y", False, "one more variable"),
        ("x^2 = -3", "x^2 = -5", False, "no solutions are no agreement"),
        ("x^2 = 4", "x = 2", False, "one of two solutions"),
        ("1 = 1", "2 = 2", None, "without variables there is nothing to solve"),
    ],
)
def test_two_equations(reference: str, answer: str, equal: bool | None, why: str) -> None:
    assert equations_agree(sides(reference), sides(answer)).equal is equal, why


@pytest.mark.parametrize(
    ("text", "name", "expected", "why"),
    [
        ("2x - 6", "x", "3", "a line"),
        ("2x - 6 + y", "x", "(6 - y)/2", "with another variable"),
        ("xy - 6", "x", r"\frac{6}{y}", "with a slope that varies"),
        ("x^2 - 4", "x", None, "a parabola"),
        ("x^3 - x", "x", None, "linear at the places looked at first"),
        ("0x + 1", "x", None, "a slope of zero"),
        ("y + 1", "x", None, "another variable alone"),
        (r"\frac{1}{x}", "x", None, "a pole"),
        (r"\sin x", "x", None, "a wave"),
        ("|x|", "x", None, "a bend"),
    ],
)
def test_solving(text: str, name: str, expected: str | None, why: str) -> None:
    solution = solve_linear(parse(text), name)
    if expected is None:
        assert solution is None, why
    else:
        assert solution is not None, why
        assert same_value(solution, parse(expected)).outcome is Outcome.SAME, why


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2x + 4", "x + 2", "2"),
        ("x - y", "y - x", "-1"),
        ("x + 1", "x + 2", None),
        ("x", "x^2", None),
        ("0", "x", None),
    ],
)
def test_a_proportion_is_constant(first: str, second: str, expected: str | None) -> None:
    found = proportion(parse(first), parse(second))
    assert (None if found is None else real_value(found)) == (None if expected is None else int(expected))


@pytest.mark.parametrize(
    ("equation", "expression", "expected", "why"),
    [
        ("xy = 6", r"\frac{6}{x}", True, "solved for the other variable"),
        ("xy = 6", r"\frac{6}{y}", True, "whichever it is"),
        ("xy = 6", r"\frac{7}{x}", False, "another curve"),
        ("y^2 = x", r"\sqrt{x}", False, "half of the solutions"),
        ("x = 6", "6", False, "a value without variables"),
        ("x + y = z", "x", False, "two variables left out"),
        ("xy = 6", "z", False, "a variable of no equation"),
    ],
)
def test_an_expression_solves_an_equation(equation: str, expression: str, expected: bool, why: str) -> None:
    assert solves(sides(equation), parse(expression)) is expected, why


SMALL = st.integers(-9, 9)


@given(SMALL, SMALL, SMALL)
def test_a_line_is_solved(slope: int, place: int, height: int) -> None:
    assume(slope)
    solution = solve_linear(minus(add(mul(slope, "x"), place), height), "x")
    assert solution is not None
    assert same_value(mul(slope, solution), node(height - place)).outcome is Outcome.SAME


@given(SMALL, SMALL, SMALL, SMALL)
def test_a_multiple_of_an_equation_says_the_same_and_another_constant_does_not(
    a: int, b: int, scale: int, gap: int
) -> None:
    assume(a and b and scale and gap)
    left, right = add(mul(a, "x"), mul(b, "y")), node(1)
    assert equations_agree((left, right), (mul(scale, left), mul(scale, right))).equal is True
    assert equations_agree((left, right), (left, node(1 + gap))).equal is False
