"""The `reward` section of a recipe as typed settings.

reward:
  sources:
    correct: {source: math, weight: 1.0}
    format: 0.1                      # a number is short for {weight: 0.1}
    checked: {cascade: [numeric, math]}  # the next stage is asked only where the last could not tell
  gate: correct                      # the others count only where `correct` is right
  tasks:                             # optional; without it every sample is scored by all of the above
    math: [correct, format]
    chat: {sources: {format: 1.0}, gate: null}
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mars.declaring import MOST_SECONDS
from mars.errors import ConfigError, did_you_mean
from mars.types import Status

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number as YAML writes it: `true` and `"1"` are mistakes, not 1."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _short_source(value: Any) -> Any:
    if value is None:
        return {}
    return {"weight": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class StageSettings(_Section):
    """One stage of a cascade; a name alone is short for `{source: name}`."""

    source: str = Field(
        description="another entry of the recipe or, where there is none or the stage has settings, a registered source"
    )
    name: str | None = Field(default=None, description="what the logs call the stage; by default its source")
    settings: dict[str, Any] = Field(default_factory=dict, description="the source's own options")
    deadline: Number | None = Field(
        default=None, gt=0, le=MOST_SECONDS, description="seconds per call, in place of the source's own"
    )

    @property
    def label(self) -> str:
        """What the logs call the stage."""
        return self.name or self.source


def _short_stage(value: Any) -> Any:
    return {"source": value} if isinstance(value, str) else value


class NegativesSettings(_Section):
    """Second opinions on answers that a cascade's stage calls wrong; a number is short for `{share: number}`."""

    share: Number = Field(default=0.0, ge=0, le=1, description="share of these answers that the next stage sees too")
    then: Literal["measure", "replace"] = Field(
        default="measure", description="measure: the first verdict stands; replace: the second one counts"
    )


