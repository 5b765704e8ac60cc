"""What the sources of a log are that does not say it: from the recipe, the user, the registry and the values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mars import registry
from mars.audit.run.rows import Scored
from mars.audit.tasks import TaskFinder
from mars.combining import SUBSTITUTED
from mars.declaring import Kind
from mars.errors import ConfigError, DataError, did_you_mean
from mars.types import Reward
from mars.weighting.task import Task, WeighedSource, verdict_of


class Survey:
    """Gathers the tasks and sources of a log in one pass.

    Args:
        place: The log, for errors.
        recipe: The recipe's tasks; where there are any, they say everything.
        kinds: The kinds that the user gives, by source.
    """

    def __init__(self, place: Path, recipe: Mapping[str, Task], kinds: Mapping[str, Kind]) -> None:
        self._place = place
        self._recipe = recipe
        self._kinds = kinds
        self._seen: dict[str, dict[str, tuple[float, float, float]]] = {}
        self._finder = TaskFinder({})

    def add(self, row: Scored) -> None:
        """Take in one completion."""
        sources = self._seen.setdefault(row.seen.reward.task, {})
        for component in row.seen.reward.components:
            _, low, high = sources.get(component.name, (0.0, 0.0, 1.0))
            value = 0.0 if component.value is None else component.value
            sources[component.name] = (component.weight, min(low, value), max(high, value))

    def tasks(self) -> Mapping[str, Task]:
        """Return the tasks of the log.

        Raises:
            ConfigError: When a kind is given of a source that is not there.
            DataError: When the log is empty, or is of another recipe.
        """
        if not self._seen:
            raise DataError(f"{self._place}: there is no completion in it")
        names = {name for sources in self._seen.values() for name in sources}
        for name in self._kinds:
            if name not in names:
                raise ConfigError(f"--{self._kinds[name]} {name}: no source of the log.{did_you_mean(name, names)}")
        if self._recipe:
            self._check(names)
            tasks = self._recipe
        else:
            tasks = {name: self._task(name, sources) for name, sources in self._seen.items()}
        self._finder = TaskFinder(tasks)
        return tasks

    def is_correct(self, reward: Reward) -> bool | None:
        """Return whether a reward means "right"; `None` without a verdict."""
        task = self._finder.find(reward.task)
        if task is None or task.verdict is None or task.verdict not in reward.weights:
            return None
        component = reward[task.verdict]
        if component.value is None or component.note.startswith(SUBSTITUTED):
            return None
        return task.is_right(task.verdict, component.value)

    def _check(self, names: set[str]) -> None:
        finder = TaskFinder(self._recipe)
        for name in self._seen:
            task = finder.find(name)
            missing = [source for source in (task.sources if task else ()) if source not in self._seen[name]]
            if task is None:
                raise DataError(f"{self._place}: the recipe has no task for {name!r}; is it the run's recipe?")
            if missing:
                raise DataError(
                    f"{self._place}: the recipe's source {missing[0]!r} of the task {name!r} is not in the log, which "
                    f"has {', '.join(map(repr, self._seen[name]))}; is it the run's recipe?"
                )

    def _task(self, name: str, sources: Mapping[str, tuple[float, float, float]]) -> Task:
        found = {source: self._source(source, *said) for source, said in sources.items()}
        return Task(name, found, verdict_of(found))

    def _source(self, name: str, weight: float, low: float, high: float) -> WeighedSource:
        if name in registry.names():
            source = registry.get(name)
            return WeighedSource(weight, self._kinds.get(name, source.kind), *source.range)
        return WeighedSource(weight, self._kinds.get(name, Kind.METRIC), low, high)
