"""Checkers that give the verdicts of two public benchmarks, save where those let a wrong answer pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from sandboxes.checkers.base import ACCEPTED, Check, different_text
from sandboxes.checkers.numbers import NUMBER, check_tolerances, near
from sandboxes.checkers.text import Lines
from sandboxes.checkers.values import Equality, different

_DECIMAL = re.compile(NUMBER + rb"|[+-]?(?i:inf|infinity)")


def _python_equal(value: Any, expected: Any) -> bool:
    return bool(value == expected)


_PYTHON = Equality(_python_equal, tuple_as_list=False)


@dataclass(frozen=True)
class LiveCodeBench:
    """As LiveCodeBench's `testing_util` decides.

    Output: white space around the whole and around each line does not count; lines agree as text, or else word by word
    as exact decimal numbers. Of what `Decimal` reads only ASCII numbers are accepted, neither `1_000` nor digits of
    other scripts.

    Values: Python's `==`, by which True is 1, after an outermost tuple was made a list where a list is expected.
    """

    name = "lcb"

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare line by line, as text or as decimal numbers."""
        if output == expected:
            return ACCEPTED
        got, wanted = _stripped_lines(output), _stripped_lines(expected)
        if len(got) != len(wanted):
            return Check(False, f"{len(got)} lines, expected {len(wanted)}")
        for number, (line, expected_line) in enumerate(zip(got, wanted, strict=True), 1):
            if line != expected_line and not _same_decimals(line, expected_line):
                return different_text(f"line {number}", line, expected_line)
        return ACCEPTED

    def compare_values(self, value: object, expected: object) -> Check:
        """Compare as Python's `==` does."""
        if isinstance(value, tuple) and isinstance(expected, list):
            value = list(value)
        return _PYTHON.compare(value, expected)


def _stripped_lines(text: bytes) -> list[bytes]:
    return list(map(bytes.strip, text.strip().split(b"\n")))


def _same_decimals(line: bytes, expected: bytes) -> bool:
    got, wanted = line.split(), expected.split()
    if len(got) != len(wanted) or not all(map(_DECIMAL.fullmatch, got + wanted)):
        return False
    try:
        return all(Decimal(a.decode()) == Decimal(b.decode()) for a, b in zip(got, wanted, strict=True))
    except InvalidOperation:  # an exponent beyond what Decimal holds
        return False


@dataclass(frozen=True)
class EvalPlus:
    """As EvalPlus decides: Python's `==`, or else within a tolerance where the expected value is of floats.

    The tolerance applies when `atol` is above 0, or, as 1e-6, when the expected value is a float or a list or tuple of
    floats alone. Then the outermost types must be the same, and numbers differ by at most `atol` + 1e-7 times the
    expected one; NaN equals nothing. Unlike in EvalPlus a single number never stands for a list of them, ragged lists
    can be compared, and one test's tolerance does not stay on for the next. Its oracles for single problems are not
    here. Output, which EvalPlus does not have, is compared by lines.

    Attributes:
        atol: The absolute tolerance.
    """

    name = "evalplus"
    atol: float = 0.0

    def __post_init__(self):
        check_tolerances(self.name, atol=self.atol)

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare by lines."""
        return Lines().compare_output(stdin, output, expected)

    def compare_values(self, value: object, expected: object) -> Check:
        """Compare as EvalPlus does."""
        exact = _PYTHON.compare(value, expected)
        atol = self.atol or (1e-6 if _is_floats(expected) else 0.0)
        if exact.accepted or not atol:
            return exact
        if type(value) is not type(expected) or isinstance(expected, dict):
            return different(value, expected)
        return Equality(partial(_close, atol)).compare(value, expected)


def _is_floats(expected: Any) -> bool:
    if isinstance(expected, (list, tuple)):
        return all(isinstance(item, float) for item in expected)
    return isinstance(expected, float)


def _close(atol: float, value: Any, expected: Any) -> bool:
    numbers = isinstance(value, (int, float, complex)) and isinstance(expected, (int, float, complex))
    return numbers and near(value, expected, lambda size: atol + 1e-7 * size)
