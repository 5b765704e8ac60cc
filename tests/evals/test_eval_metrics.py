"""avg@k and pass@k: worked by hand, against published outputs, and under attack."""

from __future__ import annotations

import itertools
import json
import math
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.metrics import Verdicts, avg_at_k, pass_at_k, standard_error, summarise
from evals.types import Completion, Record
from mars.types import Reward, Status

Y, N, U = True, False, None

AVERAGES: list[tuple[str, Verdicts, int, float | None]] = [
    ("one of two right", {"a": [Y], "b": [N]}, 1, 0.5),
    ("the mean of the problems' means", {"a": [Y, Y], "b": [Y, N]}, 2, 0.75),
    ("a sample without a verdict is in no mean", {"a": [Y, U], "b": [N, N]}, 2, 0.5),
    ("nor is a problem without one", {"a": [Y, Y], "b": [U, U]}, 2, 1.0),
    ("no verdict at all is not zero", {"a": [U, U]}, 2, None),
    ("more than k samples all count", {"a": [Y, Y, N, N]}, 2, 0.5),
]

PASSES: list[tuple[str, Verdicts, int, float | None]] = [
    ("pass@1 is the mean", {"a": [Y, N, N, N], "b": [Y, Y, N, N]}, 1, 0.375),
    ("1 - C(3,2)/C(4,2)", {"a": [Y, N, N, N]}, 2, 0.5),
    ("two wrong cannot fill three tries", {"a": [Y, Y, N, N]}, 3, 1.0),
    ("none right", {"a": [N, N]}, 2, 0.0),
    ("masked samples leave n", {"a": [Y, N, U, U]}, 2, 1.0),
    ("a problem without a verdict is left out", {"a": [Y, N], "b": [U, U]}, 1, 0.5),
    ("no verdict at all", {"a": [U]}, 1, None),
]


@pytest.mark.parametrize(("why", "verdicts", "k", "mean"), AVERAGES, ids=[row[0] for row in AVERAGES])
def test_avg_at_k(why: str, verdicts: Verdicts, k: int, mean: float | None) -> None:
    found = avg_at_k(verdicts, k)
    assert (found and found.mean) == pytest.approx(mean)


@pytest.mark.parametrize(("why", "verdicts", "k", "chance"), PASSES, ids=[row[0] for row in PASSES])
def test_pass_at_k(why: str, verdicts: Verdicts, k: int, chance: float | None) -> None:
    assert pass_at_k(verdicts, k) == pytest.approx(chance)


@pytest.mark.parametrize("metric", [avg_at_k, pass_at_k])
def test_fewer_samples_than_k_is_an_error_and_not_a_wrong_answer(metric: Any) -> None:
    with pytest.raises(ValueError, match="k = 4 needs 4 samples of every problem; 'b' has 2"):
        metric({"a": [Y, Y, Y, Y], "b": [Y, Y]}, 4)
    with pytest.raises(ValueError, match="k must be 1 or more"):
        metric({"a": [Y]}, 0)


def test_pass_at_k_does_not_guess_where_verdicts_are_missing() -> None:
    with pytest.raises(ValueError, match="k = 2"):
        pass_at_k({"a": [Y, U, U]}, 2)


def test_the_interval_does_not_shrink_with_samples_of_the_same_problems() -> None:
    once = avg_at_k({"a": [Y], "b": [N], "c": [Y], "d": [N]}, 1)
    often = avg_at_k({"a": [Y] * 64, "b": [N] * 64, "c": [Y] * 64, "d": [N] * 64}, 64)
    assert once and often
    assert often.high - often.low > 0.9 * (once.high - once.low)


def test_standard_error_by_hand() -> None:
    # Means 1, 0.5, 0: variance 0.25 with n - 1, so sqrt(0.25 / 3).
    assert standard_error({"a": [Y, Y], "b": [Y, N], "c": [N, N]}) == pytest.approx(math.sqrt(0.25 / 3))
    assert standard_error({"a": [Y, N]}) is None
    assert standard_error({"a": [U]}) is None


