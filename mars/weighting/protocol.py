"""The contract of every weighting strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mars.types import Reward


class Weighting(Protocol):
    """Gives the sources of each task their weights, and may learn from what was scored.

    Scoring only reads weights; a trainer calls `update` once a step. So grading with a trained strategy does not change
    it.
    """

    def weights(self, task: str) -> Mapping[str, float]:
        """Return the weight of each source of a task, by name."""
        ...

    def update(self, batch: Sequence[Reward]) -> None:
        """Learn from the rewards of one training step."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on from here, as JSON data."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        ...
