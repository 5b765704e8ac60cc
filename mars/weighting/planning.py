"""Which strategy weighs a task, and behind which gate: what the recipe says, or where it is silent what suits the task.

`auto`, the default: a task with a gate, and one where a single verifier decides and all else shapes, is gated on
correctness, and its shaping is adapted; where judges of correctness have a verifier beside them, they count as far as
they agree with it; every other task keeps the recipe's weights.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pydantic import BaseModel

from mars.combining import Route
from mars.config import GateSettings, RewardSettings, WeightingSettings
from mars.declaring import Kind
from mars.errors import ConfigError, did_you_mean
from mars.routing import Router
from mars.weighting import strategies
from mars.weighting.adaptive import Adaptive
from mars.weighting.gated import GatedSettings, inside, warn_of_order
from mars.weighting.strategies import AUTO, Aggregation, RegisteredStrategy
from mars.weighting.task import Task, WeighedSource, verdict_of
from mars.weighting.tasks import TaskWeighting

logger = logging.getLogger(__name__)


def rule_of_auto() -> str:
    """Return what `auto` takes, as a paragraph."""
    return " ".join((__doc__ or "").partition("\n\n")[2].split())


@dataclass(frozen=True)
class Plan:
    """How a task is weighed.

    Attributes:
        task: The task, with the gate that was decided on.
        strategy: The strategy.
        settings: What the recipe says of it.
        named: The gate that the recipe names, if it names one.
        place: Where the recipe says it, as keys below `reward`.
    """

    task: Task
    strategy: RegisteredStrategy
    settings: WeightingSettings
    named: GateSettings | None = None
    place: tuple[str, ...] = ("weighting",)

    @property
    def gate(self) -> GateSettings | None:
        """The gate, if there is one. One that nobody named stands open where its source does not judge a sample."""
        if self.task.gate is None:
            return None
        if self.named is not None and self.named.source == self.task.gate:
            return self.named.model_copy(update={"threshold": self.task.threshold})
        return GateSettings(source=self.task.gate, threshold=self.task.threshold, skipped="open")

    @property
    def route(self) -> Route:
        """How the task's samples are scored."""
        return Route(self.task.name, tuple(self.task.sources), self.gate, self.task.verdict)

    def make(self) -> Adaptive:
        """Return the weights at the start.

        Raises:
            ConfigError: With the path of the wrong key below the recipe's `weighting`.
        """
        settings = self.strategy.settings_of(self.settings.settings)
        name = {"strategy": self.strategy.name, "settings": settings.model_dump(mode="json")}
        weighing, adapts = self.strategy, self.strategy.adapts
        if isinstance(settings, GatedSettings):
            weighing = inside(settings)
            adapts = weighing.adapts and len(self.task.shaping) > 1
        made = self.strategy.make(self.task, settings)
        bounds = weighing.bounds_of(self.settings.bounds)
        if isinstance(settings, GatedSettings):
            warn_of_order(self.task, bounds if adapts else None)
        return Adaptive(self.task, name, made, bounds, adapts=adapts, by_voice=weighing.adapts)


def plan_all(
    settings: RewardSettings, declared: Mapping[str, WeighedSource], optional: Collection[str]
) -> dict[str, Plan]:
    """Decide how every task of a recipe is weighed, and behind which gate.

    Args:
        settings: The recipe's `reward` section.
        declared: What is declared of each of its sources; the weights are the recipe's.
        optional: The sources that a sample may lack a verdict of and still have a reward.

    Raises:
        ConfigError: With the path of the wrong key below `reward`.
    """
    plans: dict[str, Plan] = {}
    for name, route in settings.routes().items():
        weights = settings.weights(route)
        sources = {source: replace(declared[source], weight=weight) for source, weight in weights.items()}
        task = Task(name, sources, verdict_of(sources))
        said = settings.gate_is_said(route)
        place = ("tasks", name, "weighting") if route.weighting else ("weighting",)
        with _below(place):
            chosen = plan(task, route.weighting or settings.weighting, route.gate, optional, gate_is_said=said)
        with _below(
            ("gate",) if "gate" not in settings.tasks.get(name, route).model_fields_set else ("tasks", name, "gate")
        ):
            _check_gate(chosen)
        plans[name] = replace(chosen, place=place)
    return plans


def make_all(plans: Mapping[str, Plan], router: Router) -> TaskWeighting:
    """Return the weights of all tasks at the start.

    Args:
        plans: How each task is weighed.
        router: Says by which of them a sample's own task is.

    Raises:
        ConfigError: With the path of the wrong key below `reward`.
    """
    tasks: dict[str, Adaptive] = {}
    for name, chosen in plans.items():
        with _below(chosen.place):
            tasks[name] = chosen.make()
    ways: dict[Aggregation, str] = {chosen.strategy.aggregation: name for name, chosen in plans.items()}
    if len(ways) > 1:
        apart, together = ways["normalize_then_sum"], ways["sum_then_normalize"]
        reason = f"the task {apart!r} is normalised source by source, {together!r} is not; trainers do one for all"
        raise ConfigError(reason, ("weighting",))
    return TaskWeighting(tasks, router, next(iter(ways)))


