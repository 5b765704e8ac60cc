"""Weight by Lagrangian multipliers that hold targets: a format rate at or above 0.95, a mean length of at most 200."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mars.config import Number
from mars.errors import ConfigError, TrainingError, did_you_mean
from mars.types import Score
from mars.weighting.batch import Batch
from mars.weighting.bounds import Bounds
from mars.weighting.naming import checked_movable
from mars.weighting.strategies import strategy
from mars.weighting.task import Task

PATIENCE = 10
"""Steps after which a measure that no score has had is taken for a mistake."""


class Target(BaseModel):
    """Where a mean is to be held: `at_least` or `at_most`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: Number | None = Field(default=None, description="hold the mean at or above this")
    at_most: Number | None = Field(default=None, description="hold the mean at or below this")
    measure: str | None = Field(
        default=None, min_length=1, description="a number in the details of the source's scores; by default their value"
    )

    @model_validator(mode="after")
    def _one_sided(self) -> Target:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a target is either at_least or at_most a number")
        if self.measure is not None and self.limit <= 0:
            raise ValueError(f"a measure is held at a number above 0, got {self.limit:g}")
        return self

    @property
    def limit(self) -> float:
        """Where it is held."""
        limit = self.at_most if self.at_least is None else self.at_least
        assert limit is not None
        return limit

    @property
    def sign(self) -> float:
        """1 where more than the limit is a violation, -1 where less is."""
        return 1.0 if self.at_least is None else -1.0


