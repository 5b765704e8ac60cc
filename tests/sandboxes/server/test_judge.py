"""`/v1/judge`, `/v1/run` and `/v1/tests`: programs are judged where the tests are."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from sandboxes import StdioCase
from sandboxes.server.kept_tests import KeptTests
from tests.sandboxes.server.clients import judge, post

SOURCE = "def double(x): return 2 * x\nif __name__ == '__main__': print(double(int(input())))"
TESTS = (
    {"kind": "stdio", "stdin": "3", "expected": "6"},
    {"kind": "call", "function": "double", "args": [4], "expected": 8},
    {"kind": "call", "function": "double", "values": '[[{"t":[1]}],{"d":[]},{"t":[1,1]}]'},
    {"kind": "assert", "code": "assert double(5) == 10"},
    {"kind": "assert", "code": "def check(f): assert f(1) == 2", "entry_point": "double"},
    {
        "kind": "unittest",
        "code": "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): self.assertEqual(double(0), 0)",
    },
)


def test_a_program_is_judged_by_tests_of_every_kind(client):
    # The stdio test reads standard input, which the source leaves alone when it is imported.
    answer = judge(client, SOURCE, TESTS[:5])
    assert answer["verdict"] == "accepted", answer["note"]
    assert [case["verdict"] for case in answer["cases"]] == ["accepted"] * 5
    assert (answer["backend"], answer["isolation"], answer["tampering"]) == (
        "local",
        "namespaces",
        "out_of_process",
    )
    assert answer["cases"][0]["stdout"] == "6\n"


def test_a_suite_in_the_programs_process_is_told_as_weaker(client):
    answer = judge(client, "def double(x): return 2 * x", TESTS[5:])
    assert (answer["verdict"], answer["tampering"]) == ("accepted", "in_process")


def test_judging_may_stop_at_the_first_failure(client):
    tests = [{"kind": "stdio", "stdin": "3", "expected": wrong} for wrong in ("6", "7", "6")]
    verdicts = [case["verdict"] for case in judge(client, SOURCE, tests, stop_early=True)["cases"]]
    assert verdicts == ["accepted", "wrong answer", "skipped"]


def test_limits_hold_for_each_test(client):
    answer = judge(client, "while True: pass", TESTS[:1], limits={"cpu_s": 0.3})
    assert answer["verdict"] == "time limit"


def test_the_checker_is_the_clients_to_choose(client):
    tests = [{"kind": "stdio", "expected": "b a"}]
    assert judge(client, "print('a\\nb')", tests)["verdict"] == "wrong answer"
    for checker in ("unordered", {"kind": "unordered"}):
        tests = [{"kind": "stdio", "expected": "b\na"}]
        assert judge(client, "print('a\\nb')", tests, checker=checker)["verdict"] == "accepted"


def test_a_special_judge_runs_in_the_sandbox_too(client):
    special = {"kind": "special", "source": "import sys; sys.exit(open('output.txt').read().strip() != 'fine')"}
    tests = [{"kind": "stdio", "expected": "whatever"}]
    assert judge(client, "print('fine')", tests, checker=special)["verdict"] == "accepted"
    assert judge(client, "print('bad')", tests, checker=special)["verdict"] == "wrong answer"


def test_registered_tests_are_sent_once(client):
    body = json.dumps(TESTS[:2]).encode()
    digest = hashlib.sha256(body).hexdigest()
    content = {"source": SOURCE, "tests_id": digest}
    unknown = post(client, "/v1/judge", content)
    assert (unknown.status_code, unknown.json()["kind"]) == (404, "unknown_tests")
    assert client.put(f"/v1/tests/{digest}", content=body).json() == {"tests_id": digest, "tests": 2}
    assert post(client, "/v1/judge", content).json()["verdict"] == "accepted"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'[{"kind": "stdio"}]', b'[{"kind": "other"}]', b"\xff"])
def test_only_tests_are_registered_and_only_under_their_own_name(client, body):
    assert client.put(f"/v1/tests/{hashlib.sha256(body).hexdigest()}", content=body).status_code == 422
    assert client.put(f"/v1/tests/{'0' * 64}", content=json.dumps(TESTS[:1]).encode()).status_code == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"tests": []},
        {"tests": None},
        {"tests_id": "x"},
        {"tests": [{"kind": "call", "function": "f"}]},
        {"tests": [{"kind": "call", "function": "f", "values": "[]", "expected": 1}]},
        {"tests": [{"kind": "unittest", "code": "x = 1"}]},
        {"language": "klingon"},
        {"language": "cpp", "tests": [{"kind": "call", "function": "f", "expected": 1}]},
        {"limits": {"cpu_s": -1}},
        {"limits": {"memory_mb": 1 << 40}},
        {"limits": {"cpu": 1}},
        {"checker": "no such"},
        {"checker": {"kind": "special", "program": {}, "sandbox": ""}},
        {"files": {"/etc/x": ""}},
        {"surprise": 1},
    ],
)
def test_what_is_malformed_is_refused(client, fields):
    content = {"source": "", "tests": [{"kind": "stdio", "expected": ""}], **fields}
    response = post(client, "/v1/judge", content)
    assert (response.status_code, bool(response.json()["detail"])) == (422, True)


def test_a_run_without_tests_gives_every_byte_and_the_kernels_facts(client):
    code = "import sys; sys.stdout.buffer.write(bytes(range(256))); open('f', 'wb').write(b'\\xfe')"
    answer = post(client, "/v1/run", {"source": code, "fetch": ["f"]}).json()["outcome"]
    assert base64.b64decode(answer["stdout"]["base64"]) == bytes(range(256))
    assert base64.b64decode(answer["fetched"]["f"]["base64"]) == b"\xfe"
    assert (answer["ending"], answer["exit_code"]) == ("exited", 0)
    assert answer["cpu_s"] > 0


def test_a_function_is_called_without_what_it_should_return(client):
    call = {"function": "double", "values": '[[21],{"d":[]}]'}
    answer = post(client, "/v1/run", {"source": SOURCE, "call": call}).json()["outcome"]
    assert answer["reply"].endswith("42")
    refused = post(client, "/v1/run", {"source": "", "language": "bash", "call": call})
    assert refused.status_code == 422


def test_the_tests_used_least_recently_make_room():
    store = KeptTests(10)
    store.put("a", (StdioCase("", "a"),), 4)
    store.put("b", (StdioCase("", "b"),), 4)
    assert store.get("a") is not None
    store.put("c", (StdioCase("", "c"),), 4)
    assert [store.get(name) is not None for name in "abc"] == [True, False, True]
    store.put("c", (StdioCase("", "c"),), 10)
    assert [store.get(name) is not None for name in "abc"] == [False, False, True]
