"""What the kernel tells of this machine and of this process."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator
from pathlib import Path

SURVIVOR = b"MARSSURV"
"""The name of processes that mean to survive."""


def survivors() -> dict[int, str]:
    """Return the processes of this machine whose name or command line says that they meant to survive."""
    found = {}
    for pid in _pids():
        name, line = _read(f"/proc/{pid}/comm"), _read(f"/proc/{pid}/cmdline")
        if pid != os.getpid() and SURVIVOR in name + line:
            found[pid] = (name or line).decode(errors="replace").strip()
    return found


def shared_memory(key: int) -> list[int]:
    """Return the ids of the System V shared memory segments that have a key."""
    rows = [line.split() for line in _read("/proc/sysvipc/shm").decode().splitlines()[1:]]
    return [int(row[1]) for row in rows if (int(row[0]) ^ key) & 0xFFFFFFFF == 0]


def remove_shared_memory(key: int) -> None:
    """Remove the segments that have a key."""
    libc = ctypes.CDLL(None)
    for segment in shared_memory(key):
        libc.shmctl(segment, 0, None)  # IPC_RMID


def remove_path(path: Path) -> None:
    """Remove a file, link or empty folder that an earlier run left."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def start_of_peak() -> int | None:
    """Let the kernel's record of peak memory start anew, and return the memory in use."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return status("VmRSS")


def status(name: str) -> int | None:
    """Return a size in bytes that the kernel keeps of this process: VmRSS, VmHWM."""
    match = re.search(rb"^%s:\s+(\d+) kB" % name.encode(), _read("/proc/self/status"), re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def oom_kills() -> int:
    """Count the kills for lack of memory in the cgroup of the harness itself, without those in cgroups below it."""
    for line in _read("/proc/self/cgroup").decode().splitlines():
        _, controllers, path = line.split(":", 2)
        for file in (
            f"/sys/fs/cgroup/memory{path}/memory.oom_control" if controllers == "memory" else "",
            f"/sys/fs/cgroup{path}/memory.events.local" if not controllers else "",
        ):
            match = re.search(rb"^oom_kill (\d+)", _read(file), re.MULTILINE) if file else None
            if match:
                return int(match[1])
    return 0


def beneath(folder: str) -> Iterator[str]:
    """Return all paths in a folder, at any depth. What goes away meanwhile is passed over."""
    for where, folders, files in os.walk(folder):
        yield from (f"{where}/{name}" for name in (*folders, *files))


def descendants(root: int) -> dict[int, str]:
    """Return the names of the processes that a process started, directly or not, by pid; without zombies."""
    children: dict[int, list[tuple[int, str]]] = {}
    for pid in _pids():
        head, _, tail = _read(f"/proc/{pid}/stat").rpartition(b")")
        if tail and tail.split()[0] != b"Z":
            children.setdefault(int(tail.split()[1]), []).append(
                (pid, head.partition(b"(")[2].decode(errors="replace"))
            )
    found: dict[int, str] = {}
    waiting = [root]
    while waiting:
        for pid, name in children.get(waiting.pop(), []):
            found[pid] = name
            waiting.append(pid)
    return found


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
