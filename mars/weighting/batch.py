"""One training step of one task as strategies see it: what each source said, by prompt.

A source's failed scores, and the values that the recipe puts in for them, are no observations. Nor is a sample without
a reward, which trains nothing. Behind a gate, what a shaping source says is observed only where the gate is open,
for only there does it count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from mars.combining import CLOSED, SUBSTITUTED
from mars.types import Reward
from mars.weighting.task import Task

SPREAD = 1e-9
"""Variances up to this share of the squared range are rounding: the values are the same."""


class Batch:
    """The rewards of one step, grouped by prompt.

    Args:
        task: What was scored.
        rewards: One a sample. Those of one prompt have the same `group`.
    """

    def __init__(self, task: Task, rewards: Sequence[Reward]) -> None:
        self.task = task
        self.rewards = rewards
        groups: dict[str, list[Reward]] = {}
        for place, reward in enumerate(rewards):
            key = f"{reward.task}\n{reward.group}" if reward.group is not None else f"\n{place}"
            groups.setdefault(key, []).append(reward)
        self.groups = list(groups.values())
        self._observed: dict[str, list[list[float]]] = {}

    def value(self, name: str, reward: Reward) -> float | None:
        """Return what a source was observed to say of a sample, if anything."""
        if reward.total is None:
            return None
        component = reward[name]
        # What is only logged, of weight 0, is observed whether the gate is open or not: no note says it is closed.
        return None if component.note.startswith((SUBSTITUTED, CLOSED)) else component.value

    def by_group(self, name: str) -> list[list[float]]:
        """Return the observed values of a source, a list a prompt; prompts without any are left out."""
        if name not in self._observed:
            found = ([v for reward in group if (v := self.value(name, reward)) is not None] for group in self.groups)
            self._observed[name] = [values for values in found if values]
        return self._observed[name]

    def values(self, name: str) -> list[float]:
        """Return all observed values of a source."""
        return [value for values in self.by_group(name) for value in values]

    def mean(self, name: str) -> float | None:
        """Return the mean of a source, or `None` where nothing was observed."""
        values = self.values(name)
        return fmean(values) if values else None

    def variance(self, name: str) -> float | None:
        """Return the (population) variance of a source over the batch; rounding counts as 0."""
        values = self.values(name)
        return self._guarded(name, _squares(values) / len(values)) if values else None

    def variance_within(self, name: str) -> float | None:
        r"""Return the variance of a source among the completions of a prompt, over all prompts; rounding counts as 0.

        $\sum_g \sum_{i \in g} (v_i - \mu_g)^2 / \sum_g (n_g - 1)$: unbiased, so that sources that were observed in few
        completions of a prompt compare with those that were observed in all. It is what a source can teach a
        group-relative trainer. Prompts of which one value at most was observed tell nothing and are left out; `None`
        where that leaves none.
        """
        telling = [values for values in self.by_group(name) if len(values) > 1]
        if not telling:
            return None
        freedom = sum(len(values) - 1 for values in telling)
        return self._guarded(name, math.fsum(map(_squares, telling)) / freedom)

    def _guarded(self, name: str, spread: float) -> float:
        source = self.task.sources[name]
        return spread if spread > SPREAD * (source.high - source.low) ** 2 else 0.0


def _squares(values: Sequence[float]) -> float:
    """Return the sum of the squared distances from the mean; exactly 0 for equal values."""
    if min(values) == max(values):
        return 0.0
    mean = fmean(values)
    return math.fsum([(value - mean) ** 2 for value in values])
