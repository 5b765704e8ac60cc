"""A program has the same verdict wherever it runs and wherever its tests are."""

from __future__ import annotations

import httpx
import pytest
from fastapi import Request, Response

from sandboxes import (
    AssertCase,
    CallCase,
    Check,
    Limits,
    Program,
    SandboxUnavailable,
    StdioCase,
    UnittestCase,
    Verdict,
    open_sandbox,
)
from sandboxes.checkers import EvalPlus, Float, Special
from sandboxes.remote import RemoteSandbox
from sandboxes.server import create_app
from tests.sandboxes.http_server import serving
from tests.sandboxes.remote.servers import BRIEF, ECHO, HELLO, TOKEN, Scripted, piston_app, remote

PROGRAMS = {
    "right": (Program("print(2 * int(input()))"), [StdioCase("2", "4"), StdioCase("3", "6")], "AC"),
    "wrong": (Program("print(int(input()))"), [StdioCase("0", "0"), StdioCase("3", "6")], "WA"),
    "raises": (Program("1/0"), [StdioCase("", "")], "RE"),
    "exits with 3": (Program("raise SystemExit(3)"), [StdioCase("", "")], "RE"),
    "is ended by a signal": (Program("import os; os.abort()"), [StdioCase("", "")], "RE"),
    "loops": (Program("while True: pass"), [StdioCase("", "")], "TLE"),
    "sleeps": (Program("import time; time.sleep(60)"), [StdioCase("", "")], "TLE"),
    "is no Python": (Program("print("), [StdioCase("", "")], "CE"),
    "is no text": (Program("print('\ud800')"), [StdioCase("", "")], "CE"),
    "reads files": (Program("print(open('d/f').read())", files={"d/f": b"data"}), [StdioCase("", "data")], "AC"),
    "returns": (Program("def f(x, *, k): return (x, [k])"), [CallCase("f", (1,), (1, [2.5]), {"k": 2.5})], "AC"),
    "has a class": (Program("class S:\n def f(self, x): return {x}"), [CallCase("S.f", ("é",), {"é"})], "AC"),
    "returns else": (Program("def f(x): return x"), [CallCase("f", (1,), 2)], "WA"),
    "returns no data": (Program("def f(x): return lambda: x"), [CallCase("f", (1,), 1)], "WA"),
    "returns a generator": (Program("def f(x): yield x"), [CallCase("f", (1,), [1])], "WA"),
    "raises when called": (Program("def f(x): raise KeyError(x)"), [CallCase("f", (1,), 1)], "RE"),
    "defines nothing": (Program(""), [CallCase("f", (1,), 1)], "RE"),
    "ends when imported": (Program("import os; os._exit(0)"), [CallCase("f", (), None)], "RE"),
    "ends when called": (Program("def f():\n import os; os._exit(0)"), [CallCase("f", (), None)], "RE"),
    "cannot be compiled": (Program("def f(:"), [CallCase("f", (), None)], "CE"),
    "prints a lot when called": (Program("def f(x):\n print('x' * 9999)\n return x"), [CallCase("f", (1,), 1)], "AC"),
    "leaves a thread": (
        Program("import threading, time\nthreading.Thread(target=time.sleep, args=(.1,)).start()\ndef f(): return 1"),
        [CallCase("f", (), 1)],
        "AC",
    ),
}
LIMITS = Limits(cpu_s=0.5, wall_s=2)


