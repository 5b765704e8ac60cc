"""Whether a difference at a point is rounding or real: rounding shrinks with the precision, the rest stands still."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from typing import Any

from mars.symbolic.evaluation import Budget, Exhausted, NoValue, TooLarge, Undefined
from mars.symbolic.precise import MAX_DIGITS, Digits
from mars.symbolic.tree import Node

FIRST_DIGITS = 60
_SPARE_DIGITS = 40  # digits that are left over after the smallest term of every sum has been seen
_SPARE_FLOAT = 30  # the 16 digits that floats have, and some to spare
_BITS_A_DIGIT = math.log2(10)
_SHRUNK = 1e-20  # a difference that shrinks by this much while the digits double is rounding
_STEADY = 1e-3  # a difference that moves by less than this part of itself is real
_ROUNDS = 5


class Verdict(Enum):
    """What a difference turned out to be."""

    SAME = "rounding"
    APART = "real"
    OPEN = "not settled"


@dataclass(frozen=True, slots=True)
class Finding:
    """What looking closer at one point came to.

    Attributes:
        verdict: What the difference is.
        real: Whether both values are real.
        digits: How many digits that took.
    """

    verdict: Verdict
    real: bool = False
    digits: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """Two values in a number of digits, which are enough or not."""

    first: Any
    second: Any
    gaps: tuple[int, ...]
    digits: int
    enough: bool = False

    @property
    def difference(self) -> Any:
        """The distance of the two."""
        return abs(self.first - self.second)


def settle(first: Node, second: Node, point: Mapping[str, Fraction], gap: float | None, budget: Budget) -> Finding:
    """Tell whether two expressions agree at a point.

    Args:
        first: One expression.
        second: The other.
        point: The values of their variables.
        gap: A bound on the error of their difference in floats, which does not exceed it; `None` if there is none.
        budget: The work that is left.

    Raises:
        Exhausted: If the work is too much.
    """
    digits = FIRST_DIGITS
    before: View | None = None
    for _ in range(_ROUNDS):
        try:
            view = _look(first, second, point, digits, budget)
        except Exhausted:
            raise
        except (Undefined, NoValue, TooLarge):
            return Finding(Verdict.OPEN)
        needed = _SPARE_DIGITS + _widest(view, before) * 100 // 332  # bits to digits
        if needed <= digits:
            view = replace(view, enough=True)
            verdict = _judge(view, before if before and before.enough else None, gap)
            if verdict is not Verdict.OPEN:
                return Finding(verdict, _real(view), digits)
        digits = max(2 * digits, needed + digits // 2)
        if digits > MAX_DIGITS:
            break
        before = view
    return Finding(Verdict.OPEN)


def real_digits(node: Node, budget: Budget) -> Fraction | None:
    """Return the value of a constant to 30 digits or more, if it is real and the digits can be trusted.

    Raises:
        NoValue: If it has none; also `Undefined` and `TooLarge`.
    """
    rough, close = (Digits({}, digits, budget).value(node) for digits in (FIRST_DIGITS, 2 * FIRST_DIGITS))
    context = Digits({}, 2 * FIRST_DIGITS, budget).context
    if abs(close - rough) > abs(close) * context.mpf(10) ** -30 and abs(close) > context.mpf(10) ** -50:
        return None
    if abs(context.im(close)) > context.mpf(10) ** -50 * abs(close):
        return None
    value = context.re(close)
    if abs(value) <= context.mpf(10) ** -50 and abs(rough) >= abs(close) * 10**20:
        return Fraction(0)  # it shrinks with the precision
    if abs(context.mag(value)) > 1_000 * _BITS_A_DIGIT:
        return None
    sign, mantissa, exponent, _ = value._mpf_
    return Fraction(mantissa) * Fraction(2) ** exponent * (-1 if sign else 1)


def _look(first: Node, second: Node, point: Mapping[str, Fraction], digits: int, budget: Budget) -> View:
    one = Digits(point, digits, budget)
    value = one.value(first)
    other = Digits(point, digits, budget)
    view = View(value, other.value(second), (*one.gaps, *other.gaps), digits)
    if not (one.context.isfinite(view.first) and one.context.isfinite(view.second)):
        raise Undefined("an infinite value")
    return view


def _widest(view: View, before: View | None) -> int:
    """Return how far apart terms of a sum are, in bits, not counting terms that are zero but for rounding."""
    if before is None:
        return max(view.gaps, default=0)
    noise = int((view.digits - before.digits) * _BITS_A_DIGIT / 2)
    pairs = zip(view.gaps, before.gaps, strict=False)
    return max((gap for gap, old in pairs if gap < old + noise), default=0)


def _judge(view: View, before: View | None, gap: float | None) -> Verdict:
    difference = view.difference
    if gap is not None and difference * 10 ** (view.digits - _SPARE_FLOAT) <= gap:
        return Verdict.SAME
    if before is None or not _steady(view, before):
        return Verdict.OPEN
    if difference <= before.difference * _SHRUNK:
        return Verdict.SAME
    return Verdict.APART if abs(difference - before.difference) <= _STEADY * difference else Verdict.OPEN


def _steady(view: View, before: View) -> bool:
    """Tell whether the values themselves stay, or vanish: a division by what should be zero grows."""
    pairs = ((view.first, before.first), (view.second, before.second))
    return all(abs(new - old) <= abs(old) * 1e-8 or abs(new) <= abs(old) * _SHRUNK for new, old in pairs)


def _real(view: View) -> bool:
    scale = abs(view.first) + abs(view.second)
    return all(abs(value.imag) <= scale * 1e-30 for value in (view.first, view.second))
