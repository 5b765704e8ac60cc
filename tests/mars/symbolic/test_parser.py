from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.lexer import TooLong, Unreadable
from mars.symbolic.parser import parse
from mars.symbolic.tree import Group, Matrix, Node, Number, Quantity, Relation, Sequence, SetBuilder, SetOf, Text
from mars.symbolic.writing import write

FORMS = [
    ("0.50", "0.50", "a decimal keeps its places"),
    ("1,234,567", "1234567", "thousands"),
    (r"9{,}500", "9500", "thousands in LaTeX"),
    (r"12\,345", "12345", "thousands with a thin space"),
    ("45, 678", "45, 678", "a comma and a space make a list"),
    ("(1,234)", "(1, 234)", "within brackets a comma parts"),
    ("0,125", "0.125", "a decimal comma"),
    (r"3\frac{1}{4}", "13/4", "a mixed number"),
    ("5 2/3", "17/3", "a mixed number in plain text"),
    ("2.5e3", "(2.5)*(10^3)", "a scientific form"),
    ("1.2 x 10^4", "(1.2)*(10^4)", "an x for a cross"),
    (r"0.1\overline{6}", "1/6", "a repeating decimal"),
    ("101_2", "5 (from base 2)", "a base"),
    (r"\frac37", "3/7", "a fraction without braces"),
    (r"\frac 1{10}", "1/10", "a fraction half in braces"),
    (r"{n \choose 2}", "binomial(n, 2)", "an infix binomial"),
    ("C_7^2", "binomial(7, 2)", "the old binomial"),
    ("ab", "a*b", "letters multiply"),
    ("sqrt(3)/2", "sqrt(3)/2", "plain functions"),
    (r"\sqrt[3]{2}", "2^(1/3)", "a cube root"),
    (r"\sin^2 x\cos y", "(sin(x)^2)*cos(y)", "a function takes what is beside it, up to the next"),
    (r"\sin^{-1} x", "arcsin(x)", "an inverse function"),
    (r"\log_2 8", "log(2, 8)", "a base of a logarithm"),
    (r"\ln 2x + 1", "ln(2*x) + 1", "up to a sign"),
    ("x^2y", "(x^2)*y", "a power ends where it stands"),
    ("-x^2", "-(x^2)", "a sign stands before a power"),
    ("1/2x", "x/2", "from left to right"),
    ("f(x)", "f(x)", "f is applied"),
    ("a(x+1)", "a*(x + 1)", "a multiplies"),
    ("P(A)", "P(A)", "a capital is applied to one thing"),
    ("R(1+x)", "R*(1 + x)", "and multiplies a sum"),
    ("x!", "factorial(x)", "a factorial"),
    ("|x-2|", "abs(x - 2)", "bars"),
    (r"\left|\left|x\right|-1\right|", "abs(abs(x) - 1)", "bars within bars"),
    (r"\lceil x \rceil", "ceil(x)", "a ceiling"),
    (r"7 \pm 2", "7 + ±2", "both signs"),
    ("½", "1/2", "a fraction of one character"),
    ("x² − 1", "x^2 - 1", "Unicode"),
    ("4·3", "4*3", "a dot"),
    ("x<sup>3</sup>", "x^3", "HTML"),
    ("\x0crac{1}{2}", "1/2", "an escape that was eaten"),
    (r"\\frac{1}{2}", "1/2", "a backslash too many"),
    ("90^\\circ", "90 degree", "degrees"),
    ("30° 15'", "(121/4) degree", "degrees and minutes"),
    (r"12\text{ km/h}", "12 km/h", "a unit"),
    (r"\$3.50", "(3.50) $", "a price"),
    ("$8 + 4", "(8 + 4) $", "a price of a sum"),
    ("3 million dollars", "(3*1000000) $", "a magnitude"),
    ("20 percent", "20 %", "percent in words"),
    ("7th day", "7 day", "an ordinal"),
    ("twenty-five", "25", "a number in words"),
    ("④", "4", "a circled digit"),
    ("①③", "1, 3", "circled digits"),
    ("(2, 3]", "(2, 3]", "a half-open interval"),
    ("]2, 3[", "]2, 3[", "a French interval"),
    (r"\{1, 2\} \cup [3, 4)", "{1, 2} union [3, 4)", "a union"),
    (r"\{ t : t > 0 \}", "{t | t > 0}", "a set builder"),
    (r"\mathbb{R} \setminus \{0\}", "reals difference {0}", "a difference"),
    (r"\mathbb{Z}^+", "naturals", "a number set"),
    ("1, 2 and 3", "1, 2, 3", "a list in words"),
    (r"x = 1 \text{ or } x = -1", "x = 1, x = -1", "alternatives"),
    ("x < 0 or x > 1", "x < 0 or x > 1", "inequalities combine"),
    ("a > 0, b > 0", "a > 0, b > 0", "statements by a comma"),
    ("3 : 4", "3 : 4", "a ratio"),
    ("Ann: 5, Ben: 7", "ann: 5, ben: 7", "labels"),
    ("the price is 5 dollars", "price: 5 $", "a sentence that names a value"),
    (r"k\pi, k \in \mathbb{Z}", "k*pi where k in integers", "what a parameter runs through"),
    (r"x + 1 \text{ for all real } x", "x + 1 where x in reals", "the same in words"),
    (r"\forall x, x = x", "x forall x = x", "a quantifier is not"),
    (r"\sum_{k=1}^{n} k^2", "sum(k^2; k: 1, n)", "a sum"),
    (r"\int_0^1 (x - x^2)\,dx", "integral(x - (x^2); x: 0, 1)", "an integral"),
    (r"\lim_{x \to 0} \frac{\sin x}{x}", "limit(sin(x)/x; x: 0)", "a limit"),
    (r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}", "[1, 2; 3, 4]", "a matrix"),
    (r"\begin{cases} x = 1 \\ y = 2 \end{cases}", "x = 1, y = 2", "a system"),
    ("no solution", "empty", "a phrase for the empty set"),
    ("infinitely many", "infinity", "a phrase for infinity"),
    (r"\text{north-east}", "'north-east'", "words"),
    ("9:45", "'9:45?'", "a time of day is no ratio"),
]


