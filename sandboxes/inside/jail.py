"""A root of one's own: namespaces, and a read-only view of the system with scratch folders.

Works as root and as a plain user. Root keeps its rights for as long as it takes to bind what a plain user could not
reach, and then gives them up for good by moving into a user namespace that maps two users nobody else has.
"""

from __future__ import annotations

import os

from . import kernel
from .scratch import SHARED, TEMPORARY

HOME = "/sandbox"
BOX = f"{HOME}/box"  # a folder below: Landlock looks through a mount point, so its rule is on the folder that holds it
KEPT = f"{HOME}/kept"
_TEMPORARY = ("/tmp", "/var/tmp")
PROGRAM_USER = 1000
# Above what systems hand out, with room for a pair a process.
_FIRST_OUTSIDE_USER = 0x40000000

_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin")
_SETTINGS = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/java*", "/etc/ssl/certs/java")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1"}
_PASSWD = f"root:x:0:0::/:/bin/sh\nsandbox:x:{PROGRAM_USER}:{PROGRAM_USER}::{BOX}/work:/bin/sh\n"
_GROUP = f"root:x:0:\nsandbox:x:{PROGRAM_USER}:\n"

# Layers that are a namespace, and what makes it.
NAMESPACES = {
    "mounts": kernel.CLONE_NEWNS,
    "processes": kernel.CLONE_NEWPID,
    "network": kernel.CLONE_NEWNET,
    "ipc": kernel.CLONE_NEWIPC,
    "hostname": kernel.CLONE_NEWUTS,
}


def outside_users(pid: int) -> tuple[int, int]:
    """The two users outside that the zygote and the program of the supervisor `pid` are mapped to."""
    return _FIRST_OUTSIDE_USER + 2 * pid, _FIRST_OUTSIDE_USER + 2 * pid + 1


def rules_users() -> bool:
    """Whether this is a root that can hand out users nobody else has; a container's may be no better than others."""
    first, second = outside_users(os.getpid())
    maps = ("/proc/self/uid_map", "/proc/self/gid_map")
    return os.geteuid() == 0 and all(_covers(path, first) and _covers(path, second) for path in maps)


def _covers(path: str, user: int) -> bool:
    with open(path) as file:
        ranges = [tuple(map(int, line.split())) for line in file]
    return any(inside <= user < inside + count for inside, _, count in ranges)


def write_maps(pid: int) -> None:
    """Map the users of the user namespace that the process `pid` has just made. Called outside of it."""
    if rules_users():
        first, second = outside_users(os.getpid())
        text = f"0 {first} 1\n{PROGRAM_USER} {second} 1\n"
        maps = {"uid_map": text, "gid_map": text}
    else:
        maps = {
            "setgroups": "deny",
            "uid_map": f"{PROGRAM_USER} {os.geteuid()} 1\n",
            "gid_map": f"{PROGRAM_USER} {os.getegid()} 1\n",
        }
    for name, content in maps.items():
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write(content)


def build_root(binds: list[str]) -> None:
    """Lay out the new root and move into it.

    Args:
        binds: Folders to show read-only besides the system's own.
    """
    # Any folder will do to mount it on, since only this namespace sees it; this one always exists and is not bound.
    at = "/sys"
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("root", at, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=4m,nr_inodes=4k,mode=0755")
    for path in (*_SYSTEM, *_existing(_SETTINGS), *binds):
        if not _in_scratch(path):
            _show(path, at)
    for kept, path in kept_aside(binds).items():
        _show(path, at, kept)
    _write(at + "/etc/passwd", _PASSWD)
    _write(at + "/etc/group", _GROUP)
    os.makedirs(at + "/dev")
    for name in _DEVICES:
        _write(f"{at}/dev/{name}", "")
        kernel.mount(f"/dev/{name}", f"{at}/dev/{name}", "", kernel.MS_BIND)
    for name, target in {**_DEVICE_LINKS, "stderr": "/proc/self/fd/2", "shm": f"{BOX}/{SHARED}"}.items():
        os.symlink(target, f"{at}/dev/{name}")
    os.makedirs(at + "/proc")
    # A new /proc may only be mounted where an old one is in full view; it comes on top of it.
    kernel.mount("/proc", at + "/proc", "", kernel.MS_BIND | kernel.MS_REC)
    os.makedirs(at + BOX)
    os.makedirs(at + "/var", exist_ok=True)
    for name in _TEMPORARY:
        os.symlink(f"{BOX}/{TEMPORARY}", at + name)
    kernel.pivot_root(at)


def kept_aside(binds: list[str]) -> dict[str, str]:
    """The binds below /tmp, by where they are kept: the folder that programs see as /tmp is made anew after runs."""
    return {f"{KEPT}/{number}": path for number, path in enumerate(filter(_in_scratch, binds))}


def _in_scratch(path: str) -> bool:
    return path.startswith(tuple(f"{name}/" for name in _TEMPORARY))


def in_scratch(path: str) -> str:
    """Where a bind below /tmp is to be seen."""
    return next(f"{BOX}/{TEMPORARY}{path[len(name) :]}" for name in _TEMPORARY if path.startswith(f"{name}/"))


def mount_proc() -> int | None:
    """Show only this namespace's processes, read-only.

    Returns:
        A descriptor of a writable view that no path leads to, or None when /proc stays empty.
    """
    try:
        kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, "hidepid=2")
    except OSError:
        kernel.mount("none", "/proc", "tmpfs", kernel.MS_RDONLY, "size=4k")
        return None
    kernel.mount("proc", BOX, "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    writable = os.open(BOX, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    kernel.unmount(BOX)
    flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY
    kernel.mount("none", "/proc", "", flags | kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    return writable


def seal_root() -> None:
    """Make the root itself read-only; what was bound is so already."""
    flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("none", "/", "", flags)


def _existing(patterns: tuple[str, ...]) -> list[str]:
    import glob

    return [path for pattern in patterns for path in glob.glob(pattern)]


def _show(path: str, at: str, name: str = "") -> None:
    """Bind a path of the host read-only below `at`, at the same place or under a name; a link is copied as a link."""
    target = at + (name or path)
    if os.path.lexists(target) or not os.path.lexists(path):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.mkdir(target)
    else:
        _write(target, "")
    kernel.mount(path, target, "", kernel.MS_BIND | kernel.MS_REC)
    kernel.seal_mount(target)


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
