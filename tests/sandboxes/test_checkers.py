"""What counts as a right answer, checker by checker: tables of (checker, answer, expected, verdict, why)."""

from __future__ import annotations

import math
import sys
from collections import deque
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sandboxes.checkers import (
    Checker,
    EvalPlus,
    Exact,
    Float,
    Lines,
    LiveCodeBench,
    Special,
    Tokens,
    Unordered,
    checker,
)

BOM = "\N{BYTE ORDER MARK}"
FULL_WIDTH_SEVEN = "\N{FULLWIDTH DIGIT SEVEN}"
NAN, INF = math.nan, math.inf
YES, NO = True, False

OUTPUTS = [
    ("exact", "3\n", "3\n", YES, "the same bytes"),
    ("exact", "3", "3\n", NO, "the newline is missing"),
    ("exact", "3\r\n", "3\n", NO, "CRLF is another text"),
    ("exact", "", "", YES, "nothing is nothing"),
    ("lines", "3", "3\n", YES, "the last newline is free"),
    ("lines", "3\n\n \n", "3\n", YES, "blank lines at the end are free"),
    ("lines", "1 \t\n2\n", "1\n2\n", YES, "white space at the end of a line is free"),
    ("lines", "1\r\n2\r\n", "1\n2\n", YES, "CRLF ends a line as LF does"),
    ("lines", "1\r2\n", "1\n2\n", NO, "a lone CR ends no line"),
    ("lines", " 3\n", "3\n", NO, "white space at the start of a line counts"),
    ("lines", "\n3\n", "3\n", NO, "a blank line at the start counts"),
    ("lines", "1\n\n2\n", "1\n2\n", NO, "a blank line between lines counts"),
    ("lines", "1  2\n", "1 2\n", NO, "white space within a line counts"),
    ("lines", "", "\n \n", YES, "only white space is nothing"),
    ("lines", "1\n", "1\n2\n", NO, "the output ends early"),
    ("lines", "1\n2\n3\n", "1\n2\n", NO, "the output goes on"),
    ("lines", "1\n", "1\n ", YES, "white space after the last newline is free"),
    ("lines", BOM + "3\n", "3\n", NO, "a byte order mark is an answer's mistake"),
    ("lines", "3\0\n", "3\n", NO, "a NUL counts"),
    ("lines", FULL_WIDTH_SEVEN + "\n", "7\n", NO, "a look-alike digit is another text"),
    ("lines", "3\N{NO-BREAK SPACE}\n", "3\n", NO, "only ASCII white space is free"),
    ("lines", "Yes\n", "YES\n", NO, "case counts"),
    ("tokens", "1   2\n\n3", "1 2 3\n", YES, "the layout is free"),
    ("tokens", "12 3", "1 23", NO, "where words end counts"),
    ("tokens", "1 2", "1 2 3", NO, "a word is missing"),
    ("tokens", "1 2 3 4", "1 2 3", NO, "a word too many"),
    ("tokens", "1.0", "1", NO, "words are no numbers"),
    ("tokens", BOM + "1", "1", NO, "a byte order mark is an answer's mistake"),
    ("tokens", " \r\n\t\v\f", "", YES, "only white space is nothing"),
    ("float", "2.3333333", "2.33333331", YES, "within the relative tolerance"),
    ("float", "2.3334", "2.3333", NO, "beyond it"),
    ("float", "1e-10", "0", YES, "within the absolute tolerance"),
    ("float", "1e-8", "0", NO, "beyond it"),
    ("float", "1", "1.0", YES, "an integer is a number"),
    ("float", "+1.e0 .5", "1 0.5", YES, "every decimal spelling"),
    ("float", "-0.0", "0", YES, "zero has no sign"),
    ("float", "1 2\n3", "1\n2 3\n", YES, "the layout is free"),
    ("float", "1 2", "1 2 3", NO, "a number is missing"),
    ("float", "yes 0.3000000001", "yes 0.3", YES, "words agree, numbers are close"),
    ("float", "Yes 0.3", "yes 0.3", NO, "words agree exactly"),
    ("float", "nan", "nan", NO, "NaN equals nothing"),
    ("float", "1 -NaN 2", "1 -NaN 2", NO, "NaN equals nothing, in any spelling"),
    ("float", "nano", "nano", YES, "a word that starts so is a word"),
    ("float", "nan", "0", NO, "NaN equals nothing"),
    ("float", "inf", "inf", YES, "the same infinity"),
    ("float", "Infinity", "inf", YES, "however it is spelled"),
    ("float", "-inf", "inf", NO, "the other infinity"),
    ("float", "1e308", "inf", NO, "a number is no infinity"),
    ("float", "1e999", "inf", NO, "a number beyond the range of floats is no infinity"),
    ("float", "inf", "1e999", NO, "nor the other way round"),
    ("float", "1e999 1", "1e999 1", YES, "but it equals itself"),
    ("float", "1e999", "1e998", NO, "and is no other"),
    ("float", "inf", "1e308", NO, "an infinity is within no tolerance"),
    ("float", "-1e308", "1e308", NO, "a difference that overflows"),
    ("float", "0x10", "16", NO, "hexadecimal is no number"),
    ("float", "1_0", "10", NO, "digit groups are no number"),
    ("float", FULL_WIDTH_SEVEN, "7", NO, "numbers are ASCII"),
    ("float", "1,5", "1.5", NO, "a comma is no point"),
    ("float", "1e", "1", NO, "half a number"),
    ("float:rtol=0,atol=0", "0.1", "0.10", YES, "without a tolerance numbers still are numbers"),
    ("float:rtol=0,atol=0", "0.1", "0.1000000001", NO, "without a tolerance they must be equal"),
    ("float:rtol=0.1,atol=0", "11", "10", YES, "the tolerance is of the expected number"),
    ("float:rtol=0.1,atol=0", "10", "11.2", NO, "the tolerance is of the expected number"),
    ("unordered", "2\n1\n", "1\n2\n", YES, "any order"),
    ("unordered", "1 \r\n\n2", "2\n1\n", YES, "white space at ends and blank lines are free"),
    ("unordered", "1\n1\n2\n", "1\n2\n2\n", NO, "as often"),
    ("unordered", "1\n", "1\n1\n", NO, "as often"),
    ("unordered", "1 2\n", "2 1\n", NO, "a line is one piece"),
    ("lcb", "3", "3\n", YES, "white space around is free"),
    ("lcb", "\n\n 1 \n  2\n\n", "1\n2\n", YES, "also at the start, and around each line"),
    ("lcb", "1\n\n2\n", "1\n2\n", NO, "a blank line between lines counts"),
    ("lcb", "1.0 2", "1 2.00", YES, "equal decimal numbers"),
    ("lcb", "1e2", "100", YES, "in any spelling"),
    ("lcb", "1  2", "1 2", YES, "numbers have no layout within a line"),
    ("lcb", "a  b", "a b", NO, "words have"),
    ("lcb", "a 1.0", "a 1", NO, "one word makes the line text"),
    ("lcb", "0.30000000000000004", "0.3", NO, "there is no tolerance"),
    ("lcb", "50000000000000001", "50000000000000000", NO, "nor rounding"),
    ("lcb", "nan", "nan", YES, "the same text"),
    ("lcb", "NaN", "nan", NO, "NaN is not a number"),
    ("lcb", "sNaN", "1", NO, "nor does a signalling one raise"),
    ("lcb", "Infinity", "inf", YES, "an infinity is a decimal"),
    ("lcb", "1e99999999999999999999", "1", NO, "what Decimal cannot hold is no number"),
    ("lcb", FULL_WIDTH_SEVEN, "7", NO, "ASCII only, stricter than the original"),
    ("lcb", "1_0", "10", NO, "no digit groups, stricter than the original"),
    ("lcb", "1", "1\n2", NO, "a line is missing"),
    ("lcb", "", "\n", YES, "nothing is nothing"),
    ("evalplus", "3", "3\n", YES, "output is compared by lines"),
]


