"""Control groups, v1 and v2: the kernel's limits and counters over all processes of a worker together.

A worker keeps its groups; the counters of a run are differences. So a run costs a few reads and no group is made for
it. The zygote lives in the groups too, which is why each limit is on top of what it uses itself.
"""

from __future__ import annotations

import os
import time

PREFIX = "mars-sandbox-"
_NEEDED = ("memory", "pids", "cpuacct")
_SPARE = 4 << 20  # the kernel counts in batches per core; a limit exactly on the usage would hit the zygote


def owner_tag(pid: int) -> str:
    """Names a process so that its number can be used again without being taken for it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return f"{pid}-{file.read().rsplit(')', 1)[1].split()[19]}"
    except (OSError, IndexError):
        return f"{pid}-gone"


def _bases() -> dict[str, tuple[int, str]]:
    """For each controller in reach, the version and the folder in which groups can be made."""
    own: dict[str, str] = {}
    with open("/proc/self/cgroup") as file:
        for line in file:
            _, names, path = line.rstrip("\n").split(":", 2)
            own.update(dict.fromkeys(names.split(","), path))
    found: dict[str, tuple[int, str]] = {}
    with open("/proc/self/mountinfo") as file:
        for line in file:
            left, right = line.rstrip("\n").split(" - ", 1)
            root, point = left.split()[3:5]
            kind, _, options = right.split(" ", 2)
            if kind == "cgroup":
                for name in set(options.split(",")) & set(_NEEDED):
                    path = own.get(name, "/")
                    below = path[len(root) :] if root != "/" and path.startswith(root) else path
                    found.setdefault(
                        name, (1, os.path.join(point, below.lstrip("/")) if root == "/" else point + below)
                    )
            elif kind == "cgroup2":
                base = _delegated(point, own.get("", "/"))
                if base:
                    for name in _NEEDED:
                        found.setdefault(name, (2, base))
    return found


def _delegated(point: str, own: str) -> str | None:
    """The nearest group at or above one's own that gives memory and pids to its children and may be written."""
    path = own.strip("/")
    while True:
        folder = os.path.join(point, path)
        try:
            with open(os.path.join(folder, "cgroup.subtree_control")) as file:
                given = file.read().split()
        except OSError:
            given = []
        if {"memory", "pids"} <= set(given) and os.access(folder, os.W_OK):
            return folder
        if not path:
            return None
        path = os.path.dirname(path)


