"""Code: answers graded by LiveCodeBench, and runs of HumanEval and MBPP, judged again by the sandbox."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fidelity.options import Options
from sandboxes import open_sandbox
from sandboxes.sandbox import Sandbox
from sandboxes.types import AssertCase, CallCase, Judgement, Limits, Program, StdioCase, TestCase

LCB_LIMITS = Limits(cpu_s=2.5, memory_mb=2048, output_kb=16384, stack_mb=256)
"""LiveCodeBench allowed 6 seconds by the clock of its own machine, and did not limit memory. On a core of 2025 what it
found too slow takes 4 CPU seconds and more, and what it accepted takes less than one."""
REFLEXION_LIMITS = Limits(cpu_s=10, memory_mb=1024)

STAR_IMPORTS = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics"),
    *("itertools", "functools", "operator", "io", "sys", "json", "builtins", "typing"),
)
"""What LiveCodeBench imports for every answer, in its order: a later `pow` or `open` hides an earlier one."""
LCB_PRELUDE = "".join(
    [
        *(f"from {module} import *\n" for module in STAR_IMPORTS),
        *(f"import {module}\n" for module in STAR_IMPORTS[:-2]),
        "sys.setrecursionlimit(50000)\n",
    ]
)
"""Put before each answer, as LiveCodeBench does: models were graded with it and leave imports out."""


@dataclass(frozen=True)
class Replay:
    """A program to judge again.

    Attributes:
        id: The record's.
        kind: What the verdict on record rests on.
        program: What is run.
        tests: On what.
        passes: The verdict on record.
        limits: What each test may use.
        checker: How outputs are compared.
        note: What the record says of its verdict.
    """

    id: str
    kind: str
    program: Program
    tests: tuple[TestCase, ...]
    passes: bool
    limits: Limits
    checker: str | None = None
    note: str = ""


def replay(data: Path, options: Options) -> dict[str, Any]:
    """Judge the code of both files again.

    Args:
        data: A folder with `graded/` and `bench/`.
        options: The backend, the number of workers and how many records to take.

    Returns:
        A report for each file, with counts and every disagreement.

    Raises:
        OSError: A file is missing.
    """
    with open_sandbox(options.backend, workers=options.workers) as sandbox:
        return {
            "lcb": _lcb(data, options, sandbox),
            "reflexion": _reflexion(data, options, sandbox),
        }


def _lcb(data: Path, options: Options, sandbox: Sandbox) -> dict[str, Any]:
    problems = {row["id"]: row for row in _rows(data / "bench" / "lcb_v5_problems.jsonl")}
    rows = list(_rows(data / "graded" / "lcb_v5_o1.jsonl", options.limit))
    found = [lcb_replay(row, problems.get(row["problem_id"], {})) for row in rows]
    left_out = Counter(each for each in found if isinstance(each, str))
    kinds = ("official_fail", "official_suspect", "public")
    return _report(len(rows), left_out, kinds, [each for each in found if isinstance(each, Replay)], sandbox)


def lcb_replay(row: Mapping[str, Any], problem: Mapping[str, Any]) -> Replay | str:
    """Say what to judge of an answer that LiveCodeBench graded.

    An answer that failed is judged on the test that it failed, one that passed on the problem's public tests.

    Args:
        row: The graded answer.
        problem: Its problem.

    Returns:
        What to judge, or why nothing can be.
    """
    suspect = row.get("official_suspect")
    if row["official_correct"]:
        kind, passes = "public", True
        tests = [test for test in problem.get("public_tests", []) if test["status"] == "confirmed"]
        if not tests:
            return "without confirmed public tests"
    else:
        kind, passes = ("official_suspect", True) if suspect else ("official_fail", False)
        if not row["failing_test"] or row["failing_test_truncated"]:
            return "without a whole failing test"
        tests = [row["failing_test"]]
    program = Program(LCB_PRELUDE + row["code"])
    cases = tuple(_lcb_case(row, test) for test in tests)
    note = suspect or row.get("official_error") or ""
    return Replay(row["id"], kind, program, cases, passes, LCB_LIMITS, "lcb", note)


def _lcb_case(row: Mapping[str, Any], test: Mapping[str, Any]) -> TestCase:
    expected = test["expected"] if "expected" in test else test["output"]
    if row["testtype"] == "functional":
        return CallCase(f"Solution.{row['fn_name']}", tuple(test["args"]), expected)
    return StdioCase(test["stdin"] if "stdin" in test else test["input"], expected)


def _reflexion(data: Path, options: Options, sandbox: Sandbox) -> dict[str, Any]:
    rows = list(_rows(data / "graded" / "code_reflexion.jsonl", options.limit))
    replays = [reflexion_replay(row) for row in rows]
    return _report(len(rows), Counter(), sorted({row["benchmark"] for row in rows}), replays, sandbox)


def reflexion_replay(row: Mapping[str, Any]) -> Replay:
    """Say what to judge of a recorded run of HumanEval or MBPP: the assembled program, on the recorded test.

    Args:
        row: The record.

    Raises:
        ValueError: The record is put together in a way that is not known.
    """
    joints = {"prompt+newline+code": "\n", "prompt+code": ""}
    if row["assemble"] not in joints:
        raise ValueError(f"{row['id']}: does not know how to assemble {row['assemble']!r}")
    source = row["prompt"] + joints[row["assemble"]] + row["code"]
    # Named even where the test calls `check` itself: it may be called like a built-in function, `sum` say.
    test = AssertCase(row["test"], row["entry_point"] if defines_check(row["test"]) else None)
    note = row.get("official_suspect") or ""
    return Replay(
        row["id"], row["benchmark"], Program(source), (test,), row["replay_correct"], REFLEXION_LIMITS, note=note
    )


def defines_check(test: str) -> bool:
    """Say whether a test defines `check` for the function it is given, instead of only asserting by itself."""
    try:
        body = ast.parse(test).body
    except SyntaxError:
        return False
    return any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in body)


def _report(
    programs: int, left_out: Mapping[str, int], kinds: Iterable[str], replays: Sequence[Replay], sandbox: Sandbox
) -> dict[str, Any]:
    # More callers than workers, so that no worker waits for this thread.
    with ThreadPoolExecutor(2 * sandbox.backend.workers) as callers:
        judged = list(zip(replays, callers.map(lambda each: _judge(sandbox, each), replays), strict=True))
    wrong = [(each, judgement) for each, judgement in judged if judgement.passed is not each.passes]
    return {
        "programs": programs,
        "left_out": dict(left_out),
        **{kind: _counts(kind, judged) for kind in kinds},
        "no_verdict": sum(not judgement.decided for _, judgement in judged),
        "disagreements": [_disagreement(each, judgement) for each, judgement in wrong],
        "verdicts": {each.id: judgement.verdict.code for each, judgement in judged},
    }


def _judge(sandbox: Sandbox, each: Replay) -> Judgement:
    return sandbox.judge(each.program, each.tests, each.limits, checker=each.checker)


def _counts(kind: str, judged: Sequence[tuple[Replay, Judgement]]) -> dict[str, int]:
    of_kind = [(each, judgement) for each, judgement in judged if each.kind == kind]
    return {
        "programs": len(of_kind),
        "tests": sum(len(each.tests) for each, _ in of_kind),
        "passed": sum(judgement.passed is True for _, judgement in of_kind),
        "failed": sum(judgement.passed is False for _, judgement in of_kind),
        "agree": sum(judgement.passed is each.passes for each, judgement in of_kind),
    }


def _disagreement(each: Replay, judgement: Judgement) -> dict[str, str]:
    notes = [judgement.note, *(f"{case.note} {case.stderr[-300:]}".strip() for case in judgement.cases)]
    return {
        "id": each.id,
        "kind": each.kind,
        "expected": "pass" if each.passes else "fail",
        "got": judgement.verdict.code,
        "note": " | ".join(filter(None, [f"recorded: {each.note}" if each.note else "", *notes]))[:1000],
    }


def _rows(file: Path, limit: int | None = None) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if limit is not None and number >= limit:
                return
            yield json.loads(line)
