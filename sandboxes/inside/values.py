"""Plain data as bytes: arguments and results of calls, as typed JSON that keeps every type and every bit.

`encode` runs in the program's process, where it calls no code of the program's objects: what is not exactly of a known
type, down to the last element, is `Unencodable`. `decode` runs in the trusted process on bytes that a program wrote:
every malformed input is a `ValueError`, in time and memory proportional to its length.

What JSON can say is written as itself: None, bool, int below 2**64, finite float, str, list. All else is an object with
one key, its tag: `{"t":[1,2]}` is the tuple (1, 2). Counter, defaultdict and OrderedDict become a dict, numpy's scalars
become Python's; numpy's arrays are refused, for they do not equal lists.
"""

from __future__ import annotations

import builtins
import re
import sys
from _json import encode_basestring_ascii, make_encoder
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from itertools import accumulate, chain
from json import JSONDecoder
from math import isfinite
from typing import Any

# The functions of this module look up builtins here, so that a program that patches builtins does not change them.
__builtins__ = dict(vars(builtins))

MAX_DEPTH = 200

_PLAIN_BITS = 64
# Types are compared by identity alone: a metaclass may lie about equality and hashes.
_TAGS = {id(tuple): "t", id(set): "S", id(frozenset): "F", id(deque): "q"}
_MAPPINGS = {id(dict), id(defaultdict), id(OrderedDict), id(Counter)}
_JSON_TYPES = {id(type(None)), id(bool), id(int), id(float), id(str), id(list)}
_ONLY_INT, _ONLY_FLOAT = {id(int)}, {id(float)}

# Attributes of `type` itself: a metaclass cannot answer in their place.
_name_of = type.__dict__["__name__"].__get__
_flags_of = type.__dict__["__flags__"].__get__
_HEAP_TYPE = 1 << 9  # of every class that Python code makes, but not of numpy's scalars
_NUMPY_SCALAR = re.compile(r"<class 'numpy\.(bool_?|u?int\d+|u?longlong|float(16|32|64)|complex(64|128)|str_|bytes_)'>")


class Unencodable(ValueError):
    """The value is no plain data, or too large, or nested too deeply. The message names the type."""


class NotPlain(Unencodable):
    """The value is, or holds, an object of a type that is no plain data."""


def encode(value: object, limit: int) -> bytes:
    """Return a value as typed JSON.

    Args:
        value: Plain data: None, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset,
            deque, and what the module's text says becomes one of them.
        limit: The most bytes to return.

    Raises:
        Unencodable: When it is something else, is larger than the limit or nested deeper than `MAX_DEPTH` (as cycles
            are); found before much memory is used.
    """
    writer = _Writer(limit)
    try:
        if _json_can_say(value, limit):
            writer.add("".join(_write_json(value, 0)))
        else:
            writer.write(value, MAX_DEPTH)
    except RecursionError:
        raise Unencodable("the value is nested too deeply") from None
    except RuntimeError:
        raise Unencodable("the value changed while it was read") from None
    return "".join(writer.parts).encode("ascii")


