"""How large a number is that nobody can write out: as a tower of exponentials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from mars.symbolic.tree import Based, Call, Constant, Node, Number, Power, Product, Sum

_TOP = 600.0
_APART = 1e-6  # relative difference of two tops that proves two towers different


@dataclass(frozen=True, slots=True)
class Tower:
    """A positive number exp(exp(... top)), in its one form: the top is at most 600, and above log(600) under `exp`.

    Attributes:
        height: How many exponentials.
        top: What they are applied to.
    """

    height: int
    top: float

    def apart(self, other: Tower) -> bool:
        """Tell whether two numbers surely differ, though the tops are good to eight digits only."""
        if abs(self.height - other.height) == 1:  # the same number may lie on either side of the border
            low, high = sorted((self, other), key=lambda each: each.height)
            return abs(low.top - math.exp(high.top)) > _APART * low.top
        return self.height != other.height or abs(self.top - other.top) > _APART * abs(self.top)


def _tower(value: float) -> Tower:
    return Tower(0, value) if value <= _TOP else Tower(1, math.log(value))


def _exp(tower: Tower) -> Tower:
    if tower.height == 0 and tower.top <= math.log(_TOP):
        return Tower(0, math.exp(tower.top))
    return Tower(tower.height + 1, tower.top)


def _log(tower: Tower) -> Tower:
    """Return the logarithm of a number above 1."""
    return Tower(tower.height - 1, tower.top) if tower.height else Tower(0, math.log(tower.top))


def _value(tower: Tower) -> float | None:
    """Return a number that floats hold."""
    if tower.height > 1:
        return None
    return math.exp(tower.top) if tower.height else tower.top


def _add(first: Tower, second: Tower) -> Tower:
    """Add two positive numbers; the lesser one vanishes beside what floats cannot hold."""
    one, other = _value(first), _value(second)
    if one is not None and other is not None:
        return _tower(one + other)
    larger, lesser = sorted((first, second), key=lambda each: (each.height, each.top), reverse=True)
    if larger.height != 2 or lesser.height == 0 or (lesser.height == 2 and lesser.top < larger.top - 1):
        return larger
    high, low = math.exp(larger.top), math.exp(lesser.top) if lesser.height == 2 else lesser.top
    return Tower(2, math.log(high + math.log1p(math.exp(low - high))))


def _multiply(first: Tower, second: Tower) -> Tower | None:
    one, other = _value(first), _value(second)
    if one is not None and other is not None:
        return _tower(one * other)
    if min(_bottom(first), _bottom(second)) < 1:
        return None
    return _exp(_add(_log(first), _log(second)))


def _bottom(tower: Tower) -> float:
    return math.inf if tower.height else tower.top


def tower(node: Node) -> Tower | None:
    """Return the size of a positive constant, if it is easily told.

    Args:
        node: Positive numbers, and sums, products, powers and factorials of them.

    Returns:
        The size; `None` if it is not told.
    """
    match node:
        case Number(value) if value > 0:
            return _number(value)
        case Based(value, _) if value > 0:
            return _number(Fraction(value))
        case Constant("pi"):
            return Tower(0, math.pi)
        case Constant("e"):
            return Tower(0, math.e)
        case Power(base, exponent):
            below, above = tower(base), tower(exponent)
            if below is None or above is None or _bottom(below) <= 1:
                return None
            power = _multiply(above, _log(below))
            return power and _exp(power)
        case Call("factorial", (argument,)):
            size = tower(argument)
            return None if size is None else _factorial(size)
        case Product(terms) | Sum(terms):
            combine = _add if isinstance(node, Sum) else _multiply
            result = tower(terms[0])
            for term in terms[1:]:
                other = tower(term)
                if result is None or other is None:
                    return None
                result = combine(result, other)
            return result
    return None


def _number(value: Fraction) -> Tower:
    log = math.log(value.numerator) - math.log(value.denominator)
    return Tower(0, math.exp(log)) if log <= math.log(_TOP) else _exp(_tower(log))


def _factorial(tower: Tower) -> Tower | None:
    """Return the factorial, by Stirling's formula: n (log n - 1) is its logarithm."""
    value = _value(tower)
    if value is not None:
        return _exp(_tower(math.lgamma(value + 1))) if value > 2 else Tower(0, math.gamma(value + 1))
    log = _log(tower)
    if log.height == 0:
        return None
    power = _multiply(tower, _less_one(log))
    return power and _exp(power)


def _less_one(tower: Tower) -> Tower:
    value = _value(tower)
    return tower if value is None else _tower(value - 1)
