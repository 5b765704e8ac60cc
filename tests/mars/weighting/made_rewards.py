"""Rewards as a system makes them, of scores that a test writes down; and the weights of a task as a recipe has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mars.combining import Policy, Route, combine
from mars.config import GateSettings, WeightingSettings
from mars.declaring import Kind
from mars.types import Reward, Sample, Score, Status
from mars.weighting import Task, WeighedSource
from mars.weighting.adaptive import Adaptive
from mars.weighting.planning import plan

FAILED = Score.failed(Status.TIMEOUT, "too slow")
SKIPPED = Score.failed(Status.SKIPPED, "not mine")

Said = Mapping[str, float | None]
"""What the sources say of one completion; `None`: it failed. A source that is not named failed too."""

KINDS = {"right": Kind.VERIFIER, "opinion": Kind.JUDGE, "long": Kind.PENALTY}
RANGES = {"long": (-1.0, 0.0), "points": (0.0, 10.0)}


def made_task(weights: Mapping[str, float], gate: str | None = None) -> Task:
    """Return a task of sources whose kinds and ranges go by their names."""
    sources = {
        name: WeighedSource(weight, KINDS.get(name, Kind.METRIC), *RANGES.get(name, (0.0, 1.0)))
        for name, weight in weights.items()
    }
    return Task("*", sources, gate, gate)


def weights_of(task: Task, strategy: str, bounds: Mapping[str, float] | None = None, /, **settings: Any) -> Adaptive:
    """Return a task's weights under a strategy, made the way a recipe makes them."""
    said = WeightingSettings(strategy=strategy, settings=settings, bounds=dict(bounds or {}))
    gate = GateSettings(source=task.gate, threshold=task.threshold) if task.gate else None
    return plan(task, said, gate, (), gate_is_said=True).make()


def rewarded(
    task: Task,
    group: str | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    substitutes: Mapping[str, float] | None = None,
    stand_ins: Mapping[str, tuple[str, Score]] | None = None,
    required: Iterable[str] = (),
    **said: float | Score,
) -> Reward:
    """Return the reward of one completion of which each source said a value or a score."""
    policies = {name: Policy(name in required, (substitutes or {}).get(name)) for name in said}
    scores = [value if isinstance(value, Score) else Score(value) for value in said.values()]
    gate = GateSettings(source=task.gate, threshold=task.threshold) if task.gate else None
    route = Route(task.name, tuple(said), gate, task.verdict)
    sample = Sample("an answer", task=task.name, group=group)
    return combine(route, scores, stand_ins or {}, policies, weights or task.base, sample)


def step(
    task: Task, *prompts: Sequence[Said], weights: Mapping[str, float] | None = None, substitute: float | None = None
) -> list[Reward]:
    """Return the rewards of one step, a list of completions a prompt.

    Args:
        task: The task.
        *prompts: What the sources say of each completion.
        weights: The weights at the time; by default the recipe's.
        substitute: What a failed score becomes; by default it is masked.
    """
    substitutes = {} if substitute is None else dict.fromkeys(task.sources, substitute)
    rewards: list[Reward] = []
    for number, prompt in enumerate(prompts):
        for said in prompt:
            values: dict[str, Any] = {
                name: FAILED if (value := said.get(name)) is None else value for name in task.sources
            }
            rewards.append(rewarded(task, f"prompt {number}", weights=weights, substitutes=substitutes, **values))
    return rewards
