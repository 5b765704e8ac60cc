"""The docker sandbox on a real engine. Without one, these tests are skipped and say why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from sandboxes import (
    AssertCase,
    CallCase,
    Judgement,
    Limits,
    Program,
    Sandbox,
    SandboxUnavailable,
    StdioCase,
    TestCase,
    UnittestCase,
    Verdict,
    open_sandbox,
)
from sandboxes.docker import DockerBackend, build_image
from sandboxes.docker.container import Plan, _options
from sandboxes.docker.engine import OWNER, PLACE, USER, Engine, labels, place
from sandboxes.inside import cgroup
from sandboxes.types import Outcome
from tests.sandboxes.docker_engine import C_SOURCE, engine_or_skip, image_of_this_machine

ADD = "print(sum(map(int, input().split())))"
SUM = StdioCase("1 2", "3")
QUICK = Limits(cpu_s=1, wall_s=3, memory_mb=128, output_kb=64)
FAMILY = """
import os, time
for _ in range(4):
    os.fork()
b = bytearray(60 << 20)
time.sleep(1)
"""
SUITE = """
import unittest
class T(unittest.TestCase):
    def test(self):
        self.assertEqual(f(1), 1)
"""
TEXTS = "class Solution:\n def f(self, x): return [x, None, {'a': 1.5}]"
PROGRAMS = [
    ("AC", ADD, SUM),
    ("WA", "print(4)", SUM),
    ("CE", "print(3", SUM),
    ("RE", "1/0", SUM),
    ("RE", "import sys; print(3); sys.exit(1)", SUM),
    ("RE", "import os; os.kill(os.getpid(), 11)", SUM),
    ("RE", "import os\nwhile True: os.fork()", SUM),
    ("RE", "open('f', 'wb').write(bytes(100 << 20)); print(3)", SUM),
    ("TLE", "while True: pass", SUM),
    ("TLE", "import time; time.sleep(60)", SUM),
    ("MLE", "b = bytearray(400 << 20); print(3)", SUM),
    ("MLE", FAMILY, SUM),
    ("OLE", "while True: print('x' * 1000)", SUM),
    ("AC", "def f(x): return x + 1", CallCase("f", (1,), 2)),
    ("WA", "def f(x): return x + 2", CallCase("f", (1,), 2)),
    ("AC", TEXTS, CallCase("Solution.f", ("é",), ["é", None, {"a": 1.5}])),
    ("AC", "def f(x): return x + 1", AssertCase("assert f(1) == 2")),
    ("WA", "def f(x): return x + 2", AssertCase("def check(g):\n assert g(1) == 2", "f")),
    ("AC", "def f(x): return x + 1", AssertCase("assert f(1) == 2", same_process=True)),
    ("AC", "def f(x): return x", UnittestCase(SUITE)),
]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return engine_or_skip()


@pytest.fixture(scope="module")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with image_of_this_machine(engine, tmp_path_factory.mktemp("compiler")) as name:
        yield name


@pytest.fixture(scope="module")
def sandbox(image: str) -> Iterator[Sandbox]:
    with open_sandbox("docker", workers=2, image=image) as opened:
        yield opened


@pytest.fixture
def alone(image: str) -> Iterator[Sandbox]:
    """A sandbox with one worker, so that runs follow each other in the same container."""
    with open_sandbox("docker", workers=1, image=image) as opened:
        yield opened


@pytest.fixture(scope="module")
def local() -> Iterator[Sandbox]:
    try:
        opened = open_sandbox("local", workers=1)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with opened:
        yield opened


def containers(engine: Engine, owner: str, ended: bool = True) -> list[str]:
    found = engine.api.containers(all=ended, filters={"label": f"{OWNER}={owner}"})
    return [container["Id"] for container in found]


def mine(engine: Engine) -> list[str]:
    return containers(engine, cgroup.owner_tag(os.getpid()))


def until(condition: Callable[[], bool]) -> bool:
    """Whether it comes true; a container takes its time to go."""
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def run(sandbox: Sandbox, source: str, limits: Limits = QUICK, **options) -> Outcome:
    outcome = sandbox.run(Program(source), limits=limits, **options).outcome
    assert outcome is not None
    return outcome


def said(outcome: Outcome) -> str:
    assert outcome.ending == "exited" and outcome.exit_code == 0, outcome
    return outcome.stdout.decode().strip()


def user_of(sandbox: Sandbox) -> str:
    """The user that a program of the sandbox is; each container has its own."""
    return said(run(sandbox, "import os; print(os.getuid())"))


def container_of(engine: Engine, user: str) -> str:
    return engine.api.containers(filters={"label": f"{USER}={user}"})[0]["Id"]


class TestVerdicts:
    @pytest.mark.parametrize(("verdict", "source", "test"), PROGRAMS)
    def test_are_those_of_the_local_sandbox(
        self, sandbox: Sandbox, local: Sandbox, verdict: str, source: str, test: TestCase
    ) -> None:
        here = sandbox.judge(Program(source), [test], QUICK)
        assert here.verdict.code == verdict, here
        assert local.judge(Program(source), [test], QUICK).verdict.code == verdict
        assert (here.backend, here.isolation) == ("docker", "container")

    def test_come_with_the_kernels_facts(self, sandbox: Sandbox) -> None:
        outcome = run(sandbox, "b = bytearray(64 << 20)\nx = 0\nfor i in range(2_000_000): x += i")
        assert outcome.peak_bytes is not None and 64 << 20 <= outcome.peak_bytes <= 128 << 20
        assert outcome.cpu_s is not None and 0.03 < outcome.cpu_s < 1

    def test_hold_for_input_and_output_of_many_megabytes(self, sandbox: Sandbox) -> None:
        data = os.urandom(12 << 20)
        source = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
        outcome = sandbox.run(Program(source), data, Limits(output_kb=16 << 10, memory_mb=64)).outcome
        assert outcome is not None and outcome.stdout == data

    def test_follow_each_programs_own_memory_limit(self, alone: Sandbox) -> None:
        source = "b = bytearray(200 << 20); print(3)"
        codes = [alone.judge(Program(source), [SUM], Limits(memory_mb=size)).verdict.code for size in (128, 512, 128)]
        assert codes == ["MLE", "AC", "MLE"]

    def test_of_c_programs_compiled_in_the_container(self, sandbox: Sandbox) -> None:
        if sandbox.backend.toolchain("gcc") is None:
            pytest.skip("the image has no gcc, as this machine has none")
        judged = sandbox.judge(Program(C_SOURCE, "c"), [StdioCase("1 2", "3"), StdioCase("5 6", "11")])
        assert judged.verdict is Verdict.ACCEPTED, judged
        assert sandbox.judge(Program("int main(", "c"), [SUM]).verdict is Verdict.COMPILE_ERROR

    def test_of_shell_scripts_and_fresh_interpreters(self, sandbox: Sandbox) -> None:
        script = Program("read a b; echo $((a + b))", "bash")
        assert sandbox.judge(script, [SUM]).verdict is Verdict.ACCEPTED
        assert sandbox.judge(Program(ADD), [SUM], fresh=True).verdict is Verdict.ACCEPTED


class TestWalls:
    def test_stand_as_seen_from_inside(self, sandbox: Sandbox) -> None:
        status = said(run(sandbox, "print(open('/proc/self/status').read())"))
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
        assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")
        users = set(fields["Uid"].split())
        assert len(users) == 1 and int(users.pop()) > 1000
        assert fields["Groups"].strip() == ""

    @pytest.mark.parametrize(
        "attempt",
        [
            "open('/new', 'w')",
            "open('/etc/passwd', 'a')",
            "open('/proc/self/oom_score_adj', 'w').write('0')",
            "os.listdir('/sys')",
            "os.kill(1, 9)",
            "os.kill(os.getppid(), 9)",
            "os.setuid(0)",
            "os.chroot('.')",
            "open('/dev/shm/x', 'w').write('#!/bin/sh'); os.chmod('/dev/shm/x', 0o755); os.execv('/dev/shm/x', ['x'])",
            "open('x', 'w').write('#!/bin/sh'); os.chmod('x', 0o755); os.execv('./x', ['x'])",
            "socket.socket(socket.AF_INET)",
            "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
            "socket.socket(40, socket.SOCK_STREAM)  # AF_VSOCK",
            "call(425, 8, bytes(256))  # io_uring_setup",
            "call(272, 0x10000000)  # unshare of a user namespace",
            "call(165, b'none', b'/tmp', b'tmpfs', 0, 0)  # mount",
            "call(101, 16, 1, 0, 0)  # ptrace",
            "call(250, 0, -3, 1)  # keyctl",
            "call(29, 1, 4096, 0o1666)  # shmget",
        ],
    )
    def test_stop(self, sandbox: Sandbox, attempt: str) -> None:
        if "call(" in attempt and os.uname().machine != "x86_64":
            pytest.skip("the numbers of the system calls are those of x86-64")
        source = f"""
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
try:
    {attempt}
