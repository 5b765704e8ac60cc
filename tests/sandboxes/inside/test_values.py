"""Typed JSON: every type and bit survives, nothing foreign is called, and no bytes break the reader."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.inside.values import MAX_DEPTH, Unencodable, decode, encode

ROOM = 1 << 20

floats = st.floats() | st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1e308])
texts = st.text(st.characters()) | st.text(st.characters(categories=["Cs"]), max_size=4)
integers = st.integers() | st.integers(-(10**400), 10**400)
scalars = st.none() | st.booleans() | integers | floats | st.complex_numbers() | texts | st.binary()
keys: st.SearchStrategy[Any] = st.deferred(
    lambda: scalars | st.lists(keys, max_size=3).map(tuple) | st.frozensets(keys, max_size=3)
)
plain_data: st.SearchStrategy[Any] = st.deferred(
    lambda: (
        scalars
        | st.binary().map(bytearray)
        | st.lists(plain_data, max_size=5)
        | st.lists(plain_data, max_size=3).map(tuple)
        | st.lists(plain_data, max_size=3).map(deque)
        | st.dictionaries(keys, plain_data, max_size=3)
        | st.sets(keys, max_size=3)
        | st.frozensets(keys, max_size=3)
    )
)


def shape(value: Any) -> Any:
    """Say a value with all of its types, so that 1, True and 1.0 differ, -0.0 and 0.0 differ, and NaN equals NaN."""
    kind = type(value)
    if kind in (list, tuple, deque):
        return kind.__name__, [shape(item) for item in value]
    if kind in (set, frozenset):
        return kind.__name__, sorted((shape(item) for item in value), key=repr)
    if kind is dict:
        return "dict", [(shape(key), shape(item)) for key, item in value.items()]
    return kind.__name__, ascii(value)


@given(plain_data)
def test_every_plain_value_survives_with_its_types(value: Any):
    assert shape(decode(encode(value, ROOM))) == shape(value)


@given(plain_data, st.integers(0, 100))
def test_nothing_is_longer_than_the_limit(value: Any, limit: int):
    try:
        assert len(encode(value, limit)) <= limit
    except Unencodable as error:
        assert len(encode(value, ROOM)) > limit, error


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_decode_or_are_a_value_error(data: bytes):
    with suppress(ValueError):
        decode(data)


JSON_LIKE = st.text(st.sampled_from('[]{}",:\\0123456789.-eEtrufalsnidbSFqc ntN'))


@given(JSON_LIKE)
def test_anything_that_looks_like_json_decodes_or_is_a_value_error(text: str):
    with suppress(ValueError):
        decode(text.encode())


@given(plain_data, st.data())
def test_damaged_bytes_decode_or_are_a_value_error(value: Any, data: st.DataObject):
    whole = encode(value, ROOM)
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + data.draw(st.binary(max_size=2)) + whole[place + 1 :]
    with suppress(ValueError):
        decode(damaged)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        ("é\n", '"\\u00e9\\n"'),
        ([1, [2.5, "x"], None], '[1,[2.5,"x"],null]'),
        ([], "[]"),
        (2**64 - 1, str(2**64 - 1)),
        (2**64, '{"i":"10000000000000000"}'),
        ([-(2**64)], '[{"i":"-10000000000000000"}]'),
        (math.inf, '{"f":"inf"}'),
        ([1.0, math.nan], '[1.0,{"f":"nan"}]'),
        (1 - 2j, '{"c":[1.0,-2.0]}'),
        ("\ud800", '{"s":"eda080"}'),
        (b"\x00\xff", '{"b":"00ff"}'),
        (bytearray(b"a"), '{"a":"61"}'),
        ((), '{"t":[]}'),
        ((1, (2,)), '{"t":[1,{"t":[2]}]}'),
        ({3}, '{"S":[3]}'),
        (frozenset([3]), '{"F":[3]}'),
        (deque([1, 2]), '{"q":[1,2]}'),
        ({"a": 1, 2: [3]}, '{"d":["a",1,2,[3]]}'),
    ],
)
def test_json_says_what_it_can_and_tags_say_the_rest(value: Any, text: str):
    assert encode(value, ROOM) == text.encode()
    assert shape(decode(text.encode())) == shape(value)


@pytest.mark.parametrize("made", [Counter("aab"), OrderedDict(a=2, b=1), defaultdict(list, {"a": 2, "b": 1})])
def test_the_dictionaries_of_collections_become_plain_ones(made: dict[str, int]):
    value = decode(encode(made, ROOM))
    assert type(value) is dict
    assert value == {"a": 2, "b": 1}


class Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class LyingText(str):
    pass


class LyingList(list[Any]):
    pass


class Loud:
    """Anything that is asked of it fails the test."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)

    def __repr__(self) -> str:
        raise AssertionError("repr")


