r"""The smallest expressions: numbers, letters with subscripts, and commands such as `\frac` and `\binom`."""

from __future__ import annotations

import re
from fractions import Fraction

from mars.symbolic.calls import FOLDS, fold
from mars.symbolic.cursor import Cursor
from mars.symbolic.lexer import Token, Unreadable
from mars.symbolic.tree import MINUS_ONE, Based, Call, Constant, Group, Node, Number, Power, Product, Relation, Symbol
from mars.symbolic.vocabulary import NUMBER_SETS

_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac")
_BINOMIALS = ("binom", "dbinom", "tbinom")
_ACCENTS = {
    **{"overline": "bar", "bar": "bar", "hat": "hat", "widehat": "hat", "overrightarrow": "vec", "vec": "vec"},
    **{"tilde": "tilde", "widetilde": "tilde", "dot": "dot", "ddot": "ddot"},
}
_PLAIN = frozenset(("mathbf", "mathit", "mathsf", "mathcal", "bm", "underline", "boxed", "fbox", "ensuremath"))
_SHAPES = frozenset(("angle", "triangle", "measuredangle", "odot", "square", "parallelogram", "widearc"))
_REPEATING = ("overline", "bar", "dot")
_NAMED = re.compile(r"[A-Za-z0-9]+")
_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_APPLIED = frozenset("fgh")


def number(cursor: Cursor) -> Node:
    r"""Read a number; `0.1\overline{6}` is 1/6, `204_5` has a base."""
    text = cursor.take().text
    whole, dot, places = text.partition(".")
    found = Number(Fraction(text if whole else f"0{text}"), len(places) if dot else None)
    if cursor.peek().kind == "_" and not dot:
        return based(cursor, text)
    token = cursor.peek()
    if dot and token.text in _REPEATING and not token.spaced and cursor.peek(2).kind in ("number", "}"):
        return _repeating(cursor, whole, places)
    if token.kind == "." and cursor.peek(1).text in _REPEATING and not dot:
        cursor.take()
        return _repeating(cursor, whole, "")
    return found


def _repeating(cursor: Cursor, whole: str, places: str) -> Number:
    cursor.take()
    period = "".join(token.text for token in _raw_subscript(cursor))
    if not period.isdigit():
        raise Unreadable("a repeating decimal repeats digits")
    fixed = Fraction(int(whole + places), 10 ** len(places))
    return Number(fixed + Fraction(int(period), 10 ** len(places) * (10 ** len(period) - 1)))


def based(cursor: Cursor, digits: str) -> Node:
    """Read the base of a number behind its digits."""
    cursor.take()
    raw = _raw_subscript(cursor)
    text = "".join(token.text for token in raw)
    text = text.strip("()")
    base = _BASES.get(text.lower(), int(text) if text.isdigit() and len(text) < 3 else 0)
    if not 2 <= base <= 36 or not digits.isdigit() or any(int(digit) >= base for digit in digits):
        raise Unreadable(f"{digits} is no number in base {text}")
    return Based(int(digits, base), base)


def _raw_subscript(cursor: Cursor) -> list[Token]:
    """Take the tokens of a subscript without reading them."""
    if not cursor.accept("{"):
        return [cursor.take()]
    start = cursor.position
    cursor.skip_region()
    tokens = [cursor.peek(place - cursor.position) for place in range(start, cursor.position)]
    cursor.expect("}")
    return tokens


def letter(cursor: Cursor) -> Node:
    """Read a variable with its subscript and primes, or a function `f(x)` that the text defines."""
    token = cursor.take()
    name = token.text
    if cursor.peek().kind == "_":
        return _subscripted(cursor, name)
    if cursor.peek().kind == "'":
        while cursor.accept("'"):
            name += "'"
    following = cursor.peek()
    if following.kind == "(" and not following.spaced and _is_applied(cursor, name):
        return _applied(name, _arguments(cursor))
    if name == "e":
        return Constant("e")
    if name == "i":
        return Constant("i")
    return Symbol(name)


def _applied(name: str, arguments: tuple[Node, ...]) -> Node:
    """Tell functions from points: `P(1, 2)` names a point, `C(10, 3)` is a binomial."""
    if name == "C" and len(arguments) == 2:
        return Call("binomial", arguments)
    if len(arguments) == 1 or not name.isupper() or not all(isinstance(each, Number) for each in arguments):
        return Call(name, arguments)
    return Relation(("=",), (Symbol(name), Group(arguments, "(", ")")))


def _is_applied(cursor: Cursor, name: str) -> bool:
    """Whether `T(10)` applies a function: f, g and h always do, capitals to a lone argument, others multiply."""
    if name.rstrip("'") in _APPLIED or name.endswith("'"):
        return True
    inside = [cursor.peek(ahead).kind for ahead in range(1, 4)]
    return name.isupper() and len(name) == 1 and inside[0] in ("letter", "number") and inside[1] in (")", ",")


def _arguments(cursor: Cursor) -> tuple[Node, ...]:
    cursor.expect("(")
    with cursor.nested():
        items = cursor.listing()
    cursor.expect(")")
    if not items:
        raise Unreadable("a function of nothing")
    return tuple(items)


