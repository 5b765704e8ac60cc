"""Hunts the interpreter it was forked from for objects of the sandbox: open sockets, modules, frames, programs."""

import gc
import os
import socket
import sys

for thing in gc.get_objects():
    kind = type(thing)
    if kind is socket.socket and thing.fileno() > 2:
        try:
            os.fstat(thing.fileno())
            print("GOT: an open socket", thing, file=sys.stderr)
        except OSError:
            pass
frame = sys._getframe()
while frame is not None:
    for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
        if type(value) in (bytes, str, bytearray) and ("SECRET" + "-") in str(value):
            print("GOT: text in a frame", file=sys.stderr)
        handle = getattr(value, "_control", None) or (value if type(value) is socket.socket else None)
        if handle is not None and handle.fileno() > 2:
            try:
                handle.send(b"x" * 64)
                print("GOT: a line to the fork server's supervisor", file=sys.stderr)
            except OSError:
                pass
    frame = frame.f_back
for name in list(sys.modules):
    if name.split(".")[0] == "sandboxes":
        print("GOT: the module", name, file=sys.stderr)
print(sum(map(int, input().split())))
