"""Values in floats, real or complex, each with a bound on its error: fast, and honest about what it cannot tell."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from fractions import Fraction

from mars.symbolic.evaluation import Evaluator, NoValue, TooLarge, Undefined
from mars.symbolic.exact import rational
from mars.symbolic.functions import FLOATS, KNOWN, PARTS, unknown
from mars.symbolic.tree import Constant, Node

Rough = tuple[float | complex, float]
"""A value and a bound on its absolute error."""

UNIT = 2.0**-53
_LARGEST, _SMALLEST = 1e290, 1e-290  # floats beyond are left to many digits, so that nothing over- or underflows
_WIDEST = 1e-3  # beyond this error of its argument, how far a function moves says nothing
_CONSTANTS: dict[str, complex | float] = {"pi": math.pi, "e": math.e, "i": 1j, "phi": (1 + math.sqrt(5)) / 2}


class Imprecise(Exception):
    """Floats cannot tell the value here: it overflows, or the error hides whether it exists."""


class Floats(Evaluator[Rough]):
    """Arithmetic in floats with errors; it raises `Imprecise` where they do not suffice."""

    def value(self, node: Node) -> Rough:
        """See `Evaluator`."""
        try:
            return super().value(node)
        except OverflowError:
            raise Imprecise from None

    def number(self, value: Fraction) -> Rough:
        """See `Evaluator`."""
        try:
            near = value.numerator / value.denominator
        except OverflowError:
            raise Imprecise from None
        if value.denominator == 1 and abs(near) < 2.0**53:
            return near, 0.0
        return _checked(near, 0.0 if near and Fraction(near) == value else UNIT * abs(near), value.numerator == 0)

    def constant(self, name: str) -> Rough:
        """See `Evaluator`."""
        if name not in _CONSTANTS:
            raise NoValue(name)
        return _CONSTANTS[name], 0.0 if name == "i" else 4 * UNIT

    def exact(self, node: Node) -> Fraction | None:
        """See `Evaluator`."""
        try:
            return rational(node, self.point, self.budget)
        except TooLarge:
            return None

    def total(self, values: list[Rough]) -> Rough:
        """See `Evaluator`."""
        result, error = values[0]
        for value, its_error in values[1:]:
            result += value
            error += its_error + UNIT * abs(result)
        return _checked(result, error, True)

    def product(self, values: list[Rough]) -> Rough:
        """See `Evaluator`."""
        result, error = values[0]
        for value, its_error in values[1:]:
            error = abs(result) * its_error + (abs(value) + its_error) * error
            zero = result == 0 or value == 0
            result *= value
            error += 2 * UNIT * abs(result)
            result, error = _checked(result, error, zero)
        return result, error

    def power(self, base: Node, exponent: Node) -> Rough:
        """See `Evaluator`; an odd root of a negative number is its real root."""
        power = self.exact(exponent)
        if base == Constant("e") and power is None:
            return self.call("exp", [self.value(exponent)])
        value, error = self.value(base)
        if power is None:
            return _general(value, error, *self.value(exponent))
        if power.denominator == 1:
            return _whole_power(value, error, power.numerator)
        if isinstance(value, float | int):
            if value < -error and power.denominator % 2:
                root, root_error = _real_power(-value, error, power)
                return (-root if power.numerator % 2 else root), root_error
            if value > error:
                return _real_power(value, error, power)
        return _general(value, error, *self.number(power))

    def call(self, name: str, values: list[Rough]) -> Rough:
        """See `Evaluator`."""
        if name in FLOATS and len(values) == 1:
            return apply(name, *values[0])
        if name in PARTS and len(values) == 1:
            return _part(name, *values[0])
        if name in ("max", "min", "sup", "inf") and values and not any(isinstance(v, complex) for v, _ in values):
            return _extreme(max if name in ("max", "sup") else min, values)
        if name == "log" and len(values) == 2:
            (below, its_error), above = apply("ln", *values[0]), apply("ln", *values[1])
            return self.product([above, _whole_power(below, its_error, -1)])
        if name == "mod" and len(values) == 2:
            quotient = self.product([values[0], _whole_power(*values[1], -1)])
            return self.product([values[1], apply("fractional", *quotient)])
        if name in KNOWN:
            raise Imprecise(name)
        self.budget.spend(5)
        phase, *slopes = unknown(name, len(values))
        t = self.total(
            [(phase, 0.0), *(self.product([(slope, 0.0), v]) for slope, v in zip(slopes, values, strict=True))]
        )
        return self.total([t, self.product([(2.0, 0.0), apply("sin", *self.product([(3.0, 0.0), t]))])])


def apply(name: str, value: float | complex, error: float) -> Rough:
    """Apply a function of one variable; its error is how far it moves when its argument moves by its own error."""
    if error > _WIDEST:
        raise Imprecise(name)
    real, complex_function = FLOATS[name]
    reach = max(2 * error, 4 * UNIT * abs(value)) if error else 0.0
    if not isinstance(value, complex):
        try:
            return _moved(real, value, error, (reach, -reach))
        except ValueError:  # outside the domain, where the complex function may still have a value
            if complex_function is None:
                raise Undefined(name) from None
            value = complex(value)
    if complex_function is None:
        raise Undefined(f"{name} of a complex number")
    return _moved(complex_function, value, error, (reach, -reach, reach * 1j, reach * -1j))


def _moved(function: Callable[..., complex], value: complex, error: float, steps: tuple[complex, ...]) -> Rough:
    try:
        result = function(value)
        moves = max(abs(function(value + step) - result) for step in steps) if error else 0.0
    except ZeroDivisionError:
        raise (Imprecise if error else Undefined) from None
    except OverflowError:
        raise Imprecise from None
    except ValueError:
        if isinstance(value, complex):
            raise (Imprecise if error else Undefined) from None  # a pole: log 0
        if error:
            raise Imprecise from None  # the edge of the domain is within the error
        raise
    return _checked(result, 2 * moves + 16 * UNIT * abs(result), True)


def _checked(value: float | complex, error: float, small: bool) -> Rough:
    """Return the value with its error, unless it is at the edge of what floats hold; `small` values may be zero."""
    size = abs(value)
    if not size + error < _LARGEST or (size < _SMALLEST and not small):
        raise Imprecise
    return value, error


def _relative(value: float | complex, error: float) -> float:
    size = abs(value)
    if size == 0 and error == 0:
        raise Undefined("zero to this power")
    if error > 0.01 * size:
        raise Imprecise
    return error / size


def _whole_power(value: float | complex, error: float, power: int) -> Rough:
    if power == 0:
        return 1.0, 0.0
    if power.bit_length() > 60:
        raise Imprecise
    if power > 0 and error >= 0.01 * abs(value):
        return _near_zero(value, error, power)
    relative = _relative(value, error)
    grown = abs(power) * (relative + (8 * UNIT if isinstance(value, complex) else UNIT)) + 2 * UNIT
    if grown > 0.01:
        raise Imprecise
    try:
        result = value**power
    except OverflowError:
        raise Imprecise from None
    return _checked(result, 1.1 * grown * abs(result), False)


def _near_zero(value: float | complex, error: float, power: int) -> Rough:
    """Return the power of what may be zero: no derivative, but never farther than the two extremes."""
    try:
        far = (abs(value) + error) ** power
        result = value**power
    except OverflowError:
        raise Imprecise from None
    return _checked(result, far + abs(result), True)


def _real_power(value: float, error: float, power: Fraction) -> Rough:
    if power.numerator.bit_length() > 1_000 or power.denominator.bit_length() > 1_000:
        raise Imprecise
    relative = _relative(value, error)
    near = float(power)
    grown = abs(near) * (relative + UNIT * (1 + abs(math.log(value)))) + 4 * UNIT
    if grown > 0.01:
        raise Imprecise
    try:
        result = math.sqrt(value) if near == 0.5 else value**near
    except OverflowError:
        raise Imprecise from None
    return _checked(result, 1.1 * grown * abs(result), False)


def _general(value: float | complex, error: float, power: float | complex, power_error: float) -> Rough:
    """Return the principal value of a power."""
    if value == 0 and error == 0:
        if power.real > power_error:
            return 0.0, 0.0
        raise Undefined("zero to this power")
    relative = _relative(value, error)
    if not isinstance(value, complex) and value > 0:
        log: float | complex = math.log(value)
    else:
        log = cmath.log(value)
        if isinstance(value, complex) and value.real < 0 and abs(value.imag) <= error:
            raise Imprecise  # on the cut, and which side is noise
    exponent = log * power
    grown = abs(power) * relative * 1.1 + (abs(log) + relative) * power_error + 8 * UNIT * (1 + abs(exponent))
    if grown > 0.01 or exponent.real > 660 or exponent.real < -660:
        raise Imprecise
    result = cmath.exp(exponent) if isinstance(exponent, complex) else math.exp(exponent)
    return _checked(result, 1.1 * grown * abs(result), False)


def _extreme(choose: Callable[..., Rough], values: list[Rough]) -> Rough:
    """Return the largest or smallest; the error is that of all which may be it."""
    value, error = choose(values, key=lambda each: each[0].real)
    return value, max(its_error for v, its_error in values if abs(v - value) <= error + its_error)


def _part(name: str, value: float | complex, error: float) -> Rough:
    if name == "abs":
        return abs(value), error + 2 * UNIT * abs(value)
    if name == "conj":
        return value.conjugate(), error
    return (value.real if name in ("re", "Re") else value.imag), error
