"""Answers the test's calls with records that are none."""

import os
import struct

turn = iter([b"", b"V", b"V\0\0\0\x09null", b"?????", b"V\0\0\0\x04nullx", b"E[]", b"E[1,2]", b"U\xff\xfe"])


def add(a, b):
    body = next(turn)
    os.write(3, struct.pack("!I", len(body)) + body)
    return 0
