"""Sets of real numbers, however they are written: intervals, unions, inequalities, set builders, excluded points."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from mars.symbolic.equations import solve_linear
from mars.symbolic.matching import Agree
from mars.symbolic.numeric import Outcome, real_value, same_value
from mars.symbolic.tree import (
    MINUS_ONE,
    Constant,
    Group,
    Logic,
    Node,
    Number,
    Product,
    Relation,
    SetBuilder,
    SetOf,
    SetOperation,
    Sum,
    Symbol,
    negate,
    substitute,
    symbols,
)
from mars.symbolic.types import Finding

MOST_PIECES = 64
_ONLY_INTERVALS = (("(", "]"), ("[", ")"), ("]", "]"), ("[", "["), ("]", "["), ("]", ")"), ("(", "["))
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!="}
INFINITE = Constant("infinity")
_MINUS_INFINITE = Product((MINUS_ONE, INFINITE))


class NoRegion(Exception):
    """The tree is no set of real numbers that can be put in order."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An interval, or a point when its ends are one.

    Attributes:
        low: The lower end.
        high: The upper end.
        low_open: Whether the lower end is left out.
        high_open: Whether the upper end is left out.
        at: Approximate ends, for the order; NaN where an end has a parameter.
    """

    low: Node
    high: Node
    low_open: bool
    high_open: bool
    at: tuple[float, float]


def is_region(node: Node) -> bool:
    """Whether a tree can only be a set of real numbers, and no tuple, list or value."""
    match node:
        case SetOperation() | SetBuilder():
            return True
        case Group(items, opening, closing):
            return len(items) == 2 and (opening, closing) in _ONLY_INTERVALS
        case Relation(("in",), (_, SetOf())):
            return False
        case Relation(operators, _):
            return any(operator in _FLIPPED or operator == "in" for operator in operators)
        case Logic("and" | "or" | ",", operands):
            return all(is_region(each) for each in operands)
        case Constant(name):
            return name in ("reals", "empty", "positive reals")
    return False


def regions_agree(reference: Node, answer: Node, agree: Agree) -> Finding:
    """Compare two sets of real numbers.

    Args:
        reference: The right one.
        answer: The one to judge.
        agree: Compares two ends.
    """
    try:
        right, given = region(reference), region(answer)
    except NoRegion as why:
        return Finding(None, "structure", str(why))
    if not right and not given and Constant("empty") not in (reference, answer):
        return Finding(False, "structure", "conditions that nothing meets")
    names, others = _variables(reference), _variables(answer)
    if names and others and names != others:
        return Finding(False, "structure", "inequalities in other variables")
    if len(right) != len(given):
        return Finding(False, "structure", f"{len(given)} intervals where {len(right)} are due")
    for one, other in zip(right, given, strict=True):
        if (one.low_open, one.high_open) != (other.low_open, other.high_open):
            return Finding(False, "structure", "an end is left out on one side only")
        for end, counterpart in ((one.low, other.low), (one.high, other.high)):
            found = agree(end, counterpart)
            if not found.equal:
                return replace(found, rule=f"an end: {found.rule}")
    return Finding(True, "structure", "the same real numbers")


def _variables(node: Node) -> frozenset[str]:
    """Return the variable that is bounded; a set by its ends has none."""
    match node:
        case Relation(operators, sides):
            if operators == ("in",):
                return symbols(sides[0])
            return frozenset().union(*map(symbols, sides))
        case Logic(_, operands):
            return frozenset().union(*map(_variables, operands))
    return frozenset()


def region(node: Node) -> list[Piece]:
    """Return the pieces of a set in order, with no two that touch.

    Raises:
        NoRegion: The tree is no such set, or its ends cannot be put in order.
    """
    found = _merged(_pieces(node, None))
    if not found and isinstance(node, Logic) and node.operator == ",":
        # A comma between x < 1 and x > 2 can only mean "or".
        return _merged(_operation("union", [_pieces(each, None) for each in node.operands]))
    return found


def _pieces(node: Node, variable: str | None) -> list[Piece]:
    match node:
        case Group((low, high), opening, closing) if opening in "([]" and closing in ")][":
            piece = _piece(low, high, opening in "(]", closing in ")[")
            if piece.at[0] >= piece.at[1]:
                raise NoRegion("a pair of which the first is not the smaller")
            return [piece]
        case SetOf(items):
            return [_piece(item, item, False, False) for item in items]
        case SetOperation(operator, operands):
            return _operation(operator, [_merged(_pieces(each, variable)) for each in operands])
        case SetBuilder(Symbol(name), condition):
            return _pieces(condition, name)
        case SetBuilder(Relation(("in",), (Symbol(name), base)), condition):
            return _operation("intersection", [_pieces(base, name), _merged(_pieces(condition, name))])
        case Logic("or", operands):
            return _operation("union", [_pieces(each, variable) for each in operands])
        case Logic("and" | ",", operands):
            return _operation("intersection", [_merged(_pieces(each, variable)) for each in operands])
        case Relation(("in",), (Symbol(), base)):
            return _pieces(base, variable)
        case Relation():
            return _inequality(node, variable)
        case Constant("reals"):
            return [_piece(_MINUS_INFINITE, INFINITE, True, True)]
        case Constant("positive reals"):
            return [_piece(Number(Fraction(0)), INFINITE, True, True)]
        case Constant("empty"):
            return []
    raise NoRegion("no set of real numbers")


def _piece(low: Node, high: Node, low_open: bool, high_open: bool) -> Piece:
    at = _approximate(low), _approximate(high)
    # Infinity is never a member, whatever bracket stands beside it.
    return Piece(low, high, low_open or math.isinf(at[0]), high_open or math.isinf(at[1]), at)


def _approximate(node: Node) -> float:
    infinite = _infinity(node)
    if infinite:
        return math.inf * infinite
    if symbols(node):
        return math.nan
    value = real_value(node)
    if value is None:
        raise NoRegion("an end that is no real number")
    try:
        return float(value)
    except OverflowError as error:
        raise NoRegion("an end that is too large to put in order") from error


def _infinity(node: Node) -> int:
    """Return the sign of an infinite end, 0 for a finite one."""
    match node:
        case Constant("infinity"):
            return 1
        case Product((Number(value, _), Constant("infinity"))) if value:
            return 1 if value > 0 else -1
    return 0


def _inequality(node: Relation, variable: str | None) -> list[Piece]:
    """Solve a chain of inequalities that are linear in one variable."""
    names = symbols(node)
    if variable is None:
        bare = [side.name for side in node.sides if isinstance(side, Symbol)]
        if len(names) == 1:
            [variable] = names
        elif bare and "=" not in node.operators:
            # Of x > a the letter that comes later is the variable, as is the custom.
            variable = max(bare)
        else:
            raise NoRegion("an inequality in several variables")
    pieces = [_piece(_MINUS_INFINITE, INFINITE, True, True)]
    for operator, left, right in zip(node.operators, node.sides, node.sides[1:], strict=False):
        if operator == "in":
            if left != Symbol(variable):
                raise NoRegion("something other than a variable in a set")
            pieces = _operation("intersection", [pieces, _merged(_pieces(right, variable))])
            continue
        pieces = _operation("intersection", [pieces, _half_line(operator, left, right, variable)])
    return pieces


def _half_line(operator: str, left: Node, right: Node, variable: str) -> list[Piece]:
    if operator not in _FLIPPED and operator != "=":
        raise NoRegion(f"the relation {operator!r}")
    if left == Symbol(variable) and variable not in symbols(right):
        bound, rising = right, True
    elif right == Symbol(variable) and variable not in symbols(left):
        bound, rising = left, False
    else:
        residual = Sum((left, negate(right)))
        solution = solve_linear(residual, variable)
        if solution is None or len(symbols(residual)) != 1:
            raise NoRegion("an inequality that is not linear")
        at_one_more = substitute(residual, variable, Sum((solution, Number(Fraction(1)))))
        slope = real_value(at_one_more)
        if slope is None or slope == 0:
            raise NoRegion("an inequality without a slope")
        bound, rising = solution, slope > 0
    operator = operator if rising else _FLIPPED.get(operator, operator)
    if operator == "=":
        return [_piece(bound, bound, False, False)]
    if operator == "!=":
        return [_piece(_MINUS_INFINITE, bound, True, True), _piece(bound, INFINITE, True, True)]
    if operator in ("<", "<="):
        return [_piece(_MINUS_INFINITE, bound, True, operator == "<")]
    return [_piece(bound, INFINITE, operator == ">", True)]


def _operation(operator: str, parts: list[list[Piece]]) -> list[Piece]:
    if operator == "union":
        return [piece for part in parts for piece in part]
    result = parts[0]
    for part in parts[1:]:
        other = _complement(part) if operator == "difference" else part
        result = [met for one in result for two in other if (met := _meet(one, two)) is not None]
        if len(result) > MOST_PIECES:
            raise NoRegion("too many intervals")
    return result


def _meet(one: Piece, two: Piece) -> Piece | None:
    low, low_open, low_at = _inner(one.low, one.low_open, one.at[0], two.low, two.low_open, two.at[0], 1)
    high, high_open, high_at = _inner(one.high, one.high_open, one.at[1], two.high, two.high_open, two.at[1], -1)
    if math.isnan(low_at) or math.isnan(high_at):
        return Piece(low, high, low_open, high_open, (low_at, high_at))
    if low_at > high_at:
        return None
    if low_at == high_at and not math.isinf(low_at) and _same(low, high) and (low_open or high_open):
        return None
    return Piece(low, high, low_open, high_open, (low_at, high_at))


def _inner(
    first: Node, first_open: bool, first_at: float, second: Node, second_open: bool, second_at: float, side: int
) -> tuple[Node, bool, float]:
    """Return the end that is further in: the larger of two lower ends (side 1), the smaller of two upper ones (-1)."""
    if math.isinf(first_at):
        return second, second_open, second_at
    if math.isinf(second_at):
        return first, first_open, first_at
    if math.isnan(first_at) or math.isnan(second_at):
        raise NoRegion("ends with parameters that cannot be put in order")
    if first_at == second_at:
        return first, first_open or second_open, first_at
    return (first, first_open, first_at) if (first_at > second_at) == (side > 0) else (second, second_open, second_at)


def _complement(pieces: list[Piece]) -> list[Piece]:
    result = [_piece(_MINUS_INFINITE, INFINITE, True, True)]
    for piece in pieces:
        outside: list[Piece] = []
        if not math.isinf(piece.at[0]):
            outside.append(_piece(_MINUS_INFINITE, piece.low, True, not piece.low_open))
        if not math.isinf(piece.at[1]):
            outside.append(_piece(piece.high, INFINITE, not piece.high_open, True))
        result = [met for one in result for two in outside if (met := _meet(one, two)) is not None]
    return result


def _same(first: Node, second: Node) -> bool:
    return first == second or same_value(first, second).outcome is Outcome.SAME


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Put pieces in order and join those that overlap or touch; ends with parameters keep their order."""
    if len(pieces) > MOST_PIECES:
        raise NoRegion("too many intervals")
    if any(math.isnan(end) for piece in pieces for end in piece.at):
        return pieces
    merged: list[Piece] = []
    for piece in sorted(pieces, key=lambda each: (each.at[0], each.low_open)):
        if piece.at[0] > piece.at[1] or (piece.at[0] == piece.at[1] and (piece.low_open or piece.high_open)):
            continue
        last = merged[-1] if merged else None
        if last is None or not _joins(last, piece):
            merged.append(piece)
        elif (piece.at[1], not piece.high_open) > (last.at[1], not last.high_open):
            merged[-1] = Piece(last.low, piece.high, last.low_open, piece.high_open, (last.at[0], piece.at[1]))
    return merged


def _joins(last: Piece, piece: Piece) -> bool:
    if piece.at[0] < last.at[1]:
        return True
    return piece.at[0] == last.at[1] and not (last.high_open and piece.low_open)
