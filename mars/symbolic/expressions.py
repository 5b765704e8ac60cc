"""The grammar of expressions: unions of sums of products of factors.

`expression := sum {cup sum}`, `sum := [sign] term {sign term}`, `term := factor {[operator] factor}`,
`factor := primary {postfix}`. Reading never evaluates.
"""

from __future__ import annotations

from fractions import Fraction

from mars.symbolic.atoms import based, command, letter, number
from mars.symbolic.brackets import bracketed, is_opening
from mars.symbolic.calls import function
from mars.symbolic.cursor import Cursor
from mars.symbolic.lexer import Unreadable
from mars.symbolic.tree import (
    MINUS_ONE,
    Call,
    Constant,
    Node,
    Number,
    Power,
    Product,
    Quantity,
    SetOperation,
    Signed,
    Sum,
    negate,
)

_SET_OPERATORS = {"cup": "union", "cap": "intersection", "setminus": "difference", "backslash": "difference"}
_SET_OPERATORS |= {"bigcup": "union", "bigcap": "intersection"}
_TIMES = ("cdot", "times", "ast", "bullet")


def expression(cursor: Cursor) -> Node:
    """Read an expression, or sets joined by operators."""
    first = _sum(cursor)
    while (token := cursor.peek()).kind == "command" and token.text in _SET_OPERATORS:
        cursor.take()
        operator, second = _SET_OPERATORS[token.text], _sum(cursor)
        joined = isinstance(first, SetOperation) and first.operator == operator != "difference"
        operands = first.operands if joined and isinstance(first, SetOperation) else (first,)
        first = SetOperation(operator, (*operands, second))
    return first


def _sum(cursor: Cursor) -> Node:
    terms = [_signed_term(cursor)]
    while _sign(cursor) is not None:
        terms.append(_signed_term(cursor))
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _sign(cursor: Cursor) -> str | None:
    token = cursor.peek()
    if token.kind in "+-":
        # "+/-" is how plain text writes both signs.
        return "pm" if cursor.peek(1).kind == "/" and cursor.peek(2).kind == "-" else token.kind
    return token.text if token.kind == "command" and token.text in ("pm", "mp") else None


def _signed_term(cursor: Cursor) -> Node:
    minus, both = False, None
    while (sign := _sign(cursor)) is not None:
        cursor.position += 3 if sign == "pm" and cursor.peek().kind == "+" else 1
        minus ^= sign == "-"
        both = sign if sign in ("pm", "mp") else both
    term = _term(cursor)
    term = Signed(term, both == "pm") if both else term
    return negate(term) if minus else term


def _term(cursor: Cursor) -> Node:
    factors: list[Node] = [factor(cursor)]
    while True:
        token = cursor.peek()
        if token.kind == "*" or (token.kind == "command" and token.text in _TIMES) or _cross(cursor):
            cursor.take()
            factors.append(_operand(cursor))
        elif token.kind == "/" or (token.kind == "command" and token.text == "div"):
            cursor.take()
            # 1/2x is read from left to right, (1/2)x, as calculators and most peers do.
            factors.append(Power(_operand(cursor), MINUS_ONE))
        elif token.kind in ("command", "function") and token.text in ("bmod", "mod"):
            cursor.take()
            factors = [Call("mod", (_product(factors), factor(cursor)))]
        elif mixed := _mixed(cursor, factors):
            factors[-1] = _postfixed(cursor, mixed)
        elif _starts_factor(cursor):
            factors.append(factor(cursor))
        else:
            return _product(factors)


