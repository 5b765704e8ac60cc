"""Comparing by SymPy what numbers leave open: integrals, limits, infinite sums, solutions of equations.

It may take as long as it likes and more memory than there is, so it runs in workers that can be killed and nowhere
else. SymPy objects are built node by node, never from text.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mars.symbolic.evaluation import DEGREE, MAX_FOLD, TooLarge
from mars.symbolic.exact import rational
from mars.symbolic.sampling import integer_names
from mars.symbolic.tree import (
    Based,
    Call,
    Constant,
    Fold,
    Node,
    Number,
    Power,
    Product,
    Quantity,
    Sum,
    Symbol,
    children,
    symbols,
)

MAX_NODES = 400
MAX_BITS = 20_000
"""Size of the largest number that is handed to SymPy."""
_POINTS = (Fraction(17, 13), Fraction(5, 7), Fraction(29, 11), Fraction(83, 17))
_DIGITS = 30

_PLAIN = "sin cos tan cot sec csc sinh cosh tanh coth sech csch exp floor sign gamma zeta"
_CLASSES = {
    **{name: name for name in _PLAIN.split()},
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec", "arccsc": "acsc"},
    **{"arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "ln": "log", "abs": "Abs", "ceil": "ceiling"},
    **{"factorial": "factorial", "double_factorial": "factorial2", "binomial": "binomial", "conj": "conjugate"},
    **{"gcd": "gcd", "lcm": "lcm", "mod": "Mod", "max": "Max", "min": "Min", "re": "re", "im": "im", "Re": "re"},
    **{"Im": "im", "fractional": "frac", "permutations": "ff"},
}


class Untranslatable(Exception):
    """SymPy has no object for this expression, or only one that is too large."""


def simplifies_to_zero(first: Node, second: Node) -> bool | None:
    """Tell whether the difference of two expressions is zero, evaluating integrals, limits and infinite sums.

    Args:
        first: An expression; its variables are real, or integers where only integers can be meant.
        second: Another.

    Returns:
        Whether they are equal; `None` if SymPy cannot tell.
    """
    if _size(first) + _size(second) > MAX_NODES:
        return None
    integers = integer_names(first) | integer_names(second)
    try:
        one, other = (_translated(node, integers).doit() for node in (first, second))
    except (Untranslatable, TooLarge):
        return None
    difference = one - other
    if difference.has(_sympy().nan, _sympy().zoo):
        return None
    if difference == 0:
        return True
    if _differs_somewhere(difference):
        return False
    return True if difference.equals(0) or _sympy().simplify(difference) == 0 else None


def _sympy() -> Any:
    import sympy

    return sympy


def _size(node: Node) -> int:
    return 1 + sum(map(_size, children(node)))


def _differs_somewhere(difference: Any) -> bool:
    """Tell whether a difference is a number other than zero, beyond its rounding, at a real point."""
    free = sorted(difference.free_symbols, key=str)
    sympy = _sympy()
    for shift in range(len(_POINTS)):
        values = [_POINTS[(place + shift) % len(_POINTS)] for place in range(len(free))]
        point = {
            symbol: sympy.Integer(2 + place + shift) if symbol.is_integer else _number(value)
            for place, (symbol, value) in enumerate(zip(free, values, strict=True))
        }
        there = difference.subs(point)
        rough, close = there.evalf(_DIGITS, maxn=100), there.evalf(2 * _DIGITS, maxn=200)
        if not (rough.is_Float or rough.is_Rational) or not (close.is_Float or close.is_Rational):
            continue
        if close != 0 and abs(rough - close) < abs(close) * sympy.Rational(1, 10**6) and abs(close) > 10**-15:
            return True
        if not free:
            break
    return False


def _number(value: Fraction) -> Any:
    if value.numerator.bit_length() + value.denominator.bit_length() > MAX_BITS:
        raise Untranslatable("a long number")
    return _sympy().Rational(value.numerator, value.denominator)


def _translated(node: Node, integers: frozenset[str]) -> Any:
    """Return the SymPy object of an expression.

    Raises:
        Untranslatable: If there is none of a moderate size.
    """
    sympy = _sympy()

    def translated(each: Node) -> Any:
        return _translated(each, integers)

    match node:
        case Number(value):
            return _number(value)
        case Based(value, _):
            return _number(Fraction(value))
        case Symbol(name):
            return _variable(name, integers)
        case Constant(name) if name in _CONSTANTS:
            return getattr(sympy, _CONSTANTS[name])
        case Sum(terms):
            return sympy.Add(*map(translated, terms))
        case Product(factors):
            return sympy.Mul(*map(translated, factors))
        case Power(base, exponent):
            return _power(translated(base), translated(exponent), node)
        case Quantity(value, "%"):
            return translated(value) / 100
        case Quantity(value, "degree"):
            return translated(value) * translated(DEGREE)
        case Fold():
            return _fold(node, integers)
        case Call(name, arguments):
            return _call(node, [translated(argument) for argument in arguments])
    raise Untranslatable(type(node).__name__)


_CONSTANTS = {"pi": "pi", "e": "E", "i": "I", "phi": "GoldenRatio", "infinity": "oo"}


def _variable(name: str, integers: frozenset[str]) -> Any:
    return _sympy().Symbol(name, integer=True) if name in integers else _sympy().Symbol(name, real=True)


def _power(base: Any, exponent: Any, node: Power) -> Any:
    """Return a power; what would be written out in too many digits is refused, odd roots of negatives are real."""
    if exponent.is_Rational and base.is_Rational:
        value = rational(node)
        if value is not None:
            return _number(value)
        if base < 0 and exponent.q % 2:
            return (-1) ** exponent.p * (-base) ** exponent
    if exponent.is_Rational and abs(exponent) > 1_000 and not base.is_Symbol:
        raise Untranslatable("a high power")
    return base**exponent


def _fold(node: Fold, integers: frozenset[str]) -> Any:
    sympy = _sympy()
    whole = integers | {node.variable} if node.operator in ("sum", "product") else integers - {node.variable}
    variable = _variable(node.variable, whole)
    body = _translated(node.body, whole)
    low, high = (None if bound is None else _translated(bound, integers) for bound in (node.low, node.high))
    if node.operator == "limit" and low is not None:
        return sympy.Limit(body, variable, low, "+" if low.is_infinite else "+-")
    if low is None or high is None:
        raise Untranslatable("an indefinite integral")  # its constant is anybody's
    if node.operator in ("sum", "product"):
        if low.is_Integer and high.is_Integer and high - low > MAX_FOLD:
            raise Untranslatable("a sum of many terms")
        return (sympy.Sum if node.operator == "sum" else sympy.Product)(body, (variable, low, high))
    return sympy.Integral(body, (variable, low, high))


def _call(node: Call, arguments: list[Any]) -> Any:
    sympy = _sympy()
    name, count = node.name, len(arguments)
    if not symbols(node) and (value := rational(node)) is not None:
        return _number(value)
    if name in ("factorial", "double_factorial", "binomial", "gamma", "permutations") and not symbols(node):
        raise Untranslatable("a factorial of a number that is not small")
    if name in ("log", "lg"):
        base = sympy.Integer(10) if name == "lg" else arguments[0] if count == 2 else sympy.E
        return sympy.log(arguments[-1]) / sympy.log(base)
    if name in _CLASSES:
        try:
            return getattr(sympy, _CLASSES[name])(*arguments)
        except (TypeError, ValueError):
            raise Untranslatable(name) from None
    return sympy.Function(f"function_{name}")(*arguments)
