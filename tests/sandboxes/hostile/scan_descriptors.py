"""Reads and writes every descriptor above the three that it should have."""

import os
import sys

for number in range(3, 1024):
    for use in (lambda n: os.read(n, 1), lambda n: os.write(n, b"\0" * 64), os.fstat):
        try:
            use(number)
            print("GOT: descriptor", number, file=sys.stderr)
        except OSError:
            pass
print(sum(map(int, input().split())))
