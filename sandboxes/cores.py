"""How many cores this process may really use."""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Cores in this process's affinity mask, or fewer when a cgroup's CPU quota grants less; at least 1."""
    cores = len(os.sched_getaffinity(0))
    quota = _quota()
    return max(1, min(cores, int(quota + 0.5))) if quota else cores


def worker_count(workers: int | None) -> int:
    """How many jobs run at once: what was asked for, or as many as there are usable cores.

    Args:
        workers: A number above 0, or None for the usable cores.

    Raises:
        ValueError: It is no such number.
    """
    if workers is None:
        return usable_cores()
    if type(workers) is not int or workers < 1:
        raise ValueError(f"workers must be a number above 0, or None for the usable cores, not {workers!r}")
    return workers


def _quota() -> float | None:
    """The smallest CPU quota of this process's cgroups and those above, in cores."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, names = _ROOT, ("cpu.max",)
        elif "cpu" in controllers.split(","):
            base, names = _ROOT / controllers, ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        else:
            continue
        folder = base / path.lstrip("/")
        for at in (folder, *folder.parents):
            numbers = _numbers(at, names)
            if numbers and numbers[0] > 0:
                found.append(numbers[0] / numbers[1])
            if at == base:
                break
    return min(found, default=None)


def _numbers(folder: Path, names: tuple[str, ...]) -> tuple[float, float] | None:
    try:
        words = " ".join((folder / name).read_text() for name in names).split()
        return float(words[0]), float(words[1])
    except (OSError, ValueError, IndexError):
        return None
