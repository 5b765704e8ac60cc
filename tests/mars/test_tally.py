from __future__ import annotations

import pytest

from mars.tally import Tally
from mars.types import Component, Reward, Score, Status


def _reward(total: float | None, **scores: Score) -> Reward:
    parts = tuple(Component(name, score, 1.0, score.value, score.value or 0.0) for name, score in scores.items())
    return Reward(total, Status.OK if total is not None else Status.ERROR, "", parts, "t")


GOOD, BAD = Score(1.0, seconds=0.5), Score.failed(Status.TIMEOUT, "late")


def test_failures_are_counted_and_never_averaged_in() -> None:
    tally = Tally.of([_reward(1.0, a=GOOD, b=BAD), _reward(None, a=BAD), _reward(0.0, a=Score(0.0))])
    assert (tally.samples, tally.masked, tally.mean) == (3, 1, 0.5)
    assert tally.sources["a"].statuses == {Status.OK: 2, Status.TIMEOUT: 1}
    assert tally.sources["a"].mean == 0.5
    assert tally.sources["b"].mean is None
    assert tally.sources["a"].seconds == 0.5


def test_shares_of_statuses_sum_to_one() -> None:
    tally = Tally.of([_reward(1.0, a=GOOD)] * 3 + [_reward(None, a=BAD)])
    assert tally.sources["a"].share(Status.TIMEOUT) == 0.25
    assert sum(tally.sources["a"].share(status) for status in Status) == pytest.approx(1.0)


def test_a_value_that_stood_in_counts_as_the_value_and_the_failure_as_a_failure() -> None:
    replaced = Component("a", BAD, 1.0, 0.25, 0.25, "counted as 0.25")
    tally = Tally.of([Reward(0.25, Status.OK, "", (replaced,), "t")])
    assert tally.sources["a"].mean == 0.25
    assert tally.sources["a"].statuses == {Status.TIMEOUT: 1}


def test_nothing_has_no_mean() -> None:
    assert Tally().mean is None
    assert Tally.of([_reward(None)]).mean is None
