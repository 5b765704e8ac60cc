from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.words import (
    circled,
    is_number_word,
    number_in_words,
    plain_text,
    split_magnitude,
)


@pytest.mark.parametrize(
    ("text", "value", "why"),
    [
        ("zero", "0", "a digit"),
        ("Seven", "7", "any case"),
        ("twenty one", "21", "without its hyphen"),
        ("one hundred and twenty-three", "123", "and within hundreds"),
        ("a hundred", "100", "an article counts one"),
        ("twelve hundred", "1200", "hundreds beyond nine"),
        ("one thousand, two hundred", "1200", "a comma"),
        ("two million three hundred thousand and six", "2300006", "scales fall"),
        ("nine trillion", "9000000000000", "the largest scale"),
        ("minus seven", "-7", "a sign in words"),
        ("-seven", "-7", "a sign"),
        ("two dozen", "24", "dozens"),
        ("half a dozen", "6", "half of them"),
        ("three point one four", "3.14", "a spoken decimal"),
        ("5 million", "5000000", "digits and a scale"),
        ("2.5 million", "2500000", "a decimal and a scale"),
        ("one half", "1/2", "a fraction"),
        ("three quarters", "3/4", "a fraction"),
        ("two-thirds", "2/3", "a fraction by hyphen"),
        ("a third", "1/3", "an article makes it a fraction"),
        ("third", "3", "alone it is a place"),
        ("twenty third", "23", "a place, not twenty parts"),
        ("five hundredths", "1/20", "a decimal fraction"),
        ("two and a half", "5/2", "a mixed number"),
        ("fifteenth", "15", "an ordinal"),
        ("one hundred twenty-fifth", "125", "a long ordinal"),
        ("21st", "21", "an ordinal in digits"),
        ("21^{st}", "21", "its ending raised"),
        (r"21^{\text{st}}", "21", "its ending raised and upright"),
        (r"4^\text{th}", "4", "without braces"),
        ("一百二十三", "123", "Chinese"),
        ("一百零五", "105", "with its zero"),
        ("三百五", "350", "a lone digit counts the next lower unit"),
        ("十五", "15", "ten without a one"),
        ("两千", "2000", "the other two"),
        ("一万五", "15000", "a lone digit below ten thousand"),
        ("一亿二千万", "120000000", "hundred millions"),
        ("二〇二四", "2024", "digit by digit"),
        ("三分之二", "2/3", "a fraction"),
        ("百分之二十", "1/5", "a percentage"),
        ("二又三分之一", "7/3", "a mixed number"),
        ("零点五", "1/2", "a decimal"),
        ("负五", "-5", "a sign"),
        ("第三", "3", "an ordinal"),
        ("1.5亿", "150000000", "digits and a scale"),
    ],
)
def test_numbers_in_words(text: str, value: str, why: str) -> None:
    assert number_in_words(text) == Fraction(value), why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing"),
        ("15", "digits are the parser's"),
        ("5^{3}", "a power"),
        ("4th place", "more than an ordinal"),
        ("no", "an answer"),
        ("none", "an answer"),
        ("a", "an article"),
        ("and", "a joint"),
        ("one and two", "a list"),
        ("twenty and one", "a list, or archaic"),
        ("one two three", "a list"),
        ("ten one", "no number"),
        ("twenty eleven", "no number"),
        ("thousand million", "scales fall"),
        ("three apples", "more than a number"),
        ("two seconds", "time"),
        ("point", "a geometric one"),
        ("point five six hundred", "digits only behind the point"),
        ("万", "a unit alone"),
        ("五五十", "no number"),
        ("三分之", "half a fraction"),
        ("三分之零点", "half a fraction"),
        ("点五", "no whole"),
        ("负负五", "two signs"),
        ("MMXX", "Roman"),
        ("one " * 100, "too long"),
        ("零分之一", "a zero below"),
        ("a zeroth", "a zero below"),
    ],
)
def test_what_is_no_number(text: str, why: str) -> None:
    assert number_in_words(text) is None, why


SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)


