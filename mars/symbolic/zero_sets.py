"""Where an equation holds, found on the real line: to tell apart curves that no algebra here solves."""

from __future__ import annotations

from fractions import Fraction

from mars.symbolic.evaluation import Budget, NoValue, TooLarge, Undefined
from mars.symbolic.floating import Floats, Imprecise
from mars.symbolic.tree import Node, Number, substitute, symbols

_OTHERS = (
    (Fraction(3, 7), Fraction(-5, 9)),
    (Fraction(-2, 3), Fraction(8, 11)),
    (Fraction(13, 8), Fraction(1, 6)),
    (Fraction(17, 6), Fraction(-9, 4)),
)
_GRID = [Fraction(17 * step, 50) + Fraction(1, 97) for step in range(-36, 37)]
_HALVINGS = 46
_NEAR = Fraction(1, 10**6)
_STEPS = 400_000


def zeros_agree(first: Node, second: Node) -> bool | None:
    """Compare where two expressions in the same variables are zero, along lines through their space.

    Args:
        first: The difference of the sides of an equation.
        second: That of another.

    Returns:
        False: somewhere one holds and the other does not, or no place was found where either holds; `None`: they hold
        in the same places, as far as was looked, which proves nothing.
    """
    budget = Budget(_STEPS)
    found = 0
    try:
        for name in sorted(symbols(first)):
            for fixed in _lines(sorted(symbols(first) - {name})):
                one, other = _at(first, fixed), _at(second, fixed)
                for line, twin in ((one, other), (other, one)):
                    for root in _roots(line, name, budget):
                        found += 1
                        if _holds(twin, name, root, budget) is False:
                            return False
    except (NoValue, TooLarge):
        return None
    return None if found else False


def _lines(names: list[str]) -> list[dict[str, Fraction]]:
    if not names:
        return [{}]
    return [{name: pair[index % 2] + index // 2 for index, name in enumerate(names)} for pair in _OTHERS]


def _at(node: Node, fixed: dict[str, Fraction]) -> Node:
    for name, value in fixed.items():
        node = substitute(node, name, Number(value))
    return node


def _value(node: Node, name: str, place: Fraction, budget: Budget) -> float | None:
    try:
        value, error = Floats({name: place}, budget).value(node)
    except (Undefined, Imprecise):
        return None
    if isinstance(value, complex) or abs(value) <= error:
        return 0.0 if not isinstance(value, complex) else None
    return float(value)


def _roots(node: Node, name: str, budget: Budget) -> list[Fraction]:
    """Return up to three places where the sign changes."""
    roots: list[Fraction] = []
    before: tuple[Fraction, float] | None = None
    for place in _GRID:
        value = _value(node, name, place, budget)
        if value is None:
            before = None
            continue
        if before is not None and before[1] * value < 0:
            root = _bisected(node, name, before[0], place, before[1], budget)
            if root is not None:
                roots.append(root)
        before = (place, value)
        if len(roots) == 3:
            break
    return roots


def _bisected(node: Node, name: str, low: Fraction, high: Fraction, at_low: float, budget: Budget) -> Fraction | None:
    """Close in on a change of sign; `None` when it is a pole."""
    size = abs(at_low)
    for _ in range(_HALVINGS):
        middle = Fraction(float((low + high) / 2))
        value = _value(node, name, middle, budget)
        if value is None:
            return None
        if value == 0:
            return middle
        if (value < 0) == (at_low < 0):
            low = middle
        else:
            high = middle
    last = _value(node, name, low, budget)
    return low if last is not None and abs(last) <= max(size, 1.0) else None


def _holds(node: Node, name: str, root: Fraction, budget: Budget) -> bool | None:
    """Whether an expression is zero at a root of the other: it changes sign there, or all but vanishes."""
    sides = [_value(node, name, root + step, budget) for step in (-_NEAR, Fraction(0), _NEAR)]
    below, at, above = sides
    if below is None or at is None or above is None:
        return None
    if below * above <= 0:
        return True
    # A double root does not change sign, but is far smaller at the root than beside it.
    return None if abs(at) < 1e-3 * max(abs(below), abs(above)) or abs(at) < 1e-9 else False
