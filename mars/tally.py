"""Counting what was scored: statuses by source, masked samples, means. Failures are counted, never averaged in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from mars.types import Component, Reward, Status


@dataclass
class SourceTally:
    """What one source did.

    Attributes:
        statuses: How often it ended with each status.
        seconds: Time spent in it, summed over samples; identical inputs count once each.
        sum: Sum of the values that entered totals.
        valued: How many values there were.
    """

    statuses: Counter[Status] = field(default_factory=Counter)
    seconds: float = 0.0
    sum: float = 0.0
    valued: int = 0

    @property
    def mean(self) -> float | None:
        """Mean of the values that were given, or `None` when there was none."""
        return self.sum / self.valued if self.valued else None

    def share(self, status: Status) -> float:
        """Share of the samples that ended with a status, 0 to 1."""
        return self.statuses[status] / max(1, self.statuses.total())

    def _add(self, component: Component) -> None:
        self.statuses[component.score.status] += 1
        self.seconds += component.score.seconds
        if component.value is not None:
            self.sum += component.value
            self.valued += 1


@dataclass
class Tally:
    """What became of many samples; grows by `add` and needs no memory of them."""

    samples: int = 0
    masked: int = 0
    total_sum: float = 0.0
    sources: dict[str, SourceTally] = field(default_factory=dict)

    @classmethod
    def of(cls, rewards: Iterable[Reward]) -> Tally:
        """Count a batch."""
        tally = cls()
        for reward in rewards:
            tally.add(reward)
        return tally

    def add(self, reward: Reward) -> None:
        """Count one reward."""
        self.samples += 1
        if reward.total is None:
            self.masked += 1
        else:
            self.total_sum += reward.total
        for component in reward.components:
            self.sources.setdefault(component.name, SourceTally())._add(component)

    @property
    def mean(self) -> float | None:
        """Mean total over the samples that have one."""
        scored = self.samples - self.masked
        return self.total_sum / scored if scored else None
