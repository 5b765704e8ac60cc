"""Comparing plain data: what a call returned with what it should return."""

from __future__ import annotations

import reprlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from math import isnan
from typing import Any

from sandboxes.checkers.base import ACCEPTED, Check

# Where a value is within another: the place of that other, and the index or key. None is the whole.
Place = tuple[Any, Any] | None

_ABSENT = object()
_SEQUENCES = (list, tuple, deque)
_SETS = (set, frozenset)
_SAME_IN_BULK = ({int}, {str}, {float})


def same_scalar(value: Any, expected: Any) -> bool:
    """Whether two scalars are equal as Python says, except that a bool only equals a bool: 1 is 1.0 but not True."""
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    return bool(value == expected)


@dataclass(frozen=True)
class Equality:
    """How plain data is compared: as Python's `==` does, but NaN equals nothing and a bool is no number.

    Keys of dicts and elements of sets are always compared so; the two fields say what changes elsewhere.

    Attributes:
        scalar: Whether two values that are no containers are equal.
        tuple_as_list: Whether a tuple is accepted where a list is expected, nested ones too.
    """

    scalar: Callable[[Any, Any], bool] = same_scalar
    tuple_as_list: bool = True

    def compare(self, value: Any, expected: Any) -> Check:
        """Compare two values, without recursion; the note tells the first difference."""
        rest: list[tuple[Any, Any, Place]] = [(value, expected, None)]
        while rest:
            value, expected, place = rest.pop()
            if isinstance(expected, _SEQUENCES) and self._same_kind_and_length(value, expected):
                if not _equal_in_bulk(value, expected):
                    places = ((place, index) for index in range(len(value)))
                    rest += reversed(list(zip(value, expected, places, strict=True)))
            elif isinstance(expected, dict) and isinstance(value, dict) and len(value) == len(expected):
                wanted = {frozen(key): item for key, item in expected.items()}
                items = [(item, wanted.get(frozen(key), _ABSENT), (place, key)) for key, item in value.items()]
                rest += reversed(items)
            elif isinstance(expected, _SETS) and isinstance(value, _SETS) and len(value) == len(expected):
                wanted = set(map(frozen, expected))
                if not all(frozen(item) in wanted for item in value):
                    return different(value, expected, place)
            elif isinstance(expected, (*_SEQUENCES, *_SETS, dict)) or not self.scalar(value, expected):
                return different(value, expected, place)
        return ACCEPTED

    def _same_kind_and_length(self, value: Any, expected: Any) -> bool:
        kinds = next(kind for kind in _SEQUENCES if isinstance(expected, kind))
        if kinds is list and self.tuple_as_list:
            kinds = (list, tuple)
        return isinstance(value, kinds) and len(value) == len(expected)


def _equal_in_bulk(value: Any, expected: Any) -> bool:
    """Whether two sequences are quickly seen to be equal: of one scalar type, perhaps in lists of lists."""
    for _ in range(3):
        kinds = set(map(type, expected))
        if set(map(type, value)) != kinds:
            return False
        if kinds in _SAME_IN_BULK:  # where Python's own answer is ours
            return list(value) == list(expected) and (kinds != {float} or not any(map(isnan, expected)))
        if kinds != {list} or list(map(len, value)) != list(map(len, expected)):
            return False
        value, expected = list(chain.from_iterable(value)), list(chain.from_iterable(expected))
    return False


def frozen(value: Any) -> Any:
    """Return a hashable stand-in for plain data. Stand-ins are equal when the data is, lists and tuples being one."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, _SEQUENCES):
        return deque if isinstance(value, deque) else list, *map(frozen, value)
    if isinstance(value, _SETS):
        return set, frozenset(map(frozen, value))
    if isinstance(value, dict):
        return dict, frozenset((frozen(key), frozen(item)) for key, item in value.items())
    if isinstance(value, (float, complex)) and value != value:
        return object()  # the same NaN is no equal either
    return bytes(value) if isinstance(value, bytearray) else value


class _Brief(reprlib.Repr):
    """Shows any plain data in a few characters; a number too long for Python to print shows its size."""

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() <= 128 else f"an int of {x.bit_length()} bits"

    def repr_bytes(self, x: bytes, level: int) -> str:
        return repr(x[:10]) if len(x) <= 10 else f"{x[:10]!r}..."

    repr_bytearray = repr_bytes


def brief(value: Any) -> str:
    """Return plain data on one line of at most 60 characters."""
    if value is _ABSENT:
        return "nothing"
    shown = _Brief().repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def different(value: Any, expected: Any, place: Place = None) -> Check:
    """Return the refusal that names the place and shows a little of both sides."""
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(f"[{brief(step)}]")
    path = "".join(reversed(steps))
    where = f"at {path if len(path) <= 40 else '...' + path[-37:]}: " if steps else ""
    if isinstance(value, (*_SEQUENCES, *_SETS, dict)) and type(value) is type(expected) and len(value) != len(expected):
        return Check(False, f"{where}length {len(value)}, expected {len(expected)}")
    return Check(False, f"{where}got {brief(value)}, expected {brief(expected)}")
