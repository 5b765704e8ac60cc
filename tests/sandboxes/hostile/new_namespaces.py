"""Asks clone for every kind of new namespace, alone and together."""

import ctypes
import os
import platform
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
number = 56 if platform.machine() == "x86_64" else 220
for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x7E020000):
    child = libc.syscall(ctypes.c_long(number), ctypes.c_long(flag | signal.SIGCHLD), None, None, None, None)
    if child == 0:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
        print("GOT: a new namespace", hex(flag), file=sys.stderr)
print(sum(map(int, input().split())))
