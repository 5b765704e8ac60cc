"""The shape of an expression, for questions that ask for one: simplest, factored, expanded."""

from __future__ import annotations

import math

from mars.symbolic.tree import Call, Fold, Node, Number, Power, Product, Quantity, Signed, Sum, children, symbols

_COMPUTED = frozenset(
    (
        *("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "arccot", "arcsec", "arccsc"),
        *("sinh", "cosh", "tanh", "coth", "arsinh", "arcosh", "artanh", "ln", "log", "lg", "gcd", "lcm", "mod"),
        *("floor", "ceil", "max", "min", "det", "sum", "product", "integral", "limit"),
    )
)
"""What an answer that is a number has been computed from; powers, roots, factorials and binomials may stand."""


def operations(node: Node) -> frozenset[str]:
    """Return which of the operations that a final answer has behind it are still to be done in an expression.

    Args:
        node: Any tree. What depends on variables stands as it is.
    """
    match node:
        case Call(name, _) | Fold(name, _, _, _, _) if name in _COMPUTED and not symbols(node):
            return frozenset((name,)).union(*map(operations, children(node)))
    return frozenset().union(*map(operations, children(node)))


def is_simplest(node: Node) -> bool:
    """Whether fractions are reduced, integers have no square under a root, and nothing is left to multiply out."""
    match node:
        case Product(factors):
            above = [each.value for each in factors if isinstance(each, Number)]
            below = [
                each.base.value
                for each in factors
                if isinstance(each, Power) and isinstance(each.base, Number) and _is(each.exponent, -1)
            ]
            if len(above) > 1 and not all(abs(value) == 1 for value in above[:-1]):
                return False
            if any(value == 1 for value in below) or len(below) > 1:
                return False
            if any(math.gcd(int(a), int(b)) > 1 for a in above for b in below):
                return False
        case Power(Number(base, None), Number(power, None)):
            if power.denominator == 1 and power > 0 and base.denominator == 1:
                return power.numerator > 20
            if power.denominator > 1 and base.denominator == 1 and not _power_free(int(base), power.denominator):
                return False
        case Sum(terms) if sum(isinstance(term, Number) for term in terms) > 1:
            return False
    return all(map(is_simplest, children(node)))


def _is(node: Node, value: int) -> bool:
    return isinstance(node, Number) and node.value == value


def _power_free(value: int, degree: int) -> bool:
    value = abs(value)
    if value in (0, 1):
        return False
    return not any(value % root**degree == 0 for root in range(2, min(round(value ** (1 / degree)) + 2, 10_000)))


def is_factored(node: Node) -> bool:
    """Whether an expression is a product (or a power), with no factor that has a common numeric content."""
    match node:
        case Product(factors):
            return all(is_factored(each) or not symbols(each) or _primitive(each) for each in factors)
        case Power(base, _):
            return _primitive(base) or is_factored(base)
        case Sum():
            return False
    return True


def _primitive(node: Node) -> bool:
    """Whether no integer divides every term of a sum."""
    if not isinstance(node, Sum):
        return True
    contents = [_content(term) for term in node.terms]
    return math.gcd(*contents) == 1


def _content(term: Node) -> int:
    match term:
        case Number(value, _):
            return abs(value.numerator) if value.denominator == 1 else 1
        case Product(factors):
            return math.prod(_content(each) for each in factors if isinstance(each, Number | Product)) or 1
    return 1


def is_expanded(node: Node) -> bool:
    """Whether no product or power of a sum is left."""
    match node:
        case Product(factors) if symbols(node) and any(isinstance(each, Sum) for each in factors):
            return False
        case Power(Sum(), Number(power, None)) if power > 1 and power.denominator == 1:
            return False
        case Call() | Quantity() | Signed():
            return True
    return all(map(is_expanded, children(node)))
