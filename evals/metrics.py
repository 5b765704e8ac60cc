"""What a run came to: avg@k and pass@k with intervals, and every denominator beside them.

A sample without a verdict is in no mean: it is counted under `no_verdict`. A problem none of whose samples has a
verdict is in `problems` and not in `judged`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from evals.types import Record
from mars.statistics import Interval, proportion, question_means

Verdicts = Mapping[str, Sequence[bool | None]]
"""The verdicts on each problem's samples; `None`: no verdict."""


def avg_at_k(verdicts: Verdicts, k: int) -> Interval | None:
    """Return avg@k: the mean over problems of the share of right samples, with its 95% interval.

    The interval takes the problems as the independent draws, not the samples (`mars.statistics.proportion`): on 30
    problems no k makes it narrow.

    Args:
        verdicts: By problem, one verdict a sample.
        k: How many samples each problem must have.

    Returns:
        The mean and interval, or `None` when there is no verdict at all.

    Raises:
        ValueError: A problem has fewer than k samples. Missing samples are not wrong answers.
    """
    _enough(verdicts, k)
    judged = [(float(v), name) for name, values in verdicts.items() for v in values if v is not None]
    return proportion([value for value, _ in judged], [name for _, name in judged]) if judged else None


def standard_error(verdicts: Verdicts) -> float | None:
    """Return the standard error of avg@k, clustered by problem.

    It is s / sqrt(n) of the n problems' means (Miller 2024, "Adding Error Bars to Evals").

    Args:
        verdicts: By problem, one verdict a sample.

    Returns:
        The error, or `None` when fewer than two problems have a verdict.
    """
    judged = [(float(v), name) for name, values in verdicts.items() for v in values if v is not None]
    means = question_means([value for value, _ in judged], [name for _, name in judged]) if judged else []
    return stdev(means) / math.sqrt(len(means)) if len(means) > 1 else None


def pass_at_k(verdicts: Verdicts, k: int) -> float | None:
    """Return pass@k: the chance that at least one of k samples is right, without bias (Chen et al. 2021, eq. 1).

    With c of n samples right, pass@k = 1 - C(n-c, k) / C(n, k), averaged over problems.

    Args:
        verdicts: By problem, one verdict a sample.
        k: How many samples may be tried.

    Returns:
        The mean over the problems that have a verdict, or `None` when none has.

    Raises:
        ValueError: A problem has fewer than k samples, or some verdicts but fewer than k: then it cannot be told.
    """
    _enough(verdicts, k)
    judged = {name: [v for v in values if v is not None] for name, values in verdicts.items()}
    judged = {name: values for name, values in judged.items() if values}
    _enough(judged, k)
    if not judged:
        return None
    return fmean(1 - math.comb(len(v) - sum(v), k) / math.comb(len(v), k) for v in judged.values())


def _enough(verdicts: Verdicts, k: int) -> None:
    if k < 1:
        raise ValueError(f"k must be 1 or more, got {k}")
    for name, values in verdicts.items():
        if len(values) < k:
            raise ValueError(f"k = {k} needs {k} samples of every problem; {name!r} has {len(values)}")


@dataclass(frozen=True)
class TaskScore:
    """The numbers of one task, or of all.

    Attributes:
        problems: How many problems there were.
        judged: Those with at least one verdict, which the means are over.
        samples: How many completions.
        no_verdict: Completions that nobody could judge, in no mean.
        cut_off: Completions stopped by the limit on tokens.
        unfinished: Completions whose thinking never ends, whatever stopped them.
        truncated: Completions that are either: what they would have said is not known.
        average: avg@k with its interval; `None` without a verdict.
        standard_error: Of avg@k, clustered by problem; `None` with fewer than two problems.
        pass_at: pass@j for j = 1, 2, 4 ... k, as far as every judged problem has j verdicts.
        mean_total: Mean reward over the samples that have one: the shaped total, not the accuracy.
        mean_thinking: Mean length of the thinking, in characters.
        mean_tokens: Mean number of tokens written.
        seconds: Time that writing took.
    """

    problems: int
    judged: int
    samples: int
    no_verdict: int
    cut_off: int
    unfinished: int
    truncated: int
    average: Interval | None
    standard_error: float | None
    pass_at: Mapping[int, float]
    mean_total: float | None
    mean_thinking: float
    mean_tokens: float
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self) | {"pass_at": {str(k): value for k, value in self.pass_at.items()}}


def summarise(records: Iterable[Record], k: int) -> TaskScore:
    """Return the numbers of some records.

    Args:
        records: Graded samples, at least one.
        k: How many samples each problem must have.

    Raises:
        ValueError: A problem has fewer than k samples, or there are no records.
    """
    records = list(records)
    if not records:
        raise ValueError("there is nothing to summarise: no records")
    verdicts: dict[str, list[bool | None]] = {}
    for record in records:
        verdicts.setdefault(record.group, []).append(record.correct)
    splits = [record.split for record in records]
    counted = Counter(record.group for record in records if record.correct is not None)
    totals = [record.reward.total for record in records if record.reward.total is not None]
    fewest = min(counted.values(), default=0)
    ks = [j for j in _powers_of_two(k) if j <= fewest]
    unfinished = [not split.finished for split in splits]
    return TaskScore(
        problems=len(verdicts),
        judged=len(counted),
        samples=len(records),
        no_verdict=len(records) - counted.total(),
        cut_off=sum(record.completion.cut_off for record in records),
        unfinished=sum(unfinished),
        truncated=sum(r.completion.cut_off or u for r, u in zip(records, unfinished, strict=True)),
        average=avg_at_k(verdicts, k),
        standard_error=standard_error(verdicts),
        pass_at={j: value for j in ks if (value := pass_at_k(verdicts, j)) is not None},
        mean_total=fmean(totals) if totals else None,
        mean_thinking=fmean(len(split.thinking) for split in splits),
        mean_tokens=fmean(record.completion.tokens for record in records),
        seconds=math.fsum(record.completion.seconds for record in records),
    )


def _powers_of_two(k: int) -> list[int]:
    """Return 1, 2, 4 ... and k itself."""
    return sorted({2**i for i in range(k.bit_length()) if 2**i <= k} | {k})
