from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.options import option, option_set


@pytest.mark.parametrize(
    ("text", "letter", "behind", "why"),
    [
        ("C", "C", "", "alone"),
        ("(C)", "C", "", "in brackets"),
        ("（C）", "C", "", "in wide brackets"),
        ("(c)", "C", "", "small, in parentheses, alone"),
        ("C.", "C", "", "with its dot"),
        ("C:", "C", "", "with its colon"),
        ("C) 12", "C", "12", "with its text"),
        ("C. 12", "C", "12", "with its text behind a dot"),
        ("(C) $12$", "C", "$12$", "with its formula"),
        ("(C) $12", "C", "12", "a formula that lost its last sign"),
        ("(A) -3", "A", "-3", "with a negative number"),
        ("(A)  5", "A", "5", "spaces"),
        ("(C) Cecile", "C", "Cecile", "with its words"),
        (r"\textbf{(C)}\ 12", "C", "12", "as contests print it"),
        (r"\textbf{(C) } 12", "C", "12", "as contests print it"),
        ("**C**", "C", "", "bold"),
        ("Option C", "C", "", "named"),
        ("Option C: 12", "C", "12", "named, so that a colon may follow"),
        ("选项C", "C", "", "named in Chinese"),
        ("故选：C。", "C", "", "named in Chinese"),
    ],
)
def test_options(text: str, letter: str, behind: str, why: str) -> None:
    assert option(text) == (letter, behind), why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("c", "a variable"),
        ("I", "a symbol, beyond the options"),
        ("C_n", "a symbol"),
        ("C^2", "a power"),
        ("C: 12", "a label"),
        ("(c) 12", "a part of a question"),
        ("(a) 5, (b) 6", "parts of a question"),
        ("(i) 3 (ii) 4", "parts of a question"),
        ("(A) + B", "an expression"),
        ("(a)(b)", "a product"),
        ("(a+b)", "an expression"),
        ("A:B", "a ratio"),
        ("A.M.", "a time of day"),
        ("A, B", "two options"),
        ("(C) 12 or (D) 13", "two options"),
        ("Option C and D", "two options"),
        ("", "nothing"),
        ("A" * 10_000, "too long"),
    ],
)
def test_what_picks_no_option(text: str, why: str) -> None:
    assert option(text) is None, why


@pytest.mark.parametrize(
    ("text", "letters", "why"),
    [
        ("AC", "AC", "side by side"),
        ("ABD", "ABD", "three"),
        ("A, C", "AC", "a comma"),
        ("C, A", "AC", "in any order"),
        ("A and C", "AC", "a word"),
        ("A, B, and D", "ABD", "a comma and a word"),
        ("A、C", "AC", "a Chinese comma"),
        ("(A), (C)", "AC", "in brackets"),
        ("(A)(C)", "AC", "in brackets, side by side"),
        ("$A, C$", "AC", "set as a formula"),
        ("选项 A、C", "AC", "named"),
        ("A", None, "one option"),
        ("BA", None, "a product, or a segment"),
        ("A, A", None, "twice the same"),
        ("ac", None, "variables"),
        ("AI", None, "no option's letter"),
        ("A or C", None, "a choice is left open"),
        ("A/C", None, "a quotient"),
        ("", None, "nothing"),
        ("A," * 10_000, None, "too long"),
    ],
)
def test_sets_of_options(text: str, letters: str | None, why: str) -> None:
    assert option_set(text) == (None if letters is None else frozenset(letters)), why


@given(st.sets(st.sampled_from("ABCDEFGH"), min_size=2), st.randoms(use_true_random=False))
def test_a_set_of_options_has_no_order(letters: set[str], random: Random) -> None:
    shuffled = sorted(letters)
    random.shuffle(shuffled)
    assert option_set(", ".join(shuffled)) == option_set("".join(sorted(letters))) == letters


@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    letters = option_set(text)
    assert letters is None or len(letters) > 1
