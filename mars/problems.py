"""Problem sets by name, so that a trainer and a grader draw from the same one without importing each other.

A package offers a set by the entry-point group `mars.problems`: a callable `(split, size=None, seed=0)` that returns
rows, each with a `prompt` and whatever its reward asks for (`reference`, `task` ...).
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

from mars.errors import ConfigError, did_you_mean

GROUP = "mars.problems"


def names() -> list[str]:
    """Return the names of the problem sets that installed packages offer."""
    return sorted({entry.name for entry in importlib.metadata.entry_points(group=GROUP)})


def problems(name: str, split: str, size: int | None = None, seed: int = 0) -> list[dict[str, Any]]:
    """Return problems of a set.

    Args:
        name: The set, such as `tiny`.
        split: `train` or `test`, or whatever else the set knows.
        size: How many problems; by default as many as the set thinks right.
        seed: Chooses them, where the set draws at random.

    Raises:
        ConfigError: When the set is unknown, does not load, has no such split, or gives something that are no rows.
    """
    provider = _load(name)
    try:
        rows = provider(split, size=size, seed=seed)
    except ValueError as error:
        # A wrong split or size is the caller's mistake; anything else is the set's own, and keeps its traceback.
        raise ConfigError(f"problems {name!r}: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"problems {name!r}: must be a list of rows (dicts), got {type(rows).__name__}")
    if not rows:
        raise ConfigError(f"problems {name!r}: there are none in the split {split!r}")
    return rows


def _load(name: str) -> Callable[..., Any]:
    # By value: an editable install beside a built one lists the same entry point twice.
    found = {entry.value: entry for entry in importlib.metadata.entry_points(group=GROUP, name=name)}
    if not found:
        raise ConfigError(f"there are no problems called {name!r}.{did_you_mean(name, names())}")
    if len(found) > 1:
        raise ConfigError(f"problems {name!r}: several packages offer them: {', '.join(sorted(found))}")
    [(place, entry)] = found.items()
    try:
        provider = entry.load()
    except Exception as error:
        raise ConfigError(f"problems {name!r}: {place} does not load: {type(error).__name__}: {error}") from error
    if not callable(provider):
        raise ConfigError(f"problems {name!r}: {place} must be a function, got {type(provider).__name__}")
    return provider
