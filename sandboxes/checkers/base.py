"""What a checker is, and how it says where a text goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Check:
    """A checker's answer.

    Attributes:
        accepted: Whether the answer is right.
        note: Where the first difference is, with a short excerpt of each side; at most some 200 characters.
    """

    accepted: bool
    note: str = ""


ACCEPTED = Check(True)


class Checker(Protocol):
    """Compares an answer with the expected one. It is total: any bytes get a `Check`.

    Text is compared as bytes: a byte order mark, a NUL or a digit that is not ASCII is a difference like any other.
    """

    @property
    def name(self) -> str:
        """What recipes and results call it."""
        ...

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        """Compare what a program wrote with what it should have written."""
        ...

    def compare_values(self, value: object, expected: object) -> Check:
        """Compare what a function returned, as `sandboxes.inside.values` decoded it, with what it should return."""
        ...


def excerpt(data: bytes, most: int = 40) -> str:
    """Return the start of a text on one line of some `most` characters, control characters escaped."""
    shown = repr(data[:most].decode("utf-8", "backslashreplace"))
    return shown if len(shown) <= most and len(data) <= most else shown[:most] + "..."


def different_text(place: str, output: bytes | None, expected: bytes | None) -> Check:
    """Return the refusal that shows both sides from a little before where they part; None is a side that has ended."""
    start = max(0, common_length(output or b"", expected or b"") - 10)
    got, wanted = (
        "the end" if side is None else ("..." if start else "") + excerpt(side[start:]) for side in (output, expected)
    )
    return Check(False, f"{place}: got {got}, expected {wanted}")


def common_length(one: bytes, other: bytes) -> int:
    """Return how many bytes both start with. Bisecting compares at the speed of memory."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_start(output: bytes, expected: bytes, separators: bytes) -> int:
    """Return the length of what both start with up to the last separator: what need not be looked at again."""
    same = common_length(output, expected)
    return 1 + max(output.rfind(separators[i : i + 1], 0, same) for i in range(len(separators)))
