"""Answers rightly, and writes to standard error without end."""

import os

print(sum(map(int, input().split())), flush=True)
while True:
    os.write(2, b"x" * 65536)
