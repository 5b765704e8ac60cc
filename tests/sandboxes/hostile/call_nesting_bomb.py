"""Answers with JSON that nests deeper than a parser's stack."""

import os
import struct


def add(a, b):
    text = b"[" * 200_000 + b"]" * 200_000
    body = b"V" + struct.pack("!I", len(text)) + text
    data = struct.pack("!I", len(body)) + body
    while data:
        data = data[os.write(3, data) :]
    os._exit(0)
