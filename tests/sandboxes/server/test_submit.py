"""`POST /submit`: code is found and judged by SandboxFusion's rules, and never executed here."""

from __future__ import annotations

import json
import shutil
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandboxes.server.extraction import extract
from sandboxes.server.submit import SubmitChecker
from tests.sandboxes.server.clients import post


def submit(client: httpx.Client, completion: str, tests: Any, **config: Any) -> httpx.Response:
    extra = config.pop("extra", {})
    content = {
        "dataset": "any",
        "id": 7,
        "completion": completion,
        "config": {"language": "python", "provided_data": {"test": tests}, "extra": extra, **config},
    }
    return post(client, "/submit", content)


def stdio(stdin: str, stdout: str) -> dict[str, Any]:
    return {"input": {"stdin": stdin}, "output": {"stdout": stdout}}


DOUBLE = "Here you are:\n```python\nprint(2 * int(input()))\n```\nDone."


def test_a_right_program_is_accepted(client):
    answer = submit(client, DOUBLE, [stdio("2", "4"), stdio("5", "10\n")]).json()
    assert (answer["id"], answer["accepted"], answer["extracted_type"]) == (7, True, "fenced")
    assert answer["extracted_code"] == "print(2 * int(input()))"
    assert [test["passed"] for test in answer["tests"]] == [True, True]
    assert answer["tests"][0]["exec_info"]["run_result"]["stdout"] == "4\n"
    assert answer["tests"][0]["test_info"] == stdio("2", "4")


def test_judging_ends_at_the_first_failure_unless_all_cases_are_asked_for(client):
    tests = [stdio("2", "4"), stdio("2", "5"), stdio("3", "6")]
    passed = [test["passed"] for test in submit(client, DOUBLE, tests).json()["tests"]]
    assert passed == [True, False]
    answer = submit(client, DOUBLE, tests, extra={"run_all_cases": True}).json()
    assert [test["passed"] for test in answer["tests"]] == [True, False, True]
    assert answer["accepted"] is False


def test_tests_may_come_as_text_of_json_and_under_either_name(client):
    assert submit(client, DOUBLE, json.dumps([stdio("2", "4")])).json()["accepted"]
    data = {"test_cases": [stdio("2", "4")]}
    assert submit(client, DOUBLE, None, provided_data=data).json()["accepted"]


def test_a_time_limit_is_told_in_the_tests_record(client):
    answer = submit(client, "```python\nwhile True: pass\n```", [stdio("", "")], run_timeout=0.3).json()
    assert answer["tests"][0]["exec_info"]["run_result"]["status"] == "TimeLimitExceeded"


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_a_program_that_does_not_compile_has_one_record_that_says_so(client):
    answer = submit(client, "```cpp\nint main() {\n```", [stdio("", "")] * 2, language="cpp").json()
    assert answer["accepted"] is False
    [test] = answer["tests"]
    assert test["exec_info"]["compile_result"]["return_code"] != 0
    assert test["exec_info"]["run_result"] is None


def test_no_program_in_a_completion_is_no_error(client):
    answer = submit(client, "I do not know.", [stdio("", "x")]).json()
    assert (answer["accepted"], answer["extracted_type"]) == (False, "empty")


def test_asserts_after_a_module_are_judged(client):
    row = {"test": {"code": "assert f(2) == 4"}, "labels": {"programming_language": "python"}}
    for body, accepted in (("2 * x", True), ("x", False)):
        completion = f"```python\ndef f(x): return {body}\n```"
        answer = submit(client, completion, None, provided_data=row, dataset_type="AutoEvalDataset").json()
        assert answer["accepted"] is accepted
    assert answer["extra"]["tampering"] == "in_process"


