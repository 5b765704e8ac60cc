"""What a run's completions come to, step by step: the lines of the page's charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from mars.audit.rollouts import Rollout
from mars.audit.tasks import TaskFinder
from mars.types import Status
from mars.weighting.task import Task

Line = dict[int, float]
"""Values by step."""


@dataclass
class Curves:
    """Lines over steps, by name.

    Attributes:
        tasks: The tasks of the log.
        components: Mean value of each source, and of the total.
        accuracy: Share of right answers among those with a verdict, by the task that the data names.
        weights: What each source counts for, by the recipe's task.
        statuses: Share of the samples without a verdict, by source and status.
        length: Mean length of the completions in characters, by the task that the data names.
    """

    tasks: Mapping[str, Task]
    components: dict[str, Line] = field(default_factory=dict)
    accuracy: dict[str, Line] = field(default_factory=dict)
    weights: dict[str, dict[str, Line]] = field(default_factory=dict)
    statuses: dict[str, Line] = field(default_factory=dict)
    length: dict[str, Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._finder = TaskFinder(self.tasks)

    def add(self, step: int, rollouts: Sequence[Rollout]) -> None:
        """Take in the completions of one step, canaries left out."""
        by_task: dict[str, list[Rollout]] = {}
        values: dict[str, list[float]] = {}
        statuses: dict[str, list[Status]] = {}
        for each in rollouts:
            by_task.setdefault(each.seen.sample.task, []).append(each)
            for part in each.seen.reward.components:
                statuses.setdefault(part.name, []).append(part.score.status)
                if part.value is not None:
                    values.setdefault(part.name, []).append(part.value)
        totals = [each.seen.reward.total for each in rollouts if each.seen.reward.total is not None]
        if totals:
            values["total"] = totals
        for name, found in values.items():
            self.components.setdefault(name, {})[step] = fmean(found)
        self._add_statuses(step, statuses, masked=1 - len(totals) / max(1, len(rollouts)))
        for name, chosen in by_task.items():
            verdicts = [each.correct for each in chosen if each.correct is not None]
            if verdicts:
                self.accuracy.setdefault(name, {})[step] = fmean(verdicts)
            self.length.setdefault(name, {})[step] = fmean(len(each.seen.sample.completion) for each in chosen)
        self._add_weights(step, rollouts)

    def _add_statuses(self, step: int, statuses: Mapping[str, Sequence[Status]], masked: float) -> None:
        shares = {"masked": masked}
        for name, found in statuses.items():
            for status in Status:
                if status is not Status.OK:
                    shares[f"{name}: {status}"] = found.count(status) / len(found)
        for name, share in shares.items():
            self.statuses.setdefault(name, {})[step] = share

    def _add_weights(self, step: int, rollouts: Sequence[Rollout]) -> None:
        weights: dict[tuple[str, str], list[float]] = {}
        for each in rollouts:
            task = self._finder.find(each.seen.sample.task)
            if task is not None:
                for part in each.seen.reward.components:
                    weights.setdefault((task.name, part.name), []).append(part.weight)
        for (name, source), found in weights.items():
            self.weights.setdefault(name, {}).setdefault(source, {})[step] = fmean(found)
