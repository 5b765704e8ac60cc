"""What rose over a run: phrases that became common, with what they earn, and completions that beat the early ones.

A reward that is being hacked shows in the text before it shows in a mean. Phrases are found by comparing the first
third of the steps with the last one. What a phrase earns is measured where it can be told from all else: among the
completions of one prompt at one step, those with it against those without.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from mars.audit.rollouts import Rollout
from mars.audit.run.gained import Best, Gained
from mars.audit.run.risen import Meter, Risen, candidates, measure

Steps = Callable[[], Iterator[tuple[int, list[Rollout]]]]
FEWEST_STEPS = 3
SAMPLED = 400
"""Completions of either third whose phrases are sought; drawn evenly, with a fixed seed."""
REMEMBERED = 4000
"""Early completions that late ones are compared with."""
_SHOWN = 12


@dataclass(frozen=True)
class Rising:
    """What rose between the first and the last third of a run.

    Attributes:
        early: The first and the last step of the first third.
        late: And of the last third.
        phrases: The phrases, those first that rose most and earn most.
        completions: Completions that gained most, a few of each verdict; those that are not right first.
    """

    early: tuple[int, int]
    late: tuple[int, int]
    phrases: list[Risen]
    completions: list[Gained]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "early": list(self.early),
            "late": list(self.late),
            "phrases": [each.to_dict() for each in self.phrases],
            "completions": [each.to_dict() for each in self.completions],
        }


def rising(numbers: Sequence[int], steps: Steps) -> Rising | None:
    """Find what rose over a run. Reads the log twice.

    Args:
        numbers: The steps of the log, in order.
        steps: Reads the log.

    Returns:
        What was found; `None` for a run that is too short to tell: of fewer than three steps with completions.
    """
    if len(numbers) < FEWEST_STEPS:
        return None
    third = len(numbers) // 3
    early_end, late_start = numbers[third - 1], numbers[-third]
    early, late = _Reservoir(REMEMBERED), _Reservoir(SAMPLED)
    for number, rollouts in steps():
        part = early if number <= early_end else late if number >= late_start else None
        if part is not None:
            part.add(each for each in rollouts if not each.canary)
    if not early.kept or not late.kept:
        return None
    risen = candidates(early.some(SAMPLED), late.kept)
    best = Best(early.kept)
    meters = [Meter(each) for each in risen]
    for number, rollouts in steps():
        trained = [each for each in rollouts if not each.canary]
        measure(meters, number, trained)
        if number >= late_start:
            best.add(trained)
    for meter in meters:
        meter.finish()
    spread = _spread(late.kept)
    risen.sort(key=lambda each: -each.worth(spread))
    return Rising((numbers[0], early_end), (late_start, numbers[-1]), risen[:_SHOWN], best.found())


class _Reservoir:
    """An even draw of bounded size from a stream (algorithm R), the same every time."""

    def __init__(self, size: int) -> None:
        self.kept: list[Rollout] = []
        self._size = size
        self._seen = 0
        self._random = random.Random(0)

    def add(self, rollouts: Iterable[Rollout]) -> None:
        for each in rollouts:
            self._seen += 1
            if len(self.kept) < self._size:
                self.kept.append(each)
            elif (place := self._random.randrange(self._seen)) < self._size:
                self.kept[place] = each

    def some(self, size: int) -> list[Rollout]:
        return self.kept if len(self.kept) <= size else self._random.sample(self.kept, size)


def _spread(rollouts: Sequence[Rollout]) -> float:
    totals = [each.seen.reward.total for each in rollouts if each.seen.reward.total is not None]
    if len(totals) < 2:
        return 1.0
    mean = fmean(totals)
    return math.sqrt(fmean((total - mean) ** 2 for total in totals)) or 1.0
