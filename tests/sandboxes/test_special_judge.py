"""A user's own judge, run for real: what its exit code means, and that its failures are nobody's wrong answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandboxes import Limits, Program, Sandbox, SandboxUnavailable, StdioCase, Verdict, checker, open_sandbox
from sandboxes.checkers import Check, Special
from sandboxes.errors import InternalError

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