@contextmanager
def _below(place: tuple[str, ...]) -> Iterator[None]:
    """Complete the path of a mistake that is found below a place of the section."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(str(error), (*place, *error.path)) from error


def _check_gate(chosen: Plan) -> None:
    gate = chosen.gate
    if gate is None:
        return
    source = chosen.task.sources[gate.source]
    if not source.low < gate.threshold <= source.high:
        state = "never opens" if gate.threshold > source.high else "is never closed"
        limits = f"its values go from {source.low:g} to {source.high:g}, its threshold is {gate.threshold:g}"
        raise ConfigError(f"the gate {gate.source!r} {state}: {limits}")


def plan(
    task: Task, settings: WeightingSettings, gate: GateSettings | None, optional: Collection[str], *, gate_is_said: bool
) -> Plan:
    """Decide how a task is weighed.

    Args:
        task: The task, without a gate.
        settings: What the recipe says of the weighting.
        gate: The gate that the recipe names, if it names one.
        optional: The sources that a sample may lack a verdict of and still have a reward.
        gate_is_said: Whether the recipe names a gate or says that there is none.

    Raises:
        ConfigError: When the strategy is unknown or cannot weigh this task.
    """
    if gate is not None:
        task = replace(task, verdict=gate.source, gate=gate.source, threshold=gate.threshold)
    chosen = settings.strategy
    if chosen == AUTO:
        shaped = task.gate is None and not gate_is_said and _decides_alone(task, optional)
        # A judge is held against the verifier beside it; where nothing tells how far to trust, nothing is adapted.
        doubtful = bool(task.trusted and task.judged)
        chosen = "gated" if task.gate or shaped else "reliability" if doubtful else "static"
        if chosen == "reliability" and len(task.counted) > 1:
            _tell_of_doubt(task)
        settings = settings.model_copy(update={"strategy": chosen})
    elif settings.bounds and not strategies.get(chosen).adapts:
        raise ConfigError(f"{chosen!r} moves no weight, so it has no bounds; leave them out", ("bounds",))
    strategy = strategies.get(chosen)
    if chosen == "gated":
        task = _gated(task, strategy.settings_of(settings.settings))
    return Plan(task, strategy, settings, gate)


def _tell_of_doubt(task: Task) -> None:
    """Say that a judge may lose its weight though the recipe does not ask for that: it may judge something else."""
    logger.warning(
        "task %r: %s will count as far as agreeing with %r on which answers are right. Of what judges something else "
        "(safety, style) say weighting: static; where this is meant say weighting: reliability.",
        task.name, " and ".join(map(repr, task.judged)), task.trusted,
    )  # fmt: skip


def _gated(task: Task, settings: BaseModel) -> Task:
    """Return the task with the gate that `gated` puts before it."""
    assert isinstance(settings, GatedSettings)
    name = settings.gate or task.gate or _only_verifier(task)
    place = ("settings", "gate")
    if name not in task.sources:
        known = did_you_mean(name, task.sources)
        raise ConfigError(f"{name!r} is not a source of the task {task.name!r}.{known}", place)
    if task.gate not in (None, name):
        reason = f"the gate of the task {task.name!r} is {task.gate!r} by the recipe's gate, and {name!r} here"
        raise ConfigError(f"{reason}; say it once", place)
    source = task.sources[name]
    threshold = task.threshold if name == task.gate else (source.low + source.high) / 2
    if settings.threshold is not None:
        threshold = settings.threshold
        if not source.low < threshold <= source.high:
            reason = f"the values of {name!r} go from {source.low:g} to {source.high:g}"
            raise ConfigError(f"{reason}: the gate needs a threshold within", ("settings", "threshold"))
    return replace(task, gate=name, verdict=name, threshold=threshold)


def _only_verifier(task: Task) -> str:
    """Return the one verifier that counts."""
    verifiers = [name for name in task.counted if task.sources[name].kind is Kind.VERIFIER]
    if len(verifiers) == 1:
        return verifiers[0]
    reason = f"the task {task.name!r} has {'several verifiers' if verifiers else 'no verifier'}"
    choice = ", ".join(map(repr, verifiers or task.judged or task.counted))
    advice = f"say which source is the gate ({choice}), weighting: {{strategy: gated, settings: {{gate: ...}}}}"
    raise ConfigError(f"{reason}; {advice}, or give the task another strategy", ("settings", "gate"))


def _decides_alone(task: Task, optional: Collection[str]) -> bool:
    """Return whether one verifier says right or wrong, and all others only shape."""
    deciding = [name for name in task.counted if task.sources[name].kind in (Kind.VERIFIER, Kind.JUDGE)]
    if len(deciding) != 1 or len(task.counted) == 1 or deciding[0] in optional:
        return False
    source = task.sources[deciding[0]]
    return source.kind is Kind.VERIFIER and source.weight > 0
