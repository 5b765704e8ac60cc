"""Whether an answer is the reference: typed structure first, then the values in it.

Cheap and certain rules come before dear ones. Every rule decides or passes on; `None` means that none could tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mars.symbolic.equations import equations_agree, proportion, solves
from mars.symbolic.listed import brackets, by_label, entries, expanded, is_closed_pair, items_of, labels_of
from mars.symbolic.matching import match_any_order, match_in_order
from mars.symbolic.matrices import worked_out
from mars.symbolic.names import conditions_agree, conflict, split
from mars.symbolic.numeric import real_value
from mars.symbolic.peeling import Peeled, is_label, peel
from mars.symbolic.policy import Policy
from mars.symbolic.regions import is_region, regions_agree
from mars.symbolic.tree import (
    ZERO,
    Call,
    Constant,
    Group,
    Labelled,
    Logic,
    Matrix,
    Node,
    Number,
    Product,
    Ratio,
    Relation,
    Sequence,
    SetBuilder,
    SetOf,
    SetOperation,
    Sum,
    Symbol,
    Text,
    negate,
    substitute,
    symbols,
)
from mars.symbolic.types import Finding
from mars.symbolic.values import values_agree
from mars.symbolic.wording import wordings_agree

_ARRANGED = (Sequence, Group, SetOf, Matrix, SetBuilder, SetOperation, Relation, Logic, Labelled, Text)
_OPPOSITE = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_STAND_IN = Symbol("\N{WHITE SQUARE}")
_OTHER_RELATIONS = frozenset(("subset", "supset", "==", "congruent", "->", "=>", "<=>", "perp", "parallel", "sim"))
_NAMED_SETS = ("reals", "integers", "naturals", "rationals", "complexes", "empty", "undefined", "ellipsis")
Symbolic = Callable[[Node, Node], bool | None]
"""The last stage: whether computer algebra finds two expressions equal."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares trees under one policy.

    Attributes:
        policy: What counts as the same.
        symbolic: The last stage; `None`: there is none.
    """

    policy: Policy
    symbolic: Symbolic | None = None

    def agree(self, reference: Node, answer: Node) -> Finding:
        """Compare an answer with its reference.

        Args:
            reference: The right one.
            answer: The one to judge.
        """
        if reference == answer and not contradicts(answer):
            return Finding(True, "structure", "the same tree")
        (value, condition), (given_value, other_condition) = split(reference), split(answer)
        if condition is not None or other_condition is not None:
            if not conditions_agree(condition, other_condition, self._statement):
                return Finding(False, "structure", "another condition")
            return self.agree(value, given_value)
        if isinstance(reference, Relation) and isinstance(answer, Relation):
            found = self._relations(reference, answer)
            if found is not None:
                return found
        if isinstance(reference, Logic) and reference.operator in ("forall", "exists"):
            return self._quantified(reference, answer)
        if is_region(reference) or is_region(answer):
            return self._sets(reference, answer)
        right, given = peel(reference), peel(answer)
        if given.value is None or right.value is None:
            return Finding(False, "structure", "a chain of equations that contradicts itself")
        if conflict(right.label, given.label):
            return Finding(False, "structure", "values of other names")
        if isinstance(right.value, Relation) or isinstance(given.value, Relation):
            return self._solved(right, given)
        if (found := self._by_name(right, given) or self._by_name(given, right)) is not None:
            return found
        return self._unnamed(*_renamed(right, given))

    def _by_name(self, tuple_: Peeled, named: Peeled) -> Finding | None:
        """Compare `(x, y) = (5, 3)` with `y = 3, x = 5`; `None` where this is not what is compared."""
        names, values = tuple_.label, tuple_.value
        items = items_of(named.value) if isinstance(named.value, Sequence) else None
        labels = labels_of(items) if items else None
        if not (isinstance(names, Group) and isinstance(values, Group)) or not items or not labels:
            return None
        if set(names.items) != set(labels) or len(values.items) != len(items):
            return None
        return match_in_order(values.items, [items[labels.index(name)] for name in names.items], self.agree)

    def _unnamed(self, right: Node, given: Node) -> Finding:
        """Compare two values without names."""
        right, given = worked_out(right), worked_out(given)
        lists = items_of(right), items_of(given)
        if lists[0] is not None or lists[1] is not None:
            return self._lists(right, given)
        if isinstance(right, Text) or isinstance(given, Text):
            return wordings_agree(right, given, self.policy)
        if isinstance(right, Matrix) or isinstance(given, Matrix):
            return self._matrices(right, given)
        if isinstance(right, Constant | SetBuilder | SetOperation) and isinstance(given, Constant):
            return Finding(right == given, "structure", "named constants")
        if any(isinstance(node, _ARRANGED) for node in (right, given)):
            return Finding(False, "structure", f"a {_kind(given)} where a {_kind(right)} is due")
        if isinstance(right, Ratio) and isinstance(given, Ratio):
            return self._ratios(right, given)
        if _infinite(right) or _infinite(given):
            return Finding(_infinite(right) == _infinite(given), "structure", "infinity")
        if any(isinstance(node, Constant) and node.name in _NAMED_SETS for node in (right, given)):
            return Finding(False, "structure", "a named constant on one side only")
        found = values_agree(right, given, self.policy)
        if found.equal is None and self.symbolic is not None:
            verdict = self.symbolic(right, given)
            return Finding(verdict, "symbolic", "computer algebra" if verdict is not None else found.rule)
        return found

    def _relations(self, reference: Relation, answer: Relation) -> Finding | None:
        """Compare two relations; `None` when they are names for values or sets, which other rules compare."""
        if reference.operators == answer.operators == ("=",):
            right, given = peel(reference), peel(answer)
            if right.label is not None and given.label is not None:
                return self._named(right, given, reference, answer)
            if (right.label is None and given.label is None) or symbols(reference) == symbols(answer):
                return equations_agree(_sides(reference), _sides(answer))
            return None
        if _comparable(reference, answer):
            return self._inequalities(reference, answer)
        if reference.operators == answer.operators and reference.operators[0] in _OTHER_RELATIONS:
            return match_in_order(reference.sides, answer.sides, self.agree)
        return None

    def _named(self, right: Peeled, given: Peeled, reference: Relation, answer: Relation) -> Finding | None:
        """Compare two named values: the names must not be two different variables."""
        if not conflict(right.label, given.label):
            return None
        swapped = equations_agree(_sides(reference), _sides(answer))
        return swapped if swapped.equal else Finding(False, "structure", "values of other names")

    def _inequalities(self, reference: Relation, answer: Relation) -> Finding | None:
        """Compare inequalities in several variables: one is a multiple of the other."""
        first, second = (Sum((each.sides[0], negate(each.sides[1]))) for each in (reference, answer))
        if len(symbols(first)) < 2 or symbols(first) != symbols(second):
            return None
        ratio = proportion(first, second)
        if ratio is None or (value := real_value(ratio)) is None:
            return Finding(False, "numeric", "inequalities that are no multiples")
        operator = answer.operators[0] if value > 0 else _OPPOSITE.get(answer.operators[0], answer.operators[0])
        return Finding(operator == reference.operators[0], "numeric", "multiples of one inequality")

    def _quantified(self, reference: Logic, answer: Node) -> Finding:
        if not isinstance(answer, Logic) or answer.operator != reference.operator:
            return Finding(False, "structure", "a quantifier on one side only")
        return match_in_order(reference.operands, answer.operands, self._statement)

    def _statement(self, reference: Node, answer: Node) -> Finding:
        if isinstance(reference, Relation) and isinstance(answer, Relation):
            if reference.operators != answer.operators:
                return Finding(False, "structure", "another relation")
            return match_in_order(reference.sides, answer.sides, self.agree)
        return self.agree(reference, answer)

    def _sets(self, reference: Node, answer: Node) -> Finding:
        """Compare sets of real numbers, of which one at least can be nothing else."""
        right, given = _ascending(_bare_set(reference)), _ascending(_bare_set(answer))
        related = isinstance(given, Relation | Logic) and not isinstance(right, Relation | Logic)
        if related and not self.policy.relations:
            return Finding(False, "structure", "a relation where a set is due")
        if right == given:
            return Finding(True, "structure", "the same tree")
        found = regions_agree(right, given, self.agree)
        if found.equal is None and type(right) is type(given):
            return self._written(right, given, found)
        if found.equal is None:
            return Finding(False, found.stage, found.rule)
        return found

    def _written(self, right: Node, given: Node, found: Finding) -> Finding:
        """Compare sets part by part, as they are written."""
        match right, given:
            case (Relation(one, sides), Relation(other, others)) if one == other:
                return match_in_order(sides, others, self.agree)
            case (SetOperation(one, parts), SetOperation(other, others)) | (
                Logic(one, parts),
                Logic(other, others),
            ) if one == other:
                matcher = match_in_order if one == "difference" else match_any_order
                return matcher(parts, others, self.agree)
            case SetBuilder(element, condition), SetBuilder(other_element, other_condition):
                if not symbols(other_element) <= symbols(other_condition):
                    return Finding(False, "structure", "a set of something else")
                for name, other_name in zip(sorted(symbols(element)), sorted(symbols(other_element)), strict=False):
                    other_element = substitute(other_element, other_name, Symbol(name))
                    other_condition = substitute(other_condition, other_name, Symbol(name))
                return match_in_order((element, condition), (other_element, other_condition), self._statement)
            case Group(items), Group(others) if brackets(right) == brackets(given):  # type: ignore[arg-type]
                return match_in_order(items, others, self.agree)
        return Finding(False, found.stage, found.rule)

    def _solved(self, right: Peeled, given: Peeled) -> Finding:
        """Compare an equation with what may be its solution for one variable."""
        for one, other in ((right.value, given.value), (given.value, right.value)):
            if not isinstance(one, Relation) or one.operators != ("=",) or other is None:
                continue
            if not isinstance(other, _ARRANGED) and solves(_sides(one), other):
                return Finding(True, "numeric", "the equation solved for a variable")
        if isinstance(given.value, Relation) and _defines(given.value) and not isinstance(right.value, _ARRANGED):
            return self.agree(_some(right.value), given.value.sides[-1])
        return Finding(False, "structure", "an equation on one side only")

    def _lists(self, right: Node, given: Node) -> Finding:
        ours, theirs = items_of(right), items_of(given)
        if isinstance(right, Matrix) and theirs is not None and not isinstance(given, SetOf):
            return self._matrices(right, given)
        if isinstance(given, Matrix) and ours is not None and not isinstance(right, SetOf):
            return self._matrices(right, given)
        if ours is None or theirs is None:
            return self._against_one(right, given)
        if isinstance(right, SetOf) and len(right.items) == 1 and isinstance(given, Group):
            return self.agree(right.items[0], given)
        if isinstance(given, SetOf) and len(given.items) == 1 and isinstance(right, Group):
            return self.agree(right, given.items[0])
        if {type(right), type(given)} == {Group, SetOf}:
            return Finding(False, "structure", "an ordered list and a set")
        if isinstance(right, Group) and isinstance(given, Group) and brackets(right) != brackets(given):
            return Finding(False, "structure", "other brackets")
        if Sequence in (type(right), type(given)) and any(map(is_closed_pair, (right, given))):
            return Finding(False, "structure", "a closed interval and a list")
        ordered = Group in (type(right), type(given)) or self.policy.order == "strict"
        labels = labels_of(ours), labels_of(theirs)
        if labels[0] and labels[1] and set(labels[0]) == set(labels[1]):
            theirs = tuple(theirs[labels[1].index(label)] for label in labels[0])
            ordered = True
        elif labels[0] and isinstance(given, Group):
            ours = by_label(ours, labels[0])
        elif labels[1] and isinstance(right, Group):
            theirs = by_label(theirs, labels[1])
        elif labels[0] and len(theirs) == len(ours):
            ordered = True
        if (isinstance(right, SetOf) and isinstance(given, SetOf)) or not self.policy.multiset:
            ours, theirs = self._distinct(ours), self._distinct(theirs)
        ours, theirs = expanded(ours), expanded(theirs)
        return (match_in_order if ordered else match_any_order)(ours, theirs, self.agree)

    def _against_one(self, right: Node, given: Node) -> Finding:
        """Compare a list with a single value: only a list of one is one."""
        items = items_of(right) or items_of(given) or ()
        if len(items) != 1:
            if items_of(right) is None and isinstance(right, Constant) and not items:
                return Finding(right.name == "empty", "structure", "the empty set")
            return Finding(False, "structure", f"a list of {len(items)} and a single value")
        return self.agree(items[0], given) if items_of(right) else self.agree(right, items[0])

    def _distinct(self, items: tuple[Node, ...]) -> tuple[Node, ...]:
        kept: list[Node] = []
        for item in items[:50]:
            if not any(self.agree(other, item).equal for other in kept):
                kept.append(item)
        return (*kept, *items[50:])

    def _matrices(self, right: Node, given: Node) -> Finding:
        if isinstance(right, Matrix) and isinstance(given, Matrix):
            if (len(right.rows), len(right.rows[0])) != (len(given.rows), len(given.rows[0])):
                return Finding(False, "structure", "matrices of other shapes")
            return match_in_order(entries(right), entries(given), self.agree)
        vector, items = (right, items_of(given)) if isinstance(right, Matrix) else (given, items_of(right))
        if not isinstance(vector, Matrix) or items is None or 1 not in (len(vector.rows), len(vector.rows[0])):
            return Finding(False, "structure", "a matrix on one side only")
        vector_entries = entries(vector)
        pair = (vector_entries, items) if isinstance(right, Matrix) else (items, vector_entries)
        return match_in_order(*pair, self.agree)

    def _ratios(self, right: Ratio, given: Ratio) -> Finding:
        if len(right.parts) != len(given.parts):
            return Finding(False, "structure", "ratios of several lengths")
        first, other = right.parts[0], given.parts[0]
        ours = [Product((part, other)) for part in right.parts]
        theirs = [Product((part, first)) for part in given.parts]
        return match_in_order(ours, theirs, lambda one, two: values_agree(one, two, self.policy))


def _defines(equation: Relation) -> bool:
    """Whether an equation works a sum of variables out: `a + b = 2k` says that it is `2k`, and `m + n = 17` 17."""
    left, right = equation.sides[0], equation.sides[-1]
    plain = isinstance(left, Sum) and all(isinstance(term, Symbol | Constant) for term in left.terms)
    rest = peel(Relation(equation.operators[1:], equation.sides[1:])) if len(equation.sides) > 2 else peel(right)
    holds = set(equation.operators) == {"="} and rest.value is not None
    return holds and plain and right != ZERO and not symbols(left) & symbols(right)


def contradicts(node: Node) -> bool:
    """Whether a tree is a chain of equations that does not hold, `7 = 5`."""
    return isinstance(node, Relation) and peel(node).value is None


def _comparable(one: Relation, other: Relation) -> bool:
    both = (*one.operators, *other.operators)
    return len(both) == 2 and all(operator in _OPPOSITE or operator == "!=" for operator in both)


def _sides(node: Relation) -> tuple[Node, Node]:
    return node.sides[0], node.sides[1]


def _renamed(right: Peeled, given: Peeled) -> tuple[Node, Node]:
    """Give two functions that are defined with other letters the same one: `f(z) = z` is `f(x) = x`."""
    one, other = right.value, given.value
    match right.label, given.label:
        case Call(_, (Symbol(name),)), Call(_, (Symbol(other_name),)) if name != other_name:
            return substitute(_some(one), name, _STAND_IN), substitute(_some(other), other_name, _STAND_IN)
    return _some(one), _some(other)


def _some(node: Node | None) -> Node:
    assert node is not None
    return node


def _ascending(node: Node) -> Node:
    """Turn a chain of "greater" around."""
    if isinstance(node, Relation) and all(operator in (">", ">=") for operator in node.operators):
        return Relation(tuple(_OPPOSITE[operator] for operator in reversed(node.operators)), node.sides[::-1])
    return node


def _bare_set(node: Node) -> Node:
    r"""Return the set of `x \\in S` or `D = S`."""
    if isinstance(node, Relation) and node.operators in (("in",), ("=",)) and is_label(node.sides[0]):
        return node.sides[1]
    return node.value if isinstance(node, Labelled) else node


def _infinite(node: Node) -> int:
    match node:
        case Constant("infinity"):
            return 1
        case Product((Number(value, _), Constant("infinity"))) if value:
            return 1 if value > 0 else -1
    return 0


def _kind(node: Node) -> str:
    return type(node).__name__.lower()
