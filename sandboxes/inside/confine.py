"""What a fresh child of the zygote does to itself before it becomes the program: the layers, one after the other."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # without the enums of `signal`, which cost pages
import math
import os
import resource
from dataclasses import dataclass, field

from . import jail, kernel, landlock, seccomp
from .request import MODES, Request

_HEADROOM_PROCESSES = 1  # the zygote counts where it has the program's user
_CPU_GRACE_S = 1
_SPARE_ADDRESSES_MB = 1024
_FEWEST_FILES = 8  # what it takes to start
_EXEC = MODES.index("exec")


@dataclass
class Layers:
    """Everything prepared once that each child puts on.

    Attributes:
        enabled: The names of the layers in force.
        user: The user to become, or None to stay.
        filter: The prepared system call filter.
        rules: Descriptors of the Landlock rules, by whether scratch files may be executed.
        proc: A writable view of /proc, where the read-only one cannot be used.
        memory_limited: Whether a memory cgroup counts all processes together.
        cpu_counted: Whether a cgroup counts the CPU time.
        hard_limits: The hard limits that this process has, which no child can pass.
    """

    enabled: frozenset[str]
    user: int | None
    filter: object
    rules: dict[bool, int]
    proc: int | None
    memory_limited: bool
    cpu_counted: bool
    hard_limits: dict[int, int] = field(default_factory=dict)


def prepare(
    enabled: frozenset[str], user: int | None, proc: int | None, groups: list[str], writable: list[str]
) -> Layers:
    """Prepare the layers of all children.

    Args:
        enabled: The names of the layers wanted.
        user: The user that programs run as, or None.
        proc: A writable view of /proc, or None.
        groups: The controllers of the cgroups in force.
        writable: The folders that programs may write to, or one above them that stays when they are made anew.

    Raises:
        KernelError: A layer is missing; its message starts with the layer's name.
    """
    program: object = None
    rules: dict[bool, int] = {}
    if "syscalls" in enabled:
        code = seccomp.build(unix_sockets="network" in enabled, memory_files="memory" in groups)
        program = kernel.seccomp_program(code)
    if "landlock" in enabled:
        hidden = {"sandbox", "dev", "sys", *(name for name in ("tmp", "var") if os.path.islink(f"/{name}"))}
        if "mounts" not in enabled:
            hidden |= {"tmp", "var"}
        readable = [f"/{name}" for name in os.listdir("/") if name not in hidden]
        if os.path.isdir(jail.KEPT):
            readable += [f"{jail.KEPT}/{name}" for name in os.listdir(jail.KEPT)]
        devices = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")]
        try:
            rules = {x: landlock.ruleset([*readable, "/dev"], writable, devices, x) for x in (False, True)}
        except OSError as error:
            raise kernel.KernelError(error.errno, f"landlock: {error}") from error
    hard = {which: resource.getrlimit(which)[1] for which in _LIMITED}
    return Layers(enabled, user, program, rules, proc, "memory" in groups, "cpuacct" in groups, hard)


_LIMITED = (
    resource.RLIMIT_CORE,
    resource.RLIMIT_CPU,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_STACK,
    resource.RLIMIT_MEMLOCK,
    resource.RLIMIT_MSGQUEUE,
    resource.RLIMIT_AS,
    resource.RLIMIT_NPROC,
)


def become_user(layers: Layers) -> None:
    """Leave the zygote's session and become the program's user, who the kernel ends first when memory runs out."""
    os.setsid()
    kernel.set_dumpable(True)
    _die_first(layers.proc)
    if layers.user is not None:
        if "users" not in layers.enabled:
            os.setgroups([])
        os.setresgid(layers.user, layers.user, layers.user)
        os.setresuid(layers.user, layers.user, layers.user)
        kernel.set_dumpable(True)  # a change of user takes it back


def apply(layers: Layers, request: Request) -> None:
    """Put every layer on the calling process, for good.

    Raises:
        OSError: A layer could not be put on; the program must not run.
    """
    enabled = layers.enabled
    _signal.set_wakeup_fd(-1)  # its number will be that of one of the program's files
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    # What the supervisor ignores a program shall not: an interpreter sets this handler, any other program none.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL if request.mode == _EXEC else _signal.default_int_handler)
    if "rlimits" in enabled:
        _set_limits(layers, request)
    if "privileges" in enabled:
        kernel.drop_capabilities()
        kernel.no_new_privileges()
    if layers.rules:
        landlock.enforce(layers.rules[bool(request.executable)])
    if layers.filter is not None:
        kernel.install_seccomp(layers.filter)


def _die_first(proc: int | None) -> None:
    """Be whom the kernel ends when memory runs out, before the zygote."""
    try:
        path = "self/oom_score_adj" if proc is not None else "/proc/self/oom_score_adj"
        target = os.open(path, os.O_WRONLY, dir_fd=proc)
    except OSError:
        return
    os.write(target, b"1000")
    os.close(target)


def _set_limits(layers: Layers, request: Request) -> None:
    cpu = math.ceil(request.cpu_s) + _CPU_GRACE_S
    set_limit, unlimited = resource.setrlimit, resource.RLIM_INFINITY
    hard_limits = layers.hard_limits
    wanted = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, request.file_mb << 20),
        (resource.RLIMIT_NOFILE, max(request.open_files, _FEWEST_FILES)),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ]
    if not layers.memory_limited and request.mode != _EXEC:
        # Only against a single huge request, which polling would see too late: stacks of threads are mapped whole, and
        # most of what is mapped is never used.
        room = request.memory_mb + request.processes * request.stack_mb + _SPARE_ADDRESSES_MB
        wanted.append((resource.RLIMIT_AS, _mapped() + (room << 20)))
    if layers.user is not None or "users" in layers.enabled:
        # Counted by user, of which only then nobody else is.
        wanted.append((resource.RLIMIT_NPROC, request.processes + _HEADROOM_PROCESSES))
    for which, most in wanted:
        hard = hard_limits[which]
        value = most if hard == unlimited else min(most, hard)
        try:
            set_limit(which, (value, value))
        except ValueError:
            # gVisor has no message queues, and so no limit of them.
            if which != resource.RLIMIT_MSGQUEUE:
                raise
    # Programs raise their stack as a habit; what a stack takes counts as memory, so the hard limit may stay.
    hard = hard_limits[resource.RLIMIT_STACK]
    stack = request.stack_mb << 20
    set_limit(resource.RLIMIT_STACK, (stack if hard == unlimited else min(stack, hard), hard))


def _mapped() -> int:
    """Bytes of address space that this process has mapped already."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
