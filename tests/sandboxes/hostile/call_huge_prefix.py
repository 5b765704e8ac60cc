"""Announces a record of four gigabytes."""

import os


def add(a, b):
    os.write(3, b"\xff\xff\xff\xff" + b"V")
    return a + b
