from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mars.audit.monitors import (
    Action,
    Forgetful,
    MonitorSettings,
    Options,
    Reading,
    Scene,
    Step,
    Watch,
    monitor,
    registry,
)
from mars.errors import ConfigError, RegistryError
from mars.recipe import SECTIONS, Recipe


@pytest.fixture(autouse=True)
def forget_monitors() -> Iterator[None]:
    before = dict(registry._registered)
    yield
    registry._registered.clear()
    registry._registered.update(before)


def _section(text: str) -> MonitorSettings:
    return Recipe.parse(text, "recipe.yaml").section("monitors", MonitorSettings)


def _register(name: str = "shouting", settings: type[Options] = Options) -> type[Any]:
    @monitor(name, settings=settings, advice="Speak softly.")
    class Shouting(Forgetful):
        """The share that shouts."""

        def __init__(self, options: Options, scene: Scene) -> None:
            self.scene = scene

        def read(self, step: Step) -> list[Reading]:
            loud = sum(one.sample.completion.isupper() for one in step.seen)
            return [Reading("", float(loud), 0.0, loud > 0, f"{loud} shout")]

    return Shouting


def test_the_section_is_one_that_recipes_may_have() -> None:
    assert "monitors" in SECTIONS


def test_every_built_in_monitor_is_on_by_default_and_warns() -> None:
    settings = _section("reward: {}")
    assert tuple(settings.watching) == registry.BUILT_IN
    assert {options.action for options in settings.watching.values()} == {Action.WARN}
    assert settings.keep == 128


@pytest.mark.parametrize("text", ["monitors: off", "monitors: 'off'", "monitors: false"])
def test_off_turns_all_of_it_off(text: str) -> None:
    settings = _section(text)
    assert (settings.watching, settings.keep) == ({}, 0)


@pytest.mark.parametrize("word", ["off", "false", "'off'"])
def test_one_monitor_can_be_off(word: str) -> None:
    assert "hedging" not in _section(f"monitors: {{hedging: {word}}}").watching


def test_an_action_alone_is_short_for_its_key() -> None:
    assert _section("monitors: {failures: stop}").watching["failures"].action is Action.STOP


@pytest.mark.parametrize("word", ["on", "true", "null", "{}"])
def test_a_monitor_that_is_on_has_its_defaults(word: str) -> None:
    assert _section(f"monitors: {{length: {word}}}") == MonitorSettings()


def test_settings_are_those_of_the_monitor() -> None:
    settings = _section("monitors: {length: {times: 3, action: log}, keep: 0}")
    assert settings.watching["length"].model_dump()["times"] == 3
    assert settings.keep == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hegding: off", "recipe.yaml:2: monitors.hegding: no monitor 'hegding'. Did you mean 'hedging'?"),
        (
            "length: {time: 3}",
            "recipe.yaml:2: monitors.length.time: the monitor 'length' has no setting 'time'. Did you",
        ),
        ("length: {times: 0.5}", "recipe.yaml:2: monitors.length.times: the monitor 'length': times: Input should be"),
        ("length: wran", "recipe.yaml:2: monitors.length: no action 'wran'. Did you mean 'warn'?"),
        ("length: {action: wran}", "recipe.yaml:2: monitors.length.action: the monitor 'length': action: Input should"),
        (
            "length: 3",
            "recipe.yaml:2: monitors.length: a table of keys belongs here, or off, log, warn or stop (got 3)",
        ),
        ("keep: -1", "recipe.yaml:2: monitors.keep: Input should be greater than or equal to 0"),
        ("kep: 1", "recipe.yaml:2: monitors.kep: no monitor 'kep'. Did you mean 'keep'?"),
        (
            "gap: {judges: []}",
            "recipe.yaml:2: monitors.gap.judges: the monitor 'gap': judges: List should have at least 1",
        ),
        ("length: {patience: yes}", "recipe.yaml:2: monitors.length.patience: the monitor 'length': patience: Input"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _section(f"monitors:\n  {text}")
    assert str(caught.value).startswith(said)


def test_a_section_that_is_no_table_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"recipe\.yaml:1: monitors: a table of keys belongs here"):
        _section("monitors: [hedging]")


def test_the_section_is_written_as_a_recipe_would_write_it_and_read_back() -> None:
    settings = _section("monitors: {hedging: off, length: {times: 3, action: stop}, keep: 7}")
    written = json.loads(json.dumps(settings.model_dump(mode="json")))
    assert (written["hedging"], written["length"]["times"], written["keep"]) == (False, 3.0, 7)
    assert MonitorSettings.model_validate(written) == settings


def test_a_monitor_of_ones_own_watches_where_its_key_is_written() -> None:
    _register()
    assert "shouting" not in MonitorSettings().watching
    settings = _section("monitors: {shouting: stop}")
    assert settings.watching["shouting"].action is Action.STOP
    assert Watch.of(settings, Scene()).look(Step(1, ())) == []
    assert MonitorSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_a_name_is_registered_once() -> None:
    _register()
    with pytest.raises(RegistryError, match="the monitor 'hedging' is registered already"):
        registry.get("hedging")
        _register("hedging")


def test_a_name_that_the_section_needs_is_refused() -> None:
    with pytest.raises(RegistryError, match="a monitor cannot be called 'keep'"):
        _register("keep")


@pytest.mark.parametrize("name", registry.BUILT_IN)
def test_every_monitor_says_what_it_measures_what_is_alarming_and_what_to_do(name: str) -> None:
    chosen = registry.get(name)
    assert chosen.summary.endswith(".")
    assert len(chosen.advice) > 60
    assert chosen.settings().action is Action.WARN
    assert {"action", "patience"} < set(chosen.settings.model_fields)
    undescribed = [key for key, field in chosen.settings.model_fields.items() if not field.description]
    assert not undescribed
