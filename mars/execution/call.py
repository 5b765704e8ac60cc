"""One call of a reward function, and what its return value becomes: always a `Score`, never an exception."""

from __future__ import annotations

import asyncio
import inspect
import math
import numbers
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from mars.registry import BoundSource, RewardSource
from mars.types import Score, Status

Call = tuple[Any, ...]
"""The arguments of one call, in the order of the signature's inputs."""

REASON_LENGTH = 300
# Bool arithmetic and JSON round trips may leave a value a rounding error outside its declared range.
_SLACK = 1e-9


def run_each(bound: BoundSource, call: Call) -> Score:
    """Call a function of one sample."""
    start = perf_counter()
    try:
        raw = _invoke(bound, call)
        if inspect.isawaitable(raw):
            raw = asyncio.run(_wait(raw))
    except (Exception, SystemExit) as error:
        return failure(error, perf_counter() - start)
    return to_score(raw, bound.source, perf_counter() - start)


async def run_each_async(bound: BoundSource, call: Call) -> Score:
    """Await a coroutine function of one sample, within its deadline."""
    start = perf_counter()
    try:
        raw = await asyncio.wait_for(_invoke(bound, call), bound.source.deadline)
    except TimeoutError:
        return timeout(bound.source.deadline or 0.0)
    except (Exception, SystemExit) as error:
        return failure(error, perf_counter() - start)
    return to_score(raw, bound.source, perf_counter() - start)


def run_batch(bound: BoundSource, calls: Sequence[Call]) -> list[Score]:
    """Call a function of a batch."""
    start = perf_counter()
    try:
        raw = _invoke(bound, columns(calls))
        if inspect.isawaitable(raw):
            raw = asyncio.run(_wait(raw))
    except (Exception, SystemExit) as error:
        return [failure(error, perf_counter() - start)] * len(calls)
    return to_scores(raw, bound.source, len(calls), perf_counter() - start)


async def run_batch_async(bound: BoundSource, calls: Sequence[Call]) -> list[Score]:
    """Await a coroutine function of a batch, within its deadline."""
    start = perf_counter()
    try:
        raw = await asyncio.wait_for(_invoke(bound, columns(calls)), bound.source.deadline)
    except TimeoutError:
        return [timeout(bound.source.deadline or 0.0)] * len(calls)
    except (Exception, SystemExit) as error:
        return [failure(error, perf_counter() - start)] * len(calls)
    return to_scores(raw, bound.source, len(calls), perf_counter() - start)


def columns(calls: Sequence[Call]) -> Call:
    """Turn the calls of a batch into one call with a list for each argument."""
    return tuple(list(column) for column in zip(*calls, strict=True))


def _invoke(bound: BoundSource, call: Call) -> Any:
    if not bound.source.signature.takes_rest:
        return bound.source.function(*call, **bound.options())
    *named, rest = call
    if isinstance(rest, list):
        rest = {name: [row.get(name) for row in rest] for name in sorted({key for row in rest for key in row})}
    return bound.source.function(*named, **rest, **bound.options())


async def _wait(awaitable: Any) -> Any:
    return await awaitable


def to_scores(raw: Any, source: RewardSource, count: int, seconds: float) -> list[Score]:
    """Turn what a batch function returned into one score a sample; a wrong length is an error for all of them."""
    if isinstance(raw, (str, bytes)) or not hasattr(raw, "__len__"):
        reason = f"a batch function returns a list of scores, got {type(raw).__name__}"
        return [Score.failed(Status.ERROR, reason)] * count
    values = list(raw)
    if len(values) != count:
        # Which score belongs to which sample cannot be known, so none is used.
        return [Score.failed(Status.ERROR, f"returned {len(values)} scores for {count} samples")] * count
    return [to_score(value, source, seconds / count) for value in values]


def to_score(raw: Any, source: RewardSource, seconds: float) -> Score:
    """Turn what a function returned for one sample into a score.

    Args:
        raw: `float`, `bool`, `Score`, or `None` for "not mine to judge"; numpy and torch scalars count as floats.
        source: Declares the range that the value must lie in.
        seconds: What the call took.
    """
    if raw is None:
        return Score(None, Status.SKIPPED, "not this source's to judge", {}, seconds)
    if type(raw) is float or type(raw) is bool or type(raw) is int:
        return _checked(float(raw), source, "", {}, seconds)
    if isinstance(raw, Score):
        if raw.value is None:
            return replace(raw, seconds=seconds)
        return _checked(raw.value, source, raw.reason, raw.details, seconds)
    if isinstance(raw, numbers.Number) or (hasattr(raw, "item") and getattr(raw, "ndim", None) == 0):
        try:
            return _checked(float(raw), source, "", {}, seconds)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            pass
    reason = f"returned {type(raw).__name__}; a reward is a float, a bool, a Score or None"
    return Score(None, Status.ERROR, reason, {}, seconds)


def _checked(value: float, source: RewardSource, reason: str, details: Any, seconds: float) -> Score:
    low, high = source.range
    if low <= value <= high:
        return Score(value, Status.OK, reason, details, seconds)
    if not math.isfinite(value):
        return Score(None, Status.ERROR, f"returned {value}, which is no score", details, seconds)
    if low - _SLACK <= value <= high + _SLACK:
        return Score(min(max(value, low), high), Status.OK, reason, details, seconds)
    return Score(None, Status.ERROR, f"returned {value:g}, outside its range {low:g} to {high:g}", details, seconds)


def failure(error: BaseException, seconds: float) -> Score:
    """The score of a call that raised."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Score(None, Status.ERROR, text.partition("\n")[0][:REASON_LENGTH], {}, seconds)


def timeout(deadline: float) -> Score:
    """The score of a call that did not end in time."""
    return Score(None, Status.TIMEOUT, f"no answer within {deadline:g} s", {}, deadline)
