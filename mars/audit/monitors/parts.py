"""A step in its parts: the completions of each prompt, and the recipe's tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mars.audit.monitors.types import Scene, Seen, Step
from mars.belonging import group_of
from mars.combining import Route
from mars.routing import Router
from mars.weighting.batch import Batch
from mars.weighting.task import Task, WeighedSource


def by_prompt(seen: Iterable[Seen]) -> list[list[Seen]]:
    """Return the completions of each prompt; one that nothing ties to others is a prompt by itself."""
    groups: dict[object, list[Seen]] = {}
    for place, one in enumerate(seen):
        groups.setdefault(group_of(one.sample) or place, []).append(one)
    return list(groups.values())


def by_task(seen: Iterable[Seen]) -> dict[str, list[Seen]]:
    """Return the completions of each task, as the data rows name it."""
    tasks: dict[str, list[Seen]] = {}
    for one in seen:
        tasks.setdefault(one.sample.task, []).append(one)
    return tasks


def scaled(value: float, source: WeighedSource) -> float:
    """Return where in its range a source's value lies, 0 to 1."""
    return (value - source.low) / (source.high - source.low)


@dataclass(frozen=True)
class Part:
    """The completions of one task of the recipe.

    Attributes:
        task: The task.
        seen: Its completions.
        prefix: What the names of its sources begin with: the task and a slash, where the recipe has several tasks.
    """

    task: Task
    seen: Sequence[Seen]
    prefix: str = ""

    @cached_property
    def prompts(self) -> list[list[Seen]]:
        """The completions of each prompt."""
        return by_prompt(self.seen)

    @cached_property
    def batch(self) -> Batch:
        """The rewards, as weighting strategies see them."""
        # A reward that was read from a file has no group; its sample has.
        rewards = (replace(one.reward, group=one.sample.group or one.sample.prompt or None) for one in self.seen)
        return Batch(self.task, list(rewards))


class Parts:
    """Splits steps by the recipe's tasks.

    Args:
        scene: The tasks.
    """

    def __init__(self, scene: Scene) -> None:
        self._tasks = scene.tasks
        self._router = Router([Route(name, tuple(task.sources), None, None) for name, task in scene.tasks.items()])

    def of(self, seen: Iterable[Seen]) -> list[Part]:
        """Return the tasks that have scored completions, each with its own; what no task takes is left out."""
        found: dict[str, list[Seen]] = {}
        for one in seen:
            route = self._router.route(one.reward.task)
            # A completion that no source has seen has no components.
            if route is not None and one.reward.components:
                found.setdefault(route.task, []).append(one)
        several = len(self._tasks) > 1
        return [Part(self._tasks[name], its, f"{name}/" if several else "") for name, its in found.items()]

    def verdicts(self, seen: Iterable[Seen]) -> dict[int, float]:
        """Return the verdicts on completions, 0 to 1, by `id`; those without one are left out."""
        found = {}
        for part in self.of(seen):
            if (verdict := part.task.verdict) is None:
                continue
            for one in part.seen:
                if (value := one.reward[verdict].score.value) is not None:
                    found[id(one)] = scaled(value, part.task.sources[verdict])
        return found

    def split(self, step: Step) -> list[Part]:
        """Return the parts of a step's completions."""
        return self.of(step.seen)
