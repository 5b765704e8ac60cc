"""Ends its first thread only, so that the process is a zombie that goes on computing in another thread."""

import ctypes
import platform
import threading


def burn():
    while True:
        pass


print(sum(map(int, input().split())), flush=True)
threading.Thread(target=burn).start()
ctypes.CDLL(None).syscall(ctypes.c_long(60 if platform.machine() == "x86_64" else 93), ctypes.c_long(0))
