"""What crosses the wire comes out as it went in, and stays beneath the working folder."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes import AssertCase, CallCase, Limits, Program, StdioCase, UnittestCase
from sandboxes.server.judge_format import (
    TESTS,
    JudgeRequest,
    RunRequest,
    case_to_json,
    from_data,
    program_to_json,
    to_data,
)
from sandboxes.server.paths import MOST_FILES, confine, decode_files
from tests.sandboxes.server.clients import SURROGATE


@given(st.lists(st.text(st.sampled_from("ab./\0") | st.characters(codec="utf-8"), max_size=8), max_size=6))
def test_names_that_are_let_through_stay_beneath_the_folder(names):
    try:
        confine(names)
    except ValueError:
        return
    for name in names:
        path = os.path.normpath(f"/box/{name}")
        assert path.startswith("/box/") and "\0" not in name


def test_files_are_bounded_in_number_and_size_and_no_file_is_a_folder():
    with pytest.raises(ValueError, match=f"at most {MOST_FILES}"):
        confine(str(number) for number in range(MOST_FILES + 1))
    with pytest.raises(ValueError, match="folder of 'a/b'"):
        confine(["a/b", "./a"])
    with pytest.raises(ValueError, match="too long"):
        confine(["x" * 300])
    with pytest.raises(ValueError, match="at most 3"):
        decode_files({"a": base64.b64encode(b"four").decode()}, 3)
    assert decode_files({"a": "YWJj\nZGVm\n"}, 10) == {"a": b"abcdef"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)
TEXTS = st.text(st.characters())
CASES = (
    st.builds(StdioCase, TEXTS, TEXTS)
    | st.builds(CallCase, st.text(), st.lists(VALUES).map(tuple), VALUES, st.dictionaries(st.text(), VALUES))
    | st.builds(AssertCase, TEXTS, st.none() | st.text(), st.booleans())
    | st.builds(UnittestCase, TEXTS)
)


def through_json(content: Any) -> Any:
    return json.loads(json.dumps(content).encode())


@given(st.lists(CASES, min_size=1))
def test_every_kind_of_test_comes_out_of_json_as_it_went_in(cases):
    written = through_json([case_to_json(case) for case in cases])
    assert [test.case() for test in TESTS.validate_python(written)] == cases


@given(st.binary() | TEXTS)
def test_bytes_and_text_come_out_of_json_as_the_same_bytes(content):
    written = {"source": "", "stdin": through_json(to_data(content))}
    read = from_data(RunRequest.model_validate(written).stdin)
    both = [part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in (content, read)]
    assert both[0] == both[1]


def test_programs_and_limits_come_out_of_json_as_they_went_in():
    program = Program(f"x{SURROGATE}", "cpp", {"a/b": b"\xff"}, ("-v",))
    limits = Limits(cpu_s=2.5, memory_mb=99)
    content = {**program_to_json(program, limits, limits, True), "tests": [case_to_json(StdioCase("", ""))]}
    read = JudgeRequest.model_validate(through_json(content))
    assert read.program(1 << 20) == program
    assert read.limits.over(Limits()) == replace(limits, wall_s=limits.wall)
    assert (read.compile_limits or read.limits).over(Limits()) == replace(limits, wall_s=limits.wall)
    assert read.fresh


@given(TEXTS)
def test_malformed_values_of_a_call_are_refused(text):
    test = {"kind": "call", "function": "f", "values": text}
    with pytest.raises(ValueError):
        TESTS.validate_python([test])[0].case()
