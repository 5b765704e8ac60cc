"""Taking an answer out of what is written around it: names, chains of equations, both signs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from mars.symbolic.functions import KNOWN
from mars.symbolic.numeric import Outcome, same_value
from mars.symbolic.tree import (
    Call,
    Constant,
    Group,
    Labelled,
    Node,
    Number,
    Product,
    Ratio,
    Relation,
    Sequence,
    SetOf,
    SetOperation,
    Signed,
    Symbol,
    Text,
    children,
    negate,
    rebuild,
    symbols,
)

_COUNTS = frozenset(("floor", "ceil", "mod", "gcd", "lcm"))
_MEASURES = _COUNTS | {"abs", "sin", "cos", "tan", "cot"}
"""Functions whose value is what is asked for, as in `\\cos A = 1/2`."""
MOST_BRANCHES = 16
"""Values that both signs may make of one expression."""


@dataclass(frozen=True, slots=True)
class Peeled:
    """A value without its name.

    Attributes:
        value: The value; `None` when a chain of equations contradicts itself.
        label: The name, `x` or `f(x)` or words; `None` when it has none.
    """

    value: Node | None
    label: Node | None


def peel(node: Node) -> Peeled:
    """Take the name off a value: `x = 5` is 5, `z = 1 + 1 = 2` is 2, `7 = 5` is nothing.

    Args:
        node: Any tree.
    """
    if isinstance(node, Labelled):
        inner = peel(node.value)
        return Peeled(inner.value, Text(node.label))
    match node:
        case Relation(("in",), (name, SetOf() as items)) if is_label(name):
            return Peeled(items, name)
    if isinstance(node, Relation) and "=>" in node.operators:
        # What a chain of reasoning comes to.
        last = len(node.operators) - node.operators[::-1].index("=>")
        node = Relation(node.operators[last:], node.sides[last:]) if node.operators[last:] else node.sides[-1]
    if not isinstance(node, Relation) or not set(node.operators) <= {"=", "~"}:
        return Peeled(node, None)
    # What stands behind "about" rounds what stands before it, and says nothing more.
    sides = [node.sides[0]]
    sides += [side for operator, side in zip(node.operators, node.sides[1:], strict=True) if operator == "="]
    if len(sides) == 1:
        if is_label(sides[0]):
            return Peeled(node.sides[-1], sides[0])
        return Peeled(sides[0], None)
    if not is_label(sides[0]) and is_label(sides[-1]) and not symbols(sides[0]):
        sides.reverse()
    names = list(itertools.takewhile(is_label, sides[:-1]))
    values = sides[len(names) :]
    if not names and any(symbols(side) for side in values):
        return Peeled(node, None)
    # On the way to a value formulas are given their numbers: only sides that say nothing more must agree with it.
    closed = [side for side in values[:-1] if symbols(side) <= symbols(values[-1]) and not _is_open(side)]
    if any(_differ(side, values[-1]) for side in closed):
        return Peeled(None, None)
    return Peeled(values[-1], names[0] if names else None)


def is_label(node: Node) -> bool:
    """Whether a side of an equation can be the name of a value: `x`, `f(x)`, `T(10)`, `|AB|`, `(x, y)`, words."""
    match node:
        case Symbol() | Text() | Constant("e"):
            return True
        case Call(name, arguments):
            if name in _MEASURES and symbols(node):
                return name in _COUNTS or all(map(_of_figure, symbols(node)))
            return len(name.rstrip("'_")) == 1 and all(_is_argument(each) for each in arguments)
        case SetOperation(_, items) | Ratio(items):
            return all(isinstance(item, Symbol) for item in items)
        case Group(items, _, _) | SetOf(items) | Sequence(items):
            return all(is_label(item) for item in items)
        case Product():
            # AB, the length of a segment; xy stays a product, since both letters vary.
            return _letters(node) and all(str(each.name).isupper() for each in node.factors if isinstance(each, Symbol))
    return False


def _of_figure(name: str) -> bool:
    """Whether a letter names a point, an angle or a vector, and is not what an equation is solved for."""
    return name.isupper() or len(name.partition("_")[0]) > 1


def _is_argument(node: Node) -> bool:
    """Whether something can stand in the brackets of a named value, `f(-1)` or `f(f(1))`."""
    return isinstance(node, Symbol | Number | Text) or (isinstance(node, Call) and is_label(node))


def _is_open(node: Node) -> bool:
    """Whether a function without a definition stands in an expression: what it is equal to, nothing here can tell."""
    return (isinstance(node, Call) and node.name not in KNOWN) or any(map(_is_open, children(node)))


def _letters(node: Node) -> bool:
    if isinstance(node, Symbol):
        return node.name.isupper()
    return isinstance(node, Product) and all(isinstance(each, Symbol) and each.name.isupper() for each in node.factors)


def _differ(first: Node, second: Node) -> bool:
    """Whether two sides of a chain are certainly different."""
    return same_value(first, second).outcome is Outcome.DIFFERENT


def branches(node: Node) -> tuple[Node, ...]:
    r"""Return the values of an expression with both signs; the node alone when it has none.

    Args:
        node: Any tree. Its signs change together when there is a `\mp` among them, and each by itself otherwise.
    """
    count = _signs(node)
    if count == 0:
        return (node,)
    if count == 1 or _has_lower(node):
        return _with_signs(node, itertools.repeat(True)), _with_signs(node, itertools.repeat(False))
    if 2**count > MOST_BRANCHES:
        return (node,)
    return tuple(_with_signs(node, iter(choice)) for choice in itertools.product((True, False), repeat=count))


def _has_lower(node: Node) -> bool:
    return (isinstance(node, Signed) and not node.upper) or any(map(_has_lower, children(node)))


def _signs(node: Node) -> int:
    return isinstance(node, Signed) + sum(map(_signs, children(node)))


def _with_signs(node: Node, signs: itertools.repeat[bool] | object) -> Node:
    choices = iter(signs)  # type: ignore[call-overload]

    def settle(each: Node) -> Node:
        if isinstance(each, Signed):
            positive = next(choices) is each.upper
            operand = settle(each.operand)
            return operand if positive else negate(operand)
        return rebuild(each, settle) if _signs(each) else each

    return settle(node)