def in_english(value: int) -> str:
    tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    if value < 20:
        return SMALL.split()[value]
    if value < 100:
        return tens[value // 10 - 2] + (f"-{SMALL.split()[value % 10]}" if value % 10 else "")
    for scale, name in (
        (10**12, "trillion"),
        (10**9, "billion"),
        (10**6, "million"),
        (1000, "thousand"),
        (100, "hundred"),
    ):
        if value >= scale:
            rest = value % scale
            return f"{in_english(value // scale)} {name}" + (f" {in_english(rest)}" if rest else "")
    raise AssertionError


@given(st.integers(0, 10**15 - 1))
def test_every_cardinal_is_read(value: int) -> None:
    assert number_in_words(in_english(value)) == value


def in_chinese(value: int) -> str:
    if value < 10:
        return "零一二三四五六七八九"[value]
    for scale, name in ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if value >= scale:
            rest = value % scale
            zero = "零" if rest and rest < scale // 10 else ""
            return in_chinese(value // scale) + name + (zero + in_chinese(rest) if rest else "")
    raise AssertionError


@given(st.integers(0, 10**12 - 1))
def test_every_chinese_numeral_is_read(value: int) -> None:
    assert number_in_words(in_chinese(value)) == value


@pytest.mark.parametrize(
    ("phrase", "multiplier", "rest"),
    [
        ("million dollars", 10**6, "dollars"),
        ("hundred thousand people", 10**5, "people"),
        ("dozen", 12, ""),
        ("万元", 10**4, "元"),
        ("dollars", 1, "dollars"),
        ("", 1, ""),
        ("million " * 50, 10**12, ("million " * 48).strip()),
    ],
)
def test_a_multiplier_is_taken_off_a_phrase(phrase: str, multiplier: int, rest: str) -> None:
    assert split_magnitude(phrase) == (multiplier, rest)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("②③", (2, 3)),
        ("①、④", (1, 4)),
        ("⑳", (20,)),
        ("① and ②", None),
        ("1", None),
        ("②x", None),
        ("", None),
        ("⓪", None),
    ],
)
def test_circled_digits(text: str, values: tuple[int, ...] | None) -> None:
    assert circled(text) == values


@pytest.mark.parametrize(
    ("one", "other", "same", "why"),
    [
        (
            "The midpoints form a regular hexagon.",
            "midpoints form a regular hexagon",
            True,
            "article, capital, full stop",
        ),
        ("“Yes”", "yes", True, "quotes"),
        ("it’s  odd", "it's odd", True, "curly quotes and spaces"),
        ("**No**", "no", True, "bold"),
        ("(no)", "No!", True, "brackets around all"),
        ("ＡＢＣ", "abc", True, "wide letters"),
        ("不存在。", "不存在", True, "a Chinese full stop"),
        ("3.5", "35", False, "a point within"),
        ("-5", "5", False, "a sign"),
        ("10!", "10", False, "a factorial"),
        ("x < y", "x > y", False, "a relation"),
        ("10²", "102", False, "a raised digit is a power"),
        ("1½", "11/2", False, "a fraction is not glued to its whole"),
        ("①②", "12", False, "circled digits are two"),
        ("A", "B", False, "an article is not dropped when it is all there is"),
        ("the odd", "the even", False, "different words"),
    ],
)
def test_texts_are_folded_for_comparison(one: str, other: str, same: bool, why: str) -> None:
    assert (plain_text(one) == plain_text(other)) is same, why


@given(st.text())
def test_folding_is_total_and_settles(text: str) -> None:
    folded = plain_text(text)
    assert folded == folded.strip()


@pytest.mark.parametrize(
    ("word", "is_one"), [("six", True), ("third", True), ("dozen", True), ("half", True), ("sick", False)]
)
def test_words_that_are_numbers(word: str, is_one: bool) -> None:
    assert is_number_word(word) is is_one


@given(st.text(max_size=300))
def test_every_reader_answers_any_text(text: str) -> None:
    value = number_in_words(text)
    assert value is None or isinstance(value, Fraction)
    assert split_magnitude(text)[0] >= 1
    assert circled(text) is None or text
