"""Hostile programs of our own: each gets the verdict it deserves, nothing else, and leaves nothing to the next."""

from __future__ import annotations

import platform
import secrets
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandboxes import (
    AssertCase,
    CallCase,
    CaseResult,
    Judgement,
    Limits,
    Program,
    Sandbox,
    SandboxUnavailable,
    StdioCase,
    Verdict,
    open_sandbox,
)

FOLDER = Path(__file__).with_name("hostile")
PROGRAMS = tomllib.loads((FOLDER / "manifest.toml").read_text())["programs"]
LANGUAGES = {".py": "python", ".c": "c", ".sh": "bash"}
LIMITS = Limits(cpu_s=0.5, wall_s=5, memory_mb=256, output_kb=2048, processes=32, file_mb=16, disk_mb=16)
COMPILING = Limits(cpu_s=3, memory_mb=512, file_mb=16)

CHECK = """
def check(candidate):
    assert candidate(1, 2) == 3
    assert candidate(10, -4) == 6, "ten less four"
    assert abs(len(str(candidate(7, 5))) - 2) == 0
    assert all(map(lambda n: candidate(n, n) == 2 * n, range(3)))
    assert isinstance(candidate("a", "b"), str) and sorted(candidate([2], [1])) == [1, 2]
    try:
        candidate(None, 1)
    except:
        pass
"""
TASKS = {
    "sum": [StdioCase("20 22\n", "42\n")],
    "add": [CallCase("add", (a, 3 - a), 3) for a in range(1, 6)] + [CallCase("add", (20, 22), 42)],
    "check": [AssertCase(CHECK, entry_point="add")],
}
HONEST = {
    "sum": "print(sum(map(int, input().split())))",
    "add": "def add(a, b): return a + b",
    "check": "def add(a, b): return a + b",
}
# Tells of everything that it finds in the folders that it may write to, and of itself as others see it.
BENIGN = """
# {secret}
import os, sys
line = input()
a, b, secret = line.split()
print(int(a) + int(b), secret)
for at, folders, files in os.walk("/sandbox/box"):
    folders[:] = [name for name in folders if not os.path.ismount(os.path.join(at, name))]
    print(at, sorted(folders), sorted(files), oct(os.stat(at).st_mode), os.listxattr(at), file=sys.stderr)
print(json.dumps([7, 3 + 4]) if (json := __import__("json")) else "", file=sys.stderr)
with open("/tmp/mine", "w") as file:
    file.write("{secret}")
"""


@pytest.fixture(scope="module")
def worker() -> Iterator[Sandbox]:
    """A sandbox with a single worker, so that every program gets what the one before may have left."""
    try:
        made = open_sandbox("local", workers=1)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with made:
        yield made


def skip_where_it_cannot_run(entry: dict[str, Any]) -> None:
    if entry.get("machine", platform.machine()) != platform.machine():
        pytest.skip(f"it speaks to {entry['machine']} only")
    if entry["file"].endswith(".c") and shutil.which("gcc") is None:
        pytest.skip("there is no C compiler here")


def judge(sandbox: Sandbox, entry: dict[str, Any]) -> Judgement:
    path = FOLDER / entry["file"]
    program = Program(path.read_text(), LANGUAGES[path.suffix])
    limits = replace(LIMITS, **entry.get("limits", {}))
    return sandbox.judge(program, TASKS[entry.get("task", "sum")], limits, compile_limits=COMPILING)


def benign(sandbox: Sandbox) -> tuple[str, str]:
    """Run an honest program with a secret in its source, its input, its output and its files; returns both."""
    secret = f"SECRET-{secrets.token_hex(16)}"
    tests = [StdioCase(f"20 22 {secret}\n", f"42 {secret}\n")]
    judgement = sandbox.judge(Program(BENIGN.replace("{secret}", secret)), tests, LIMITS)
    assert judgement.verdict is Verdict.ACCEPTED, judgement
    return secret, judgement.cases[0].stderr


def texts(judgement: Judgement) -> str:
    cases: list[CaseResult] = [*judgement.cases, *([judgement.compile] if judgement.compile else [])]
    return "\n".join(f"{case.stdout}\n{case.stderr}\n{case.note}" for case in cases)


def names(entry: dict[str, Any]) -> str:
    return entry["file"]


@pytest.mark.parametrize("task", TASKS)
def test_an_honest_program_passes_each_task(worker: Sandbox, task: str):
    assert worker.judge(Program(HONEST[task]), TASKS[task], LIMITS).verdict is Verdict.ACCEPTED


def test_every_file_has_an_entry_and_every_entry_says_why():
    assert {entry["file"] for entry in PROGRAMS} == {path.name for path in FOLDER.iterdir()} - {"manifest.toml"}
    assert all(entry["why"] and entry["stopped_by"] and entry["verdicts"] for entry in PROGRAMS)


@pytest.mark.parametrize("entry", PROGRAMS, ids=names)
def test_a_hostile_program_alone_gets_the_verdict_it_deserves(sandbox: Sandbox, entry: dict[str, Any]):
    skip_where_it_cannot_run(entry)
    judgement = judge(sandbox, entry)
    assert judgement.verdict.code in entry["verdicts"], judgement
    assert {case.verdict.code for case in judgement.cases} <= {*entry["verdicts"], "SKIPPED"}, judgement
    assert "GOT:" not in texts(judgement)
    assert judgement.note.isprintable() and len(judgement.note) < 2000


@pytest.mark.parametrize("entry", PROGRAMS, ids=names)
def test_between_two_honest_programs_it_learns_nothing_and_changes_nothing(worker: Sandbox, entry: dict[str, Any]):
    skip_where_it_cannot_run(entry)
    secret, before = benign(worker)
    judgement = judge(worker, entry)
    assert judgement.verdict.code in entry["verdicts"], judgement
    assert "GOT:" not in texts(judgement)
    assert secret not in texts(judgement)
    _, after = benign(worker)
    assert after == before
