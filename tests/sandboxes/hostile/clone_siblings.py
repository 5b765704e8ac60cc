"""Makes brothers instead of children: their parent is the fork server, which never made them."""

import ctypes
import os
import platform
import time

libc = ctypes.CDLL(None, use_errno=True)
number = 56 if platform.machine() == "x86_64" else 220
for signal_at_end in (17, 0, 10):
    for _ in range(5):
        # CLONE_PARENT
        if libc.syscall(ctypes.c_long(number), ctypes.c_long(0x8000 | signal_at_end), None, None, None, None) == 0:
            os.setsid()
            time.sleep(60)
            os._exit(0)
print(sum(map(int, input().split())), flush=True)
os._exit(0)
