"""Makes sockets of every family: netlink, packet, vsock, crypto, bluetooth, internet; only local ones are its own."""

import contextlib
import socket
import sys

for family in range(1, 50):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        if family == socket.AF_UNIX:
            continue
        with contextlib.suppress(OSError), socket.socket(family, kind):
            print("GOT: a socket of family", family, file=sys.stderr)
print(sum(map(int, input().split())))
