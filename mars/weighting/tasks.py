"""A system's weighting: each task weighed by its own strategy, on its own samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mars.errors import ConfigError
from mars.routing import Router
from mars.types import Reward
from mars.weighting.adaptive import Adaptive
from mars.weighting.strategies import Aggregation


class TaskWeighting:
    """The weights of every task of a recipe.

    Args:
        tasks: Each task's weights, by the task's name or pattern.
        router: Says by which name or pattern a sample's own task is weighed.
        aggregation: How a trainer is to make advantages of several sources, as TRL calls it.
    """

    def __init__(
        self, tasks: Mapping[str, Adaptive], router: Router, aggregation: Aggregation = "sum_then_normalize"
    ) -> None:
        self.tasks: Mapping[str, Adaptive] = dict(tasks)
        self._router = router
        self.aggregation: Aggregation = aggregation

    def weights(self, task: str) -> Mapping[str, float]:
        """Return the weight of each source of a task, by name."""
        return self.tasks[task].weights()

    def update(self, batch: Sequence[Reward]) -> None:
        """Learn from the rewards of one training step; a task without any keeps its weights."""
        parts: dict[str, list[Reward]] = {}
        for reward in batch:
            route = self._router.route(reward.task)
            if route is not None:
                parts.setdefault(route.task, []).append(reward)
        for task, rewards in parts.items():
            self.tasks[task].update(rewards)

    def logs(self) -> dict[str, dict[str, float]]:
        """Return what each task's strategy has to log."""
        return {task: dict(weights.logs()) for task, weights in self.tasks.items()}

    @property
    def moves(self) -> bool:
        """Whether any weight may ever change."""
        return any(weights.moves for weights in self.tasks.values())

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on from here."""
        return {task: weights.state_dict() for task, weights in self.tasks.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            ConfigError: When it is damaged, or of another recipe; then everything stays as it was.
        """
        if not isinstance(state, Mapping) or set(state) != set(self.tasks):
            raise ConfigError(
                f"the checkpoint weighs the tasks {_listed(state)}, the recipe has {_listed(self.tasks)}; resume with "
                "the recipe of the run, or start a new run"
            )
        before = self.state_dict()
        try:
            for task, weights in self.tasks.items():
                weights.load_state_dict(state[task])
        except ConfigError:
            for task, weights in self.tasks.items():
                weights.load_state_dict(before[task])
            raise


def _listed(tasks: Any) -> str:
    return ", ".join(map(repr, tasks)) if isinstance(tasks, Mapping) and tasks else "none"
