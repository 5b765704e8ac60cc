"""The reward system: route by task, run the sources, deal with failures, weigh. Read this file to understand MARS.

samples ──route──► sources ──run (engine)──► scores ──► combine (gate, weights) ──► rewards
                      ▲                         │
                      └─ stages, fallbacks ◄────┘
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mars import registry
from mars.belonging import with_their_groups
from mars.cascading import cascades, entries
from mars.combining import SUBSTITUTED, Policy, Route, combine
from mars.config import CacheSettings, RewardSettings, SourceSettings, StageSettings
from mars.errors import ConfigError, MarsError, RegistryError, SourceUnavailable
from mars.execution.engine import Engine, Pending
from mars.execution.verdicts import VerdictCache
from mars.loading import load_module
from mars.recipe import Recipe, fingerprint
from mars.registry import BoundSource, Kind
from mars.routing import Router
from mars.types import Component, Reward, Sample, Score, Status
from mars.weighting.planning import make_all, plan_all
from mars.weighting.protocol import Weighting
from mars.weighting.task import Task, WeighedSource
from mars.weighting.tasks import TaskWeighting

# Of the sources' own settings, their fingerprints have what matters.
_NOT_POLICY: Any = {"workers": True, "imports": True, "cache": True} | {
    "sources": {"__all__": {"settings": True, "cascade": {"__all__": {"settings": True}}}}
}
_Rounds = Generator[list[Pending], list[list[Score]], list[Reward]]
_Configured = TypeVar("_Configured", SourceSettings, StageSettings)


class RewardSystem:
    r"""Turns samples into rewards.

        with RewardSystem({"sources": {"math": 1.0, "format": 0.1}, "gate": "math"}) as system:
            [reward] = system.score([Sample("... \\boxed{42}", reference="42")])

    Args:
        settings: The `reward` section of a recipe, as a mapping or typed.
        weighting: A strategy in place of the one that the settings name.
        engine: Runs the sources, with its own cache; give one to share its worker processes between systems.

    Raises:
        ConfigError: When a setting is wrong; the message names the key.
        RegistryError: When a source is unknown.
    """

    def __init__(
        self,
        settings: RewardSettings | Mapping[str, Any],
        *,
        weighting: Weighting | None = None,
        engine: Engine | None = None,
    ) -> None:
        if not isinstance(settings, RewardSettings):
            settings = Recipe("settings", {"reward": dict(settings)}).section("reward", RewardSettings)
            for place in settings.imports:
                load_module(place)
        self.settings = settings
        self.sources = {key: _bind(key, entry.settings) for key, entry in entries(settings).items()}
        self.cascades = cascades(settings, self.sources)
        self._check_fallbacks()
        self._policies = {name: _policy(self.kind(name), source) for name, source in settings.sources.items()}
        declared = {name: self._declared(name) for name in settings.sources}
        optional = [name for name, policy in self._policies.items() if not policy.required]
        plans = plan_all(settings, declared, optional)
        self.tasks: Mapping[str, Task] = {name: chosen.task for name, chosen in plans.items()}
        self.router = Router([chosen.route for chosen in plans.values()])
        self.weighting = weighting or make_all(plans, self.router)
        self._owns_engine = engine is None
        self._engine = engine or Engine(settings.workers, _cache(settings.cache))

    @classmethod
    def from_recipe(cls, recipe: str | Path | Recipe, overrides: Iterable[str] = (), **options: Any) -> RewardSystem:
        """Make the system that a recipe file describes.

        Args:
            recipe: The file, or a recipe that was read already.
            overrides: `reward.key=value` assignments.
            **options: Passed to the constructor.

        Raises:
            ConfigError: With the file, line and key of each mistake.
            RegistryError: When a source is unknown; the message names the line.
        """
        recipe = recipe.override(overrides) if isinstance(recipe, Recipe) else Recipe.load(recipe, overrides)
        if "reward" not in recipe.data:
            raise ConfigError(f"{recipe.name}: no section 'reward'; it says which sources score what")
        settings = recipe.section("reward", RewardSettings)
        for place in settings.imports:
            load_module(place, Path(recipe.name).parent)
        settings = _with_sandbox(settings, recipe.data.get("sandbox"))
        for key, entry in entries(settings).items():
            try:
                _bind(key, entry.settings)
            except (ConfigError, RegistryError) as error:
                raise recipe.locate(error, ("reward", *entry.path)) from error
        try:
            return cls(settings, **options)
        except ConfigError as error:
            raise (recipe.locate(error, ("reward",)) if error.path else error) from error

    def _check_fallbacks(self) -> None:
        for name, source in self.settings.sources.items():
            if source.fallback is not None and self.range(source.fallback) != self.range(name):
                (low, high), (least, most) = self.range(name), self.range(source.fallback)
                reason = f"its values go from {least:g} to {most:g}, those of {name!r} from {low:g} to {high:g}"
                raise ConfigError(f"{source.fallback!r} cannot stand in: {reason}", ("sources", name, "fallback"))

    def kind(self, name: str) -> Kind:
        """Return the kind of a source or cascade of the recipe."""
        return self.cascades[name].kind if name in self.cascades else self.sources[name].source.kind

    def range(self, name: str) -> tuple[float, float]:
        """Return the range of a source or cascade of the recipe."""
        return self.cascades[name].range if name in self.cascades else self.sources[name].source.range

    def _declared(self, name: str) -> WeighedSource:
        """Return what is declared of a source or cascade, of whatever weight."""
        asked = [stage.key for stage in self.cascades[name].stages] if name in self.cascades else [name]
        of_correctness = all(self.sources[key].source.of_correctness for key in asked)
        return WeighedSource(0.0, self.kind(name), *self.range(name), of_correctness)

    def open(self) -> None:
        """Open what the sources work with (sandboxes, clients, models) now, so that what is missing is an error here.

        Raises:
            MarsError: Names the source and what it lacks.
        """
        for name, bound in self.sources.items():
            try:
                self._engine.open(bound)
            except MarsError as error:
                raise type(error)(f"source {name!r}: {error}") from error
            except Exception as error:
                raise SourceUnavailable(f"source {name!r}: {type(error).__name__}: {error}") from error

    def score(self, samples: Sequence[Sample]) -> list[Reward]:
        """Score samples.

        Args:
            samples: What to score; of any tasks, in any order.

        Returns:
            One reward a sample, in the order of the samples, whatever fails.
        """
        rounds = self._rounds(samples)
        pending = next(rounds)
        while True:
            results: dict[int, list[Score]] = {}
            # What runs in this thread goes first: the workers, threads and loop are busy meanwhile.
            for index in sorted(range(len(pending)), key=lambda i: not pending[i].inline):
                results[index] = pending[index].result()
            try:
                pending = rounds.send([results[index] for index in range(len(pending))])
            except StopIteration as end:
                return end.value

    async def score_async(self, samples: Sequence[Sample]) -> list[Reward]:
        """Score samples without blocking the event loop; see `score`."""
        rounds = self._rounds(samples)
        pending = next(rounds)
        while True:
            results = await asyncio.gather(*(work.wait() for work in pending))
            try:
                pending = rounds.send(results)
            except StopIteration as end:
                return end.value

    def _rounds(self, samples: Sequence[Sample]) -> _Rounds:
        """Score in rounds: first every source, then, as long as there are any, the next stages and the fallbacks.

        Yields the work of each round and is sent its scores, so that `score` and `score_async` differ only in waiting.
        """
        routes = [self.router.route(sample.task) for sample in samples]
        unsettled = [(name, index) for index, route in enumerate(routes) for name in (route.sources if route else ())]
        known: dict[tuple[str, int], Score] = {}
        while True:
            wanted: dict[str, dict[int, None]] = {}
            asking, unsettled = unsettled, []
            for name, index in asking:
                source = self._next(name, index, samples, known)
                if source is not None:
                    wanted.setdefault(source, {})[index] = None
                    unsettled.append((name, index))
            if not wanted:
                break
            # What compares the completions of a prompt sees all of them, also those that another source could settle.
            asked = {
                name: places if self.sources[name].source.independent else with_their_groups(places, samples)
                for name, places in wanted.items()
            }
            scores = yield [
                self._engine.submit(self.sources[name], [samples[i] for i in places]) for name, places in asked.items()
            ]
            for (name, places), found in zip(asked.items(), scores, strict=True):
                known.update(((name, index), score) for index, score in zip(places, found, strict=True))
        if not known:
            yield []
        return [
            self._combine(sample, route, known, i)
            for i, (sample, route) in enumerate(zip(samples, routes, strict=True))
        ]

    def _next(
        self, name: str | None, index: int, samples: Sequence[Sample], known: dict[tuple[str, int], Score]
    ) -> str | None:
        """Return which source to ask next before `name` is settled for a sample; `None` where it is."""
        while name is not None:
            if cascade := self.cascades.get(name):
                said: list[Score] = []
                while stage := cascade.next(said, samples[index]):
                    if (stage.key, index) not in known:
                        return stage.key
                    said.append(known[stage.key, index])
                known[name, index] = cascade.settle(said)
            score = known.get((name, index))
            if score is None:
                return name
            name = None if score.value is not None or not score.status.failed else self._policies[name].fallback
        return None

    def _combine(
        self, sample: Sample, route: Route | None, known: Mapping[tuple[str, int], Score], index: int
    ) -> Reward:
        if route is None:
            tasks = ", ".join(repr(r.task) for r in self.router)
            reason = f"no sources for the task {sample.task!r}; the recipe has {tasks}"
            return Reward(None, Status.ERROR, reason, (), sample.task)
        scores = [known[name, index] for name in route.sources]
        stand_ins: dict[str, tuple[str, Score]] = {}
        for name, score in zip(route.sources, scores, strict=True):
            if score.value is None and score.status.failed and (stand_in := self._stand_in(name, known, index)):
                stand_ins[name] = stand_in
        weights = self.weighting.weights(route.task)
        return combine(route, scores, stand_ins, self._policies, weights, sample)

    def _stand_in(self, name: str, known: Mapping[tuple[str, int], Score], index: int) -> tuple[str, Score] | None:
        """Return the first fallback down the chain that gave a verdict."""
        fallback = self._policies[name].fallback
        while fallback is not None:
            score = known[fallback, index]
            if not score.status.failed:
                return fallback, score
            fallback = self._policies[fallback].fallback
        return None

    def verdict(self, reward: Reward) -> Component | None:
        """Return the component that says whether the sample's answer is right, if its task has one."""
        route = self.router.route(reward.task)
        return reward[route.verdict] if route and route.verdict and reward.components else None

    def is_correct(self, reward: Reward) -> bool | None:
        """Return whether the answer is right: at the gate's threshold, or else above the middle of the source's range.

        Returns:
            `None` when there is no verdict; a value that the recipe puts in for a failed score is none.
        """
        component = self.verdict(reward)
        if component is None or component.value is None or component.note.startswith(SUBSTITUTED):
            return None
        route = self.router.route(reward.task)
        if route and route.gate:
            return component.value >= route.gate.threshold
        low, high = self.range(component.name)
        return component.value >= (low + high) / 2

    def weights(self) -> dict[str, dict[str, float]]:
        """Return the current weights: by task, then by source."""
        return {route.task: dict(self.weighting.weights(route.task)) for route in self.router}

    def strategy_logs(self) -> dict[str, dict[str, float]]:
        """Return what the weighting strategies have to log beside the weights, by task."""
        return self.weighting.logs() if isinstance(self.weighting, TaskWeighting) else {}

    def speaks_in_proportion(self, task: str) -> bool:
        """Return whether a prompt of which only part of the weight speaks is to teach by that part only."""
        route = self.router.route(task)
        if route is None or not isinstance(self.weighting, TaskWeighting):
            return False
        return self.weighting.tasks[route.task].by_voice

    def update(self, rewards: Sequence[Reward]) -> None:
        """Let the weighting learn from one training step. Scoring alone never changes the weights."""
        self.weighting.update(rewards)

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a checkpoint must hold."""
        return {"weighting": self.weighting.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint's state.

        Raises:
            ConfigError: When it is damaged, or of another recipe.
        """
        if "weighting" not in state:
            raise ConfigError(
                "the checkpoint has no weighting: it is damaged, or no reward system's; resume another one"
            )
        self.weighting.load_state_dict(state["weighting"])

    def fingerprint(self) -> str:
        """Return twelve hex digits that name everything the verdicts depend on: sources, versions, settings, policy."""
        sources = {name: bound.fingerprint() for name, bound in self.sources.items()}
        return fingerprint([sources, self.settings.model_dump(exclude=_NOT_POLICY)])

    def close(self) -> None:
        """End the worker processes, unless the engine was given by the caller."""
        if self._owns_engine:
            self._engine.close()

    def __enter__(self) -> RewardSystem:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _with_sandbox(settings: RewardSettings, sandbox: Any) -> RewardSettings:
    """Return the settings with the recipe's `sandbox` section given to every source that has such a setting."""

    def given(one: _Configured, name: str) -> _Configured:
        try:
            known = registry.get(name).settings.model_fields
        except RegistryError:
            return one  # to be told with its line by whoever binds it
        return one.model_copy(update={"settings": {"sandbox": sandbox} | one.settings}) if "sandbox" in known else one

    if sandbox is None:
        return settings
    sources: dict[str, SourceSettings] = {}
    for name, source in settings.sources.items():
        if source.cascade is None:
            sources[name] = given(source, source.source or name)
        else:
            own = [s if settings.is_entry(name, s) else given(s, s.source) for s in source.cascade]
            sources[name] = source.model_copy(update={"cascade": own})
    return settings.model_copy(update={"sources": sources})


def _cache(settings: CacheSettings | None) -> VerdictCache | None:
    try:
        return None if settings is None else VerdictCache(settings.path, settings.max_mb)
    except ConfigError as error:
        raise ConfigError(str(error), ("cache",)) from error


def _bind(name: str, settings: SourceSettings) -> BoundSource:
    source = registry.get(settings.source or name)
    if settings.deadline is not None:
        source = source.with_deadline(settings.deadline)
    return source.configure(settings.settings, alias=name)


def _policy(kind: Kind, settings: SourceSettings) -> Policy:
    by_kind = kind in (Kind.VERIFIER, Kind.JUDGE)
    return Policy(
        required=by_kind if settings.required is None else settings.required,
        substitute=None if settings.on_failure == "mask" else float(settings.on_failure),
        fallback=settings.fallback,
    )
