from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.symbolic.clock import clock, same_time


@pytest.mark.parametrize(
    ("text", "time", "why"),
    [
        ("8:00 a.m.", "08:00", "before noon"),
        ("8 a.m.", "08:00", "a full hour"),
        ("8:00AM", "08:00", "capitals, no space"),
        ("10:45  p.m", "22:45", "after noon"),
        (r"10{:}45\ \ p.m.", "22:45", "as LaTeX spaces it"),
        ("8:00 in the evening", "20:00", "in words"),
        ("8:05:30 PM", "20:05:30", "seconds"),
        ("20:30", "20:30", "beyond twelve hours"),
        ("0:30", "00:30", "the hour of midnight"),
        ("12:00 AM", "00:00", "midnight is before noon"),
        ("12 pm", "12:00", "noon is after it"),
        ("noon", "12:00", "a word"),
        ("12 midnight", "00:00", "a word"),
        ("8:30", "8:30?", "either half of the day"),
        ("08:30", "8:30?", "a zero tells nothing"),
        ("12:30", "12:30?", "either half of the day"),
        ("8:05:30", "8:05:30?", "seconds, either half"),
        ("8 o’clock", "8:00?", "a full hour"),
        ("8", None, "a number"),
        ("8 hours", None, "how long"),
        ("3:4", None, "a ratio"),
        ("8:75", None, "no minute"),
        ("25:00", None, "no hour"),
        ("13:00 pm", None, "no hour of a half day"),
        ("1 noon", None, "noon is at twelve"),
        ("", None, "nothing"),
        ("8:30 " * 10_000, None, "too long"),
    ],
)
def test_times_of_day(text: str, time: str | None, why: str) -> None:
    assert clock(text) == time, why


@pytest.mark.parametrize(
    ("one", "other", "same", "why"),
    [
        ("8:30 p.m.", "20:30", True, "two clocks"),
        ("8:30", "8:30 PM", True, "the half of the day may stand in the question"),
        ("8:30", "8:30 AM", True, "and be the other"),
        ("8:30 AM", "8:30 PM", False, "both say it"),
        ("12:30", "12:30", True, "the same"),
        ("noon", "12:00 a.m.", False, "midnight"),
        ("8:30", "8:45", False, "another time"),
        ("8:00", "9:00", False, "another full hour, and no ratio"),
        ("1:20", "2:40", None, "the same ratio"),
        ("1:20 PM", "2:40 PM", False, "no ratios"),
        ("8:30", "8.5", None, "a number"),
        ("", "", None, "nothing"),
    ],
)
def test_times_are_compared(one: str, other: str, same: bool | None, why: str) -> None:
    assert same_time(one, other) is same, why
    assert same_time(other, one) is same, why


@given(st.integers(0, 23), st.integers(0, 59))
def test_both_clocks_tell_the_same_time(hour: int, minute: int) -> None:
    half = f"{hour % 12 or 12}:{minute:02} {'pm' if hour >= 12 else 'am'}"
    assert clock(half) == f"{hour:02}:{minute:02}"
    assert same_time(half, f"{hour}:{minute:02}") is True


@given(st.text(max_size=80))
def test_any_text_is_answered(text: str) -> None:
    assert same_time(text, text) is (True if clock(text) else None)
