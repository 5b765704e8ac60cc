"""Means with honest intervals: samples of one question are not independent, and 30 of 30 right is not certainty."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Interval:
    """A mean with its 95% interval.

    Attributes:
        mean: The mean over questions of the mean over their samples.
        low: Lower end.
        high: Upper end.
        questions: How many questions.
        samples: How many samples in all.
    """

    mean: float
    low: float
    high: float
    questions: int
    samples: int

    def __str__(self) -> str:
        return f"{self.mean:.1%} [{self.low:.1%}, {self.high:.1%}]"


def proportion(values: Sequence[float], questions: Sequence[Hashable]) -> Interval:
    """Estimate a share (accuracy, avg@k) from values in [0, 1], clustered by question.

    The interval is Wilson's score interval (Wilson 1927) at the effective sample size n* = p(1-p)/SE^2 (Korn and
    Graubard 1998), where SE is the standard error of the mean over questions. It never leaves [0, 1] and never has no
    width.

    Args:
        values: One value in [0, 1] a sample.
        questions: The question that each sample answers.

    Raises:
        ValueError: When there are no values, a value is outside [0, 1], or the lengths differ.
    """
    if any(not 0 <= value <= 1 for value in values):
        raise ValueError("a proportion is made of values from 0 to 1")
    means = question_means(values, questions)
    n, mean = len(means), fmean(means)
    spread = math.fsum((m - mean) ** 2 for m in means) / (n - 1) / n if n > 1 else 0.0
    # With no spread between questions there is no more evidence than the questions themselves.
    effective = mean * (1 - mean) / spread if spread > 0 else float(n)
    effective = min(effective, float(len(values)))
    centre = (mean + _Z**2 / (2 * effective)) / (1 + _Z**2 / effective)
    half = _Z / (1 + _Z**2 / effective) * math.sqrt(mean * (1 - mean) / effective + _Z**2 / (4 * effective**2))
    # The mean is inside in exact arithmetic; at 0 and 1 rounding may put it a hair outside.
    return Interval(mean, min(mean, max(0.0, centre - half)), max(mean, min(1.0, centre + half)), n, len(values))


def question_means(values: Sequence[float], questions: Sequence[Hashable]) -> list[float]:
    """Return the mean value of each question, in the order in which questions first appear.

    Raises:
        ValueError: When there are no values, or the lengths differ.
    """
    if not values or len(values) != len(questions):
        raise ValueError(f"needs as many questions as values and at least one, got {len(questions)} and {len(values)}")
    by_question: dict[Hashable, list[float]] = {}
    for value, question in zip(values, questions, strict=True):
        by_question.setdefault(question, []).append(value)
    return [fmean(group) for group in by_question.values()]
