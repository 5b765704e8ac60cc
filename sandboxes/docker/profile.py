"""The system call filter of the containers themselves, in the engine's format.

The default one of older engines lets io_uring and AF_VSOCK through. This one is made from the list that programs are
held by (see `sandboxes.inside.seccomp`), less what it takes to hold them, and holds whatever runs in the container.
"""

from __future__ import annotations

import errno
import json
import socket
from typing import Any

from sandboxes.inside.seccomp import DENIED, NEW_NAMESPACES

_ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "amd64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
# What a supervisor puts programs behind their own filter with.
_NEEDED = frozenset({"seccomp"})


def build(architecture: str) -> str:
    """The profile as JSON.

    Args:
        architecture: What the engine calls its machine's architecture. Calls of another one end the process.
    """
    native = _ARCHITECTURES.get(architecture)
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": [native] if native else [],
        "syscalls": [
            _deny(sorted(set(DENIED) - _NEEDED), errno.EPERM),
            # Its flags lie in memory, out of a filter's sight; libc falls back to clone.
            _deny(["clone3", "memfd_secret"], errno.ENOSYS),
            *(_deny(["clone"], errno.EPERM, _is_set(0, flag)) for flag in _bits(NEW_NAMESPACES)),
            _deny(["socket", "socketpair"], errno.EACCES, _differs(0, int(socket.AF_UNIX))),
        ],
    }
    return json.dumps(profile)


def _deny(names: list[str], number: int, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    conditions = [] if condition is None else [condition]
    return {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": number, "args": conditions}


def _is_set(argument: int, flag: int) -> dict[str, Any]:
    return {"index": argument, "value": flag, "valueTwo": flag, "op": "SCMP_CMP_MASKED_EQ"}


def _differs(argument: int, value: int) -> dict[str, Any]:
    return {"index": argument, "value": value, "op": "SCMP_CMP_NE"}


def _bits(mask: int) -> list[int]:
    return [1 << place for place in range(mask.bit_length()) if mask >> place & 1]