def ids(rows: list[tuple[Any, ...]]) -> list[str]:
    return [f"{spec}: {why}" for spec, *_, why in rows]


@pytest.mark.parametrize(("spec", "output", "expected", "accepted", "why"), OUTPUTS, ids=ids(OUTPUTS))
def test_output(spec: str, output: str, expected: str, accepted: bool, why: str):
    assert checker(spec).compare_output(b"", output.encode(), expected.encode()).accepted is accepted, why


VALUES = [
    ("lines", 3, 3, YES, "equal"),
    ("lines", 3, 4, NO, "different"),
    ("lines", 3.0, 3, YES, "a float may equal an int"),
    ("lines", 10**400, 10**400, YES, "of any size"),
    ("lines", 2**53 + 1, float(2**53), NO, "exactly"),
    ("lines", True, 1, NO, "True is no number"),
    ("lines", 0, False, NO, "nor is False"),
    ("lines", [1, [False]], [1, [0]], NO, "at any depth"),
    ("lines", {1: 0}, {True: 0}, NO, "nor as a key"),
    ("lines", {(1,)}, {(True,)}, NO, "nor within an element"),
    ("lines", NAN, NAN, NO, "NaN equals nothing"),
    ("lines", [1.0, NAN], [1.0, NAN], NO, "at any depth"),
    ("lines", -0.0, 0.0, YES, "zero has no sign"),
    ("lines", "1", 1, NO, "a text is no number"),
    ("lines", b"a", "a", NO, "nor are bytes text"),
    ("lines", None, [], NO, "None is None"),
    ("lines", (1, 2), [1, 2], YES, "a tuple may stand for a list"),
    ("lines", [(1, (2,))], [[1, [2]]], YES, "at any depth"),
    ("lines", [1, 2], (1, 2), NO, "a list for no tuple"),
    ("lines", {"a": (1,)}, {"a": [1]}, YES, "in a dict too"),
    ("lines", deque([1]), [1], NO, "a deque is no list"),
    ("lines", deque([1]), deque([1]), YES, "but equals a deque"),
    ("lines", {1, 2}, frozenset([2, 1]), YES, "sets of either kind, in any order"),
    ("lines", {1, 2}, {1, 3}, NO, "with other elements"),
    ("lines", {1, 2}, {1}, NO, "with more elements"),
    ("lines", {1: 2, 3: 4}, {3: 4, 1: 2}, YES, "a dict has no order"),
    ("lines", {1: 2}, {2: 2}, NO, "other keys"),
    ("lines", {1: None}, {2: None}, NO, "other keys, with values that are nothing"),
    ("lines", {1: 2}, {1: 3}, NO, "other values"),
    ("lines", {1: 2}, [1], NO, "a dict is no list"),
    ("lines", [], (), NO, "empty as they are"),
    ("lines", [[], []], [[], []], YES, "empty within"),
    ("lines", [1, 2], [1], NO, "longer"),
    ("lines", [[1, 2], [3]], [[1], [2, 3]], NO, "divided otherwise"),
    ("lines:tuple_as_list=false", (1, 2), [1, 2], NO, "unless that is switched off"),
    ("exact", (1, 2), [1, 2], YES, "every checker of text compares values so"),
    ("tokens", (1, True), [1, 1], NO, "every checker of text compares values so"),
    ("float", 0.1 + 0.2, 0.3, YES, "within the tolerance"),
    ("float", [(1, 2.0000001)], [[1.0, 2]], YES, "at any depth"),
    ("float", {"a": 0.30000000001}, {"a": 0.3}, YES, "in the values of a dict"),
    ("float", {0.30000000001}, {0.3}, NO, "but not in a set"),
    ("float", 0.31, 0.3, NO, "beyond the tolerance"),
    ("float", True, 1.0, NO, "True is no number"),
    ("float", "0.30000000001", "0.3", NO, "a text is no number"),
    ("float", NAN, NAN, NO, "NaN equals nothing"),
    ("float", INF, INF, YES, "the same infinity"),
    ("float", 1e308, INF, NO, "a number is no infinity"),
    ("float", INF, 1e308, NO, "nor the other way round"),
    ("float", 10**400, 10**400, YES, "a number beyond the range of floats"),
    ("float", 10**400, 1.0, NO, "a number beyond the range of floats"),
    ("float", 1.0, 10**400, NO, "a number beyond the range of floats"),
    ("float", 1 + 1e-9j, 1, YES, "complex numbers by their distance"),
    ("unordered", [3, 1, 2], [1, 2, 3], YES, "any order"),
    ("unordered", ([3], [1, 2]), [[1, 2], [3]], YES, "of the outermost sequence"),
    ("unordered", [[2, 1]], [[1, 2]], NO, "but not of inner ones"),
    ("unordered", [1, 1, 2], [1, 2, 2], NO, "as often"),
    ("unordered", [1], [True], NO, "with the same types"),
    ("unordered", [{"a": [1]}, {2}], [{2}, {"a": [1]}], YES, "of anything"),
    ("unordered", [1, 2], [1], NO, "as many"),
    ("unordered", [1], (1,), NO, "a list for no tuple"),
    ("unordered", "ba", "ab", NO, "a text is no sequence"),
    ("unordered", [NAN], [NAN], NO, "NaN equals nothing"),
    ("lcb", (1, 2), [1, 2], YES, "the outermost tuple becomes a list"),
    ("lcb", [(1, 2)], [[1, 2]], NO, "an inner one does not"),
    ("lcb", True, 1, YES, "as Python says"),
    ("lcb", [1.0, False], [1, 0], YES, "as Python says, at any depth"),
    ("lcb", 0.1 + 0.2, 0.3, NO, "without a tolerance"),
    ("lcb", NAN, NAN, NO, "as Python says"),
    ("evalplus", 3, 3, YES, "equal"),
    ("evalplus", True, 1, YES, "as Python says"),
    ("evalplus", (1, 2), [1, 2], NO, "a tuple is no list"),
    ("evalplus", 0.1 + 0.2, 0.3, YES, "floats within 1e-6"),
    ("evalplus", 3.0000009, 3.0, YES, "floats within 1e-6"),
    ("evalplus", 3.0000015, 3.0, NO, "but not beyond"),
    ("evalplus", [3.0000009, 1.0], [3.0, 1.0], YES, "in a list of floats"),
    ("evalplus", (3.0000009,), [3.0], NO, "of the same type"),
    ("evalplus", [3.0000009, 1], [3.0, 1], NO, "but not in a mixed one"),
    ("evalplus", [[3.0000009]], [[3.0]], NO, "nor in a nested one"),
    ("evalplus:atol=1e-6", [[3.0000009, 1]], [[3.0, 1]], YES, "unless the problem has a tolerance"),
    ("evalplus:atol=1e-6", [["a", 3.0000009]], [["a", 3.0]], NO, "among numbers only"),
    ("evalplus:atol=1e-6", {"a": 3.0000009}, {"a": 3.0}, NO, "not in dicts"),
    ("evalplus:atol=1e-6", 3, 3.0000001, NO, "of the same type"),
    ("evalplus", 1e9 + 50, 1e9, YES, "and by 1e-7 of the expected value"),
    ("evalplus", 1e9 + 200, 1e9, NO, "but not beyond"),
    ("evalplus", 0.5, [0.5, 0.5], NO, "a number is no list"),
    ("evalplus", [0.5], [0.5, 0.5], NO, "nor is a shorter list"),
    ("evalplus", NAN, NAN, NO, "NaN equals nothing"),
    ("evalplus", INF, INF, YES, "the same infinity"),
    ("evalplus", [], [], YES, "empty"),
]


