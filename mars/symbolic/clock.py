"""Times of day as people write them."""

from __future__ import annotations

import re
from fractions import Fraction

from mars.symbolic.words import QUOTES

_LONGEST_TIME = 60
_HALF_DAY = 12 * 3600
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?:\s?[:：]\s?(?P<minute>[0-5]\d)(?:\s?[:：]\s?(?P<second>[0-5]\d))?)?"
    r"(?:\s?(?P<mark>[ap]\.? ?m\.?|noon|midnight|o'clock|in the (?:morning|afternoon|evening)))?"
)
_AFTERNOON = ("p", "noon", "in the afternoon", "in the evening")


def clock(text: str) -> str | None:
    r"""Read a time of day: `8:00 a.m.`, `8 PM`, `20:30`, `8:05:30`, `noon`.

    Returns:
        `HH:MM` or `HH:MM:SS` of the day's 24 hours; `H:MM?` when the text leaves open which half of the day it means:
        `8:30?` for `8:30`. `None` when the text is no time.
    """
    times = _times(text)
    if not times:
        return None
    hours, seconds = divmod(times[0], 3600)
    tail = f":{seconds // 60:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")
    return f"{hours or 12}{tail}?" if len(times) > 1 else f"{hours:02}{tail}"


def same_time(a: str, b: str) -> bool | None:
    """Return whether two texts can mean the same time of day; `None` when one is no time, or both may be ratios."""
    one, other = _times(a), _times(b)
    if not one or not other:
        return None
    if set(one) & set(other):
        return True
    ratio = None if any(map(str.isalpha, a + b)) else _ratio(one)
    return None if ratio is not None and ratio == _ratio(other) else False


def _times(text: str) -> tuple[int, ...]:
    """Return the seconds of the day that a time may mean: none, one, or two that are half a day apart."""
    if len(text) > _LONGEST_TIME:
        return ()
    words = " ".join(re.sub(r"\\[,;:! ]|[~{}$]", " ", text.translate(QUOTES)).casefold().split()).rstrip(" .,")
    match = _CLOCK.fullmatch({"noon": "12 noon", "midnight": "12 midnight"}.get(words, words))
    if match is None or not (match["minute"] or match["mark"]):
        return ()
    hour, mark = int(match["hour"]), match["mark"] or ""
    behind = 60 * int(match["minute"] or 0) + int(match["second"] or 0)
    if mark in ("", "o'clock"):
        if 0 < hour <= 12:
            return (hour % 12 * 3600 + behind, hour % 12 * 3600 + behind + _HALF_DAY)
        return (hour * 3600 + behind,) if hour < 24 else ()
    if hour > 12 or (mark in ("noon", "midnight") and (hour, behind) != (12, 0)):
        return ()
    return (hour % 12 * 3600 + behind + _HALF_DAY * mark.startswith(_AFTERNOON),)


def _ratio(times: tuple[int, ...]) -> Fraction | None:
    """Read `1:20` as the ratio that it may be instead."""
    hours, seconds = divmod(times[0], 3600)
    hours = hours or (12 if len(times) > 1 else 0)
    return Fraction(3600 * hours, seconds) if hours and seconds else None
