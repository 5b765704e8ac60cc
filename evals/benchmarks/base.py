"""What a benchmark is: problems, the reward that grades them, and how a model is asked by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Benchmark:
    """A benchmark.

    Attributes:
        name: What the command line calls it.
        title: What it asks of a model, in a few words.
        problems: Returns the first N problems (`None`: all), always the same ones in the same order. Each is a row
            with a `prompt`, and a `reference`, `task` and further columns as its reward asks for; `group` names the
            problem, by default its text does.
        reward: The `reward` section of a recipe that grades it by default.
        samples: Samples a problem, the k of avg@k.
        temperature: Sampling temperature.
        max_tokens: Longest completion, in tokens.
    """

    name: str
    title: str
    problems: Callable[[int | None], list[dict[str, Any]]]
    reward: Mapping[str, Any]
    samples: int
    temperature: float
    max_tokens: int
