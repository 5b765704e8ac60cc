from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import ConfigError
from mars.declaring import Kind
from mars.weighting import Task, WeighedSource
from mars.weighting.adaptive import Adaptive
from mars.weighting.schedule import Shape, interpolate
from tests.mars.weighting.made_rewards import FAILED, rewarded, weights_of

TASK = Task(
    "math",
    {
        "correct": WeighedSource(1.0, Kind.VERIFIER),
        "format": WeighedSource(1.0, Kind.METRIC),
        "spare": WeighedSource(0.0, Kind.METRIC),
    },
)
FADE = {"format": {0: 1.0, 100: 0.2}}
FREE = {"max_change": 1.0}


def steps(weights: Adaptive, count: int) -> Adaptive:
    for _ in range(count):
        weights.update([rewarded(TASK, correct=FAILED, format=0.5, spare=0.0)])
    return weights


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("linear", {0: 1.0, 10: 1.0, 15: 0.8, 20: 0.6, 30: 0.2, 99: 0.2}),
        ("cosine", {0: 1.0, 10: 1.0, 15: 0.8828427, 20: 0.6, 30: 0.2, 99: 0.2}),
        ("step", {0: 1.0, 10: 1.0, 15: 1.0, 29: 1.0, 30: 0.2, 99: 0.2}),
    ],
)
def test_multipliers_follow_the_shape_between_points_and_stay_outside(shape: Shape, expected: dict[int, float]) -> None:
    found = {step: interpolate([(10, 1.0), (30, 0.2)], step, shape) for step in expected}
    assert found == pytest.approx(expected)


def test_weights_follow_the_multipliers_relative_to_each_other() -> None:
    weights = steps(weights_of(TASK, "schedule", FREE, points=FADE), 50)
    assert weights.logs() == pytest.approx({"multiplier/format": 0.6})
    assert weights.weights() == pytest.approx({"correct": 2 / 1.6, "format": 1.2 / 1.6, "spare": 0.0})
    assert steps(weights, 100).weights() == pytest.approx({"correct": 2 / 1.2, "format": 0.4 / 1.2, "spare": 0.0})


def test_a_source_may_be_taken_out_and_brought_back() -> None:
    weights = weights_of(TASK, "schedule", FREE, points={"format": {0: 1, 5: 0, 10: 1}})
    assert steps(weights, 5).weights()["format"] == pytest.approx(0.0, abs=1e-6)
    assert steps(weights, 5).weights() == pytest.approx(TASK.base)


def test_a_jump_is_spread_over_steps_by_the_guard() -> None:
    weights = weights_of(TASK, "schedule", points={"format": {0: 0}})
    curve = [steps(weights, 1).weights()["format"] for _ in range(30)]
    assert curve[:3] == pytest.approx([0.96, 0.92, 0.88])
    assert curve[-1] == pytest.approx(0.0, abs=1e-6)


def test_steps_are_the_batches_learned_from_whatever_they_held() -> None:
    weights = weights_of(TASK, "schedule", FREE, points=FADE)
    weights.update([])
    assert steps(weights, 1).state_dict()["strategy"] == {"step": 2}


def test_a_resumed_run_goes_on_bit_for_bit() -> None:
    whole = steps(weights_of(TASK, "schedule", points=FADE, shape="cosine"), 60)
    resumed = weights_of(TASK, "schedule", points=FADE, shape="cosine")
    resumed.load_state_dict(
        json.loads(json.dumps(steps(weights_of(TASK, "schedule", points=FADE, shape="cosine"), 25).state_dict()))
    )
    assert steps(resumed, 35).state_dict() == whole.state_dict()
    assert resumed.weights() == whole.weights() != TASK.base


@pytest.mark.parametrize(
    ("points", "path", "said"),
    [
        ({}, (), "at least 1 item"),
        ({"fromat": {0: 1}}, ("fromat",), "Did you mean 'format'"),
        ({"spare": {0: 1}}, ("spare",), "only logged; give it a weight"),
        ({"format": {}}, ("format",), "at least 1 item"),
        ({"format": {0: -0.1}}, ("format", 0), "greater than or equal to 0"),
        ({"format": {0: "1"}}, ("format", 0), "valid number"),
        ({"format": {0: 0}, "correct": {0: 1, 9: 0}}, (), "at step 9 every source .* is multiplied by 0"),
    ],
)
def test_points_that_make_no_curve_are_refused_with_their_place(
    points: dict[str, Any], path: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        weights_of(TASK, "schedule", points=points)
    assert caught.value.path == ("settings", "points", *path)


def test_a_step_before_the_start_is_refused() -> None:
    with pytest.raises(ConfigError, match="greater than or equal to 0"):
        weights_of(TASK, "schedule", points={"format": {-1: 1.0}})


def test_a_source_that_counts_alone_has_no_schedule() -> None:
    task = Task("math", {"format": WeighedSource(1.0, Kind.METRIC)})
    with pytest.raises(ConfigError, match="only 'format' counts"):
        weights_of(task, "schedule", points=FADE)


CURVES = st.dictionaries(st.integers(0, 1000), st.floats(0, 1000), min_size=1, max_size=6)


@given(CURVES, st.integers(0, 1100), st.sampled_from(["linear", "cosine", "step"]))
def test_a_curve_passes_its_points_and_lies_between_its_neighbours(
    curve: dict[int, float], step: int, shape: Shape
) -> None:
    points = sorted(curve.items())
    assert [interpolate(points, at, shape) for at, _ in points] == [value for _, value in points]
    before = [value for at, value in points if at <= step][-1:]
    after = [value for at, value in points if at >= step][:1]
    value = interpolate(points, step, shape)
    assert min(before + after) <= value * (1 + 1e-12)
    assert value <= max(before + after) * (1 + 1e-12)
