"""Values in as many digits as asked for, by a private `mpmath` context, with a note of what cancels."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from mars.symbolic.evaluation import Budget, Evaluator, NoValue, TooLarge, Undefined
from mars.symbolic.exact import bits, rational
from mars.symbolic.functions import DIGITS, GROWING, KNOWN, SLOW, unknown
from mars.symbolic.tree import Constant, Node, Number

MAX_DIGITS = 1_500
MAX_SLOW_DIGITS = 250
MAX_ARGUMENT = 4_000
"""Size of a function's argument in bits: reducing one to a period takes that many bits of pi."""
MAX_WRITTEN = 64
"""Size of an exponent in bits: e to a larger one is multiplied out for seconds."""
_ZETA_RANGE, _GAMMA_RANGE = 50, 10**12  # arguments that cost milliseconds at most
_LOCAL = threading.local()


def context() -> Any:
    """Return this thread's own `mpmath` context: the global one's precision belongs to the host program."""
    if not hasattr(_LOCAL, "context"):
        import mpmath

        _LOCAL.context = mpmath.MPContext()
    return _LOCAL.context


class Digits(Evaluator[Any]):
    """Arithmetic in many digits.

    Args:
        point: Exact values of the free variables, by name.
        digits: How many digits to carry.
        budget: The work that evaluation may do.

    Attributes:
        gaps: For every addition, by how many bits its terms differ in size; that many digits see none of the smaller
            one's. A function of a small argument adds it to one, in effect; one of a large argument loses as many
            digits as that has before its point; and a number is written with all of its digits for a reason.
    """

    def __init__(self, point: Mapping[str, Fraction], digits: int, budget: Budget) -> None:
        super().__init__(point, budget)
        self.context = context()
        self.context.dps = digits
        self.digits = digits
        self.cost = max(4, digits // 15)
        self.gaps: list[int] = []

    def value(self, node: Node) -> Any:
        """See `Evaluator`."""
        if isinstance(node, Number):
            self.gaps.append(bits(node.value))
        try:
            return super().value(node)
        except (ZeroDivisionError, ValueError):  # poles, as mpmath reports them
            raise Undefined(type(node).__name__) from None
        except (OverflowError, MemoryError, self.context.NoConvergence):
            raise TooLarge(type(node).__name__) from None

    def number(self, value: Fraction) -> Any:
        """See `Evaluator`."""
        near = self.context.mpf(value.numerator)
        return near if value.denominator == 1 else near / value.denominator

    def constant(self, name: str) -> Any:
        """See `Evaluator`."""
        if name == "i":
            return self.context.mpc(0, 1)
        if name not in ("pi", "e", "phi"):
            raise NoValue(name)
        return +getattr(self.context, name)

    def exact(self, node: Node) -> Fraction | None:
        """See `Evaluator`."""
        try:
            return rational(node, self.point, self.budget)
        except TooLarge:
            return None

    def total(self, values: list[Any]) -> Any:
        """See `Evaluator`."""
        sizes = [int(self.context.mag(value)) for value in values if value != 0]
        if len(sizes) > 1:
            self.gaps.append(max(sizes) - min(sizes))
        else:
            self.gaps.append(0)
        return sum(values[1:], values[0])

    def product(self, values: list[Any]) -> Any:
        """See `Evaluator`."""
        result = values[0]
        for value in values[1:]:
            result = result * value
        return result

    def power(self, base: Node, exponent: Node) -> Any:
        """See `Evaluator`; an odd root of a negative number is its real root."""
        power = self.exact(exponent)
        if base == Constant("e") and power is None:
            return self.call("exp", [self.value(exponent)])
        value = self._tame(self.value(base))
        if power is None:
            return self._principal(value, self._argument(self.value(exponent)))
        if power.denominator == 1:
            if value == 0 and power < 0:
                raise Undefined("1/0")
            if power.numerator.bit_length() > MAX_WRITTEN:
                return self._principal(value, self._argument(self.number(power)))
            self.gaps.append(power.numerator.bit_length())
            return value**power.numerator
        if power == Fraction(1, 2):
            return self.context.sqrt(value)
        if isinstance(value, self.context.mpf) and value < 0 and power.denominator % 2:
            root = self._principal(-value, self._argument(self.number(power)))
            return -root if power.numerator % 2 else root
        return self._principal(value, self._argument(self.number(power)))

    def _principal(self, value: Any, power: Any) -> Any:
        if value == 0:
            if self.context.re(power) > 0:
                return self.context.mpf(0)
            raise Undefined("zero to this power")
        self.budget.spend(self.digits // 4)
        exponent = self._argument(power * self.context.ln(value), MAX_WRITTEN)
        return self.context.exp(exponent)  # its own power multiplies out too much

    def _tame(self, value: Any) -> Any:
        """Return a complex number whose parts are of sizes that `mpmath` adds exactly without filling the memory."""
        if isinstance(value, self.context.mpc):
            for part in (value.real, value.imag):
                if part != 0 and not abs(self.context.mag(part)) < MAX_ARGUMENT:
                    raise TooLarge("a complex number")
        return value

    def _argument(self, value: Any, largest: int = MAX_ARGUMENT) -> Any:
        """Return the argument of a function, noting how small or large it is and refusing it when it is huge."""
        if value == 0:
            self.gaps.append(0)
            return value
        size = self.context.mag(self._tame(value))
        if not size < largest:
            raise TooLarge("the argument of a function")
        self.gaps.append(max(int(size), -2 * int(size)))
        return value

    def call(self, name: str, values: list[Any]) -> Any:
        """See `Evaluator`."""
        count = len(values)
        if name in DIGITS and count == 1:
            return self._function(name, self._argument(values[0], MAX_WRITTEN if name in GROWING else MAX_ARGUMENT))
        if count == 1 and name in _STEPS:
            return _STEPS[name](self.context, self._snapped(self._argument(self._real(values[0]))))
        if count == 1 and name in _ONE:
            return _ONE[name](self.context, values[0])
        if name in _SEVERAL and values:
            return _SEVERAL[name](self._real(value) for value in values)
        if name == "log" and count == 2:
            return self._logarithm(values[1]) / self._logarithm(values[0])
        if name in ("binomial", "permutations") and count == 2:
            return self._choices(name, *map(self._argument, values))
        if name == "mod" and count == 2:
            quotient = self._snapped(self._argument(self._real(values[0]) / self._real(values[1])))
            return values[1] * (quotient - self.context.floor(quotient))
        if name in KNOWN:
            raise NoValue(name)
        self.budget.spend(self.digits // 4)
        phase, *slopes = unknown(name, count)
        t = self.context.mpf(phase) + sum(slope * value for slope, value in zip(slopes, values, strict=True))
        return t + 2 * self.context.sin(3 * self._argument(t))

    def _function(self, name: str, value: Any) -> Any:
        if name in ("ln", "log", "lg") and value == 0:
            raise Undefined("the logarithm of zero")
        self.budget.spend(self.digits // 4)
        if name in SLOW:
            self._admit_slow(value, _ZETA_RANGE if name == "zeta" else _GAMMA_RANGE)
        return getattr(self.context, DIGITS[name])(value)

    def _admit_slow(self, value: Any, largest: int) -> None:
        """Pay for a factorial or its like, and refuse the arguments and precisions at which those take forever."""
        self.budget.spend(20 * self.digits)
        if isinstance(value, self.context.mpc):
            largest = min(largest, 1_000)
        if self.digits > MAX_SLOW_DIGITS or not abs(value) < largest:
            raise TooLarge("a factorial or zeta function")

    def _snapped(self, value: Any) -> Any:
        """Return the integer that the value is but for its last digits: floor(sqrt(2)^2) is 2."""
        nearest = self.context.nint(value)
        return nearest if abs(value - nearest) < self.context.eps * 2**32 * (1 + abs(value)) else value

    def _choices(self, name: str, above: Any, below: Any) -> Any:
        self._admit_slow(above, _GAMMA_RANGE)
        self._admit_slow(below, _GAMMA_RANGE)
        if name == "binomial":
            return self.context.binomial(above, below)
        return self.context.gammaprod([above + 1], [above - below + 1])

    def _logarithm(self, value: Any) -> Any:
        if value == 0:
            raise Undefined("the logarithm of zero")
        return self.context.ln(self._tame(value))

    def _real(self, value: Any) -> Any:
        if isinstance(value, self.context.mpc):
            raise Undefined("an order among complex numbers")
        return value


_ONE = {
    "abs": lambda context, value: abs(value),
    **dict.fromkeys(("re", "Re"), lambda context, value: context.re(value)),
    **dict.fromkeys(("im", "Im"), lambda context, value: context.im(value)),
    "conj": lambda context, value: context.conj(value),
    "arccot": lambda context, value: context.pi / 2 - context.atan(value),
}
_STEPS = {
    "floor": lambda context, value: context.floor(value),
    "ceil": lambda context, value: context.ceil(value),
    "fractional": lambda context, value: value - context.floor(value),
    "round": lambda context, value: context.floor(value + 0.5),
    "sign": lambda context, value: context.sign(value),
}
_SEVERAL = {"max": max, "sup": max, "min": min, "inf": min}
