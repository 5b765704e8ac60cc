"""Weight for the sources that are learned slowly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mars.config import Number
from mars.weighting.batch import Batch
from mars.weighting.bounds import Bounds
from mars.weighting.strategies import strategy
from mars.weighting.task import Task

_WORST = 2.0
"""A pace from which on it is not learning but chance, or a collapse that weight alone does not mend."""


class ProgressSettings(BaseModel):
    """Settings of `progress`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    window: int = Field(
        default=10, strict=True, ge=1, le=1000, description="steps whose mean is compared with that of as many before"
    )
    temperature: Number = Field(
        default=0.2, ge=0.01, le=100, description="the lower, the more a difference in speed weighs; the paper has 2"
    )
    saturated: Number = Field(
        default=0.02, gt=0, lt=1, description="a source this near to its best, as a share of its range, is frozen"
    )


@strategy("progress", settings=ProgressSettings, bounds=Bounds())
class Progress:
    r"""Dynamic weight averaging: what is learned slowly gets weight (Liu et al., arXiv 1803.10704, eq. 7).

    The merit of source k is $\exp((\rho_k - 1) / T)$ with $\rho_k = L_k(t-1) / L_k(t-2)$, cut at 2: 1 for what stands
    still, less for what improves. As the sum of the weights is constant, the weights are the paper's softmax of
    $\rho_k / T$ over the sources compared. For losses the paper takes means over an epoch. For rewards $L_k$ is the
    distance of the source's mean from the best end of its range (the lowest, where its weight is negative), as a share
    of the range, and t counts windows: the last `window` steps against as many before. The windows lie side by side;
    running means would share most of their steps, and their ratio would tell less.

    Such ratios lie near 1: at 2 % a step over ten steps, 0.82. The paper's T = 2 makes of that weights of 0.52 and
    0.48, less than is worth having; T = 0.2 makes 0.69 and 0.31, against which the noise of 64 samples a step moves
    weights by 0.03 or so.

    Until both windows are full, and once it is saturated (within `saturated` of its best in either), a source keeps its
    weight. Behind a gate only shaping is weighed, on the samples where the gate is open.

    Where it loses: it takes what cannot be learned for what is learned slowly. A source of pure noise stands still, and
    draws weight from one that improves; nor does it know which source matters. Where a source is noisy use
    `reliability`, where only differences within a prompt should count `signal`.
    """

    def __init__(self, task: Task, settings: ProgressSettings) -> None:
        self._task = task
        self._settings = settings
        self._distances: dict[str, list[float]] = {name: [] for name in task.shaping}

    def merits(self, batch: Batch) -> dict[str, float]:
        """Return how little each source came nearer to its best, as a power; saturated ones are left out."""
        for name in self._distances:
            self._observe(name, batch)
        pace = {name: ratio for name in self._distances if (ratio := self._pace(name)) is not None}
        return {name: math.exp((min(ratio, _WORST) - 1) / self._settings.temperature) for name, ratio in pace.items()}

    def _observe(self, name: str, batch: Batch) -> None:
        mean = batch.mean(name)
        if mean is None:
            return
        source = self._task.sources[name]
        away = source.high - mean if source.weight > 0 else mean - source.low
        kept = [*self._distances[name], away / (source.high - source.low)]
        self._distances[name] = kept[-2 * self._settings.window :]

    def _pace(self, name: str) -> float | None:
        """Return the distance of the last window over that of the one before, unless it tells nothing."""
        distances, window = self._distances[name], self._settings.window
        if len(distances) < 2 * window:
            return None
        before, now = fmean(distances[:window]), fmean(distances[window:])
        return now / before if min(before, now) > self._settings.saturated else None

    def logs(self) -> dict[str, float]:
        """Return the pace of each source that is compared: 1 stands still, below 1 improves."""
        return {f"pace/{name}": pace for name in self._distances if (pace := self._pace(name)) is not None}

    def state_dict(self) -> dict[str, Any]:
        """Return the distances within both windows."""
        return {"distances": {name: list(distances) for name, distances in self._distances.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._distances = {name: list(state["distances"][name]) for name in self._distances}
