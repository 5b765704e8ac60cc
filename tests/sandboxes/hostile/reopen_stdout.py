"""Closes standard output and opens it again through /proc, and as other files under its number."""

import os
import sys

answer = sum(map(int, input().split()))
path = os.readlink("/proc/self/fd/1")
other = os.open("/proc/self/fd/1", os.O_WRONLY)
os.close(1)
os.open("/dev/null", os.O_WRONLY)
os.dup2(other, 1)
back = os.open(path if path.startswith("/") else "/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK)
try:
    if os.read(back, 100):
        print("GOT: what another wrote", file=sys.stderr)
except BlockingIOError:
    pass
os.write(1, f"{answer}\n".encode())
