"""Whether two values are the same under a policy: exactly, as rounded decimals, with units, as percentages."""

from __future__ import annotations

from fractions import Fraction

from mars.symbolic.evaluation import NoValue, TooLarge, Undefined
from mars.symbolic.exact import rational
from mars.symbolic.form import is_expanded, is_factored, is_simplest, operations
from mars.symbolic.numeric import Outcome, real_value, same_value
from mars.symbolic.policy import Policy
from mars.symbolic.tree import Based, Constant, Node, Number, Power, Product, Quantity, Ratio, Symbol, children, symbols
from mars.symbolic.types import Finding
from mars.symbolic.units import convert, is_known, same_dimension

_DEGREE = Product((Constant("pi"), Number(Fraction(1, 180))))
_LONGEST = 1000
_LEAST_DIGITS = 3
_GENERIC = frozenset(("unit", "units"))


def values_agree(reference: Node, answer: Node, policy: Policy) -> Finding:
    """Compare two expressions, which may be quantities.

    Args:
        reference: The right one.
        answer: The one to judge.
        policy: What counts as the same.
    """
    if isinstance(reference, Quantity) or isinstance(answer, Quantity):
        reference, answer = _measured(reference, answer), _measured(answer, reference)
        return _quantities(reference, answer, policy)
    return _numbers(reference, answer, policy)


def _quantities(reference: Node, answer: Node, policy: Policy) -> Finding:
    right, unit = (reference.value, reference.unit) if isinstance(reference, Quantity) else (reference, None)
    given, other = (answer.value, answer.unit) if isinstance(answer, Quantity) else (answer, None)
    if unit == other or {unit, other} <= _GENERIC | {None}:
        return _numbers(right, given, policy)
    if unit is not None and other is not None:
        return _converted(right, unit, given, other, policy)
    only = unit or other
    if only == "%":
        return _percent(reference, answer, right, given, policy)
    if only == "degree":
        found = _numbers(right, given, policy)
        if found.equal:
            return found
        scale = _DEGREE if isinstance(answer, Quantity) else Power(_DEGREE, Number(Fraction(-1)))
        turned = _numbers(right, Product((given, scale)), policy)
        return Finding(True, turned.stage, "degrees in radians") if turned.equal else found
    if policy.units == "required":
        return Finding(False, "structure", f"unit {only} on one side only")
    return _numbers(right, given, policy)


def _measured(node: Node, other: Node) -> Node:
    """Read `5000 m` as a quantity where the other side measures the same kind of thing."""
    match node, other:
        case Product((value, Symbol(name))), Quantity(_, unit) if is_known(name) and same_dimension(name, unit):
            return Quantity(value, name)
    return node


def _percent(reference: Node, answer: Node, right: Node, given: Node, policy: Policy) -> Finding:
    as_value = _percent_value(reference, answer, policy)
    if as_value.equal or policy.percent == "value":
        return as_value
    # The mark may stand in the question: "what percent?" is answered by 10 as well as by 10%. A number up to one is
    # more likely a share, of which half a percent is another.
    bare = _numbers(right, given, policy)
    value = real_value(given) if bare.equal and not symbols(given) else None
    if value is None or abs(value) <= 1:
        return as_value
    return Finding(True, bare.stage, "percent sign left out")


def _percent_value(reference: Node, answer: Node, policy: Policy) -> Finding:
    """Compare in percent, so that a rounded percentage keeps the places that it was given with."""
    if isinstance(reference, Quantity):
        return _numbers(reference.value, _hundredfold(answer), policy)
    if isinstance(answer, Quantity):
        return _numbers(_hundredfold(reference), answer.value, policy)
    return _numbers(reference, answer, policy)


def _hundredfold(node: Node) -> Node:
    if isinstance(node, Number):
        places = None if node.places is None else max(node.places - 2, 0)
        return Number(node.value * 100, places)
    return Product((node, Number(Fraction(100))))


def _converted(right: Node, unit: str, given: Node, other: str, policy: Policy) -> Finding:
    if not same_dimension(unit, other):
        if is_known(unit) or is_known(other):
            return Finding(False, "structure", f"{other} is not {unit}")
        return Finding(False, "structure", f"the words {other!r} and {unit!r}")
    exact = _rational(given)
    if exact is not None and (value := convert(exact, other, unit)) is not None:
        return _numbers(right, Number(value), policy)
    zero, one = convert(Fraction(0), other, unit), convert(Fraction(1), other, unit)
    if zero != 0 or one is None:
        return Finding(None, "structure", "scales with other zero points")
    return _numbers(right, Product((given, Number(one))), policy)


def _rational(node: Node) -> Fraction | None:
    if symbols(node):
        return None
    try:
        return rational(node)
    except (TooLarge, Undefined, NoValue):
        return None


def _numbers(reference: Node, answer: Node, policy: Policy) -> Finding:
    reference, answer = _quotient(reference), _quotient(answer)
    if isinstance(reference, Based) and policy.base == "required" and _base(answer) != reference.base:
        return Finding(False, "structure", f"not written in base {reference.base}")
    refused = policy.unevaluated == "refused" and not operations(reference) and not _is_complex(answer)
    left = operations(answer) if refused else frozenset()
    if left and not _is_rounded(reference):
        return Finding(False, "structure", f"left to be computed: {', '.join(sorted(left))}")
    found = same_value(reference, answer)
    if found.outcome is Outcome.SAME:
        if policy.form != "value" and not _has_form(answer, policy.form):
            return Finding(False, "structure", f"not {policy.form}")
        return Finding(True, "exact" if "exact" in found.rule else "numeric", found.rule)
    rounded = _rounded(reference, answer, policy)
    if rounded is not None:
        return rounded
    if found.outcome is Outcome.DIFFERENT:
        return Finding(False, "exact" if "exact" in found.rule else "numeric", found.rule)
    return Finding(None, "numeric", found.rule)


