"""Limits that a process puts on itself through the kernel (Linux)."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def limit_memory_growth(extra_bytes: int) -> None:
    """Let this process map at most `extra_bytes` more than it has mapped now; further requests raise `MemoryError`.

    The limit is on address space (RLIMIT_AS), the only memory limit that needs neither privileges nor cgroups. It is
    soft, so that trusted code can set it again.

    Args:
        extra_bytes: How much more may be mapped.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    wanted = pages * resource.getpagesize() + extra_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def lift_memory_limit() -> None:
    """Take back what `limit_memory_growth` set."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def no_core_dumps() -> None:
    """Write no core file when this process crashes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends.

    Args:
        parent: The pid of the process that started this one, to notice when it is gone already.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
