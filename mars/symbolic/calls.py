"""Functions that are applied to what follows them, and operators that bind a variable."""

from __future__ import annotations

from fractions import Fraction

from mars.symbolic.cursor import Cursor
from mars.symbolic.lexer import Unreadable
from mars.symbolic.tree import (
    MINUS_ONE,
    Call,
    Constant,
    Fold,
    Node,
    Number,
    Power,
    Product,
    Sequence,
    SetOf,
    Signed,
    Sum,
    Symbol,
    rebuild,
)

FOLDS = {"sum": "sum", "prod": "product", "int": "integral", "lim": "limit"}
_INVERSES = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec", "csc": "arccsc"}
_INVERSES |= {"sinh": "arsinh", "cosh": "arcosh", "tanh": "artanh"}
_MANY = ("max", "min", "gcd", "lcm", "sup", "inf", "binomial", "mod")
_HALF = Number(Fraction(1, 2))
_BODY = ("letter", "name", "function", "(", "number")
_OPEN_ENDED = ("number", "letter", "name")


def function(cursor: Cursor) -> Node:
    r"""Read a function and its argument: `\sin 2x`, `\log_2(8)`, `\sqrt[3]{x}`, `\sin^2 x`."""
    name = cursor.take().text
    with cursor.nested():
        return _root(cursor, name) if name in ("sqrt", "cbrt") else _applied(cursor, name)


def _root(cursor: Cursor, name: str) -> Node:
    exponent: Node = Number(Fraction(1, 3)) if name == "cbrt" else _HALF
    if cursor.accept("["):
        index = cursor.expression()
        cursor.expect("]")
        inverse = isinstance(index, Number) and index.value != 0
        exponent = Number(1 / index.value) if inverse else Power(index, MINUS_ONE)  # type: ignore[union-attr]
    return Power(_one(cursor), exponent)


def _one(cursor: Cursor) -> Node:
    """Read one braced or bracketed argument, or one bare symbol or number, which ends before any power of it."""
    if cursor.peek().kind in ("{", "("):
        closing = {"{": "}", "(": ")"}[cursor.take().kind]
        items = cursor.listing()
        cursor.expect(closing)
        if len(items) != 1:
            raise Unreadable("a root of a list")
        return items[0]
    return cursor.factor()


def _applied(cursor: Cursor, name: str) -> Node:
    base: Node | None = None
    power: Node | None = None
    while (token := cursor.peek()).kind in ("^", "_"):
        cursor.take()
        read = _script(cursor)
        if token.kind == "_":
            base = read
        else:
            power = read
    if power == Number(Fraction(-1)) and name in _INVERSES:
        name, power = _INVERSES[name], None
    arguments = _arguments(cursor, name)
    node: Node = Call(name, arguments if base is None else (base, *arguments))
    return node if power is None else Power(node, power)


def _script(cursor: Cursor) -> Node:
    if cursor.accept("{"):
        node = cursor.expression()
        cursor.expect("}")
        return node
    if cursor.accept("-"):
        return Number(-Fraction(cursor.expect("number").text))
    token = cursor.take()
    if token.kind == "number":
        return Number(Fraction(token.text))
    if token.kind == "letter":
        return Symbol(token.text)
    if token.kind == "name":
        return Constant(token.text)
    raise Unreadable("a script that is neither braced nor a symbol")


def _arguments(cursor: Cursor, name: str) -> tuple[Node, ...]:
    token = cursor.peek()
    if token.kind in ("(", "{", "[", "\\{") and (token.kind != "\\{" or name in _MANY):
        cursor.take()
        items = cursor.listing()
        cursor.expect({"(": ")", "{": "}", "[": "]", "\\{": "\\}"}[token.kind])
        if len(items) == 1 and isinstance(items[0], SetOf | Sequence):
            items = list(items[0].items)
        if not items or (len(items) > 1 and name not in _MANY):
            raise Unreadable(f"{name} of {len(items)} things")
        return tuple(items)
    return (_juxtaposed(cursor),)


def _juxtaposed(cursor: Cursor) -> Node:
    r"""Read the argument of `\sin 2x \cos y`: factors side by side, up to an operator or another function."""
    if cursor.accept("-"):
        inner = _juxtaposed(cursor)
        return Product((MINUS_ONE, inner))
    factors = [cursor.factor()]
    while True:
        token = cursor.peek()
        fraction = token.kind == "command" and token.text in ("frac", "dfrac", "tfrac")
        if token.upright or not (token.kind in _OPEN_ENDED[1:] or fraction):
            return factors[0] if len(factors) == 1 else Product(tuple(factors))
        factors.append(cursor.factor())


def fold(cursor: Cursor) -> Node:
    r"""Read `\sum_{k=0}^{n} k`, `\int_0^1 x\,dx`, `\lim_{x \to 0} x`."""
    operator = FOLDS[cursor.take().text]
    variable, low, high = "", None, None
    with cursor.nested():
        while (token := cursor.peek()).kind in ("^", "_"):
            cursor.take()
            if token.kind == "^":
                high = _script(cursor)
            elif operator == "integral":
                low = _script(cursor)
            else:
                variable, low = _binding(cursor)
        body = cursor.factor() if operator == "integral" else _body(cursor)
        if operator == "integral":
            variable, body = _integrand(cursor, body)
    return Fold(operator, variable, low, high, _bound(body, variable))


def _bound(body: Node, variable: str) -> Node:
    """Make the letter i a variable where it is the index of a sum."""
    if body == Constant(variable):
        return Symbol(variable)
    return rebuild(body, lambda child: _bound(child, variable)) if variable in ("i", "e") else body


def _binding(cursor: Cursor) -> tuple[str, Node]:
    cursor.expect("{")
    name = cursor.expect("letter").text
    relation = cursor.take()
    if relation.text not in ("=", "->"):
        raise Unreadable(f"an index that starts with {relation.text!r}")
    low = cursor.expression()
    cursor.expect("}")
    return name, low


def _body(cursor: Cursor) -> Node:
    """Read the product that a sum runs over."""
    factors = [cursor.factor()]
    while True:
        token = cursor.peek()
        if token.kind == "/":
            cursor.take()
            factors.append(Power(cursor.factor(), MINUS_ONE))
        elif token.kind == "*" or (token.kind == "command" and token.text in ("cdot", "times")):
            cursor.take()
            factors.append(cursor.factor())
        elif (token.kind in _BODY and not token.upright) or token.text in ("frac", "dfrac", "tfrac", "binom"):
            factors.append(cursor.factor())
        else:
            return factors[0] if len(factors) == 1 else Product(tuple(factors))


def _integrand(cursor: Cursor, first: Node) -> tuple[str, Node]:
    """Read up to the differential `dx`."""
    terms: list[Node] = []
    factors = [first]
    minus = False

    def close() -> None:
        product = factors[0] if len(factors) == 1 else Product(tuple(factors))
        terms.append(Product((MINUS_ONE, product)) if minus else product)

    while True:
        token = cursor.peek()
        if token.kind == "letter" and token.text == "d" and cursor.peek(1).kind == "letter":
            cursor.take()
            variable = cursor.take().text
            close()
            return variable, terms[0] if len(terms) == 1 else Sum(tuple(terms))
        if token.kind in "+-":
            cursor.take()
            close()
            minus, factors[:] = token.kind == "-", [cursor.factor()]
        elif token.kind == "end" or isinstance(factors[-1], Signed):
            raise Unreadable("an integral without its differential")
        else:
            if token.kind == "/":
                cursor.take()
                factors.append(Power(cursor.factor(), MINUS_ONE))
            else:
                factors.append(cursor.factor())
