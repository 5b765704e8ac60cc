"""Each limit is for good or for a whole process, so each test sets it in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program that has the limits imported."""
    text = "from sandboxes.limits import *\nimport os, resource, signal, sys, time\n" + textwrap.dedent(program)
    return subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENVIRONMENT,
    )


def test_more_memory_than_the_limit_is_refused_and_less_is_not() -> None:
    done = run(
        """
        limit_memory_growth(256 << 20)
        kept = bytearray(64 << 20)
        try:
            bytearray(512 << 20)
        except MemoryError:
            print("refused")
        """
    )
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_the_limit_counts_from_what_is_mapped_already() -> None:
    done = run(
        """
        first = bytearray(512 << 20)
        limit_memory_growth(128 << 20)
        second = bytearray(64 << 20)
        print("granted")
        """
    )
    assert done.stdout == "granted\n", done.stderr


def test_a_limit_can_be_lifted_and_set_again() -> None:
    done = run(
        """
        for _ in range(2):
            limit_memory_growth(64 << 20)
            try:
                bytearray(256 << 20)
                print("granted")
            except MemoryError:
                print("refused")
            lift_memory_limit()
            print(len(bytearray(256 << 20)) >> 20)
        """
    )
    assert done.stdout.split() == ["refused", "256", "refused", "256"], done.stderr


def test_a_hard_limit_of_the_system_is_never_exceeded() -> None:
    done = run(
        """
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        limit_memory_growth(64 << 30)
        print(resource.getrlimit(resource.RLIMIT_AS) == (4 << 30, 4 << 30))
        lift_memory_limit()
        print(resource.getrlimit(resource.RLIMIT_AS) == (4 << 30, 4 << 30))
        """
    )
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_a_crash_leaves_no_core_file() -> None:
    done = run(
        """
        no_core_dumps()
        print(resource.getrlimit(resource.RLIMIT_CORE))
        """
    )
    assert done.stdout == "(0, 0)\n", done.stderr


CHILD = """
import os, sys, time
from sandboxes.limits import die_with_parent

die_with_parent(int(sys.argv[1]))
with open(sys.argv[2] + ".part", "w") as note:
    note.write(str(os.getpid()))
os.rename(sys.argv[2] + ".part", sys.argv[2])
time.sleep(600)
"""
PARENT = """
import os, subprocess, sys, time

subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid()), sys.argv[2]])
time.sleep(600)
"""


def test_a_process_dies_with_its_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD, str(note)], env=ENVIRONMENT)
    _wait_for(note.exists)
    child = int(note.read_text())
    assert _alive(child)
    parent.kill()
    parent.wait()
    _wait_for(lambda: not _alive(child))


def test_a_process_whose_parent_is_gone_already_ends_at_once() -> None:
    done = run("die_with_parent(1 << 22)\nprint('still here')")
    assert (done.stdout, done.returncode) == ("", 0)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)
