"""How SandboxFusion's and Piston's answers read as facts, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes import AssertCase, Limits, Program, SandboxUnavailable, StdioCase, ToolchainMissing, Verdict
from sandboxes.remote import RemoteSandbox, fusion, piston
from sandboxes.remote.calls import read_back
from sandboxes.remote.dialects import Task
from sandboxes.remote.transport import Again
from sandboxes.types import Outcome
from tests.sandboxes.http_server import serving
from tests.sandboxes.remote.servers import BRIEF, ECHO, HELLO, Scripted, piston_app, ran, remote


class TestFusion:
    @pytest.mark.parametrize(
        ("answer", "verdict", "note"),
        [
            (ran(), Verdict.ACCEPTED, ""),
            (ran("hello  \n\n"), Verdict.ACCEPTED, "the comparison is ours"),
            (ran("HELLO"), Verdict.WRONG_ANSWER, "and not SandboxFusion's"),
            (ran(return_code=-11), Verdict.RUNTIME_ERROR, "signal 11"),
            (ran(return_code=137), Verdict.RUNTIME_ERROR, "maybe the memory limit"),
            (ran(return_code=-9), Verdict.RUNTIME_ERROR, "maybe the memory limit"),
            (ran(return_code=1, stderr="Traceback ...\nMemoryError"), Verdict.MEMORY_LIMIT, "memory"),
            (ran(return_code=1, stderr="  File\nSyntaxError: no"), Verdict.COMPILE_ERROR, "SyntaxError"),
            (ran("x" * 3000), Verdict.OUTPUT_LIMIT, ""),
            (ran("x" * 3000, return_code=1), Verdict.OUTPUT_LIMIT, ""),
            ({**ran(), "surprise": 1, "executor_pod_name": "pod"}, Verdict.ACCEPTED, "new fields do not matter"),
        ],
    )
    def test_answers_are_read_as_verdicts(self, answer, verdict, note):
        with remote(Scripted(answer)) as opened:
            judgement = opened.judge(ECHO, HELLO, Limits(output_kb=2))
        assert judgement.verdict is verdict
        if verdict not in (Verdict.ACCEPTED, Verdict.WRONG_ANSWER):
            assert note in judgement.note

    @pytest.mark.parametrize(
        "compiled",
        [
            {"status": "Finished", "return_code": 1, "stderr": "error: expected '}'"},
            {"status": "TimeLimitExceeded", "return_code": None},
        ],
    )
    def test_a_failed_compilation_is_asked_once_for_all_tests(self, compiled):
        app = Scripted({"status": "Failed", "message": "", "compile_result": compiled, "run_result": None})
        with remote(app) as opened:
            judgement = opened.judge(Program("int main() {", "cpp"), HELLO * 3)
        assert judgement.verdict is Verdict.COMPILE_ERROR
        assert judgement.compile is not None
        assert len(app.requests) == 1

    def test_a_request_has_sandboxfusions_fields_and_nothing_of_what_is_expected(self):
        app = Scripted(ran())
        with remote(app) as opened:
            program = Program("x", "javascript", {"a": b"\xff"})
            opened.judge(program, [StdioCase("in", "the answer")], Limits(cpu_s=3, memory_mb=77))
        assert app.requests == [
            (
                "/run_code",
                {
                    "code": "x",
                    "language": "nodejs",
                    "stdin": "in",
                    "run_timeout": 3,
                    "compile_timeout": 30,
                    "memory_limit_MB": 77,
                    "files": {"a": "/w=="},
                    "fetch_files": [],
                },
            )
        ]

    def test_what_sandboxfusion_cannot_do_is_said_before_anything_is_sent(self):
        app = Scripted(ran())
        with remote(app) as opened:
            with pytest.raises(ToolchainMissing, match="no c;"):
                opened.judge(Program("", "c"), HELLO)
            with pytest.raises(SandboxUnavailable, match="no UTF-8"):
                opened.judge(ECHO, [StdioCase(b"\xff", "")])
            with pytest.raises(SandboxUnavailable, match="arguments"):
                opened.judge(Program("", arguments=("-v",)), HELLO)
            with pytest.raises(SandboxUnavailable, match=r"test 2 is a AssertCase.*mars"):
                opened.judge(ECHO, [*HELLO, AssertCase("assert True")])
            with pytest.raises(ValueError, match="'/etc/passwd'"):
                opened.run(ECHO, fetch=("/etc/passwd",))
            assert opened.judge(Program("\ud800"), HELLO).verdict is Verdict.COMPILE_ERROR
        assert app.requests == []

    def test_outputs_on_which_sandboxfusion_hangs_are_warned_of_once(self, recwarn):
        large = "x" * 150_000
        with remote(Scripted(ran(large))) as opened:
            for _ in range(2):
                opened.judge(ECHO, [StdioCase("", large)])
        assert len([warning for warning in recwarn if "100 kB" in str(warning.message)]) == 1

    def test_the_address_may_hold_the_route(self):
        app = Scripted(ran())
        with serving(app) as address, RemoteSandbox(f"{address}/run_code", dialect="fusion") as opened:
            assert opened.judge(ECHO, HELLO).passed
        assert app.requests[0][0] == "/run_code"


def staged(compile: Any = None, **run: Any) -> dict[str, Any]:
    """Piston's answer."""
    stage = {"stdout": "hello\n", "stderr": "", "output": "hello\n", "code": 0, "signal": None, **run}
    return {"run": stage, "language": "python", "version": "3.12.0"} | ({"compile": compile} if compile else {})


RUNTIMES = [{"language": "python", "version": "3.12.0", "aliases": []}, {"language": "c++", "version": "10.2.0"}]


