"""The sandbox of this machine's own walls: what it needs, what it survives, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from benchmarks.soak import census, descendants, groups_of, soak, warm_up
from sandboxes import (
    InternalError,
    Judgement,
    Limits,
    Program,
    Sandbox,
    SandboxUnavailable,
    StdioCase,
    Verdict,
    open_sandbox,
)
from sandboxes import local as local_module
from sandboxes.inside import kernel, seccomp
from sandboxes.local import ESSENTIAL, LAYERS, LocalBackend
from sandboxes.stream import SocketStream
from tests.sandboxes.plain_user import run_as_plain_user

ECHO = Program("print(input())")
SLEEP = Program("import time; time.sleep(600)")
LIMITS = Limits(cpu_s=1, wall_s=10, memory_mb=128, output_kb=64, processes=16)
_PATIENCE_S = 60.0


def opened(**options: Any) -> Sandbox:
    try:
        return open_sandbox("local", **options)
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def others() -> set[int]:
    """The processes that were there before a test, sandboxes of other tests among them."""
    return set(children())


@pytest.fixture
def single(others: set[int]) -> Iterator[Sandbox]:
    with opened(workers=1) as made:
        yield made


def echo(sandbox: Sandbox, number: int = 7) -> Judgement:
    return sandbox.judge(ECHO, [StdioCase(f"{number}\n", f"{number}\n")], LIMITS)


def wait_for(true: Callable[[], object]) -> None:
    """Wait until something is so; how long it takes is not what is tested."""
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def children() -> list[int]:
    """The processes that this one has started itself."""
    return [pid for pid in descendants(os.getpid()) if parent(pid) == os.getpid()]


def parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def kill_supervisors(others: set[int]) -> None:
    for pid in set(children()) - others:
        os.kill(pid, signal.SIGKILL)


def programs(others: set[int]) -> int:
    """How many processes of programs run in a test's own sandboxes, where each worker has two of its own."""
    return sum(max(0, len(descendants(pid)) - 1) for pid in set(children()) - others)


class TestLayers:
    def test_all_are_probed_and_told(self, single: Sandbox):
        states = single.backend.probe()  # type: ignore[attr-defined]
        assert set(LAYERS) <= set(states)
        assert all(states[layer] == "on" for layer in ESSENTIAL)

    def test_one_that_is_left_out_is_told_to_be_off(self):
        with opened(workers=1, without=["landlock"]) as made:
            assert made.backend.probe()["landlock"] == "off"  # type: ignore[attr-defined]
            assert echo(made).verdict is Verdict.ACCEPTED

    def test_one_that_does_not_exist_cannot_be_left_out(self):
        with pytest.raises(ValueError, match="no layer is called firewall"):
            LocalBackend(without=["firewall"])

    def test_an_interpreter_that_does_not_run_is_told(self):
        with pytest.raises(SandboxUnavailable, match="cannot run the interpreter"):
            LocalBackend(python="/bin/false")

    def test_modules_can_be_loaded_beforehand(self):
        source = "import sys; print('tomllib' in sys.modules)"
        for preload, expected in (((), "False"), (("tomllib",), "True")):
            with opened(workers=1, preload=preload) as made:
                assert made.judge(Program(source), [StdioCase("", expected)]).verdict is Verdict.ACCEPTED

    def test_folders_of_this_machine_are_seen_when_shown_and_cannot_be_changed(self, tmp_path: Path):
        (tmp_path / "data").write_text("3")
        for at in (tmp_path, *tmp_path.parents[:-2]):
            at.chmod(at.stat().st_mode | 0o055)
        source = f"print(open('{tmp_path}/data').read())\nopen('{tmp_path}/data', 'w')"
        with opened(workers=1, binds=[tmp_path]) as made:
            outcome = made.run(Program(source)).outcome
        assert outcome is not None and outcome.stdout == b"3\n" and outcome.exit_code == 1
        assert (tmp_path / "data").read_text() == "3"


# What takes a wall away from a process and all that it starts, as a container or a setting of the system does.
NO_USER_NAMESPACES = """
import os
from sandboxes.inside import kernel
root = os.geteuid()
kernel.unshare(kernel.CLONE_NEWUSER)
for name, text in (("setgroups", "deny"), ("uid_map", f"0 {root} 1"), ("gid_map", f"0 {os.getegid()} 1")):
    open(f"/proc/self/{name}", "w").write(text)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
"""
NO_NEW_MOUNTS = """
from sandboxes.inside import kernel, seccomp
kernel.no_new_privileges()
kernel.install_seccomp(kernel.seccomp_program(seccomp.build()))
"""
OPEN = """
from sandboxes import SandboxUnavailable, open_sandbox
try:
    open_sandbox("local", workers=1).close()
except SandboxUnavailable as error:
    print(error)
"""


