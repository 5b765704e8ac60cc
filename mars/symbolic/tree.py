"""The typed tree that an answer is parsed into: plain frozen data, nothing that evaluates or runs.

Two kinds of nodes. *Expressions* have a value (numbers, symbols, sums, functions); *structures* arrange expressions
(lists, tuples, sets, intervals, matrices, relations, quantities, words).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Number:
    """An exact rational number.

    Attributes:
        value: Its value; `0.30` is 3/10.
        places: Digits behind the point when it was written as a decimal, else `None`.
    """

    value: Fraction
    places: int | None = None


@dataclass(frozen=True, slots=True)
class Symbol:
    """A variable: `x`, `alpha`, `a_1`."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """`pi`, `e`, `i`, `infinity`, `phi`, `empty` (the empty set), a named set (`reals` ...) or `ellipsis`."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of two or more terms."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """A product of two or more factors; a quotient is a product with a power of -1."""

    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Power:
    """A base raised to an exponent; roots have fractional exponents."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Signed:
    r"""A term with both signs: `\pm x`; `upper` is false for `\mp x`, whose sign is the other one."""

    operand: Node
    upper: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied to arguments: one that `numeric` knows (`sin`, `log` ...), or an unknown `f`."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """An operator that binds a variable: `sum`, `product`, `integral`, `limit`.

    Attributes:
        operator: Which.
        variable: The name of the bound variable.
        low: The lower bound, or what the variable tends to; `None` where there is none.
        high: The upper bound; `None` where there is none.
        body: What is folded.
    """

    operator: str
    variable: str
    low: Node | None
    high: Node | None
    body: Node


@dataclass(frozen=True, slots=True)
class Based:
    """An integer written in a base other than ten: `204_5`."""

    value: int
    base: int


@dataclass(frozen=True, slots=True)
class Quantity:
    r"""A value with a unit, which is kept: `5 km`, `10\%` (unit `%`), `45^\circ` (unit `degree`), `$12` (unit `$`)."""

    value: Node
    unit: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """A bare list, `1, 2, 3`: an enumeration whose order says nothing."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Two or more items in brackets: a tuple, or an interval, which only the other side can tell.

    Attributes:
        items: The items, in order.
        opening: `(`, `[`, `]` or `<`.
        closing: `)`, `]`, `[` or `>`.
    """

    items: tuple[Node, ...]
    opening: str
    closing: str


@dataclass(frozen=True, slots=True)
class SetOf:
    r"""A set by its elements: `\{1, 2\}`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class SetBuilder:
    r"""A set by a condition: `\{x | x > 2\}`."""

    element: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class SetOperation:
    """`union`, `intersection` or `difference` of sets."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix by rows, all of one length; a column vector has rows of one entry."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Relation:
    r"""A chain of relations: `0 < x \leq 2` has three sides and the operators `<`, `<=`.

    Attributes:
        operators: Of `=`, `!=`, `<`, `<=`, `>`, `>=`, `~` (about), `in`, `notin`, `subset`, `==` (congruent) ...
        sides: One more than there are operators.
    """

    operators: tuple[str, ...]
    sides: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Logic:
    """Statements joined by `and`, `or` or `,`, after `forall` or `exists`; or a value and its condition, `where`."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """`a : b`, or more parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A value with a name before it: `Minimum: 1`."""

    label: str
    value: Node


@dataclass(frozen=True, slots=True)
class Text:
    """Words, folded: lower case, single spaces, no punctuation at the ends."""

    words: str


Expression = (
    Number | Symbol | Constant | Sum | Product | Power | Signed | Call | Fold | Based | Quantity
)  # what has a value
Structure = Sequence | Group | SetOf | SetBuilder | SetOperation | Matrix | Relation | Logic | Ratio | Labelled | Text
Node = Expression | Structure

ZERO = Number(Fraction(0))
MINUS_ONE = Number(Fraction(-1))


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below a node."""
    match node:
        case Sum(terms):
            return terms
        case Product(factors):
            return factors
        case Power(base, exponent):
            return base, exponent
        case Call(_, arguments):
            return arguments
        case Fold(_, _, low, high, body):
            return tuple(each for each in (low, high, body) if each is not None)
        case Signed(operand, _):
            return (operand,)
        case Quantity(value, _) | Labelled(_, value):
            return (value,)
        case Sequence(items) | SetOf(items) | Group(items, _, _) | Ratio(items):
            return items
        case SetBuilder(element, condition):
            return element, condition
        case SetOperation(_, operands) | Logic(_, operands):
            return operands
        case Matrix(rows):
            return tuple(entry for row in rows for entry in row)
        case Relation(_, sides):
            return sides
        case _:
            return ()


def symbols(node: Node) -> frozenset[str]:
    """Return the names of the free variables below a node."""
    if isinstance(node, Symbol):
        return frozenset((node.name,))
    found: frozenset[str] = frozenset().union(*map(symbols, children(node)))
    return found - {node.variable} if isinstance(node, Fold) else found


def negate(node: Node) -> Node:
    """Return the node with the other sign."""
    if isinstance(node, Number):
        return Number(-node.value, node.places)
    if isinstance(node, Product) and isinstance(node.factors[0], Number):
        first = negate(node.factors[0])
        return Product((first, *node.factors[1:]))
    return Product((MINUS_ONE, node))


def substitute(node: Node, name: str, value: Node) -> Node:
    """Return the node with a value in place of a free variable.

    Args:
        node: Any tree.
        name: The variable.
        value: What replaces it.
    """
    if isinstance(node, Symbol):
        return value if node.name == name else node
    if isinstance(node, Fold) and node.variable == name:
        return node
    return rebuild(node, lambda child: substitute(child, name, value))


def rebuild(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with each of its children changed."""

    def all_of(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(change(each) for each in nodes)

    match node:
        case Sum() | Product() | Sequence() | SetOf() | Ratio():
            return type(node)(all_of(children(node)))
        case Power(base, exponent):
            return Power(change(base), change(exponent))
        case Signed(operand, upper):
            return Signed(change(operand), upper)
        case Call(name, arguments):
            return Call(name, all_of(arguments))
        case Fold(operator, variable, low, high, body):
            return Fold(operator, variable, low and change(low), high and change(high), change(body))
        case Quantity(value, unit):
            return Quantity(change(value), unit)
        case Group(items, opening, closing):
            return Group(all_of(items), opening, closing)
        case SetBuilder(element, condition):
            return SetBuilder(change(element), change(condition))
        case SetOperation(operator, operands):
            return SetOperation(operator, all_of(operands))
        case Matrix(rows):
            return Matrix(tuple(map(all_of, rows)))
        case Relation(operators, sides):
            return Relation(operators, all_of(sides))
        case Logic(operator, operands):
            return Logic(operator, all_of(operands))
        case Labelled(label, value):
            return Labelled(label, change(value))
        case _:
            return node
