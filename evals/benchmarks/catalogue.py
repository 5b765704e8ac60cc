"""Finding benchmarks by name: ours, and those of packages that declare the entry-point group `mars.benchmarks`."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint

from evals.benchmarks.base import Benchmark
from mars.errors import ConfigError, did_you_mean

GROUP = "mars.benchmarks"
BUILT_IN = {
    "tiny": "evals.benchmarks.tiny:TINY",
}


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted({*BUILT_IN, *(entry.name for entry in importlib.metadata.entry_points(group=GROUP))})


def get(name: str) -> Benchmark:
    """Return a benchmark.

    Args:
        name: Its name, such as `tiny`.

    Raises:
        ConfigError: When it is unknown (the message names the nearest), offered by several packages, or does not load.
    """
    places = {entry.value for entry in importlib.metadata.entry_points(group=GROUP, name=name)}
    if name in BUILT_IN:
        places.add(BUILT_IN[name])
    if not places:
        raise ConfigError(f"no benchmark {name!r}.{did_you_mean(name, names())}")
    if len(places) > 1:
        raise ConfigError(f"several packages offer a benchmark {name!r}: {', '.join(sorted(places))}")
    [place] = places
    try:
        benchmark = EntryPoint(name, place, GROUP).load()
    except Exception as error:
        raise ConfigError(f"benchmark {name!r}: {place} does not load: {type(error).__name__}: {error}") from error
    if not isinstance(benchmark, Benchmark):
        raise ConfigError(f"benchmark {name!r}: {place} must be a Benchmark, got {type(benchmark).__name__}")
    return benchmark
