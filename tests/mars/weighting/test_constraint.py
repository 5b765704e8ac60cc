from __future__ import annotations

import json
import math
import random
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import ConfigError, TrainingError
from mars.declaring import Kind
from mars.types import Reward, Score
from mars.weighting import Task, WeighedSource
from mars.weighting.adaptive import Adaptive
from mars.weighting.constraint import PATIENCE
from tests.mars.weighting.made_rewards import FAILED, rewarded, weights_of

TASK = Task(
    "math",
    {
        "correct": WeighedSource(1.0, Kind.VERIFIER),
        "format": WeighedSource(0.1, Kind.METRIC),
        "brevity": WeighedSource(0.1, Kind.METRIC),
        "spare": WeighedSource(0.0, Kind.METRIC),
    },
)
FORMAT = {"format": {"at_least": 0.95}}
SHORT = {"brevity": {"measure": "length", "at_most": 200}}
FREE = {"max_change": 1.0}


def held(targets: dict[str, Any], task: Task = TASK, **settings: Any) -> Adaptive:
    """Return weights that follow the multipliers at once."""
    return weights_of(task, "constraint", FREE, targets=targets, **settings)


def long(length: float) -> Score:
    return Score(0.5, details={"length": length})


def answer(task: Task = TASK, **said: Any) -> Reward:
    base: dict[str, Any] = {"correct": 1.0, "format": 1.0, "brevity": long(100), "spare": 0.0}
    return rewarded(task, **(base | said))


def multiplier(weights: Adaptive, name: str) -> float:
    return weights.logs()[f"lambda/{name}"]


def test_a_missed_target_raises_the_multiplier_by_rate_times_violation() -> None:
    weights = held(FORMAT, rate=0.5, gain=0)
    weights.update([answer(format=1.0), answer(format=0.0)])
    assert weights.logs() == pytest.approx({"lambda/format": 1 + 0.5 * 0.45, "violation/format": 0.45})
    assert weights.weights()["format"] / weights.weights()["correct"] == pytest.approx(0.1 * (1 + 0.5 * 0.45))


def test_the_gain_answers_at_once_and_leaves_with_the_violation() -> None:
    weights = held(FORMAT, rate=0.5, gain=2.0)
    weights.update([answer(format=0.55)])
    assert multiplier(weights, "format") == pytest.approx(1 + 0.5 * 0.4 + 2.0 * 0.4)
    weights.update([answer(format=0.95)])
    assert multiplier(weights, "format") == pytest.approx(1 + 0.5 * 0.4)


def test_a_met_target_lets_go_down_to_the_floor() -> None:
    weights = held({"format": {"at_least": 0.5}}, rate=1.0)
    for _ in range(10):
        weights.update([answer(format=1.0)])
    assert multiplier(weights, "format") == 0.0
    assert weights.weights()["format"] == pytest.approx(0.05 * 0.1)


def test_a_target_that_cannot_be_had_stops_at_the_most() -> None:
    weights = held(FORMAT, rate=5.0, most=4.0)
    for _ in range(10):
        weights.update([answer(format=0.0)])
    assert multiplier(weights, "format") == 4.0
    weights.update([answer(format=1.0)])
    assert multiplier(weights, "format") < 4.0, "what was capped must not have wound up"


@pytest.mark.parametrize(
    ("length", "violation"), [(200, 0.0), (300, 0.5), (100, -0.5), (900, 3.5)], ids=["at", "above", "below", "far"]
)
def test_a_measure_is_taken_from_the_details_relative_to_its_limit(length: float, violation: float) -> None:
    weights = held(SHORT, rate=0.5, gain=0)
    weights.update([answer(brevity=long(length - 50)), answer(brevity=long(length + 50))])
    assert weights.logs()["violation/brevity"] == pytest.approx(violation)
    assert multiplier(weights, "brevity") == pytest.approx(1 + 0.5 * min(violation, 1.0))


def test_a_measure_may_be_one_of_the_rates_and_be_held_from_below() -> None:
    weights = held({"brevity": {"measure": "concise", "at_least": 0.8}}, gain=0)
    weights.update([answer(brevity=Score(0.5, details={"rates": {"concise": said}})) for said in (True, False)])
    assert weights.logs()["violation/brevity"] == pytest.approx((0.8 - 0.5) / 0.8)


def test_what_is_no_finite_number_is_not_measured() -> None:
    weights = held(SHORT)
    odd = [Score(0.5, details={"length": value}) for value in (math.inf, math.nan, "long", None)]
    weights.update([answer(brevity=score) for score in [*odd, long(300)]])
    assert weights.logs()["violation/brevity"] == 0.5


def test_a_target_is_for_all_completions_also_behind_a_closed_gate() -> None:
    task = Task("math", TASK.sources, verdict="correct", gate="correct")
    weights = held(FORMAT, task)
    weights.update([answer(task, format=1.0), answer(task, correct=0.0, format=0.0)])
    assert weights.logs()["violation/format"] == pytest.approx(0.45)
    assert weights.weights()["correct"] < 1.0, "the gate's share falls as the multiplier rises"


def test_failed_scores_and_what_is_put_in_for_them_are_not_measured() -> None:
    weights = held(FORMAT)
    replaced = rewarded(TASK, substitutes={"format": 0.0}, correct=1.0, format=FAILED, brevity=0.5, spare=0.0)
    assert replaced["format"].value == 0.0
    weights.update([answer(format=0.95), replaced])
    assert weights.logs()["violation/format"] == pytest.approx(0.0)


