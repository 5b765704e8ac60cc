"""`variance`: coefficients of variation (SAW, arXiv 2606.07705)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mars.weighting import Batch, Task
from mars.weighting.variance import Variance, VarianceSettings
from tests.mars.weighting.made_rewards import Said, made_task, step

TASK = made_task({"right": 1.0, "neat": 0.5, "points": 1.0, "long": 1.0})
GATED = made_task({"right": 1.0, "neat": 0.5}, gate="right")
samples = st.lists(st.floats(0, 1), min_size=2, max_size=8).filter(lambda found: pstdev(found) > 1e-3)


def merits(task: Task, *prompts: Sequence[Said], offset: float = 3.0) -> dict[str, float]:
    return Variance(task, VarianceSettings(offset=offset)).merits(Batch(task, step(task, *prompts)))


@given(samples, st.floats(0, 5))
def test_the_merit_is_the_deviation_over_the_shifted_mean(values: list[float], offset: float) -> None:
    found = merits(TASK, [{"right": value} for value in values], offset=offset)
    assert found == {"right": pytest.approx(pstdev(values) / abs(fmean(values) + offset))}


@given(samples)
def test_sources_of_any_range_are_compared_in_units_of_it(values: list[float]) -> None:
    # A penalty of -1 is its worst and of 0 its best, as 0 and 1 are of the others.
    found = merits(TASK, [{"right": x, "points": 10 * x, "long": x - 1} for x in values])
    assert found == pytest.approx(dict.fromkeys(["right", "points", "long"], found["right"]))


def test_a_saturated_source_is_left_out_and_so_frozen() -> None:
    assert set(merits(TASK, [{"right": 1.0, "neat": 1.0}, {"right": 0.0, "neat": 1.0}])) == {"right"}


def test_behind_a_gate_shaping_is_weighed_by_what_right_answers_show() -> None:
    prompt: list[Said] = [{"right": 1.0, "neat": 1.0}, {"right": 1.0, "neat": 0.0}, {"right": 0.0, "neat": 0.0}]
    assert merits(GATED, prompt) == {"neat": pytest.approx(0.5 / 3.5)}


@given(st.lists(st.one_of(st.just(0.0), st.floats(0, 1)), min_size=1, max_size=8))
def test_without_an_offset_a_source_that_is_all_but_silent_still_has_a_finite_merit(values: list[float]) -> None:
    found = merits(TASK, [{"right": value} for value in values], offset=0.0)
    assert all(0 < merit < len(values) ** 0.5 + 1e-6 for merit in found.values())


def test_a_rare_success_counts_for_more_than_a_common_one_without_an_offset_only() -> None:
    # One in eight beside seven in eight: the same deviation, another mean.
    prompt: list[Said] = [{"right": float(place == 0), "neat": float(place > 0)} for place in range(8)]
    for offset, ratio in ((0.0, 7.0), (3.0, 3.875 / 3.125)):
        found = merits(TASK, prompt, offset=offset)
        assert found["right"] / found["neat"] == pytest.approx(ratio)


@pytest.mark.parametrize("offset", [-0.1, float("inf"), True])
def test_an_offset_that_could_make_the_denominator_vanish_is_refused(offset: float) -> None:
    with pytest.raises(ValidationError):
        VarianceSettings(offset=offset)
