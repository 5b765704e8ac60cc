"""Two expressions have the same value or not; what cannot be told is said to be unknown."""

from __future__ import annotations

import threading
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mars.symbolic.numeric import Answer, Outcome, real_value, same_value
from mars.symbolic.tree import Call, Node, Number, Power, Product, Quantity, Sum, Symbol
from tests.mars.symbolic.trees import (
    IMAGINARY,
    INFINITY,
    PI,
    E,
    add,
    call,
    fold,
    minus,
    mul,
    nines,
    node,
    over,
    power,
    root,
)

SAME, DIFFERENT, UNKNOWN = Outcome.SAME, Outcome.DIFFERENT, Outcome.UNKNOWN
N_OVER_TWO = over(mul("n", add("n", 1)), 2)
BILLION = power(10, 9)

CASES: list[tuple[Node, Node, Outcome, str]] = [
    (power(10, -20), power(10, -30), DIFFERENT, "tiny numbers are compared exactly"),
    (power(2, -99), power(2, -98), DIFFERENT, "no absolute tolerance"),
    (over(1, call("factorial", 2004)), over(1, call("factorial", 2006)), DIFFERENT, "no underflow"),
    (power(2024, 4046), mul(2024, power(2024, 4045)), SAME, "large numbers are compared exactly"),
    (power(add("x", 1), 2), add(power("x", 2), mul(2, "x"), 1), SAME, "expanded"),
    (power(add("x", 1), 2), add(power("x", 2), mul(2, "x"), 2), DIFFERENT, "off by one"),
    (over(minus(power("x", 2), 1), minus("x", 1)), add("x", 1), SAME, "where both are defined"),
    (power("x", 2024), mul("x", power("x", 2023)), SAME, "a high degree"),
    (add("x", power(10, -40)), node("x"), DIFFERENT, "a tiny constant is no rounding"),
    (add("x", 1), add("y", 1), DIFFERENT, "other variables"),
    (root(over(1, "n")), over(1, root("n")), SAME, "agree wherever both are real"),
    (root(power("x", 2)), node("x"), DIFFERENT, "a root is not negative"),
    (root(power("x", 2)), call("abs", "x"), SAME, "the absolute value"),
    (root(-8, 3), node(-2), SAME, "odd roots are real"),
    (root(add(5, mul(2, root(6)))), add(root(2), root(3)), SAME, "nested radicals"),
    (root(add(5, mul(2, root(6)))), add(root(2), root(3), power(10, -25)), DIFFERENT, "nested radicals and a bit"),
    (mul(2, call("arcsin", root("a"))), call("arccos", minus(1, mul(2, "a"))), SAME, "a narrow domain"),
    (call("ln", power(minus("x", 3), 2)), mul(2, call("ln", minus("x", 3))), SAME, "another domain"),
    (add(power(call("sin", "x"), 2), power(call("cos", "x"), 2)), node(1), SAME, "Pythagoras"),
    (
        add(power(call("sin", "x"), 2), power(call("cos", "x"), 2), power(10, -30)),
        node(1),
        DIFFERENT,
        "Pythagoras and a bit",
    ),
    (minus(mul(4, call("arctan", Fraction(1, 5))), call("arctan", Fraction(1, 239))), over(PI, 4), SAME, "Machin"),
    (power(E, mul(PI, root(163))), add(power(640320, 3), 744), DIFFERENT, "Ramanujan's near miss"),
    (add(root(2), power(E, -1000)), root(2), DIFFERENT, "a term 434 digits below"),
    (call("sign", PI), node(1 + Fraction(1, 10**200)), DIFFERENT, "a number of 200 digits"),
    (power(E, call("ln", add(10**80, PI))), add(10**80 + 1, PI), DIFFERENT, "the last of 80 digits"),
    (add(root(2), power(2, -9000)), root(2), UNKNOWN, "a term that no affordable precision sees"),
    (call("log", 2, "x"), over(call("ln", "x"), call("ln", 2)), SAME, "change of base"),
    (call("sin", power(10, 22)), call("sin", power(10, 23)), DIFFERENT, "large arguments"),
    (call("floor", power(root(2), 2)), node(2), SAME, "rounding does not reach over a step"),
    (call("max", "x", "y"), over(add("x", "y", call("abs", minus("x", "y"))), 2), SAME, "the larger one"),
    (call("min", add(power(10, 90), "x"), power("y", 2)), power("y", 2), SAME, "the smaller one by far"),
    (call("min", add(power(10, 90), "x"), power("y", 2)), power("y", 3), DIFFERENT, "no error from the larger one"),
    (power(add(1, IMAGINARY), 8), node(16), SAME, "complex numbers"),
    (add(power(E, mul(IMAGINARY, PI)), 1), node(0), SAME, "Euler"),
    (power(E, mul(IMAGINARY, "x")), add(call("cos", "x"), mul(IMAGINARY, call("sin", "x"))), SAME, "de Moivre"),
    (
        power(E, mul(IMAGINARY, "x")),
        minus(call("cos", "x"), mul(IMAGINARY, call("sin", "x"))),
        DIFFERENT,
        "its conjugate",
    ),
    (add(2, mul(3, IMAGINARY)), node(2), DIFFERENT, "an imaginary part counts"),
    (fold("sum", "k", 1, "n", "k"), N_OVER_TWO, SAME, "symbolic bounds"),
    (fold("sum", "k", 1, "n", power("k", 2)), N_OVER_TWO, DIFFERENT, "squares are not their roots"),
    (fold("sum", "j", 1, "n", "j"), fold("sum", "k", 1, "n", "k"), SAME, "bound variables may be renamed"),
    (
        over(call("factorial", "n"), mul(call("factorial", "k"), call("factorial", minus("n", "k")))),
        call("binomial", "n", "k"),
        SAME,
        "integers where only integers can be meant",
    ),
    (power(-1, "n"), call("cos", mul("n", PI)), SAME, "a power of a negative number"),
    (call("f", add("x", 1)), call("f", add(1, "x")), SAME, "an unknown function of the same"),
    (call("f", add("x", 1)), call("f", add("x", 2)), DIFFERENT, "an unknown function of something else"),
    (call("f", "x", "y"), call("f", "y", "x"), DIFFERENT, "the order of arguments"),
    (call("f", "x"), call("g", "x"), DIFFERENT, "another unknown function"),
    (Quantity(Symbol("x"), "%"), over("x", 100), SAME, "per cent"),
    (Quantity(node(45), "degree"), over(PI, 4), SAME, "degrees"),
    (Quantity(node(5), "km"), node(5), UNKNOWN, "units are not numbers"),
    (INFINITY, INFINITY, SAME, "identical"),
    (INFINITY, node("x"), UNKNOWN, "infinity is no number"),
    (
        fold("integral", "t", 0, "x", call("f", "t")),
        fold("integral", "u", 0, "x", call("f", "u")),
        SAME,
        "the same integral",
    ),
    (fold("integral", "t", 0, 1, "t"), node(Fraction(1, 2)), UNKNOWN, "integrals are left to algebra"),
    (fold("sum", "k", 1, INFINITY, power("k", -2)), over(power(PI, 2), 6), UNKNOWN, "so are infinite sums"),
    (over(1, call("sin", PI)), node(3), UNKNOWN, "a hidden division by zero"),
    (nines(4), node(1), DIFFERENT, "a tower and a number"),
    (nines(4), nines(4, top=10), DIFFERENT, "two towers"),
    (nines(6), nines(5), DIFFERENT, "towers of other heights"),
    (power(2, power(10, 6)), add(power(2, power(10, 6)), 1), DIFFERENT, "a million bits and one"),
    (power(4, power(10, 30)), power(2, mul(2, power(10, 30))), SAME, "the same number, which nobody can write"),
    (call("factorial", BILLION), node(1), DIFFERENT, "a factorial that nobody can write"),
    (call("factorial", BILLION), add(call("factorial", BILLION), 1), UNKNOWN, "nor tell from the next number"),
    (fold("sum", "k", 1, BILLION, power("k", "k")), node(1), UNKNOWN, "a sum that nobody adds"),
]


