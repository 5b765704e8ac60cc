"""Tells of an exception with a message of a megabyte that redraws the terminal, and a name of a million digits."""

import json
import os
import struct


def add(a, b):
    body = b"E" + json.dumps([[{"i": "f" * 400_000}], "\x1b[2J\x1b]0;x\x07\r\n" * 20_000]).encode()
    data = struct.pack("!I", len(body)) + body
    while data:
        data = data[os.write(3, data) :]
    os._exit(0)