except OSError as error:
    print(errno.errorcode[error.errno])
else:
    print("done")
"""
        assert said(run(sandbox, source)) in ("EPERM", "EACCES", "EROFS")

    def test_show_no_network_and_no_process_of_others(self, sandbox: Sandbox) -> None:
        source = """
import os
print(sorted(line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line))
seen = {int(name) for name in os.listdir("/proc") if name.isdigit()}
print(seen == {1, os.getppid(), os.getpid()})
"""
        assert said(run(sandbox, source)).splitlines() == ["['lo']", "True"]

    def test_show_a_clean_environment_and_none_of_our_modules(self, sandbox: Sandbox) -> None:
        source = """
import os, sys
print(os.getcwd(), os.environ["HOME"], sorted(os.listdir(".")))
print([name for name in sys.modules if "sandbox" in name], sys.meta_path[0].__name__, "" in sys.path[1:])
print(any("sandbox" in name.lower() or "SECRET" in name for name in os.environ))
"""
        lines = said(run(sandbox, source)).splitlines()
        assert lines == [
            "/sandbox/box/work /sandbox/box/work []",
            "[] BuiltinImporter False",
            "False",
        ]

    def test_have_a_second_filter_below_the_programs_own(self, engine: Engine, image: str) -> None:
        """The engine's, which holds even what runs in a container before it is confined."""
        if engine.is_podman:
            pytest.skip("Podman takes no profile over its socket")
        source = f"""
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
numbers = {{"x86_64": (272, 425), "aarch64": (97, 425)}}[{os.uname().machine!r}]
for number in numbers:
    libc.syscall(number, 0x10000000, 0)
    print(errno.errorcode[ctypes.get_errno()])
libc.clone(0, 0, 0x40000000, 0)
for family in (socket.AF_INET, 40):
    try:
        print(socket.socket(family))
    except OSError as error:
        print(errno.errorcode[error.errno])
socket.socket(socket.AF_UNIX)
"""
        plan = Plan(image, "python3", None, {}, memory_mb=256, disk_mb=16)
        options = _options(engine, plan, user=12345, memory=256 << 20)
        options["host_config"].update(AutoRemove=False, LogConfig={"Type": "json-file"})
        made = engine.api.create_container(image, **{**options, "entrypoint": ["python3", "-c", source]})["Id"]
        try:
            engine.api.start(made)
            assert engine.api.wait(made)["StatusCode"] == 0
            assert engine.api.logs(made).decode().split() == ["EPERM", "EPERM", "EACCES", "EACCES"]
        finally:
            engine.remove(made)