class ConstraintSettings(BaseModel):
    """Settings of `constraint`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    targets: dict[str, Target] = Field(
        min_length=1,
        description="by source: {format: {at_least: 0.95}, brevity: {measure: length, at_most: 200}}",
        examples=[{"format": {"at_least": 0.95}}],
    )
    rate: Number = Field(default=0.2, gt=0, le=100, description="what a violation of 1 adds to the multiplier a step")
    gain: Number = Field(
        default=5.0, ge=0, le=1000, description="what a violation of 1 adds while it lasts; damps swings; 0: none"
    )
    most: Number = Field(default=10.0, ge=1, le=1000, description="the highest multiplier")


@strategy("constraint", settings=ConstraintSettings, bounds=Bounds(floor=0.05, ceiling=1000, smoothing=0))
class Constraint:
    r"""Lagrangian multipliers: a source's weight grows while its target is missed and shrinks while it is met.

    The merit of a source k with a target is $[\lambda_k + g v_k]$, with $\lambda_k \leftarrow [\lambda_k + \eta v_k]$,
    g `gain`, $\eta$ `rate`, $v_k$ the violation, and [] cut to 0 .. `most`. Multipliers start at 1, the recipe's
    weight; sources without a target have merit 1. It is dual ascent on the Lagrangian (Tessler et al., arXiv
    1805.11074) in the proportional-integral form of Stooke et al. (arXiv 2007.03964, algorithm 2), whose term
    $g v_k$ answers at once and so damps the swings of an integral that sees the policy's answer late.

    Violations are unit-free, above 0 where the target is missed, cut to -1 .. 1: (limit - mean) / range for
    `at_least` of a source's value, mean / limit - 1 for `at_most` of a measure, and so on by sign. A `measure` is a
    number in `score.details`, or in its `rates`. Means are over all samples of the step with a score, also those
    behind a closed gate: a target is for all completions. A step without any changes nothing.

    The sum of the weights is constant, so a growing multiplier takes from the objective, the gate's weight included;
    behind a gate the pressure is felt on right answers only. Inside `gated` the gate's weight is not touched, so there
    a lone shaping source is refused: name `gate` and this strategy side by side instead. The floor is not 0, lest a
    policy forget what it is no longer paid for.

    Where it loses: where a target cannot be had, the multiplier stays at `most` and the objective starves. A policy
    that answers late (50 steps) is driven past the limit before it settles; a lower `rate` helps. Near the end of a
    range violations are small and the last hundredths come slowly; there a higher one does. And a trainer that scales
    each prompt by its own deviation (`scale_rewards: group`) feels a multiplier only on prompts where sources disagree.
    """

    def __init__(self, task: Task, settings: ConstraintSettings) -> None:
        for name, target in settings.targets.items():
            _check(task, name, target)
        self._task = task
        self._settings = settings
        self._multipliers = dict.fromkeys(settings.targets, 1.0)
        self._violations: dict[str, float] = {}
        # How many steps a measure was waited for; `None` once it was seen.
        self._waited: dict[str, int | None] = {
            name: 0 for name, target in settings.targets.items() if target.measure is not None
        }

    def merits(self, batch: Batch) -> dict[str, float]:
        """Return the multipliers, and 1 for sources without a target.

        Raises:
            TrainingError: When no score has a measure that a target names.
        """
        for name in self._settings.targets:
            violation = self._violation(name, batch)
            if violation is not None:
                self._violations[name] = violation
                self._multipliers[name] = self._cut(self._multipliers[name] + self._settings.rate * _unit(violation))
        return {name: self._merit(name) if name in self._multipliers else 1.0 for name in self._task.counted}

    def _merit(self, name: str) -> float:
        return self._cut(self._multipliers[name] + self._settings.gain * _unit(self._violations.get(name, 0.0)))

    def _cut(self, multiplier: float) -> float:
        return min(max(multiplier, 0.0), self._settings.most)

    def _violation(self, name: str, batch: Batch) -> float | None:
        target, source = self._settings.targets[name], self._task.sources[name]
        scores = [reward[name].score for reward in batch.rewards]
        if target.measure is None:
            found = [score.value for score in scores if score.value is not None]
            unit = source.high - source.low
        else:
            found = [number for score in scores if (number := _measured(score, target.measure)) is not None]
            unit = target.limit
            self._wait(name, target.measure, scores, bool(found))
        return target.sign * (fmean(found) - target.limit) / unit if found else None

    def _wait(self, name: str, measure: str, scores: list[Score], found: bool) -> None:
        """Refuse a measure that is never there. A step of completions too poor to be measured is no mistake."""
        waited = self._waited[name]
        if found or waited is None:
            self._waited[name] = None
            return
        self._waited[name] = waited = waited + any(score.value is not None for score in scores)
        if waited >= PATIENCE:
            numbers = {key for score in scores for key in _numbers(score)}
            known = did_you_mean(measure, numbers) or " They have no numbers at all."
            raise TrainingError(
                f"the weighting of the task {self._task.name!r} holds {name!r} by the measure {measure!r}, which is "
                f"not in the details of its scores.{known}"
            )

    def logs(self) -> dict[str, float]:
        """Return each multiplier asked for, and how far its target was missed last (above 0) or met."""
        found = {f"lambda/{name}": self._merit(name) for name in self._multipliers}
        return found | {f"violation/{name}": violation for name, violation in self._violations.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the multipliers and what is needed to go on."""
        return {
            "multipliers": dict(self._multipliers),
            "violations": dict(self._violations),
            "waited": dict(self._waited),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._multipliers = {name: float(state["multipliers"][name]) for name in self._multipliers}
        self._violations = {name: float(state["violations"][name]) for name in state["violations"]}
        self._waited = {name: state["waited"][name] for name in self._waited}


def _unit(violation: float) -> float:
    """Return a violation cut to -1 .. 1, so that one wild step does not throw a multiplier."""
    return min(max(violation, -1.0), 1.0)


def _numbers(score: Score) -> dict[str, float]:
    """Return the numbers in a score's details, those of its rates among them."""
    rates = score.details.get("rates")
    details = {**(rates if isinstance(rates, Mapping) else {}), **score.details}
    return {key: float(value) for key, value in details.items() if isinstance(value, int | float) and isfinite(value)}


def _measured(score: Score, measure: str) -> float | None:
    return _numbers(score).get(measure)


def _check(task: Task, name: str, target: Target) -> None:
    path = ("targets", name)
    source = task.sources[checked_movable(task, name, *path)]
    if name == task.gate:
        reason = f"{name!r} is the gate of the task {task.name!r}, the objective itself; hold targets of other sources"
        raise ConfigError(reason, ("settings", *path))
    if target.measure is not None:
        return
    side = "at_most" if target.at_least is None else "at_least"
    if not source.low <= target.limit <= source.high:
        reason = f"{name!r} has values from {source.low:g} to {source.high:g}, never beyond {target.limit:g}"
        raise ConfigError(reason, ("settings", *path, side))
    if (source.weight > 0) is (side == "at_most"):
        reason = f"a weight of {source.weight:g} drives {name!r} the other way, so more of it cannot hold {side}"
        raise ConfigError(f"{reason}: {target.limit:g}; hold it on the other side", ("settings", *path, side))
