"""Writes to the channel without end."""

import os


def add(a, b):
    while True:
        os.write(3, b"V" * 65536)