class TestRunsAfterEachOther:
    def test_find_nothing_of_the_run_before(self, alone: Sandbox) -> None:
        litter = """
import builtins, os, sys, resource
for folder in (".", "/tmp", "/dev/shm"):
    os.makedirs(folder + "/deep" * 20)
    open(folder + "/deep/hidden", "w").write("x")
    os.chmod(folder + "/deep", 0)
    os.symlink("/etc/passwd", folder + "/link")
os.chmod(".", 0)
builtins.left = os.environ["LEFT"] = "x"
sys.modules["left"] = sys
os.umask(0o777)
"""
        look = """
import os, stat
print([os.listdir(folder) for folder in (".", "/tmp", "/dev/shm")], "LEFT" in os.environ, "left" in dir(__builtins__))
print(oct(stat.S_IMODE(os.stat(".").st_mode)), oct(os.umask(0o22)))
try:
    import left
except ImportError:
    print("clean")
"""
        first = user_of(alone)
        said(run(alone, litter))
        assert said(run(alone, look)).splitlines() == ["[[], [], []] False False", "0o755 0o22", "clean"]
        assert user_of(alone) == first

    def test_find_no_survivor(self, alone: Sandbox) -> None:
        daemons = """
import os, signal, time
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 32):
                try: signal.signal(number, signal.SIG_IGN)
                except OSError: pass
            while True: time.sleep(1)
        os._exit(0)
"""
        started = time.monotonic()
        said(run(alone, daemons))
        assert time.monotonic() - started < 20
        others = "import os; print(len([n for n in os.listdir('/proc') if n.isdigit()]))"
        assert said(run(alone, others)) == "3"

    def test_share_the_container_even_after_memory_ran_out(self, alone: Sandbox) -> None:
        first = user_of(alone)
        for _ in range(3):
            assert run(alone, "b = bytearray(1 << 30)").ending == "memory"
        assert said(run(alone, "print(1)")) == "1"
        assert user_of(alone) == first

    def test_bring_back_files_that_a_program_keeps_to_itself(self, alone: Sandbox) -> None:
        source = (
            "import os; os.makedirs('d'); open('d/f', 'w').write('x'); os.chmod('d/f', 0o600); os.chmod('d', 0o700)"
        )
        outcome = run(alone, source, fetch=("d/f", "missing"))
        assert outcome.fetched == {"d/f": b"x"}