def _short_negatives(value: Any) -> Any:
    return {"share": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class SourceSettings(_Section):
    """One reward source in a recipe."""

    source: str | None = Field(default=None, description="the registered name; by default the key it is written under")
    weight: Number = Field(default=1.0, description="the static weight of its value in the total")
    settings: dict[str, Any] = Field(default_factory=dict, description="the source's own options")
    required: bool | None = Field(
        default=None,
        description="whether a failure of this source leaves the sample without a reward; "
        "by default true for verifiers and judges, false for metrics and penalties",
    )
    on_failure: Literal["mask"] | Number = Field(
        default="mask", description="what a failed or undecided score becomes: masked, or a fixed value"
    )
    fallback: str | None = Field(default=None, description="another source of the recipe, asked when this one fails")
    deadline: Number | None = Field(
        default=None, gt=0, le=MOST_SECONDS, description="seconds per call, in place of the source's own"
    )
    cascade: list[Annotated[StageSettings, BeforeValidator(_short_stage)]] | None = Field(
        default=None, min_length=2, description="sources that are asked in turn, in place of `source`"
    )
    ask_on: list[Literal[Status.UNDECIDED, Status.TIMEOUT, Status.ERROR, Status.SKIPPED]] = Field(
        default=[Status.UNDECIDED], min_length=1, description="what a stage ends with for the next one to be asked"
    )
    negatives: Annotated[NegativesSettings, BeforeValidator(_short_negatives)] = NegativesSettings()


class GateSettings(_Section):
    """A source that must be right before the others count."""

    source: str
    threshold: Number = Field(default=0.5, description="the gate is open where the source's value is at least this")
    skipped: Literal["mask", "open"] = Field(
        default="mask", description="what becomes of a sample that the source says is not its to judge"
    )


def _short_gate(value: Any) -> Any:
    return {"source": value} if isinstance(value, str) else value


Gate = Annotated[GateSettings | None, BeforeValidator(_short_gate)]


def _short_task(value: Any) -> Any:
    return {"sources": value} if isinstance(value, list) else value


def _short_names(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if not all(isinstance(name, str) for name in value):
        raise ValueError("a list of names belongs here, or names with weights")
    for place, name in enumerate(value):
        if name in value[:place]:
            raise ValueError(f"{name!r} is written twice")
    return dict.fromkeys(value)


class WeightingSettings(_Section):
    """The strategy that gives the sources their weights; a name alone is short for `{strategy: name}`."""

    strategy: str = Field(default="auto", description="auto: what suits the task; see mars.weighting.planning")
    settings: dict[str, Any] = Field(default_factory=dict, description="the strategy's own settings")
    bounds: dict[str, Any] = Field(
        default_factory=dict, description="floor, ceiling, max_change, smoothing, in place of the strategy's own"
    )


def _short_weighting(value: Any) -> Any:
    return {"strategy": value} if isinstance(value, str) else value


WeightingChoice = Annotated[WeightingSettings, BeforeValidator(_short_weighting)]


class TaskSettings(_Section):
    """Which sources score a task."""

    sources: Annotated[dict[str, Number | None], BeforeValidator(_short_names)] = Field(
        description="names of sources, or names with this task's weights"
    )
    gate: Gate = None
    weighting: Annotated[WeightingSettings | None, BeforeValidator(_short_weighting)] = Field(
        default=None, description="this task's weighting, in place of the recipe's"
    )


class CacheSettings(_Section):
    """Where verdicts are kept; a path alone is short for `{path: ...}`."""

    path: str = Field(min_length=1, description="the file, shared between processes; made when there is none")
    max_mb: int = Field(default=1024, ge=1, description="most MiB of the file; the least recently used go first")


def _short_cache(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class RewardSettings(_Section):
    """The whole `reward` section."""

    imports: list[str] = Field(default_factory=list, description="modules or .py files that register sources")
    sources: dict[str, Annotated[SourceSettings, BeforeValidator(_short_source)]] = Field(min_length=1)
    gate: Gate = None
    tasks: dict[str, Annotated[TaskSettings, BeforeValidator(_short_task)]] = Field(default_factory=dict)
    weighting: WeightingChoice = WeightingSettings()
    workers: int | None = Field(
        default=None, ge=1, description="worker processes for isolated sources; by default one a core"
    )
    cache: Annotated[CacheSettings | None, BeforeValidator(_short_cache)] = Field(
        default=None, description="a file that keeps verdicts, so that no input is scored twice"
    )

    @model_validator(mode="after")
    def _names_exist(self) -> RewardSettings:
        for name, source in self.sources.items():
            self._check(source.fallback, "sources", name, "fallback")
            self._check_cycle(name)
            self._check_cascade(name, source)
        if self.gate:
            self._check(self.gate.source, "gate")
        for task, settings in self.tasks.items():
            if not settings.sources:
                raise ConfigError("it names no source", ("tasks", task))
            for name in settings.sources:
                self._check(name, "tasks", task, "sources")
            if settings.gate and settings.gate.source not in settings.sources:
                reason = f"{settings.gate.source!r} is not one of the task's sources"
                raise ConfigError(reason, ("tasks", task, "gate"))
        return self

    def _check(self, name: str | None, *path: str) -> None:
        if name is not None and name not in self.sources:
            raise ConfigError(f"no source {name!r} in this recipe.{did_you_mean(name, self.sources)}", path)

    def _check_cycle(self, name: str) -> None:
        chain = [name]
        while (following := self.sources[chain[-1]].fallback) in self.sources:
            if following in chain:
                reason = f"{' -> '.join([*chain, following])} goes round in a circle"
                raise ConfigError(reason, ("sources", name, "fallback"))
            chain.append(following)

    def _check_cascade(self, name: str, source: SourceSettings) -> None:
        alone = "source", "settings", "deadline"
        beside = [key for key in alone if key in source.model_fields_set]
        without = [key for key in ("ask_on", "negatives") if key in source.model_fields_set]
        if source.cascade is None and without:
            raise ConfigError("only a cascade has this key", ("sources", name, without[0]))
        if source.cascade is not None and beside:
            raise ConfigError("a cascade's stages have this key, not the cascade", ("sources", name, beside[0]))
        labels: set[str] = set()
        for place, stage in enumerate(source.cascade or ()):
            path = ("sources", name, "cascade", place)
            if stage.label in labels or f"{name}/{stage.label}" in self.sources:
                raise ConfigError(f"the name {stage.label!r} is taken; give the stage another: name: ...", path)
            labels.add(stage.label)
            if self.is_entry(name, stage):
                entry = self.sources[stage.source]
                if entry.cascade is not None:
                    raise ConfigError(f"{stage.source!r} is a cascade itself; write its stages here", path)
                if entry.fallback is not None:
                    reason = f"{stage.source!r} has a fallback, which no cascade asks; make that the next stage"
                    raise ConfigError(reason, path)

    def is_entry(self, name: str, stage: StageSettings) -> bool:
        """Return whether a stage of the cascade `name` is another entry of the recipe, and not a registered source."""
        its_own = bool(stage.settings) or stage.deadline is not None
        return stage.source in self.sources and stage.source != name and not its_own

    def routes(self) -> dict[str, TaskSettings]:
        """Return the tasks, with the default one that is meant when none is written.

        A source that is named only as another's fallback, or as a cascade's stage, is not scored by itself.
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
        for name, source in self.sources.items():
            stand_ins |= {stage.source for stage in source.cascade or () if self.is_entry(name, stage)}
        gate = self.gate.source if self.gate else None
        scored: dict[str, float | None] = {name: None for name in self.sources if name not in stand_ins or name == gate}
        everything = TaskSettings(sources=scored)
        if "gate" in self.model_fields_set:
            everything = TaskSettings(sources=scored, gate=self.gate)
        return {"*": everything}

    def gate_is_said(self, task: TaskSettings) -> bool:
        """Return whether the recipe names a task's gate or says that there is none."""
        return "gate" in task.model_fields_set or ("gate" in self.model_fields_set and self.gate is None)

    def weights(self, task: TaskSettings) -> dict[str, float]:
        """Return the static weights of a task's sources, in order."""
        return {name: self.sources[name].weight if weight is None else weight for name, weight in task.sources.items()}
