from __future__ import annotations

import asyncio
import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import registry, reward
from mars.execution.call import (
    REASON_LENGTH,
    plain,
    run_batch,
    run_batch_async,
    run_each,
    run_each_async,
    to_score,
    to_scores,
)
from mars.registry import BoundSource, RewardSource
from mars.types import Score, Status


@pytest.fixture
def source() -> RewardSource:
    @reward("between", range=(-1.0, 1.0))
    def between(completion: str) -> float:
        return 0.0

    return registry.get("between")


class Odd:
    """A scalar by its looks, that cannot be made a float."""

    ndim = 0

    def item(self) -> float:
        return 1.0

    def __float__(self) -> float:
        raise RuntimeError("on no device")


VALUES = [
    (0.5, 0.5, "a float"),
    (1, 1.0, "an integer"),
    (True, 1.0, "a bool"),
    (False, 0.0, "a bool"),
    (numpy.float32(0.5), 0.5, "a numpy float"),
    (numpy.float64(0.5), 0.5, "a numpy float that is a Python float"),
    (numpy.int64(1), 1.0, "a numpy integer"),
    (numpy.bool_(True), 1.0, "a numpy bool"),
    (numpy.array(0.5), 0.5, "an array without dimensions"),
    (Fraction(1, 2), 0.5, "a fraction"),
    (Decimal("0.5"), 0.5, "a decimal"),
    (1.0 + 1e-12, 1.0, "a rounding error outside the range is pulled in"),
    (-1.0 - 1e-12, -1.0, "on both sides"),
]


@pytest.mark.parametrize(("raw", "value", "why"), VALUES, ids=[row[-1] for row in VALUES])
def test_what_counts_as_a_value(raw: Any, value: float, why: str, source: RewardSource) -> None:
    score = to_score(raw, source, 0.0)
    assert score == Score(value)
    assert type(score.value) is float


NO_VALUES = [
    (math.nan, "returned nan, which is no score", "not a number"),
    (math.inf, "returned inf, which is no score", "infinity"),
    (numpy.float32("nan"), "returned nan, which is no score", "numpy's"),
    (Decimal("NaN"), "returned nan, which is no score", "decimal's"),
    (2.0, "returned 2, outside its range -1 to 1", "above the range"),
    (-2, "returned -2, outside its range -1 to 1", "below it"),
    ("1.0", "returned str", "text that reads like a number"),
    (b"1", "returned bytes", "bytes"),
    ([1.0], "returned list", "a list where one score was asked for"),
    ({}, "returned dict", "a table"),
    (1j, "returned complex", "a complex number"),
    (numpy.array([0.5]), "returned ndarray", "an array with a dimension"),
    (Odd(), "returned Odd", "what cannot be made a float"),
    (object(), "returned object", "anything else"),
    (Score, "returned type", "the class and not a score"),
]


@pytest.mark.parametrize(("raw", "reason", "why"), NO_VALUES, ids=[row[-1] for row in NO_VALUES])
def test_what_is_no_value_is_an_error_and_never_a_number(raw: Any, reason: str, why: str, source: RewardSource) -> None:
    score = to_score(raw, source, 0.0)
    assert (score.value, score.status) == (None, Status.ERROR)
    assert score.reason.startswith(reason)


def test_none_means_not_mine_to_judge(source: RewardSource) -> None:
    assert to_score(None, source, 0.0).status is Status.SKIPPED


@given(st.floats() | st.integers() | st.booleans() | st.none() | st.text() | st.decimals() | st.complex_numbers())
def test_whatever_is_returned_is_a_score_in_range_or_a_failure(raw: Any) -> None:
    bound = _returning(raw)
    score = run_each(bound, ("c",))
    assert score.value is None or -1 <= score.value <= 1
    assert run_batch(_returning_batch([raw]), [("c",)])[0] == score


def _bound(function: Any, **options: Any) -> BoundSource:
    reward("made_here", range=(-1.0, 1.0), **options)(function)
    bound = registry.get("made_here").configure()
    del registry._sources["made_here"]
    return bound