@pytest.mark.parametrize(("spec", "value", "expected", "accepted", "why"), VALUES, ids=ids(VALUES))
def test_values(spec: str, value: Any, expected: Any, accepted: bool, why: str):
    assert checker(spec).compare_values(value, expected).accepted is accepted, why


EVERY = [Exact(), Lines(), Tokens(), Float(), Unordered(), LiveCodeBench(), EvalPlus()]
every_checker = pytest.mark.parametrize("check", EVERY, ids=lambda check: check.name)

# Few different bytes, so that texts often are nearly equal.
texts = st.binary(max_size=30) | st.text(st.sampled_from("12.e-nai \t\r\n\0"), max_size=12).map(str.encode)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=2)
keys = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2).map(tuple), max_leaves=3)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
        | st.frozensets(keys, max_size=3)
    ),
    max_leaves=8,
)


@every_checker
@given(output=texts, expected=texts)
def test_any_bytes_get_a_verdict_with_a_short_note_on_one_line(check: Checker, output: bytes, expected: bytes):
    result = check.compare_output(b"", output, expected)
    assert bool(result.note) is not result.accepted
    assert len(result.note) <= 200
    assert result.note.isprintable()


@every_checker
@given(value=values, expected=values)
def test_any_values_get_a_verdict_with_a_short_note_on_one_line(check: Checker, value: Any, expected: Any):
    result = check.compare_values(value, expected)
    assert bool(result.note) is not result.accepted
    assert len(result.note) <= 200
    assert result.note.isprintable()


