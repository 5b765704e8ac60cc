"""`tiny`: the embedded task, which a model of under a million parameters learns in minutes.

Its held-out problems are of two tasks: `easy` is one step, `hard` are several, which take thinking.
"""

from __future__ import annotations

from typing import Any

from evals.benchmarks.base import Benchmark
from mars.problems import problems

REWARD = {
    "sources": {
        "correct": {"source": "exact"},
        "brevity": {"source": "length", "weight": 0.3, "settings": {"part": "thinking", "limit": 10}},
    },
    "gate": "correct",
}


def _problems(limit: int | None) -> list[dict[str, Any]]:
    return problems("tiny", "test")[:limit]


TINY = Benchmark(
    name="tiny",
    title="run a little machine",
    problems=_problems,
    reward=REWARD,
    samples=4,
    temperature=1.0,
    # The longest right answer, all states of six steps and the tags, is ten tokens.
    max_tokens=32,
)
