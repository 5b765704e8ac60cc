"""Answers from two processes at once."""

import os


def add(a, b):
    return a + b if os.fork() else a - b
