"""What the items of a list are: of sequences, tuples, sets and expressions with both signs."""

from __future__ import annotations

import itertools

from mars.symbolic.peeling import branches, peel
from mars.symbolic.tree import Group, Labelled, Logic, Matrix, Node, Relation, Sequence, SetOf, Symbol, Text


def items_of(node: Node) -> tuple[Node, ...] | None:
    """Return the items of a list, a set or a tuple, and the values of an expression with both signs; else `None`."""
    match node:
        case Sequence(items):
            flat = tuple(
                itertools.chain.from_iterable(each.items if isinstance(each, Sequence) else (each,) for each in items)
            )
            return _chunked(flat)
        case Group(items, _, _):
            spread = branches(node)
            return items if len(spread) == 1 else spread
        case SetOf(items):
            return items
    if isinstance(node, Relation | Logic | Labelled | Text):
        return None
    spread = branches(node)
    return spread if len(spread) > 1 else None


def expanded(items: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return items with both signs of each written out."""
    return tuple(itertools.chain.from_iterable(branches(item) for item in items))


def _chunked(items: tuple[Node, ...]) -> tuple[Node, ...]:
    """Group a list whose names repeat, `p=5, q=2, p=7, q=2`, into tuples."""
    names = [peel(item).label if isinstance(item, Relation) else None for item in items]
    if None in names or len(set(names)) in (1, len(names)):
        return items
    width = len(set(names))
    if len(items) % width or names != names[:width] * (len(items) // width):
        return items
    values = [peel(item).value or item for item in items]
    return tuple(Group(tuple(values[place : place + width]), "(", ")") for place in range(0, len(values), width))


def labels_of(items: tuple[Node, ...]) -> list[Node] | None:
    """Return the names of the items when each has one of its own."""
    names = [peel(item).label for item in items if isinstance(item, Relation | Labelled)]
    if len(names) != len(items) or None in names or len(set(names)) != len(names):
        return None
    return [name for name in names if name is not None]


def by_label(items: tuple[Node, ...], labels: list[Node]) -> tuple[Node, ...]:
    """Return named items in the order of their names, which is the order of a tuple that does not name them."""
    if not all(isinstance(label, Symbol) for label in labels):
        return items
    return tuple(item for _, item in sorted(zip(map(repr, labels), items, strict=True), key=lambda pair: pair[0]))


def is_closed_pair(node: Node) -> bool:
    """Whether a list of two can be a closed interval."""
    return isinstance(node, Group) and len(node.items) == 2 and "[" in (node.opening, node.closing)


def brackets(node: Group) -> tuple[str, str]:
    """Return the brackets of a list, which tell intervals apart."""
    # A vector in angles is a tuple.
    if len(node.items) > 2:
        return "(", ")"
    pair = node.opening, node.closing
    if pair == ("<", ">"):
        return "(", ")"
    return pair[0].replace("]", "("), pair[1].replace("[", ")")


def entries(matrix: Matrix) -> tuple[Node, ...]:
    """Return the entries of a matrix, row by row."""
    return tuple(entry for row in matrix.rows for entry in row)