@pytest.mark.parametrize(("first", "second", "outcome", "why"), CASES, ids=[why for *_, why in CASES])
def test_outcome_either_way_round(first: Node, second: Node, outcome: Outcome, why: str) -> None:
    assert same_value(first, second).outcome is outcome
    assert same_value(second, first) == same_value(first, second)


def test_variables_may_be_declared_integers() -> None:
    first, second = call("sin", mul("k", PI)), node(0)
    assert same_value(first, second).outcome is DIFFERENT
    assert same_value(first, second, integers=frozenset("k")).outcome is SAME


def test_a_difference_of_negative_numbers_only_is_named() -> None:
    assert same_value(root(power("x", 2)), Symbol("x")) == Answer(DIFFERENT, "differs at a negative point")


def test_deep_and_large_trees_are_not_walked() -> None:
    deep: Node = Symbol("x")
    for _ in range(5_000):
        deep = Call("sin", (deep,))
    assert same_value(deep, Symbol("x")).outcome is UNKNOWN
    assert same_value(Sum((Symbol("x"),) * 5_000), Symbol("x")).outcome is UNKNOWN


def test_the_precision_of_the_host_program_stays() -> None:
    before = mpmath.mp.dps
    same_value(root(add(5, mul(2, root(6)))), add(root(2), root(3)))
    assert mpmath.mp.dps == before


