from __future__ import annotations

import math
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars.statistics import proportion, question_means

clustered = st.lists(st.tuples(st.floats(0, 1) | st.sampled_from([0.0, 1.0]), st.integers(0, 5)), min_size=1)


@given(clustered)
def test_an_interval_lies_in_the_unit_interval_around_its_mean_and_has_width(rows: list[tuple[float, int]]) -> None:
    values, questions = zip(*rows, strict=True)
    found = proportion(values, questions)
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert found.low < found.high
    assert (found.samples, found.questions) == (len(values), len(set(questions)))


@given(clustered, st.randoms())
def test_an_interval_does_not_depend_on_the_order_of_samples(rows: list[tuple[float, int]], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = (proportion(*zip(*order, strict=True)) for order in (rows, shuffled))
    assert (one.mean, one.low, one.high) == pytest.approx((other.mean, other.low, other.high), abs=1e-9)


@given(st.integers(0, 40), st.integers(1, 40))
def test_one_sample_a_question_is_wilsons_interval(right: int, extra: int) -> None:
    n = right + extra
    found = proportion([1.0] * right + [0.0] * extra, range(n))
    # Wilson's score interval, from the quadratic that defines it: (p - x)^2 = z^2 x (1 - x) / n. The variance of the
    # mean is estimated with n - 1, so the effective size is n - 1 where the values differ.
    z, p = 1.959963984540054, right / n
    size = n - 1 if 0 < right < n else n
    for bound in (found.low, found.high):
        assert (p - bound) ** 2 == pytest.approx(z**2 * bound * (1 - bound) / size, abs=1e-9)


def test_all_right_is_not_certainty() -> None:
    found = proportion([1.0] * 30, range(30))
    assert found.mean == found.high == 1.0
    assert found.low == pytest.approx(0.8865, abs=1e-4)


def test_repeats_of_one_question_are_less_evidence_than_as_many_questions() -> None:
    values = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    repeated = proportion(values, ["a", "a", "a", "b", "b", "b"])
    apart = proportion(values, range(6))
    assert repeated.mean == apart.mean == 0.5
    assert repeated.high - repeated.low > apart.high - apart.low


@pytest.mark.parametrize(
    ("values", "questions"),
    [([], []), ([1.0], []), ([1.0], [1, 2]), ([1.5], [1]), ([-0.1], [1]), ([math.nan], [1])],
)
def test_what_is_no_proportion_is_refused(values: list[float], questions: list[int]) -> None:
    with pytest.raises(ValueError, match=r"proportion|as many questions as values"):
        proportion(values, questions)


def test_the_mean_is_over_questions_of_the_mean_over_their_samples() -> None:
    means = question_means([1.0, 0.0, 0.0, 1.0], ["b", "b", "a", "b"])
    assert means == [pytest.approx(2 / 3), 0.0]  # in the order in which questions first appear
    assert proportion([1.0, 0.0, 0.0, 1.0], ["b", "b", "a", "b"]).mean == pytest.approx(fmean(means))


def test_an_interval_reads_as_percentages() -> None:
    assert str(proportion([1.0, 0.0], [1, 2])).startswith("50.0% [")