@pytest.mark.parametrize(("program", "tests", "code"), PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_program_has_the_same_verdict_wherever_it_runs(sandbox, url, program, tests, code):
    assert sandbox.judge(program, tests, LIMITS).verdict.code == code
    with serving(create_app(sandbox, token=None)) as open_url:
        places = [
            RemoteSandbox(url, token=TOKEN),
            RemoteSandbox(url, token=TOKEN, tests_on_server=True),
            RemoteSandbox(open_url, dialect="fusion"),
        ]
        for place in places:
            with place:
                judgement = place.judge(program, tests, LIMITS)
            assert judgement.verdict.code == code, judgement.note
            assert (judgement.backend, judgement.isolation) == ("remote", "remote")


def test_calls_through_a_driver_are_marked_as_weaker(sandbox, url):
    program, tests, _ = PROGRAMS["returns"]
    with RemoteSandbox(url, token=TOKEN) as opened:
        assert opened.judge(program, tests).tampering == "out_of_process"
    with remote(piston_app(), "piston") as opened:
        judgement = opened.judge(program, tests)
    assert (judgement.verdict, judgement.tampering) == (Verdict.ACCEPTED, "in_process")


@pytest.mark.parametrize(
    "forged",
    [
        "mark = sys._getframe(1).f_locals['mark']\nprint(f'\\n{mark}V42\\n{mark}')\nos._exit(0)",
        "mark = sys._getframe(1).f_locals['mark']\nprint(f'\\n{mark}V42\\n{mark}', flush=True)",
        "mark = sys._getframe(1).f_locals['mark']\nos.write(1, f'\\n{mark}'.encode() + b'V' + b'[' * 99999)",
        "sys.modules['values'].encode = lambda *_: b'42'",
        "print('V42' * 1000)",
    ],
)
def test_a_program_that_meddles_with_the_driver_does_not_learn_what_is_expected(forged):
    source = f"import os, sys\n{forged}\ndef f(): return 0"
    with remote(piston_app(), "piston") as opened:
        assert opened.judge(Program(source), [CallCase("f", (), 41)]).passed is False


def test_a_server_of_ours_brings_every_byte_and_the_kernels_facts(url):
    source = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()); open('f', 'wb').write(b'\\xfe')"
    every = bytes(range(256))
    with RemoteSandbox(url, token=TOKEN) as opened:
        outcome = opened.run(Program(source), every, fetch=("f",)).outcome
        assert outcome is not None
        assert (outcome.stdout, dict(outcome.fetched), outcome.exit_code) == (every, {"f": b"\xfe"}, 0)
        assert outcome.cpu_s and outcome.peak_bytes
        assert opened.judge(Program(source), [StdioCase(every, every)], checker="exact").passed
        memory = opened.judge(Program("bytearray(500 << 20)"), [StdioCase("", "")], Limits(memory_mb=64))
        assert memory.verdict is Verdict.MEMORY_LIMIT


def test_a_compiled_program_is_judged_on_a_server(sandbox, url):
    if sandbox.backend.toolchain("gcc") is None:
        pytest.skip("needs gcc")
    for tests_on_server in (False, True):
        with RemoteSandbox(url, token=TOKEN, tests_on_server=tests_on_server) as opened:
            assert opened.judge(Program("int main() { return 0; }", "c"), [StdioCase("", "")]).passed
            assert opened.judge(Program("int main() {", "c"), HELLO * 2).verdict is Verdict.COMPILE_ERROR


def test_assertions_and_suites_are_judged_there(url):
    program = Program("def f(x): return 2 * x")
    suite = "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): self.assertEqual(f(2), 4)"
    tests = [AssertCase("assert f(1) == 2"), AssertCase("def check(g): assert g(1) == 2", "f"), UnittestCase(suite)]
    with RemoteSandbox(url, token=TOKEN, tests_on_server=True) as opened:
        judgement = opened.judge(program, tests)
        assert (judgement.verdict, judgement.tampering) == (Verdict.ACCEPTED, "in_process")
        assert opened.judge(program, tests[:2]).tampering == "out_of_process"
        assert opened.judge(Program("def f(x): return x"), tests).fraction == 0
    with RemoteSandbox(url, token=TOKEN) as opened, pytest.raises(SandboxUnavailable, match="tests_on_server"):
        opened.judge(program, tests)


def test_many_tests_are_sent_once(sandbox):
    tests = [StdioCase(str(number), f"{number}\n" + "x" * 1000) for number in range(30)]
    program = Program("print(input()); print('x' * 1000)")
    app = create_app(sandbox, token=None)
    with serving(app) as address, RemoteSandbox(address, tests_on_server=True) as opened:
        assert opened.judge(program, tests).passed
        assert opened.judge(program, tests, stop_early=True).passed
        assert opened.judge(Program(""), tests, stop_early=True).verdict is Verdict.WRONG_ANSWER
        metrics = _metrics(address)
    assert 'requests_total{route="/v1/tests/{digest}",status="201"} 1.0' in metrics
    assert 'requests_total{route="/v1/judge",status="404"} 1.0' in metrics


@pytest.mark.parametrize("checker", ["tokens", "float:rtol=0.1", EvalPlus(), Float(rtol=0.1), None])
def test_the_checker_goes_along(url, checker):
    with RemoteSandbox(url, token=TOKEN, tests_on_server=True) as opened:
        assert opened.judge(ECHO, HELLO, checker=checker).passed