def _product(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def _operand(cursor: Cursor) -> Node:
    """Read a factor that may have a sign, as in `2 * -3`."""
    if cursor.accept("-"):
        return negate(factor(cursor))
    cursor.accept("+")
    return factor(cursor)


def _cross(cursor: Cursor) -> bool:
    """Whether a letter x stands for the cross of `1.5 x 10^3`."""
    token, before, after = cursor.peek(), cursor.peek(-1), cursor.peek(1)
    return token.kind == "letter" and token.text in "xX" and before.kind == "number" and after.kind == "number"


def _starts_factor(cursor: Cursor) -> bool:
    token = cursor.peek()
    if token.kind == "|":
        return not cursor.bars and not cursor.bars_separate
    if token.kind in ("letter", "name", "function"):
        return not token.upright
    if token.kind == "number":
        # A number behind a number is a list that lost its commas, or prose.
        return not token.spaced and cursor.peek(-1).kind in ("}", ")", "\\}")
    if token.kind == "command":
        return token.text not in _SET_OPERATORS and token.text not in _NOT_FACTORS
    if token.kind == "(" and (cursor.peek(1).upright or cursor.peek(1).kind == "word"):
        return False
    if token.kind == "(" and cursor.holds_relation():
        # When it holds, `2k (k > 0)`.
        return False
    if token.kind == "[":
        # The second bracket of ]1,2[ closes.
        return cursor.peek(1).kind not in ("end", ")", ",", "separator") and cursor.peek(1).text not in _SET_OPERATORS
    return token.kind != "]" and is_opening(cursor)


_NOT_FACTORS = frozenset(
    (*_TIMES, "div", "pm", "mp", "bmod", "pmod", "choose", "over", "mid", "vert", "colon", "forall", "exists", "end")
) | {"rfloor", "rceil", "rangle", "rvert", "rVert", "Vert", "not", "rbrace", "rbrack", "cup", "hphantom", "mod", "lor"}


def _mixed(cursor: Cursor, factors: list[Node]) -> Node | None:
    r"""Read the fraction of a mixed number, `2\frac{1}{2}` or `2 1/2`, if one follows."""
    whole = factors[-1]
    if not (isinstance(whole, Number) and whole.places is None and whole.value.denominator == 1):
        return None
    if cursor.peek(-1).kind != "number" or (len(factors) > 1 and cursor.peek(-2).kind == "/"):
        return None
    if cursor.peek().kind == "command" and cursor.peek().text in ("frac", "dfrac", "tfrac"):
        return _mixed_fraction(cursor, whole)
    if [cursor.peek(ahead).kind for ahead in range(3)] == ["number", "/", "number"] and cursor.peek().spaced:
        above, below = cursor.peek().text, cursor.peek(2).text
        if above.isdigit() and below.isdigit() and 0 < int(above) < int(below):
            cursor.position += 3
            return Number(whole.value + Fraction(int(above), int(below)))
    return None


def _mixed_fraction(cursor: Cursor, whole: Number) -> Node | None:
    start = cursor.position
    part = _primary(cursor)
    match part:
        case Product((Number(above, None), Power(Number(below, None), _))) if 0 < above < below:
            return Number(whole.value + above / below)
    cursor.position = start
    return None


def factor(cursor: Cursor) -> Node:
    """Read a primary and what is set behind it: powers, factorials, percent signs, primes, degrees."""
    return _postfixed(cursor, _primary(cursor))


def _postfixed(cursor: Cursor, node: Node) -> Node:
    while True:
        token = cursor.peek()
        if token.kind == "!" and cursor.peek(1).kind != "=":
            cursor.take()
            node = Call("double_factorial" if cursor.accept("!") else "factorial", (node,))
        elif token.kind == "%":
            cursor.take()
            node = Quantity(node, "%")
        elif token.kind in ("^", "**"):
            cursor.take()
            node = _raised(cursor, node)
        elif token.kind == "_" and isinstance(node, Number) and cursor.peek(-1).kind == ")":
            node = based(cursor, str(node.value))
        elif token.kind == "command" and token.text == "circ" and isinstance(node, Number):
            cursor.take()
            node = _degrees(cursor, node)
        else:
            return node


def _raised(cursor: Cursor, base: Node) -> Node:
    braced = cursor.peek().kind == "{"
    if cursor.peek(braced).text == "circ" and (not braced or cursor.peek(2).kind == "}"):
        cursor.position += 3 if braced else 1
        return _degrees(cursor, base)
    with cursor.nested():
        exponent = _exponent(cursor)
    if not braced and cursor.peek().kind in ("^", "**"):
        cursor.take()
        with cursor.nested():
            exponent = _raised(cursor, exponent)
    return Power(base, exponent)


def _exponent(cursor: Cursor) -> Node:
    minus = False
    while (token := cursor.peek()).kind in "+-":
        cursor.take()
        minus ^= token.kind == "-"
    node = _primary(cursor)
    return negate(node) if minus else node


def _degrees(cursor: Cursor, value: Node) -> Node:
    r"""Read what follows a degree sign: minutes of arc, or the scale of a temperature."""
    token = cursor.peek()
    if token.kind in ("letter", "word") and token.text in ("C", "F", "Celsius", "Fahrenheit", "K"):
        cursor.take()
        return Quantity(value, f"°{token.text[0]}")
    if token.kind == "number" and cursor.peek(1).kind in ("'", "^") and isinstance(value, Number):
        start = cursor.position
        minutes = Fraction(cursor.take().text)
        if _prime(cursor):
            total = value.value + minutes / 60
            if cursor.peek().kind == "number" and cursor.peek(1).kind == "'" == cursor.peek(2).kind:
                total += Fraction(cursor.take().text) / 3600
                cursor.position += 2
            return Quantity(Number(total), "degree")
        cursor.position = start
    return Quantity(value, "degree")


def _prime(cursor: Cursor) -> bool:
    if cursor.accept("'"):
        return True
    if cursor.peek().kind == "^":
        braced = cursor.peek(1).kind == "{"
        if cursor.peek(1 + braced).text == "prime":
            cursor.position += 4 if braced else 2
            return True
    return False


def _primary(cursor: Cursor) -> Node:
    token = cursor.peek()
    if token.kind == "number":
        return number(cursor)
    if token.kind == "letter":
        return letter(cursor)
    if token.kind == "name":
        cursor.take()
        return Constant(token.text)
    if token.kind == "function":
        return function(cursor)
    if token.kind in ("\\$", "$") and cursor.peek(1).kind in ("number", "-"):
        cursor.take()
        return Quantity(_operand(cursor), "$")
    if token.kind == "command" and not is_opening(cursor):
        return command(cursor)
    if is_opening(cursor):
        with cursor.nested():
            return bracketed(cursor)
    raise Unreadable(f"found {token.text or 'the end'!r} where a value belongs")
