"""Slows, limits, traces and inspects the fork server through every call that takes a process number."""

import ctypes
import os
import resource
import sys

libc = ctypes.CDLL(None, use_errno=True)


def attempt(what, act):
    try:
        act()
    except (OSError, PermissionError, ValueError):
        return
    print("GOT:", what, file=sys.stderr)


def call(name, *arguments):
    if getattr(libc, name)(*map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), name)


for pid in {1, os.getppid()} - {0}:
    attempt("its limits", lambda pid=pid: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3)))
    attempt("a look at its limits", lambda pid=pid: resource.prlimit(pid, resource.RLIMIT_NOFILE))
    attempt("its priority", lambda pid=pid: os.setpriority(os.PRIO_PROCESS, pid, 19))
    attempt("its cores", lambda pid=pid: os.sched_setaffinity(pid, {0}))
    attempt("its class", lambda pid=pid: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)))
    attempt("a trace of it", lambda pid=pid: call("ptrace", 16, pid, 0, 0))  # PTRACE_ATTACH
    attempt("a descriptor of it", lambda pid=pid: call("syscall", 438, os.pidfd_open(pid), 3, 0))  # pidfd_getfd
    for name in ("mem", "maps", "environ", "cwd/.", "root/.", "fd", "map_files", "task", "oom_score_adj", "clear_refs"):
        attempt(f"/proc/{pid}/{name}", lambda pid=pid, name=name: os.close(os.open(f"/proc/{pid}/{name}", os.O_RDONLY)))
attempt("everybody's priority", lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19))
attempt("its group", lambda: os.setpgid(1, 0))
print(sum(map(int, input().split())))
