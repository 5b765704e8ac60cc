"""`mars weighting` shows the strategies, one of them, or what the tasks of a recipe get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mars import RewardSystem, cli, reward
from mars.errors import ConfigError
from mars.recipe import Recipe
from mars.weighting.strategies import BUILT_IN, get

RECIPE = """
reward:
  sources: {exact: 1.0, length: 0.3, repetition: 0.2, format: 0}
  tasks:
    math: [exact, length, repetition, format]
    code/*: {sources: [exact, length], weighting: {strategy: gated, settings: {shaping: variance}}}
    chat: {sources: [length, repetition], weighting: signal}
    essay: [length]
"""


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs the command on a screen wide enough that nothing is wrapped."""
    monkeypatch.setattr(cli.screen, "_width", 300)

    def run(*arguments: str | Path) -> str:
        result = CliRunner().invoke(cli.app, ["weighting", *map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    return run


def test_all_strategies_are_listed_with_what_they_do_and_whether_they_move_weights(shown: Callable[..., str]) -> None:
    rows = {line.split()[0]: line for line in shown().splitlines() if line.strip()}
    for name in BUILT_IN:
        assert get(name).summary in rows[name]
        assert ("adapted" in rows[name]) is (name not in ("static", "gdpo"))
    assert "a single verifier decides and all else shapes" in rows["`auto`,"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_strategys_page_has_its_settings_and_its_bounds(name: str, shown: Callable[..., str]) -> None:
    page, known = shown(name), get(name)
    assert known.summary in page
    for setting in known.settings.model_fields:
        assert f" {setting} " in page
    assert ("max_change" in page) is known.adapts


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_recipe_on_a_strategys_page_works(name: str, shown: Callable[..., str]) -> None:
    @reward("opinion", kind="judge", deadline=None)
    def opinion(completion: str) -> float:
        return 1.0

    written = yaml.safe_load(shown(name).partition("in a recipe\n")[2])
    sources = {"exact": {}, "opinion": {}, "format": {}}
    with RewardSystem({"sources": sources, **written["reward"]}) as system:
        assert system.state_dict()["weighting"]["*"]["name"]["strategy"] == name


def test_of_a_recipe_each_task_is_shown_with_its_strategy_its_gate_and_its_weights(
    shown: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    lines = [" ".join(line.split()) for line in shown("--recipe", tmp_path / "recipe.yaml").splitlines()]
    assert lines[1:] == [
        "math gated, signal inside auto exact ≥ 0.5 exact 1",
        "length 0.3",
        "repetition 0.2",
        "format 0 (only logged)",
        "code/* gated, variance inside (weights stay) the recipe exact ≥ 0.5 exact 1",
        "length 0.3",
        "chat signal the recipe none length 0.3",
        "repetition 0.2",
        "essay static (weights stay) auto none length 0.3",
    ]


def test_a_recipe_is_shown_as_it_was_changed_on_the_command_line(shown: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    assert "gated, progress inside" in shown(
        "-r", tmp_path / "recipe.yaml", "--set", "reward.weighting={strategy: gated, settings: {shaping: progress}}",
        "--set", "reward.tasks={math: [exact, length, repetition]}",
    )  # fmt: skip


def test_a_mistake_in_the_recipe_is_told_with_its_line(shown: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("weighting: signal", "weighting: sgnal"))
    with pytest.raises(ConfigError, match=r"recipe\.yaml:7: reward\.tasks\.chat\.weighting\.strategy: no weighting"):
        shown("--recipe", tmp_path / "recipe.yaml")


def test_a_strategy_of_ones_own_is_shown(shown: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from mars.weighting import Stateless, strategy\n"
        "@strategy('mine_alone')\n"
        "class Mine(Stateless):\n"
        "    '''What I want.'''\n"
        "    def __init__(self, task, settings): pass\n"
        "    def merits(self, batch): return {}\n"
    )
    assert "What I want." in shown("mine_alone", "--import", tmp_path / "mine.py")


def test_an_unknown_strategy_and_a_strategy_beside_a_recipe_are_refused(shown: Callable[..., str]) -> None:
    with pytest.raises(ConfigError, match=r"no weighting strategy 'signl'\. Did you mean 'signal'\?"):
        shown("signl")
    with pytest.raises(ConfigError, match="not both"):
        shown("signal", "--recipe", "recipe.yaml")


def test_every_recipe_that_comes_along_says_what_it_means(shown: Callable[..., str]) -> None:
    folder = Path(__file__).resolve().parents[3] / "recipes"
    scoring = [file for file in sorted(folder.glob("*.yaml")) if "reward" in Recipe.load(file).data]
    assert len(scoring) > 3
    for file in scoring:
        assert shown("--recipe", file).splitlines()[1].split()[0] == "*"
