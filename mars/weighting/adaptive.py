"""A task's weights as a strategy moves them, within the guard's bounds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mars.errors import ConfigError, TrainingError
from mars.types import Reward
from mars.weighting.batch import Batch
from mars.weighting.bounds import Bounds, aim, approach
from mars.weighting.protocol import Strategy
from mars.weighting.task import Task


class Adaptive:
    """The weights of one task.

    They start at the recipe's. Each step the strategy says what the sources deserve, and the weights move towards
    a running mean of that by a bounded step. Signs are the recipe's, the sum of the magnitudes stays constant,
    and a source of weight 0 stays at 0.

    Args:
        task: The task.
        name: The strategy's name and settings, by which a checkpoint is recognised.
        strategy: Says what the sources deserve.
        bounds: How far and how fast.
        adapts: Whether the strategy ever moves a weight of this task.
        by_voice: Whether a prompt of which only part of the weight speaks is to teach by that part only.
    """

    def __init__(
        self,
        task: Task,
        name: Mapping[str, Any],
        strategy: Strategy,
        bounds: Bounds,
        *,
        adapts: bool = True,
        by_voice: bool = False,
    ) -> None:
        self.task = task
        self.strategy = strategy
        self.bounds = bounds
        self.by_voice = by_voice
        self.moves = adapts and len(task.counted) > 1
        """Whether any weight may ever change."""
        told = {
            **name,
            "bounds": bounds.model_dump(),
            "base": task.base,
            "gate": task.gate,
            "threshold": task.threshold,
        }
        # As a checkpoint has it, whose JSON knows neither tuples nor numbers for keys.
        self.name: Mapping[str, Any] = json.loads(json.dumps(told))
        self._base = {source: abs(task.sources[source].weight) for source in task.counted}
        self._sizes = dict(self._base)
        self._deserved: dict[str, float] = {}

    def weights(self) -> dict[str, float]:
        """Return the weights, by source."""
        return {
            name: math.copysign(self._sizes[name], weight) if name in self._sizes else 0.0
            for name, weight in self.task.base.items()
        }

    def update(self, rewards: Sequence[Reward]) -> None:
        """Learn from one step. The strategy sees every step; where no sample has a reward, no weight moves.

        Raises:
            TrainingError: When the strategy returns what is no merit.
        """
        merits = self._counting(self.strategy.merits(Batch(self.task, rewards)))
        nothing_trained = all(reward.total is None for reward in rewards)
        # Where nothing deserves anything, nothing tells who deserves more.
        if nothing_trained or not any(merits.values()):
            return
        past = self.bounds.smoothing
        for name, merit in merits.items():
            self._deserved[name] = past * self._deserved[name] + (1 - past) * merit if name in self._deserved else merit
        moving = {name: self._deserved[name] for name in merits}
        if len(moving) < 2 or not any(moving.values()):
            return
        now = {name: self._sizes[name] for name in moving}
        aimed = aim({name: self._base[name] for name in moving}, moving, math.fsum(now.values()), self.bounds)
        self._sizes |= approach(now, aimed, self.bounds.max_change * math.fsum(self._base.values()))

    def _counting(self, merits: Mapping[str, float]) -> dict[str, float]:
        """Return the merits of the sources that count.

        Raises:
            TrainingError: When one is no merit, or of no source.
        """
        said = f"the weighting strategy {self.name['strategy']!r} of the task {self.task.name!r}"
        for name, merit in merits.items():
            if name not in self.task.sources:
                raise TrainingError(f"{said} weighs {name!r}, no source here")
            if not (isinstance(merit, int | float) and math.isfinite(merit) and merit >= 0):
                reason = "a merit is a finite number of 0 or more; leave out a source to keep its weight"
                raise TrainingError(f"{said} gave {name!r} {merit!r}: {reason}")
        return {name: float(merit) for name, merit in merits.items() if name in self._base}

    def logs(self) -> Mapping[str, float]:
        """Return what the strategy has to log."""
        return self.strategy.logs()

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on from here."""
        return {
            "name": self.name,
            "sizes": dict(self._sizes),
            "deserved": dict(self._deserved),
            "strategy": self.strategy.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            ConfigError: When it is damaged, or of another strategy, other settings or other weights: that would be
                another run.
        """
        where = f"the checkpoint's weighting of the task {self.task.name!r}"
        again = "resume with the recipe of the run, or start a new run"
        if not isinstance(state, Mapping) or "name" not in state:
            raise ConfigError(f"{where} is damaged: it names no strategy; {again}")
        if state["name"] != self.name:
            raise ConfigError(f"{where} is {state['name']}, the recipe's is {self.name}; {again}")
        try:
            sizes = _numbers(state["sizes"], self._base, complete=True)
            deserved = _numbers(state["deserved"], self._base)
            self.strategy.load_state_dict(state["strategy"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"{where} is damaged: {type(error).__name__}: {error}; resume another one") from error
        self._sizes, self._deserved = sizes, deserved


def _numbers(found: Mapping[str, Any], names: Iterable[str], *, complete: bool = False) -> dict[str, float]:
    """Return a number of 0 or more for each name, or for some.

    Raises:
        ValueError: When another name, or no such number, is there.
    """
    names = set(names)
    if not (set(found) == names if complete else set(found) <= names):
        raise ValueError(f"it has numbers for {sorted(found)}, the sources that count are {sorted(names)}")
    for name, number in found.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < math.inf:
            raise ValueError(f"{name!r} has {number!r}, not a finite number of 0 or more")
    return dict(found)