TABLES = st.integers(1, 6).flatmap(
    lambda k: st.dictionaries(st.text(max_size=3), st.lists(st.booleans(), min_size=k, max_size=k), min_size=1)
)


@given(TABLES)
def test_pass_at_k_is_the_share_of_subsets_with_a_right_sample(verdicts: dict[str, list[bool]]) -> None:
    n = len(next(iter(verdicts.values())))
    previous = 0.0
    for k in range(1, n + 1):
        found = pass_at_k(verdicts, k)
        counted = fmean(fmean(any(tries) for tries in itertools.combinations(v, k)) for v in verdicts.values())
        assert found == pytest.approx(counted)
        assert found is not None and found >= previous - 1e-12  # more tries never hurt
        previous = found


@given(TABLES)
def test_avg_at_k_is_pass_at_1_inside_its_interval(verdicts: dict[str, list[bool]]) -> None:
    n = len(next(iter(verdicts.values())))
    found = avg_at_k(verdicts, n)
    assert found and found.mean == pytest.approx(pass_at_k(verdicts, 1))
    assert 0 <= found.low <= found.mean + 1e-9 and found.mean - 1e-9 <= found.high <= 1


def test_published_outputs(shared_data: Path) -> None:
    fixtures = json.loads((shared_data / "stat_fixtures.json").read_text())
    expected = next(value for name, value in fixtures.items() if name.startswith("math_qwen25_n8"))
    verdicts: dict[str, list[bool | None]] = defaultdict(list)
    for line in (shared_data / "graded" / "math_qwen25_n8.jsonl").read_text().split("\n")[:-1]:
        row = json.loads(line)
        verdicts[row["problem_id"]].append(row["official_correct"])
    average = avg_at_k(verdicts, 8)
    assert average and len(verdicts) == average.questions == expected["questions"]
    assert average.mean == pytest.approx(expected["avg@8"], abs=1e-6)
    assert standard_error(verdicts) == pytest.approx(expected["question_clustered_se_of_avg@8"], abs=1e-6)
    for k in (1, 2, 4, 8):
        assert pass_at_k(verdicts, k) == pytest.approx(expected[f"pass@{k}"], abs=1e-6)


def _record(group: str, correct: bool | None, text: str = "1", *, cut_off: bool = False) -> Record:
    total = None if correct is None else float(correct)
    reward = Reward(total, Status.ERROR if correct is None else Status.OK, "", (), "t")
    return Record({}, "t", group, Completion(text, len(text), cut_off, seconds=0.5), reward, correct)


def test_summary_counts_every_denominator() -> None:
    score = summarise(
        [
            _record("a", True, "<think>12</think>1"),
            _record("a", False, "<think>1234", cut_off=True),
            _record("b", None),
            _record("b", None, cut_off=True),
            _record("c", True),
            _record("c", None, "<think>"),
        ],
        k=2,
    )
    assert (score.problems, score.judged, score.samples, score.no_verdict) == (3, 2, 6, 3)
    assert (score.cut_off, score.unfinished, score.truncated) == (2, 2, 3)
    assert score.average and score.average.mean == pytest.approx(0.75)
    assert score.pass_at == {1: pytest.approx(0.75)}  # one problem has one verdict, so pass@2 cannot be told
    assert score.mean_total == pytest.approx(2 / 3)
    assert score.mean_thinking == pytest.approx(1.0)
    assert score.seconds == pytest.approx(3.0)
    assert json.loads(json.dumps(score.to_dict()))["average"]["mean"] == pytest.approx(0.75)


def test_nothing_to_summarise() -> None:
    with pytest.raises(ValueError, match="no records"):
        summarise([], 1)
    assert summarise([_record("a", None)], 1).average is None