def _returning(raw: Any) -> BoundSource:
    return _bound(lambda completion: raw)


def _returning_batch(raw: Any) -> BoundSource:
    return _bound(lambda completions: raw)


def _raising(error: BaseException) -> BoundSource:
    def fail(completion: str) -> float:
        raise error

    return _bound(fail)


def _raising_batch(error: BaseException) -> BoundSource:
    def fail(completions: list[str]) -> list[float]:
        raise error

    return _bound(fail)


def test_an_integer_too_large_for_a_float_is_an_error() -> None:
    assert run_each(_returning(10**400), ("c",)).reason == "OverflowError: int too large to convert to float"
    assert run_batch(_returning_batch([10**400]), [("c",)])[0].status is Status.ERROR


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise TypeError("no words")


ERRORS = [
    (ValueError("bad"), "ValueError: bad"),
    (KeyError("k"), "KeyError: 'k'"),
    (RuntimeError(), "RuntimeError"),
    (RuntimeError("one\ntwo"), "RuntimeError: one"),
    (RuntimeError("x" * 1000), ("RuntimeError: " + "x" * 1000)[:REASON_LENGTH]),
    (UnprintableError(), "UnprintableError"),
    (SystemExit(3), "SystemExit: 3"),
    (GeneratorExit(), "GeneratorExit"),
    (asyncio.CancelledError(), "CancelledError"),
    (TimeoutError("a socket's own"), "TimeoutError: a socket's own"),
    (MemoryError(), "MemoryError"),
    (RecursionError("too deep"), "RecursionError: too deep"),
]


@pytest.mark.parametrize(("error", "reason"), ERRORS, ids=[reason[:30] for _, reason in ERRORS])
def test_whatever_is_raised_is_an_error_with_its_reason(error: BaseException, reason: str) -> None:
    expected = Score.failed(Status.ERROR, reason)
    assert run_each(_raising(error), ("c",)) == expected
    assert run_batch(_raising_batch(error), [("a",), ("b",)]) == [expected, expected]

    async def later(completion: str) -> float:
        raise error

    async def later_batch(completions: list[str]) -> list[float]:
        raise error

    assert asyncio.run(run_each_async(_bound(later), ("c",))) == expected
    assert asyncio.run(run_batch_async(_bound(later_batch), [("a",), ("b",)])) == [expected, expected]


def test_in_line_an_interrupt_is_the_users() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_each(_raising(KeyboardInterrupt()), ("c",))
    with pytest.raises(KeyboardInterrupt):
        run_batch(_raising_batch(KeyboardInterrupt()), [("c",)])


def test_a_deadline_is_told_from_a_time_out_that_the_source_had_itself() -> None:
    async def slow(completion: str) -> float:
        await asyncio.sleep(60)
        return 1.0

    found = asyncio.run(run_each_async(_bound(slow, deadline=0.05), ("c",)))
    assert (found.status, found.reason) == (Status.TIMEOUT, "no answer within 0.05 s")
    late = asyncio.run(run_batch_async(_bound(slow, deadline=0.05, batch=True), [("a",), ("b",)]))
    assert [score.status for score in late] == [Status.TIMEOUT] * 2
    assert sum(score.seconds for score in late) == pytest.approx(0.05)


