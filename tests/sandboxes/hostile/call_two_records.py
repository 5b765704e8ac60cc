"""Answers twice, wrongly and rightly."""

import os
import struct


def add(a, b):
    text = str(a - b).encode()
    body = b"V" + struct.pack("!I", len(text)) + text
    os.write(3, struct.pack("!I", len(body)) + body)
    return a + b
