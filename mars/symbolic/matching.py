"""Matching the items of two lists, in order or in any order, within a bound on the comparisons."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items

from mars.symbolic.tree import Node
from mars.symbolic.types import Finding

MOST_COMPARISONS = 2500
"""Item comparisons of one list: fifty items against fifty, none of them in place."""
Agree = Callable[[Node, Node], Finding]


def match_in_order(reference: Items[Node], answer: Items[Node], agree: Agree) -> Finding:
    """Compare item by item.

    Args:
        reference: The right items.
        answer: The items to judge.
        agree: Compares two items.
    """
    if len(reference) != len(answer):
        return Finding(False, "structure", f"{len(answer)} items where {len(reference)} are due")
    worst = Finding(True, "structure", "item by item")
    for right, given in zip(reference, answer, strict=True):
        found = agree(right, given)
        if found.equal is False:
            return Finding(False, found.stage, f"an item: {found.rule}")
        worst = found if found.equal is None else worst
    return worst


def match_any_order(reference: Items[Node], answer: Items[Node], agree: Agree) -> Finding:
    """Pair each item of one list with one of the other.

    Args:
        reference: The right items.
        answer: The items to judge.
        agree: Compares two items.
    """
    if len(reference) != len(answer):
        return Finding(False, "structure", f"{len(answer)} items where {len(reference)} are due")
    left = list(answer)
    missing: list[Node] = []
    for right in reference:
        # The same tree is the same value, and most right answers write most items alike.
        if right in left:
            left.remove(right)
        else:
            missing.append(right)
    return _pair(missing, left, agree)


def _pair(missing: list[Node], left: list[Node], agree: Agree) -> Finding:
    if len(missing) * len(left) > MOST_COMPARISONS:
        return Finding(None, "limits", f"lists of {len(missing)} items in another order")
    unsure: Finding | None = None
    for right in missing:
        place = None
        for index, given in enumerate(left):
            found = agree(right, given)
            if found.equal:
                place = index
                break
            unsure = found if found.equal is None else unsure
        if place is None:
            return Finding(False, "structure", "an item is missing") if unsure is None else unsure
        left.pop(place)
    return Finding(True, "structure", "the same items")