def test_a_step_without_a_score_changes_nothing() -> None:
    weights = held(FORMAT)
    weights.update([answer(format=0.5)])
    before = weights.state_dict()
    weights.update([answer(format=FAILED)])
    weights.update([])
    assert weights.state_dict() == before


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lag", [5, 20])
def test_the_mean_length_of_a_policy_that_answers_with_a_lag_is_brought_to_its_limit(lag: int, seed: int) -> None:
    chance, weights = random.Random(seed), weights_of(TASK, "constraint", targets=SHORT)
    mean, curve = 400.0, []
    for _ in range(200):
        share = weights.weights()["brevity"] / 1.2
        mean += (400 * math.exp(-2.77 * share) - mean) / lag
        weights.update([answer(brevity=long(max(1.0, chance.gauss(mean, mean / 4)))) for _ in range(16)])
        curve.append(mean)
    assert min(curve) > 170
    assert all(180 < mean < 220 for mean in curve[100:])
    assert fmean(curve[100:]) == pytest.approx(200, abs=5)


def test_a_resumed_run_goes_on_bit_for_bit() -> None:
    chance = random.Random(1)
    batches = [[answer(format=chance.random(), brevity=long(400 * chance.random()))] for _ in range(20)]
    whole, first, resumed = (weights_of(TASK, "constraint", targets=FORMAT | SHORT) for _ in range(3))
    for batch in batches:
        whole.update(batch)
    for batch in batches[:9]:
        first.update(batch)
    resumed.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for batch in batches[9:]:
        resumed.update(batch)
    assert resumed.state_dict() == whole.state_dict()
    assert resumed.weights() == whole.weights() != TASK.base


def test_a_measure_that_is_never_there_is_refused_with_those_that_are() -> None:
    weights = held({"brevity": {"measure": "lenght", "at_most": 200}})
    for _ in range(PATIENCE - 1):
        weights.update([answer()])
    with pytest.raises(TrainingError, match=r"'brevity' by the measure 'lenght', .* Did you mean 'length'"):
        weights.update([answer()])


def test_a_measure_may_come_late_but_not_never() -> None:
    unmeasured = [answer(brevity=0.0)]
    late = held(SHORT)
    for _ in range(PATIENCE - 1):
        late.update(unmeasured)
    late.update([answer(brevity=long(300))])
    for _ in range(PATIENCE):
        late.update(unmeasured)
    never = held(SHORT)
    for _ in range(PATIENCE - 1):
        never.update(unmeasured)
    with pytest.raises(TrainingError, match="They have no numbers at all"):
        never.update(unmeasured)


@pytest.mark.parametrize(
    ("targets", "path", "said"),
    [
        ({}, (), "at least 1 item"),
        ({"fromat": {"at_least": 0.9}}, ("fromat",), "Did you mean 'format'"),
        ({"spare": {"at_least": 0.9}}, ("spare",), "only logged; give it a weight"),
        ({"correct": {"at_least": 0.9}}, ("correct",), "is the gate of the task 'math'"),
        ({"format": {}}, ("format",), "either at_least or at_most"),
        ({"format": {"at_least": 0.9, "at_most": 0.95}}, ("format",), "either at_least or at_most"),
        ({"format": {"at_least": 95}}, ("format", "at_least"), "values from 0 to 1, never beyond 95"),
        ({"format": {"at_most": 0.5}}, ("format", "at_most"), "a weight of 0.1 drives 'format' the other way"),
        ({"brevity": {"measure": "length", "at_most": 0}}, ("brevity",), "held at a number above 0, got 0"),
        ({"format": {"at_least": "0.9"}}, ("format", "at_least"), "valid number"),
    ],
)
def test_a_target_that_cannot_be_held_is_refused_with_its_place(
    targets: dict[str, Any], path: tuple[str, ...], said: str
) -> None:
    task = Task("math", TASK.sources, verdict="correct", gate="correct")
    with pytest.raises(ConfigError, match=said) as caught:
        held(targets, task)
    assert caught.value.path == ("settings", "targets", *path)


def test_a_source_that_counts_alone_cannot_be_constrained() -> None:
    task = Task("math", {"format": WeighedSource(1.0, Kind.METRIC)})
    with pytest.raises(ConfigError, match="only 'format' counts"):
        held(FORMAT, task)


def test_a_penalty_of_negative_weight_is_held_from_above() -> None:
    task = Task("math", {"correct": WeighedSource(1.0, Kind.VERIFIER), "noise": WeighedSource(-0.5, Kind.METRIC)})
    weights = held({"noise": {"at_most": 0.1}}, task)
    weights.update([rewarded(task, correct=1.0, noise=0.6)])
    assert weights.logs()["violation/noise"] == pytest.approx(0.5)
    assert weights.weights()["noise"] < -0.5


@given(st.lists(st.floats(0, 1), max_size=15), st.floats(0.01, 100), st.floats(0, 1000), st.floats(1, 1000))
def test_a_multiplier_is_never_negative_nor_above_the_most(
    seen: list[float], rate: float, gain: float, most: float
) -> None:
    weights = held(FORMAT, rate=rate, gain=gain, most=most)
    for value in seen:
        weights.update([answer(format=value)])
        assert 0 <= multiplier(weights, "format") <= most
        assert sum(weights.weights().values()) == pytest.approx(1.2)