def _is_rounded(reference: Node) -> bool:
    """Whether a reference may be the rounded value of what it was computed from."""
    value, places = _decimal(reference)
    return value is not None and bool(places) and significant(value, places or 0) >= _LEAST_DIGITS


def _is_complex(node: Node) -> bool:
    """Whether an expression has the imaginary unit in it, whose polar forms need functions."""
    return node == Constant("i") or any(map(_is_complex, children(node)))


def _base(node: Node) -> int:
    return node.base if isinstance(node, Based) else 10


def _quotient(node: Node) -> Node:
    """Read `a : b` as a quotient."""
    if isinstance(node, Ratio) and len(node.parts) == 2:
        return Product((node.parts[0], Power(node.parts[1], Number(Fraction(-1)))))
    return node


def _rounded(reference: Node, answer: Node, policy: Policy) -> Finding | None:
    """Accept one side as the other's rounded value, where the policy allows that; `None` when it does not."""
    if symbols(reference) or symbols(answer):
        return None
    right, right_places = _decimal(reference)
    given, given_places = _decimal(answer)
    if right_places is None and given_places is None and not policy.tolerance:
        return None
    right = _value(reference) if right is None else right
    given = _value(answer) if given is None else given
    if right is None or given is None or (right.denominator == 1 == given.denominator):
        return None
    gap = abs(right - given)
    if policy.tolerance and gap <= policy.tolerance * abs(right):
        return Finding(True, "numeric", f"within {policy.tolerance} of the reference")
    if _rounds_to(right, right_places, gap, given, given_places, answer, policy):
        return Finding(True, "numeric", f"rounds to the reference's {right_places} places")
    if _stands_for(right, right_places, gap, given, given_places, policy):
        return Finding(True, "numeric", f"the reference to {given_places} places")
    if _coarser(right, right_places, given, given_places, policy):
        return Finding(True, "numeric", f"the reference rounded to {given_places} places")
    return None


def _rounds_to(
    right: Fraction,
    right_places: int | None,
    gap: Fraction,
    given: Fraction,
    given_places: int | None,
    answer: Node,
    policy: Policy,
) -> bool:
    """Whether a reference in decimals is the answer, rounded.

    A reference of three significant digits or more may be rounded; `0.5` is more likely a half. An answer in decimals
    must be clearly longer: 12.46 is no way to write 12.5.
    """
    if policy.rounding != "reference" or not right_places or significant(right, right_places) < _LEAST_DIGITS:
        return False
    if given_places is not None and given_places < right_places + 2:
        return False
    if given_places is None and isinstance(answer, Number) and answer.value.denominator == 1:
        return False
    return gap <= Fraction(1, 2 * 10**right_places)


def _stands_for(
    right: Fraction, right_places: int | None, gap: Fraction, given: Fraction, given_places: int | None, policy: Policy
) -> bool:
    """Whether an answer in decimals stands for an exact reference that has no short decimal form."""
    if policy.decimals is None or right_places is not None or given_places is None:
        return False
    if given_places < policy.decimals or significant(given, given_places) < min(4, policy.decimals):
        return False
    scaled = right * 10**given_places
    cut_off = abs(given) * 10**given_places == abs(scaled) // 1 and (right < 0) == (given < 0)
    return scaled.denominator != 1 and (cut_off or gap <= Fraction(1, 2 * 10**given_places))


def _coarser(
    right: Fraction, right_places: int | None, given: Fraction, given_places: int | None, policy: Policy
) -> bool:
    """Whether the answer is the decimal reference, rounded further but not too far."""
    if policy.coarser is None or right_places is None:
        return False
    places = given_places or 0
    if not places or places >= right_places or significant(given, places) < policy.coarser:
        return False
    return abs(right - given) <= Fraction(1, 2 * 10**places)


def significant(value: Fraction, places: int) -> int:
    """Return how many significant digits a decimal has."""
    digits = abs(round(value * 10**places))
    # Python refuses to write out thousands of digits; so many are more than any policy asks for.
    return len(str(digits).lstrip("0")) if digits.bit_length() < _LONGEST else _LONGEST


def _decimal(node: Node) -> tuple[Fraction | None, int | None]:
    """Return the value and the places of a number in decimals, perhaps with a sign or a power of ten."""
    match node:
        case Number(value, places):
            return value, places
        case Product((Number(sign, None), Number(value, places))) if abs(sign) == 1:
            return sign * value, places
        case Product((Number(value, int(places)), Power(Number(ten, None), Number(power, None)))) if (
            ten == 10 and power.denominator == 1 and abs(power) < 400
        ):
            return value * Fraction(10) ** int(power), max(places - int(power), 0)
    return None, None


def _value(node: Node) -> Fraction | None:
    """Return a constant's value, exactly or to sixty digits."""
    exact = _rational(node)
    if exact is not None:
        return exact
    return real_value(node)


def _has_form(node: Node, form: str) -> bool:
    """Whether an expression has the shape that was asked for, on its surface."""
    return {"factored": is_factored, "expanded": is_expanded, "simplest": is_simplest}[form](node)
