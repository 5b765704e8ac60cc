"""`gated`: the gate's weight stays, what is behind it is weighed by the strategy inside."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import ConfigError
from mars.weighting import Batch, Bounds, Task
from mars.weighting.adaptive import Adaptive
from mars.weighting.bounds import aim
from mars.weighting.gated import Gated, GatedSettings, most_taken
from mars.weighting.signal import Signal
from mars.weighting.strategies import NoSettings, get
from tests.mars.weighting.made_rewards import Said, made_task, step, weights_of

TASK = made_task({"right": 1.0, "neat": 0.5, "brief": 0.5, "long": 0.2}, gate="right")
completions = st.fixed_dictionaries(
    {"right": st.sampled_from([0.0, 1.0]), "neat": st.floats(0, 1), "brief": st.floats(0, 1), "long": st.floats(-1, 0)}
)


def gated(task: Task = TASK, **settings: Any) -> Adaptive:
    chosen = GatedSettings(**settings)
    return Adaptive(task, {"strategy": "gated"}, Gated(task, chosen), get(chosen.shaping).bounds)


@given(st.lists(st.lists(completions, min_size=1, max_size=6), min_size=1, max_size=3))
def test_the_gate_keeps_its_weight_and_shaping_its_sum(prompts: list[list[Said]]) -> None:
    weighting = gated()
    for _ in range(5):
        weighting.update(step(TASK, *prompts, weights=weighting.weights()))
    weights = weighting.weights()
    assert weights.pop("right") == 1.0
    assert math.fsum(weights.values()) == pytest.approx(1.2, rel=1e-9)


@given(st.lists(completions, min_size=2, max_size=8))
def test_shaping_is_weighed_as_the_strategy_inside_says(prompt: list[Said]) -> None:
    batch = Batch(TASK, step(TASK, prompt))
    assert Gated(TASK, GatedSettings()).merits(batch) == Signal(TASK, NoSettings()).merits(batch)


def test_what_right_answers_no_longer_differ_in_fades_for_what_they_do() -> None:
    weighting = gated()
    # All right answers are neat by now, half of them are brief, and the wrong ones are all sorts of things.
    prompt: list[Said] = [
        {"right": float(place < 4), "neat": float(place < 5), "brief": float(place % 2), "long": 0.0}
        for place in range(8)
    ]
    for _ in range(200):
        weighting.update(step(TASK, prompt, weights=weighting.weights()))
    assert weighting.weights() == pytest.approx({"right": 1.0, "neat": 0.1, "brief": 1.06, "long": 0.04})


def test_a_merit_that_the_strategy_inside_gives_the_gate_does_not_count() -> None:
    task = made_task({"right": 1.0, "neat": 0.5, "brief": 0.5}, gate="right")
    weighting = gated(task, shaping="constraint", settings={"targets": {"neat": {"at_least": 0.9}}})
    for _ in range(50):
        weighting.update(step(task, [{"right": 1.0, "neat": 0.0, "brief": 0.5}], weights=weighting.weights()))
    assert weighting.weights()["right"] == 1.0
    assert weighting.weights()["neat"] > 0.8


def test_what_the_strategy_inside_logs_and_remembers_is_logged_and_remembered() -> None:
    settings = GatedSettings(shaping="schedule", settings={"points": {"neat": {0: 1, 10: 0}}})
    found, other = Gated(TASK, settings), Gated(TASK, settings)
    for _ in range(5):
        found.merits(Batch(TASK, []))
    other.load_state_dict(found.state_dict())
    assert other.logs() == found.logs() == {"multiplier/neat": 0.5}


# What a strategy is told that weighs a source of a task `right, neat` or `right, opinion` inside the gate.
ALONE: list[tuple[str, str, dict[str, Any]]] = [
    ("constraint", "neat", {"targets": {"neat": {"at_least": 0.9}}}),
    ("schedule", "neat", {"points": {"neat": {0: 1, 9: 0}}}),
    ("reliability", "opinion", {}),
    ("reliability", "neat", {"judges": ["neat"]}),
]


@pytest.mark.parametrize(("shaping", "name", "settings"), ALONE)
def test_a_source_that_is_alone_behind_the_gate_is_not_promised_a_weight_that_moves(
    shaping: str, name: str, settings: dict[str, Any]
) -> None:
    task = made_task({"right": 1.0, name: 0.5}, gate="right")
    with pytest.raises(ConfigError, match=f"{name!r} alone counts behind the gate .*gate: right, and this strategy in"):
        weights_of(task, "gated", shaping=shaping, settings=settings)
    assert weights_of(task, shaping, **settings).moves, "beside the gate it can"


def test_the_gate_is_not_promised_a_weight_that_moves() -> None:
    settings = {"points": {"right": {0: 1, 9: 2}}}
    with pytest.raises(ConfigError, match="'right' is the gate, whose weight stays") as caught:
        weights_of(TASK, "gated", shaping="schedule", settings=settings)
    assert caught.value.path == ("settings", "settings", "points", "right")
    assert weights_of(TASK, "schedule", **settings).moves, "beside the gate it can"


ORDERS: list[tuple[dict[str, float], dict[str, float], str]] = [
    ({"right": 1.0, "long": 1.0}, {}, "can take 1 from a right answer, but"),
    ({"right": 1.0, "long": 0.9}, {}, ""),
    ({"right": 1.0, "neat": 5.0}, {}, ""),
    ({"right": 1.0, "neat": -1.5}, {}, "can take 1.5 from a right answer, but"),
    ({"right": -1.0, "neat": 0.5}, {}, "being right by 'right' is worth -1"),
    (
        {"right": 1.0, "neat": 0.5, "brief": 0.5, "long": 0.4},
        {},
        "can take 1.2 from a right answer as the weights move",
    ),
    ({"right": 1.0, "neat": 0.5, "brief": 0.5, "long": 0.4}, {"ceiling": 2.0}, ""),
    ({"right": 1.0, "neat": 0.5, "brief": 0.5, "long": 0.4}, {"ceiling": 2.5}, "can take 1 from a right answer as"),
    ({"right": 1.3, "neat": 0.5, "brief": 0.5, "long": 0.4}, {}, ""),
]


@pytest.mark.parametrize(("weights", "bounds", "warning"), ORDERS)
def test_it_is_told_where_a_right_answer_may_rank_no_higher_than_a_wrong_one(
    weights: dict[str, float], bounds: dict[str, float], warning: str, caplog: pytest.LogCaptureFixture
) -> None:
    weights_of(made_task(weights, gate="right"), "gated", bounds)
    assert bool(caplog.messages) is bool(warning)
    assert warning in caplog.text


@given(
    st.fixed_dictionaries({"neat": st.floats(-2, 2), "brief": st.floats(0.1, 2), "long": st.floats(0.1, 2)}),
    st.builds(Bounds, floor=st.floats(0, 1), ceiling=st.floats(1, 9), max_change=st.just(1.0), smoothing=st.just(0.0)),
    st.lists(st.floats(0.01, 100), min_size=3, max_size=3),
)
def test_no_weights_that_the_bounds_allow_take_more_than_is_told(
    weights: dict[str, float], bounds: Bounds, merits: list[float]
) -> None:
    task = made_task({"right": 1.0} | {name: weight or 1.0 for name, weight in weights.items()}, gate="right")
    shaping = dict(zip(task.shaping, merits, strict=True))
    base = {name: abs(task.base[name]) for name in shaping}
    found = aim(base, shaping, math.fsum(base.values()), bounds)
    ranges = {name: (task.sources[name].low, task.sources[name].high) for name in shaping}
    taken = -sum(min(math.copysign(found[name], task.base[name]) * end for end in ranges[name]) for name in shaping)
    assert taken <= most_taken(task, bounds) + 1e-9


def test_what_is_told_is_reached() -> None:
    task = made_task({"right": 1.0, "neat": 0.5, "brief": 0.5, "long": 0.4}, gate="right")
    weighting = weights_of(task, "gated")
    for _ in range(200):
        prompt: list[Said] = [{"right": 1.0, "neat": 1.0, "brief": 1.0, "long": -float(n % 2)} for n in range(8)]
        weighting.update(step(task, prompt, weights=weighting.weights()))
    assert weighting.weights()["long"] == pytest.approx(most_taken(task, weighting.bounds))
