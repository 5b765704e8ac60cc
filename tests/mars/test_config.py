from __future__ import annotations

from typing import Any

import pytest

from mars.config import GateSettings, RewardSettings
from mars.recipe import Recipe


def _settings(**reward: Any) -> RewardSettings:
    return Recipe("test", {"reward": reward}).section("reward", RewardSettings)


THREE = {"math": 1.0, "format": 0.1, "length": None}


@pytest.mark.parametrize(
    ("written", "expected", "why"),
    [
        (0.1, {"weight": 0.1}, "a number is short for its weight"),
        (2, {"weight": 2.0}, "whole numbers too"),
        (None, {"weight": 1.0}, "nothing is all defaults"),
        ({}, {"weight": 1.0}, "so is an empty table"),
        ({"weight": 0}, {"weight": 0.0}, "a weight of 0 is watched, not counted"),
        ({"source": "exact", "on_failure": 0}, {"source": "exact", "on_failure": 0.0}, "a fixed value for failures"),
    ],
)
def test_the_forms_of_a_source(written: Any, expected: dict[str, Any], why: str) -> None:
    source = _settings(sources={"math": written}).sources["math"]
    assert {key: getattr(source, key) for key in expected} == expected
    assert source.on_failure == expected.get("on_failure", "mask")


def test_without_tasks_every_source_scores_every_task() -> None:
    settings = _settings(sources=THREE, gate="math")
    [(task, route)] = settings.routes().items()
    assert task == "*"
    assert settings.weights(route) == {"math": 1.0, "format": 0.1, "length": 1.0}
    assert route.gate == GateSettings(source="math", threshold=0.5)


@pytest.mark.parametrize(
    ("gate", "scored", "why"),
    [
        (None, ["math"], "a stand-in is asked, not scored"),
        ("exact", ["math", "exact"], "unless it is the gate, which must be scored"),
    ],
)
def test_a_source_that_is_only_a_fallback_is_not_scored(gate: str | None, scored: list[str], why: str) -> None:
    settings = _settings(sources={"math": {"fallback": "exact"}, "exact": {}}, gate=gate)
    assert list(settings.routes()["*"].sources) == scored


def test_tasks_name_sources_or_give_them_weights() -> None:
    settings = _settings(
        sources=THREE,
        tasks={"a": ["format", "math"], "b": {"sources": {"math": 2.0, "format": None}}, "c": {"sources": ["length"]}},
    )
    routes = settings.routes()
    assert {task: settings.weights(route) for task, route in routes.items()} == {
        "a": {"format": 0.1, "math": 1.0},
        "b": {"math": 2.0, "format": 0.1},
        "c": {"length": 1.0},
    }
    assert list(routes["a"].sources) == ["format", "math"]


@pytest.mark.parametrize(
    ("task", "gate", "why"),
    [
        (["math", "format"], "math", "a task inherits the gate"),
        (["format", "length"], None, "unless it lacks the gate's source"),
        ({"sources": ["math", "format"], "gate": None}, None, "or says that it has none"),
        ({"sources": ["math", "format"], "gate": "format"}, "format", "or another"),
    ],
)
def test_which_gate_a_task_has(task: Any, gate: str | None, why: str) -> None:
    route = _settings(sources=THREE, gate="math", tasks={"t": task}).routes()["t"]
    assert (route.gate.source if route.gate else None) == gate
