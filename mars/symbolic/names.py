"""Names of values, and letters that stand for anything: which may differ, and which may not."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace

from mars.symbolic.peeling import peel
from mars.symbolic.remarks import is_domain
from mars.symbolic.tree import Call, Constant, Logic, Node, Relation, Symbol, children, substitute, symbols
from mars.symbolic.types import Finding

_MOST_RENAMED = 3
_CONSTANT = re.compile(r"[CcK](?:_\d{1,2})?")
"""Letters that arbitrary constants go by."""
_SIDES = frozenset("abd")
"""Letters beside which c is no arbitrary constant."""


def conflict(one: Node | None, other: Node | None) -> bool:
    """Whether two names cannot name the same value; a name on one side only never conflicts.

    Args:
        one: A name, as `peel` returns it.
        other: Another.
    """
    if one is None or other is None or type(one) is not type(other) or one == other:
        return False
    match one, other:
        case Symbol(name), Symbol(other_name):
            # x_1 and x_2 are both x.
            letter, _, index = name.partition("_")
            other_letter, _, other_index = other_name.partition("_")
            return letter != other_letter or bool(index and other_index)
        case Call(name, arguments), Call(other_name, others):
            # The letter of f(x) is bound; the event of P(A) is not.
            bound = len(arguments) == 1 == len(others) and all(
                isinstance(each, Symbol) and not each.name.isupper() for each in arguments + others
            )
            return name != other_name or name == "abs" or not bound
    return True


def split(node: Node) -> tuple[Node, Node | None]:
    """Part a value from its condition; `None` when it has none."""
    if isinstance(node, Logic) and node.operator == "where":
        return node.operands[0], node.operands[1]
    return node, None


def conditions_agree(reference: Node | None, answer: Node | None, agree: Callable[[Node, Node], Finding]) -> bool:
    """Whether two values hold under the same condition; what parameters run through may be left unsaid.

    Args:
        reference: The right condition; `None` when there is none.
        answer: The one to judge.
        agree: Compares two relations.
    """
    if reference is None or answer is None:
        said = reference or answer
        return said is None or is_domain(said)
    if is_domain(reference) and is_domain(answer):
        first, second = (each.sides[-1] for each in (reference, answer) if isinstance(each, Relation))
        return first == second or Constant("any") in (first, second)
    return bool(agree(reference, answer).equal)


def agree_renamed(reference: Node, answer: Node, agree: Callable[[Node, Node], Finding]) -> Finding | None:
    r"""Compare after giving the answer's parameters the reference's letters; `None` when that changes nothing.

    Letters are parameters when they are declared, `k \in \mathbb{Z}`, or are what arbitrary constants are called. An
    integer that one side declares is one on the other side too.

    Args:
        reference: The right one, such as `k\pi, k \in \mathbb{Z}`.
        answer: The one to judge, such as `n\pi`.
        agree: Compares two trees.
    """
    (right, said), (given, also_said) = split(reference), split(answer)
    if not conditions_agree(said, also_said, agree):
        return None
    one, other = peel(right), peel(given)
    if conflict(one.label, other.label) or one.value is None or other.value is None:
        return None
    ours, theirs = symbols(one.value) - symbols(other.value), symbols(other.value) - symbols(one.value)
    if not ours or len(ours) != len(theirs) or len(ours) > _MOST_RENAMED:
        return None
    declared, also_declared = _declared(one.value, said), _declared(other.value, also_said)
    both = ours <= declared and theirs <= also_declared
    if (
        not both
        and not (_integers(said) and ours <= declared)
        and not (_integers(also_said) and theirs <= also_declared)
    ):
        return None
    for order in itertools.permutations(sorted(ours)):
        value = other.value
        for name, its_name in zip(order, sorted(theirs), strict=True):
            value = substitute(value, its_name, Symbol(name))
        found = agree(one.value, value)
        if found.equal:
            return replace(found, rule=f"parameters renamed; {found.rule}")
    return None


def _declared(value: Node, said: Node | None) -> frozenset[str]:
    """Return the letters of a value that stand for anything."""
    constants = frozenset(name for name in symbols(value) if _CONSTANT.fullmatch(name))
    variables = symbols(value) - constants
    if not variables or variables & _SIDES or (len(constants) > 1 and not all("_" in name for name in constants)):
        constants = frozenset()
    if said is None or not is_domain(said):
        return constants
    named = frozenset().union(*map(symbols, children(said)))
    return constants | (named or symbols(value))


def _integers(said: Node | None) -> bool:
    return (
        isinstance(said, Relation)
        and is_domain(said)
        and said.sides[-1] in (Constant("integers"), Constant("naturals"))
    )
