"""`POST /run_code`: SandboxFusion's words, so that its clients need not change."""

from __future__ import annotations

import base64
import shutil

import pytest

from tests.sandboxes.server.clients import SURROGATE, post, run_code


def test_an_answer_has_exactly_sandboxfusions_fields(client):
    answer = run_code(client, "print(input())", stdin="hello")
    seconds = answer["run_result"].pop("execution_time")
    assert seconds >= 0
    assert answer == {
        "status": "Success",
        "message": "",
        "compile_result": None,
        "run_result": {"status": "Finished", "return_code": 0, "stdout": "hello\n", "stderr": ""},
        "executor_pod_name": None,
        "files": {},
    }


@pytest.mark.parametrize(
    ("code", "return_code", "why"),
    [
        ("raise SystemExit(3)", 3, "its own exit code"),
        ("1/0", 1, "an exception"),
        ("def f(:", 1, "a syntax error is Python's to report, as if it had been run"),
        ("import os; os.kill(os.getpid(), 11)", -11, "a signal is negative, as in Python's subprocess"),
        ("print('x' * 3_000_000)", -9, "more output than allowed"),
        (f"print('{SURROGATE}')", 1, "a source that is no text"),
        ("print(1)\0", 1, "a NUL in the source"),
    ],
)
def test_a_program_that_fails_is_failed_with_its_return_code(client, code, return_code, why):
    answer = run_code(client, code)
    assert answer["status"] == "Failed"
    assert answer["run_result"]["status"] == "Finished"
    assert answer["run_result"]["return_code"] == return_code, why


@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(1000)"])
def test_a_time_limit_has_no_return_code(client, code):
    answer = run_code(client, code, run_timeout=0.3)
    assert answer["status"] == "Failed"
    assert answer["run_result"]["status"] == "TimeLimitExceeded"
    assert answer["run_result"]["return_code"] is None


def test_memory_is_limited_where_the_client_says_so(client):
    code = "x = bytearray(200 << 20)"
    assert run_code(client, code, memory_limit_MB=-1)["status"] == "Success"
    assert run_code(client, code, memory_limit_MB=64)["status"] == "Failed"


def test_files_go_in_and_come_back_as_base64(client):
    answer = run_code(
        client,
        "import os; os.makedirs('out'); open('out/b', 'wb').write(open('in/a', 'rb').read()[::-1])",
        files={"in/a": base64.b64encode(b"\xff\x00abc").decode(), "left/out": None},
        fetch_files=["out/b", "missing"],
    )
    assert answer["files"] == {"out/b": base64.b64encode(b"cba\x00\xff").decode()}


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a/..", "a\0b", "", ".", "a/", SURROGATE])
@pytest.mark.parametrize("field", ["files", "fetch_files"])
def test_names_of_files_never_leave_the_working_folder(client, name, field):
    content = {"code": "", "language": "python", field: {name: ""} if field == "files" else [name]}
    response = post(client, "/run_code", content)
    assert response.status_code == 422
    assert repr(name) in response.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"language": "klingon"}, "unknown language"),
        ({"run_timeout": 0}, "above 0"),
        ({"run_timeout": float("nan")}, "above 0"),
        ({"run_timeout": 1e9}, "at most"),
        ({"memory_limit_MB": 1 << 40}, "at most"),
        ({"code": 5}, "code"),
        ({"files": {"a": "%%%"}}, "'a' is not base64"),
        ({"args": ["a\0b"]}, "argument"),
    ],
)
def test_a_malformed_request_is_told_what_is_wrong(client, fields, complaint):
    response = post(client, "/run_code", {"code": "", "language": "python", **fields})
    assert response.status_code == 422
    assert complaint in response.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"null", b'{"code": ' + b"9" * 5000])
def test_whatever_is_sent_gets_an_answer_that_says_it_is_not_understood(client, body):
    response = client.post("/run_code", content=body)
    assert response.status_code == 422
    assert response.json()["kind"] == "invalid"


def test_a_language_of_sandboxfusions_that_is_not_here_is_trouble_of_the_sandbox(client):
    answer = run_code(client, "print(1)", language="lua")
    assert answer["status"] == "SandboxError"
    assert "lua is not available" in answer["message"]


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_the_compile_step_is_told_apart(client):
    answer = run_code(client, "#include <iostream>\nint main() { std::cout << 6 * 7; }", "cpp", compile_timeout=60)
    assert (answer["status"], answer["run_result"]["stdout"]) == ("Success", "42")
    assert answer["compile_result"]["return_code"] == 0
    answer = run_code(client, "int main() {", "cpp", compile_timeout=60)
    assert (answer["status"], answer["run_result"]) == ("Failed", None)
    assert answer["compile_result"]["return_code"] != 0
    assert "error" in answer["compile_result"]["stderr"]


def test_pytest_runs_the_code_as_a_test_file(client):
    assert run_code(client, "def test_it(): assert 1 + 1 == 2", "pytest", run_timeout=60)["status"] == "Success"
    failed = run_code(client, "def test_it(): assert 1 + 1 == 3", "pytest", run_timeout=60)
    assert (failed["status"], failed["run_result"]["return_code"]) == ("Failed", 1)


def test_verls_client_understands_every_answer(client):
    """The fields that verl/utils/reward_score/sandbox_fusion/utils.py reads, and what it makes of them."""

    def status(code: str, language: str = "python") -> str:
        fields = {"compile_timeout": 5, "run_timeout": 2, "stdin": "4", "files": {}, "fetch_files": []}
        answer = run_code(client, code, language, **fields)
        compiled, ran = answer["compile_result"], answer["run_result"] or {}
        if answer["status"] == "SandboxError":
            return "sandbox_error"
        if compiled and (compiled.get("status") != "Finished" or compiled.get("return_code") != 0):
            return "compile_error"
        if ran.get("status") == "TimeLimitExceeded":
            return "timeout"
        return "success" if answer["status"] == "Success" and ran["return_code"] == 0 else "runtime_error"

    assert status("print(input())") == "success"
    assert status("1/0") == "runtime_error"
    assert status("while 1: pass") == "timeout"
    assert status("x", "lean") == "sandbox_error"
