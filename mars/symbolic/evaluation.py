"""Walking an expression to its value, whatever values are: fractions, residues, floats with errors, many digits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from typing import Generic, TypeVar

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
)

V = TypeVar("V")

MAX_FOLD = 2_000
"""Terms of a sum or product that are worth adding one by one."""
DEGREE = Product((Constant("pi"), Number(Fraction(1, 180))))
INTEGER_CALLS = frozenset(
    {"factorial", "double_factorial", "binomial", "permutations", "gcd", "lcm", "mod"}
)  # functions that are tried exactly first, since integers are what they are for


class NoValue(Exception):
    """The expression has no value in this arithmetic, wherever its variables are put."""


class Undefined(Exception):
    """The expression has no value at this point: a division by zero, the logarithm of zero."""


class TooLarge(Exception):
    """The value, or something on the way to it, is too large to compute with."""


class Exhausted(TooLarge):
    """The whole comparison has used up the work it was given."""


class Budget:
    """The work that one comparison may still do, shared by everything that it tries.

    Args:
        steps: Work, in units of about two microseconds (one node in floats).
    """

    __slots__ = ("steps",)

    def __init__(self, steps: int = 40_000) -> None:
        self.steps = steps

    def spend(self, steps: int = 1) -> None:
        """Take work from the budget.

        Raises:
            Exhausted: If there is not as much left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise Exhausted("too much work")


class Evaluator(ABC, Generic[V]):
    """The value of an expression at a point, in one arithmetic.

    Args:
        point: Exact values of the free variables, by name.
        budget: The work that evaluation may do.
    """

    cost = 1

    def __init__(self, point: Mapping[str, Fraction], budget: Budget) -> None:
        self.point = dict(point)
        self.budget = budget

    @abstractmethod
    def number(self, value: Fraction) -> V:
        """Return a rational number in this arithmetic."""

    @abstractmethod
    def constant(self, name: str) -> V:
        """Return a named constant in this arithmetic."""

    @abstractmethod
    def total(self, values: list[V]) -> V:
        """Return the sum of the values."""

    @abstractmethod
    def product(self, values: list[V]) -> V:
        """Return the product of the values."""

    @abstractmethod
    def power(self, base: Node, exponent: Node) -> V:
        """Return the base raised to the exponent; which arithmetic it needs depends on the nodes."""

    @abstractmethod
    def call(self, name: str, values: list[V]) -> V:
        """Return the value of a function, known or unknown."""

    @abstractmethod
    def exact(self, node: Node) -> Fraction | None:
        """Return the exact value at this point if it is rational and not too large."""

    def symbol(self, name: str) -> V:
        """Return the value of a variable at this point."""
        if name not in self.point:
            raise NoValue(f"the variable {name}")
        return self.number(self.point[name])

    def value(self, node: Node) -> V:
        """Return the value of an expression.

        Raises:
            NoValue: If this arithmetic has no value for it anywhere.
            Undefined: If it has none at this point.
            TooLarge: If that would take too much work or memory.
        """
        self.budget.spend(self.cost)
        if isinstance(node, Number):
            return self.number(node.value)
        if isinstance(node, Symbol):
            return self.symbol(node.name)
        if isinstance(node, Sum):
            return self.total([self.value(term) for term in node.terms])
        if isinstance(node, Product):
            return self.product([self.value(factor) for factor in node.factors])
        if isinstance(node, Power):
            return self.power(node.base, node.exponent)
        return self._rarer(node)

    def _rarer(self, node: Node) -> V:
        match node:
            case Call(name, arguments):
                if name in INTEGER_CALLS and (exact := self.exact(node)) is not None:
                    return self.number(exact)
                return self.call(name, [self.value(argument) for argument in arguments])
            case Constant(name):
                return self.constant(name)
            case Fold("sum" | "product"):
                return self.fold(node)
            case Based(value, _):
                return self.number(Fraction(value))
            case Quantity(value, "%"):
                return self.product([self.value(value), self.number(Fraction(1, 100))])
            case Quantity(value, "degree"):
                return self.product([self.value(value), self.value(DEGREE)])
        raise NoValue(type(node).__name__)

    def fold(self, node: Fold) -> V:
        """Return a finite sum or product, term by term."""
        if node.low is None or node.high is None:
            raise NoValue("a fold without bounds")
        low, high = self.exact(node.low), self.exact(node.high)
        if low is None or high is None:
            raise NoValue("bounds that are not numbers")
        if low.denominator != 1 or high.denominator != 1:
            raise Undefined("bounds that are not integers")
        if high - low >= MAX_FOLD:
            raise TooLarge("a fold of many terms")
        shadowed = self.point.get(node.variable)
        terms: list[V] = []
        try:
            for index in range(int(low), int(high) + 1):
                self.point[node.variable] = Fraction(index)
                terms.append(self.value(node.body))
        finally:
            if shadowed is None:
                self.point.pop(node.variable, None)
            else:
                self.point[node.variable] = shadowed
        if not terms:
            return self.number(Fraction(int(node.operator == "product")))
        return self.total(terms) if node.operator == "sum" else self.product(terms)
