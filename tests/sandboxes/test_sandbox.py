"""What a sandbox says of programs: verdicts, facts, protocols, and what it refuses to say anything about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes import (
    AssertCase,
    CallCase,
    CaseResult,
    InternalError,
    Judgement,
    Limits,
    Program,
    Sandbox,
    StdioCase,
    UnittestCase,
    Verdict,
)
from sandboxes.types import Job, Outcome

LIMITS = Limits(cpu_s=0.5, wall_s=5, memory_mb=128, output_kb=64, processes=16)
ADD = "print(sum(map(int, input().split())))"
SUM = StdioCase("1 2\n", "3\n")


def judge(sandbox: Sandbox, source: str, *tests: Any, limits: Limits = LIMITS, **options: Any) -> Judgement:
    return sandbox.judge(Program(source), tests or (SUM,), limits, **options)


def only(judgement: Judgement) -> CaseResult:
    (case,) = judgement.cases
    return case


VERDICTS = [
    (ADD, "AC", "the right answer"),
    ("print(4)", "WA", "another one"),
    ("", "WA", "none"),
    ("while True: pass", "TLE", "too much CPU time"),
    ("import os\nfor _ in range(4): os.fork()\nwhile True: pass", "TLE", "the same by many processes"),
    ("x = b'x' * (200 << 20)", "MLE", "too much memory at once"),
    ("x = []\nwhile True: x.append(bytearray(1 << 20))", "MLE", "too much memory bit by bit"),
    (
        "import os\nfor _ in range(8):\n    if not os.fork(): x = b'x' * (40 << 20); os.read(os.pipe()[0], 1)\n"
        "for _ in range(8): os.wait()",
        "MLE",
        "too much memory of all processes together",
    ),
    ("1 / 0", "RE", "an exception"),
    ("raise SystemExit(1)", "RE", "an exit code"),
    (ADD + "\nraise SystemExit(1)", "RE", "an exit code after the right answer"),
    ("import os\nos.abort()", "RE", "a signal"),
    ("import sys\nsys.exit('sorry')", "RE", "an exit message"),
    ("print(3", "CE", "no Python"),
    ("print(3)\0", "CE", "a NUL in the source"),
    ("print('\ud800')", "CE", "half a character in the source"),
    ("while True: print('x' * 100)", "OLE", "too much output"),
    ("import sys\nwhile True: sys.stderr.write('x' * 100)", "OLE", "too much error output"),
    ("import ctypes\nctypes.CDLL(None).syscall(0x40000027)", "SV", "a call of another table of calls"),
]


@pytest.mark.parametrize(("source", "code", "why"), VERDICTS, ids=[why for _, _, why in VERDICTS])
def test_a_program_gets_the_verdict_that_it_deserves(sandbox: Sandbox, source: str, code: str, why: str):
    found = judge(sandbox, source)
    assert found.verdict.code == code, (why, found)
    assert found.note or code == "AC", "a verdict other than accepted says why"


def test_sleeping_is_ended_by_the_clock(sandbox: Sandbox):
    found = judge(sandbox, "import time; time.sleep(60)", limits=replace(LIMITS, wall_s=0.3))
    assert found.verdict is Verdict.TIME_LIMIT and "clock" in found.note


# What an interpreter does on its own, which a warm one must do too: (source, standard output, why).
AS_AN_INTERPRETER = [
    (
        "import atexit, io, sys\nkept = sys.stdout = io.StringIO()\n"
        "atexit.register(lambda: sys.__stdout__.write(kept.getvalue()))\nprint('hi')",
        "hi",
        "output collected and written at the end",
    ),
    ("import io, sys\nprint('hi')\nsys.stdout = io.StringIO()\nprint('no')", "hi", "standard output replaced"),
    ("out = open(1, 'w', closefd=False)\nout.write('hi\\n')", "hi", "a file that nobody closes"),
    ("import os\nos.write(1, b'hi\\n')", "hi", "no Python in between"),
    ("class A:\n    def __del__(self): print('hi')\na = A()", "hi", "a finalizer that speaks"),
    ("globals()[0] = 1\nprint('hi')", "hi", "a global that has no name"),
    ("print(type(__builtins__).__name__, __name__)", "module __main__", "what __main__ holds"),
    ("import signal\ntry: signal.raise_signal(2)\nexcept KeyboardInterrupt: print('hi')", "hi", "an interrupt"),
    (
        "import os, signal\nfiles = [open(str(n), 'w+') for n in range(20)]\n"
        "signal.signal(10, lambda *_: None)\nos.kill(os.getpid(), 10)\nprint(sum(file.seek(0, 2) for file in files))",
        "0",
        "a signal handler, and nothing written to the program's files",
    ),
    (
        "import multiprocessing as m\ndef f(x): return x * x\nif __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(2) as pool: print(pool.map(f, [1, 2]))",
        "[1, 4]",
        "processes that start by reading the program's file",
    ),
    ("import threading\nthreading.Timer(0.05, print, ['hi']).start()", "hi", "a thread that ends later"),
    ("import asyncio\nasync def f(): print('hi')\nasyncio.run(f())", "hi", "an event loop"),
    (
        "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))).__name__)",
        "A",
        "pickling its classes",
    ),
    ("import sys\nprint(sys.argv, __file__)", "['main.py'] main.py", "its own name"),
    ("import sys\nprint(any(name.startswith('sandboxes') for name in sys.modules))", "False", "no module of ours"),
    ("import os, random\nprint(len({os.getpid(), random.random()}))", "2", "modules that are loaded already"),
    ("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'print(\"hi\")'])", "hi", "a new interpreter"),
]


@pytest.mark.parametrize(("source", "output", "why"), AS_AN_INTERPRETER, ids=[why for _, _, why in AS_AN_INTERPRETER])
def test_a_warm_interpreter_does_what_a_new_one_does(sandbox: Sandbox, source: str, output: str, why: str):
    limits = replace(LIMITS, cpu_s=3, memory_mb=256)
    found = judge(sandbox, source, StdioCase("", output), limits=limits)
    assert found.verdict is Verdict.ACCEPTED, (why, found)
    assert only(found).stderr == ""


def test_random_numbers_differ_from_run_to_run(sandbox: Sandbox):
    runs = [sandbox.run(Program("import random; print(random.random())")).outcome for _ in range(3)]
    assert len({run.stdout for run in runs if run}) == 3


def test_the_facts_of_a_test_come_with_it(sandbox: Sandbox):
    source = (
        "import sys\nx = bytearray(50 << 20)\nwhile __import__('time').process_time() < 0.1: pass\n"
        "print('out' * 2000)\nprint('err', file=sys.stderr)\nraise SystemExit(7)"
    )
    case = only(judge(sandbox, source))
    assert case.verdict is Verdict.RUNTIME_ERROR and case.exit_code == 7 and case.signal is None
    assert case.cpu_s is not None and 0.05 < case.cpu_s < 1
    assert case.wall_s is not None and case.wall_s > 0
    assert case.peak_bytes is not None and 50 << 20 < case.peak_bytes < 110 << 20
    assert case.stdout.startswith("outout") and case.truncated and case.stderr == "err\n"


def test_a_signal_is_told_by_its_number(sandbox: Sandbox):
    case = only(judge(sandbox, "import os; os.kill(os.getpid(), 11)"))
    assert case.signal == 11 and case.exit_code is None


def test_peak_memory_is_a_runs_own_whatever_the_one_before_left(sandbox: Sandbox):
    for _ in range(3):
        judge(sandbox, "with open('/tmp/x', 'wb') as file: file.write(bytes(50 << 20))")
        case = only(judge(sandbox, "x = bytearray(30 << 20)", StdioCase("", ""), limits=replace(LIMITS, memory_mb=64)))
        assert case.verdict is Verdict.ACCEPTED
        assert case.peak_bytes is not None and 30 << 20 < case.peak_bytes < 60 << 20


def test_output_of_exactly_the_limit_is_allowed_and_a_byte_more_is_not(sandbox: Sandbox):
    most = LIMITS.output_kb << 10
    for stream in ("stdout", "stderr"):
        source = "import sys\nsys.{}.write('x' * {})"
        fits, over = (judge(sandbox, source.format(stream, most + extra), StdioCase("", "")) for extra in (0, 1))
        assert fits.verdict is not Verdict.OUTPUT_LIMIT
        assert over.verdict is Verdict.OUTPUT_LIMIT


def test_cpu_time_is_what_is_limited_not_time_on_the_clock(sandbox: Sandbox):
    assert judge(sandbox, "import time; time.sleep(0.7)\n" + ADD).verdict is Verdict.ACCEPTED


# Calls: (program, function, arguments, expected, code, why).
CALLS = [
    ("def f(a, b): return a + b", "f", (1, 2), 3, "AC", "a function"),
    ("class Solution:\n    def f(self, a): return [a]", "Solution.f", (1,), [1], "AC", "a method"),
    ("def f(a): return a", "f", ({"k": [1, (2.5, None)]},), {"k": [1, (2.5, None)]}, "AC", "every type comes back"),
    ("def f(a): return a - 1", "f", (1,), 1, "WA", "another value"),
    ("def f(a): print(a)", "f", (1,), 1, "WA", "a value that is printed, not returned"),
    ("def f(a): return object()", "f", (1,), 1, "WA", "a value that is no plain data"),
    ("def f(a): yield a", "f", (1,), [1], "WA", "a generator"),
    ("def f(a): raise KeyError(a)", "f", (1,), 1, "RE", "an exception"),
    ("def f(a): raise SystemExit(0)", "f", (1,), 1, "RE", "an exit"),
    ("def f(a): __import__('os')._exit(0)", "f", (1,), 1, "RE", "an end without an answer"),
    ("def g(a): return a", "f", (1,), 1, "RE", "another name"),
    ("f = 1", "f", (1,), 1, "RE", "no function"),
    ("def f(a: return a", "f", (1,), 1, "CE", "no Python"),
    ("def f(a): return len(a)", "f", (list(range(200_000)),), 200_000, "AC", "an argument larger than any output"),
    ("def f(a): a.sort(); return a", "f", ([3, 1, 2],), [1, 2, 3], "AC", "an argument that it changes"),
    ("def f(a): return 'x' * 100_000", "f", (1,), "x", "WA", "a result larger than an output may be"),
    ("if __name__ == '__main__': print(input())\ndef f(a): return a", "f", (1,), 1, "AC", "a script's part, not run"),
]


@pytest.mark.parametrize("row", CALLS, ids=[row[-1] for row in CALLS])
def test_a_call_is_judged_by_what_comes_back(sandbox: Sandbox, row: tuple[str, str, tuple, Any, str, str]):
    source, function, args, expected, code, why = row
    found = judge(sandbox, source, CallCase(function, args, expected), limits=replace(LIMITS, cpu_s=2))
    assert found.verdict.code == code, (why, found)
    assert found.tampering == "out_of_process"


def test_keyword_arguments_are_passed(sandbox: Sandbox):
    test = CallCase("f", (1,), 3, {"b": 2})
    assert judge(sandbox, "def f(a, *, b): return a + b", test).verdict is Verdict.ACCEPTED


def test_arguments_that_are_no_plain_data_are_the_callers_fault(sandbox: Sandbox):
    with pytest.raises(ValueError, match="plain data"):
        judge(sandbox, "def f(a): return a", CallCase("f", (object(),), 1))


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(max_examples=25)
@given(value=PLAIN)
def test_plain_data_survives_the_way_in_and_out(sandbox: Sandbox, value: Any):
    assert judge(sandbox, "def f(a): return a", CallCase("f", (value,), value)).verdict is Verdict.ACCEPTED


# Assertions: (program, assertions, entry point, code, why).
ASSERTIONS = [
    ("def f(a): return a + 1", "assert f(1) == 2", None, "AC", "they hold"),
    ("def f(a): return a", "assert f(1) == 2", None, "WA", "they fail"),
    ("def f(a): return a + 1", "def check(c): assert c(1) == 2", "f", "AC", "they are in a function"),
    ("def f(a): return a", "def check(c): assert c(1) == 2", "f", "WA", "they fail in a function"),
    ("def f(a): raise KeyError", "assert f(1) == 2", None, "RE", "the program raises"),
    ("def f(a): raise KeyError", "try: f(1)\nexcept KeyError: pass\nelse: assert 0", None, "AC", "it shall raise"),
    ("def g(a): return 2", "assert f(1) == 2", None, "RE", "the function is not there"),
    ("import os\nos._exit(0)", "assert f(1) == 2", None, "RE", "the program has ended before"),
    ("def f(a): __import__('os')._exit(0)", "try: f(1)\nexcept: pass", None, "RE", "it ends within"),
    ("def f(a): raise StopIteration", "assert all(map(f, [1]))", None, "RE", "it would end the test's loop"),
    ("def f(a): a.append(1)", "x = []\nf(x)\nassert x == [1]", None, "AC", "it changes its argument"),
    ("def f(a): return a", "x = list(range(99999))\nassert f(len(x)) == 99999", None, "AC", "the test computes too"),
    ("def f(a): a[0] = 1", "x = [0] * 99_999\nf(x)\nassert x[:2] == [1, 0]", None, "AC", "it changes a long argument"),
    ("def f(a): return 0\ndef abs(x): return 0", "assert abs(f(3) - 3) < 1", None, "WA", "it replaces a builtin"),
    ("def sum(a, b): return a + b", "assert sum(1, 2) == 3", None, "AC", "it is called as a builtin is"),
    ("def sum(a): return 1", "assert sum([1, 2]) == 3", None, "WA", "the builtin would be right"),
    ("import math\ndef f(a): return math.sqrt(a)", "assert math.isclose(f(4), 2)", None, "AC", "a module it imports"),
    ("def f(a):", "assert f(1)", None, "CE", "no Python"),
    ("if __name__ == '__main__': input()\ndef f(a): return 2", "assert f(1) == 2", None, "AC", "a script's part"),
    ("def f(a):\n    while True: pass", "assert f(1) == 2", None, "TLE", "it never returns"),
]


@pytest.mark.parametrize("row", ASSERTIONS, ids=[row[-1] for row in ASSERTIONS])
def test_assertions_are_run_in_another_sandbox(sandbox: Sandbox, row: tuple[str, str, str | None, str, str]):
    source, code, entry, expected, why = row
    found = judge(sandbox, source, AssertCase(code, entry))
    assert found.verdict.code == expected, (why, found)
    assert found.tampering == "out_of_process"


@pytest.mark.parametrize(
    "row", ASSERTIONS[:3] + ASSERTIONS[4:8], ids=[row[-1] for row in ASSERTIONS[:3] + ASSERTIONS[4:8]]
)
def test_assertions_in_the_programs_process_say_that_it_could_tamper(
    sandbox: Sandbox, row: tuple[str, str, str | None, str, str]
):
    source, code, entry, expected, why = row
    found = judge(sandbox, source, AssertCase(code, entry, same_process=True))
    assert found.verdict.code == expected, (why, found)
    assert found.tampering == "in_process"


SUITE = "import unittest\nclass T(unittest.TestCase):\n    def test_f(self): self.assertEqual(f(1), 2)\n"
SUITES = [
    ("def f(a): return a + 1", "AC", "all tests pass"),
    ("def f(a): return a", "WA", "one fails"),
    ("import os\nos._exit(0)", "RE", "the program ends before"),
    ("import sys\nsys.exit(0)", "WA", "it ends before, well"),
    (
        "import unittest\nunittest.TestCase.assertEqual = lambda *_: unittest.skip('')\ndef f(a): return 2",
        "AC",
        "patched",
    ),
    ("import unittest\nunittest.TestCase.run = lambda *_: None\ndef f(a): return 0", "WA", "no test is run"),
    ("import unittest\ndef f(a): return 2\nclass Mine(unittest.TestCase):\n    def test(self): pass", "AC", "its own"),
    ("if __name__ == '__main__': input()\ndef f(a): return 2", "AC", "a script's part"),
]


@pytest.mark.parametrize(("source", "code", "why"), SUITES, ids=[why for _, _, why in SUITES])
def test_a_unittest_suite_passes_when_each_of_its_tests_has_passed(sandbox: Sandbox, source: str, code: str, why: str):
    found = judge(sandbox, source, UnittestCase(SUITE))
    assert found.verdict.code == code, (why, found)
    assert found.tampering == "in_process"


class TestManyTests:
    def test_the_gravest_verdict_is_the_programs(self, sandbox: Sandbox):
        source = "n = int(input())\nprint(n) if n < 2 else 1 / 0 if n == 2 else exit(print('x' * 99999))"
        tests = [StdioCase(str(n), "1") for n in (1, 0, 2, 3)]
        found = judge(sandbox, source, *tests)
        assert [case.verdict.code for case in found.cases] == ["AC", "WA", "RE", "OLE"]
        assert found.verdict.code == "OLE" and found.fraction == 0.25 and found.passed is False

    def test_stopping_early_skips_the_rest(self, sandbox: Sandbox):
        tests = [StdioCase("1 2\n", "3"), StdioCase("1 2\n", "4"), StdioCase("1 2\n", "3")]
        found = judge(sandbox, ADD, *tests, stop_early=True)
        assert [case.verdict.code for case in found.cases] == ["AC", "WA", "SKIPPED"]
        assert found.fraction == pytest.approx(1 / 3)

    def test_each_test_has_a_process_of_its_own(self, sandbox: Sandbox):
        source = "import os\nprint(os.path.exists('/tmp/x'))\nopen('/tmp/x', 'w').close()"
        assert judge(sandbox, source, *[StdioCase("", "False")] * 4).verdict is Verdict.ACCEPTED

    def test_kinds_of_tests_may_be_mixed(self, sandbox: Sandbox):
        source = "def f(a): return a + 1\nif __name__ == '__main__': print(f(int(input())))"
        found = judge(sandbox, source, StdioCase("1", "2"), CallCase("f", (1,), 2), AssertCase("assert f(1) == 2"))
        assert found.verdict is Verdict.ACCEPTED and found.tampering == "out_of_process"

    def test_one_test_in_the_programs_process_marks_the_whole(self, sandbox: Sandbox):
        tests = (CallCase("f", (1,), 2), AssertCase("assert f(1) == 2", same_process=True))
        assert judge(sandbox, "def f(a): return a + 1", *tests).tampering == "in_process"


class TestWhatIsNoProgramsFault:
    def test_no_tests_are_an_error(self, sandbox: Sandbox):
        with pytest.raises(ValueError, match="no tests"):
            sandbox.judge(Program(ADD), [])

    def test_a_suite_without_tests_is_an_error(self, sandbox: Sandbox):
        with pytest.raises(ValueError, match="would accept every program"):
            judge(sandbox, ADD, UnittestCase("import unittest"))

    def test_an_unknown_language_is_an_error(self, sandbox: Sandbox):
        with pytest.raises(ValueError, match="cobol"):
            sandbox.judge(Program("", "cobol"), [SUM])

    def test_only_python_can_be_called(self, sandbox: Sandbox):
        with pytest.raises(ValueError, match="takes a Python program"):
            sandbox.judge(Program("", "bash"), [CallCase("f", (), 1)])

    def test_an_unknown_checker_is_an_error(self, sandbox: Sandbox):
        with pytest.raises(ValueError):
            judge(sandbox, ADD, checker="nearly")

    @pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//b", "", ".", "a\0", "x" * 300, "ä" * 200])
    def test_a_file_outside_of_the_working_folder_is_an_error(self, sandbox: Sandbox, name: str):
        with pytest.raises(ValueError, match="a program's file"):
            sandbox.judge(Program(ADD, files={name: b""}), [SUM])
        with pytest.raises(ValueError, match="a program's file"):
            sandbox.run(Program(ADD, files={name: b""}))

    def test_a_file_beneath_a_file_is_an_error(self, sandbox: Sandbox):
        with pytest.raises(ValueError, match="a program's file"):
            sandbox.judge(Program(ADD, files={"a": b"", "a/b": b""}), [SUM])

    def test_more_files_than_can_be_brought_back_are_an_error(self, sandbox: Sandbox):
        with pytest.raises(ValueError, match="no more than"):
            sandbox.run(Program(ADD), fetch=tuple(map(str, range(100))))

    def test_limits_below_what_starting_takes_are_no_internal_error(self, sandbox: Sandbox):
        tiny = Limits(memory_mb=1, processes=1, open_files=16, stack_mb=1, disk_mb=1, file_mb=1, output_kb=1)
        assert judge(sandbox, ADD, limits=tiny).decided


class Failing:
    """A backend that fails so many times, and then does what another one does."""

    name, isolation, workers = "failing", "none", 1

    def __init__(self, behind: Sandbox, times: int):
        self.behind, self.times = behind.backend, times

    def run(self, job: Job) -> Outcome:
        self.times -= 1
        if self.times >= 0:
            raise InternalError("a worker is gone")
        return self.behind.run(job)

    def converse(self, job: Job, examiner: Job) -> tuple[Outcome, Outcome]:
        self.run(job)
        return self.behind.converse(job, examiner)

    def toolchain(self, command: str) -> str | None:
        return self.behind.toolchain(command)

    def close(self) -> None:
        pass


class TestInternalErrors:
    @pytest.mark.parametrize("test", [SUM, AssertCase("assert f == 1")], ids=["a run", "a conversation"])
    def test_a_run_that_the_sandbox_failed_is_tried_again(self, sandbox: Sandbox, test: Any):
        with Sandbox(Failing(sandbox, 2)) as failing:
            assert judge(failing, ADD if test is SUM else "f = 1", test).verdict is Verdict.ACCEPTED

    def test_failing_every_time_gives_no_verdict_rather_than_a_wrong_one(self, sandbox: Sandbox):
        with Sandbox(Failing(sandbox, 10)) as failing:
            found = judge(failing, ADD, SUM, SUM)
        assert found.verdict is Verdict.INTERNAL_ERROR and "a worker is gone" in found.note
        assert not found.decided and found.passed is None and found.fraction is None

    def test_a_compiler_that_the_sandbox_failed_gives_no_verdict(self, sandbox: Sandbox):
        with Sandbox(Failing(sandbox, 10)) as failing:
            found = failing.judge(Program("echo 3", "bash"), [SUM])
        assert found.verdict is Verdict.INTERNAL_ERROR


class TestTheProgramsSurroundings:
    def test_files_lie_in_the_working_folder(self, sandbox: Sandbox):
        files = {"data/in.txt": b"3\n", "helper.py": b"def read(): return open('data/in.txt').read()"}
        program = Program("import helper; print(helper.read())", files=files)
        assert sandbox.judge(program, [SUM]).verdict is Verdict.ACCEPTED

    def test_files_are_there_for_calls_and_assertions_too(self, sandbox: Sandbox):
        program = Program("def f(): return open('x').read()", files={"x": b"3"})
        tests = [CallCase("f", (), "3"), AssertCase("assert f() == '3'"), AssertCase("assert f() == '3'", None, True)]
        assert sandbox.judge(program, tests).verdict is Verdict.ACCEPTED

    def test_arguments_arrive(self, sandbox: Sandbox):
        program = Program("import sys; print(sys.argv[1:])", arguments=("a b", "-c", "ä"))
        assert sandbox.judge(program, [StdioCase("", "['a b', '-c', 'ä']")]).verdict is Verdict.ACCEPTED

    def test_input_may_be_any_bytes(self, sandbox: Sandbox):
        data = bytes(range(256)) * 100
        source = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
        assert judge(sandbox, source, StdioCase(data, data), checker="exact").verdict is Verdict.ACCEPTED

    def test_nothing_of_this_process_is_in_its_environment(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("MARS_KEY", "secret")
        run = sandbox.run(Program("import os; print(sorted(os.environ))"))
        assert run.outcome is not None and b"HOME" in run.outcome.stdout and b"MARS" not in run.outcome.stdout

    @pytest.mark.parametrize("fresh", [False, True])
    def test_a_new_interpreter_for_every_test_says_the_same(self, sandbox: Sandbox, fresh: bool):
        tests = [SUM, StdioCase("1 2\n", "4\n")]
        found = judge(sandbox, ADD, *tests, fresh=fresh, limits=replace(LIMITS, cpu_s=2))
        assert [case.verdict.code for case in found.cases] == ["AC", "WA"]


class TestRunningWithoutTests:
    def test_a_run_gives_the_facts(self, sandbox: Sandbox):
        run = sandbox.run(Program(ADD), b"1 2\n", LIMITS)
        assert run.compile is None and run.outcome is not None
        assert (run.outcome.ending, run.outcome.exit_code, run.outcome.stdout) == ("exited", 0, b"3\n")

    def test_files_can_be_brought_back(self, sandbox: Sandbox):
        source = "import os\nopen('a', 'w').write('x')\nos.mkdir('d')\nopen('d/b', 'wb').write(bytes([255]))"
        run = sandbox.run(Program(source), fetch=("a", "d/b", "c"))
        assert run.outcome is not None and run.outcome.fetched == {"a": b"x", "d/b": b"\xff"}

    @pytest.mark.parametrize(
        ("source", "name"),
        [
            ("import os; os.symlink('/etc/passwd', 'x')", "x"),
            ("import os; os.symlink('/etc', 'd')", "d/passwd"),
            ("import os; os.mkfifo('x')", "x"),
            ("import os; os.mkdir('x')", "x"),
            ("import socket; socket.socket(socket.AF_UNIX).bind('x')", "x"),
            ("import os; os.chdir('/'); os.rename('/sandbox/box/work', '/sandbox/box/gone')", "x"),
        ],
    )
    def test_what_is_no_regular_file_beneath_the_working_folder_stays(self, sandbox: Sandbox, source: str, name: str):
        run = sandbox.run(Program(source), fetch=(name,))
        assert run.outcome is not None and run.outcome.fetched == {}

    def test_a_program_that_does_not_compile_has_no_outcome(self, sandbox: Sandbox):
        run = sandbox.run(Program("int main(", "c"))
        assert run.outcome is None and run.compile is not None and run.compile.exit_code


class TestAsync:
    def test_many_programs_are_judged_at_once(self, sandbox: Sandbox):
        async def judge_all() -> list[Judgement]:
            tests = [[StdioCase(f"{n} 1\n", f"{n + 1}\n")] for n in range(24)]
            return await asyncio.gather(*(sandbox.judge_async(Program(ADD), test, LIMITS) for test in tests))

        assert {found.verdict for found in asyncio.run(judge_all())} == {Verdict.ACCEPTED}

    def test_the_event_loop_goes_on_meanwhile(self, sandbox: Sandbox):
        async def race() -> list[str]:
            order: list[str] = []

            async def slow() -> None:
                await sandbox.run_async(Program("import time; time.sleep(0.3)"))
                order.append("program")

            async def quick() -> None:
                await asyncio.sleep(0)
                order.append("loop")

            await asyncio.gather(slow(), quick())
            return order

        assert asyncio.run(race()) == ["loop", "program"]


class TestNotes:
    def test_what_a_program_writes_reaches_notes_short_and_printable(self, sandbox: Sandbox):
        source = "import sys\nsys.stderr.write('\\x1b[2J' * 3000 + '\\u202e')\nraise SystemExit(1)"
        assert (found := judge(sandbox, source)).note.isprintable() and len(found.note) < 1100

    def test_an_exceptions_message_does_too(self, sandbox: Sandbox):
        found = judge(sandbox, "def f(): raise ValueError('\\n\\x07' * 9999)", CallCase("f", (), 1))
        assert found.note.isprintable() and len(found.note) < 1100 and "ValueError" in found.note


def test_a_judgement_is_plain_data(sandbox: Sandbox):
    data = judge(sandbox, ADD).to_dict()
    assert isinstance(data, Mapping) and data["verdict"] == "accepted" and data["cases"][0]["exit_code"] == 0
