"""Puts a filter of its own on top that lies about the calls its children make."""

import ctypes
import os
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
code = struct.pack("=HBBI", 0x06, 0, 0, 0x00050000)  # every call "succeeds" and does nothing
for steps in (1, 8):
    buffer = ctypes.create_string_buffer(code * steps)
    filter_ = struct.pack("=HxxxxxxQ", steps, ctypes.addressof(buffer))
    if os.fork() == 0:
        libc.prctl(22, 2, filter_, 0, 0)
        os.write(1, b"42\n")
        os._exit(0)
if libc.prctl(38, 0, 0, 0, 0) == 0:
    print("GOT: new privileges", file=sys.stderr)
