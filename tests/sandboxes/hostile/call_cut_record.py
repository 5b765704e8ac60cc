"""Ends in the middle of a record."""

import os
import struct


def add(a, b):
    os.write(3, struct.pack("!I", 100) + b"V\0\0\0\x02")
    os._exit(0)