class _Writer:
    """Collects the text of one value and fails as soon as it passes the limit."""

    def __init__(self, limit: int):
        self.limit = limit
        self.left = limit
        self.parts: list[str] = []

    def add(self, text: str) -> None:
        self.left -= len(text)
        self.expect(0)
        self.parts.append(text)

    def expect(self, length: int) -> None:
        """Fail when at least `length` more bytes are to come and do not fit."""
        if length > self.left:
            raise Unencodable(f"the value takes more than {self.limit} bytes")

    def write(self, value: Any, depth: int) -> None:
        kind = type(value)
        if kind is str:
            self.write_str(value)
        elif kind is int:
            self.write_int(value)
        elif kind is float:
            self.add(repr(value) if isfinite(value) else f'{{"f":"{value!r}"}}')
        elif kind is list:
            self.write_items(value, depth)
        elif value is None:
            self.add("null")
        elif kind is bool:
            self.add("true" if value else "false")
        else:
            self.write_tagged(value, kind, depth)

    def write_int(self, value: int) -> None:
        bits = value.bit_length()
        if bits <= _PLAIN_BITS:
            self.add(repr(value))
        else:
            self.expect(bits // 4)
            self.add(f'{{"i":"{value:x}"}}')  # hexadecimal takes linear time and has no limit on digits

    def write_str(self, value: str) -> None:
        self.expect(len(value))
        if _has_surrogate(value):  # JSON would read two of them that stand together as one character
            self.add(f'{{"s":"{value.encode("utf-8", "surrogatepass").hex()}"}}')
        else:
            self.add(encode_basestring_ascii(value))

    def write_tagged(self, value: Any, kind: type, depth: int) -> None:
        if id(kind) in _TAGS:
            self.add(f'{{"{_TAGS[id(kind)]}":')
            self.write_items(value, depth)
            self.add("}")
        elif id(kind) in _MAPPINGS:
            self.expect(4 * len(value))
            self.add('{"d":')
            self.write_items(list(chain.from_iterable(dict.items(value))), depth)
            self.add("}")
        elif kind is bytes or kind is bytearray:
            self.expect(2 * len(value))
            self.add(f'{{"{"b" if kind is bytes else "a"}":"{value.hex()}"}}')
        elif kind is complex:
            self.add('{"c":')
            self.write_items([value.real, value.imag], depth)
            self.add("}")
        elif _is_numpy_scalar(kind):
            self.write(value.tolist(), self.deeper(depth))
        else:
            raise NotPlain(f"no plain data: an object of the type {str.__getitem__(_name_of(kind), slice(80))!r}")

    def write_items(self, items: Any, depth: int) -> None:
        self.expect(2 * len(items))
        depth = self.deeper(depth)
        kinds = set(map(id, map(type, items)))
        if kinds <= _JSON_TYPES and id(list) not in kinds and _scalars_fit(items, kinds, self.left):
            self.add("".join(_write_json(list(items), 0)))
            return
        separator = "["
        for item in items:
            self.add(separator)
            self.write(item, depth)
            separator = ","
        self.add("]" if items else "[]")

    def deeper(self, depth: int) -> int:
        if depth == 0:
            raise Unencodable(f"the value is nested deeper than {MAX_DEPTH} levels")
        return depth - 1


def _json_can_say(value: Any, limit: int) -> bool:
    """Whether the value has only JSON's types and may fit. Fast: it looks at all values of one depth at once."""
    level, size = [value], 0
    for _ in range(MAX_DEPTH + 1):
        kinds = set(map(id, map(type, level)))
        if not kinds <= _JSON_TYPES or not _scalars_fit(level, kinds, limit):
            return False
        if id(list) not in kinds:
            return True
        lists = [item for item in level if type(item) is list]
        size += 2 * sum(map(len, lists))
        if size > limit:
            return False
        level = list(chain.from_iterable(lists))
    return False


def _scalars_fit(items: Any, kinds: set[int], limit: int) -> bool:
    """Whether JSON can say these ints, floats and strings as they are, and the strings may fit."""
    if id(int) in kinds:
        ints = items if kinds == _ONLY_INT else [item for item in items if type(item) is int]
        if max(max(ints), -min(ints)).bit_length() > _PLAIN_BITS:
            return False
    if id(float) in kinds:
        floats = items if kinds == _ONLY_FLOAT else [item for item in items if type(item) is float]
        if not all(map(isfinite, floats)):
            return False
    if id(str) in kinds:
        strings = [item for item in items if type(item) is str]
        return sum(map(len, strings)) <= limit and (
            all(map(str.isascii, strings)) or not any(map(_has_surrogate, strings))
        )
    return True


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _never(value: object) -> None:
    raise Unencodable("the value changed while it was read")


# Held here, so that a program that patches the module json does not change it.
_write_json = make_encoder(None, _never, encode_basestring_ascii, None, ":", ",", False, False, False)


def _is_numpy_scalar(kind: type) -> bool:
    made_by_class_statement = _flags_of(kind) & _HEAP_TYPE
    return not made_by_class_statement and _NUMPY_SCALAR.fullmatch(type.__repr__(kind)) is not None


def decode(data: bytes) -> Any:
    """Return the value that `encode` wrote.

    Raises:
        ValueError: When the bytes are anything that `encode` does not write.
    """
    if _nesting_exceeds(data, 2 * MAX_DEPTH):
        raise ValueError(f"typed JSON is nested deeper than {MAX_DEPTH} levels")
    # A process without Python's limit on digits would take quadratic time for a long number.
    digits = getattr(sys, "get_int_max_str_digits", int)()
    decoder = _DECODER if 0 < digits <= _MAX_DIGITS else _CAREFUL_DECODER
    try:
        return decoder.decode(data.decode("ascii"))
    except (TypeError, RecursionError) as error:
        raise ValueError(f"malformed typed JSON: {error}") from None


def _nesting_exceeds(data: bytes, depth: int) -> bool:
    """Whether brackets nest deeper. The parser recurses in C, so where Python's limit was raised it could crash."""
    if data.count(b"[") + data.count(b"{") <= depth:
        return False
    outside_strings = b"".join(data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    brackets = outside_strings.translate(_STEPS, _NO_BRACKETS)
    return max(accumulate(array("b", brackets)), default=0) > depth


_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[{]}")
_MAX_DIGITS = 4300
_HEXADECIMAL = re.compile("-?[0-9a-f]+")
_SPECIAL_FLOATS = {"nan", "inf", "-inf"}
_MOST_EQUAL_HASHES = 64


def _to_int(text: str) -> int:
    if not _HEXADECIMAL.fullmatch(text):
        raise ValueError("malformed typed JSON: an integer is no hexadecimal number")
    return int(text, 16)


def _to_float(text: str) -> float:
    if text not in _SPECIAL_FLOATS:
        raise ValueError("malformed typed JSON: a float that is neither nan nor infinite stands as itself")
    return float(text)  # a new NaN each time: lists that share one are equal


def _to_str(text: str) -> str:
    return bytes.fromhex(text).decode("utf-8", "surrogatepass")


def _to_complex(parts: list[Any]) -> complex:
    if len(parts) != 2 or not all(type(part) is float for part in parts):
        raise ValueError("malformed typed JSON: a complex number is two floats")
    return complex(*parts)


def _to_set(items: list[Any]) -> set[Any]:
    refuse_colliding(items)
    return _without_duplicates(set(items), len(items))


def _to_frozenset(items: list[Any]) -> frozenset[Any]:
    return frozenset(_to_set(items))


def _to_dict(flat: list[Any]) -> dict[Any, Any]:
    if len(flat) % 2:
        raise ValueError("malformed typed JSON: a key without a value")
    refuse_colliding(flat[::2])
    pairs = {flat[i]: flat[i + 1] for i in range(0, len(flat), 2)}
    return _without_duplicates(pairs, len(flat) // 2)


def _without_duplicates(made: Any, size: int) -> Any:
    if len(made) != size:
        raise ValueError("malformed typed JSON: the same key or element twice")
    return made


def refuse_colliding(keys: list[Any]) -> None:
    """Refuse keys made to share one hash, which would take quadratic time; numbers and tuples hash without a secret."""
    if len(keys) > _MOST_EQUAL_HASHES and max(Counter(map(hash, keys)).values()) > _MOST_EQUAL_HASHES:
        raise ValueError(f"more than {_MOST_EQUAL_HASHES} keys have the same hash")


_MAKERS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "i": (str, _to_int),
    "f": (str, _to_float),
    "s": (str, _to_str),
    "b": (str, bytes.fromhex),
    "a": (str, bytearray.fromhex),
    "c": (list, _to_complex),
    "t": (list, tuple),
    "S": (list, _to_set),
    "F": (list, _to_frozenset),
    "q": (list, deque),
    "d": (list, _to_dict),
}


def _untag(pairs: list[tuple[str, Any]]) -> Any:
    if len(pairs) != 1 or pairs[0][0] not in _MAKERS:
        raise ValueError("malformed typed JSON: an object has one key, a known tag")
    tag, body = pairs[0]
    kind, make = _MAKERS[tag]
    if type(body) is not kind:
        raise ValueError(f"malformed typed JSON: the tag {tag!r} needs a {kind.__name__}")
    return make(body)


def _short_int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("malformed typed JSON: a number of too many digits")
    return int(text)


def _no_constant(name: str) -> Any:
    raise ValueError(f"malformed typed JSON: {name}")


_DECODER = JSONDecoder(object_pairs_hook=_untag, parse_constant=_no_constant)
_CAREFUL_DECODER = JSONDecoder(object_pairs_hook=_untag, parse_constant=_no_constant, parse_int=_short_int)
