"""Stacks Landlock rules of its own until the kernel takes no more."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for _ in range(40):
    rules = libc.syscall(ctypes.c_long(444), (ctypes.c_uint64 * 1)(1 << 2), ctypes.c_size_t(8), ctypes.c_uint(0))
    if rules >= 0:
        libc.syscall(ctypes.c_long(446), ctypes.c_int(rules), ctypes.c_uint(0))
print(sum(map(int, input().split())))
