"""The parts of the docker sandbox that need no engine."""

from __future__ import annotations

import io
import itertools
import json
import os
import select
import signal
import struct
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.docker import profile
from sandboxes.docker.container import WORK, room
from sandboxes.docker.engine import OWNER, PLACE, _is_abandoned, labels, place
from sandboxes.docker.image import dockerfile
from sandboxes.docker.rootfs import python_root, write_tar
from sandboxes.docker.stream import Frames
from sandboxes.errors import SandboxUnavailable
from sandboxes.inside.container import OwnGroup, end_of
from sandboxes.inside.seccomp import DENIED
from sandboxes.types import Job, Limits

pieces = st.lists(st.tuples(st.sampled_from([1, 1, 1, 2]), st.binary(max_size=300)), max_size=12)


def framed(parts: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack(">BxxxI", kind, len(data)) + data for kind, data in parts)


class TestFrames:
    @given(pieces, st.lists(st.integers(0, 4000), max_size=8))
    def test_give_standard_output_however_the_stream_is_cut(self, parts: list[tuple[int, bytes]], cuts: list[int]):
        data, frames = framed(parts), Frames()
        places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
        output = b"".join(frames.feed(data[start:end]) for start, end in itertools.pairwise(places))
        assert output == b"".join(part for kind, part in parts if kind == 1)
        assert bytes(frames.errors) == b"".join(part for kind, part in parts if kind == 2)[-4000:]

    def test_keep_only_the_end_of_standard_error(self):
        frames = Frames()
        frames.feed(framed([(2, b"a" * 5000), (2, b"end")]))
        assert len(frames.errors) == 4000 and frames.errors.endswith(b"aend")

    @given(st.binary(min_size=8).filter(lambda data: data[0] > 2))
    def test_refuse_what_is_none(self, data: bytes):
        with pytest.raises(ValueError, match="a frame of kind"):
            Frames().feed(data)


class TestProfile:
    rules = json.loads(profile.build("x86_64"))["syscalls"]

    def test_denies_what_programs_are_denied_but_for_what_it_takes_to_deny_it_to_them(self):
        denied = {name for rule in self.rules if not rule["args"] for name in rule["names"]}
        assert set(DENIED) - denied == {"seccomp"}
        assert not denied & {"prctl", "landlock_create_ruleset", "landlock_restrict_self", "execve", "fork", "clone"}

    def test_denies_every_new_namespace_to_clone(self):
        flags = [rule["args"][0]["value"] for rule in self.rules if rule["names"] == ["clone"]]
        assert sum(flags) == 0x7E020000 and len(flags) == 7

    def test_allows_sockets_of_one_family_only(self):
        rule = next(rule for rule in self.rules if "socket" in rule["names"])
        assert rule["args"] == [{"index": 0, "value": 1, "op": "SCMP_CMP_NE"}]

    def test_knows_the_native_architecture_only(self):
        assert json.loads(profile.build("aarch64"))["architectures"] == ["SCMP_ARCH_AARCH64"]
        assert json.loads(profile.build("riscv64"))["architectures"] == []


