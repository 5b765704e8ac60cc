from __future__ import annotations

import json
import random
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import ConfigError
from mars.declaring import Kind
from mars.weighting import Task, WeighedSource
from mars.weighting.adaptive import Adaptive
from tests.mars.weighting.made_rewards import FAILED, rewarded, weights_of

TASK = Task(
    "math", {"correct": WeighedSource(1.0, Kind.VERIFIER), "format": WeighedSource(1.0, Kind.METRIC, -1.0, 1.0)}
)
FREE = {"max_change": 1.0, "smoothing": 0.0, "floor": 0.0, "ceiling": 1000.0}


def run(weights: Adaptive, correct: list[float], style: list[float]) -> Adaptive:
    for right, neat in zip(correct, style, strict=True):
        weights.update([rewarded(TASK, correct=right, format=neat)])
    return weights


def test_weights_are_the_softmax_of_the_paper_over_two_windows() -> None:
    weights = run(weights_of(TASK, "progress", FREE, window=2, temperature=0.5), [0.2, 0.2, 0.6, 0.6], [-0.6] * 4)
    fast, slow = exp(0.5 / 0.5), exp(1.0 / 0.5)  # 0.8 fell to 0.4; 0.8 of the range stood still
    assert weights.weights() == pytest.approx({"correct": 2 * fast / (fast + slow), "format": 2 * slow / (fast + slow)})
    assert weights.logs() == pytest.approx({"pace/correct": 0.5, "pace/format": 1.0})


def test_weights_wait_until_both_windows_are_full() -> None:
    weights = run(weights_of(TASK, "progress", FREE, window=2), [0.2, 0.2, 0.6], [0.0] * 3)
    assert weights.weights() == TASK.base
    assert weights.logs() == {}


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_learner_visibly_gains_on_a_fast_one_through_sampling_noise(seed: int) -> None:
    chance, weights = random.Random(seed), weights_of(TASK, "progress")
    for step in range(60):
        right, neat = 1 - 0.7 * 0.98**step, 1 - 0.7 * 0.998**step
        batch = [
            rewarded(TASK, correct=float(chance.random() < right), format=float(chance.random() < neat) * 2 - 1)
            for _ in range(64)
        ]
        weights.update(batch)
    assert weights.weights()["format"] > 1.2
    assert sum(weights.weights().values()) == pytest.approx(2.0)


def test_a_saturated_source_is_frozen_where_it_is() -> None:
    weights = run(weights_of(TASK, "progress", FREE, window=1), [0.2, 0.6], [-0.6, -0.6])
    reached = weights.weights()
    assert reached["format"] > reached["correct"]
    assert run(weights, [0.99, 0.99], [0.0, 0.5]).weights() == reached
    assert "pace/correct" not in weights.logs()


def test_the_best_end_of_a_source_of_negative_weight_is_the_lowest() -> None:
    task = Task("math", {"correct": WeighedSource(1.0, Kind.VERIFIER), "cost": WeighedSource(-1.0, Kind.METRIC)})
    weights = weights_of(task, "progress", FREE, window=1)
    for cost in (0.8, 0.4):
        weights.update([rewarded(task, correct=0.5, cost=cost)])
    assert weights.logs() == pytest.approx({"pace/correct": 1.0, "pace/cost": 0.5})
    assert -1.0 < weights.weights()["cost"] < 0


def test_a_step_in_which_a_source_said_nothing_is_no_step_of_its_windows() -> None:
    weights = weights_of(TASK, "progress", FREE, window=1)
    for right in (0.2, FAILED, 0.6):
        weights.update([rewarded(TASK, correct=right, format=0.0)])
    assert weights.logs() == pytest.approx({"pace/correct": 0.5, "pace/format": 1.0})


def test_behind_a_gate_only_the_shaping_is_weighed() -> None:
    sources = {**TASK.sources, "brevity": WeighedSource(1.0, Kind.METRIC)}
    task = Task("math", sources, verdict="correct", gate="correct")
    weights = weights_of(task, "progress", FREE, window=1)
    for neat in (-0.6, 0.0):
        weights.update([rewarded(task, correct=1.0, format=neat, brevity=0.5)])
        weights.update([rewarded(task, correct=0.0, format=1.0, brevity=1.0)])
    assert weights.weights()["correct"] == 1.0
    assert weights.weights()["brevity"] > weights.weights()["format"]


def test_a_collapse_does_not_blow_up() -> None:
    weights = run(weights_of(TASK, "progress", FREE, window=1, temperature=0.01), [0.97, 0.0], [0.0, 0.0])
    assert weights.weights()["correct"] == pytest.approx(2.0)


def test_a_resumed_run_goes_on_bit_for_bit() -> None:
    chance = random.Random(1)
    correct, style = [[chance.random() for _ in range(30)] for _ in range(2)]
    whole = run(weights_of(TASK, "progress", window=3), correct, style)
    first = run(weights_of(TASK, "progress", window=3), correct[:11], style[:11])
    resumed = weights_of(TASK, "progress", window=3)
    resumed.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert run(resumed, correct[11:], style[11:]).state_dict() == whole.state_dict()
    assert resumed.weights() == whole.weights() != TASK.base


def test_settings_out_of_range_are_refused_with_their_place() -> None:
    with pytest.raises(ConfigError, match="window") as caught:
        weights_of(TASK, "progress", window=0)
    assert caught.value.path == ("settings", "window")


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1)), max_size=12), st.floats(0.01, 100))
def test_whatever_is_seen_the_sum_stays_and_no_weight_is_negative(
    seen: list[tuple[float, float]], temperature: float
) -> None:
    weights = weights_of(TASK, "progress", FREE, window=2, temperature=temperature)
    run(weights, [right for right, _ in seen], [neat for _, neat in seen])
    assert min(weights.weights().values()) >= 0
    assert sum(weights.weights().values()) == pytest.approx(2.0)
