"""Whether two equations, or an equation and the expression that solves it, say the same."""

from __future__ import annotations

from fractions import Fraction

from mars.symbolic.numeric import Outcome, same_value
from mars.symbolic.tree import MINUS_ONE, ZERO, Node, Number, Power, Product, Sum, negate, substitute, symbols
from mars.symbolic.types import Finding
from mars.symbolic.zero_sets import zeros_agree

_PROBES = (Fraction(3, 7), Fraction(-5, 3), Fraction(11, 4), Fraction(8, 5), Fraction(-2, 9), Fraction(13, 6))
SAME = Finding(True, "numeric", "equations with the same solutions")
OTHER = Finding(False, "numeric", "equations with other solutions")


def equations_agree(reference: tuple[Node, Node], answer: tuple[Node, Node]) -> Finding:
    """Compare two equations by where they hold.

    They agree when one is a constant multiple of the other, or when each, solved for a variable in which it is linear,
    satisfies the other. Having no solutions is not agreement.

    Args:
        reference: The sides of the right equation.
        answer: The sides of the other.
    """
    first, second = _difference(*reference), _difference(*answer)
    if symbols(first) != symbols(second):
        return Finding(False, "structure", "equations in other variables")
    if not symbols(first):
        return Finding(None, "structure", "equations without variables")
    if proportion(first, second) is not None:
        return SAME
    there, back = _solution_satisfies(first, second), _solution_satisfies(second, first)
    if there and back:
        return SAME
    if there is False or back is False or zeros_agree(first, second) is False:
        return OTHER
    return Finding(None, "numeric", "equations that hold in the same places, as far as was looked")


def _difference(left: Node, right: Node) -> Node:
    return Sum((left, negate(right)))


def proportion(first: Node, second: Node) -> Node | None:
    """Return the constant that the first is of the second, as an expression; `None` when there is none.

    Args:
        first: An expression with variables.
        second: Another in the same ones.
    """
    here, there = _at_a_point(first), _at_a_point(second)
    if here is None or there is None:
        return None
    same = same_value(Product((first, there)), Product((second, here)))
    return Product((here, Power(there, MINUS_ONE))) if same.outcome is Outcome.SAME else None


def _at_a_point(node: Node) -> Node | None:
    for name, value in zip(sorted(symbols(node)), _PROBES * 4, strict=False):
        node = substitute(node, name, Number(value))
    return node if same_value(node, ZERO).outcome is Outcome.DIFFERENT else None


def _solution_satisfies(equation: Node, other: Node) -> bool | None:
    """Whether what solves one equation solves the other; `None` when it is linear in no variable."""
    for name in sorted(symbols(equation)):
        solution = solve_linear(equation, name)
        if solution is not None:
            outcome = same_value(substitute(other, name, solution), ZERO).outcome
            return {Outcome.SAME: True, Outcome.DIFFERENT: False}.get(outcome)
    return None


def solve_linear(residual: Node, name: str) -> Node | None:
    """Return where an expression that is linear in a variable is zero; `None` when it is not linear.

    Args:
        residual: An expression.
        name: The variable.
    """
    at = {value: substitute(residual, name, Number(Fraction(value))) for value in (0, 1, 2, -1)}
    for outer in (2, -1):
        bend = Sum((at[outer], negate(at[0]), Product((Number(Fraction(-outer)), Sum((at[1], negate(at[0])))))))
        if same_value(bend, ZERO).outcome is not Outcome.SAME:
            return None
    slope = Sum((at[1], negate(at[0])))
    if same_value(slope, ZERO).outcome is not Outcome.DIFFERENT:
        return None
    return Product((MINUS_ONE, at[0], Power(slope, MINUS_ONE)))


def solves(equation: tuple[Node, Node], expression: Node) -> bool:
    """Whether an expression is the one solution of an equation for the variable that it leaves out.

    Args:
        equation: The sides, such as those of `xy = 6`.
        expression: Such as `6/x`.
    """
    residual = _difference(*equation)
    missing = symbols(residual) - symbols(expression)
    if len(missing) != 1 or not symbols(expression) or not symbols(expression) < symbols(residual):
        return False
    [name] = missing
    solution = solve_linear(residual, name)
    return solution is not None and same_value(solution, expression).outcome is Outcome.SAME
