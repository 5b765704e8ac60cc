"""The registry of strategies, and strategies of one's own."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from pydantic import BaseModel

from mars import ConfigError, RegistryError, RewardSystem, Sample
from mars.weighting import Batch, Bounds, NoSettings, Stateless, Task, strategies, strategy

OWN = '''
from mars import reward
from mars.weighting import Batch, NoSettings, Stateless, Task, strategy


@reward("odd", deadline=None)
def odd(completion: str) -> float:
    return len(completion) % 2


@strategy("favour_the_first")
class FavourTheFirst(Stateless):
    """All for the first source."""

    def __init__(self, task: Task, settings: NoSettings) -> None:
        self.first = task.shaping[0]

    def merits(self, batch: Batch) -> dict[str, float]:
        return {name: float(name == self.first) for name in batch.task.shaping}
'''
RECIPE = """
reward:
  imports: [own_strategy.py]
  sources: {odd: 1.0, length: 1.0}
  weighting: {strategy: favour_the_first, bounds: {max_change: 1, floor: 0.1}}
"""


class Nothing(Stateless):
    """Does nothing."""

    def __init__(self, task: Task, settings: BaseModel) -> None:
        pass

    def merits(self, batch: Batch) -> dict[str, float]:
        return {}


def test_a_recipe_names_a_strategy_of_a_module_that_it_imports(tmp_path: Path) -> None:
    (tmp_path / "own_strategy.py").write_text(OWN)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    with RewardSystem.from_recipe(tmp_path / "recipe.yaml") as system:
        system.update(system.score([Sample("a"), Sample("aa")]))
        assert system.weights()["*"] == pytest.approx({"odd": 1.9, "length": 0.1})


def test_all_built_in_strategies_can_be_had_and_say_what_they_do() -> None:
    for name in strategies.BUILT_IN:
        known = strategies.get(name)
        assert known.name == name
        assert len(known.summary) > 20
        assert known.summary.endswith(".")


def test_built_in_strategies_come_first_in_the_list() -> None:
    strategy("a_first_by_name")(Nothing)
    assert strategies.names() == [*strategies.BUILT_IN, "a_first_by_name"]


@pytest.mark.parametrize("name", ["signal", "auto"])
def test_the_name_of_a_built_in_strategy_is_taken(name: str) -> None:
    with pytest.raises(RegistryError, match=r"the name of a built-in|registered already"):
        strategy(name)(Nothing)


def test_two_classes_of_one_name_are_told_apart_and_one_class_may_be_read_again() -> None:
    class Other(Nothing):
        pass

    strategy("mine")(Nothing)
    strategy("mine")(Nothing)
    with pytest.raises(RegistryError, match=r"'mine' is registered already, by .*\.Nothing"):
        strategy("mine")(Other)


def test_a_name_is_a_word() -> None:
    with pytest.raises(RegistryError, match="a word"):
        strategy("two words")(Nothing)


def test_settings_and_bounds_are_those_that_were_declared_with_the_recipes_own() -> None:
    strategy("mine", bounds=Bounds(floor=0, ceiling=2))(Nothing)
    mine = strategies.get("mine")
    assert mine.bounds_of({"ceiling": 3}) == Bounds(floor=0, ceiling=3)
    assert mine.settings_of({}) == NoSettings()
    with pytest.raises(ConfigError, match=r"the strategy 'mine' has no setting 'speed'\. It has none\."):
        mine.settings_of({"speed": 1})


def test_behind_a_gate_the_bounds_are_those_of_the_strategy_inside() -> None:
    strategy("mine", bounds=Bounds(max_change=0.5))(Nothing)
    weighting = {"strategy": "gated", "settings": {"shaping": "mine"}}
    with RewardSystem({"sources": {"exact": 1.0, "length": 1.0}, "weighting": weighting}) as system:
        assert system.state_dict()["weighting"]["*"]["name"]["bounds"]["max_change"] == 0.5


def test_a_package_registers_strategies_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packaged_strategy.py").write_text(
        OWN.replace("favour_the_first", "packaged").replace('"odd"', '"odd2"')
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = [EntryPoint("packaged", "packaged_strategy", strategies.GROUP)]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found if group == "mars.weighting" else [])
    assert strategies.get("packaged").summary == "All for the first source."


def test_a_package_that_does_not_load_takes_no_other_strategy_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [EntryPoint("gone", "no_such_module_at_all", strategies.GROUP)]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found)
    monkeypatch.setattr(strategies, "_broken_packages", {})
    assert strategies.names() == list(strategies.BUILT_IN)
    with pytest.raises(ConfigError, match=r"no weighting strategy 'gone'.*\n.*no_such_module_at_all did not load"):
        strategies.get("gone")
