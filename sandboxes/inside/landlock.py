"""Landlock: what a process may touch in the file system, kept by the kernel whatever its user or its mounts.

It needs no privilege. Here it makes everything read-only but the scratch folders, allows executing from the scratch
folders only to compiled languages, and forbids TCP and signals or abstract sockets to processes outside.
"""

from __future__ import annotations

import ctypes
import os
import struct

from . import kernel

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_MAKE_CHAR = 1 << 6
_MAKE_BLOCK = 1 << 11
_TRUNCATE = 1 << 14
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | 1 << 15
_HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_HANDLED_SINCE_5 = (1 << 16) - 1
_TCP = 3
_SCOPED = 3
_VERSION_FLAG = 1
_PATH_BENEATH = 1


def version() -> int:
    """The kernel's Landlock ABI, 0 where there is none."""
    try:
        return kernel.syscall("landlock_create_ruleset", None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION_FLAG))
    except OSError:
        return 0


def ruleset(readable: list[str], writable: list[str], devices: list[str], executable: bool) -> int:
    """Make a set of rules, to be enforced as often as needed.

    Args:
        readable: Folders and files that may be read and executed.
        writable: Folders in which anything may be done but making devices.
        devices: Device files that may be read and written.
        executable: Whether files of `writable` may be executed.

    Returns:
        The set's descriptor.
    """
    abi = version()
    handled = _HANDLED.get(abi, _HANDLED_SINCE_5)
    attributes = struct.pack("=QQQ", handled, _TCP if abi >= 4 else 0, _SCOPED if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    rules = kernel.syscall("landlock_create_ruleset", attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    read = _EXECUTE | _READ_FILE | _READ_DIR
    write = handled & ~(_MAKE_CHAR | _MAKE_BLOCK) & (~0 if executable else ~_EXECUTE)
    for path in readable:
        _allow(rules, path, read & handled)
    for path in writable:
        _allow(rules, path, write)
    for path in devices:
        _allow(rules, path, (_READ_FILE | _WRITE_FILE | _TRUNCATE | 1 << 15) & handled)
    return rules


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS
        rule = struct.pack("=Qi", rights, target)
        kernel.syscall("landlock_add_rule", rules, ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint(0))
    finally:
        os.close(target)


def enforce(rules: int) -> None:
    """Bind this process and its descendants to the rules, for good."""
    kernel.syscall("landlock_restrict_self", ctypes.c_int(rules), ctypes.c_uint(0))
