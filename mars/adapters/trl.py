"""MARS rewards for TRL: callables that `GRPOTrainer(reward_funcs=...)` takes as they are.

    system = RewardSystem.from_recipe("recipes/math.yaml")
    functions = reward_functions(system)
    GRPOTrainer(..., reward_funcs=functions, args=GRPOConfig(reward_weights=reward_weights(functions), ...))

However many functions there are, a batch is scored once. A row whose reward is masked is `None` in all of them: TRL
then gives it no advantage, and what one source said of it cannot leak into the policy as if the rest had been zero.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any, Literal

from mars.cascading import Cascade
from mars.combining import CLOSED
from mars.errors import ConfigError
from mars.rows import Columns
from mars.system import RewardSystem
from mars.tally import SourceTally, Tally
from mars.thinking import split_thinking
from mars.types import Reward, Sample, Status, Usage
from mars.weighting.strategies import Aggregation

Mode = Literal["auto", "separate", "composed"]
TOTAL = "total"


class BatchScorer:
    """Scores a batch once for all the functions that TRL calls with it.

    Args:
        system: Gives the rewards.
        columns: Which data column plays which role; TRL fixes `prompt` and `completion`.
        prefix: What the chat template wrote of each completion before the model did, such as `<think>`.
    """

    def __init__(self, system: RewardSystem, columns: Columns | None = None, prefix: str = "") -> None:
        self.system = system
        self.prefix = prefix
        self._columns = (columns or Columns()).model_copy(update={"prompt": "prompt", "completion": "completion"})
        self.samples: list[Sample] = []
        self.rewards: list[Reward] = []

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"samples": [], "rewards": []}

    def score(
        self, prompts: Sequence[Any], completions: Sequence[Any], columns: Mapping[str, Any], *, fresh: bool
    ) -> list[Reward]:
        """Return one reward a completion.

        Args:
            prompts: The prompts.
            completions: The completions.
            columns: What else TRL passes.
            fresh: Score even if this is the batch that was scored last; the first function asks so, since a policy may
                well say in one step what it said in the step before. The others take what the first was given.
        """
        rows = [{"prompt": p, "completion": c} for p, c in zip(prompts, completions, strict=True)]
        data = {name: values for name, values in columns.items() if isinstance(values, list)}
        for index, row in enumerate(rows):
            row.update((name, values[index]) for name, values in data.items())
        samples = [self._columns.to_sample(row, self.prefix) for row in rows]
        if fresh or samples != self.samples or not self.rewards:
            start = time.perf_counter()
            self.rewards = self.system.score(samples)
            self.samples = samples
            self._log(time.perf_counter() - start, columns.get("log_metric"), columns.get("log_extra"))
        return self.rewards

    def _log(self, seconds: float, metric: Callable[..., None] | None, extra: Callable[..., None] | None) -> None:
        if metric is not None:
            for name, value in measures(self.system, self.samples, self.rewards, seconds).items():
                metric(name, value)
        if extra is not None:
            extra("status", [reward.status.value for reward in self.rewards])
            extra("reason", [reward.reason for reward in self.rewards])


def measures(
    system: RewardSystem, samples: Sequence[Sample], rewards: Sequence[Reward], seconds: float
) -> dict[str, float]:
    """Return what a trainer should log of a batch, besides what it logs of each function.

    Args:
        system: Gave the rewards.
        samples: The batch.
        rewards: One a sample.
        seconds: Wall time that scoring the batch took.

    Returns:
        `mars/seconds`; `mars/masked` (share of samples without a reward); `mars/SOURCE/STATUS` (share of each status);
        `mars/SOURCE/value` (mean value); `mars/SOURCE/rate/NAME` (mean of what a source counts beside its value, such
        as over-refusal); `mars/weight/...`, and `mars/weighting/...`, what the strategies log beside the weights;
        `mars/accuracy/TASK`; `mars/thinking_chars`, also by task,
        and `mars/thinking_share` (mean length, and share of completions that think at all). Of a cascade,
        `mars/SOURCE/stage/STAGE/share` (share of samples that the stage was asked about) and, where second opinions
        were asked, `.../wrong_negatives`. Of what asks models, `mars/SOURCE/tokens`, `mars/SOURCE/money` and
        `mars/SOURCE/cached` (sums over the batch; the last also of verdicts from the cache).
    """
    tally = Tally.of(rewards)
    logs = {"mars/seconds": seconds, "mars/masked": tally.masked / max(1, tally.samples)}
    for name, source in tally.sources.items():
        logs.update({f"mars/{name}/{status}": source.share(status) for status in Status})
        if source.mean is not None:
            logs[f"mars/{name}/value"] = source.mean
        logs.update({f"mars/{name}/rate/{rate}": mean.value for rate, mean in source.rates.items()})
        logs |= _costs(f"mars/{name}", source, system.cascades.get(name))
    weights = system.weights()
    for task, by_source in weights.items():
        place = "mars/weight" if len(weights) == 1 else f"mars/weight/{task}"
        logs.update({f"{place}/{name}": weight for name, weight in by_source.items()})
    for task, said in system.strategy_logs().items():
        place = "mars/weighting" if len(weights) == 1 else f"mars/weighting/{task}"
        logs.update({f"{place}/{name}": value for name, value in said.items()})
    right: dict[str, list[bool]] = {}
    for reward in rewards:
        correct = system.is_correct(reward)
        if correct is not None:
            right.setdefault(reward.task, []).append(correct)
    logs.update({f"mars/accuracy/{task}": fmean(verdicts) for task, verdicts in right.items()})
    return logs | _thinking(samples)


def _costs(place: str, source: SourceTally, cascade: Cascade | None) -> dict[str, float]:
    """Return what a source cost and how its stages shared the work; nothing for one that has neither.

    Of a cascade both are always there: trainers average a measure over the steps that have it, and a step in which no
    judge was asked is one of them.
    """
    logs: dict[str, float] = {}
    usage = source.usage
    if cascade is not None or usage != Usage():
        logs |= {f"{place}/tokens": usage.tokens, f"{place}/money": usage.money, f"{place}/cached": usage.cached}
    for stage in cascade.stages if cascade is not None else ():
        logs[f"{place}/stage/{stage.name}/share"] = source.stage_share(stage.name)
        if stage.name in source.stages and (found := source.stages[stage.name].wrong_negatives) is not None:
            logs[f"{place}/stage/{stage.name}/wrong_negatives"] = found.mean
    return logs


def _thinking(samples: Sequence[Sample]) -> dict[str, float]:
    lengths: dict[str, list[int]] = {}
    for sample in samples:
        lengths.setdefault(sample.task, []).append(len(split_thinking(sample.completion).thinking.strip()))
    everything = [length for by_task in lengths.values() for length in by_task]
    logs = {
        "mars/thinking_chars": fmean(everything),
        "mars/thinking_share": fmean(length > 0 for length in everything),
    }
    if len(lengths) > 1:
        logs |= {f"mars/thinking_chars/{task}": fmean(by_task) for task, by_task in lengths.items()}
    return logs


class SourceReward:
    """One source of a system as a TRL reward function.

    Args:
        scorer: Scores the batch, shared with the system's other functions.
        name: The source's name in the recipe, which TRL logs it under.
        weight: The weight that TRL gives it at the start; 0 logs it only.
        counted: Whether TRL adds it up; beside a total it is only logged.
    """

    def __init__(self, scorer: BatchScorer, name: str, weight: float, *, counted: bool = True) -> None:
        self.scorer = scorer
        self.weight = weight
        self.counted = counted
        self.first = False
        self.__name__ = name

    def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        """Return the source's value for each completion; `None` where it has none or the row has no reward.

        Behind a closed gate a source that counts is worth 0, so that weight times value is its share of the total.
        """
        rewards = self.scorer.score(prompts, completions, columns, fresh=self.first)
        return [None if reward.total is None else self._value(reward) for reward in rewards]

    def _value(self, reward: Reward) -> float | None:
        for component in reward.components:
            if component.name == self.__name__:
                # By the weight of now: that of the start may have been 0.
                closed = self.counted and component.weight and component.note.startswith(CLOSED)
                return 0.0 if closed else component.value
        return None


class TotalReward(SourceReward):
    """The whole system as one TRL reward function: gates and weights applied."""

    def __init__(self, scorer: BatchScorer) -> None:
        super().__init__(scorer, TOTAL, 1.0)

    def _value(self, reward: Reward) -> float | None:
        return reward.total


def reward_functions(
    system: RewardSystem, *, mode: Mode = "auto", columns: Columns | None = None, prefix: str = ""
) -> list[SourceReward]:
    """Return a system's reward functions for TRL.

    In `separate` mode each source is a function and TRL adds them up by `reward_weights`; behind a closed gate a source
    says 0. In `composed` mode the first function is the total, with weight 1, and the sources follow with weight 0, so
    that TRL logs them, gate or no gate. Weights that differ between tasks cannot be said in TRL's weights and need the
    composed form; decoupled normalisation (GDPO) needs the separate one. `auto` picks what is needed, and for a gate
    otherwise the composed form.

    Args:
        system: Gives the rewards.
        mode: `separate`, `composed` or `auto`.
        columns: Which data column plays which role.
        prefix: What the chat template wrote of each completion before the model did, such as `<think>`.

    Raises:
        ConfigError: When the form that is asked for, or that the weighting needs, cannot give the system's rewards.
    """
    scorer = BatchScorer(system, columns, prefix)
    why = _why_composed(system)
    decoupled = aggregation_of(system) == "normalize_then_sum"
    if decoupled and mode == "composed":
        raise ConfigError(
            "composed gives one total, but `weighting: gdpo` normalises each source on its own; leave mode out",
            ("mode",),
        )
    if decoupled and why:
        raise ConfigError(
            f"`weighting: gdpo` normalises each source on its own, with one weight for all tasks, but {why}; give the "
            "source the same weight in every task, or choose another weighting"
        )
    if mode == "separate" and why:
        reason = f"the reward cannot be given to TRL source by source: {why}; leave mode out, or use composed"
        raise ConfigError(reason, ("mode",))
    gated = any(route.gate for route in system.router)
    composed = mode == "composed" or (mode == "auto" and (bool(why) or (gated and not decoupled)))
    names = list(dict.fromkeys(name for route in system.router for name in route.sources))
    if TOTAL in names:
        raise ConfigError(f"a source called {TOTAL!r} would be taken for the total in TRL's logs; rename it")
    if composed:
        functions = [TotalReward(scorer), *(SourceReward(scorer, name, 0.0, counted=False) for name in names)]
    else:
        weights = _flat_weights(system)
        functions = [SourceReward(scorer, name, weights[name]) for name in names]
    functions[0].first = True
    return functions


def reward_weights(functions: Sequence[SourceReward]) -> list[float]:
    """Return the `reward_weights` that go with `reward_functions`, for TRL's config."""
    return [function.weight for function in functions]


def current_weights(functions: Sequence[SourceReward]) -> list[float]:
    """Return the weights that TRL should use now: the system's own, as its weighting has moved them."""
    if any(isinstance(function, TotalReward) for function in functions):
        return reward_weights(functions)
    weights = _flat_weights(functions[0].scorer.system)
    return [weights[function.__name__] for function in functions]


def aggregation_of(system: RewardSystem) -> Aggregation:
    """Return how a trainer is to make advantages of the sources, in TRL's words; the weighting says it."""
    return getattr(system.weighting, "aggregation", "sum_then_normalize")


def _flat_weights(system: RewardSystem) -> dict[str, float]:
    return {name: weight for by_source in system.weights().values() for name, weight in by_source.items()}


def _why_composed(system: RewardSystem) -> str:
    """Return what one weight a source cannot say; empty where nothing is."""
    # A weighting that does not say whether it moves may.
    if len(system.weights()) > 1 and getattr(system.weighting, "moves", True):
        return "the weights of several tasks move, each its own way"
    flat = _flat_weights(system)
    for task, by_source in system.weights().items():
        differing = [name for name, weight in by_source.items() if weight != flat[name]]
        if differing:
            return f"the task {task!r} gives {differing[0]!r} another weight than another task does"
    return ""
