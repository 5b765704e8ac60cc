"""Floods the test with records while it asks its next question."""

import os
import struct


def add(a, b):
    body = b"V" + struct.pack("!I", 1) + b"0"
    data = (struct.pack("!I", len(body)) + body) * 10_000
    while True:
        os.write(3, data)
