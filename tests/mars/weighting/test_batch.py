"""What strategies see of a step: what was observed, by prompt, with rounding taken for what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.weighting import Batch
from tests.mars.weighting.made_rewards import made_task, step

TASK = made_task({"right": 1.0, "neat": 0.5, "points": 1.0})
GATED = made_task({"right": 1.0, "neat": 0.5, "noted": 0.0}, gate="right")
values = st.floats(0, 1)
steps = st.lists(st.lists(values, min_size=1, max_size=5), min_size=1, max_size=4)


def batch_of(*prompts: Sequence[float | None]) -> Batch:
    return Batch(TASK, step(TASK, *([{"right": 1.0, "neat": value} for value in prompt] for prompt in prompts)))


def test_completions_of_a_prompt_stand_together_in_order_wherever_they_came() -> None:
    rewards = step(TASK, [{"neat": 0.1}, {"neat": 0.2}], [{"neat": 0.3}])
    assert Batch(TASK, [rewards[0], rewards[2], rewards[1]]).by_group("neat") == [[0.1, 0.2], [0.3]]


def test_prompts_of_one_name_in_two_tasks_are_two() -> None:
    rewards = step(TASK, [{"neat": 0.1}, {"neat": 0.2}])
    assert Batch(TASK, [rewards[0], replace(rewards[1], task="other")]).by_group("neat") == [[0.1], [0.2]]


def test_a_completion_that_nothing_ties_to_others_is_a_group_of_its_own() -> None:
    rewards = [replace(reward, group=None) for reward in step(TASK, [{"neat": 0.1}, {"neat": 0.2}])]
    assert Batch(TASK, rewards).by_group("neat") == [[0.1], [0.2]]


def test_what_a_source_could_not_tell_is_not_observed() -> None:
    assert batch_of([0.5, None], [None]).by_group("neat") == [[0.5]]


def test_a_value_that_the_recipe_put_in_is_not_observed() -> None:
    rewards = step(TASK, [{"right": 1.0, "neat": None}, {"right": 1.0, "neat": 1.0}], substitute=0.25)
    assert rewards[0]["neat"].value == 0.25
    assert Batch(TASK, rewards).values("neat") == [1.0]


def test_a_sample_without_a_reward_is_not_observed() -> None:
    rewards = step(GATED, [{"right": None, "neat": 1.0}, {"right": 1.0, "neat": 0.5}])
    assert rewards[0].total is None
    assert Batch(GATED, rewards).values("neat") == [0.5]


def test_behind_a_closed_gate_only_the_gate_and_what_is_merely_logged_are_observed() -> None:
    prompt = [{"right": 0.0, "neat": 1.0, "noted": 0.1}, {"right": 1.0, "neat": 0.5, "noted": 0.2}]
    batch = Batch(GATED, step(GATED, prompt))
    assert (batch.values("right"), batch.values("neat"), batch.values("noted")) == ([0.0, 1.0], [0.5], [0.1, 0.2])


def test_a_value_that_the_recipe_put_in_for_what_is_merely_logged_is_not_observed_behind_a_closed_gate() -> None:
    rewards = step(GATED, [{"right": 0.0, "neat": 1.0, "noted": None}], substitute=0.25)
    assert rewards[0]["noted"].value == 0.25
    assert Batch(GATED, rewards).values("noted") == []


def test_where_nothing_was_observed_there_is_no_mean_and_no_variance() -> None:
    for batch in (Batch(TASK, []), batch_of([None, None])):
        assert batch.mean("neat") is batch.variance("neat") is batch.variance_within("neat") is None


def test_one_value_a_prompt_has_a_variance_over_the_batch_and_none_within() -> None:
    batch = batch_of([0.0], [1.0])
    assert batch.variance("neat") == 0.25
    assert batch.variance_within("neat") is None


def test_variance_between_prompts_is_none_within() -> None:
    batch = batch_of([0.0, 0.0], [1.0, 1.0])
    assert batch.variance("neat") == 0.25
    assert batch.variance_within("neat") == 0.0


def test_variance_within_counts_each_distance_once_whatever_the_size_of_the_prompts() -> None:
    # Squares 0.5 with one degree of freedom, 1 with three, and a lone value that tells nothing.
    assert batch_of([0.0, 1.0], [0.0, 1.0, 0.0, 1.0], [1.0]).variance_within("neat") == pytest.approx(1.5 / 4)


def test_a_spread_of_rounding_is_no_variance_by_the_range_of_the_source() -> None:
    rewards = step(TASK, [{"right": 1.0, "neat": 0.5 + shift, "points": 5 + shift} for shift in (0.0, 1e-4)])
    batch = Batch(TASK, rewards)
    assert batch.variance("neat") == pytest.approx(2.5e-9)
    assert batch.variance("points") == batch.variance_within("points") == 0.0


@given(steps)
def test_statistics_agree_with_the_textbook(prompts: list[list[float]]) -> None:
    batch, everything = batch_of(*prompts), [value for prompt in prompts for value in prompt]
    assert batch.mean("neat") == pytest.approx(fmean(everything))
    assert batch.variance("neat") == pytest.approx(pvariance(everything), abs=1e-9)
    freedom = sum(len(prompt) - 1 for prompt in prompts)
    within = sum(pvariance(prompt) * len(prompt) for prompt in prompts) / freedom if freedom else None
    assert batch.variance_within("neat") == (None if within is None else pytest.approx(within, abs=1e-9))


@given(st.floats(0, 1), st.integers(2, 9))
def test_equal_values_have_no_variance_at_all(value: float, count: int) -> None:
    batch = batch_of([value] * count)
    assert batch.variance("neat") == batch.variance_within("neat") == 0.0
