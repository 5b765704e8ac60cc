"""What a caller may ask for: mistakes are errors that name them, before anything runs; the rest is judged."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes import (
    AssertCase,
    CallCase,
    InternalError,
    Limits,
    Program,
    Sandbox,
    StdioCase,
    UnittestCase,
    Verdict,
    open_sandbox,
)
from sandboxes.backend import Backend
from sandboxes.checkers import Check
from sandboxes.compiled import Compiled
from sandboxes.cores import usable_cores, worker_count
from sandboxes.inputs import MOST_FETCHED
from sandboxes.languages import language, run_job
from sandboxes.types import Job, Outcome

LIMITS = Limits(cpu_s=2, wall_s=10, memory_mb=128, output_kb=64, processes=16)
ECHO = Program("print(input())")
HI = StdioCase("hi\n", "hi\n")
SUITE = "import unittest\nclass T(unittest.TestCase):\n    def test_f(self): pass\n"

# (limit, value, the range that the message has).
NO_LIMITS = [
    ("cpu_s", 0, "above 0 and at most 100000, not 0"),
    ("cpu_s", -1.0, "above 0"),
    ("cpu_s", float("nan"), "not nan"),
    ("cpu_s", float("inf"), "not inf"),
    ("cpu_s", 1e6, "at most 100000, not 1000000.0"),
    ("cpu_s", 10**400, "at most 100000"),
    ("cpu_s", True, "not True"),
    ("cpu_s", None, "not None"),
    ("cpu_s", "1", "not '1'"),
    ("wall_s", 100_001, "at most 100000"),
    ("wall_s", False, "not False"),
    ("memory_mb", 0, "a whole number, at least 1 and at most 4194304, not 0"),
    ("memory_mb", 1.0, "not 1.0"),
    ("memory_mb", True, "not True"),
    ("memory_mb", (1 << 22) + 1, "not 4194305"),
    ("output_kb", 131_073, "at least 1 and at most 131072"),
    ("processes", 65_537, "at least 1 and at most 65536"),
    ("file_mb", "64", "not '64'"),
    ("disk_mb", -1, "not -1"),
    ("open_files", 15, "at least 16 and at most 1048576"),
    ("stack_mb", None, "not None"),
]


@pytest.mark.parametrize(("name", "value", "message"), NO_LIMITS)
def test_a_limit_outside_of_its_range_is_an_error_that_names_it(name: str, value: Any, message: str):
    with pytest.raises(ValueError, match=f"^limits: {name} must be .*{message}"):
        Limits(**{name: value})


@given(st.floats(0.001, 1e5), st.integers(1, 1 << 22), st.integers(1, 1 << 16))
def test_what_a_language_adds_to_limits_leads_to_no_error(cpu_s: float, memory_mb: int, processes: int):
    limits = Limits(cpu_s=cpu_s, memory_mb=memory_mb, processes=processes)
    java = language("java")
    job = run_job(java, Program("", "java"), dict.fromkeys(java.tools, "/x"), {"main.jar": b""}, b"", limits)
    longer = limits.plus(cpu_s=1, wall_s=5)
    assert memory_mb <= job.limits.memory_mb and processes <= job.limits.processes
    assert cpu_s <= longer.cpu_s <= 1e5 and limits.wall <= longer.wall <= 1e5


# (what a program is made of, what the message has).
NO_PROGRAMS = [
    ({"files": {"../x": b""}}, "'../x': it leaves the working folder"),
    ({"files": {"a/../../x": b""}}, "leaves the working folder"),
    ({"files": {"/etc/x": b""}}, "'/etc/x': it is absolute"),
    ({"files": {"": b""}}, "'': it names no file"),
    ({"files": {".": b""}}, "'.': it names no file"),
    ({"files": {"a/": b""}}, "'a/': it names no file"),
    ({"files": {"a//b": b""}}, "'a//b', which is 'a/b'"),
    ({"files": {"./a": b""}}, "'./a', which is 'a'"),
    ({"files": {"a": b"", "a/b": b""}}, "'a': it is also the folder of 'a/b'"),
    ({"files": {"a\0": b""}}, "holds a NUL"),
    ({"files": {"\ud800": b""}}, "no valid text"),
    ({"files": {"ä" * 101: b""}}, "too long"),
    ({"files": {1: b""}}, "no text"),
    ({"files": {"x": "text"}}, "'x' is str"),
    ({"files": {"x": None}}, "'x' is NoneType"),
    ({"files": {str(number): b"" for number in range(129)}}, "129 files; at most 128"),
    ({"files": {f"{number}/{'a/' * 90}b": b"" for number in range(12)}}, "files in .* folders"),
    ({"arguments": ("a", "b\0")}, r"argument 'b\\x00' is no valid text"),
    ({"arguments": ("\udcff",)}, "no valid text"),
    ({"arguments": (1,)}, "argument 1 is"),
    ({"arguments": "ab"}, "must be a tuple"),
    ({"arguments": ("x" * (1 << 17),)}, "bytes of them"),
    ({"source": b"print()"}, "source must be text, not bytes"),
    ({"language": None}, "language must be text, not NoneType"),
]


@pytest.mark.parametrize(("parts", "message"), NO_PROGRAMS, ids=[message for _, message in NO_PROGRAMS])
def test_a_program_that_cannot_be_placed_is_an_error(parts: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        Program(**{"source": "", **parts})


def test_a_programs_files_and_arguments_do_not_change_after_it_was_made():
    files, arguments = {"x": b"1"}, ["a"]
    program = Program("", files=files, arguments=arguments)  # type: ignore[arg-type]
    files["../y"] = b""
    arguments.append("b\0")
    assert program == Program("", files={"x": b"1"}, arguments=("a",))


@pytest.mark.parametrize("fetch", [("../x",), ("/etc/passwd",), ("",), ("a", "a/b"), ("a\0",), ("\ud800",)])
def test_a_name_to_bring_back_that_can_be_no_files_is_an_error(sandbox: Sandbox, fetch: tuple[str, ...]):
    with pytest.raises(ValueError, match="a program's file cannot be called"):
        sandbox.run(ECHO, b"", fetch=fetch)


def test_as_many_of_the_longest_names_as_are_allowed_can_be_brought_back(sandbox: Sandbox):
    names = tuple(f"{number:02}{'ä' * 99}" for number in range(MOST_FETCHED))
    made = sandbox.run(Program(f"for name in {names!r}: open(name, 'w').write('x')"), fetch=names).outcome
    assert made is not None and made.fetched == dict.fromkeys(names, b"x")
    with pytest.raises(ValueError, match=f"no more than {MOST_FETCHED}"):
        sandbox.run(ECHO, fetch=(*names, "y"))


def test_a_file_with_many_names_is_brought_back_as_often_as_there_is_room(sandbox: Sandbox):
    names = tuple(map(str, range(MOST_FETCHED)))
    source = f"import os\nopen('0', 'wb').truncate(60 << 20)\nfor name in {names[1:]!r}: os.link('0', name)"
    outcome = sandbox.run(Program(source), fetch=names).outcome
    assert outcome is not None and outcome.ending == "exited"
    assert {name: len(content) for name, content in outcome.fetched.items()} == {"0": 60 << 20, "1": 60 << 20}


def test_the_largest_output_that_limits_allow_arrives(sandbox: Sandbox):
    source = "import sys\nfor stream in (sys.stdout, sys.stderr): stream.write('x' * (128 << 20)); stream.flush()"
    outcome = sandbox.run(Program(source), b"", Limits(memory_mb=1024, output_kb=1 << 17)).outcome
    assert outcome is not None and (outcome.ending, len(outcome.stdout)) == ("exited", 128 << 20)


def test_files_that_the_scratch_folders_do_not_hold_are_an_error(sandbox: Sandbox):
    small = replace(LIMITS, disk_mb=1)
    program = Program("print(1)", files={"a": bytes(1 << 20)})
    assert sandbox.judge(program, [StdioCase("", "1")], small).passed
    program = replace(program, files={"a": bytes(1 << 20), "b": b"x"})
    for act in (lambda: sandbox.judge(program, [HI], small), lambda: sandbox.run(program, b"", small)):
        with pytest.raises(ValueError, match="files take 1052672 bytes, more than disk_mb=1 has room for"):
            act()


def test_a_source_that_the_scratch_folders_do_not_hold_does_not_compile(sandbox: Sandbox):
    program = Program(f"print(1) # {'x' * (1 << 20)}")
    found = sandbox.judge(program, [StdioCase("", "1")] * 2, replace(LIMITS, disk_mb=1), fresh=True)
    assert found.verdict is Verdict.COMPILE_ERROR and "disk_mb=1" in found.note


NESTED: list[Any] = []
NESTED.append(NESTED)
# (a test, what the message has).
NO_TESTS = [
    ("hi", "test 2 is no test but str"),
    (None, "test 2 is no test but NoneType"),
    (StdioCase(None, ""), "test 2: stdin must be text or bytes, not NoneType"),  # type: ignore[arg-type]
    (StdioCase("", 3), "test 2: expected must be text or bytes, not int"),  # type: ignore[arg-type]
    (StdioCase("", bytearray()), "test 2: expected must be"),  # type: ignore[arg-type]
    (CallCase("f", (), object()), "test 2: expected is no plain data: .*object"),
    (CallCase("f", (), NESTED), "test 2: expected is no plain data: .*nested"),
    (CallCase("f", (object(),), 1), "test 2: the call's arguments are no plain data"),
    (CallCase("f", (), 1, {"a": object()}), "test 2: the call's arguments are no plain data"),
    (CallCase("f", (), 1, {1: 1}), "test 2: kwargs must have names for keys"),  # type: ignore[dict-item]
    (CallCase("f", 1, 1), "test 2: args must be a tuple, not int"),  # type: ignore[arg-type]
    (CallCase(None, (), 1), "test 2: function must be a name, not None"),  # type: ignore[arg-type]
    (CallCase("f", ("x" * (64 << 20),), 1), "test 2: the call's arguments are no plain data: .*more than"),
    (AssertCase(b"assert f"), "test 2: code must be text, not bytes"),  # type: ignore[arg-type]
    (AssertCase("", 1), "test 2: entry_point must be text or None, not int"),  # type: ignore[arg-type]
    (UnittestCase(""), "test 2: .* would accept every program"),
    (UnittestCase("def"), "test 2: .* do not compile"),
]


@pytest.mark.parametrize(("test", "message"), NO_TESTS, ids=[message for _, message in NO_TESTS])
def test_a_test_that_cannot_be_run_is_an_error_with_its_number(sandbox: Sandbox, test: Any, message: str):
    with pytest.raises(ValueError, match=message):
        sandbox.judge(ECHO, [HI, test], LIMITS)


def test_an_array_to_expect_is_an_error(sandbox: Sandbox):
    numpy = pytest.importorskip("numpy")
    with pytest.raises(ValueError, match="test 1: expected is no plain data"):
        sandbox.judge(ECHO, [CallCase("f", (), numpy.zeros(2))])


def test_a_call_with_as_much_as_is_allowed_is_judged(sandbox: Sandbox):
    test = CallCase("len", ("x" * (60 << 20),), 60 << 20)
    found = sandbox.judge(Program("from builtins import len"), [test], Limits(memory_mb=1024))
    assert found.verdict is Verdict.ACCEPTED


def test_tests_may_come_from_any_iterable(sandbox: Sandbox):
    assert len(sandbox.judge(ECHO, (HI for _ in range(3)), LIMITS).cases) == 3
    with pytest.raises(ValueError, match="no tests"):
        sandbox.judge(ECHO, iter(()), LIMITS)


@pytest.mark.parametrize("test", [CallCase("f", (), 1), AssertCase("assert 1"), UnittestCase(SUITE)])
def test_a_fresh_interpreter_is_for_standard_input_and_output_alone(sandbox: Sandbox, test: Any):
    with pytest.raises(ValueError, match=r"test 2 is a .*; fresh is for"):
        sandbox.judge(ECHO, [HI, test], LIMITS, fresh=True)


def test_what_does_not_compile_is_not_run_again(sandbox: Sandbox):
    found = sandbox.judge(Program("print("), [HI] * 3, LIMITS)
    assert [case.verdict.code for case in found.cases] == ["CE", "SKIPPED", "SKIPPED"]


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2"])
@pytest.mark.parametrize("backend", ["local", "unsafe-subprocess", "docker", "remote"])
def test_workers_are_a_number_above_0(backend: str, workers: Any):
    pytest.importorskip({"docker": "docker", "remote": "httpx"}.get(backend, "sandboxes"))
    options = {"url": "http://127.0.0.1:9"} if backend == "remote" else {}
    with pytest.raises(ValueError, match="workers must be a number above 0"):
        open_sandbox(backend, workers=workers, **options)


def test_without_a_number_there_are_as_many_workers_as_cores():
    assert (worker_count(None), worker_count(3)) == (usable_cores(), 3)


class Counting:
    """A backend that counts its runs, and does what another one does."""

    name, isolation, workers = "counting", "none", 1

    def __init__(self, behind: Backend, before: Callable[[], None] = lambda: None):
        self.behind, self.before, self.jobs = behind, before, []

    def run(self, job: Job) -> Outcome:
        self.jobs.append(job)
        self.before()
        return self.behind.run(job)

    def converse(self, job: Job, examiner: Job) -> tuple[Outcome, Outcome]:
        return self.behind.converse(job, examiner)

    def toolchain(self, command: str) -> str | None:
        return self.behind.toolchain(command)

    def close(self) -> None:
        pass


class Broken:
    """A checker that fails."""

    name = "broken"

    def compare_output(self, stdin: bytes, output: bytes, expected: bytes) -> Check:
        raise InternalError("the checker failed")

    def compare_values(self, value: object, expected: object) -> Check:
        raise InternalError("the checker failed")


@pytest.mark.parametrize("test", [HI, CallCase("input", (), "hi")], ids=["output", "value"])
def test_a_checker_that_fails_has_the_program_run_once(sandbox: Sandbox, test: Any):
    backend = Counting(sandbox.backend)
    program = ECHO if test is HI else Program("def input(): return 'hi'")
    found = Sandbox(backend).judge(program, [test], LIMITS, checker=Broken())
    assert found.verdict is Verdict.INTERNAL_ERROR and "the checker failed" in found.note
    assert len(backend.jobs) == 1


class TestCompiling:
    def test_a_program_is_compiled_once_by_judge_and_run_alike(self, sandbox: Sandbox):
        backend = Counting(sandbox.backend)
        counted = Sandbox(backend)
        program = Program('#include "x.h"\nint main(void) { return X; }', "c", {"x.h": b"#define X 0"})
        assert counted.judge(program, [StdioCase("", "")] * 2).passed
        run = counted.run(program, inputs={"y": b""})
        assert run.outcome is not None and run.outcome.exit_code == 0 and run.compile is not None
        assert [bool(job.fetch) for job in backend.jobs] == [True, False, False, False]
        other = counted.run(replace(program, files={"x.h": b"#define X 3"})).outcome
        assert other is not None and other.exit_code == 3, "another header makes another program"
        counted.run(program, compile_limits=Limits(cpu_s=20))
        assert sum(bool(job.fetch) for job in backend.jobs) == 3, "other limits may come to another end"

    def test_a_few_programs_are_remembered_and_none_that_failed_or_is_large(self):
        kept = Compiled()
        jobs = [Job("exec", files={"main.c": str(number).encode()}) for number in range(20)]
        for job in jobs:
            kept.keep(job, Outcome("exited", 0, stdout=job.files["main.c"]))
        found = [kept.get(job) for job in jobs]
        assert found[:4] == [None] * 4
        assert [each.stdout for each in found[4:] if each] == [job.files["main.c"] for job in jobs[4:]]
        for outcome in (
            Outcome("exited", 1),
            Outcome("cpu", signal=9),
            Outcome("exited", 0, fetched={"main": bytes(17 << 20)}),
        ):
            kept.keep(jobs[0], outcome)
            assert kept.get(jobs[0]) is None


class TestEnding:
    def test_a_cancelled_judgement_runs_no_further_test(self, sandbox: Sandbox):
        begun, go_on = threading.Event(), threading.Event()

        def before() -> None:
            begun.set()
            go_on.wait()

        backend = Counting(sandbox.backend, before)

        async def cancel() -> None:
            judging = asyncio.ensure_future(counted.judge_async(ECHO, [HI] * 5, LIMITS))
            await asyncio.to_thread(begun.wait)
            judging.cancel()
            with pytest.raises(asyncio.CancelledError):
                await judging
            go_on.set()

        with Sandbox(backend) as counted:
            asyncio.run(cancel())
        assert len(backend.jobs) == 1

    def test_after_closing_every_call_is_the_same_error(self, sandbox: Sandbox):
        closed = Sandbox(Counting(sandbox.backend))
        closed.close()
        for act in (
            lambda: closed.judge(ECHO, [HI]),
            lambda: closed.run(ECHO),
            lambda: asyncio.run(closed.judge_async(ECHO, [HI])),
            lambda: asyncio.run(closed.run_async(ECHO)),
        ):
            with pytest.raises(InternalError, match="the sandbox is closed"):
                act()

    def test_closing_twice_is_closing_once(self, sandbox: Sandbox):
        closed = Sandbox(Counting(sandbox.backend))
        closed.close()
        closed.close()


# (language, source, why).
OUT_OF_MEMORY = [
    ("python", "raise MemoryError", "what Python says"),
    ("cpp", "#include <new>\nint main() { throw std::bad_alloc(); }", "what C++ says"),
]


@pytest.mark.parametrize(("spoken", "source", "why"), OUT_OF_MEMORY, ids=[why for _, _, why in OUT_OF_MEMORY])
def test_a_runtime_that_finds_no_memory_is_a_memory_limit(sandbox: Sandbox, spoken: str, source: str, why: str):
    found = sandbox.judge(Program(source, spoken), [HI], LIMITS)
    assert found.verdict is Verdict.MEMORY_LIMIT, why


def test_the_words_of_another_language_are_a_runtime_error(sandbox: Sandbox):
    found = sandbox.judge(Program("raise SystemExit('std::bad_alloc')"), [HI], LIMITS)
    assert found.verdict is Verdict.RUNTIME_ERROR
