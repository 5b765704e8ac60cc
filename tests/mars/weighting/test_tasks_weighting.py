"""A system's weighting: every task by its own strategy, and a resumed run equals an unbroken one, bit for bit."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mars import ConfigError, RewardSystem, Sample, Score, Status, registry, reward
from mars.weighting.strategies import BUILT_IN

SOURCES = {"right": {}, "opinion": {"weight": 0.5}, "neat": {"weight": 0.5}, "long": {"weight": 0.3}, "seen": 0.0}
OWN: dict[str, dict[str, Any]] = {
    "constraint": {"targets": {"neat": {"at_least": 0.95}}},
    "schedule": {"points": {"neat": {0: 1, 5: 0.2}}},
    "progress": {"window": 2},
    "gated": {"shaping": "schedule", "settings": {"points": {"neat": {0: 1, 5: 0.2}}}},
}
"""Settings of strategies that need some, or that would do nothing within a few steps."""


@pytest.fixture(scope="module", autouse=True)
def said_sources():
    """Sources that say what a column of their name says; `None` there: undecided."""
    before = dict(registry._sources)
    _register("right", "verifier", (0, 1))
    _register("opinion", "judge", (0, 1))
    _register("neat", "metric", (0, 1))
    _register("long", "penalty", (-1, 0))
    _register("seen", "metric", (0, 1))
    yield
    registry._sources.clear()
    registry._sources.update(before)


def _register(name: str, kind: str, bounds: tuple[float, float]) -> None:
    @reward(name, kind=kind, range=bounds, deadline=None)
    def said(sample: Sample) -> Score:
        value = sample.meta.get(name)
        return Score.failed(Status.UNDECIDED, "cannot tell") if value is None else Score(value)


def system_of(weighting: Any = "auto", **more: Any) -> RewardSystem:
    return RewardSystem({"sources": SOURCES, "weighting": weighting} | more)


def weighted_by(strategy: str) -> RewardSystem:
    return system_of({"strategy": strategy, "settings": OWN.get(strategy, {})})


def said(prompt: int = 0, task: str = "default", **values: float | None) -> Sample:
    values = {"right": 1.0, "opinion": 1.0, "neat": 1.0, "long": 0.0, "seen": 1.0} | values
    return Sample("", f"prompt {prompt}", task=task, meta=values)


units = st.one_of(st.none(), st.sampled_from([0.0, 1.0]), st.floats(0, 1))
completions = st.builds(
    said,
    prompt=st.integers(0, 2),
    right=st.sampled_from([0.0, 1.0, None]),
    opinion=units,
    neat=units,
    long=units.map(lambda value: None if value is None else -value),
    seen=units,
)
runs = st.lists(st.lists(completions, max_size=8), min_size=2, max_size=10)


@pytest.mark.parametrize("name", BUILT_IN)
@settings(max_examples=25)
@given(steps=runs, data=st.data())
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(
    name: str, steps: list[list[Sample]], data: st.DataObject
) -> None:
    broken_at = data.draw(st.integers(0, len(steps)))
    with weighted_by(name) as unbroken, weighted_by(name) as resumed:
        for place, samples in enumerate(steps):
            if place == broken_at:
                resumed.load_state_dict(json.loads(json.dumps(unbroken.state_dict())))
            unbroken.update(unbroken.score(samples))
            if place >= broken_at:
                resumed.update(resumed.score(samples))
                assert resumed.weights() == unbroken.weights()
                assert resumed.state_dict() == unbroken.state_dict()
                assert resumed.strategy_logs() == unbroken.strategy_logs()


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_state_that_was_taken_does_not_change_with_the_run(name: str) -> None:
    samples = [said(right=float(place % 2), neat=float(place % 3 == 0), opinion=place / 8) for place in range(8)]
    with weighted_by(name) as system:
        system.update(system.score(samples))
        taken = system.state_dict()
        then = copy.deepcopy(taken)
        for _ in range(6):
            system.update(system.score(samples))
        assert taken == then


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize(
    "samples",
    [[], [said(right=None, opinion=None), said(right=None, opinion=None)], [said(task="unheard of")]],
    ids=["an empty batch", "all masked", "an unknown task"],
)
def test_weights_stay_where_there_is_nothing_to_learn_from(name: str, samples: list[Sample]) -> None:
    tasks = {"default/*": {"sources": ["right", "opinion", "neat", "long"]}}
    weighting = {"strategy": name, "settings": OWN.get(name, {})}
    more = {"tasks": tasks} if samples and samples[0].task == "unheard of" else {}
    with system_of(weighting, **more) as system:
        before = system.weights()
        system.update(system.score(samples))
        assert system.weights() == before


def test_each_task_is_weighed_by_its_own_strategy_on_its_own_samples() -> None:
    tasks = {
        "math": {
            "sources": ["right", "neat", "long"],
            "weighting": {"strategy": "signal", "bounds": {"max_change": 1}},
        },
        "code": {"sources": ["right", "neat", "long"], "weighting": "signal"},
        "chat": {"sources": ["neat", "long"], "weighting": "static"},
    }
    samples = [said(task=task, right=float(place), neat=0.5) for task in ("math", "chat") for place in (0, 1)]
    with system_of(tasks=tasks) as system:
        before = system.weights()
        system.update(system.score(samples))
        now = system.weights()
    assert now["code"] == before["code"]
    assert now["chat"] == before["chat"]
    assert now["math"]["right"] > 1.0 > before["math"]["neat"] > now["math"]["neat"]


def test_what_is_scored_and_not_learned_from_changes_nothing() -> None:
    with system_of("signal") as system:
        before = system.state_dict()
        system.score([said(right=0.0), said(right=1.0)])
        assert system.state_dict() == before


OTHER = [
    ({"weighting": "static"}, "another strategy"),
    ({"weighting": {"strategy": "signal", "bounds": {"floor": 0.1}}}, "other bounds"),
    ({"sources": {**SOURCES, "neat": 0.6}}, "another weight"),
    ({"gate": "right"}, "a gate"),
    ({"tasks": {"math": ["right", "neat"]}}, "other tasks"),
    ({"sources": {"right": 1.0}}, "fewer sources"),
]


@pytest.mark.parametrize(("changed", "what"), OTHER, ids=[what for _, what in OTHER])
def test_the_state_of_another_recipe_is_refused(changed: dict[str, Any], what: str) -> None:
    with system_of("signal") as system, RewardSystem({"sources": SOURCES, "weighting": "signal"} | changed) as other:
        before = other.state_dict()
        with pytest.raises(ConfigError, match="resume with the recipe of the run, or start a new run"):
            other.load_state_dict(json.loads(json.dumps(system.state_dict())))
        assert other.state_dict() == before


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name not in ("static", "gdpo", "signal", "variance")])
def test_a_state_without_the_strategys_part_is_refused_and_leaves_the_weights(name: str) -> None:
    samples = [said(right=float(place % 2), neat=float(place % 3 == 0)) for place in range(6)]
    with weighted_by(name) as system, weighted_by(name) as other:
        for _ in range(8):
            system.update(system.score(samples))
        state = json.loads(json.dumps(system.state_dict()))
        assert state["weighting"]["*"]["strategy"]
        state["weighting"]["*"]["strategy"] = {}
        before = other.weights()
        with pytest.raises(ConfigError, match="damaged"):
            other.load_state_dict(state)
        assert other.weights() == before


def test_a_state_of_which_one_task_is_damaged_leaves_every_task_as_it_was() -> None:
    tasks = {"math": ["right", "neat", "long"], "code": ["right", "neat", "long"]}
    weighting = {"strategy": "constraint", "settings": OWN["constraint"]}
    samples = [
        said(task=task, right=float(place % 2), neat=float(place % 3 == 0)) for place in range(6) for task in tasks
    ]
    with system_of(weighting, tasks=tasks) as system, system_of(weighting, tasks=tasks) as other:
        system.update(system.score(samples))
        state = json.loads(json.dumps(system.state_dict()))
        assert state != other.state_dict()
        del state["weighting"]["code"]["strategy"]["violations"]
        before = other.state_dict()
        with pytest.raises(ConfigError, match="task 'code' is damaged"):
            other.load_state_dict(state)
        assert other.state_dict() == before


def _without(*path: str) -> Any:
    def damage(state: dict[str, Any]) -> None:
        for key in path[:-1]:
            state = state[key]
        del state[path[-1]]

    return damage


def _with(value: object, *path: str) -> Any:
    def damage(state: dict[str, Any]) -> None:
        for key in path[:-1]:
            state = state[key]
        state[path[-1]] = value

    return damage


DAMAGED = {
    "no weighting": _without("weighting"),
    "no task": _without("weighting", "*"),
    "a task that is no table": _with(3, "weighting", "*"),
    "a weighting that is no table": _with(None, "weighting"),
    "no name": _without("weighting", "*", "name"),
    "no weights": _without("weighting", "*", "sizes"),
    "a weight too few": _without("weighting", "*", "sizes", "neat"),
    "weights that are no table": _with([1.0], "weighting", "*", "sizes"),
    "a weight that is text": _with("1", "weighting", "*", "sizes", "neat"),
    "a weight that is no number": _with(float("nan"), "weighting", "*", "sizes", "neat"),
    "a weight below 0": _with(-1.0, "weighting", "*", "sizes", "neat"),
    "no merits": _without("weighting", "*", "deserved"),
    "a merit of no source": _with(1.0, "weighting", "*", "deserved", "else"),
    "no part of the strategy": _without("weighting", "*", "strategy"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_state_is_refused(what: str) -> None:
    with system_of("signal") as system:
        system.update(system.score([said(right=0.0), said(right=1.0)]))
        state = json.loads(json.dumps(system.state_dict()))
        DAMAGED[what](state)
        before = system.state_dict()
        with pytest.raises(ConfigError, match=r"damaged|resume with the recipe of the run"):
            system.load_state_dict(state)
        assert system.state_dict() == before
