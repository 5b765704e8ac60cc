"""Measures a run: by control groups where there are any, else by what /proc and the zygote's reaping tell."""

from __future__ import annotations

import os
from typing import Any

from .cgroup import Counters

_SHORTEST_S = 0.005
_PROC_INTERVAL_S = 0.01
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Meter:
    """Counts what the programs of one zygote use, and says which limit they are over."""

    def __init__(self, zygote: int, group: Counters | None):
        """Args say whom it measures.

        Args:
            zygote: Its process number, as seen from here.
            group: The control groups that it lives in, if any.
        """
        self._zygote = zygote
        self._group = group
        self._has_cpu = group is not None and "cpuacct" in group
        self._has_memory = group is not None and "memory" in group
        self._limits_memory = self._has_memory and group is not None and group.limits_memory
        self._lists_children = os.path.exists(f"/proc/self/task/{os.getpid()}/children")
        self._cores = len(os.sched_getaffinity(0))
        self._limits: dict[str, Any] = {}
        self._cpu_before = 0.0
        self._memory_before = 0
        # What the zygote takes, and file cache that the kernel can take back, are none of a program's.
        self._base = group.memory() if group is not None and "memory" in group else 0
        self._kills_before = 0
        self._most = 0
        self._too_much_memory = False
        # What each process has used itself: one that nobody reaps takes its count away with it.
        self._seen: dict[int, float] = {}

    def start(self, limits: dict[str, Any]) -> None:
        """Begin a run."""
        self._limits = limits
        self._most, self._too_much_memory = 0, False
        self._seen.clear()
        group = self._group
        if group is None:
            return
        if "pids" in group:
            group.limit_processes(limits["processes"])
        if self._has_memory:
            self._memory_before = group.memory()
            group.limit_memory(limits["memory_mb"] << 20, self._base)
            group.reset_peak()
            self._kills_before = group.kills()
        if self._has_cpu:
            self._cpu_before = group.cpu_s()

    def cpu_s(self, reaped: float) -> float:
        """CPU seconds of the run so far.

        Args:
            reaped: What the zygote counted of the processes that it has reaped.
        """
        if self._has_cpu and self._group is not None:
            return self._group.cpu_s() - self._cpu_before
        return max(reaped, sum(self._seen.values()))

    def patience(self) -> float:
        """Seconds until no limit can be reached unseen."""
        if not self._limits_memory or not self._has_cpu:
            return _PROC_INTERVAL_S
        left = self._limits["cpu_s"] - self.cpu_s(0.0)
        return max(_SHORTEST_S, left / min(self._cores, self._limits["processes"]) + _SHORTEST_S)

    def exceeded(self) -> str | None:
        """The limit that is exceeded now: "cpu", "memory", or None."""
        group = self._group
        if self._has_cpu and group is not None and group.cpu_s() - self._cpu_before > self._limits["cpu_s"]:
            return "cpu"
        if self._has_memory and group is not None and not self._limits_memory:
            self._too_much_memory = group.memory() - self._memory_before > self._limits["memory_mb"] << 20
            if self._too_much_memory:
                return "memory"
        if self._has_memory and self.out_of_memory():
            return "memory"  # the kernel has ended one process; the others may wait for it for ever
        if self._has_cpu and self._has_memory:
            return None
        cpu, memory, programs, limit = 0.0, 0, self._programs(), self._limits["memory_mb"] << 20
        for pid in programs:
            own, reaped, resident = _usage(pid)
            self._seen[pid] = own
            cpu, memory = cpu + own + reaped, memory + resident
        if memory > limit:
            # Forked processes share most of their pages. To see that takes longer, so it is done only now.
            memory = sum(map(_fair_share, programs))
        self._most = max(self._most, memory)
        if not self._has_memory and memory > limit:
            self._too_much_memory = True
            return "memory"
        return "cpu" if not self._has_cpu and self.cpu_s(cpu) > self._limits["cpu_s"] else None

    def out_of_memory(self) -> bool:
        """Whether the run was over its memory limit, by the kernel's count or by ours."""
        if self._has_memory and self._group is not None:
            peak = None if self._limits_memory else self._group.peak()
            missed = peak is not None and peak - self._memory_before > self._limits["memory_mb"] << 20
            return missed or self._too_much_memory or self._group.kills() > self._kills_before
        return self._too_much_memory

    def peak_bytes(self, largest: int) -> int:
        """Peak memory of the run.

        Args:
            largest: The largest resident size of its first process, in bytes.
        """
        # Whoever ran out of memory had used all of it.
        least = self._limits["memory_mb"] << 20 if self.out_of_memory() else 0
        if self._has_memory and self._group is not None:
            peak = self._group.peak()
            if peak is not None:
                return max(least, peak - self._memory_before)
        return max(least, self._most, largest)

    def waited_s(self) -> float:
        """The longest time that one of the programs was ready to run and got no core."""
        longest = 0
        for pid in self._programs():
            try:
                with open(f"/proc/{pid}/schedstat") as file:
                    longest = max(longest, int(file.read().split()[1]))
            except (OSError, IndexError, ValueError):
                continue
        return longest / 1e9

    def _programs(self) -> list[int]:
        """The descendants of the zygote."""
        children = _children if self._lists_children else _family().get
        found: list[int] = []
        todo = [self._zygote]
        while todo:
            below = children(todo.pop()) or []
            found += below
            todo += below
        return found


def _family() -> dict[int, list[int]]:
    """The children of every process in sight, for kernels that do not list them (gVisor, for one)."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            found.setdefault(parent, []).append(int(name))
    return found


def _children(pid: int) -> list[int]:
    """The children of all threads of a process."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        return found
    return found


def _usage(pid: int) -> tuple[float, float, int]:
    """CPU seconds of a process and of the children that it has reaped, and its resident bytes."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        user, system, childrens_user, childrens_system = map(int, fields[11:15])
        return (user + system) / _TICKS, (childrens_user + childrens_system) / _TICKS, int(fields[21]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0.0, 0.0, 0


def _fair_share(pid: int) -> int:
    """Resident bytes of a process, with each page that others map too divided among them."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) << 10
    except (OSError, StopIteration, ValueError):
        return _usage(pid)[2]
