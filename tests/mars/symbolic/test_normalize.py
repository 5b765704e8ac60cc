"""One spelling for what is written in many ways; nothing that carries meaning is lost."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mars.symbolic.normalize import normalize
from mars.symbolic.parser import parse


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("  x + 1\n", "x + 1", "space around"),
        ("½", r"\frac{1}{2}", "a fraction in one character"),
        ("x²", "x^{2}", "a superscript"),
        ("x⁻¹⁰", "x^{-10}", "a run of them is one exponent"),
        ("a₁₂", "a_{12}", "a subscript"),
        ("①③", "1,3", "circled numbers"),
        ("√2", r"\sqrt{2}", "a root and its number"),
        ("√12x", r"\sqrt{12}x", "which is all of its digits"),
        ("π", r"\pi", "a Greek letter"),
        ("3×4", r"3\times 4", "a sign"),
        ("−5", "-5", "a minus of typographers"),
        ("–5", "-5", "a dash"),
        ("x≤2", r"x\le 2", "a relation"),
        ("x＞2", "x>2", "a wide character"),
        ("（1，2）", "(1,2)", "wide brackets and commas"),
        ("30°", r"30^\circ", "degrees"),
        ("5％", "5%", "percent"),
        ("x<sup>2</sup>", "x^{2}", "HTML above"),
        ("a<sub>1</sub>", "a_{1}", "HTML below"),
        ("\x0crac{1}{2}", r"\frac{1}{2}", "an escape that was eaten"),
        ("\times", r"\times", "a tab that was a command"),
        ("a\tb", "a\tb", "a tab that was none"),
        (r"\\frac{1}{2}", r"\frac{1}{2}", "a doubled backslash"),
        (r"1 \\ 2", r"1 \\ 2", "one that parts rows is kept"),
        (r"\left|x\right|", r"\lvert x\rvert", "bars that open and close"),
        (r"\left.x\right.", "x", "brackets that nobody sees"),
        (r"\color{red}{5}", "{5}", "color"),
        (r"\displaystyle 5", "5", "size"),
        ("1...9", r"1\ldots 9", "dots"),
        ("x^", "x", "an exponent that was left out"),
        ("\\pi\u200b", r"\pi", "what has no width"),
        ("", "", "nothing"),
    ],
)
def test_spelling(text: str, expected: str, why: str) -> None:
    assert normalize(text) == expected, why


@pytest.mark.parametrize(
    "text", ["x + 1", r"\frac{1}{2}", "x^2 - 3x", "12:30", "(0, 1]", r"5\%", r"\$5", "f'(x)", "a_1", "1,234", "Yes, so"]
)
def test_plain_text_stays_what_it_is(text: str) -> None:
    assert normalize(text) == text


MARKS = [
    "½",
    "x²",
    "₁",
    "√2",
    "√",
    "π",
    "×",
    "−",
    "°",
    "\\",
    "\\\\",
    "\\left",
    "\\right",
    "|",
    ".",
    "...",
    "^",
    " ",
    "{",
    "}",
]
MARKS += [
    "\\frac",
    "\\quad",
    "\\color{red}",
    "<sup>2</sup>",
    "<sub>",
    "\t",
    "\x0c",
    "rac",
    "①",
    "，",
    "x",
    "2",
    "o",
    "\\o",
]
PIECES = st.lists(st.sampled_from(MARKS), max_size=8).map("".join)


@given(PIECES | st.text(max_size=40))
def test_any_text_has_a_spelling_without_space_around(text: str) -> None:
    plain = normalize(text)
    assert plain == plain.strip()


WRITTEN = [
    r"\frac{1}{2}",
    r"\left(x\right)",
    r"\left|y\right|",
    r"\\sqrt{3}",
    r"\text{ km}",
    r"\color{red}{5}",
    r"\quad ",
    r"\\ ",
]
WRITTEN += [
    "x²",
    "a₁",
    "½",
    "√2",
    "π",
    "×",
    "−5",
    "30°",
    "x≤2",
    "（1，2）",
    "...",
    "②",
    "<sup>2</sup>",
    "1,234",
    " + ",
    "=",
    "5％",
]


@given(st.lists(st.sampled_from(WRITTEN), max_size=8).map("".join))
@example("x²⁺½")
def test_what_is_spelled_already_stays(text: str) -> None:
    plain = normalize(text)
    assert normalize(plain) == plain


@given(st.integers(0, 10**6), st.integers(0, 99))
def test_a_power_in_small_digits_is_one_in_braces(base: int, exponent: int) -> None:
    small = str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    assert parse(f"{base}{small}") == parse(f"{base}^{{{exponent}}}")