class Counters:
    """What the kernel counts for the processes of some groups, whichever controllers there are.

    Their limits are left to whoever made them.

    Attributes:
        limits_memory: Whether the kernel holds each run to its memory limit.
    """

    limits_memory = True

    def __init__(self):
        self._folders: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._files: dict[str, int] = {}

    def __contains__(self, controller: str) -> bool:
        return controller in self._folders

    def join(self) -> None:
        """Move the calling process in, where it is not yet."""

    def confirm(self, joined: list[str]) -> None:
        """Keep the controllers that the child could join."""

    @property
    def controllers(self) -> list[str]:
        """The controllers at work."""
        return sorted(self._folders)

    def _file(self, controller: str, name: str) -> int:
        path = os.path.join(self._folders[controller], name)
        if path not in self._files:
            try:
                self._files[path] = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except OSError:  # not ours to write to, or mounted read-only
                self._files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return self._files[path]

    def _read(self, controller: str, name: str) -> bytes:
        return os.pread(self._file(controller, name), 1 << 14, 0)

    def _number(self, controller: str, name: str, key: bytes) -> int:
        for line in self._read(controller, name).splitlines():
            if line.startswith(key + b" "):
                return int(line.split()[1])
        return 0

    def cpu_s(self) -> float:
        """CPU seconds used since the group was made."""
        if self._versions["cpuacct"] == 1:
            return int(self._read("cpuacct", "cpuacct.usage")) / 1e9
        return self._number("cpuacct", "cpu.stat", b"usage_usec") / 1e6

    def memory(self) -> int:
        """Bytes in use."""
        one = self._versions["memory"] == 1
        return int(self._read("memory", "memory.usage_in_bytes" if one else "memory.current"))

    def peak(self) -> int | None:
        """The most bytes in use since `reset_peak`, or None where the kernel does not count it."""
        one = self._versions["memory"] == 1
        try:
            return int(self._read("memory", "memory.max_usage_in_bytes" if one else "memory.peak"))
        except OSError:
            return None

    def reset_peak(self) -> None:
        """Start counting the peak anew."""
        one = self._versions["memory"] == 1
        try:
            os.pwrite(self._file("memory", "memory.max_usage_in_bytes" if one else "memory.peak"), b"0", 0)
        except OSError:
            return

    def kills(self) -> int:
        """How many processes the kernel ended for want of memory."""
        name = "memory.oom_control" if self._versions["memory"] == 1 else "memory.events"
        return self._number("memory", name, b"oom_kill")

    def limit_memory(self, limit: int, used: int) -> None:
        """Let the group use `limit` bytes on top of `used`, where that is up to this process."""

    def limit_processes(self, limit: int) -> None:
        """Let the group have `limit` processes and threads besides the zygote, where that is up to this process."""

    def remove(self) -> None:
        """Let go of the groups."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()


class Group(Counters):
    """One worker's groups, made and limited here."""

    def __init__(self, name: str):
        """Make the groups.

        Args:
            name: The last part of their path.
        """
        super().__init__()
        self._set: dict[str, int] = {}
        for controller, (version, base) in _bases().items():
            folder = os.path.join(base, name)
            try:
                os.makedirs(folder, exist_ok=True)
            except OSError:
                continue
            self._folders[controller] = folder
            self._versions[controller] = version

    def join(self) -> None:
        """Move the calling process in. A controller that refuses is given up."""
        for controller, folder in list(self._folders.items()):
            try:
                with open(os.path.join(folder, "cgroup.procs"), "w") as file:
                    file.write("0")
            except OSError:
                del self._folders[controller]

    def confirm(self, joined: list[str]) -> None:
        """Keep the controllers that the child could join, and remove the groups of the others."""
        for controller in set(self._folders) - set(joined):
            _remove(self._folders.pop(controller))

    def limit_memory(self, limit: int, used: int) -> None:
        """Let the group use `limit` bytes on top of `used`."""
        self._limit("memory", limit, limit + used + _SPARE)

    def limit_processes(self, limit: int) -> None:
        """Let the group have `limit` processes and threads besides the zygote."""
        self._limit("pids", limit, limit + 1)

    def _limit(self, controller: str, key: int, value: int) -> None:
        if self._set.get(controller) == key:
            return
        if controller == "pids":
            names = ["pids.max"]
        elif self._versions[controller] == 1:
            names = ["memory.memsw.limit_in_bytes", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
        else:
            names = ["memory.max", "memory.swap.max"]
        for name in names:
            try:
                os.pwrite(self._file(controller, name), b"0" if name == "memory.swap.max" else b"%d" % value, 0)
            except OSError:
                # v1 refuses a memory+swap limit below the memory limit (hence both orders) and may lack it; v2 may
                # lack swap accounting. The limit that counts must hold.
                if name in ("memory.limit_in_bytes", "memory.max", "pids.max"):
                    raise
        self._set[controller] = key

    def remove(self) -> None:
        """Remove the groups; their processes are dead by now, or about to be."""
        super().remove()
        for folder in self._folders.values():
            _remove(folder)


def _remove(folder: str) -> None:
    for _ in range(200):
        try:
            os.rmdir(folder)
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)


def discard(name: str) -> None:
    """Remove the groups of a worker that ended, if it could not do it itself."""
    for _, base in set(_bases().values()):
        _remove(os.path.join(base, name))


def sweep() -> None:
    """Remove groups of owners that are gone, which could not do it themselves."""
    for _, base in set(_bases().values()):
        try:
            names = os.listdir(base)
        except OSError:
            continue
        for name in names:
            if name.startswith(PREFIX):
                pid, started, *_ = *name[len(PREFIX) :].split("-", 2), ""
                if pid.isdigit() and owner_tag(int(pid)) != f"{pid}-{started}":
                    try:
                        os.rmdir(os.path.join(base, name))
                    except OSError:
                        continue
