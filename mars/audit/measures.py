"""What an audit measures of a verifier: agreement with labels, with intervals, and time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mars.statistics import proportion
from mars.types import Sample
from mars.verifying.show import clip

KEPT = 2000
"""Most characters of a reference or an answer that a disagreement keeps: its head and its end."""
_EXPLAINED = ("status", "reason", "stage", "rule", "extracted", "reference_form", "answer_form", "seconds")


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled answer.

    Attributes:
        line: Its line in its file.
        id: Its name, if it has one.
        expected: Whether it is right.
        sample: What the verifier is asked.
    """

    line: int
    id: Any
    expected: bool
    sample: Sample


@dataclass(frozen=True)
class Measures:
    """What a verifier came to on labelled answers.

    A verdict that is missing (undecided, error, time-out) counts as "not accepted": against recall where the answer is
    right, and as agreement where it is wrong. It is also shown by itself.

    Attributes:
        n: How many answers.
        accuracy: Share on which acceptance and label agree; `None` without answers.
        recall: Share of the right answers that are accepted; `None` without right answers.
        false_positive_rate: Share of the wrong answers that are accepted; `None` without wrong answers.
        undecided: Share without a verdict.
        p50_ms: Median time of an answer inside its worker.
        p95_ms: 95th percentile.
        p99_ms: 99th percentile.
        worst_ms: The longest; a time-out counts its deadline.
        per_second: Answers a second by the clock, all workers together, their start not counted.
        intervals: 95% Wilson intervals of the shares, by name; rows are taken as independent.
        agree: On how many answers acceptance and label agree.
        positives: How many answers are right.
        negatives: How many are wrong.
        statuses: How many answers have each status.
    """

    n: int
    accuracy: float | None
    recall: float | None
    false_positive_rate: float | None
    undecided: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    worst_ms: float | None
    per_second: float | None
    intervals: Mapping[str, tuple[float, float]]
    agree: int
    positives: int
    negatives: int
    statuses: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


@dataclass
class Trial:
    """The verdicts of one verifier, gathered one by one.

    Attributes:
        source: The verifier's name.
        settings: Its settings, where they are not its defaults.
        disagreements: Every answer whose acceptance is not its label, explained.
        wall_s: Time by the clock, the start of workers not counted.
    """

    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    disagreements: list[dict[str, Any]] = field(default_factory=list)
    wall_s: float = 0.0
    _pairs: Counter[tuple[bool, bool | None]] = field(default_factory=Counter)
    _seconds: list[float] = field(default_factory=list)
    _statuses: Counter[str] = field(default_factory=Counter)

    def add(self, item: Item, record: Mapping[str, Any]) -> None:
        """Take in the explained verdict on one answer."""
        verdict = record["verdict"]
        self._pairs[item.expected, verdict] += 1
        self._statuses[record["status"]] += 1
        # What died with its worker has no time.
        if record["seconds"] > 0 or verdict is not None:
            self._seconds.append(record["seconds"])
        if (verdict is True) is not item.expected:
            self.disagreements.append(
                {
                    "line": item.line,
                    "id": item.id,
                    "gold": clip(str(item.sample.reference), KEPT),
                    "answer": clip(item.sample.completion, KEPT),
                    "expected": item.expected,
                    "got": verdict,
                    **{key: record[key] for key in _EXPLAINED},
                }
            )

    @property
    def times(self) -> Sequence[float]:
        """The seconds that each answer took inside its worker, in the order of the answers."""
        return self._seconds

    def measures(self) -> Measures:
        """Return what the verdicts so far come to."""
        count = self._pairs
        positives = count[True, True] + count[True, False] + count[True, None]
        negatives = count[False, True] + count[False, False] + count[False, None]
        n = positives + negatives
        agree = count[True, True] + negatives - count[False, True]
        shares = {
            "accuracy": (agree, n),
            "recall": (count[True, True], positives),
            "false_positive_rate": (count[False, True], negatives),
            "undecided": (count[True, None] + count[False, None], n),
        }
        times = sorted(self._seconds)
        return Measures(
            n=n,
            **{name: part / whole if whole else None for name, (part, whole) in shares.items()},
            p50_ms=percentile_ms(times, 0.50),
            p95_ms=percentile_ms(times, 0.95),
            p99_ms=percentile_ms(times, 0.99),
            worst_ms=percentile_ms(times, 1.0),
            per_second=round(n / self.wall_s, 1) if self.wall_s > 0 else None,
            intervals={name: wilson(part, whole) for name, (part, whole) in shares.items() if whole},
            agree=agree,
            positives=positives,
            negatives=negatives,
            statuses=dict(self._statuses),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "verifier": self.source,
            "settings": dict(self.settings),
            **self.measures().to_dict(),
            "disagreements": self.disagreements,
        }


def percentile_ms(times: Sequence[float], share: float) -> float | None:
    """Return the smallest time, in milliseconds, within which a share of the answers came; `None` without any.

    Args:
        times: Seconds, sorted.
        share: Above 0 and at most 1.
    """
    return round(1000 * times[math.ceil(share * len(times)) - 1], 3) if times else None


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95% Wilson interval of a share of independent rows."""
    found = proportion([1.0] * part + [0.0] * (whole - part), range(whole))
    return found.low, found.high
