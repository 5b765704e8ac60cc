"""Weights by step, as the recipe writes them down."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mars.config import Number
from mars.errors import ConfigError
from mars.weighting.batch import Batch
from mars.weighting.bounds import Bounds
from mars.weighting.naming import checked_movable
from mars.weighting.strategies import strategy
from mars.weighting.task import Task

Shape = Literal["linear", "cosine", "step"]
Curve = Annotated[dict[Annotated[int, Field(ge=0)], Annotated[Number, Field(ge=0, le=1000)]], Field(min_length=1)]


class ScheduleSettings(BaseModel):
    """Settings of `schedule`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    points: dict[str, Curve] = Field(
        min_length=1,
        description="for each source, what its weight is multiplied by from which step on: {0: 1, 100: 0.2}",
        examples=[{"format": {0: 1, 100: 0.2}}],
    )
    shape: Shape = Field(
        default="linear", description="what lies between two points: a line, half a cosine, or the earlier one's value"
    )


@strategy("schedule", settings=ScheduleSettings, bounds=Bounds(floor=0, ceiling=1000, smoothing=0))
class Schedule:
    r"""Weights by step: a multiplier of the recipe's weight for each source, between given points.

    The merit of source k at step t is $m_k(t)$: between the points $(t_0, m_0)$ and $(t_1, m_1)$ it is
    $m_0 + (m_1 - m_0)\,s(x)$ with $x = (t - t_0) / (t_1 - t_0)$ and $s(x) = x$ (linear), $(1 - \cos \pi x) / 2$
    (cosine) or 0 (step); before the first point and after the last it is constant, and 1 for sources without points.
    The cosine is that of SGDR (Loshchilov and Hutter, arXiv 1608.03983, eq. 5).

    Steps are the batches that were scored and learned from and had any completion of the task, so t = 1 after the
    first, and the clock of a task that is rare among others runs slower than the trainer's. Multipliers are relative,
    for the sum of the weights is constant: where one of two equal sources goes to 0.2, the weights are 1/6 and 5/6 of
    the sum. The weights start at the recipe's, and the guard applies: a jump, also one at step 0, is spread over as
    many steps as `max_change` asks for (`bounds: {max_change: 1}` lets it through).

    It looks at nothing: where training goes faster or slower than foreseen, the weights are wrong. Use it for what is
    known beforehand; `signal` and `constraint` do the like of "format first, then correctness" by what they see.
    """

    def __init__(self, task: Task, settings: ScheduleSettings) -> None:
        for name in settings.points:
            checked_movable(task, name, "points", name)
        self._task = task
        self._points = {name: sorted(curve.items()) for name, curve in settings.points.items()}
        self._shape: Shape = settings.shape
        self._step = 0
        self._check_something_counts()

    def _check_something_counts(self) -> None:
        for step in sorted({step for curve in self._points.values() for step, _ in curve}):
            if not any(self._multipliers(step).values()):
                reason = f"at step {step} every source of the task {self._task.name!r} is multiplied by 0"
                raise ConfigError(f"{reason}: nothing would count; leave one above 0", ("settings", "points"))

    def _multipliers(self, step: int) -> dict[str, float]:
        points, shape = self._points, self._shape
        return {name: interpolate(points[name], step, shape) if name in points else 1.0 for name in self._task.counted}

    def merits(self, batch: Batch) -> dict[str, float]:
        """Return the multipliers of the next step."""
        self._step += 1
        return self._multipliers(self._step)

    def logs(self) -> dict[str, float]:
        """Return the multipliers asked for, which the weights follow as fast as the guard lets them."""
        return {f"multiplier/{name}": self._multipliers(self._step)[name] for name in self._points}

    def state_dict(self) -> dict[str, Any]:
        """Return the step."""
        return {"step": self._step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._step = int(state["step"])


def interpolate(points: list[tuple[int, float]], step: int, shape: Shape) -> float:
    """Return the value of a curve at a step, constant outside its points.

    Args:
        points: Steps and values, one or more, by step.
        step: Where.
        shape: What lies between two points.
    """
    place = bisect_right(points, step, key=lambda point: point[0])
    if place in (0, len(points)):
        return points[0 if place == 0 else -1][1]
    (begin, before), (end, after) = points[place - 1], points[place]
    share = (step - begin) / (end - begin)
    if shape == "step":
        return before
    if shape == "cosine":
        share = (1 - math.cos(math.pi * share)) / 2
    return (1 - share) * before + share * after