@every_checker
@given(output=texts)
def test_the_expected_output_is_accepted(check: Checker, output: bytes):
    assume(not (check.name == "float" and b"nan" in output))
    assert check.compare_output(b"", output, output).accepted


@every_checker
@given(value=values)
def test_the_expected_value_is_accepted(check: Checker, value: Any):
    assume("nan" not in repr(value))
    assert check.compare_values(value, value).accepted


@pytest.mark.parametrize("name", ["exact", "lines", "tokens", "unordered", "lcb"])
@given(one=texts, other=texts)
def test_without_tolerances_comparison_is_symmetric(name: str, one: bytes, other: bytes):
    forth, back = checker(name).compare_output(b"", one, other), checker(name).compare_output(b"", other, one)
    assert forth.accepted is back.accepted


@pytest.mark.parametrize("name", ["lines", "tokens", "float", "unordered", "lcb"])
@given(output=texts, other=texts, trailing=st.text(st.sampled_from(" \t\r"), max_size=3), blank=st.integers(0, 3))
def test_line_ends_change_no_verdict(name: str, output: bytes, other: bytes, trailing: str, blank: int):
    written_otherwise = output.replace(b"\n", trailing.encode() + b"\n") + b"\n" * blank
    before, after = (checker(name).compare_output(b"", text, other) for text in (output, written_otherwise))
    assert before.accepted is after.accepted


