"""A user's own judge, run for real: what its exit code means, and that its failures are nobody's wrong answer."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sandboxes import Limits, Program, Sandbox, SandboxUnavailable, StdioCase, Verdict, checker, open_sandbox
from sandboxes.checkers import Check, Special
from sandboxes.errors import InternalError
from tests.sandboxes.test_inputs import Counting

# Any two numbers with the sum that the input asks for.
ANY_SUM = """
import sys
wanted = int(open(sys.argv[1]).read())
words = open(sys.argv[2]).read().split()
if len(words) != 2 or not all(word.lstrip("-").isdigit() for word in words):
    print("two integers are needed", file=sys.stderr)
    sys.exit(1)
if sum(map(int, words)) != wanted:
    print(f"they sum to {sum(map(int, words))}")
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        opened = open_sandbox("local", workers=1)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with opened:
        yield opened


@pytest.mark.parametrize(
    ("output", "check"),
    [
        (b"3 4\n", Check(True)),
        (b"-1 8\n", Check(True)),
        (b"3 5\n", Check(False, "'they sum to 8'")),
        (b"many\n", Check(False, "'two integers are needed'")),
    ],
)
def test_exit_code_0_accepts_and_1_refuses_with_the_first_line_as_the_note(
    sandbox: Sandbox, output: bytes, check: Check
):
    assert Special(Program(ANY_SUM), sandbox).compare_output(b"7\n", output, b"3 4\n") == check


def test_the_judge_finds_input_output_and_answer_and_its_own_files_and_arguments(sandbox: Sandbox):
    source = """
import sys
assert sys.argv[1:] == ["strict", "input.txt", "output.txt", "answer.txt"], sys.argv
texts = [open(name, "rb").read() for name in sys.argv[2:]]
assert texts == [b"in", b"out\\xff", b"answer"], texts
assert open("table.txt").read() == "7"
"""
    program = Program(source, files={"table.txt": b"7"}, arguments=("strict",))
    assert Special(program, sandbox).compare_output(b"in", b"out\xff", b"answer") == Check(True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise ValueError('mine')", "exit code 1: 'Traceback"),
        ("import sys; sys.exit(2)", "exit code 2"),
        ("import os; os.abort()", "signal 6"),
        ("while True: pass", "the cpu limit"),
        ("x = b'x' * (1 << 30)", "failed|limit"),
        ("def (", "does not compile: .*main.py"),
    ],
)
def test_a_judge_that_fails_gives_no_verdict(sandbox: Sandbox, source: str, message: str):
    judge = Special(Program(source), sandbox, Limits(cpu_s=0.3, memory_mb=128))
    with pytest.raises(InternalError, match=f"(?s)special judge.*{message}"):
        judge.compare_output(b"", b"", b"")


# Crashes on what is no number, and is endless, or takes all memory, where the program says so.
TRUSTING = """
import sys
got, wanted = (open(name).read() for name in sys.argv[2:])
while got == "endless": pass
if got == "large": got = "1" * (1 << 30)
sys.exit(int(got) != int(wanted))
"""


@pytest.mark.parametrize(
    ("output", "note"),
    [
        (b"ten", "failed with exit code 1: 'Traceback"),
        (b"\xff", "failed with exit code 1: 'Traceback"),
        (b"endless", "was ended by the cpu limit"),
        (b"large", "failed|limit"),
        (bytes(2 << 20), "cannot be run: the program's files take 2101248 bytes"),
    ],
)
def test_no_output_that_the_judge_chokes_on_escapes_a_wrong_answer(sandbox: Sandbox, output: bytes, note: str):
    judge = Special(Program(TRUSTING), sandbox, Limits(cpu_s=0.3, memory_mb=128, disk_mb=2))
    check = judge.compare_output(b"", output, b"7")
    assert not check.accepted
    assert re.match(f"the judge could not read the output: (?s:.*)({note})", check.note)


def test_a_value_that_the_judge_chokes_on_is_a_wrong_answer(sandbox: Sandbox):
    judge = Special(Program(TRUSTING), sandbox)
    assert judge.compare_values(7, 7).accepted
    assert "could not read" in judge.compare_values("seven", 7).note


def test_choking_is_a_verdict_after_one_run_of_the_program(sandbox: Sandbox):
    judge = Special(Program(TRUSTING), sandbox)
    found = sandbox.judge(Program("print('ten')"), [StdioCase("", "7")], checker=judge)
    assert found.verdict is Verdict.WRONG_ANSWER and "could not read the output" in found.note


@pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler here")
def test_a_judge_is_compiled_once_for_all_outputs(sandbox: Sandbox):
    source = """
    #include <fstream>
    #include "same.h"
    int main(int, char** names) { std::ifstream got(names[2]), wanted(names[3]); return same(got, wanted) ? 0 : 1; }
    """
    header = b"bool same(std::ifstream& a, std::ifstream& b) { int x = 0, y = 1; a >> x; b >> y; return x == y; }"
    judge = Special(Program(source, "cpp", {"same.h": header}), sandbox)
    backend = Counting(sandbox.backend)
    counted = replace(judge, sandbox=Sandbox(backend))
    checks = [counted.compare_output(b"", output, b"7").accepted for output in (b"7", b"8", b" 7\n")]
    assert checks == [True, False, True]
    assert [bool(job.fetch) for job in backend.jobs] == [True, False, False, False]


def test_other_exit_codes_refuse_where_the_user_says_so(sandbox: Sandbox):
    judge = Special(Program("import sys; sys.exit(2)"), sandbox, refusals=(1, 2))
    assert not judge.compare_output(b"", b"", b"").accepted


@pytest.mark.parametrize(("value", "accepted"), [([1, 2], True), ([2, 1], True), ([1, 3], False)])
def test_values_come_as_typed_json(sandbox: Sandbox, value: Any, accepted: bool):
    source = "import json, sys; got, wanted = map(json.load, map(open, sys.argv[2:])); sys.exit(sorted(got) != wanted)"
    assert Special(Program(source), sandbox).compare_values(value, [1, 2]).accepted is accepted


def test_an_expected_value_that_is_no_plain_data_gives_no_verdict(sandbox: Sandbox):
    with pytest.raises(InternalError, match="no plain data"):
        Special(Program(""), sandbox).compare_values(1, object())


def test_a_mapping_describes_a_special_judge(sandbox: Sandbox):
    program = Program(ANY_SUM)
    assert checker({"kind": "special", "program": program, "sandbox": sandbox}) == Special(program, sandbox)


def test_a_program_is_judged_by_a_special_judge_on_the_same_single_worker(sandbox: Sandbox):
    tests = [StdioCase("7\n", "3 4\n"), StdioCase("9\n", "4 5\n")]
    judge = Special(Program(ANY_SUM), sandbox)
    right = sandbox.judge(Program("print(0, input())"), tests, checker=judge)
    wrong = sandbox.judge(Program("print(0, 7)"), tests, checker=judge)
    broken = sandbox.judge(Program("print(0, 7)"), tests, checker=Special(Program("1/0"), sandbox))
    assert [right.verdict, wrong.verdict, broken.verdict] == [
        Verdict.ACCEPTED,
        Verdict.WRONG_ANSWER,
        Verdict.INTERNAL_ERROR,
    ]
    assert wrong.cases[1].note == "'they sum to 7'"
