"""Integrals, limits and infinite sums, which are not evaluated: each becomes an unknown function of its variables."""

from __future__ import annotations

from collections.abc import Callable

from mars.symbolic.tree import Call, Constant, Fold, Node, Symbol, children, rebuild, symbols


def closed(node: Node) -> tuple[Node, bool]:
    """Replace what cannot be evaluated by unknown functions, the same ones for the same folds.

    Args:
        node: An expression.

    Returns:
        The expression, and whether anything was replaced. Bound variables may be named as one likes: the integrals
        of `f(x) dx` and `f(t) dt` become the same function.
    """
    found: list[Node] = []
    result = _closed(node, found) if _any(node, lambda each: isinstance(each, Fold)) else node
    return result, bool(found)


def _closed(node: Node, found: list[Node]) -> Node:
    if isinstance(node, Fold) and (node.operator not in ("sum", "product") or _infinite(node)):
        found.append(node)
        return Call(repr(_renamed(node)), tuple(map(Symbol, sorted(symbols(node)))))
    return rebuild(node, lambda child: _closed(child, found))


def _infinite(node: Fold) -> bool:
    bounds = (node.low, node.high)
    return any(bound is None or _any(bound, lambda each: each == Constant("infinity")) for bound in bounds)


def _any(node: Node, what: Callable[[Node], bool]) -> bool:
    return what(node) or any(_any(child, what) for child in children(node))


def _renamed(node: Node, names: dict[str, str] | None = None, depth: int = 0) -> Node:
    """Return an expression with its bound variables named after their depth, so that their own names do not count."""
    names = names or {}
    match node:
        case Symbol(name):
            return Symbol(names.get(name, name))
        case Fold(operator, variable, low, high, body):
            bounds = [None if bound is None else _renamed(bound, names, depth) for bound in (low, high)]
            inside = names | {variable: f"#{depth}"}
            return Fold(operator, f"#{depth}", bounds[0], bounds[1], _renamed(body, inside, depth + 1))
    return rebuild(node, lambda child: _renamed(child, names, depth))
