"""Benchmarks, one a file."""

from evals.benchmarks.base import Benchmark
from evals.benchmarks.catalogue import get, names

__all__ = ["Benchmark", "get", "names"]