class TestOwnGroup:
    """Counters of one's own container, in each of the layouts that engines make."""

    @pytest.fixture
    def cgroups(self, tmp_path: Path) -> Path:
        (tmp_path / "memory.stat").write_text(
            "inactive_file 100\nactive_file 50\ntotal_inactive_file 1000\ntotal_active_file 500\n"
        )
        (tmp_path / "pids.current").write_text("3\n")
        return tmp_path

    def group(self, folder: Path, mounts: str, groups: str) -> OwnGroup:
        (folder / "mountinfo").write_text(mounts)
        (folder / "cgroup").write_text(groups)
        return OwnGroup(True, str(folder / "mountinfo"), str(folder / "cgroup"))

    @pytest.mark.parametrize(
        ("root", "own"), [("/docker/abc", "/docker/abc"), ("/", "/"), ("/../..", "/"), ("/elsewhere", "/docker/abc")]
    )
    def test_of_the_second_version(self, cgroups: Path, root: str, own: str):
        (cgroups / "memory.current").write_text("5000\n")
        (cgroups / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
        (cgroups / "cpu.stat").write_text("usage_usec 90000000\nuser_usec 1\n")
        mounts = f"30 29 0:26 {root} {cgroups} ro,nosuid - cgroup2 cgroup rw\n"
        group = self.group(cgroups, mounts, f"0::{own}\n")
        assert group.controllers == ["cpuacct", "memory", "pids"]
        assert (group.memory(), group.kills()) == (4850, 1)
        assert 0 < 90 - group.cpu_s() <= time.process_time()
        assert group.peak() is None

    def test_of_the_first_version(self, cgroups: Path):
        (cgroups / "memory.usage_in_bytes").write_text("5000\n")
        (cgroups / "memory.max_usage_in_bytes").write_text("6000\n")
        (cgroups / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n")
        (cgroups / "cpuacct.usage").write_text("90000000000\n")
        names = {"memory": "memory", "pids": "pids", "cpu,cpuacct": "cpu,cpuacct"}
        lines = [f"30 29 0:26 /docker/abc {cgroups} ro - cgroup cgroup rw,{name}\n" for name in names]
        owns = [f"{number}:{name}:/docker/abc\n" for number, name in enumerate(names)]
        group = self.group(cgroups, "".join(lines), "".join(owns))
        assert group.controllers == ["cpuacct", "memory", "pids"]
        assert (group.memory(), group.kills(), group.peak()) == (3500, 7, 6000)
        group.reset_peak()
        assert group.peak() is None
        (cgroups / "memory.max_usage_in_bytes").write_text("7000\n")
        assert group.peak() == 5500

    def test_has_no_counters_where_there_are_none(self, cgroups: Path):
        group = self.group(cgroups, "30 29 0:26 / /proc ro - proc proc rw\n", "0::/\n")
        assert group.controllers == []


class TestRoom:
    @given(st.integers(0, 1 << 20), st.integers(1, 4096))
    def test_is_in_steps_and_enough_for_what_goes_in_and_out(self, size: int, output_kb: int):
        bytes_for = room(Job("python", stdin=bytes(size), limits=Limits(output_kb=output_kb)))
        assert bytes_for % (16 << 20) == 0
        assert bytes_for >= 4 * size + 8 * 1024 * output_kb


class TestSweep:
    def test_takes_only_what_nobody_will_use_again(self):
        def container(owner: str, where: str, state: str, age: float) -> dict:
            return {"Labels": {OWNER: owner, PLACE: where}, "State": state, "Created": 1000.0 - age}

        me = labels()[OWNER]
        for taken, found in [
            (False, container(me, place(), "running", 0)),
            (False, container(me, place(), "created", 9999)),
            (True, container("1-1", place(), "running", 0)),
            (True, container("nonsense", place(), "created", 0)),
            (False, container("1-1", "another boot", "running", 9999)),
            (False, container("1-1", "another boot", "created", 5)),
            (True, container("1-1", "another boot", "exited", 9999)),
        ]:
            assert _is_abandoned(found, now=1000.0) is taken, found


class TestImage:
    def test_of_this_machine_has_its_python_and_what_else_is_named(self, tmp_path: Path):
        archive = io.BytesIO()
        (tmp_path / "kept.txt").write_text("x")
        (tmp_path / "kept.txt").chmod(0o4700)
        write_tar(archive, python_root([tmp_path / "kept.txt"]))
        archive.seek(0)
        with tarfile.open(fileobj=archive) as tar:
            entries = {entry.name: entry for entry in tar}
            assert len(entries) == len(tar.getnames())
        assert {WORK.lstrip("/"), "tmp", "etc/passwd"} <= set(entries)
        assert entries[entries["usr/local/bin/python3"].linkname.lstrip("/")].mode == 0o755
        assert entries[f"{tmp_path}/kept.txt".lstrip("/")].mode == 0o755
        assert {entry.uid for entry in entries.values()} == {0}
        assert any(name.endswith("/json/__init__.py") for name in entries)

    def test_says_which_interpreter_does_not_run(self):
        with pytest.raises(SandboxUnavailable, match="cannot run the interpreter /bin/false"):
            python_root(python="/bin/false")

    def test_of_a_registry_has_the_compilers_of_all_languages(self):
        assert dockerfile().startswith("FROM python:3.11-slim\n")
        assert {"gcc", "g++", "nodejs", "default-jdk-headless", "golang-go", "rustc"} <= set(dockerfile().split())


class TestEndOfAProcess:
    """What a supervisor in a container waits on to notice that the zygote ended."""

    @pytest.fixture(autouse=True)
    def handler(self) -> Iterator[None]:
        before = signal.getsignal(signal.SIGCHLD)
        yield
        signal.signal(signal.SIGCHLD, before)

    def child(self) -> tuple[int, int]:
        """A process that ends when a descriptor is closed."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
        os.close(read)
        return child, write

    @pytest.mark.parametrize("ends", ["before", "later"])
    def test_is_seen_whether_it_ended_before_or_ends_later(self, ends: str):
        child, write = self.child()
        if ends == "before":
            os.close(write)
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        descriptor = end_of(child)
        if ends == "later":
            assert not select.select([descriptor], [], [], 0)[0]
            os.close(write)
        assert select.select([descriptor], [], [], 30)[0]
        os.close(descriptor)
        os.waitpid(child, 0)

    def test_is_not_that_of_an_orphan_which_is_reaped(self):
        watched, write = self.child()
        descriptor = end_of(watched)
        orphan, orphans_end = self.child()
        os.close(orphans_end)
        with pytest.raises(ProcessLookupError):
            while True:
                os.kill(orphan, 0)
        assert not select.select([descriptor], [], [], 0)[0]
        os.close(write)
        assert select.select([descriptor], [], [], 30)[0]
        os.close(descriptor)
        os.waitpid(watched, 0)
