"""The `reward` section of a recipe as typed settings.

reward:
  sources:
    correct: {source: math, weight: 1.0}
    format: 0.1                      # a number is short for {weight: 0.1}
  gate: correct                      # the others count only where `correct` is right
  tasks:                             # optional; without it every sample is scored by all of the above
    math: [correct, format]
    chat: {sources: {format: 1.0}, gate: null}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, model_validator

from mars.errors import did_you_mean


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _short_source(value: Any) -> Any:
    if value is None:
        return {}
    return {"weight": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class SourceSettings(_Section):
    """One reward source in a recipe."""

    source: str | None = Field(default=None, description="the registered name; by default the key it is written under")
    weight: FiniteFloat = Field(default=1.0, description="the static weight of its value in the total")
    settings: dict[str, Any] = Field(default_factory=dict, description="the source's own options")
    required: bool | None = Field(
        default=None,
        description="whether a failure of this source leaves the sample without a reward; "
        "by default true for verifiers and judges, false for metrics and penalties",
    )
    on_failure: Literal["mask"] | FiniteFloat = Field(
        default="mask", description="what a failed or undecided score becomes: masked, or a fixed value"
    )
    fallback: str | None = Field(default=None, description="another source of the recipe, asked when this one fails")
    deadline: float | None = Field(default=None, gt=0, description="seconds per call, in place of the source's own")


class GateSettings(_Section):
    """A source that must be right before the others count."""

    source: str
    threshold: FiniteFloat = Field(
        default=0.5, description="the gate is open where the source's value is at least this"
    )


def _short_gate(value: Any) -> Any:
    return {"source": value} if isinstance(value, str) else value


Gate = Annotated[GateSettings | None, BeforeValidator(_short_gate)]


def _short_task(value: Any) -> Any:
    return {"sources": value} if isinstance(value, list) else value


class TaskSettings(_Section):
    """Which sources score a task."""

    sources: list[str] | dict[str, FiniteFloat] = Field(
        description="names of sources, or names with this task's weights"
    )
    gate: Gate = None


class WeightingSettings(_Section):
    """The strategy that gives the sources their weights."""

    strategy: Literal["static"] = "static"


class RewardSettings(_Section):
    """The whole `reward` section."""

    imports: list[str] = Field(default_factory=list, description="modules or .py files that register sources")
    sources: dict[str, Annotated[SourceSettings, BeforeValidator(_short_source)]] = Field(min_length=1)
    gate: Gate = None
    tasks: dict[str, Annotated[TaskSettings, BeforeValidator(_short_task)]] = Field(default_factory=dict)
    weighting: WeightingSettings = WeightingSettings()
    workers: int | None = Field(
        default=None, ge=1, description="worker processes for isolated sources; by default one a core"
    )

    @model_validator(mode="after")
    def _names_exist(self) -> RewardSettings:
        for name, source in self.sources.items():
            self._check(source.fallback, f"sources.{name}.fallback")
            self._check_cycle(name)
        if self.gate:
            self._check(self.gate.source, "gate")
        for task, settings in self.tasks.items():
            for name in settings.sources:
                self._check(name, f"tasks.{task}.sources")
            if not settings.sources:
                raise ValueError(f"tasks.{task}: names no source")
            if settings.gate and settings.gate.source not in settings.sources:
                raise ValueError(f"tasks.{task}.gate: {settings.gate.source!r} is not one of the task's sources")
        return self

    def _check(self, name: str | None, where: str) -> None:
        if name is not None and name not in self.sources:
            raise ValueError(f"{where}: no source {name!r} in this recipe.{did_you_mean(name, self.sources)}")

    def _check_cycle(self, name: str) -> None:
        path = [name]
        while (following := self.sources[path[-1]].fallback) in self.sources:
            if following in path:
                raise ValueError(f"sources.{name}.fallback: {' -> '.join([*path, following])} goes round in a circle")
            path.append(following)

    def routes(self) -> dict[str, TaskSettings]:
        """Return the tasks, with the default one that is meant when none is written.

        A source that is only named as another's fallback is not scored by itself.
        """
        if self.tasks:
            return {
                # A task that does not mention a gate inherits the recipe's, if it has that source.
                task: settings.model_copy(update={"gate": self.gate})
                if "gate" not in settings.model_fields_set and self.gate and self.gate.source in settings.sources
                else settings
                for task, settings in self.tasks.items()
            }
        stand_ins = {source.fallback for source in self.sources.values()}
        scored = [name for name in self.sources if name not in stand_ins]
        return {"*": TaskSettings(sources=scored, gate=self.gate)}

    def weights(self, task: TaskSettings) -> dict[str, float]:
        """Return the static weights of a task's sources, in order."""
        if isinstance(task.sources, Mapping):
            return dict(task.sources)
        return {name: self.sources[name].weight for name in task.sources}
