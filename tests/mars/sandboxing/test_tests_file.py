"""Files of tests: what each layout means, and what every mistake is answered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.errors import DataError
from mars.sandboxing.settings import LimitSettings, SpecialSettings
from mars.sandboxing.tests_file import read_tests
from sandboxes import AssertCase, CallCase, StdioCase, TestCase, UnittestCase

Write = Callable[[str, Any], Path]
SUITE = "import unittest\nclass T(unittest.TestCase):\n    def test_f(self):\n        self.assertEqual(f(1), 2)\n"


@pytest.mark.parametrize(
    ("written", "meant", "why"),
    [
        ({"stdin": "1\n", "expected": "2\n"}, StdioCase("1\n", "2\n"), "standard input and output"),
        ({"expected": "2"}, StdioCase("", "2"), "no input is empty input"),
        ({"function": "f", "args": [1, [2]], "expected": {"a": None}}, CallCase("f", (1, [2]), {"a": None}), "a call"),
        ({"function": "f", "expected": None}, CallCase("f", (), None), "a call without arguments that returns None"),
        ({"function": "C.f", "kwargs": {"x": 1}, "expected": 2}, CallCase("C.f", (), 2, {"x": 1}), "a method, by name"),
        ({"assert": "assert f(1) == 2"}, AssertCase("assert f(1) == 2"), "assertions"),
        (
            {"assert": "def check(candidate):\n    assert candidate(1) == 2", "entry_point": "f", "same_process": True},
            AssertCase("def check(candidate):\n    assert candidate(1) == 2", "f", True),
            "HumanEval's form",
        ),
        ({"unittest": SUITE}, UnittestCase(SUITE), "a suite"),
        ({"input": "1", "output": "2", "testtype": "stdin", "id": 7}, StdioCase("1", "2"), "LiveCodeBench, more keys"),
        ({"input": "1", "output": "2"}, StdioCase("1", "2"), "LiveCodeBench without a type"),
        (
            {"input": '[1, 2]\n"a"', "output": "[3]", "testtype": "functional", "fn_name": "f"},
            CallCase("f", ([1, 2], "a"), [3]),
            "LiveCodeBench's call: an argument a line, as JSON",
        ),
        ({"input": {"stdin": "1"}, "output": {"stdout": "2"}}, StdioCase("1", "2"), "SandboxFusion"),
        ({"kind": "stdio", "stdin": "1", "expected": {"base64": "/w=="}}, StdioCase("1", b"\xff"), "our server's"),
        ({"kind": "call", "function": "f", "args": [1], "expected": 2}, CallCase("f", (1,), 2), "our server's call"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_test_is_told_by_its_keys(write: Write, written: dict[str, Any], meant: TestCase, why: str) -> None:
    assert read_tests(write("t.json", [written])).tests == (meant,)


def test_jsonl_has_a_test_a_line_and_blank_lines_do_not_count(write: Write) -> None:
    path = write("t.jsonl", '{"expected": "1"}\n\n{"stdin": "a", "expected": "2"}\n')
    assert read_tests(path).tests == (StdioCase("", "1"), StdioCase("a", "2"))


def test_a_file_may_say_how_to_judge(write: Write) -> None:
    suite = read_tests(
        write("t.json", {"limits": {"cpu_s": 2}, "checker": "float:rtol=1e-3", "tests": [{"expected": "1"}]})
    )
    assert suite.limits == LimitSettings(cpu_s=2)
    assert suite.checker == "float:rtol=1e-3"


@pytest.mark.parametrize("written", ["special:judge.py", {"kind": "special", "program": "judge.py"}])
def test_a_file_may_name_a_special_judge(write: Write, written: Any) -> None:
    suite = read_tests(write("t.json", {"checker": written, "tests": [{"expected": "1"}]}))
    assert suite.checker == SpecialSettings(kind="special", program="judge.py")


@pytest.mark.parametrize(
    ("source", "name", "meant", "why"),
    [
        ("def f(x): return x", "f", "f", "a function"),
        ("class Solution:\n    def f(self, x): return x", "f", "Solution.f", "a method, where there is that class"),
        ("class Solution:\n    def f(self, x): return x", "Solution.f", "Solution.f", "the class may be named"),
        ("# class Solution\ndef f(x): return x", "f", "f", "a comment is no class"),
    ],
)
def test_livecodebench_names_a_function_or_a_method(write: Write, source: str, name: str, meant: str, why: str) -> None:
    path = write("t.json", {"fn_name": name, "tests": [{"input": "1", "output": "1", "testtype": "functional"}]})
    assert read_tests(path, source).tests == (CallCase(meant, (1,), 1),)


def test_livecodebench_may_have_inputs_and_outputs_in_two_lists(write: Write) -> None:
    assert read_tests(write("t.json", {"inputs": ["1", "2"], "outputs": ["3", "4"]})).tests == (
        StdioCase("1", "3"),
        StdioCase("2", "4"),
    )
    called = read_tests(write("t.json", {"inputs": ["1\n2"], "outputs": ["3"], "fn_name": "add"}))
    assert called.tests == (CallCase("add", (1, 2), 3),)


OK = {"expected": "1"}
MISTAKES = [
    ([], "there are no tests in it, and a program without tests has no verdict"),
    ({"tests": []}, "there are no tests in it, and a program without tests has no verdict"),
    (3, "tests: a list belongs here, not a number"),
    ({"tests": {"stdin": ""}}, "tests: a list belongs here, not an object"),
    ([OK, 3], "test 2: a test is an object, not a number"),
    ([OK, {}], "test 2: it is empty"),
    ([{"stdim": "1"}], "test 1: no kind of test has the keys stdim. Did you mean 'stdin'?"),
    ([{"stdin": "1"}], "test 1: expected: this key is required"),
    ([{"stdin": 1, "expected": ""}], "test 1: stdin: text belongs here, not a number"),
    ([{"stdin": "", "expected": ["1"]}], "test 1: expected: text belongs here, not a list"),
    (
        [{"stdin": "", "expcted": ""}],
        "test 1: expcted: a test with 'expected' has no such key. Did you mean 'expected'?",
    ),
    ([{"function": "f", "args": [1]}], "test 1: expected: this key is required"),
    ([{"function": "f(1)", "expected": 1}], "test 1: function: a function is written f or Class.f, not 'f(1)'"),
    ([{"function": "f", "args": 1, "expected": 1}], "test 1: args: a list belongs here, not a number"),
    ([{"function": "f", "kwargs": [], "expected": 1}], "test 1: kwargs: an object belongs here, not a list"),
    ([{"function": "f", "stdin": "", "expected": 1}], "test 1: stdin: a test with 'function' has no such key."),
    ([{"assert": "x =="}], "test 1: assert: it is no Python: invalid syntax"),
    ([{"assert": "# later"}], "test 1: assert: the test asserts nothing, and would accept every program"),
    (
        [{"assert": "def check(c): assert c"}],
        "test 1: assert: the test defines check(candidate); say with 'entry_point'",
    ),
    (
        [{"assert": "assert f", "entry_point": "f"}],
        "test 1: assert: with an 'entry_point' the test defines check(candidate)",
    ),
    ([{"assert": "assert 1", "same_process": 1}], "test 1: same_process: true or false belongs here, not a number"),
    ([{"unittest": "x = 1"}], "test 1: unittest: the unittest suite has no class with a method test"),
    ([{"input": "1"}], "test 1: output: this key is required"),
    ([{"input": "1", "output": "2", "testtype": "std"}], "test 1: testtype: it is 'stdin' or 'functional', not 'std'"),
    ([{"input": "1", "output": "2", "testtype": "functional"}], "test 1: fn_name: the name of a function belongs here"),
    ([{"input": "[1", "output": "2", "fn_name": "f"}], "test 1: input: a value in JSON belongs here, not '[1'"),
    ([{"input": "1", "output": "two", "fn_name": "f"}], "test 1: output: a value in JSON belongs here, not 'two'"),
    ([{"input": {"stdin": ""}, "output": {}}], "test 1: output.stdout: text belongs here, not null"),
    ([{"input": {"stdin": "", "a": ""}, "output": {"stdout": ""}}], "test 1: input.a: only 'stdin' is read here"),
    ([{"kind": "stdio"}], "test 1: expected: this key is required"),
    ([{"kind": "stdoi", "expected": ""}], "test 1: kind: Input tag 'stdoi'"),
    ({"inputs": ["1"], "outputs": []}, "outputs: there are 0 of them for 1 inputs"),
    ({"inputs": ["1"]}, "outputs: a list belongs here, not null"),
    ({"tests": [OK], "limit": {}}, "limit: no such key beside the tests. Did you mean 'limits'?"),
    ({"tests": [OK], "limits": {"cpu": 1}}, "limits.cpu: no such key. Did you mean 'cpu_s'?"),
    ({"tests": [OK], "limits": {"memory_mb": True}}, "limits.memory_mb: Input should be a valid integer"),
    ({"tests": [OK], "checker": "flaot"}, "checker: no checker 'flaot'. Did you mean 'float'?"),
    ({"tests": [OK], "checker": {"kind": "special"}}, "checker.program: this key is required"),
    ("[", "not JSON"),
    ('{"expected": "1"}\n{"expected": "2"}', "not JSON: Extra data; if every line is a test, call the file .jsonl"),
    ('[{"expected": "1", "expected": "2"}]', "the key 'expected' is written twice"),
    ("[" * 100_000, "recursion"),
]


@pytest.mark.parametrize(("content", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_every_mistake_is_one_line_with_the_file_the_test_and_the_key(write: Write, content: Any, message: str) -> None:
    path = write("t.json", content)
    with pytest.raises(DataError) as caught:
        read_tests(path)
    said = str(caught.value)
    assert said.startswith(str(path)) and message in said
    assert "\n" not in said


def test_a_line_of_jsonl_that_is_no_json_is_named(write: Write) -> None:
    path = write("t.jsonl", '{"expected": "1"}\nnonsense\n')
    with pytest.raises(DataError, match=r"t\.jsonl:2: not JSON"):
        read_tests(path)


def test_a_file_that_is_not_there_or_no_text_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the tests"):
        read_tests(tmp_path / "none.json")
    (tmp_path / "t.json").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_tests(tmp_path / "t.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
OURS = ["stdin", "expected", "function", "args", "kwargs", "assert", "entry_point", "unittest", "kind", "code"]
OTHERS = ["input", "output", "testtype", "fn_name", "tests", "inputs", "outputs", "limits", "checker", "values"]
KEYS = st.sampled_from([*OURS, *OTHERS])


@given(st.lists(st.dictionaries(KEYS, JSON), max_size=3) | st.dictionaries(KEYS, JSON) | JSON)
def test_whatever_is_written_it_is_tests_or_an_error_of_one_line(tmp_path_factory, content: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content))
    try:
        assert read_tests(path).tests
    except DataError as error:
        assert str(error).startswith(str(path))