@given(lines=st.lists(st.text(st.sampled_from("ab "), max_size=3)), data=st.data())
def test_the_order_of_lines_changes_no_verdict_of_unordered(lines: list[str], data: st.DataObject):
    mixed = data.draw(st.permutations(lines))
    assert Unordered().compare_output(b"", "\n".join(mixed).encode(), "\n".join(lines).encode()).accepted


@given(one=texts, other=texts)
def test_checkers_of_text_only_grow_more_lenient(one: bytes, other: bytes):
    exact, lines, tokens = (check.compare_output(b"", one, other).accepted for check in (Exact(), Lines(), Tokens()))
    assert exact <= lines <= tokens


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    numbers=st.lists(st.tuples(finite, st.floats(0.999, 1.001)), min_size=1), rtol=st.sampled_from([1e-3, 1e-4, 0.0])
)
def test_float_means_the_same_for_output_and_for_values(numbers: list[tuple[float, float]], rtol: float):
    expected = [number for number, _ in numbers]
    got = [number * factor for number, factor in numbers]
    check = Float(rtol=rtol)
    output, answer = (" ".join(map(repr, side)).encode() for side in (got, expected))
    assert check.compare_output(b"", output, answer).accepted is check.compare_values(got, expected).accepted
    words = check.compare_output(b"", output + b" end", answer + b" end")
    assert check.compare_output(b"", output, answer).accepted is words.accepted


@every_checker
@pytest.mark.parametrize(
    "output",
    [b"\xff\xfe" * 5, b"\0" * 10**6, b"1" * 10**6, b"1 " * 10**6, b"\n" * 10**6, b"-" * 10**5, b"1e" + b"9" * 10**5],
    ids=["invalid UTF-8", "NULs", "a long number", "a million tokens", "a million lines", "signs", "an exponent"],
)
def test_enormous_and_broken_output_gets_a_verdict(check: Checker, output: bytes):
    for expected in (b"1\n", output + b"2", output[:-1] + b"2"):
        assert len(check.compare_output(b"", output, expected).note) <= 200
    assert check.compare_output(b"", output, output).accepted


@every_checker
def test_deeply_nested_values_get_a_verdict(check: Checker):
    def nested(inside: Any, depth: int = 400) -> Any:
        for _ in range(depth):
            inside = [inside]
        return inside

    assert check.compare_values(nested(1), nested(1)).accepted
    result = check.compare_values(nested(1), nested(2))
    assert not result.accepted
    assert len(result.note) <= 200
    assert not check.compare_values(nested(1), 1).accepted


def test_a_list_made_to_collide_in_a_table_is_compared_as_fast_as_any():
    colliding = [multiple * sys.hash_info.modulus for multiple in range(1, 100_000)]
    assert not Unordered().compare_values(colliding, list(range(1, 100_000))).accepted


@pytest.mark.parametrize(
    ("check", "output", "expected", "note"),
    [
        (Exact(), b"1\n2", b"1\n3", "byte 3: got '2', expected '3'"),
        (Lines(), b"1\n2\n4\n", b"1\n2\n3\n", "line 3: got '4', expected '3'"),
        (Lines(), b"1\n", b"1\n2\n", "line 2: got '', expected '2'"),
        (Lines(), b"1\n\0\x1b[31m\xff\n", b"1\n2\n", r"line 2: got '\x00\x1b[31m\\xff', expected '2'"),
        (Lines(), b"x" * 50 + b"1", b"x" * 50 + b"2", "line 1: got ...'xxxxxxxxxx1', expected ...'xxxxxxxxxx2'"),
        (Tokens(), b"a b\nc", b"a b\nd", "token 3: got 'c', expected 'd'"),
        (Tokens(), b"a b", b"a b c", "token 3: got the end, expected 'c'"),
        (Float(), b"a 1.5", b"a 2.5", "token 2: got '1.5', expected '2.5'"),
        (Float(), b"nan", b"nan", "token 1: got 'nan', expected 'nan'"),
        (Float(), b"1", b"1 2", "1 tokens, expected 2"),
        (Unordered(), b"1\n3\n", b"1\n2\n", "the line '2' is missing"),
        (Unordered(), b"1\n1\n", b"1\n", "the line '1' is not expected, or not as often"),
        (LiveCodeBench(), b"1\n5", b"1\n6", "line 2: got '5', expected '6'"),
        (LiveCodeBench(), b"1", b"1\n6", "1 lines, expected 2"),
    ],
)
def test_the_note_tells_the_first_difference_of_outputs(check: Checker, output: bytes, expected: bytes, note: str):
    assert check.compare_output(b"", output, expected).note == note