class TypeThatLies(type):
    """Says that its classes are int, and hashes and names them as int."""

    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return hash(int)

    def __repr__(cls) -> str:
        return "<class 'numpy.int64'>"

    @property
    def __name__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        raise AssertionError("name")


class Impostor(metaclass=TypeThatLies):
    def tolist(self) -> int:
        raise AssertionError("tolist")


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Liar(3), "Liar"),
        (lambda: LyingText("3"), "LyingText"),
        (lambda: LyingList(), "LyingList"),
        (lambda: Loud(), "Loud"),
        (lambda: Impostor(), "Impostor"),
        (lambda: Fraction(1, 2), "Fraction"),
        (lambda: range(3), "range"),
        (lambda: iter([]), "list_iterator"),
        (lambda: len, "builtin_function_or_method"),
        (lambda: type("x" * 1000, (), {})(), "x" * 80),
    ],
)
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [1, x], lambda x: [[x]], lambda x: (x,), lambda x: {1: x}])
def test_anything_else_is_refused_by_the_name_of_its_type_and_never_called(make: Any, name: str, wrap: Any):
    with pytest.raises(Unencodable, match=f"'{name}'$"):
        encode(wrap(make()), ROOM)


@pytest.mark.parametrize("kind", [list, tuple, deque])
def test_nesting_is_bounded(kind: Any):
    def nested(depth: int) -> Any:
        value = kind([1, "2"])
        for _ in range(depth - 1):
            value = kind([value])
        return value

    deepest = nested(MAX_DEPTH)
    assert decode(encode(deepest, ROOM)) == deepest
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(Unencodable, match="deeper than 200"):
            encode(nested(depth), ROOM)


def test_cycles_end_as_too_deep():
    lists: list[Any] = [1]
    lists.append(lists)
    doubling: list[Any] = []
    doubling += [doubling, doubling]
    mapping: dict[int, Any] = {}
    mapping[1] = (mapping,)
    for value in (lists, doubling, mapping):
        with pytest.raises(Unencodable):
            encode(value, ROOM)


def test_a_small_value_that_would_be_written_enormously_is_refused_early():
    bomb: Any = "x" * 1000
    for _ in range(100):
        bomb = [bomb] * 1000
    for value in (bomb, [0] * 10**7, "x" * 10**7, 1 << 10**8, {1: bomb}, (bomb,)):
        with pytest.raises(Unencodable, match="more than 1000 bytes"):
            encode(value, 1000)


