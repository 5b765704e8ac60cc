"""Short ways to write expression trees by hand."""

from __future__ import annotations

from fractions import Fraction

from mars.symbolic.tree import Call, Constant, Fold, Node, Number, Power, Product, Sum, Symbol

Term = Node | int | Fraction | str

PI, E, IMAGINARY, INFINITY = (Constant(name) for name in ("pi", "e", "i", "infinity"))


def node(term: Term) -> Node:
    if isinstance(term, str):
        return Symbol(term)
    return Number(Fraction(term)) if isinstance(term, int | Fraction) else term


def add(*terms: Term) -> Node:
    return Sum(tuple(map(node, terms)))


def mul(*factors: Term) -> Node:
    return Product(tuple(map(node, factors)))


def power(base: Term, exponent: Term) -> Node:
    return Power(node(base), node(exponent))


def root(base: Term, degree: int = 2) -> Node:
    return power(base, Fraction(1, degree))


def over(above: Term, below: Term) -> Node:
    return mul(above, power(below, -1))


def minus(first: Term, second: Term) -> Node:
    return add(first, mul(-1, second))


def call(name: str, *arguments: Term) -> Node:
    return Call(name, tuple(map(node, arguments)))


def fold(operator: str, variable: str, low: Term | None, high: Term | None, body: Term) -> Node:
    bounds = [None if bound is None else node(bound) for bound in (low, high)]
    return Fold(operator, variable, bounds[0], bounds[1], node(body))


def nines(height: int, top: int = 9) -> Node:
    """A tower of nines: `9^{9^9}` is 3 high."""
    tower = node(top)
    for _ in range(height - 1):
        tower = power(9, tower)
    return tower
