"""Checkers that compare output as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sandboxes.checkers.base import ACCEPTED, Check, common_length, common_start, different_text, excerpt
from sandboxes.checkers.values import Equality, brief, different, frozen

WHITESPACE = b" \n\t\r\v\f"


@dataclass(frozen=True)
class Exact:
    """Every byte must agree.

    Attributes:
        tuple_as_list: For the results of calls: whether a tuple is accepted where a list is expected.
    """

    name = "exact"
    tuple_as_list: bool = True

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare byte for byte."""
        if output == expected:
            return ACCEPTED
        place = common_length(output, expected)
        return different_text(f"byte {place + 1}", output[place:], expected[place:])

    def compare_values(self, value: object, expected: object) -> Check:
        """Compare as `Equality` says."""
        return Equality(tuple_as_list=self.tuple_as_list).compare(value, expected)


@dataclass(frozen=True)
class Lines(Exact):
    r"""Lines must agree, but for white space at their ends and blank lines at the end. CRLF ends a line as LF does."""

    name = "lines"

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare line by line."""
        if output == expected or _tidied(output) == _tidied(expected):
            return ACCEPTED
        start = common_start(output, expected, b"\n")
        got, wanted = lines(output[start:]), lines(expected[start:])
        if got == wanted:
            return ACCEPTED
        return different_items("line", got, wanted, 1 + output.count(b"\n", 0, start))


@dataclass(frozen=True)
class Tokens(Exact):
    """The words between white space must agree; how they are laid out is free."""

    name = "tokens"

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare word by word."""
        if output == expected:
            return ACCEPTED
        start = common_start(output, expected, WHITESPACE)
        got, wanted = output[start:].split(), expected[start:].split()
        if got == wanted:
            return ACCEPTED
        return different_items("token", got, wanted, 1 + len(output[:start].split()))


@dataclass(frozen=True)
class Unordered(Exact):
    """The same lines as often, in any order; white space at their ends and blank lines do not count.

    A list or tuple that a call returns must have the same elements as often, in any order; lists and tuples among the
    elements count as equal.
    """

    name = "unordered"

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare the lines as multisets."""
        if output == expected:
            return ACCEPTED
        missing = Counter(filter(None, lines(expected)))
        missing.subtract(filter(None, lines(output)))
        for line, times in missing.items():
            if times:
                why = "is missing" if times > 0 else "is not expected, or not as often"
                return Check(False, f"the line {excerpt(line)} {why}")
        return ACCEPTED

    def compare_values(self, value: Any, expected: Any) -> Check:
        """Compare two sequences as multisets, all else as `Equality` says."""
        both_lists = isinstance(expected, list) and isinstance(value, (list, tuple) if self.tuple_as_list else list)
        if not both_lists and not (isinstance(expected, tuple) and isinstance(value, tuple)):
            return super().compare_values(value, expected)
        if len(value) != len(expected):
            return different(value, expected)
        missing = Counter(map(frozen, expected))
        for item in value:  # only looked up: a table of a program's own keys could be made slow
            stand_in = frozen(item)
            if not missing.get(stand_in):
                return Check(False, f"{brief(item)} is not expected, or not as often")
            missing[stand_in] -= 1
        return ACCEPTED


def _tidied(text: bytes) -> bytes:
    """The text without one common ending of its lines: what most programs that differ at all differ by.

    Texts that are equal then have equal `lines`; splitting a megabyte into those takes twenty times as long.
    """
    for ending in (b"\r\n", b" \n"):
        text = text.replace(ending, b"\n")
    return text.rstrip()


def lines(text: bytes) -> list[bytes]:
    """Return the lines without white space at their ends and without blank lines at the end."""
    return list(map(bytes.rstrip, text.rstrip().split(b"\n")))


def different_items(what: str, output: list[bytes], expected: list[bytes], first: int) -> Check:
    """Return the refusal that names the first of two lists' items that differ, counted from `first`."""
    pairs = enumerate(zip_longest(output, expected), first)
    number, (got, wanted) = next(pair for pair in pairs if pair[1][0] != pair[1][1])
    return different_text(f"{what} {number}", got, wanted)
