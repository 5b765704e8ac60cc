"""Benchmarks by name, and the embedded one."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint

import pytest

from evals import benchmarks
from evals.benchmarks import catalogue, tiny
from mars import RewardSystem, Sample
from mars.errors import ConfigError


def _offer(monkeypatch: pytest.MonkeyPatch, name: str, place: str) -> None:
    entries = importlib.metadata.EntryPoints([EntryPoint(name, place, catalogue.GROUP)])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **wanted: entries.select(**wanted))


@pytest.mark.parametrize("name", list(catalogue.BUILT_IN))
def test_every_benchmark_of_ours_loads_under_its_own_name(name: str) -> None:
    benchmark = benchmarks.get(name)
    assert benchmark.name == name
    assert benchmark.samples >= 1 and benchmark.max_tokens >= 1 and benchmark.temperature >= 0
    with RewardSystem(benchmark.reward) as system:
        rows = benchmark.problems(3)
        assert all(system.router.route(row.get("task", "default")) for row in rows)


def test_the_first_problems_are_always_the_same() -> None:
    every = benchmarks.get("tiny").problems(None)
    assert benchmarks.get("tiny").problems(7) == every[:7]
    assert benchmarks.get("tiny").problems(10**6) == every
    assert {row["task"] for row in every[:10]} == {"easy", "hard"}


def test_the_reward_of_tiny_wants_short_thinking_of_right_answers_only() -> None:
    said = {
        "right at once": "<think></think>4",
        "right after thinking": "<think>25944</think>4",
        "wrong at once": "<think></think>5",
        "thought too long": "<think>2594259425942594</think>4",
        "never ended": "<think>2594",
    }
    with RewardSystem(tiny.REWARD) as system:
        rewards = system.score([Sample(text, "7cabd=", "4", "hard") for text in said.values()])
    assert [reward.total for reward in rewards] == pytest.approx([1.3, 1.15, 0.0, 1.0, 0.0])


def test_another_package_can_add_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(monkeypatch, "theirs", "evals.benchmarks.tiny:TINY")
    assert benchmarks.names() == ["theirs", "tiny"]
    assert benchmarks.get("theirs") is tiny.TINY


@pytest.mark.parametrize(
    ("name", "offered", "told"),
    [
        ("tinny", "a:b", "no benchmark 'tinny'. Did you mean 'tiny'?"),
        ("other", "no_such_package:X", "no_such_package:X does not load: ModuleNotFoundError"),
        ("other", "evals.benchmarks.tiny:REWARD", "must be a Benchmark, got dict"),
        ("tiny", "theirs:TINY", "several packages offer a benchmark 'tiny': evals.benchmarks.tiny:TINY, theirs:TINY"),
    ],
)
def test_mistakes_are_told(monkeypatch: pytest.MonkeyPatch, name: str, offered: str, told: str) -> None:
    _offer(monkeypatch, "other" if name == "tinny" else name, offered)
    with pytest.raises(ConfigError) as error:
        benchmarks.get(name)
    assert told in str(error.value)