def test_a_program_that_patches_builtins_and_json_changes_nothing():
    program = """
import builtins, json, os
from sandboxes.inside.values import encode

def fail(*args, **kwargs):
    raise SystemExit(0)

value = [1, (2.5, "é"), {"k": {3}}, 10**30, "x"]
exit, patch = os._exit, setattr
modules = (builtins, json, json.encoder, json.decoder)
names = [(module, name) for module in modules for name in vars(module) if not name.startswith("__")]
for module, name in names:
    patch(module, name, fail)
os.write(1, encode(value, 1000) + encode([[1], 2.5, None], 1000))
exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, cwd=Path(__file__).parents[3]
    )
    written = b'[1,{"t":[2.5,"\\u00e9"]},{"d":["k",{"S":[3]}]},{"i":"c9f2c9cd04674edea40000000"},"x"][[1],2.5,null]'
    assert (done.stdout, done.stderr) == (written, b"")


def test_numpy_scalars_become_numbers_and_arrays_are_refused():
    numpy = pytest.importorskip("numpy")
    values = [
        numpy.int64(3),
        numpy.float64(0.5),
        numpy.bool_(True),
        numpy.str_("a"),
        numpy.float32(0.5),
        numpy.uint8(9),
    ]
    assert shape(decode(encode(values, ROOM))) == shape([3, 0.5, True, "a", 0.5, 9])
    for refused in (numpy.zeros(2), numpy.longdouble(1), numpy.dtype("int64"), numpy.add):
        with pytest.raises(Unencodable):
            encode(refused, ROOM)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"1 2", "more after the value"),
        (b"[1,]", "no JSON"),
        (b"\xef\xbb\xbf1", "a byte order mark"),
        ("é".encode(), "not ASCII"),
        (b"NaN", "a constant of JavaScript"),
        (b"-Infinity", "a constant of JavaScript"),
        (b"{}", "no tag"),
        (b'{"z":1}', "an unknown tag"),
        (b'{"t":[],"t":[]}', "two tags"),
        (b'{"t":1}', "a tuple of what is no list"),
        (b'{"t":{"t":[]}}', "a tuple of what is no list"),
        (b'{"i":"1_0"}', "Python's digit groups"),
        (b'{"i":"0x1"}', "a prefix"),
        (b'{"i":" 1"}', "a space"),
        (b'{"i":""}', "no digit"),
        (b'{"i":1}', "a number for a text"),
        (b'{"f":"1.0"}', "a finite float stands as itself"),
        (b'{"f":"NaN"}', "another spelling"),
        (b'{"c":[1,2]}', "ints for floats"),
        (b'{"c":[1.0]}', "one part"),
        (b'{"b":"0"}', "half a byte"),
        (b'{"b":"zz"}', "no hexadecimal digits"),
        (b'{"s":"ff"}', "not UTF-8"),
        (b'{"d":[1]}', "a key without a value"),
        (b'{"d":[1,2,1,3]}', "a key twice"),
        (b'{"d":[1,2,true,3]}', "equal keys of two types"),
        (b'{"d":[[],2]}', "a key that cannot be hashed"),
        (b'{"d":[{"t":[[]]},2]}', "a key that cannot be hashed"),
        (b'{"S":[1,1]}', "an element twice"),
        (b'{"S":[{"S":[]}]}', "an element that cannot be hashed"),
        (b"9" * 5000, "too many digits"),
        (b"[" * 100_000, "too deep"),
        (b'{"t":' * 100_000, "too deep"),
        (b"[" * 401 + b"]" * 401, "too deep"),
        (b'["]",' * 401 + b"1" + b"]" * 401, "too deep, with brackets in texts"),
        (b'["\\"]",' * 401 + b"1" + b"]" * 401, "too deep, with escaped quotes in texts"),
    ],
)
def test_what_encode_never_writes_is_refused(data: bytes, why: str):
    with pytest.raises(ValueError):
        decode(data)


def test_brackets_in_texts_are_no_nesting():
    value = ["[" * 1000, '\\"[' * 1000, "[\\" * 1000, ["{" * 1000]]
    assert decode(encode(value, ROOM)) == value


def test_keys_made_to_collide_are_refused():
    colliding = [multiple * sys.hash_info.modulus for multiple in range(1, 30_000)]
    written = encode(colliding, ROOM).decode()
    for tag, body in (("S", written), ("d", written.replace(",", ",0,").replace("]", ",0]"))):
        with pytest.raises(ValueError, match="same hash"):
            decode(f'{{"{tag}":{body}}}'.encode())


def test_decoding_stays_quick_where_the_limit_on_digits_and_recursion_is_lifted():
    digits, depth = sys.get_int_max_str_digits(), sys.getrecursionlimit()
    try:
        sys.set_int_max_str_digits(0)
        sys.setrecursionlimit(10**6)
        for data in (b"9" * 10**6, b"[" * 10**6):
            with pytest.raises(ValueError):
                decode(data)
    finally:
        sys.set_int_max_str_digits(digits)
        sys.setrecursionlimit(depth)


def test_two_decoded_nans_are_two_objects():
    assert decode(b'[{"f":"nan"}]') != decode(b'[{"f":"nan"}]')
