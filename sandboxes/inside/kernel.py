"""System calls that Python's standard library lacks, through libc. Linux on x86-64 and AArch64."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_SECUREBITS = 28
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_SECBITS_ALL_LOCKED = 0x2F  # no root magic and no keeping of capabilities, each with its lock
_LAST_CAPABILITY = 63

# The numbers of the system calls used below that libc may not wrap: (x86-64, AArch64).
_NUMBERS = {
    "pivot_root": (155, 41),
    "capset": (126, 91),
    "close_range": (436, 436),
    "mount_setattr": (442, 442),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}
MACHINE = platform.machine()
_COLUMN = {"x86_64": 0, "aarch64": 1}.get(MACHINE)


class KernelError(OSError):
    """A system call failed; the message names it."""

    def __str__(self):
        return str(self.strerror)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise KernelError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(name: str, *arguments: object) -> int:
    """Make a system call by its name.

    Raises:
        KernelError: It failed, or this machine's architecture is not known here.
    """
    if _COLUMN is None:
        raise KernelError(38, f"{name}: no system call numbers for {MACHINE}")
    return _check(libc.syscall(ctypes.c_long(_NUMBERS[name][_COLUMN]), *arguments), name)


def unshare(flags: int) -> None:
    """Move into new namespaces."""
    _check(libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount, bind or remount."""
    result = libc.mount(
        source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), options.encode() or None
    )
    _check(result, f"mount {source} on {target}")


def unmount(target: str) -> None:
    """Detach a mount; it goes when its last user is gone."""
    _check(libc.umount2(target.encode(), MNT_DETACH), f"unmount {target}")


def seal_mount(target: str) -> None:
    """Make a mount and all below it read-only, without devices and set-id programs."""
    attributes = struct.pack("=QQQQ", MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    at_recursive = 0x8000
    syscall("mount_setattr", -100, target.encode(), at_recursive, attributes, ctypes.c_size_t(len(attributes)))


def pivot_root(new: str) -> None:
    """Make `new` the root and drop the old one."""
    os.chdir(new)
    syscall("pivot_root", b".", b".")
    unmount(".")
    os.chdir("/")


def set_host_name(name: str) -> None:
    """Name this UTS namespace."""
    _check(libc.sethostname(name.encode(), ctypes.c_size_t(len(name))), "sethostname")


def _prctl(what: str, option: int, first: object = 0, second: object = 0) -> None:
    _check(libc.prctl(option, first, second, 0, 0), what)


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends."""
    _prctl("PR_SET_PDEATHSIG", _PR_SET_PDEATHSIG, ctypes.c_ulong(9))


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent ends."""
    _prctl("PR_SET_CHILD_SUBREAPER", _PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1))


def set_dumpable(dumpable: bool) -> None:
    """Let processes of the same user look into this one, or not."""
    _prctl("PR_SET_DUMPABLE", _PR_SET_DUMPABLE, ctypes.c_ulong(int(dumpable)))


def no_new_privileges() -> None:
    """Never gain privileges by executing a program."""
    _prctl("PR_SET_NO_NEW_PRIVS", _PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), ctypes.c_ulong(0))


def drop_bounding_set() -> None:
    """Let no executed program gain a capability, root or not."""
    for capability in range(_LAST_CAPABILITY + 1):
        libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0)
    libc.prctl(_PR_SET_SECUREBITS, ctypes.c_ulong(_SECBITS_ALL_LOCKED), 0, 0, 0)


_CAPABILITY_HEADER = struct.pack("=Ii", 0x20080522, 0)
_NO_CAPABILITIES = bytes(24)


def drop_capabilities() -> None:
    """Give up every capability."""
    syscall("capset", _CAPABILITY_HEADER, _NO_CAPABILITIES)


def close_from(lowest: int) -> None:
    """Close every descriptor from `lowest` on."""
    try:
        syscall("close_range", ctypes.c_uint(lowest), ctypes.c_uint(0xFFFFFFFF), 0)
    except KernelError:
        os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def seccomp_program(code: bytes) -> object:
    """Prepare a filter, to be installed with `install_seccomp` as often as needed."""
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    program.buffer = buffer  # keeps the instructions alive as long as the program
    return program


def install_seccomp(program: object) -> None:
    """Filter the system calls of this process and its descendants, for good."""
    _prctl("seccomp", _PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(program))  # type: ignore[arg-type]
