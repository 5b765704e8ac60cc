"""Options and times of day are told before mathematics reads them as products and ratios."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.choices import choices_agree
from mars.symbolic.types import Finding

LETTERS = st.sampled_from("ABCDE")
FORMS = st.sampled_from(["{}", "({})", r"\text{{{}}}", r"\mathbf{{({})}}", "${}$"])


@pytest.mark.parametrize(
    ("reference", "answer", "equal", "why"),
    [
        ("B", "(B)", True, "brackets"),
        ("B", "C", False, "another option"),
        (r"\text{B}", r"\mathbf{(B)}", True, "type faces"),
        ("(A) 5", "A", True, "an option and what it says"),
        ("A", "(A) 5", True, "on either side"),
        ("(A) 5", "(B) 5", False, "the letter counts"),
        ("ABD", "A, B, D", True, "several options"),
        ("A, B", "B and A", True, "in any order"),
        ("A, B", "A, C", False, "other options"),
        ("A, B", "A", None, "one option of several is left to the rules of lists"),
        ("3:30 pm", "15:30", True, "times of day"),
        ("3:30 pm", "3:30 am", False, "half a day apart"),
        ("12:30", "12:45", False, "another minute"),
        ("12:30", "1:2", None, "a ratio is no time"),
        ("5", "6", None, "numbers"),
        ("A", "5", None, "an option on one side only"),
        ("x", "y", None, "variables"),
        ("", "", None, "nothing"),
        ("A" * 201, "A", None, "longer than any option"),
    ],
)
def test_choices(reference: str, answer: str, equal: bool | None, why: str) -> None:
    found = choices_agree(reference, answer)
    if equal is None:
        assert found is None, why
    else:
        assert isinstance(found, Finding)
        assert (found.equal, found.stage) == (equal, "structure"), why


@pytest.mark.parametrize(
    ("reference", "answer", "left"),
    [
        ("(A) 5", "(A) 6", ("5", "6")),
        ("(A) 5", "6", ("5", "6")),
        ("5", r"\textbf{(B)}\ 12", ("5", "12")),
    ],
)
def test_what_an_option_says_is_left_to_compare(reference: str, answer: str, left: tuple[str, str]) -> None:
    assert choices_agree(reference, answer) == left


def test_a_time_is_no_number() -> None:
    found = choices_agree("3:30 pm", "3.5")
    assert isinstance(found, Finding)
    assert found.equal is False


@given(LETTERS, LETTERS, FORMS, FORMS)
def test_an_option_is_its_letter_however_it_is_set(one: str, other: str, first: str, second: str) -> None:
    found = choices_agree(first.format(one), second.format(other))
    assert isinstance(found, Finding)
    assert found.equal is (one == other)


@given(st.lists(LETTERS, unique=True, min_size=2), st.randoms(use_true_random=False))
def test_several_options_have_no_order(letters: list[str], random: object) -> None:
    shuffled = list(letters)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = choices_agree(", ".join(letters), ", ".join(shuffled))
    assert isinstance(found, Finding)
    assert found.equal is True


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_compared_is_compared_the_same_from_either_side(one: str, other: str) -> None:
    there, back = choices_agree(one, other), choices_agree(other, one)
    if isinstance(there, Finding) and isinstance(back, Finding):
        assert there.equal == back.equal