class TestPiston:
    def test_programs_are_judged(self):
        app = piston_app()
        with remote(app, "piston") as opened:
            assert opened.judge(ECHO, HELLO * 3).passed
            assert opened.judge(ECHO, [StdioCase("a", "b")]).verdict is Verdict.WRONG_ANSWER
            assert opened.judge(Program("1/0"), HELLO).verdict is Verdict.RUNTIME_ERROR
            assert opened.judge(Program("1 +"), HELLO).verdict is Verdict.COMPILE_ERROR
            assert opened.judge(Program("import os; os.kill(os.getpid(), 11)"), HELLO).cases[0].signal == 11
            slow = opened.judge(Program("while True: pass"), HELLO, Limits(cpu_s=0.2, wall_s=0.3))
            assert slow.verdict is Verdict.TIME_LIMIT
            arguments = Program("import sys; print(*sys.argv[1:])", arguments=("a", "b"))
            assert opened.judge(arguments, [StdioCase("", "a b")]).passed
        assert app.state.runtimes_asked == 1

    @pytest.mark.parametrize(
        ("answer", "verdict"),
        [
            (staged(), Verdict.ACCEPTED),
            (staged(code=None, signal="SIGKILL", status="TO"), Verdict.TIME_LIMIT),
            (staged(code=None, signal="SIGKILL", status="OL"), Verdict.OUTPUT_LIMIT),
            (staged(code=None, signal="SIGKILL", status="EL"), Verdict.OUTPUT_LIMIT),
            (staged(code=None, signal="SIGKILL"), Verdict.RUNTIME_ERROR),
            (staged(code=None, signal="SIGNEW"), Verdict.RUNTIME_ERROR),
            (staged(code=7, status="RE"), Verdict.RUNTIME_ERROR),
            (staged(code=None, signal=None), Verdict.INTERNAL_ERROR),
            (staged(status="XX", message="isolate failed"), Verdict.INTERNAL_ERROR),
            (staged(code="0"), Verdict.ACCEPTED),
            (staged(code="none"), Verdict.INTERNAL_ERROR),
            ({"message": "?"}, Verdict.INTERNAL_ERROR),
        ],
    )
    def test_answers_are_read_as_verdicts(self, answer, verdict):
        with remote(Scripted(RUNTIMES, answer), "piston", BRIEF) as opened:
            assert opened.judge(ECHO, HELLO, Limits(cpu_s=0.1)).verdict is verdict

    def test_a_failed_compilation_leaves_out_the_run(self):
        failed = {"stdout": "", "stderr": "error", "code": 1, "signal": None}
        app = Scripted(RUNTIMES, staged(failed) | {"run": None})
        with remote(app, "piston") as opened:
            assert opened.judge(Program("int main() {", "cpp"), HELLO * 2).verdict is Verdict.COMPILE_ERROR
        assert [path for path, _ in app.requests] == ["/api/v2/runtimes", "/api/v2/execute"]
        assert app.requests[1][1]["files"] == [{"name": "main.cpp", "content": "int main() {"}]

    def test_limits_above_pistons_own_are_an_error_that_says_what_to_do(self):
        with remote(piston_app(most_ms=3000), "piston") as opened:
            with pytest.raises(SandboxUnavailable, match="PISTON_RUN_TIMEOUT"):
                opened.judge(ECHO, HELLO, Limits(cpu_s=10))
            assert opened.judge(ECHO, HELLO, Limits(cpu_s=3, wall_s=3)).passed

    def test_a_language_without_a_package_is_a_missing_toolchain(self):
        with remote(piston_app(), "piston") as opened, pytest.raises(ToolchainMissing, match="no rust"):
            opened.judge(Program("", "rust"), HELLO)

    def test_a_path_in_the_address_is_kept(self):
        app = Scripted(RUNTIMES, staged())
        with serving(app) as address, RemoteSandbox(f"{address}/api/v2/piston", dialect="piston") as opened:
            assert opened.judge(ECHO, HELLO).passed
        assert app.requests[1][0] == "/api/v2/piston/execute"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FUSION_NAMES = ["status", "message", "compile_result", "run_result", "files", "return_code", "stdout", "stderr"]
PISTON_NAMES = ["run", "compile", "code", "signal", "status", "stdout", "stderr", "cpu_time", "memory"]


def answers(names: list[str]) -> st.SearchStrategy[Any]:
    """JSON that looks like an answer here and there."""
    words = st.sampled_from(
        ["Success", "Failed", "SandboxError", "Finished", "TimeLimitExceeded", "TO", "XX", "SIGKILL"]
    )
    return st.recursive(
        JSON | words, lambda inner: st.dictionaries(st.sampled_from(names), inner | words), max_leaves=12
    )


READERS: dict[str, Callable[[Task], Callable[[Any], Any]]] = {"fusion": fusion._reader, "piston": piston._reader}


@pytest.mark.parametrize("dialect", READERS)
@given(data=st.data())
def test_any_answer_is_facts_or_an_error_that_is_asked_again(dialect, data):
    answer = data.draw(answers(FUSION_NAMES if dialect == "fusion" else PISTON_NAMES))
    try:
        run = READERS[dialect](Task(ECHO, b"", Limits()))(answer)
    except (ValueError, Again):
        return
    assert run.outcome is not None or run.compile is not None


@given(
    st.lists(st.sampled_from([b"\nMARK", b"MARK", b"\n", b"V", b"U", b"E", b"X", b"42", b"[", b'"a"']) | st.binary())
)
def test_any_output_of_a_driver_is_at_most_one_answer(parts):
    outcome = read_back(Outcome("exited", 0, stdout=b"".join(parts)), "MARK")
    assert outcome.reply == b"" or b"".join(parts).count(b"\nMARK") == 2