def _subscripted(cursor: Cursor, name: str) -> Node:
    r"""Read `a_1` and `m_{\max}` as symbols, `F_{n-1}` as a sequence applied to its index, `C_n^k` as a binomial."""
    cursor.take()
    start = cursor.position
    raw = _raw_subscript(cursor)
    if name in "CAP" and cursor.peek().kind == "^":
        cursor.position = start
        total = _index(cursor)
        cursor.expect("^")
        return Call("binomial" if name == "C" else "permutations", (total, _index(cursor)))
    plain = all(token.kind in ("number", "word", "function") or token.upright for token in raw)
    letters = len(raw) > 1 and all(token.kind == "letter" for token in raw)
    if raw and (plain or letters):
        text = "".join(token.text for token in raw)
        primes = ""
        while cursor.accept("'"):
            primes += "'"
        return Symbol(f"{name}_{text}{primes}")
    cursor.position = start
    index = argument(cursor)
    return Call(f"{name}_", (index,))


def _index(cursor: Cursor) -> Node:
    """Read a script that holds one symbol or number, or braces, and nothing behind it."""
    token = cursor.peek()
    if token.kind == "number":
        return Number(Fraction(cursor.take().text))
    if token.kind == "letter":
        return Symbol(cursor.take().text)
    return argument(cursor)


def argument(cursor: Cursor) -> Node:
    r"""Read the argument of a command: what its braces hold, or one factor."""
    if cursor.peek().kind != "{":
        return cursor.factor()
    cursor.take()
    with cursor.nested():
        node = cursor.expression()
        if cursor.peek().kind == "command" and cursor.peek().text in ("choose", "over"):
            node = infix(cursor, node)
    cursor.expect("}")
    return node


def infix(cursor: Cursor, above: Node) -> Node:
    r"""Read the rest of `{n \choose k}` or `{a \over b}`."""
    choose = cursor.take().text == "choose"
    below = cursor.expression()
    return Call("binomial", (above, below)) if choose else fraction(above, below)


def fraction(above: Node, below: Node) -> Node:
    """Return a quotient."""
    return Product((above, Power(below, MINUS_ONE)))


def _digit(cursor: Cursor) -> Node:
    r"""Read an argument of `\frac12`, which takes one digit."""
    token = cursor.peek()
    if token.kind == "number" and token.text.isdigit() and len(token.text) > 1:
        cursor.split_number()
        return number(cursor)
    if token.kind == "number":
        cursor.take()
        _, dot, places = token.text.partition(".")
        return Number(Fraction(token.text), len(places) if dot else None)
    if token.kind == "letter" and cursor.peek(1).kind != "_":
        cursor.take()
        return Constant(token.text) if token.text in "ei" else Symbol(token.text)
    return argument(cursor)


def command(cursor: Cursor) -> Node:
    """Read a LaTeX command that makes an expression.

    Raises:
        Unreadable: The command is not known.
    """
    name = cursor.peek().text
    if name in FOLDS:
        return fold(cursor)
    cursor.take()
    if name in _FRACTIONS or name in _BINOMIALS:
        with cursor.nested():
            above = _digit(cursor)
            below = _digit(cursor)
        return fraction(above, below) if name in _FRACTIONS else Call("binomial", (above, below))
    if name == "mathbb":
        letters = "".join(token.text for token in _raw_subscript(cursor))
        if letters not in NUMBER_SETS:
            raise Unreadable(f"no set of numbers is called {letters}")
        return _number_set(cursor, NUMBER_SETS[letters])
    if name in _PLAIN:
        return argument(cursor)
    if name in _SHAPES:
        return _shape(cursor, name)
    if name in _ACCENTS:
        letters = "".join(token.text for token in _raw_subscript(cursor))
        if not _NAMED.fullmatch(letters):
            raise Unreadable(f"\\{name} over something that is no name")
        return Symbol(f"{_ACCENTS[name]} {letters}")
    raise Unreadable(f"\\{name} is not known")


def _shape(cursor: Cursor, name: str) -> Node:
    r"""Read the name of a figure: `\angle ABC`."""
    letters = ""
    while cursor.peek().kind == "letter" and cursor.peek().text.isupper():
        letters += cursor.take().text
    if not letters:
        raise Unreadable(f"\\{name} of nothing")
    return Symbol(f"{name} {letters}")


def _number_set(cursor: Cursor, name: str) -> Node:
    r"""Read what narrows a set of numbers: `\mathbb{Z}^+`, `\mathbb{N}_0`, `\mathbb{R}_{>0}`."""
    marks = ""
    while cursor.peek().kind in ("^", "_"):
        cursor.take()
        marks += "".join(token.text for token in _raw_subscript(cursor))
    if name == "naturals" and marks in ("+", "*", ">0"):
        return Constant(name)
    if marks in ("+", ">0", "*+", "+*"):
        return Constant("naturals" if name == "integers" else f"positive {name}")
    return Constant(f"{name} {marks}".strip())
