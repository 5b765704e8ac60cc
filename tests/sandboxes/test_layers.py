"""Each layer stops something that no other does: a witness for each, stopped with all layers on and not without it.

| layer | the witness | stopped by this layer alone? |
| --- | --- | --- |
| users | reads a file that only a user of this machine may read | yes, when the sandbox is root's |
| mounts | reads a file of this machine | yes |
| processes | learns which processes run on this machine | yes |
| network | reads which sockets this machine has | yes |
| ipc | reads which shared memory this machine has | yes |
| hostname | reads the machine's name | yes |
| proc | reads what is known of a process of this machine | yes |
| syscalls | makes a netlink socket | yes |
| landlock | lists the root folder | yes; for all else it stands behind mounts, users and processes |
| privileges | reads a file against its permissions | yes, when the sandbox is a plain user's |
| rlimits | writes a file larger than a file may be | yes |
| cgroups | keeps more than its memory in files | yes; memory of processes is also watched from outside |
| descriptors | finds the fork server's descriptors | yes |
| environment | finds this process's variables | yes |
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandboxes import Limits, Program, Sandbox, SandboxUnavailable, open_sandbox
from sandboxes.local import LAYERS
from tests.sandboxes.plain_user import run_as_plain_user

LIMITS = Limits(cpu_s=5, memory_mb=128, disk_mb=256, file_mb=192)
SECRET = "MARS_WITNESS"
KEY = 0x3A55
USER = 1000  # who a program is inside, and might be someone outside


@dataclass(frozen=True)
class Witness:
    """A small program that prints "could" when nothing stopped it.

    Attributes:
        layer: What stops it.
        source: The program; words in capitals stand for facts of this machine.
        root: Whether the layer differs only in a sandbox that root has opened.
    """

    layer: str
    source: str
    limits: Limits = LIMITS
    root: bool = False


WITNESSES = [
    Witness("users", "open(FILE).read(); print('could')", root=True),
    Witness("mounts", "print('could' if open('/etc/passwd').read() == PASSWD else '')"),
    Witness(
        "processes",
        """
import os
try:
    os.kill(PID, 0)
    print("could")
except PermissionError:
    print("could")  # which tells that there is such a process
except ProcessLookupError:
    pass
""",
    ),
    Witness("network", "print('could' if ADDRESS in open('/proc/net/unix').read() else '')"),
    Witness(
        "ipc",
        "print('could' if any(line.split()[0] == str(KEY) for line in open('/proc/sysvipc/shm')) else '')",
    ),
    Witness("hostname", "import os; print('could' if os.uname().nodename == HOST else '')"),
    Witness("proc", "open('/proc/PID/cmdline').read(); print('could')"),
    Witness("syscalls", "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW); print('could')"),
    Witness("landlock", "import os; os.listdir('/'); print('could')"),
    Witness(
        "rlimits",
        "with open('x', 'wb') as file: file.write(bytes(2 << 20))\nprint('could')",
        Limits(file_mb=1, disk_mb=16),
    ),
    Witness(
        "cgroups",
        "with open('x', 'wb') as file:\n    for _ in range(160): file.write(bytes(1 << 20))\nprint('could')",
    ),
    Witness(
        "descriptors",
        """
import os
for number in range(3, 64):
    try:
        os.fstat(number)
        print("could")
        break
    except OSError:
        pass
""",
    ),
    Witness("environment", f"import os; print('could' if {SECRET!r} in os.environ else '')"),
]

# Capabilities that a program keeps let it read what its own permissions forbid.
AS_PLAIN_USER = """
import json
from sandboxes import Program, open_sandbox

source = '''
import os
open("mine", "w").close()
os.chmod("mine", 0)
open("mine").read()
print("could")
'''
for without in ([], ["privileges"]):
    with open_sandbox("local", workers=1, without=without) as sandbox:
        print(json.dumps("could" in sandbox.run(Program(source)).outcome.stdout.decode()))
"""


@dataclass(frozen=True)
class Machine:
    """What the witnesses look for, and the folder that programs may see."""

    words: dict[str, str]
    shown: Path


def owned_file(folder: Path) -> Path:
    """A file that a user of this machine keeps to himself, who has the number that programs have inside."""
    path = folder / "private"
    path.write_text("private")
    if os.geteuid() == 0:
        os.chown(path, USER, USER)
    path.chmod(0o600)
    return path


@contextlib.contextmanager
def shared_memory() -> Iterator[None]:
    """A piece of shared memory that outlives processes."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = libc.shmget(KEY, ctypes.c_size_t(4096), 0o1600)
    try:
        yield
    finally:
        libc.shmctl(number, 0, None)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if sys.platform != "linux":
        pytest.skip("these are the walls of Linux")
    shown = tmp_path_factory.mktemp("shown")
    shown.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening, shared_memory(), pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET, "of the trusted process")
        address = f"mars-witness-{os.getpid()}"
        listening.bind(f"\0{address}")
        words = {
            "FILE": repr(str(owned_file(shown))),
            "PASSWD": repr(Path("/etc/passwd").read_text()),
            "PID": str(os.getpid()),
            "ADDRESS": repr(address),
            "KEY": str(KEY),
            "HOST": repr(os.uname().nodename),
        }
        yield Machine(words, shown)


@contextlib.contextmanager
def opened(machine: Machine, without: tuple[str, ...]) -> Iterator[Sandbox]:
    try:
        made = open_sandbox("local", workers=1, binds=[machine.shown], without=without)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with made:
        yield made


@pytest.fixture(scope="module")
def whole(machine: Machine) -> Iterator[Sandbox]:
    with opened(machine, ()) as made:
        yield made


def could(sandbox: Sandbox, witness: Witness, machine: Machine) -> bool:
    source = witness.source
    for word, text in machine.words.items():
        source = source.replace(word, text)
    outcome = sandbox.run(Program(source), b"", witness.limits).outcome
    assert outcome is not None and outcome.compiled, outcome
    return b"could" in outcome.stdout


def layer_of(witness: Witness) -> str:
    return witness.layer


def test_every_layer_has_a_witness():
    assert {witness.layer for witness in WITNESSES} | {"privileges"} == set(LAYERS)


@pytest.mark.parametrize("witness", WITNESSES, ids=layer_of)
def test_a_witness_is_stopped_by_its_layer_and_by_no_other(machine: Machine, whole: Sandbox, witness: Witness):
    states = whole.backend.probe()  # type: ignore[attr-defined]
    if states[witness.layer] != "on" or (witness.layer == "cgroups" and "cgroup: memory" in states):
        pytest.skip("the layer is missing here")
    if witness.root and os.geteuid() != 0:
        pytest.skip("a plain user's sandbox cannot do without this layer")
    assert not could(whole, witness, machine)
    with opened(machine, (witness.layer,)) as open_there:
        assert could(open_there, witness, machine)


def test_without_privileges_given_up_a_plain_users_sandbox_reads_against_permissions():
    assert run_as_plain_user(AS_PLAIN_USER) == [False, True]
