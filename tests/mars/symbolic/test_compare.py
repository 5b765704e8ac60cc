r"""The specification of what counts as the same answer under the default policy: (reference, answer, verdict, why)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic import MATH, PROFILES, Policy, verify

NUMBERS = [
    ("1/8", "0.125", True, "an exact decimal"),
    ("0.125", r"\frac{1}{8}", True, "either way"),
    (r"\frac{6}{4}", r"1\frac{1}{2}", True, "a mixed number"),
    ("2500", "2,500", True, "thousands"),
    ("2500", "2, 500", False, "a list of two"),
    ("1048576", "2^{20}", True, "a power"),
    ("7", "007", True, "leading zeros"),
    (r"\frac{1}{3^{70}}", r"\frac{1}{3^{69}}", False, "tiny numbers are exact"),
    ("3^{200}", "3^{200}+1", False, "and so are huge ones"),
    (r"10^{-25}", r"10^{-35}", False, "small does not make equal"),
    ("1/2010!", "1/2011!", False, "factorials are exact"),
    (r"\sqrt{12}", r"2\sqrt{3}", True, "a root simplified"),
    (r"\sqrt{3}+\sqrt{2}", r"\sqrt{5+2\sqrt{6}}", True, "nested roots"),
    (r"\arctan 1", r"\frac{\pi}{4}", True, "a function computed"),
    (r"\frac{\pi}{4}", r"\arctan 1", False, "a function left to be computed"),
    (r"\frac{1}{2}", r"\sin 30^\circ", False, "the problem's own expression"),
    (r"\frac{1}{3}", r"\int_0^1 x^2\,dx", False, "an integral left to be computed"),
    ("120", r"\binom{10}{3}", True, "a binomial may stand"),
    (r"\log_3 81", "4", True, "a logarithm"),
    (r"e^{i\pi}", "-1", True, "a complex power"),
    ("i", "-i", False, "conjugates differ"),
    ("0", r"\sqrt{2}+\sqrt{3}-\sqrt{5+2\sqrt{6}}", True, "zero by cancellation"),
    ("100", "100.0000001", False, "an integer is not approximated"),
]
ROUNDING = [
    ("3.142", r"\pi", True, "a reference in decimals may be rounded"),
    ("0.5", "0.54", False, "two digits are not a rounded value"),
    ("12.5", "12.46", False, "one digit more is another number"),
    ("12.346", "12.345678", True, "several more are the unrounded value"),
    (r"\frac{2}{7}", "0.285714", True, "six places stand for a fraction"),
    (r"\frac{2}{7}", "0.29", False, "two do not"),
    (r"\frac{3}{8}", "0.375001", False, "a fraction with a short decimal form needs no rounding"),
    ("248.37", "248.4", True, "four digits kept"),
    ("248.37", "248", False, "three are too few"),
    ("2.7%", r"\frac{2.71}{100}", False, "a short percentage is exact"),
]
PERCENT_AND_UNITS = [
    ("0.25", r"25\%", True, "percent is a hundredth"),
    (r"25\%", "25", True, "the sign may stand in the question"),
    ("25", r"25\%", True, "on either side"),
    ("0.25", "25", False, "but it is not made up"),
    ("3 km", "3000 m", True, "units convert"),
    ("3 km", "3 m", False, "and are not stripped"),
    ("3 km", "3", True, "a missing unit is forgiven"),
    ("1 hour", "60 minutes", True, "time"),
    (r"2\text{ m}^2", r"20000\text{ cm}^2", True, "areas"),
    (r"4\text{ kg}", r"4\text{ s}", False, "of other things"),
    (r"\$2.50", "250 cents", True, "money"),
    (r"30^\circ", r"\frac{\pi}{6}", True, "degrees and radians"),
    (r"30^\circ", "30", True, "degrees left out"),
    (r"36.87^\circ", r"\arctan\frac{3}{4}", True, "a rounded angle"),
    ("6 apples", "6", True, "a counted thing"),
    ("6 apples", "6 pears", False, "another thing"),
    ("2.5 hours", "2 hours 30 minutes", True, "a quantity in two units"),
    (r"5 \mathrm{~cm}", "5 cm", True, "the space of typesetters"),
]
ALGEBRA = [
    ("x^2-1", "(x-1)(x+1)", True, "expanded"),
    (r"\frac{x+1}{2}", "0.5x+0.5", True, "decimals in an expression"),
    ("x-y", "y-x", False, "the other sign"),
    (r"\sin^2 t", r"1-\cos^2 t", True, "an identity"),
    (r"\frac{1}{\sqrt{m}}", r"\sqrt{\frac{1}{m}}", True, "where both are real"),
    (r"\sqrt{x^2}", "x", False, "not for negative numbers"),
    (r"\binom{k}{2}", r"\frac{k(k-1)}{2}", True, "a binomial"),
    ("2^{n+1}", r"2\cdot 2^n", True, "exponents"),
    (r"\sum_{j=1}^{n} j", r"\frac{n(n+1)}{2}", True, "a sum with a symbolic bound"),
    (r"\sum_{j=1}^{n} j", r"\sum_{i=1}^{n} i", True, "bound variables are renamed"),
    (r"\sum_{j=1}^{n} j", r"\sum_{j=0}^{n-1} j", False, "bounds matter"),
    (r"\arcsin x", r"\frac{\pi}{2}-\arccos x", True, "on the domain that they share"),
    ("ax+b", "bx+a", False, "roles of letters"),
    ("3n", "3", False, "a letter lost"),
]
NAMES = [
    ("y = 3x", "3x", True, "the name of a value is dropped"),
    ("5", "n = 5", True, "on either side"),
    ("n = 5", "m = 5", False, "another variable"),
    ("f(t) = t^2", "f(x) = x^2", True, "the letter of a function is bound"),
    ("9 = x", "9", True, "the name may come last"),
    ("12", "x = 3 + 9 = 12", True, "a chain that holds"),
    ("12", "8 = 12", False, "one that does not"),
    ("12", "x = 5 + 5 = 12", False, "a working that contradicts itself"),
    (r"\frac{1}{7}", r"\frac{1}{7} \approx 0.143", True, "what rounds it is dropped"),
    (r"k\pi, k\in\mathbb{Z}", r"k\pi, k\in\mathbb{N}", False, "but run through the same"),
    (r"k\pi, k\in\mathbb{Z}", r"n\pi \text{ for integers } n", True, "parameters are renamed"),
    ("k+1", "n+1", False, "but not where nothing says that they are parameters"),
    ("xy = 12", r"\frac{12}{x}", True, "solved for the other variable"),
    ("y^2 = x", r"\sqrt{x}", False, "half of the solutions"),
    ("4x", "y^2 = 4x", False, "the side of an equation"),
    ("2k", "a + b = 2k", True, "a sum worked out"),
    ("f(x) = 2x", "f'(x) = 2x", False, "another function"),
    ("|PQ| = 3", "|PR| = 3", False, "another length"),
    ("(x, y) = (5, 3)", "y = 3, x = 5", True, "coordinates by name"),
    ("(5, 3)", "y = 5, x = 3", False, "coordinates exchanged"),
    (r"\frac{x^2}{2} + C", r"\frac{x^2}{2} + c", True, "an arbitrary constant"),
    ("104", "m + n = 97 + 7 = 104", True, "a sum of two unknowns worked out"),
    ("104", "m + n = 97 + 8 = 104", False, "by a false chain"),
    (r"16\pi", r"A = \pi r^2 = \pi(4)^2 = 16\pi", True, "a formula given its numbers"),
    ("2", "e = 2", True, "e may be a name"),
    (r"\frac{1}{2}", r"\cos A = \frac{1}{2}", True, "what was asked of an angle"),
    ("3", r"\sin x = 3", False, "an equation to be solved"),
    ("12", r"N \bmod 100 = 12", True, "a remainder"),
    ("3", r"x + 2 = 5 \Rightarrow x = 3", True, "what reasoning comes to"),
    ("5", r"x + 2 = 5 \Rightarrow x = 3", False, "a step of it"),
    ("C", "K", False, "a letter alone is no constant"),
    ("F = ma", r"E = ma", False, "what is defined is no parameter"),
]
EQUATIONS = [
    ("2x + 3y = 6", "4x + 6y = 12", True, "a multiple"),
    ("2x + 3y = 6", r"y = 2 - \frac{2}{3}x", True, "solved"),
    ("2x + 3y = 6", "2x + 3y = 7", False, "parallel"),
    ("x^2 + y^2 = 4", "y^2 = 4 - x^2", True, "rearranged"),
    ("x^2 + y^2 = 4", "x^2 + y^2 = 9", False, "another circle"),
    ("x^2 = -3", "x^2 = -5", False, "no solutions are no agreement"),
    (r"\cos x = 2", r"\sin x = 5", False, "of other functions too"),
    ("x^2 - 4 = 0", "0", False, "the side of an equation is no answer"),
    ("x + y > 1", "-x - y < -1", True, "an inequality multiplied"),
    ("x + y > 1", "x + y < 1", False, "turned around"),
]
SETS = [
    ("(2, 5)", "2 < x < 5", True, "an interval as a chain"),
    (r"x \ge 4", r"[4, \infty)", True, "a half-line"),
    ("[1, 3]", "(1, 3)", False, "ends that belong"),
    ("-2x > 6", "x < -3", True, "solved with the sign"),
    (r"\{y \mid y \le 2\}", r"(-\infty, 2]", True, "a set builder"),
    (r"(-\infty, 1) \cup (1, \infty)", r"x \ne 1", True, "an excluded point"),
    (r"\mathbb{R} \setminus \{1\}", r"x \neq 1", True, "written as a difference"),
    ("(0, 4)", r"(0, 2) \cup (2, 4)", False, "a hole"),
    ("(0, 4)", r"(0, 3) \cup [2, 4)", True, "an overlap"),
    (r"1 < x < 2 \text{ or } x > 5", r"(5, \infty) \cup (1, 2)", True, "alternatives in any order"),
    ("x > 3", "y > 3", False, "another variable"),
    (r"x \in [0, 1]", "[0, 1]", True, "membership"),
    (r"x \in [0, 1]", r"2x \in [0, 1]", False, "of something else"),
    (r"\emptyset", "no solution", True, "the empty set in words"),
    (r"[0, +\infty)", "[0, oo)", True, "infinity in plain text"),
    ("]1, 2[", "(1, 2)", True, "French brackets"),
    ("x < 1, x > 2", "x < 1 or x > 2", True, "a comma that can only mean or"),
    ("x < 1 and x > 2", "x < 3 and x > 4", False, "conditions that nothing meets"),
    ("1 < x < 2", "2 > x > 1", True, "a chain turned around"),
]
LISTS = [
    ("2, 7", "7, 2", True, "a bare list has no order"),
    ("(2, 7)", "(7, 2)", False, "a tuple has one"),
    ("2, 7", r"\{7, 2\}", True, "a set for a list"),
    ("(2, 7)", r"\{2, 7\}", False, "a set for a tuple"),
    ("2, 7", "2", False, "a part"),
    ("2", "2, 7", False, "more than was asked"),
    ("2, 2, 7", "2, 7", False, "how often counts in a list"),
    (r"\{2, 2, 7\}", r"\{2, 7\}", True, "but not in a set"),
    ("2 and 7", "2, 7", True, "joined by a word"),
    ("x = 2, y = 7", "y = 7, x = 2", True, "names make the order"),
    ("x = 2, y = 7", "x = 7, y = 2", False, "and must fit"),
    ("x = 2, y = 7", "(2, 7)", True, "a tuple in the order of the names"),
    ("x = 2, y = 7", "7, 2", False, "another order than that of the names"),
    ("(1, 2), (3, 4)", "(3, 4), (1, 2)", True, "a list of tuples"),
    (r"\pm 3", "-3, 3", True, "both signs"),
    (r"\pm 3", "3", False, "one sign"),
    (r"(4 \pm \sqrt{2}, 1)", r"(4 + \sqrt{2}, 1), (4 - \sqrt{2}, 1)", True, "both signs in a tuple"),
    ("p=1, q=2; p=3, q=4", "(1, 2), (3, 4)", True, "names that repeat make tuples"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "(1, 2)", True, "a vector for a tuple"),
    (r"\begin{pmatrix} 1 & 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", False, "a row for a column"),
    (
        r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}",
        r"\begin{bmatrix} 1 & 0 \\ 0 & 1 \end{bmatrix}",
        True,
        "brackets",
    ),
    ("2:3", "4:6", True, "ratios cancel"),
    ("2:3", "3:2", False, "and have an order"),
    (r"\frac{1}{5}\begin{pmatrix} 5 \\ 10 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", True, "scaled"),
    (r"\{x \mid x > 1\}", r"\{y \mid x > 1\}", False, "a set of something else"),
    ("4 cats and 2 dogs", "4, 2", True, "counted things"),
    (r"(\pm 1, \pm 2)", "(1, 2), (-1, -2)", False, "signs of two coordinates change by themselves"),
    (r"x \in \{2, 3\}", "2, 3", True, "membership in a list"),
]
WORDS = [
    (r"\text{north}", "North", True, "case"),
    ("north", "south", False, "another word"),
    ("(B)", r"\text{B}", True, "an option"),
    ("B", "(C)", False, "another option"),
    ("B", "A, B or C", False, "enumerating"),
    (r"\textbf{(B)}\ 12", "12", True, "what an option says"),
    (r"\textbf{(B)}\ 12", "13", False, "what another one says"),
    ("(A) 3", "(A) 4", False, "the same letter and another text"),
    ("even", "odd", False, "words that share a variable"),
    ("5 if n is even", "5 if n is odd", False, "a condition counts"),
    ("4", "4 as well as 5", False, "a remark that adds an answer"),
    ("B", r"B \text{ is incorrect}", False, "a remark that takes it back"),
    ("n is even", "n is odd", False, "what is said of a variable"),
    (r"2k \text{ where } k > 3", r"2k \text{ where } k < 3", False, "conditions differ"),
    (
        r"\begin{cases} x, & x \ge 0 \\ -x, & x < 0 \end{cases}",
        r"\begin{cases} -x, & x \ge 0 \\ x, & x < 0 \end{cases}",
        False,
        "branches exchanged",
    ),
    (
        r"\begin{cases} x, & x \ge 0 \\ -x, & x < 0 \end{cases}",
        r"\begin{cases} -x, & x < 0 \\ x, & x \ge 0 \end{cases}",
        True,
        "branches in another order",
    ),
    ("12:30", "6:15", False, "times of day are no ratios"),
    ("sixteen", "16", True, "a number in words"),
    ("The slow clock is right more often.", "slow", True, "what a sentence is about"),
    ("The slow clock is right more often.", "right", False, "another of its words"),
    ("Ann came before Ben", "Ben", False, "the other one"),
    ("No number does, not even one", "number", False, "a sentence that turns"),
    ("Yes, because every square is a rectangle", "yes", True, "a verdict with its reason"),
    ("the sum is odd", r"\text{The sum is odd.}", True, "words in and out of text"),
]
BASES = [
    ("110_2", "110_{2}", True, "a base"),
    ("110_2", "110", False, "digits without their base"),
    ("110_2", "6", False, "the value, where a base was asked for"),
    ("6", "110_2", True, "a base where none was asked for"),
]
ROWS = [*NUMBERS, *ROUNDING, *PERCENT_AND_UNITS, *ALGEBRA, *NAMES, *EQUATIONS, *SETS, *LISTS, *WORDS, *BASES]


@pytest.mark.parametrize(("reference", "answer", "equal", "why"), ROWS, ids=[f"{row[0]} | {row[1]}" for row in ROWS])
def test_what_is_the_same_answer(reference: str, answer: str, equal: bool, why: str) -> None:
    verdict = verify(reference, answer)
    assert verdict.equal is equal, f"{why}: {verdict.reason}"


@pytest.mark.parametrize("reference", sorted({row[0] for row in ROWS}))
def test_every_reference_accepts_itself(reference: str) -> None:
    assert verify(reference, rf"\boxed{{{reference}}}").equal is True


POLICIES = [
    (replace(MATH, rounding="exact"), "3.142", r"\pi", False),
    (replace(MATH, decimals=2), r"\frac{2}{7}", "0.29", True),
    (replace(MATH, coarser=None), "248.37", "248.4", False),
    (replace(MATH, coarser=3), "2.4837", "2.48", True),
    (replace(MATH, tolerance=Fraction(1, 100)), "50.1", "50.3", True),
    (replace(MATH, percent="value"), "25", r"25\%", False),
    (replace(MATH, units="required"), "3 km", "3", False),
    (replace(MATH, base="optional"), "110_2", "6", True),
    (replace(MATH, order="strict"), "2, 7", "7, 2", False),
    (replace(MATH, multiset=False), "2, 2, 7", "2, 7", True),
    (replace(MATH, unevaluated="allowed"), r"\frac{1}{2}", r"\sin 30^\circ", True),
    (replace(MATH, words="exact"), "The slow clock is right more often.", "slow", False),
    (replace(MATH, relations=False), "(2, 5)", "2 < x < 5", False),
    (replace(MATH, form="factored"), "x^2-1", "(x-1)(x+1)", True),
    (replace(MATH, form="factored"), "2(x-1)(x+1)", "(2x-2)(x+1)", False),
    (replace(MATH, form="expanded"), "x^2-1", "(x-1)(x+1)", False),
    (replace(MATH, form="simplest"), r"\frac{1}{2}", r"\frac{2}{4}", False),
    (replace(MATH, form="simplest"), r"2\sqrt{3}", r"\sqrt{12}", False),
    (PROFILES["aime"], "204", "204.0", True),
    (PROFILES["strict"], "3.142", r"\pi", False),
]


@pytest.mark.parametrize(("policy", "reference", "answer", "equal"), POLICIES)
def test_policies_decide(policy: Policy, reference: str, answer: str, equal: bool) -> None:
    verdict = verify(reference, answer, policy)
    assert verdict.equal is equal, verdict.reason
    assert verdict.policy is policy


ATOMS = st.one_of(
    st.integers(-50, 50).map(str), st.sampled_from(["x", "y", r"\pi", r"\sqrt{2}", "0.25", r"\frac{3}{7}"])
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} + {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: rf"({pair[0]}) \cdot ({pair[1]})"),
        inner.map(lambda one: f"({one})^2"),
        st.tuples(inner, st.integers(2, 9)).map(lambda pair: rf"\frac{{{pair[0]}}}{{{pair[1]}}}"),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS, EXPRESSIONS)
def test_equality_of_values_is_symmetric(first: str, second: str) -> None:
    policy = replace(MATH, rounding="exact", decimals=None, coarser=None)
    assert verify(first, second, policy).equal == verify(second, first, policy).equal


@given(EXPRESSIONS, st.integers(1, 10**6))
def test_another_value_is_never_the_same(expression: str, gap: int) -> None:
    assert verify(expression, rf"{expression} + {gap}").equal is not True
    assert verify(expression, rf"{expression} + \frac{{1}}{{{gap + 1}}}").equal is not True


@given(EXPRESSIONS, EXPRESSIONS)
def test_rewriting_changes_nothing(first: str, second: str) -> None:
    assert verify(rf"{first} + {second}", rf"{second} + {first}").equal is True
    assert verify(rf"({first}) \cdot ({second})", rf"({second}) \cdot ({first})").equal is True


@given(st.fractions(max_denominator=10**9), st.fractions(max_denominator=10**9))
def test_rationals_compare_exactly(first: Fraction, second: Fraction) -> None:
    found = verify(rf"\frac{{{first.numerator}}}{{{first.denominator}}}", f"{second.numerator}/{second.denominator}")
    assert found.equal is (first == second)


@given(st.lists(st.integers(-99, 99), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_bare_lists_match_in_any_order_and_only_with_the_same_items(items: list[int], random: object) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    written = ", ".join(map(str, items))
    assert verify(written, ", ".join(map(str, shuffled))).equal is True
    assert verify(written, ", ".join(map(str, [*shuffled[1:], shuffled[0] + 1]))).equal is False