def test_leaving_early_does_not_pass_asserts(client):
    row = {"test": {"code": "assert False"}, "labels": json.dumps({"programming_language": "python"})}
    answer = submit(client, "```python\nimport os; os._exit(0)\n```", None, provided_data=row).json()
    assert answer["accepted"] is False


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"custom_extract_logic": "submit_code_blocks([])"}, "never"),
        ({"provided_data": None}, "no data sets"),
        ({"provided_data": {}}, "no data sets"),
        ({"provided_data": [{"test": []}]}, "one object"),
        ({"provided_data": {"test": []}}, "`test`"),
        ({"provided_data": {"test": "{"}}, "JSON"),
        ({"provided_data": {"test": [{"input": {}}]}}, "stdin"),
        ({"provided_data": {"test": [5]}}, "read"),
        ({"language": "lua"}, "config.language"),
        ({"language": None}, "config.language"),
        ({"provided_data": {"test": {"code": "x"}, "labels": {"programming_language": "go"}}}, "python alone"),
        ({"provided_data": {"test": {"code": "#<INSERT>"}}}, "INSERT"),
        ({"provided_data": {"test": {"code": "x", "asset": {"../a": ""}}}}, "'../a'"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_the_reason(client, config, complaint):
    response = submit(client, DOUBLE, [stdio("2", "4")], **config)
    assert response.status_code == 400
    assert complaint in response.json()["detail"]


@pytest.mark.parametrize(
    ("output", "expected", "accepted", "why"),
    [
        (b"a  b\n", b"a  b", True, "white space at the ends of lines and of the text is free"),
        (b"a b", b"a  b", False, "white space within a line is not"),
        (b"YES", b"yes", True, "in any case"),
        (b"1.000001", b"1.0", True, "a line that is one number to a relative 1e-5"),
        (b"1.001", b"1.0", False, "and no further"),
        (b"1.0 2.000001", b"1.0 2.0", False, "several numbers in a line are text"),
        (b"nan", b"nan", True, "text is compared first"),
        (b"nan", b"1", False, "nan is near nothing"),
        (b"inf", b"1e400", False, "nor is infinity"),
        ("１".encode(), b"1", False, "digits of other scripts are no numbers"),
        (b"1_0", b"10", False, "nor are Python's underscores"),
        (b"a\nb", b"a", False, "as many lines"),
        (b"\xff", b"\xfe", True, "bytes that are no text are all alike to SandboxFusion"),
        (b"", b"", True, "nothing is nothing"),
    ],
)
def test_submitted_output_is_compared_as_sandboxfusion_does(output, expected, accepted, why):
    assert SubmitChecker().compare_output(b"", output, expected).accepted is accepted, why


@pytest.mark.parametrize(
    ("completion", "language", "code", "kind"),
    [
        ("```python\nx\n```", "python", "x", "fenced"),
        ("```\nx\n```", "python", "x", "fenced"),
        ("```cpp\na\n```\n```py\nb\n```", "python", "b", "fenced"),
        ("```cpp\na\n```\n```rust\nb\n```", "python", "a", "fenced"),
        ("```python\na\n```\n```python\nb\n```", "python", "a", "fenced"),
        ("1. so:\n   ```python\n   x\n   ```", "python", "   x", "fenced"),
        ("```Python3 {.numbers}\nx\n```", "python", "x", "fenced"),
        ("```js\nx\n```", "nodejs", "x", "fenced"),
        ("```python\nx\n\ny", "python", "x\n\ny", "incomplete_fenced"),
        ("```python\na\n```\n```python\nb", "python", "a", "fenced"),
        ("```python\n```", "python", "", "empty"),
        ("Sure.\nimport os\ndef f():\n    return 1\n\nprint(f())\nThat is it.", "python", None, "heuristic"),
        ("from the start it is clear", "python", "", "empty"),
        ("ls | wc -l", "bash", "ls | wc -l", "heuristic"),
        ("int main() {}", "cpp", "", "empty"),
        ("```", "python", "", "empty"),
        ("", "python", "", "empty"),
    ],
)
def test_code_is_found_by_sandboxfusions_rules(completion, language, code, kind):
    found = extract(completion, language)
    assert found.kind == kind
    assert found.code == ("import os\ndef f():\n    return 1\n\nprint(f())" if code is None else code)


@given(st.text(st.sampled_from("`pyx \n\tdef():=") | st.characters()), st.sampled_from(["python", "cpp", "bash"]))
@example("```" * 1000 + "\n" * 1000, "python")
def test_code_is_looked_for_in_any_text(completion, language):
    found = extract(completion, language)
    assert (found.kind == "empty") is not bool(found.code.strip())
