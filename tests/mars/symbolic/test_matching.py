"""Items matched in order, in any order, and never in more comparisons than the bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.matching import MOST_COMPARISONS, match_any_order, match_in_order
from mars.symbolic.tree import Node, Number
from mars.symbolic.types import Finding
from tests.mars.symbolic.trees import mul, node


def by_size(one: Node, other: Node) -> Finding:
    """Numbers of one size agree; whatever is no number is left open."""
    if isinstance(one, Number) and isinstance(other, Number):
        return Finding(abs(one.value) == abs(other.value), "exact", "sizes")
    return Finding(None, "numeric", "no number")


def nodes(*values: int | str) -> tuple[Node, ...]:
    return tuple(map(node, values))


@pytest.mark.parametrize(
    ("reference", "answer", "in_order", "any_order", "why"),
    [
        ((), (), True, True, "nothing"),
        ((1, 2), (1, 2), True, True, "the same items"),
        ((1, 2), (-1, -2), True, True, "items that agree"),
        ((1, 2), (2, 1), False, True, "in another order"),
        ((1, 2), (-2, -1), False, True, "that agree in another order"),
        ((1, 2), (1, 3), False, False, "another item"),
        ((1, 2), (1, 2, 3), False, False, "one more"),
        ((1, 1, 2), (1, 2, 2), False, False, "how often counts"),
        ((1, "x"), (1, "y"), None, None, "an item that nobody can tell"),
        ((1, "x"), (2, "y"), False, None, "a difference outweighs a doubt where places are fixed"),
        (("x", 1), ("y", 2), False, None, "wherever it stands"),
    ],
)
def test_matching(
    reference: tuple[int | str, ...],
    answer: tuple[int | str, ...],
    in_order: bool | None,
    any_order: bool | None,
    why: str,
) -> None:
    assert match_in_order(nodes(*reference), nodes(*answer), by_size).equal is in_order, why
    assert match_any_order(nodes(*reference), nodes(*answer), by_size).equal is any_order, why


def test_what_differs_is_said() -> None:
    assert match_in_order(nodes(1, 2), nodes(1), by_size).rule == "1 items where 2 are due"
    assert match_any_order(nodes(1, 2), nodes(1), by_size).rule == "1 items where 2 are due"
    assert match_in_order(nodes(1), nodes(2), by_size) == Finding(False, "exact", "an item: sizes")
    assert match_any_order(nodes(1), nodes(2), by_size).rule == "an item is missing"


def counted(count: int, first: Node, other: Node) -> tuple[Finding, int]:
    asked: list[Node] = []

    def agree(one: Node, two: Node) -> Finding:
        asked.append(two)
        return by_size(one, two)

    reference = [mul(first, place) for place in range(count)]
    answer = [mul(other, place) for place in range(count)]
    return match_any_order(reference, answer, agree), len(asked)


def test_lists_beyond_the_bound_are_left_open_and_not_compared() -> None:
    longest = int(MOST_COMPARISONS**0.5)
    found, asked = counted(longest + 1, node("x"), node("y"))
    assert (found.equal, found.stage, asked) == (None, "limits", 0)
    found, asked = counted(longest, node("x"), node("y"))
    assert found.stage != "limits"
    assert 0 < asked <= MOST_COMPARISONS


def test_items_that_are_written_alike_cost_no_comparison() -> None:
    found, asked = counted(1000, node("x"), node("x"))
    assert (found.equal, asked) == (True, 0)


ITEMS = st.lists(st.integers(-4, 4), max_size=8)


@given(ITEMS, st.randoms(use_true_random=False))
def test_any_permutation_with_any_signs_matches(values: list[int], random: object) -> None:
    shuffled = [value if place % 2 else -value for place, value in enumerate(values)]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert match_any_order(nodes(*values), nodes(*shuffled), by_size).equal is True


@given(ITEMS, ITEMS)
def test_lists_match_exactly_when_their_items_do(one: list[int], other: list[int]) -> None:
    sizes = [abs(value) for value in one], [abs(value) for value in other]
    assert match_in_order(nodes(*one), nodes(*other), by_size).equal is (sizes[0] == sizes[1])
    assert match_any_order(nodes(*one), nodes(*other), by_size).equal is (sorted(sizes[0]) == sorted(sizes[1]))