def test_threads_do_not_disturb_each_other() -> None:
    seen: list[Answer] = []

    def work() -> None:
        for first, second, *_ in CASES[15:25]:
            seen.append(same_value(first, second))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = [same_value(first, second) for first, second, *_ in CASES[15:25]]
    assert sorted(map(repr, seen)) == sorted(map(repr, alone * 4))


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (Number(Fraction(1, 3)), "0.3333333333333333333333333"),
        (root(2), "1.414213562373095048801688724"),
        (over(PI, 4), "0.785398163397448309615660845"),
        (call("sin", PI), "0"),
        (root(-1), None),
        (Symbol("x"), None),
        (nines(4), None),
    ],
)
def test_real_value(tree: Node, expected: str | None) -> None:
    value = real_value(tree)
    if expected is None or value is None:
        assert value is expected
    else:
        assert abs(value - Fraction(expected)) < Fraction(1, 10**24)


def expressions() -> st.SearchStrategy[Node]:
    leaves = st.sampled_from(["x", "y", PI, E, 2, 3, -1, Fraction(1, 2), Fraction(-7, 3)]).map(node)

    def grow(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        few = st.lists(inner, min_size=2, max_size=3).map(tuple)
        names = st.sampled_from(["sin", "cos", "exp", "ln", "arctan", "abs", "f"])
        exponents = st.sampled_from([-1, 2, 3, Fraction(1, 2), Fraction(1, 3)]).map(node)
        return st.one_of(
            few.map(Sum),
            few.map(Product),
            st.builds(Power, inner, exponents),
            st.builds(lambda name, argument: Call(name, (argument,)), names, inner),
        )

    return st.recursive(leaves, grow, max_leaves=8)


def rewritten(tree: Node) -> Node:
    """Return the same value in another shape: terms turned round, every number split, every variable shifted."""
    match tree:
        case Sum(terms):
            return Sum(tuple(rewritten(term) for term in reversed(terms)))
        case Product(factors):
            return Product(tuple(rewritten(factor) for factor in reversed(factors)))
        case Power(base, exponent):
            return Power(rewritten(base), exponent)
        case Call(name, arguments):
            return Call(name, tuple(map(rewritten, arguments)))
        case Number(value):
            return add(value - 5, 5)
        case Symbol():
            return mul(Fraction(1, 3), add(tree, tree, tree))
    return tree


@settings(deadline=None)
@given(expressions(), expressions())
def test_exchanging_the_two_changes_nothing(first: Node, second: Node) -> None:
    assert same_value(first, second) == same_value(second, first)


@settings(deadline=None)
@given(expressions())
def test_a_rewritten_expression_is_never_different(tree: Node) -> None:
    assert same_value(tree, rewritten(tree)).outcome is not DIFFERENT


@settings(deadline=None)
@given(expressions(), st.integers(1, 60))
def test_what_is_a_bit_more_is_never_the_same(tree: Node, digits: int) -> None:
    assert same_value(tree, add(rewritten(tree), power(10, -digits))).outcome is not SAME