@pytest.mark.parametrize(("text", "form", "why"), FORMS, ids=[row[-1] for row in FORMS])
def test_what_is_read(text: str, form: str, why: str) -> None:
    assert write(parse(text)) == form


KINDS = [
    ("3", Number),
    ("1, 2", Sequence),
    ("(1, 2)", Group),
    (r"\{1, 2\}", SetOf),
    (r"\{x \mid x > 0\}", SetBuilder),
    ("x > 0", Relation),
    ("5 cm", Quantity),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", Matrix),
    ("west", Text),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_structures_have_types(text: str, kind: type[Node]) -> None:
    assert type(parse(text)) is kind


@pytest.mark.parametrize(
    "text", ["", "   ", "$", r"\frac{1}{", "(1, 2", "1 +", "((", r"\unheardof{1}", "3 4", "^2", "= "]
)
def test_broken_mathematics_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


BOUNDS = {
    "brackets": "(" * 5000,
    "closed brackets": "(" * 200 + "1" + ")" * 200,
    "powers": "^".join("x" * 5000),
    "signs": "2^" + "-" * 5000 + "1",
    "factorials": "x" + "!" * 5000,
    "digits": "9" * 10_000,
    "tokens": "1+" * 9000 + "1",
    "characters": "x" * 30_000,
    "texts": r"\text{" * 3000,
    "functions": r"\sin" * 3000 + "x",
    "percent signs": "5" + "%" * 5000,
}


@pytest.mark.parametrize("text", BOUNDS.values(), ids=BOUNDS)
def test_size_and_depth_are_bounded(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


def test_what_is_beyond_the_limits_is_told_apart_from_what_is_broken() -> None:
    with pytest.raises(TooLong, match="digits"):
        parse("9" * 10_000)


def test_a_condition_belongs_to_the_answer() -> None:
    assert parse("1 if n is even") != parse("1 if n is odd")


PIECES = [
    "1",
    "23",
    "x",
    "+",
    "-",
    "(",
    ")",
    "{",
    "}",
    "^",
    "_",
    r"\frac",
    r"\sqrt",
    ",",
    "=",
    "<",
    r"\pm",
    "|",
    r"\{",
    "!",
]
PIECES += [
    r"\}",
    r"\text{",
    "and",
    "cm",
    r"\sin",
    r"\cup",
    "[",
    "]",
    r"\begin{pmatrix}",
    "&",
    r"\\",
    "%",
    "$",
    "'",
    ":",
    "é",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join))
def test_any_soup_is_read_or_refused(text: str) -> None:
    try:
        node = parse(text)
    except Unreadable:
        return
    assert write(node)
    assert parse(text) == node


@given(st.integers(-(10**30), 10**30))
def test_integers_are_read_exactly(value: int) -> None:
    node = parse(str(value))
    assert isinstance(node, Number)
    assert node.value == value