class TestContainers:
    def test_are_replaced_when_they_break(self, engine: Engine, alone: Sandbox) -> None:
        first = user_of(alone)
        engine.api.kill(container_of(engine, first))
        assert alone.judge(Program(ADD), [SUM]).verdict is Verdict.ACCEPTED
        assert user_of(alone) != first

    def test_are_replaced_when_they_are_old(self, image: str) -> None:
        with open_sandbox("docker", workers=1, image=image, longest_life_s=0) as sandbox:
            assert user_of(sandbox) != user_of(sandbox)

    def test_have_programs_of_a_user_each(self, sandbox: Sandbox, alone: Sandbox) -> None:
        assert user_of(sandbox) != user_of(alone)

    def test_are_gone_when_the_sandbox_is_closed(self, engine: Engine, image: str) -> None:
        before = set(mine(engine))
        opened = open_sandbox("docker", workers=2, image=image)
        assert opened.judge(Program("def f(): return 1"), [AssertCase("assert f() == 1")]).passed
        assert len(set(mine(engine)) - before) == 2
        opened.close()
        assert set(mine(engine)) <= before

    def test_are_gone_even_when_it_is_closed_during_a_run(self, engine: Engine, image: str) -> None:
        before = set(mine(engine))
        opened = open_sandbox("docker", workers=1, image=image)
        results: list[Judgement] = []
        endless = Program("while True: pass")
        caller = Thread(target=lambda: results.append(opened.judge(endless, [SUM], Limits(cpu_s=300))))
        caller.start()
        assert until(lambda: len(set(mine(engine)) - before) == 1)
        time.sleep(0.2)  # it makes no difference whether the program runs by now, but it most likely does
        opened.close()
        caller.join(30)
        assert [result.verdict for result in results] == [Verdict.INTERNAL_ERROR]
        assert set(mine(engine)) <= before

    @pytest.mark.parametrize("doing", ["waits", "runs a program"])
    def test_are_gone_when_the_process_is_killed(self, engine: Engine, image: str, doing: str) -> None:
        source = f"""
import sys, time
from sandboxes import Limits, Program, open_sandbox
sandbox = open_sandbox("docker", workers=1, image={image!r})
print("ready", flush=True)
if {doing!r} == "waits":
    time.sleep(600)
sandbox.run(Program("while True: pass"), limits=Limits(cpu_s=600))
"""
        process = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline() == b"ready\n"
            owner = cgroup.owner_tag(process.pid)
            assert len(containers(engine, owner)) == 1
            process.send_signal(signal.SIGKILL)
            process.wait()
        # Podman leaves removing what has ended to a process of its own.
        assert until(lambda: not containers(engine, owner, ended=not engine.is_podman))

    def test_of_processes_that_are_gone_are_swept_and_no_others(self, engine: Engine, image: str) -> None:
        def leave(owner: str, where: str) -> str:
            marks = {OWNER: owner, PLACE: where}
            alone = engine.api.create_host_config(network_mode="none")
            return engine.api.create_container(image, ["python3"], labels=marks, stdin_open=True, host_config=alone)[
                "Id"
            ]

        gone, alive, elsewhere = leave("1-1", place()), leave(labels()[OWNER], place()), leave("1-1", "another machine")
        engine.api.start(gone)
        try:
            open_sandbox("docker", workers=1, image=image).close()
            left = {container["Id"] for container in engine.api.containers(all=True)}
            assert gone not in left and {alive, elsewhere} <= left
        finally:
            for container in (gone, alive, elsewhere):
                engine.remove(container)


