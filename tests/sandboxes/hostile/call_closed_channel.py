"""Closes the channel and puts standard output in its place."""

import os

os.close(3)
os.dup2(1, 3)


def add(a, b):
    return a + b
