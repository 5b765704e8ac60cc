"""Trees as text a person can read: what the verifier understood, for explanations."""

from __future__ import annotations

from fractions import Fraction

from mars.symbolic.tree import (
    MINUS_ONE,
    Based,
    Call,
    Constant,
    Fold,
    Group,
    Labelled,
    Logic,
    Matrix,
    Node,
    Number,
    Power,
    Product,
    Quantity,
    Ratio,
    Relation,
    Sequence,
    SetBuilder,
    SetOf,
    SetOperation,
    Signed,
    Sum,
    Symbol,
    Text,
)

LONGEST = 200
_MOST_DIGITS = 60
_CLOSING = {"(": ")", "[": "]", "<": ">"}


def write(node: Node) -> str:
    """Write a tree in one line of at most `LONGEST` characters.

    Args:
        node: Any tree.
    """
    text = _write(node)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _write(node: Node) -> str:
    match node:
        case Number(value, places):
            return _number(value, places)
        case Symbol(name) | Constant(name):
            return name
        case Based(value, base):
            return f"{value} (from base {base})"
        case Text(words):
            return repr(words)
        case Sum(terms):
            return " + ".join(map(_write, terms)).replace("+ -", "- ")
        case Product(factors):
            return _product(factors)
        case Power(base, Number(exponent, None)) if exponent == Fraction(1, 2):
            return f"sqrt({_write(base)})"
        case Power(base, exponent):
            return f"{_factor(base)}^{_factor(exponent)}"
        case Signed(operand, upper):
            return f"{'±' if upper else '∓'}{_factor(operand)}"
        case Call(name, arguments):
            return f"{name}({_joined(arguments)})"
        case Fold(operator, variable, low, high, body):
            bounds = ", ".join(_write(each) for each in (low, high) if each is not None)
            return f"{operator}({_write(body)}; {variable}: {bounds})"
        case Quantity(value, unit):
            return f"{_factor(value)} {unit}"
    return _structure(node)


def _product(factors: tuple[Node, ...]) -> str:
    """Write a product with what it is divided by below it, and a sign before it."""
    below = [each.base for each in factors if isinstance(each, Power) and each.exponent == MINUS_ONE]
    above = [each for each in factors if not (isinstance(each, Power) and each.exponent == MINUS_ONE)]
    sign = ""
    if above and isinstance(above[0], Number) and above[0].value < 0:
        sign, above[0] = "-", Number(-above[0].value, above[0].places)
    if len(above) > 1 and above[0] == Number(Fraction(1)):
        above.pop(0)
    text = "*".join(map(_factor, above)) or "1"
    if not below:
        return sign + text
    divisor = _factor(below[0]) if len(below) == 1 else f"({'*'.join(map(_factor, below))})"
    return f"{sign}{text}/{divisor}"


def _structure(node: Node) -> str:
    match node:
        case Sequence(items):
            return _joined(items)
        case Group(items, opening, closing):
            return f"{opening}{_joined(items)}{closing}"
        case SetOf(items):
            return f"{{{_joined(items)}}}"
        case SetBuilder(element, condition):
            return f"{{{_write(element)} | {_write(condition)}}}"
        case Logic(",", operands):
            return _joined(operands)
        case SetOperation(operator, operands) | Logic(operator, operands):
            return f" {operator} ".join(map(_write, operands))
        case Matrix(rows):
            return f"[{'; '.join(map(_joined, rows))}]"
        case Relation(operators, sides):
            rest = (f" {operator} {_write(side)}" for operator, side in zip(operators, sides[1:], strict=True))
            return _write(sides[0]) + "".join(rest)
        case Ratio(parts):
            return " : ".join(map(_factor, parts))
        case Labelled(label, value):
            return f"{label}: {_write(value)}"
    raise TypeError(f"no way to write a {type(node).__name__}")


def _joined(nodes: tuple[Node, ...]) -> str:
    shown = ", ".join(map(_write, nodes[:20]))
    return shown if len(nodes) <= 20 else f"{shown}, … ({len(nodes)} items)"


def _factor(node: Node) -> str:
    text = _write(node)
    match node:
        case (
            Symbol() | Constant() | Call() | Group() | SetOf() | Power(_, Number(Fraction(numerator=1, denominator=2)))
        ):
            return text
        case Number() if text.isalnum():
            return text
    return f"({text})"


def _number(value: Fraction, places: int | None) -> str:
    if value.denominator.bit_length() + value.numerator.bit_length() > 4 * _MOST_DIGITS:
        return f"a number of about {value.numerator.bit_length() * 0.30103:.0f} digits"
    if places:
        scaled = abs(round(value * 10**places))
        digits = str(scaled).rjust(places + 1, "0")
        return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
    return str(value)