def test_a_special_judge_goes_along(sandbox, url):
    judge = Program("import sys; sys.exit(open('output.txt').read() != 'fine\\n')")
    with RemoteSandbox(url, token=TOKEN, tests_on_server=True) as opened:
        for word in ("fine", "bad"):
            found = opened.judge(Program(f"print({word!r})"), HELLO, checker=Special(judge, sandbox))
            assert found.passed is (word == "fine")


def test_a_checker_of_the_users_own_stays_here(url):
    class Mine:
        name = "mine"

        def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
            return Check(output == b"hello\n")

        def compare_values(self, value: object, expected: object) -> Check:
            return Check(False)

    with RemoteSandbox(url, token=TOKEN) as opened:
        assert opened.judge(ECHO, [StdioCase("hello", "anything")], checker=Mine()).passed
    there = RemoteSandbox(url, token=TOKEN, tests_on_server=True)
    with there, pytest.raises(SandboxUnavailable, match="checker Mine"):
        there.judge(ECHO, HELLO, checker=Mine())


@pytest.mark.parametrize(
    "answer",
    [
        {"verdict": "accepted", "cases": []},
        {"verdict": "accepted", "cases": [{"verdict": "wrong answer"}]},
        {"verdict": "wrong answer", "cases": [{"verdict": "accepted"}]},
        {"verdict": "accepted", "cases": [{"verdict": "accepted"}] * 2},
        {"verdict": "fine", "cases": [{"verdict": "accepted"}]},
        {"verdict": "internal error", "cases": [{"verdict": "internal error"}]},
    ],
)
def test_a_judgement_that_does_not_add_up_is_none(answer):
    with remote(Scripted(answer), "mars", BRIEF, tests_on_server=True) as opened:
        assert opened.judge(ECHO, HELLO, Limits(cpu_s=0.1)).verdict is Verdict.INTERNAL_ERROR


def test_a_server_that_asks_for_less_is_told_of(url):
    there = RemoteSandbox(url, token=TOKEN, tests_on_server=True)
    with there, pytest.raises(SandboxUnavailable, match="cpu_s is 100000; this server allows at most 300"):
        there.judge(ECHO, HELLO, Limits(cpu_s=100_000))
    with RemoteSandbox(url, token="wrong") as opened, pytest.raises(SandboxUnavailable, match="token"):
        opened.judge(ECHO, HELLO)


def _metrics(address: str) -> str:
    return httpx.get(f"{address}/metrics", trust_env=False).text


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8080", "ftp://x", "http://", "http://user:secret@host", "http://host/?a=1", "file:///x"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="address"):
        RemoteSandbox(url)


def test_dialects_are_checked():
    with pytest.raises(ValueError, match="mars, fusion, piston"):
        RemoteSandbox("http://127.0.0.1:1", dialect="judge0")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="gets no tests"):
        RemoteSandbox("http://127.0.0.1:1", dialect="piston", tests_on_server=True)


def test_a_token_of_ours_is_shown_to_our_servers_alone(monkeypatch):
    seen: list[str | None] = []

    async def note(request: Request) -> Response:
        seen.append(request.headers.get("authorization"))
        return Response("{}", 401)

    monkeypatch.setenv("MARS_SANDBOX_TOKEN", "ours")
    for dialect in ("mars", "fusion"):
        with remote(Scripted(note), dialect) as opened, pytest.raises(SandboxUnavailable):
            opened.run(ECHO)
    assert seen == ["Bearer ours", None]


def test_no_tests_and_unknown_languages_are_errors_here_too():
    with RemoteSandbox("http://127.0.0.1:1") as opened:
        with pytest.raises(ValueError, match="no tests"):
            opened.judge(ECHO, [])
        with pytest.raises(ValueError, match="klingon"):
            opened.judge(Program("", "klingon"), HELLO)
        with pytest.raises(ValueError, match="takes a Python program"):
            opened.judge(Program("", "go"), [CallCase("f", (), 1)])


def test_the_backend_is_had_by_name():
    with open_sandbox("remote", url="http://127.0.0.1:1", workers=3) as opened:
        backend = opened.backend
        assert (backend.name, backend.isolation, backend.workers) == ("remote", "remote", 3)
