"""Which of a run's tasks a sample is of, as the reward system's router says it."""

from __future__ import annotations

from collections.abc import Mapping

from mars.combining import Route
from mars.routing import Router
from mars.weighting.task import Task


class TaskFinder:
    """Finds tasks by a sample's own task: the exact name first, then patterns in order, then `default`.

    Args:
        tasks: The tasks by name or pattern.
    """

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks
        self._router = Router([Route(name, tuple(task.sources), None, task.verdict) for name, task in tasks.items()])

    def find(self, task: str) -> Task | None:
        """Return the task, or `None` when there is none for it."""
        route = self._router.route(task)
        return self._tasks[route.task] if route else None