class TestToolchain:
    def test_is_the_containers(self, sandbox: Sandbox) -> None:
        assert sandbox.backend.toolchain("no-such-compiler") is None
        shell, python = sandbox.backend.toolchain("sh"), sandbox.backend.toolchain("python3")
        assert shell is not None and Path(shell).name == "sh"
        assert python is not None and said(run(sandbox, "import sys; print(sys.executable)")) == python


class TestMessages:
    def test_say_how_to_make_a_missing_image(self, engine: Engine) -> None:
        with pytest.raises(SandboxUnavailable, match=r"no image no-such-image.*mars sandbox build-image"):
            DockerBackend(image="no-such-image")

    def test_say_how_to_start_a_missing_engine(self, tmp_path: Path) -> None:
        with pytest.raises(SandboxUnavailable, match=r"no container engine answers at unix://.*DOCKER_HOST"):
            DockerBackend(docker_host=f"unix://{tmp_path}/no.sock")

    def test_say_how_to_install_the_missing_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "docker", None)
        with pytest.raises(SandboxUnavailable, match=r"pip install 'mars-rewards\[docker\]'"):
            DockerBackend()

    def test_say_that_an_image_without_python_will_not_do(self, engine: Engine, image: str) -> None:
        before = mine(engine)
        with pytest.raises(SandboxUnavailable, match=r"cannot start with the image.*no-such-python"):
            DockerBackend(workers=1, image=image, python="no-such-python")
        assert mine(engine) == before

    @pytest.mark.parametrize("name", ["memory_mb", "disk_mb"])
    def test_say_when_a_limit_is_above_what_the_sandbox_was_opened_with(self, sandbox: Sandbox, name: str) -> None:
        with pytest.raises(ValueError, match=f"{name}=100000, but this docker sandbox was opened with"):
            sandbox.judge(Program(ADD), [SUM], Limits(**{name: 100_000}))

    def test_say_which_image_cannot_be_built_without_a_registry(self, engine: Engine) -> None:
        try:
            engine.api.inspect_image("python:3.11-slim")
        except Exception:
            with pytest.raises(SandboxUnavailable, match=r"--from-host|cannot make the image"):
                build_image("mars-sandbox-tests:registry", docker_host=os.environ.get("DOCKER_HOST"))


class TestProbe:
    def test_names_every_layer(self, sandbox: Sandbox) -> None:
        backend = sandbox.backend
        assert isinstance(backend, DockerBackend)
        layers = backend.probe()
        assert {"mounts", "network", "syscalls", "landlock", "privileges", "cgroups"} <= set(layers)
        assert {layers[name] for name in ("mounts", "network", "syscalls", "privileges")} == {"on"}


class TestRuntimes:
    @pytest.fixture(scope="class")
    def gvisor(self, engine: Engine, image: str) -> Iterator[Sandbox]:
        if "runsc" not in engine.api.info().get("Runtimes", {}):
            pytest.skip("the engine knows no runtime runsc (gVisor)")
        with open_sandbox("docker", workers=1, image=image, runtime="runsc") as opened:
            yield opened

    @pytest.mark.parametrize(
        ("verdict", "source"),
        [
            ("AC", ADD),
            ("WA", "print(4)"),
            ("RE", "import os\nwhile True: os.fork()"),
            ("TLE", "while True: pass"),
            ("TLE", "import time; time.sleep(60)"),
            ("MLE", "b = bytearray(400 << 20); print(3)"),
            ("OLE", "while True: print('x' * 1000)"),
        ],
    )
    def test_of_gvisor_give_the_same_verdicts(self, gvisor: Sandbox, verdict: str, source: str) -> None:
        assert gvisor.judge(Program(source), [SUM], QUICK).verdict.code == verdict
