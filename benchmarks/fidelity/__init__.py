"""Replays graded answers of real models, and compares each verdict with the one on record.

`python -m benchmarks.fidelity --data DIR --only math --json`
"""
