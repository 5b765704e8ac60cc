"""The checker for answers that are floating-point numbers."""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandboxes.checkers.base import ACCEPTED, Check, common_start, different_text
from sandboxes.checkers.text import WHITESPACE
from sandboxes.checkers.values import Equality, same_scalar

NUMBER = rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_FINITE = re.compile(NUMBER)
_INFINITE = re.compile(rb"(?i:([+-]?)inf(?:inity)?)")
_NAN = re.compile(rb"(?i:[+-]?nan)")
_OF_NUMBERS = b"0123456789+-.eE" + WHITESPACE


@dataclass(frozen=True)
class Float:
    """Numbers may differ by a tolerance: by `atol`, or by `rtol` times the expected number.

    Output is compared token by token. Numbers are decimal ASCII, so neither hexadecimal nor `1_000`; one beyond the
    range of floats is a word. Words must agree exactly, infinities must have the same sign, NaN equals nothing.

    Attributes:
        rtol: The tolerance relative to the expected number.
        atol: The absolute tolerance.
        tuple_as_list: For the results of calls: whether a tuple is accepted where a list is expected.
    """

    name = "float"
    rtol: float = 1e-6
    atol: float = 1e-9
    tuple_as_list: bool = True

    def __post_init__(self):
        check_tolerances(self.name, rtol=self.rtol, atol=self.atol)

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare token by token."""
        # What both start with is equal, unless it holds a NaN.
        start = 0 if b"nan" in expected.lower() else common_start(output, expected, WHITESPACE)
        got, wanted = output[start:].split(), expected[start:].split()
        if self._close_in_bulk(output[start:], expected[start:], got, wanted):
            return ACCEPTED
        for index, (token, expected_token) in enumerate(zip(got, wanted, strict=False)):
            if not self._same_token(token, expected_token):
                return different_text(f"token {1 + len(output[:start].split()) + index}", token, expected_token)
        if len(got) == len(wanted):
            return ACCEPTED
        return Check(False, f"{len(got)} tokens, expected {len(wanted)}")

    def compare_values(self, value: object, expected: object) -> Check:
        """Compare as `Equality` says, with the tolerance for numbers at any depth, but in sets and as keys."""
        return Equality(self._same_scalar, self.tuple_as_list).compare(value, expected)

    def _close(self, value: complex, expected: complex) -> bool:
        return near(value, expected, lambda size: max(self.atol, self.rtol * size))

    def _same_scalar(self, value: Any, expected: Any) -> bool:
        both_numbers = _is_number(value) and _is_number(expected)
        return self._close(value, expected) if both_numbers else same_scalar(value, expected)

    def _close_in_bulk(self, output: bytes, expected: bytes, got: list[bytes], wanted: list[bytes]) -> bool:
        """Whether both are quickly seen to be plain numbers that are close to each other."""
        if len(got) != len(wanted) or (output + expected).translate(None, _OF_NUMBERS):
            return False
        try:
            pairs = zip(map(float, got), map(float, wanted), strict=True)
            # A number that overflows to infinity gives NaN here, or an infinite tolerance.
            return all(abs(a - b) <= max(self.atol, self.rtol * abs(b)) < math.inf for a, b in pairs)
        except ValueError:
            return False

    def _same_token(self, token: bytes, expected: bytes) -> bool:
        if token == expected:
            return not _NAN.fullmatch(token)
        value, expected_value = _number(token), _number(expected)
        return value is not None and expected_value is not None and self._close(value, expected_value)


def near(value: complex, expected: complex, tolerance: Callable[[float], float]) -> bool:
    """Whether two numbers are equal, or finite and apart by at most the tolerance for the expected one's size."""
    if value == expected:
        return True
    try:
        finite = cmath.isfinite(value) and cmath.isfinite(expected)
        return finite and abs(value - expected) <= tolerance(abs(expected))
    except OverflowError:  # an int beyond the range of floats
        return False


def check_tolerances(checker: str, **tolerances: float) -> None:
    """Raise `ValueError` unless each tolerance is a finite number of at least 0."""
    for option, tolerance in tolerances.items():
        if isinstance(tolerance, bool) or not 0 <= tolerance < math.inf:
            raise ValueError(f"checker {checker!r}: {option} must be a finite number of at least 0, not {tolerance!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, complex)) and not isinstance(value, bool)


def _number(token: bytes) -> float | None:
    """Return what a token says as a number: finite when it is written in digits; None when it is a word."""
    if infinite := _INFINITE.fullmatch(token):
        return -math.inf if infinite[1] == b"-" else math.inf
    if not _FINITE.fullmatch(token):
        return None
    number = float(token)
    return number if math.isfinite(number) else None