@pytest.mark.parametrize(
    ("value", "expected", "note"),
    [
        (1, 2, "got 1, expected 2"),
        (True, 1, "got True, expected 1"),
        ([1, [2, 3]], [1, [2, 4]], "at [1][1]: got 3, expected 4"),
        ([5, 6], [7, 8], "at [0]: got 5, expected 7"),
        ({"a": [1]}, {"a": [2]}, "at ['a'][0]: got 1, expected 2"),
        ({"a": 1}, {"b": 1}, "at ['a']: got 1, expected nothing"),
        ([1, 2, 3], [1], "length 3, expected 1"),
        ("a\n\x1b", 1, r"got 'a\n\x1b', expected 1"),
        (1 << 20000, 1, "got an int of 20001 bits, expected 1"),
        (list(range(100)), 0, "got [0, 1, 2, 3, 4, 5, ...], expected 0"),
        (b"x" * 100, 0, "got b'xxxxxxxxxx'..., expected 0"),
    ],
    ids=lambda side: side if isinstance(side, str) else type(side).__name__,
)
def test_the_note_tells_the_first_difference_of_values(value: Any, expected: Any, note: str):
    assert Lines().compare_values(value, expected).note == note


@pytest.mark.parametrize(
    ("spec", "made"),
    [
        (None, Lines()),
        ("lines", Lines()),
        ("exact", Exact()),
        ("tokens", Tokens()),
        ("unordered", Unordered()),
        ("lcb", LiveCodeBench()),
        ("evalplus:atol=0.5", EvalPlus(atol=0.5)),
        ("float", Float()),
        ("float:rtol=1e-3, atol=0", Float(rtol=1e-3, atol=0)),
        ("lines:tuple_as_list=false", Lines(tuple_as_list=False)),
        ({"kind": "float", "rtol": 1e-3}, Float(rtol=1e-3)),
        ({"kind": "float", "rtol": "1e-3"}, Float(rtol=1e-3)),
        ({"kind": "lines", "tuple_as_list": False}, Lines(tuple_as_list=False)),
        (Tokens(), Tokens()),
    ],
)
def test_a_checker_is_named_or_described_or_given(spec: Any, made: Checker):
    assert checker(spec) == made


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "line",
            "no checker 'line'. Did you mean 'lines'? Known: exact, tokens, lines, float, unordered, lcb, evalplus",
        ),
        ("", "no checker ''. Known: exact"),
        ("float:rtl=1", "'float' has no option 'rtl'. Did you mean 'rtol'? Known: rtol, atol, tuple_as_list."),
        ("lcb:rtol=1", "'lcb' has no option 'rtol'. It has none."),
        ("float:1e-6", "write options as name=value"),
        ("float:rtol=small", "rtol must be a number, not 'small'"),
        ("float:rtol=nan", "rtol must be a finite number of at least 0, not nan"),
        ("float:atol=-1", "atol must be a finite number of at least 0, not -1.0"),
        ({"kind": "float", "rtol": True}, "rtol must be a number, not True"),
        ({"kind": "lines", "tuple_as_list": "maybe"}, "tuple_as_list must be true or false, not 'maybe'"),
        ({"rtol": 1}, "says which under 'kind'"),
        (3, "a checker is a name, a mapping or a Checker, not 3"),
        ("special", "checker 'special' needs more"),
    ],
)
def test_what_is_no_checker_is_explained(spec: Any, message: str):
    with pytest.raises(ValueError) as raised:
        checker(spec)
    assert message in str(raised.value)


def test_every_checker_goes_by_its_name():
    assert [checker(check.name) for check in EVERY] == EVERY
    assert Special.name == "special"
