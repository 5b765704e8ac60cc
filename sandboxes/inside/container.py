"""What differs for a worker that lives in a container: its groups were made, and are limited, by the engine outside."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from .cgroup import Counters

# controller: the file that shows it in v1 and in v2
_SHOWN_BY = {
    "memory": ("memory.usage_in_bytes", "memory.current"),
    "pids": ("pids.current", "pids.current"),
    "cpuacct": ("cpuacct.usage", "cpu.stat"),
}
# File systems whose files are no files; of message queues programs may make none.
_HARMLESS = ("/proc", "/sys", "/dev/pts", "/dev/mqueue", "/dev/console")


class OwnGroup(Counters):
    """What the kernel counts for the container that this process lives in.

    The supervisor lives in it too: its CPU time is taken off. Its memory is not, so whoever sets the limit adds room.
    """

    def __init__(self, limited: bool, mounts: str = "/proc/self/mountinfo", groups: str = "/proc/self/cgroup"):
        """Find the groups.

        Args:
            limited: Whether the engine sets the memory limit of each run. If not, the use of memory must be watched.
            mounts: Where the kernel lists this process's mounts.
            groups: Where the kernel lists this process's groups.
        """
        super().__init__()
        self.limits_memory = limited
        self._highest = 0
        self._files_then = 0
        with open(mounts) as mount_file, open(groups) as group_file:
            found = _own_folders(mount_file.read(), group_file.read())
        for controller, names in _SHOWN_BY.items():
            for version in (1, 2):
                folder = found.get(controller if version == 1 else "")
                if folder and controller not in self and os.access(os.path.join(folder, names[version - 1]), os.R_OK):
                    self._folders[controller], self._versions[controller] = folder, version

    def cpu_s(self) -> float:
        """CPU seconds of everything here but this process."""
        return super().cpu_s() - time.process_time()

    def memory(self) -> int:
        """Bytes in use, less those that the kernel takes back when there are no others."""
        return max(0, super().memory() - self._reclaimable())

    def _reclaimable(self) -> int:
        kinds = (b"total_inactive_file", b"total_active_file")
        if self._versions["memory"] == 2:
            kinds = (b"inactive_file", b"active_file")
        return sum(self._number("memory", "memory.stat", kind) for kind in kinds)

    def peak(self) -> int | None:
        """The most bytes in use since `reset_peak`, or None when there were more at some time before."""
        highest = super().peak()
        return highest - self._files_then if highest is not None and highest > self._highest else None

    def reset_peak(self) -> None:
        """Remember the peak so far: the kernel's own count can only be reset from outside."""
        self._highest, self._files_then = super().peak() or 0, self._reclaimable()


def facts(group: Counters | None) -> dict[str, Any]:
    """What this container is like, for whoever asked the engine for it: engines leave out what they cannot do."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    with open("/proc/net/dev") as file:
        interfaces = [line.split(":")[0].strip() for line in file if ":" in line]
    with open("/proc/self/mounts") as file:
        mounts = [line.split()[1] for line in file]
    return {
        "memory": group.memory() if group is not None and "memory" in group else 0,
        "filtered": status.get("Seccomp") == "2",
        "interfaces": [name for name in interfaces if name != "lo"],
        "read_only": not os.access("/", os.W_OK),
        "open": [point for point in mounts if not point.startswith(_HARMLESS) and _is_open(point)],
    }


def _is_open(folder: str) -> bool:
    """Whether anybody may make files in it."""
    try:
        return bool(os.stat(folder).st_mode & 0o002) and not os.statvfs(folder).f_flag & os.ST_RDONLY
    except OSError:
        return False


def take_over(folders: list[str], user: int) -> None:
    """Give the scratch folders to the program's user. Docker mounts them so; Podman mounts what is root's."""
    for folder in folders:
        if os.stat(folder).st_uid != user:
            os.chmod(folder, 0o755)
            os.chown(folder, user, user)


def end_of(process: int) -> int:
    """A descriptor that becomes readable when a child has ended; other children are reaped.

    The first process of a container gets every orphan that nobody else adopts. gVisor may lack pidfd_open, too.
    """
    read, write = os.pipe()

    def look(number: int, frame: object) -> None:
        try:
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if ended.si_pid == process:
                    os.write(write, b".")
                    return
                os.waitpid(ended.si_pid, 0)
        except ChildProcessError:
            return

    signal.signal(signal.SIGCHLD, look)
    look(0, None)
    return read


def _own_folders(mounts: str, groups: str) -> dict[str, str]:
    """The folder of this process's group for each v1 controller, and for v2 under the empty name."""
    own: dict[str, str] = {}
    for line in groups.splitlines():
        _, names, path = line.split(":", 2)
        own.update(dict.fromkeys(names.split(","), path))
    found: dict[str, str] = {}
    for line in mounts.splitlines():
        left, right = line.split(" - ", 1)
        root, point = left.split()[3:5]
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup":
            for name in set(options.split(",")) & set(own):
                found.setdefault(name, _below(point, root, own[name]))
        elif kind == "cgroup2":
            found.setdefault("", _below(point, root, own.get("", "/")))
    return found


def _below(point: str, root: str, path: str) -> str:
    """Where a group is seen below the mount of a part of the hierarchy."""
    relative = os.path.relpath(path, root)
    return point if relative.startswith("..") else os.path.normpath(os.path.join(point, relative))
