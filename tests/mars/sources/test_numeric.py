from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.types import Status
from tests.mars.sources.bench import BRACES, DIGITS, TAGS, score, seconds_for_a_megabyte

TABLE = [
    # where the number is found
    ("The answer is 18.", "18", {}, 1, "the last number, with the full stop behind it"),
    ("18 apples and 3 pears", "18", {}, 0, "the last one, not any"),
    ("3 + 15 = 18", "18", {}, 1, "behind the equals sign"),
    ("18\n#### 17", "17", {}, 1, "behind the marker of GSM8K"),
    ("#### 17\nor was it 18?", "17", {}, 1, "the marker wins over later text"),
    ("#### 16\n#### 17", "17", {}, 1, "the last marker"),
    ("####", "17", {}, 0, "a marker and nothing behind it"),
    ("\\boxed{17} and 18", "17", {}, 1, "the last box wins over all"),
    ("\\boxed{17", "17", {}, 1, "a box that was cut off is text like any other"),
    ("<think>17</think>18", "18", {}, 1, "behind the thinking"),
    ("<think>18", "18", {}, 0, "thinking that never ends"),
    ("<think>18</think>", "18", {}, 0, "nothing behind it"),
    ("no number at all", "18", {}, 0, "no number"),
    ("", "18", {}, 0, "silence"),
    ("x2", "2", {}, 0, "a digit of a name is no number"),
    ("1.2.3", "1.2", {}, 1, "nor is the end of a version"),
    # how it is written
    ("1,234", "1234", {}, 1, "thousands"),
    ("1,234,567.5", "1234567.5", {}, 1, "thousands and decimals"),
    ("1,2", "2", {}, 1, "a list, not thousands"),
    ("3.50", "3.5", {}, 1, "zeros at the end"),
    (".5", "0.5", {}, 1, "no zero in front"),
    ("5.", "5", {}, 1, "no digit behind the point"),
    ("$18", "18", {}, 1, "dollars"),
    ("costs€18", "18", {}, 1, "euros, without a space"),
    ("-$5", "-5", {}, 1, "dollars owed"),
    ("$-5", "-5", {}, 1, "the other way round"),
    ("−5", "-5", {}, 1, "the typographer's minus"),
    ("+5", "5", {}, 1, "a plus sign"),
    ("10-3", "3", {}, 1, "a minus between numbers is no sign"),
    ("3/4", "0.75", {}, 1, "a fraction"),
    ("3 / 4", "0.75", {}, 1, "with spaces"),
    ("-3/4", "-0.75", {}, 1, "with a sign"),
    ("1.5/2", "0.75", {}, 1, "of decimals"),
    ("1/0", "1", {}, 0, "no number has a zero below"),
    ("1e3", "1000", {}, 1, "an exponent"),
    ("2.5E-3", "0.0025", {}, 1, "a negative one"),
    ("18%", "18", {}, 1, "a per cent sign is a unit like any other"),
    ("18\u00a0000", "0", {}, 1, "a space is no thousands separator, so the last number is 000"),
    # what the reference may be
    ("18", 18, {}, 1, "a number"),
    ("18", 18.0, {}, 1, "of any type"),
    ("0.1", 0.1, {}, 1, "as it is written, not as a float"),
    ("18", "so it is\n#### 18", {}, 1, "a worked solution"),
    # how exact
    ("0.30000000000000004", "0.3", {}, 0, "exact is exact"),
    ("0.30000000000000004", "0.3", {"absolute": 1e-9}, 1, "within a declared error"),
    ("101", "100", {"relative": 0.01}, 1, "within a share of the reference"),
    ("101.1", "100", {"relative": 0.01}, 0, "and no further"),
    ("99", "100", {"relative": 0.01}, 1, "on both sides"),
    ("1e-20", "1e-30", {}, 0, "small numbers are not all the same"),
    ("1" + "0" * 300 + "1", "1" + "0" * 301, {}, 0, "nor are large ones"),
    ("1" + "0" * 300 + "1", "1" + "0" * 300 + "1", {}, 1, "to the last digit"),
    ("9" * 2000, "9", {}, 0, "a number too long to read is not read in part"),
]


@pytest.mark.parametrize(
    ("completion", "reference", "settings", "value", "why"), TABLE, ids=[f"{row[-1]}: {row[0]!r:.20}" for row in TABLE]
)
def test_what_is_the_right_number(
    completion: str, reference: object, settings: dict[str, Any], value: float, why: str
) -> None:
    found = score("numeric", completion, reference, **settings)
    assert (found.value, found.status) == (value, Status.OK), found.reason


@pytest.mark.parametrize("reference", ["", "four", True, float("nan"), float("inf"), [], "x2", "9" * 2000])
def test_a_reference_that_is_no_number_gives_no_verdict(reference: object) -> None:
    found = score("numeric", "4", reference)
    assert (found.value, found.status) == (None, Status.UNDECIDED)


rationals = st.fractions(max_denominator=10**6) | st.integers(-(10**40), 10**40).map(Fraction)
tiny = st.builds(lambda digit, power: Fraction(digit, 10**power), st.integers(1, 9), st.integers(10, 60))


def _written(value: Fraction) -> str:
    return str(value)


@given(rationals | tiny, rationals | tiny)
def test_numbers_are_compared_exactly_and_mutually(one: Fraction, other: Fraction) -> None:
    there = score("numeric", _written(one), _written(other)).value
    back = score("numeric", _written(other), _written(one)).value
    assert there == back == float(one == other)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_compared_as_they_are_written(one: float, other: float) -> None:
    assert score("numeric", repr(one), other).value == float(Fraction(repr(one)) == Fraction(repr(other)))


@given(st.integers(-(10**30), 10**30))
def test_thousands_separators_change_nothing(value: int) -> None:
    assert score("numeric", f"It is {value:,}.", str(value)).value == 1.0


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_wider_tolerance_accepts_no_less(one: float, other: float, tolerance: float) -> None:
    strict = score("numeric", repr(one), other, absolute=tolerance).value
    wide = score("numeric", repr(one), other, absolute=tolerance * 2).value
    assert strict is not None
    assert wide is not None
    assert strict <= wide
    assert strict == score("numeric", repr(other), one, absolute=tolerance).value


numbery = st.text(alphabet="0123456789.,/-+eE$ #\n%x٣²") | st.text()


@given(numbery, numbery)
def test_any_text_gets_a_verdict_or_none_for_want_of_a_number(completion: str, reference: str) -> None:
    found = score("numeric", completion, reference)
    assert found.status in (Status.OK, Status.UNDECIDED), found.reason
    assert found.value in ((0.0, 1.0) if found.status is Status.OK else (None,))


@pytest.mark.parametrize("piece", DIGITS + BRACES + TAGS)
def test_a_megabyte_takes_no_more_than_a_megabytes_time(piece: str) -> None:
    assert seconds_for_a_megabyte("numeric", piece) < 20
