"""Weights that never change: the recipe's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mars.errors import ConfigError
from mars.types import Reward
from mars.weighting.batch import Batch
from mars.weighting.protocol import Stateless
from mars.weighting.strategies import NoSettings, strategy
from mars.weighting.task import Task


@strategy("static", adapts=False)
class Static(Stateless):
    """The recipe's weights, whatever happens."""

    def __init__(self, task: Task, settings: NoSettings) -> None:
        pass

    def merits(self, batch: Batch) -> dict[str, float]:
        """Return nothing: every weight is kept."""
        return {}


class StaticWeighting:
    """A system's weighting with given weights, for use from Python.

    Args:
        weights: For each task, the weight of each of its sources.
    """

    moves = False
    """Whether any weight may ever change."""

    def __init__(self, weights: Mapping[str, Mapping[str, float]]) -> None:
        self._weights = {task: dict(by_source) for task, by_source in weights.items()}

    def weights(self, task: str) -> Mapping[str, float]:
        """Return the weight of each source of a task, by name."""
        return self._weights[task]

    def update(self, batch: Sequence[Reward]) -> None:
        """Learn nothing: static weights have no state."""

    def state_dict(self) -> dict[str, Any]:
        """Return the weights, so that a resumed run can tell that its recipe was changed."""
        return {"strategy": "static", "weights": self._weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Check that the state is of the same weights.

        Raises:
            ConfigError: When it is not: resuming with other weights would be another run.
        """
        if state.get("strategy") != "static" or state.get("weights") != self._weights:
            raise ConfigError(
                f"the checkpoint was trained with weights {state.get('weights')}, the recipe has {self._weights}; "
                "resume with the recipe of the run, or start a new run"
            )
