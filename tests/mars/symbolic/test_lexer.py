"""Text as tokens: what is one token, what several, and what is too much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.lexer import MOST_DIGITS, MOST_TEXTS, MOST_TOKENS, Token, TooLong, Unreadable, tokenize


def kinds(text: str) -> list[str]:
    return [f"{token.kind} {token.text}" if token.kind != token.text else token.kind for token in tokenize(text)]


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("", [], "nothing"),
        ("12.50", ["number 12.50"], "a decimal keeps its places"),
        (".5", ["number .5"], "without a digit before the point"),
        ("1,234,567", ["number 1234567"], "thousands"),
        ("1{,}234", ["number 1234"], "as typesetters write them"),
        (r"1\,234", ["number 1234"], "with a thin space"),
        ("1 234", ["number 1234"], "with a space"),
        ("32, 349", ["number 32", ",", "number 349"], "a list has a space behind its comma"),
        ("(1,234)", ["(", "number 1", ",", "number 234", ")"], "and brackets around it"),
        ("1,23", ["number 1", ",", "number 23"], "two digits are no thousands"),
        ("0,123", ["number 0.123"], "a decimal comma"),
        ("1.5e-3", ["number 1.5", "command times", "number 10", "^", "-", "number 3"], "a power of ten"),
        ("2e", ["number 2", "letter e"], "a letter behind a number"),
        ("xy", ["letter x", "letter y"], "letters are a product"),
        ("miles", ["word miles"], "long ones are a word"),
        ("cm", ["word cm"], "some short ones too"),
        ("sin", ["function sin"], "a function"),
        (r"\tg", ["function tan"], "by another of its names"),
        (r"\pi", ["name pi"], "a constant"),
        ("oo", ["name infinity"], "in plain text"),
        (r"\varphi", ["letter phi"], "a letter"),
        ("Be^x", ["letter B", "letter e", "^", "letter x"], "letters below an exponent"),
        ("3rd", ["number 3", "word rd"], "an ordinal"),
        ("a <= b", ["letter a", "relation <=", "letter b"], "a relation"),
        (r"a \leq b", ["letter a", "relation <=", "letter b"], "as a command"),
        ("2 and 3", ["number 2", "separator and", "number 3"], "a word that parts"),
        (r"\left( x \right)", ["(", "letter x", ")"], "marks of size say nothing"),
        (r"x\quad y~z", ["letter x", "letter y", "letter z"], "nor does space"),
        (r"\text{m}", ["letter m"], "a letter set as text"),
        (r"\text{square feet}", ["word square", "word feet"], "words"),
        (r"\text{1st}", ["number 1", "word st"], "an ordinal in text"),
        (r"\text{if $x^2$}", ["word if", "letter x", "^", "number 2"], "mathematics in text"),
        (r"\|x\|", ["|", "letter x", "|"], "double bars"),
        (r"5\%", ["number 5", "%"], "percent"),
    ],
)
def test_tokens(text: str, expected: list[str], why: str) -> None:
    assert kinds(text) == expected, why


def test_a_token_knows_what_stood_before_it_and_how_it_was_set() -> None:
    assert tokenize(r"x y\mathrm{m}") == [
        Token("letter", "x"),
        Token("letter", "y", spaced=True),
        Token("letter", "m", spaced=True, upright=True),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("+" * (MOST_TOKENS + 1), "too many tokens"),
        ("7" * (MOST_DIGITS + 1), "a number that is too long"),
        ("0." + "7" * MOST_DIGITS, "behind the point too"),
        (r"\text{" + "{}" * (MOST_TEXTS + 1) + "$x$}", "texts within texts"),
    ],
)
def test_what_is_too_long(text: str, why: str) -> None:
    with pytest.raises(TooLong):
        tokenize(text)


@pytest.mark.parametrize("text", ["+" * MOST_TOKENS, "7" * MOST_DIGITS])
def test_what_is_just_short_enough(text: str) -> None:
    assert tokenize(text)


@pytest.mark.parametrize("text", [r"\text{a", r"\text{a{b}", r"\mathrm{" * 20])
def test_a_text_that_does_not_end_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        tokenize(text)


PARTS = [
    r"\text{",
    "}",
    "{",
    "$",
    "^",
    "\\",
    r"\frac",
    "1",
    ",",
    "234",
    ".",
    "e",
    "-",
    " ",
    "st",
    "(",
    ")",
    r"\{",
    "<",
    "é",
    "٣",
]


@given(st.text(max_size=60) | st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
def test_any_text_is_tokens_or_unreadable(text: str) -> None:
    try:
        tokens = tokenize(text)
    except Unreadable:
        return
    assert all(token.kind and token.text for token in tokens)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=6))
def test_a_list_of_numbers_is_its_numbers(items: list[int]) -> None:
    expected = [str(item) for item in items]
    assert [token.text for token in tokenize(", ".join(expected)) if token.kind == "number"] == expected


@given(st.integers(0, 10**12))
def test_thousands_are_one_number(value: int) -> None:
    assert tokenize(f"{value:,}") == [Token("number", str(value))]


@given(st.sampled_from([r"x+1", r"\frac{1}{2}", "2 miles", r"\sin x", "(1, 2]"]), st.integers(0, 3))
def test_space_around_changes_no_token(text: str, count: int) -> None:
    spaces = " " * count
    assert kinds(spaces + text + spaces) == kinds(text)
