"""The exact value of a rational expression: integers and fractions of any size that memory is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from mars.symbolic.evaluation import Budget, Evaluator, NoValue, TooLarge, Undefined
from mars.symbolic.tree import Call, Node, Number

__all__ = ["TooLarge", "rational"]

MAX_BITS = 300_000
"""Size of the largest number that is written out, in bits."""
MAX_ROOT_BITS = 20_000
"""Size of the largest number that a cubic or higher root is looked for in."""
MAX_ROOT = 64
"""The highest root that is looked for."""


def rational(node: Node, values: Mapping[str, Fraction] = {}, budget: Budget | None = None) -> Fraction | None:
    """Return the exact value of an expression, if it is rational and this can be seen without algebra.

    Args:
        node: The expression.
        values: Values of its free variables.
        budget: The work that is left; `None`: a fresh budget.

    Returns:
        The value; `None` if it is irrational, undefined, or has a variable without a value.

    Raises:
        TooLarge: If a number on the way would be longer than `MAX_BITS`, or the work too much.
    """
    if type(node) is Number:
        return node.value
    try:
        return Rationals(values, budget or Budget()).value(node)
    except (NoValue, Undefined):
        return None


class Rationals(Evaluator[Fraction]):
    """Exact arithmetic. What is not rational has no value."""

    def number(self, value: Fraction) -> Fraction:
        """See `Evaluator`."""
        return value

    def constant(self, name: str) -> Fraction:
        """See `Evaluator`."""
        raise NoValue(name)

    def exact(self, node: Node) -> Fraction | None:
        """See `Evaluator`; here this is what evaluation does anyway, so nothing is tried first."""
        if type(node) is Number:
            return node.value
        return rational(node, self.point, self.budget)

    def value(self, node: Node) -> Fraction:
        """See `Evaluator`."""
        if type(node) is Number:
            self.budget.spend()
            return node.value
        return super().value(node)

    def _rarer(self, node: Node) -> Fraction:
        if isinstance(node, Call):
            return self.call(node.name, [self.value(argument) for argument in node.arguments])
        return super()._rarer(node)

    def total(self, values: list[Fraction]) -> Fraction:
        """See `Evaluator`."""
        result = values[0]
        for value in values[1:]:
            self._charge(result, value)
            result = self._bounded(result + value)
        return result

    def product(self, values: list[Fraction]) -> Fraction:
        """See `Evaluator`."""
        result = values[0]
        for value in values[1:]:
            self._charge(result, value)
            result = self._bounded(result * value)
        return result

    def power(self, base: Node, exponent: Node) -> Fraction:
        """See `Evaluator`."""
        power = self.value(exponent)
        value = self.value(base)
        if power.denominator != 1:
            value, power = _root(value, power.denominator), Fraction(power.numerator)
        if value == 0 and power < 0:
            raise Undefined("1/0")
        if value in (0, 1):
            return Fraction(1) if power == 0 else value
        if value == -1:
            return Fraction(-1 if power.numerator % 2 else 1)
        if bits(value) * abs(power) > MAX_BITS:
            raise TooLarge("a power")
        return Fraction(value**power.numerator)

    def call(self, name: str, values: list[Fraction]) -> Fraction:
        """See `Evaluator`."""
        if (name, len(values)) in _FUNCTIONS:
            value = self._bounded(_FUNCTIONS[name, len(values)](*values))
            self.budget.spend(bits(value) // 20)  # a long factorial takes long
            return value
        if name in _MANY and values:
            return self._bounded(_MANY[name](values))
        if len(values) == 1 and _SPECIAL.get(name) == values[0]:
            return Fraction(int(name in ("cos", "exp", "cosh", "sec", "sech")))
        raise NoValue(name)

    def _charge(self, first: Fraction, second: Fraction) -> None:
        """Pay for long numbers, and above all for the common divisors of long fractions, whose cost is quadratic."""
        one, other = bits(first), bits(second)
        if one + other > 4_000:
            self.budget.spend((one + other) // 4_000)
            if first.denominator != 1 or second.denominator != 1:
                self.budget.spend(one * other // 1_000_000)

    @staticmethod
    def _bounded(value: Fraction) -> Fraction:
        if bits(value) > MAX_BITS:
            raise TooLarge("a long number")
        return value


def bits(value: Fraction) -> int:
    """Return the length of a fraction, numerator and denominator together, in bits."""
    return value.numerator.bit_length() + value.denominator.bit_length() - 1


def _root(value: Fraction, degree: int) -> Fraction:
    """Return the real root if it is rational."""
    if degree > MAX_ROOT:
        raise NoValue("a high root")
    if value < 0:
        if degree % 2 == 0:
            raise NoValue("an even root of a negative number")
        return -_root(-value, degree)
    return Fraction(_whole_root(value.numerator, degree), _whole_root(value.denominator, degree))


def _whole_root(value: int, degree: int) -> int:
    if value == 0:
        return 0
    if degree == 2:
        root = math.isqrt(value)
    elif value.bit_length() > MAX_ROOT_BITS:
        raise TooLarge("a root of a long number")
    else:  # Newton's method from above
        root = 1 << -(-value.bit_length() // degree)
        while (closer := ((degree - 1) * root + value // root ** (degree - 1)) // degree) < root:
            root = closer
    if root**degree != value:
        raise NoValue("an irrational root")
    return root


def _whole(value: Fraction) -> int:
    if value.denominator != 1:
        raise NoValue("not an integer")
    return value.numerator


def _natural(value: Fraction) -> int:
    whole = _whole(value)
    if whole < 0:
        raise Undefined("a factorial of a negative number")
    return whole


def _factorial(value: Fraction) -> Fraction:
    whole = _natural(value)
    if whole > MAX_BITS or math.lgamma(whole + 1) > MAX_BITS * math.log(2):
        raise TooLarge("a factorial")
    return Fraction(math.factorial(whole))


def _double_factorial(value: Fraction) -> Fraction:
    whole = _natural(value)
    if whole > MAX_BITS or math.lgamma(whole + 1) / 2 > MAX_BITS * math.log(2):
        raise TooLarge("a double factorial")
    return Fraction(math.prod(range(whole, 0, -2)))


def _gamma(value: Fraction) -> Fraction:
    return _factorial(value - 1)


def _binomial(above: Fraction, below: Fraction) -> Fraction:
    n, k = _whole(above), _whole(below)
    if k < 0:
        return Fraction(0)
    if n < 0:
        return _binomial(Fraction(k - n - 1), below) * (-1 if k % 2 else 1)
    k = min(k, n - k)
    if k < 0:
        return Fraction(0)
    if k * (math.log2(n + 1) - math.log2(max(k, 1)) + 1.5) > MAX_BITS:  # (en/k)^k
        raise TooLarge("a binomial coefficient")
    return Fraction(math.comb(n, k))


def _permutations(above: Fraction, below: Fraction) -> Fraction:
    n, k = _natural(above), _natural(below)
    if k <= n and k * math.log2(n + 1) > MAX_BITS:
        raise TooLarge("a number of permutations")
    return Fraction(math.perm(n, k))


def _modulo(value: Fraction, modulus: Fraction) -> Fraction:
    if modulus == 0:
        raise Undefined("modulo 0")
    return value % modulus


def _logarithm(base: Fraction, value: Fraction) -> Fraction:
    """Return log_base(value) if it is a fraction with a small denominator, which a power proves."""
    if value == 1 and base > 0 and base != 1:
        return Fraction(0)
    if base <= 0 or base == 1 or value <= 0:
        raise NoValue("a logarithm outside its domain")
    if abs(_ln(base)) < 1e-12:
        raise NoValue("a logarithm to a base that floats take for 1")
    ratio = Fraction(_ln(value) / _ln(base)).limit_denominator(24)
    if max(bits(value) * ratio.denominator, bits(base) * abs(ratio.numerator)) > MAX_BITS:
        raise TooLarge("a logarithm of a long number")
    if value**ratio.denominator != base**ratio.numerator:
        raise NoValue("an irrational logarithm")
    return ratio


def _ln(value: Fraction) -> float:
    """Return the logarithm of a fraction of any size; only a first guess is needed."""
    return math.log(value.numerator) - math.log(value.denominator)


def _sign(value: Fraction) -> Fraction:
    return Fraction((value > 0) - (value < 0))


_FUNCTIONS: dict[tuple[str, int], Callable[..., Fraction]] = {
    ("factorial", 1): _factorial,
    ("double_factorial", 1): _double_factorial,
    ("gamma", 1): _gamma,
    ("binomial", 2): _binomial,
    ("permutations", 2): _permutations,
    ("mod", 2): _modulo,
    ("log", 2): _logarithm,
    ("lg", 1): lambda value: _logarithm(Fraction(10), value),
    ("floor", 1): lambda value: Fraction(math.floor(value)),
    ("ceil", 1): lambda value: Fraction(math.ceil(value)),
    ("fractional", 1): lambda value: value - math.floor(value),
    ("round", 1): lambda value: Fraction(math.floor(value + Fraction(1, 2))),
    ("abs", 1): lambda value: abs(value),
    ("sign", 1): _sign,
    **dict.fromkeys((("re", 1), ("Re", 1), ("conj", 1)), lambda value: value),
    **dict.fromkeys((("im", 1), ("Im", 1)), lambda value: Fraction(0)),
}
_MANY: dict[str, Callable[[list[Fraction]], Fraction]] = {
    **{"max": max, "sup": max, "min": min, "inf": min},
    "gcd": lambda values: Fraction(math.gcd(*map(_whole, values))),
    "lcm": lambda values: Fraction(math.lcm(*map(_whole, values))),
}
_SPECIAL = {  # where a transcendental function has a rational value: 0, or 1 for the even ones
    **dict.fromkeys(
        ("sin", "cos", "tan", "sec", "arcsin", "arctan", "sinh", "cosh", "tanh", "sech", "exp"), Fraction(0)
    ),
    **dict.fromkeys(("arsinh", "artanh"), Fraction(0)),
    **dict.fromkeys(("ln", "log"), Fraction(1)),
    **dict.fromkeys(("arccos", "arcosh"), Fraction(1)),
}
