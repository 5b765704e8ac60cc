"""The contracts: of a system's weighting, and of a strategy, which says what each source of one task deserves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mars.types import Reward
from mars.weighting.batch import Batch


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


class Strategy(Protocol):
    """Says what the sources of one task deserve. How far weights follow is the guard's to decide: see `bounds`.

    A strategy is registered with `@strategy(name)`, as a class that is made with the task and the settings.
    """

    def merits(self, batch: Batch) -> Mapping[str, float]:
        """Return what the sources deserve after one more step.

        Returns:
            For each source a finite number of 0 or more. The weights aim at `recipe's weight * merit`, scaled so that
            their sum stays what it was. They are averaged over steps, so the measure itself serves better than its
            share among those that were observed. A source that is not named keeps its weight: it is frozen, for want of
            evidence, or not the strategy's to move.
        """
        ...

    def logs(self) -> Mapping[str, float]:
        """Return what a trainer should log of the strategy beside the weights, such as a judge's agreement."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on from here, as JSON data."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        ...


class Stateless:
    """The rest of a strategy that remembers nothing and has nothing to log."""

    def logs(self) -> Mapping[str, float]:
        """Return nothing."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up nothing."""
