"""Sets of real numbers: which trees are ones, what they come to, and when two are the same."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.compare import Comparison
from mars.symbolic.parser import parse
from mars.symbolic.policy import MATH
from mars.symbolic.regions import MOST_PIECES, NoRegion, Piece, is_region, region, regions_agree
from mars.symbolic.tree import Constant, Group, Node, Number, SetOf, SetOperation
from tests.mars.symbolic.trees import node

AGREE = Comparison(MATH).agree
REALS = Constant("reals")


def shown(pieces: list[Piece]) -> str:
    """Write pieces as a person would: `(-inf, 1] u [2, 2]`."""
    return " u ".join(
        f"{'(' if each.low_open else '['}{each.at[0]:g}, {each.at[1]:g}{')' if each.high_open else ']'}"
        for each in pieces
    )


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("(0, 1)", False, "a pair may be a tuple"),
        ("[0, 1]", False, "or a list"),
        ("(0, 1]", True, "brackets of two kinds make an interval"),
        ("]0, 1[", True, "so do French ones"),
        ("(0, 1, 2)", False, "three ends are a tuple"),
        (r"(0, 1) \cup (2, 3)", True, "an operation of sets"),
        (r"\{x | x > 2\}", True, "a set by a condition"),
        (r"\{1, 2\}", False, "a set by its elements may stand for a list"),
        ("x > 2", True, "an inequality"),
        (r"x \ne 2", True, "an excluded point"),
        ("x = 2", False, "an equation"),
        (r"x \in (0, 1)", True, "membership in an interval"),
        (r"x \in \{0, 1\}", False, "in a list"),
        (r"x < 1 \text{ or } x > 2", True, "alternatives"),
        (r"x < 1 \text{ or } x = 2", False, "of which one is an equation"),
        (r"\mathbb{R}", True, "the line"),
        (r"\emptyset", True, "nothing"),
        (r"\mathbb{Z}", False, "integers are no interval"),
        ("5", False, "a value"),
    ],
)
def test_what_can_only_be_a_set_of_real_numbers(text: str, expected: bool, why: str) -> None:
    assert is_region(parse(text)) is expected, why


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("(0, 1)", "(0, 1)", "an interval"),
        ("]0, 1]", "(0, 1]", "a French one"),
        (r"[0, \infty]", "[0, inf)", "infinity is no member"),
        (r"\mathbb{R}", "(-inf, inf)", "the line"),
        (r"\emptyset", "", "nothing"),
        (r"\{3, 1\}", "[1, 1] u [3, 3]", "points in order"),
        (r"(2, 3) \cup (0, 1)", "(0, 1) u (2, 3)", "pieces in order"),
        (r"(0, 2) \cup (1, 3)", "(0, 3)", "pieces that overlap are one"),
        (r"(0, 1] \cup (1, 2)", "(0, 2)", "so are pieces that touch"),
        (r"(0, 1) \cup (1, 2)", "(0, 1) u (1, 2)", "but not around a hole"),
        (r"(0, 1) \cup \{1\} \cup (1, 2)", "(0, 2)", "unless a point fills it"),
        (r"(0, 2) \cap [1, 3]", "[1, 2)", "an intersection"),
        (r"(0, 1) \cap (1, 2)", "", "of nothing in common"),
        (r"[0, 1] \cap [1, 2]", "[1, 1]", "of one point"),
        (r"(0, 3) \setminus [1, 2]", "(0, 1) u (2, 3)", "a difference"),
        (r"\mathbb{R} \setminus \{0\}", "(-inf, 0) u (0, inf)", "without a point"),
        ("0 < x \\le 2", "(0, 2]", "a chain"),
        ("5 > x > 2", "(2, 5)", "turned around"),
        ("3 - x < 1", "(2, inf)", "solved, with its sign"),
        (r"2x \ge 1", "[0.5, inf)", "solved"),
        (r"x \ne 2", "(-inf, 2) u (2, inf)", "an excluded point"),
        (r"x < 1 \text{ or } x > 2", "(-inf, 1) u (2, inf)", "alternatives"),
        ("x > 1, x < 2", "(1, 2)", "conditions that hold together"),
        ("x < 1, x > 2", "(-inf, 1) u (2, inf)", "a comma that can only mean or"),
        (r"x < 1 \text{ and } x > 2", "", "conditions that nothing meets"),
        (r"\{x \mid x^1 > 2\}", "(2, inf)", "a set builder"),
        (r"\{x \in [0, 5] \mid x > 2\}", "(2, 5]", "within a set"),
        (r"(\sqrt{2}, 2) \cup (\frac{3}{2}, 3)", "(1.41421, 3)", "ends are put in order by value"),
    ],
)
def test_a_set_has_its_pieces_in_order(text: str, expected: str, why: str) -> None:
    assert shown(region(parse(text))) == expected, why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(2, 1)", "ends in the wrong order"),
        ("[1, 1]", "or of no length"),
        ("x^2 < 4", "not linear"),
        ("x + y > 1", "two variables"),
        ("(0, i)", "an end that is not real"),
        (r"(0, a) \cap (b, 1)", "ends that cannot be put in order"),
        (r"(0, 10^{2000})", "an end that no float holds"),
        ("x = y", "no set"),
        ("5", "a value"),
        (r"\mathbb{Z}", "no intervals"),
        (" \\cup ".join(f"({2 * place}, {2 * place + 1})" for place in range(MOST_PIECES + 1)), "too many pieces"),
    ],
)
def test_what_has_no_pieces_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoRegion):
        region(parse(text))


def test_pieces_whose_ends_are_parameters_keep_their_order() -> None:
    pieces = region(parse(r"(b, 1) \cup (0, a)"))
    assert [(each.low, each.high) for each in pieces] == [(node("b"), node(1)), (node(0), node("a"))]


@pytest.mark.parametrize(
    ("reference", "answer", "equal", "rule"),
    [
        ("(0, 1]", r"0 < x \le 1", True, "the same real numbers"),
        ("(0, 1]", "(0, 1)", False, "an end is left out"),
        ("(0, 1]", "(0, 2]", False, "an end: "),
        ("(0, 1]", r"(0, 1] \cup (2, 3]", False, "2 intervals where 1 are due"),
        ("x > 2", "y > 2", False, "other variables"),
        (r"(2, \infty)", "y > 2", True, "the same real numbers"),
        (r"\emptyset", r"\emptyset", True, "the same real numbers"),
        (r"x < 1 \text{ and } x > 2", r"x < 3 \text{ and } x > 4", False, "conditions that nothing meets"),
        (r"(a, \infty)", r"]a, \infty[", True, "the same real numbers"),
        (r"(a, \infty)", r"(b, \infty)", False, "an end: "),
        ("x > a", r"(a, \infty)", True, "the same real numbers"),
        ("x^2 < 4", "(-2, 2)", None, "not linear"),
        ("(-2, 2)", "x^2 < 4", None, "not linear"),
    ],
)
def test_two_sets_agree(reference: str, answer: str, equal: bool | None, rule: str) -> None:
    found = regions_agree(parse(reference), parse(answer), AGREE)
    assert found.equal is equal
    assert rule in found.rule


ENDS = st.integers(-6, 6)
INTERVALS = st.tuples(ENDS, st.integers(1, 6), st.sampled_from("(["), st.sampled_from(")]")).map(
    lambda drawn: Group((node(drawn[0]), node(drawn[0] + drawn[1])), drawn[2], drawn[3])
)
POINTS = st.lists(ENDS, min_size=1, max_size=3).map(lambda values: SetOf(tuple(map(node, values))))
SETS: st.SearchStrategy[Node] = st.recursive(
    INTERVALS | POINTS | st.sampled_from([REALS, Constant("empty")]),
    lambda inner: st.tuples(
        st.sampled_from(["union", "intersection", "difference"]), st.lists(inner, min_size=2, max_size=3)
    ).map(lambda drawn: SetOperation(drawn[0], tuple(drawn[1]))),
    max_leaves=6,
)
PLACES = [Fraction(step, 2) for step in range(-14, 27)]
"""All ends, and a place between each and the next."""


def contains(tree: Node, place: Fraction) -> bool:
    """Whether a place is in a set, by what the tree says: the specification of `region`."""
    match tree:
        case Group((Number(low), Number(high)), opening, closing):
            return (low < place < high) or (place == low and opening == "[") or (place == high and closing == "]")
        case SetOf(items):
            return node(place) in items
        case Constant(name):
            return name == "reals"
        case SetOperation(operator, operands):
            first, *rest = (contains(each, place) for each in operands)
            return {"union": first or any(rest), "intersection": first and all(rest)}.get(
                operator, first and not any(rest)
            )
    raise AssertionError(f"no set: {tree}")


def covers(pieces: list[Piece], place: Fraction) -> bool:
    return any(
        each.at[0] < place < each.at[1]
        or (place == each.at[0] and not each.low_open)
        or (place == each.at[1] and not each.high_open)
        for each in pieces
    )


@given(SETS)
def test_pieces_cover_what_is_in_the_set(tree: Node) -> None:
    pieces = region(tree)
    assert [covers(pieces, place) for place in PLACES] == [contains(tree, place) for place in PLACES]


@given(SETS)
def test_pieces_are_in_order_and_apart(tree: Node) -> None:
    pieces = region(tree)
    assert all(each.at[0] < each.at[1] or not (each.low_open or each.high_open) for each in pieces)
    assert all(each.low_open for each in pieces if math.isinf(each.at[0]))
    for one, other in itertools.pairwise(pieces):
        assert one.at[1] < other.at[0] or (one.at[1] == other.at[0] and one.high_open and other.low_open)


@given(SETS)
def test_a_set_is_its_double_complement(tree: Node) -> None:
    outside = SetOperation("difference", (REALS, tree))
    assert region(SetOperation("difference", (REALS, outside))) == region(tree)


@given(st.lists(SETS, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_a_union_has_no_order(operands: list[Node], random: object) -> None:
    shuffled = list(operands)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert region(SetOperation("union", tuple(shuffled))) == region(SetOperation("union", tuple(operands)))


@given(SETS, SETS)
def test_sets_agree_exactly_when_they_have_the_same_members(one: Node, other: Node) -> None:
    same = [contains(one, place) for place in PLACES] == [contains(other, place) for place in PLACES]
    empty = not any(contains(one, place) or contains(other, place) for place in PLACES)
    found = regions_agree(one, other, AGREE)
    # What nothing meets is written too easily to count as an answer: two such sets agree only by their name.
    assert (found.equal is True) is (same if not empty else Constant("empty") in (one, other)), found.rule
