"""Whether two expressions have the same value, at every point where both have one: in stages, the certain ones first.

1. Both are rational numbers: exact arithmetic decides.
2. Both are rational functions: random points modulo large primes decide.
3. Otherwise points in floats with error bounds, where a difference beyond the bounds proves that they differ.
4. What agrees in floats is confirmed in 60 digits and more: a difference that is only rounding shrinks with the
   precision, a real one stands still. There is no tolerance anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from mars.symbolic.evaluation import Budget, Exhausted, NoValue, TooLarge, Undefined
from mars.symbolic.exact import rational
from mars.symbolic.floating import Floats, Imprecise, Rough
from mars.symbolic.functions import JUMPING
from mars.symbolic.magnitude import tower
from mars.symbolic.opaque import closed
from mars.symbolic.residues import same_function
from mars.symbolic.sampling import integer_names, points
from mars.symbolic.settling import Verdict, real_digits, settle
from mars.symbolic.tree import Call, Constant, Node, children, symbols

MAX_NODES = 4_000
MAX_DEPTH = 150
ENOUGH = 5
"""Points at which two expressions must agree."""
_LEAST, _LEAST_JUMPING = 8, 40  # points that are looked at in floats
_MARGIN = 50  # how far a difference exceeds the bounds on its error before it is believed
_COARSE = 1e-6  # relative error above which floats are no first view of a difference
_EXACT_POINTS = 14


class Outcome(Enum):
    """Whether two values are the same."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What comparing two values came to.

    Attributes:
        outcome: Whether they are the same.
        rule: How this is known, in a few words.
    """

    outcome: Outcome
    rule: str


def same_value(first: Node, second: Node, integers: frozenset[str] = frozenset()) -> Answer:
    """Compare the values of two expressions, wherever both are defined and real.

    Args:
        first: An expression.
        second: Another. Exchanging the two changes nothing.
        integers: Variables known to stand for integers, besides those that can only be integers.

    Returns:
        The outcome and its rule. An expression of which floats, exact numbers and digits cannot tell is `UNKNOWN`.
        The rule `differs at a negative point` says that the two agree wherever all variables are positive.
    """
    if not (_moderate(first) and _moderate(second)):
        return Answer(Outcome.UNKNOWN, "a large expression")
    if first == second:
        return Answer(Outcome.SAME, "identical")
    budget = Budget()
    try:
        (one, hidden), (other, hidden_too) = closed(first), closed(second)
        answer = _compare(one, other, integers, budget)
    except Exhausted:
        return Answer(Outcome.UNKNOWN, "too much work")
    except NoValue as why:
        return Answer(Outcome.UNKNOWN, f"no value: {why}")
    if answer.outcome is Outcome.DIFFERENT and (hidden or hidden_too):
        return Answer(Outcome.UNKNOWN, "an integral, a limit or an infinite sum")
    return answer


def real_value(node: Node) -> Fraction | None:
    """Return the value of a constant to 30 significant digits, exactly where it is rational.

    Args:
        node: An expression without variables.

    Returns:
        The value; `None` if it is not real, not known, or has more than 1,000 digits before or behind the point.
    """
    if not _moderate(node):
        return None
    budget = Budget()
    try:
        exact = rational(node, {}, budget)
    except TooLarge:
        return None
    try:
        return real_digits(node, budget) if exact is None else exact
    except (NoValue, Undefined, TooLarge):
        return None


def _moderate(node: Node) -> bool:
    """Tell whether a tree is small and shallow enough to be walked."""
    level, count = [node], 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if not level or count > MAX_NODES:
            break
        level = [child for each in level for child in children(each)]
    return not level


def _compare(first: Node, second: Node, integers: frozenset[str], budget: Budget) -> Answer:
    names = symbols(first) | symbols(second)
    if not names and (answer := _exactly(first, second, budget)):
        return answer
    if (same := same_function(first, second, budget)) is not None:
        return Answer(Outcome.SAME if same else Outcome.DIFFERENT, "rational functions at random points")
    whole = names & (integers | integer_names(first) | integer_names(second))
    if names and names == whole and (answer := _at_integers(first, second, names, budget)):
        return answer
    one, other = sorted((first, second), key=repr)  # so that no order of evaluation shows
    answer = Probe(one, other, whole, budget).run()
    if answer.outcome is Outcome.UNKNOWN and not names and (apart := _towers(first, second)):
        return apart
    return answer


def _exactly(first: Node, second: Node, budget: Budget) -> Answer | None:
    try:
        one = rational(first, {}, budget)
        other = None if one is None else rational(second, {}, budget)
    except Exhausted:
        raise
    except TooLarge:
        return _towers(first, second)
    if one is None or other is None:
        return None
    return Answer(Outcome.SAME if one == other else Outcome.DIFFERENT, "exact numbers")


def _towers(first: Node, second: Node) -> Answer | None:
    one, other = tower(first), tower(second)
    apart = one is not None and other is not None and one.apart(other)
    return Answer(Outcome.DIFFERENT, "orders of magnitude") if apart else None


def _at_integers(first: Node, second: Node, names: frozenset[str], budget: Budget) -> Answer | None:
    """Compare exactly at natural numbers; `None` where that is not possible."""
    agreed = 0
    for point in points(names, names):
        try:
            one, other = rational(first, point, budget), rational(second, point, budget)
        except Exhausted:
            raise
        except TooLarge:
            continue
        if one is None or other is None:
            continue
        if one != other:
            return Answer(Outcome.DIFFERENT, "exact numbers at a point")
        agreed += 1
        if agreed == _EXACT_POINTS:
            return Answer(Outcome.SAME, f"exact numbers at {agreed} points")
    return None


@dataclass
class Probe:
    """Two expressions, looked at from point to point.

    Attributes:
        first: One expression.
        second: The other.
        integers: The variables that stand for integers.
        budget: The work that is left.
    """

    first: Node
    second: Node
    integers: frozenset[str]
    budget: Budget
    agreeing: dict[str, list[tuple[Mapping[str, Fraction], float | None]]] = field(default_factory=dict)
    differing: dict[str, Mapping[str, Fraction]] = field(default_factory=dict)

    def run(self) -> Answer:
        """Look in floats until enough points agree, then confirm them in digits."""
        names = symbols(self.first) | symbols(self.second)
        self.complex = _mentions(self.first, _imaginary) or _mentions(self.second, _imaginary) or not names
        self.agreeing = {"real": [], "complex": [], "blurred": []}
        self.differing = {}
        jumping = _mentions(self.first, _jumps) or _mentions(self.second, _jumps)
        least = _LEAST_JUMPING if jumping else _LEAST
        wanted = ENOUGH if names else 1
        for index, point in enumerate(points(names, self.integers)):
            kind, gap, apart = self._glance(point)
            if apart:
                if kind == "real" or self.complex:
                    negative = any(value < 0 for value in point.values()) and len(self.agreeing["real"]) >= 3
                    return Answer(Outcome.DIFFERENT, f"differs at a {'negative ' * negative}point")
                self.differing.setdefault(kind, point)
            elif kind != "undefined":
                self.agreeing[kind].append((point, gap))
            agreed = len(self.agreeing["real"]) + self.complex * len(self.agreeing["complex"])
            if index + 1 >= least and agreed >= wanted:
                break
        return self._confirm(wanted)

    def _glance(self, point: Mapping[str, Fraction]) -> tuple[str, float | None, bool]:
        """Return what kind of values meet at a point, the error of their difference, and whether they surely differ."""
        try:
            one = Floats(point, self.budget).value(self.first)
            other = Floats(point, self.budget).value(self.second)
        except Undefined:
            return "undefined", None, False
        except Exhausted:
            raise
        except (Imprecise, TooLarge):
            return "blurred", None, False
        kinds = {_is_real(one), _is_real(other)}
        gap = one[1] + other[1]
        apart = abs(one[0] - other[0]) > _MARGIN * gap
        if gap > _COARSE * (abs(one[0]) + abs(other[0])):
            gap = None  # agreeing within that says nothing
        if len(kinds) == 2:
            return ("mixed", gap, True) if apart else ("blurred", gap, False)
        return "real" if kinds == {True} else "complex", gap, apart

    def _confirm(self, wanted: int) -> Answer:
        """Settle the points that agreed in floats, and those of which floats could not tell."""
        real, complex_, blurred = self.agreeing["real"], self.agreeing["complex"], self.agreeing["blurred"]
        if not real and not blurred:
            if self.differing:
                return Answer(Outcome.DIFFERENT, "differs at a complex point")
            self.complex = True
        narrow = len(real) < wanted and not self.differing  # principal values confirm what is real in too few points
        candidates = real + (complex_ if self.complex or narrow else [])
        agreed, digits = 0, 0
        for point, gap in candidates[: wanted + 1] + blurred[: 4 * wanted]:
            found = settle(self.first, self.second, point, gap, self.budget)
            if found.verdict is Verdict.APART and (found.real or self.complex):
                return Answer(Outcome.DIFFERENT, f"differs at a point in {found.digits} digits")
            if found.verdict is Verdict.SAME and (found.real or self.complex or narrow):
                agreed, digits = agreed + 1, max(digits, found.digits)
            if agreed == wanted:
                where = f"at {agreed} points " if wanted > 1 else ""
                return Answer(Outcome.SAME, f"agrees {where}to {digits} digits")
        return Answer(Outcome.UNKNOWN, "too few points where both are defined")


def _is_real(value: Rough) -> bool:
    return not isinstance(value[0], complex) or abs(value[0].imag) <= _MARGIN * value[1]


def _imaginary(node: Node) -> bool:
    return isinstance(node, Constant) and node.name == "i"


def _jumps(node: Node) -> bool:
    return isinstance(node, Call) and node.name in JUMPING


def _mentions(node: Node, what: Callable[[Node], bool]) -> bool:
    return what(node) or any(_mentions(child, what) for child in children(node))
