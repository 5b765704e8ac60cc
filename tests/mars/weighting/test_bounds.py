"""The guard: whatever a strategy asks for, weights stay in their box, move slowly, and have a constant sum."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mars import TrainingError
from mars.weighting import Batch, Bounds, Stateless
from mars.weighting.adaptive import Adaptive
from mars.weighting.bounds import aim, approach
from tests.mars.weighting.made_rewards import made_task, step

NAMES = "abcd"
STEP = step(made_task({"any": 1.0}), [{"any": 1.0}])
numbers = st.floats(0, 1, allow_subnormal=False)
merits = st.one_of(numbers, st.sampled_from([0.0, 5e-324, 1e-300, 1e-9, 1e9, 1e300, 1.7e308]))
weights = st.one_of(st.floats(1e-3, 1e3), st.floats(-1e3, -1e-3), st.just(0.0))
bounds = st.builds(
    Bounds,
    floor=st.one_of(numbers, st.just(0.0), st.just(1.0)),
    ceiling=st.one_of(st.floats(1, 10), st.just(1.0), st.just(1000.0)),
    max_change=st.floats(1e-4, 1),
    smoothing=st.floats(0, 0.99),
)
recipes = st.lists(weights, min_size=1, max_size=4).map(lambda found: dict(zip(NAMES, found, strict=False)))
asked = st.lists(st.dictionaries(st.sampled_from(NAMES), merits), min_size=1, max_size=12)


class Scripted(Stateless):
    """Says what it was told to say, a step at a time."""

    def __init__(self, script: list[dict[str, Any]]) -> None:
        self.script = iter(script)

    def merits(self, batch: Batch) -> dict[str, Any]:
        return {name: merit for name, merit in next(self.script).items() if name in batch.task.sources}


def scripted(recipe: dict[str, float], script: list[dict[str, Any]], within: Bounds) -> Adaptive:
    return Adaptive(made_task(recipe), {"strategy": "scripted"}, Scripted(script), within)


def magnitude(found: dict[str, float]) -> float:
    return math.fsum(map(abs, found.values()))


@given(recipes, asked, bounds)
def test_weights_keep_their_sum_their_box_their_pace_and_their_signs(
    recipe: dict[str, float], script: list[dict[str, float]], within: Bounds
) -> None:
    weighting = scripted(recipe, script, within)
    whole = magnitude(recipe)
    before = weighting.weights()
    assert before == recipe
    for asks in script:
        weighting.update(STEP)
        now = weighting.weights()
        assert magnitude(now) == pytest.approx(whole, rel=1e-9)
        for name, base in recipe.items():
            assert within.floor * abs(base) * (1 - 1e-9) <= abs(now[name]) <= within.ceiling * abs(base) * (1 + 1e-9)
            assert abs(now[name] - before[name]) <= within.max_change * whole * (1 + 1e-9)
            assert math.copysign(1, now[name]) == math.copysign(1, base)
            assert base or now[name] == 0
            assert name in asks or now[name] == before[name]
        before = now


@given(recipes, merits, bounds)
def test_one_source_alone_stays_where_it_is(recipe: dict[str, float], merit: float, within: Bounds) -> None:
    weighting = scripted(recipe, [{"a": merit}] * 3, within)
    for _ in range(3):
        weighting.update(STEP)
    assert weighting.weights() == recipe


def test_where_nothing_deserves_anything_all_weights_are_kept_and_nothing_is_learned() -> None:
    within = Bounds(max_change=1, smoothing=0.5)
    asks = [{"a": 1.0, "b": 3.0}, {"a": 0.0, "b": 0.0}]
    weighting, without = (scripted({"a": 1.0, "b": 1.0}, script, within) for script in (asks, asks[:1]))
    weighting.update(STEP)
    weighting.update(STEP)
    without.update(STEP)
    assert weighting.state_dict() == without.state_dict()


@given(st.dictionaries(st.sampled_from(NAMES), st.floats(1e-3, 1e3), min_size=2), st.data())
def test_inside_the_box_weights_are_in_proportion_to_weight_times_merit(
    base: dict[str, float], data: st.DataObject
) -> None:
    worth = {name: data.draw(st.floats(0.5, 2)) for name in base}
    found = aim(base, worth, sum(base.values()), Bounds(floor=0, ceiling=1000))
    whole = sum(base[name] * worth[name] for name in base)
    for name, weight in found.items():
        assert weight == pytest.approx(sum(base.values()) * base[name] * worth[name] / whole, rel=1e-9)


def test_what_a_source_may_not_take_goes_to_the_others_in_proportion() -> None:
    found = aim({"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 100.0, "b": 2.0, "c": 1.0}, 3.0, Bounds(floor=0.1, ceiling=1.5))
    assert found == pytest.approx({"a": 1.5, "b": 1.0, "c": 0.5})


def test_a_far_aim_is_approached_straight_and_a_near_one_is_reached() -> None:
    now, aimed = {"a": 0.0, "b": 3.0}, {"a": 1.0, "b": 2.0}
    assert approach(now, aimed, 0.25) == pytest.approx({"a": 0.25, "b": 2.75})
    assert approach(now, aimed, 1.0) == aimed


def test_what_is_deserved_is_a_running_mean() -> None:
    script = [{"a": 1.0, "b": 1.0}, {"a": 3.0, "b": 1.0}]
    weighting = scripted({"a": 1.0, "b": 1.0}, script, Bounds(max_change=1, smoothing=0.75))
    for _ in script:
        weighting.update(STEP)
    assert weighting.weights() == pytest.approx({"a": 1.2, "b": 0.8})  # 0.75 * 1 + 0.25 * 3 = 1.5, beside 1


NO_MERITS = [math.nan, math.inf, -1.0, "1", None]


@pytest.mark.parametrize("merit", NO_MERITS, ids=map(str, NO_MERITS))
def test_what_is_no_merit_is_told_with_the_strategy_and_the_source(merit: object) -> None:
    weighting = scripted({"a": 1.0, "b": 1.0}, [{"a": merit}], Bounds())
    with pytest.raises(TrainingError, match=r"'scripted' of the task '\*' gave 'a' .*finite number of 0 or more"):
        weighting.update(STEP)


def test_a_merit_of_no_source_is_told() -> None:
    class Wrong(Stateless):
        def merits(self, batch: Batch) -> dict[str, float]:
            return {"else": 1.0}

    weighting = Adaptive(made_task({"a": 1.0}), {"strategy": "wrong"}, Wrong(), Bounds())
    with pytest.raises(TrainingError, match="weighs 'else', no source here"):
        weighting.update(step(weighting.task, [{"a": 1.0}]))


WRONG = [{"floor": 1.1}, {"floor": -0.1}, {"ceiling": 0.9}, {"max_change": 0}, {"smoothing": 1}, {"floor": math.nan}]


@pytest.mark.parametrize("given_bounds", WRONG, ids=map(str, WRONG))
def test_bounds_that_would_not_bound_are_refused(given_bounds: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Bounds(**given_bounds)
