"""Matrices worked out: scaled, added, subtracted, transposed."""

from __future__ import annotations

from mars.symbolic.tree import Matrix, Node, Power, Product, Sum, Symbol

_TRANSPOSED = (Symbol("T"), Symbol("t"))


def worked_out(node: Node) -> Node:
    """Return the matrix that a scalar times a matrix, or a sum of matrices of one shape, is; else the node as it is.

    Args:
        node: Any tree.
    """
    match node:
        case Product(factors):
            made = [worked_out(each) for each in factors]
            matrices = [each for each in made if isinstance(each, Matrix)]
            if len(matrices) != 1:
                return node
            scalars = tuple(each for each in made if not isinstance(each, Matrix))
            return Matrix(tuple(tuple(Product((*scalars, entry)) for entry in row) for row in matrices[0].rows))
        case Sum(terms):
            return _added(node, [worked_out(term) for term in terms])
        case Power(base, exponent) if exponent in _TRANSPOSED:
            made_base = worked_out(base)
            return Matrix(tuple(zip(*made_base.rows, strict=True))) if isinstance(made_base, Matrix) else node
    return node


def _added(node: Sum, terms: list[Node]) -> Node:
    matrices = [term for term in terms if isinstance(term, Matrix)]
    if len(matrices) != len(terms) or len({(len(each.rows), len(each.rows[0])) for each in matrices}) != 1:
        return node
    rows = zip(*(each.rows for each in matrices), strict=True)
    return Matrix(tuple(tuple(Sum(entries) for entries in zip(*row, strict=True)) for row in rows))
