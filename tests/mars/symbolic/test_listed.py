"""What the items of a list are, and which names and brackets they stand under."""

from __future__ import annotations

import pytest

from mars.symbolic.listed import brackets, by_label, entries, expanded, is_closed_pair, items_of, labels_of
from mars.symbolic.parser import parse
from mars.symbolic.tree import Group, Matrix, Node, Sequence, Symbol
from tests.mars.symbolic.trees import node


def trees(*texts: str) -> tuple[Node, ...]:
    return tuple(map(parse, texts))


@pytest.mark.parametrize(
    ("text", "items", "why"),
    [
        ("1, 2", ["1", "2"], "a bare list"),
        ("(1, 2)", ["1", "2"], "a tuple"),
        (r"\{1, 2\}", ["1", "2"], "a set"),
        ("(1, 2), (3, 4)", ["(1, 2)", "(3, 4)"], "a list of tuples"),
        (r"\pm 3", ["3", "-3"], "both signs"),
        (r"(\pm 1, 2)", ["(1, 2)", "(-1, 2)"], "both signs in a tuple"),
        ("x = 1, y = 2", ["x = 1", "y = 2"], "named items"),
        ("p = 1, q = 2, p = 3, q = 4", ["(1, 2)", "(3, 4)"], "names that repeat make tuples"),
        ("p = 1, q = 2, p = 3", ["p = 1", "q = 2", "p = 3"], "but not a part of one"),
        ("p = 1, q = 2, q = 3, p = 4", ["p = 1", "q = 2", "q = 3", "p = 4"], "nor in another order"),
        ("x = 1, x = 2", ["x = 1", "x = 2"], "nor one name alone"),
        ("5", None, "a value"),
        ("x = 5", None, "a named value"),
        (r"\text{north}", None, "words"),
        ("x > 1", None, "a statement"),
    ],
)
def test_items(text: str, items: list[str] | None, why: str) -> None:
    assert items_of(parse(text)) == (None if items is None else trees(*items)), why


def test_lists_within_lists_are_one() -> None:
    inner = Sequence((node(2), node(3)))
    assert items_of(Sequence((node(1), inner))) == (node(1), node(2), node(3))


def test_both_signs_of_each_item_are_written_out() -> None:
    assert expanded(trees(r"\pm 1", "5")) == trees("1", "-1", "5")
    assert expanded(()) == ()


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["x = 1", "y = 2"], ["x", "y"]),
        (["f(1) = 1", "f(2) = 2"], ["f(1)", "f(2)"]),
        (["x = 1", "2"], None),
        (["x = 1", "x = 2"], None),
        (["1", "2"], None),
        (["x^2 = 1", "y = 2"], None),
    ],
)
def test_names_of_items(texts: list[str], labels: list[str] | None) -> None:
    assert labels_of(trees(*texts)) == (None if labels is None else list(trees(*labels)))


def test_named_items_go_into_the_order_of_their_names() -> None:
    items = trees("1", "2", "3")
    assert by_label(items, list(trees("z", "x", "y"))) == trees("2", "3", "1")
    assert by_label(items, list(trees("f(3)", "f(1)", "f(2)"))) == items


@pytest.mark.parametrize(
    ("text", "pair", "why"),
    [
        ("(1, 2)", ("(", ")"), "a tuple, or an open interval"),
        ("[1, 2]", ("[", "]"), "a closed one"),
        ("[1, 2)", ("[", ")"), "half of one"),
        ("]1, 2[", ("(", ")"), "French brackets are open"),
        (r"\langle 1, 2 \rangle", ("(", ")"), "a vector is a tuple"),
        ("[1, 2, 3]", ("(", ")"), "three items are no interval"),
    ],
)
def test_brackets(text: str, pair: tuple[str, str], why: str) -> None:
    tree = parse(text)
    assert isinstance(tree, Group)
    assert brackets(tree) == pair, why


@pytest.mark.parametrize(
    ("text", "expected"), [("[1, 2]", True), ("[1, 2)", True), ("(1, 2)", False), ("[1, 2, 3]", False), ("1, 2", False)]
)
def test_a_closed_pair(text: str, expected: bool) -> None:
    assert is_closed_pair(parse(text)) is expected


def test_a_value_is_no_closed_pair() -> None:
    assert not is_closed_pair(Symbol("x"))


def test_the_entries_of_a_matrix_come_row_by_row() -> None:
    tree = parse(r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}")
    assert isinstance(tree, Matrix)
    assert entries(tree) == trees("1", "2", "3", "4")