BATCHES = [
    ([0.5, 1.0], [0.5, 1.0], "a list"),
    ((0.5, 1.0), [0.5, 1.0], "a tuple"),
    (numpy.array([0.5, 1.0]), [0.5, 1.0], "an array"),
    ([0.5, None], [0.5, Status.SKIPPED], "one that is not to be judged"),
    ([0.5, "x"], [0.5, Status.ERROR], "one that is no score: the others keep theirs"),
    ([0.5, math.nan], [0.5, Status.ERROR], "one that is not a number"),
    ([], [Status.ERROR] * 2, "too few"),
    ([1.0], [Status.ERROR] * 2, "too few"),
    ([1.0] * 3, [Status.ERROR] * 2, "too many: which belongs to which cannot be known"),
    (1.0, [Status.ERROR] * 2, "one number"),
    (None, [Status.ERROR] * 2, "nothing"),
    ("ab", [Status.ERROR] * 2, "text of the right length"),
    ({"a": 1.0, "b": 0.5}, [Status.ERROR] * 2, "a table of the right length"),
    ({0.0, 1.0}, [Status.ERROR] * 2, "a set, which has no order"),
    ((value for value in (0.5, 1.0)), [Status.ERROR] * 2, "a generator, which may not end"),
    (numpy.array(0.5), [Status.ERROR] * 2, "an array without dimensions"),
    (numpy.array([[0.5], [1.0]]), [Status.ERROR] * 2, "an array with a dimension too many"),
]


@pytest.mark.parametrize(("raw", "expected", "why"), BATCHES, ids=[row[-1] for row in BATCHES])
def test_what_a_batch_function_may_return(raw: Any, expected: list[Any], why: str) -> None:
    scores = run_batch(_returning_batch(raw), [("a",), ("b",)])
    assert [score.status if score.value is None else score.value for score in scores] == expected


def test_the_time_of_a_batch_is_divided_among_its_samples(source: RewardSource) -> None:
    assert [score.seconds for score in to_scores([1.0, 0.5], source, 2, 3.0)] == [1.5, 1.5]
    assert [score.seconds for score in to_scores([1.0], source, 2, 3.0)] == [1.5, 1.5]


# What a source notes in `details` is the same whether or not it crossed a pipe: JSON data.


@pytest.mark.parametrize(
    ("noted", "kept", "why"),
    [
        ({"a": (1, 2)}, {"a": [1, 2]}, "a tuple is a list"),
        ({"a": {3}}, {"a": [3]}, "so is a set"),
        ({1: {2.5: "x"}}, {"1": {"2.5": "x"}}, "keys are text"),
        ({(1, 2): 3}, {"(1, 2)": 3}, "whatever they were"),
        ({"a": math.nan, "b": -math.inf}, {"a": "nan", "b": "-inf"}, "what JSON has no number for is text"),
        ({"a": Fraction(1, 3)}, {"a": "1/3"}, "what has no JSON form is text"),
        ({"a": 10**5000}, {"a": hex(10**5000)}, "an integer that Python will not print is hexadecimal"),
        ({"a": numpy.float64(0.5)}, {"a": 0.5}, "numpy's floats are floats"),
        ({"a": None, "b": True, "c": "\ud800"}, {"a": None, "b": True, "c": "\ud800"}, "the rest is itself"),
    ],
)
def test_details_become_json_data(noted: dict[Any, Any], kept: dict[str, Any], why: str) -> None:
    found = run_each(_returning(Score(0.5, details=noted)), ("c",))
    assert found.details == kept
    assert json.loads(json.dumps(found.to_dict()))["details"] == kept
    failed = run_each(
        _returning(Score.failed(Status.UNDECIDED, "why", **{str(k): v for k, v in noted.items()})), ("c",)
    )
    assert failed.status is Status.UNDECIDED
    assert json.dumps(failed.to_dict())


def test_details_that_are_no_table_are_an_error() -> None:
    odd: Any = [1, 2]
    assert run_each(_returning(Score(0.5, details=odd)), ("c",)).reason.startswith("TypeError")


def test_details_that_contain_themselves_are_an_error() -> None:
    noted: dict[str, Any] = {}
    noted["self"] = noted
    assert run_each(_returning(Score(0.5, details=noted)), ("c",)).reason.startswith("RecursionError")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.fractions(),
        lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.integers() | st.text(), inner),
        max_leaves=8,
    )
)
def test_plain_data_is_json_and_stays_as_it_is(value: Any) -> None:
    kept = plain(value)
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    assert plain(kept) == kept