class TestRefusal:
    @pytest.mark.parametrize(
        ("wall", "layer"), [(NO_USER_NAMESPACES, "users"), (NO_NEW_MOUNTS, "")], ids=["users", "all"]
    )
    def test_where_it_cannot_be_safe_it_says_what_is_missing_and_how_to_enable_it(self, wall: str, layer: str):
        done = subprocess.run([sys.executable, "-c", wall + OPEN], capture_output=True, text=True, check=False)
        if done.returncode and "Error" in done.stderr and "sandboxes/inside/kernel" in done.stderr:
            pytest.skip(f"this wall cannot be taken away here: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, done.stderr
        assert "cannot be safe here" in done.stdout and f"the layer '{layer}" in done.stdout
        assert "sysctl" in done.stdout and "docker or remote backend" in done.stdout

    def test_nothing_is_left_of_the_attempt(self):
        before = census()
        subprocess.run([sys.executable, "-c", NO_NEW_MOUNTS + OPEN], capture_output=True, check=False)
        assert census() == before

    def test_this_architecture_has_a_filter(self):
        assert len(seccomp.build()) % 8 == 0 and kernel.MACHINE


PROGRAMS = [
    ("print(3)", "AC"),
    ("print(4)", "WA"),
    ("while True: pass", "TLE"),
    ("import os\\nfor _ in range(3): os.fork()\\nwhile True: pass", "TLE"),
    ("import time; time.sleep(600)", "TLE"),
    ("x = b'x' * (300 << 20)", "MLE"),
    ("x = []\\nwhile True: x.append(bytearray(1 << 20))", "MLE"),
    (
        "import os, time\\nfor _ in range(8):\\n    if not os.fork(): x = b'x' * (60 << 20); time.sleep(60)\\n"
        "for _ in range(8): os.wait()",
        "MLE",
    ),
    ("import os\\nwhile True:\\n    try: os.fork()\\n    except OSError: pass", "TLE"),
    ("while True: print('x' * 999)", "OLE"),
    ("1 / 0", "RE"),
    ("print(", "CE"),
    (
        "import multiprocessing as m\\nif __name__ == '__main__':\\n"
        "    with m.Pool(12) as pool: print(pool.map(len, ['xxx'])[0])",
        "AC",
    ),
    (
        "import os\\nos.chdir('/'); os.rename('/sandbox/box/work', '/sandbox/box/x') if os.getuid() else 0\\nprint(3)",
        "*",
    ),
    ("import os\\nprint(3 if sorted(os.listdir('/sandbox/box')) == ['shm', 'tmp', 'work'] else 4)", "AC"),
    ("import os\\nopen('/sandbox/box/message', 'w').write('x')\\nprint(3)", "*"),
    ("import os\\nprint(3 if sorted(os.listdir('/sandbox/box')) == ['shm', 'tmp', 'work'] else 4)", "AC"),
    ("import os\\nos.chmod('/sandbox/box', 0)\\nprint(3)", "*"),
    ("import os\\nprint(3 if sorted(os.listdir('/sandbox/box')) == ['shm', 'tmp', 'work'] else 4)", "AC"),
    (
        "import os, signal\\nfor n in signal.valid_signals():\\n    try: os.kill(1, n)\\n"
        "    except OSError: pass\\nprint(3)",
        "AC",
    ),
]
AS_A_PLAIN_USER = f"""
import json
from sandboxes import Limits, Program, StdioCase, open_sandbox

limits = Limits(cpu_s=0.7, wall_s=2, memory_mb=256, output_kb=64, processes=16)
with open_sandbox("local", workers=1) as sandbox:
    for source, _ in {PROGRAMS!r}:
        program = Program(source.replace("\\\\n", chr(10)))
        print(json.dumps(sandbox.judge(program, [StdioCase("", "3")], limits).verdict.code))
"""


def test_a_plain_user_gets_the_same_verdicts_without_control_groups():
    verdicts = run_as_plain_user(AS_A_PLAIN_USER)
    for (source, expected), verdict in zip(PROGRAMS, verdicts, strict=True):
        assert verdict == expected or (expected == "*" and verdict != "IE"), source


def test_root_gets_those_verdicts_too(single: Sandbox):
    limits = Limits(cpu_s=0.7, wall_s=2, memory_mb=256, output_kb=64, processes=16)
    for source, expected in PROGRAMS:
        found = single.judge(Program(source.replace("\\n", "\n")), [StdioCase("", "3")], limits)
        assert found.verdict.code == expected or (expected == "*" and found.decided), (source, found)


# A root that was given a few users only, as in a container of a plain user's.
FEW_USERS = """
import os, sys
from sandboxes.inside import kernel
ready, mapped = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    kernel.unshare(kernel.CLONE_NEWUSER)
    os.write(ready[1], b"x")
    os.read(mapped[0], 1)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
os.read(ready[0], 1)
for name in ("uid_map", "gid_map"):
    open(f"/proc/{child}/{name}", "w").write("0 0 65536")
os.write(mapped[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
JUDGE_ONE = """
from sandboxes import *
with open_sandbox("local", workers=1) as sandbox:
    print(sandbox.judge(Program("print(input())"), [StdioCase("x", "x")]).verdict.code)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give users away")
def test_it_works_for_a_root_that_rules_few_users():
    command = [sys.executable, "-c", FEW_USERS, JUDGE_ONE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "AC", done.stderr


class TestConcurrency:
    def test_many_threads_share_few_workers_and_each_gets_its_own_answer(self, sandbox: Sandbox):
        wrong: list[Judgement] = []

        def work(first: int) -> None:
            for number in range(first, first + 10):
                found = echo(sandbox, number)
                if found.verdict is not Verdict.ACCEPTED:
                    wrong.append(found)

        threads = [threading.Thread(target=work, args=(100 * number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_waiting_for_a_worker_counts_for_nothing(self, single: Sandbox):
        program, tests = Program("import time; time.sleep(0.4)"), [StdioCase("", "")]
        limits = Limits(cpu_s=1, wall_s=1)
        found: list[Judgement] = []
        threads = [
            threading.Thread(target=lambda: found.append(single.judge(program, tests, limits))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {each.verdict for each in found} == {Verdict.ACCEPTED}

    def test_cancelling_a_task_does_no_harm(self, single: Sandbox):
        async def cancel() -> None:
            task = asyncio.create_task(single.run_async(Program("import time; time.sleep(0.3)")))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancel())
        assert echo(single).verdict is Verdict.ACCEPTED

    def test_a_forked_process_starts_workers_of_its_own(self, single: Sandbox):
        assert echo(single).verdict is Verdict.ACCEPTED
        asyncio.run(single.run_async(ECHO, b"x"))
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            answers = [echo(single, number).verdict.code for number in range(1000, 1020)]
            answers.append(str(asyncio.run(single.run_async(ECHO, b"x")).outcome is not None))
            single.close()
            os.write(write, " ".join(answers).encode())
            os._exit(0)
        ours = [echo(single, number).verdict.code for number in range(2000, 2020)]
        os.waitpid(child, 0)
        assert os.read(read, 1 << 16).decode() == "AC " * 20 + "True"
        assert ours == ["AC"] * 20
        assert echo(single).verdict is Verdict.ACCEPTED, "closing in the forked process closed it there only"
        os.close(read)
        os.close(write)

    def test_a_thread_that_opened_it_may_end(self):
        made: list[Sandbox] = []
        opening = threading.Thread(target=lambda: made.append(opened(workers=1)))
        opening.start()
        opening.join()
        with made[0] as there:
            assert echo(there).verdict is Verdict.ACCEPTED


class Faulty(SocketStream):
    """A stream whose messages are cut in the middle, or changed, as often as asked."""

    faults: ClassVar[list[Callable[[bytes], bytes]]] = []

    def receive(self) -> bytes:
        data = super().receive()
        return Faulty.faults.pop()(data) if Faulty.faults else data


# What is wrong with a message, and what becomes of it.
FAULTS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("an unknown length", lambda data: b"\xff" * 8 + data),
    ("no message", lambda data: b"\0\0\0\x02\0\0\0\0[]" + data),
    ("too few facts", lambda data: b"\0\0\0\x1a\0\0\0\0" + b'{"is": "done", "parts":[]}' + data),
    ("no JSON", lambda data: data[:8] + b"?" * (len(data) - 8)),
]


class TestFaults:
    @pytest.fixture
    def faulty(self, others: set[int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
        monkeypatch.setattr(local_module, "SocketStream", Faulty)
        with opened(workers=1) as made:
            yield made
        Faulty.faults.clear()

    @pytest.mark.parametrize("fault", [fault for _, fault in FAULTS], ids=[name for name, _ in FAULTS])
    def test_a_broken_record_is_the_workers_fault_and_another_is_asked(
        self, faulty: Sandbox, fault: Callable[[bytes], bytes]
    ):
        Faulty.faults.append(fault)
        assert echo(faulty).verdict is Verdict.ACCEPTED
        assert Faulty.faults == []

    def test_a_record_that_is_cut_off_is_too(self, faulty: Sandbox, others: set[int]):
        def cut(data: bytes) -> bytes:
            kill_supervisors(others)
            return data[: len(data) // 2]

        Faulty.faults.append(cut)
        assert echo(faulty).verdict is Verdict.ACCEPTED

    def test_when_all_are_broken_there_is_no_verdict(self, faulty: Sandbox):
        Faulty.faults.extend([FAULTS[0][1]] * 20)
        found = echo(faulty)
        assert found.verdict is Verdict.INTERNAL_ERROR and found.passed is None
        Faulty.faults.clear()
        assert echo(faulty).verdict is Verdict.ACCEPTED, "the next one is judged again"

    def test_an_idle_worker_that_dies_is_replaced(self, single: Sandbox, others: set[int]):
        assert echo(single).verdict is Verdict.ACCEPTED
        kill_supervisors(others)
        assert echo(single).verdict is Verdict.ACCEPTED

    @pytest.mark.parametrize("whom", ["supervisor", "zygote"])
    def test_a_worker_that_dies_during_a_run_is_replaced_and_the_run_repeated(
        self, single: Sandbox, others: set[int], whom: str
    ):
        assert echo(single).verdict is Verdict.ACCEPTED
        (supervisor,) = set(children()) - others
        (zygote,) = descendants(supervisor)
        found: list[Judgement] = []
        program = Program("import time; time.sleep(1); print(input())")
        thread = threading.Thread(target=lambda: found.append(single.judge(program, [StdioCase("7", "7")], LIMITS)))
        thread.start()
        wait_for(lambda: programs(others))
        os.kill(supervisor if whom == "supervisor" else zygote, signal.SIGKILL)
        thread.join()
        assert found[0].verdict is Verdict.ACCEPTED

    def test_workers_that_die_in_every_attempt_give_no_verdict(self, single: Sandbox, others: set[int]):
        found: list[Judgement] = []
        thread = threading.Thread(target=lambda: found.append(single.judge(SLEEP, [StdioCase("7", "7")], LIMITS)))
        thread.start()
        while thread.is_alive():
            if programs(others):
                kill_supervisors(others)
            thread.join(0.05)
        assert found[0].verdict is Verdict.INTERNAL_ERROR

    def test_a_process_out_of_descriptors_gets_no_verdict_and_no_exception(self, single: Sandbox, others: set[int]):
        kill_supervisors(others)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        taken = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
        try:
            with pytest.raises(OSError):
                while True:
                    taken.append(os.open("/dev/null", os.O_RDONLY))
            assert echo(single).verdict is Verdict.INTERNAL_ERROR
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for descriptor in taken:
                os.close(descriptor)
        assert echo(single).verdict is Verdict.ACCEPTED


PARENT = """
import sys, threading, time
from benchmarks.soak import descendants
from sandboxes import *
import os
sandbox = open_sandbox("local", workers=2)
source = "import os, time\\nfor _ in range(5): os.fork()\\ntime.sleep(600)"
for _ in range(2):
    threading.Thread(target=sandbox.run, args=(Program(source), b"", Limits(wall_s=900)), daemon=True).start()
while len(descendants(os.getpid())) < 4 + 2 * 32:
    time.sleep(0.01)
print("ready", flush=True)
time.sleep(600)
"""


class TestNothingIsLeft:
    def test_after_closing(self):
        before = census()
        with opened(workers=2) as made:
            warm_up(made)
            assert census() != before
        assert census() == before

    def test_after_closing_while_programs_run(self, others: set[int]):
        before = census()
        made = opened(workers=2)
        found: list[Judgement] = []
        tests = [StdioCase("", "")]
        threads = [threading.Thread(target=lambda: found.append(made.judge(SLEEP, tests, LIMITS))) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: programs(others) == 2)
        made.close()
        for thread in threads:
            thread.join()
        assert {each.verdict for each in found} == {Verdict.INTERNAL_ERROR}
        assert census() == before

    def test_closing_twice_or_unused_is_fine(self):
        before = census()
        made = opened(workers=1)
        made.close()
        made.close()
        assert census() == before
        with pytest.raises(InternalError, match="closed"):
            echo(made)

    def test_after_workers_died(self, others: set[int]):
        before = census()
        with opened(workers=2) as made:
            warm_up(made)
            kill_supervisors(others)
            assert echo(made).verdict is Verdict.ACCEPTED
        assert census() == before

    def test_after_the_parent_was_killed(self):
        with opened(workers=1):
            pass
        process = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        family, groups = descendants(process.pid), groups_of(process.pid)
        assert len(family) >= 68
        process.kill()
        process.wait()
        process.stdout.close()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
        wait_for(lambda: not any(group.exists() for group in groups))

    def test_after_hundreds_of_runs_of_all_kinds(self):
        unopened = census()
        with opened(workers=2) as made:
            warm_up(made)
            before = census()
            assert not soak(made, 300)
            assert census() == before
        assert census() == unopened
