"""Raises what it says are an assertion's and other built-in exceptions, forged on the channel."""

import json
import os
import struct


def add(a, b):
    names = ["StopAsyncIteration", "AssertionError", "SystemExit", "KeyboardInterrupt", "GeneratorExit", "__import__"]
    body = b"E" + json.dumps([names, "x"]).encode()
    os.write(3, struct.pack("!I", len(body)) + body)
    os._exit(0)
