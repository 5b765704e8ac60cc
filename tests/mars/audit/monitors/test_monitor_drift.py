from __future__ import annotations

import json
import math
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.audit.monitors.drift import LEAST, MOST, Drifts, Running, Track
from mars.audit.monitors.options import DriftOptions

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=30)
STEPS = st.lists(VALUES, max_size=30)


def _track(*steps: list[float], baseline: int = 2, window: int = 2) -> Track:
    track = Track(DriftOptions(baseline=baseline, window=window))
    for values in steps:
        track.add(values)
    return track


@given(STEPS)
def test_what_forgets_nothing_has_the_mean_and_the_count_of_all_values(steps: list[list[float]]) -> None:
    running = Running(None)
    for values in steps:
        running.add(values)
    everything = [value for values in steps for value in values]
    assert running.count == pytest.approx(len(everything))
    assert running.mean == pytest.approx(fmean(everything) if everything else 0.0, abs=1e-6)


@given(STEPS, st.integers(1, 50))
def test_a_running_mean_lies_between_the_extremes_and_its_error_is_no_more_than_their_distance(
    steps: list[list[float]], window: int
) -> None:
    running = Running(window)
    for values in steps:
        running.add(values)
    everything = [value for values in steps for value in values]
    if running.count:
        slack = 1e-6 * max(1.0, *map(abs, everything))
        assert min(everything) - slack <= running.mean <= max(everything) + slack
        assert 0 <= running.error <= max(everything) - min(everything) + slack
    assert running.count <= len(everything) + 1e-6


@given(STEPS, STEPS)
def test_a_track_goes_on_from_its_state_bit_for_bit(before: list[list[float]], after: list[list[float]]) -> None:
    options = DriftOptions(baseline=3, window=4)
    drifts, resumed = Drifts(options), Drifts(options)
    for values in before:
        drifts["a"].add(values)
    resumed.load_state_dict(json.loads(json.dumps(drifts.state_dict())))
    for values in after:
        drifts["a"].add(values)
        resumed["a"].add(values)
    assert drifts.state_dict() == resumed.state_dict()
    assert (drifts["a"].sure, drifts["a"].shift) == (resumed["a"].sure, resumed["a"].shift)


@given(st.floats(-1e6, 1e6), st.integers(1, 40))
def test_what_never_changes_never_drifts(value: float, steps: int) -> None:
    assert not _track(*([[value] * LEAST] * steps)).sure


def test_a_window_of_one_step_is_that_step() -> None:
    running = Running(1)
    running.add([0.0, 0.0])
    running.add([1.0, 2.0, 3.0])
    assert (running.mean, running.count) == (2.0, 3.0)


def test_old_steps_fade_with_the_window() -> None:
    running = Running(2)
    for value in (8.0, 0.0, 0.0, 0.0):
        running.add([value])
    assert running.mean == pytest.approx(8 / 15)


def test_a_step_that_differs_from_the_first_ones_in_every_prompt_is_drift() -> None:
    track = _track([0.0] * LEAST, [0.0] * LEAST, [1.0] * LEAST, [1.0] * LEAST)
    assert track.sure
    assert track.shift > 0


def test_a_difference_that_chance_could_make_is_none() -> None:
    even = [0.0, 1.0] * 8
    assert not _track(even, even, even, [0.0, 1.0, 1.0, 1.0] * 4).sure


def test_few_prompts_are_not_enough_however_large_the_difference() -> None:
    assert not _track([0.0] * 4, [0.0] * 4, [1.0] * 4, [1.0] * 4).ready


def test_the_baseline_takes_more_steps_where_they_hold_few_prompts() -> None:
    track = _track(*([[0.0]] * (LEAST - 1)), baseline=2)
    assert not track.first.enough
    track.add([0.0])
    track.add([5.0])
    assert track.first.enough
    assert track.first.mean == 0.0


def test_steps_without_a_value_are_as_if_they_had_not_been() -> None:
    assert _track([], [1.0], []).state_dict() == _track([1.0]).state_dict()


def test_the_error_is_that_of_the_mean_of_independent_values() -> None:
    running = Running(None)
    running.add([0.0, 2.0] * 50)
    assert running.error == pytest.approx(1 / math.sqrt(99))


def test_a_mean_is_above_or_below_a_limit_where_that_is_no_chance() -> None:
    sure, unsure = Running(None), Running(None)
    sure.add([0.4, 0.6] * 50)
    unsure.add([0.0, 1.0] * 10)
    assert sure.is_above(0.4)
    assert sure.is_below(0.6)
    assert not unsure.is_above(0.4)
    assert not unsure.is_below(0.6)


def test_names_beyond_the_most_are_not_followed() -> None:
    drifts = Drifts(DriftOptions())
    for number in range(MOST + 50):
        drifts[f"task {number}"].add([1.0])
    assert len(drifts.state_dict()) == MOST
