from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from mars import ConfigError, RegistryError, RewardSystem
from mars.config import RewardSettings
from mars.recipe import MOST_KEYS, Recipe, fingerprint


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rate: float = 0.1
    names: list[str] = []
    either: int | list[int] | None = None


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")
    steps: int = 1
    inner: Inner = Inner()


def test_a_recipe_is_its_sections() -> None:
    recipe = Recipe.parse("train:\n  steps: 3\n  inner: {rate: 3e-4}\n")
    assert recipe.section("train", Section) == Section(steps=3, inner=Inner(rate=3e-4))
    assert recipe.section("absent", Section) == Section()


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "null"])
def test_an_empty_file_is_an_empty_recipe(text: str) -> None:
    assert Recipe.parse(text).data == {}


NOT_YAML = [
    ("a: [", 1, "expected the node content"),
    ("ok: 1\n\tb: 2", 2, "cannot start any token"),
    ("ok: 1\na: \x00", 2, "the character U+0000"),
    ("a: 1\na: 2", 2, "the key 'a' is written twice"),
    ("a:\n  b: 1\n  c: 2\n  b: 3", 4, "the key 'b' is written twice"),
    ("a: [{b: 1, b: 2}]", 1, "the key 'b' is written twice"),
    ("[a]: 1", 1, "unhashable key"),
    ("? {a: b}\n: 1", 1, "unhashable key"),
    ("ok: 1\nwhen: 2024-13-45", 2, "cannot read '2024-13-45': month"),
    ("a: 0x_", 1, "cannot read '0x_'"),
    ("a: !!bool perhaps", 1, "cannot read 'perhaps'"),
    ("a: !!timestamp soon", 1, "cannot read 'soon'"),
    ("a: !!int " + "9" * 5000, 1, "Exceeds the limit"),
    ("a: !!python/object:os.system x", 1, "could not determine a constructor"),
    ("a: 1\n---\nb: 2", 2, "found another document"),
    ("a: *nobody", 1, "undefined alias"),
    ("a: &x [*x]", 1, "nested too deeply, or an alias of itself"),
    ("[" * 5000, 1, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "line", "message"), NOT_YAML, ids=[repr(text)[:30] for text, *_ in NOT_YAML])
def test_what_is_no_recipe_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^run.yaml:{line}: .*{re.escape(message)}"):
        Recipe.parse(text, "run.yaml")


@pytest.mark.parametrize("text", ["3", "[a, b]", "text"])
def test_a_recipe_is_a_mapping(text: str) -> None:
    with pytest.raises(ConfigError, match="a recipe is a mapping of sections"):
        Recipe.parse(text)


def test_aliases_of_aliases_cannot_fill_the_memory() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match=f"more than {MOST_KEYS} keys"):
        Recipe.parse("\n".join(lines))


def test_numbers_and_text_that_look_alike_are_different_keys() -> None:
    assert Recipe.parse("1: a\n'1': b").data == {1: "a", "1": "b"}


yaml_like = st.text() | st.text(alphabet="ab:-[]{}&*<!|>'\"#,?@%\n\t 012.~_x", max_size=60)


@given(yaml_like)
def test_arbitrary_text_is_a_recipe_or_a_config_error(text: str) -> None:
    try:
        Recipe.parse(text)
    except ConfigError as error:
        assert str(error).startswith("recipe")


@given(st.lists(yaml_like, max_size=3))
def test_arbitrary_overrides_are_applied_or_a_config_error(overrides: list[str]) -> None:
    try:
        Recipe.parse("reward: {sources: {math: 1.0}}", overrides=overrides)
    except ConfigError as error:
        assert "--set" in str(error)


def test_a_file_that_cannot_be_read_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the recipe .*: No such file"):
        Recipe.load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot read the recipe"):
        Recipe.load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        Recipe.load(tmp_path / "latin.yaml")


# --set


@pytest.mark.parametrize(
    ("overrides", "expected", "why"),
    [
        (["train.steps=5"], {"train": {"steps": 5, "inner": {"rate": 0.5}}}, "a value is YAML"),
        (["train.inner.rate=1e-3"], {"train": {"steps": 1, "inner": {"rate": 0.001}}}, "at any depth"),
        (["train.inner={rate: 2}"], {"train": {"steps": 1, "inner": {"rate": 2}}}, "a whole table"),
        (["new.key=x"], {"train": {"steps": 1, "inner": {"rate": 0.5}}, "new": {"key": "x"}}, "tables are made"),
        (["train.steps="], {"train": {"steps": None, "inner": {"rate": 0.5}}}, "nothing is null"),
        (["train.steps=a=b"], {"train": {"steps": "a=b", "inner": {"rate": 0.5}}}, "the first = counts"),
        (["train.steps=2", "train.steps=3"], {"train": {"steps": 3, "inner": {"rate": 0.5}}}, "the last one wins"),
        (["train=", "train.steps=4"], {"train": {"steps": 4}}, "null is an empty table"),
    ],
)
def test_overrides(overrides: list[str], expected: dict[str, Any], why: str) -> None:
    text = "train:\n  steps: 1\n  inner: {rate: 0.5}"
    assert Recipe.parse(text, overrides=overrides).data == expected


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.steps", "write it as section.key=value"),
        ("=3", "write it as section.key=value"),
        ("train..steps=3", "write it as section.key=value"),
        ("train.steps.more=3", "train.steps is 1, not a table of keys; set all of it: train.steps={...}"),
        ("train.list.0=3", "train.list is [1], not a table of keys"),
        ("train.steps=[", "not YAML"),
        ("train.steps=2024-13-45", "cannot read '2024-13-45'"),
    ],
)
def test_a_wrong_override_is_repeated_in_the_error(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"--set {override}: ")) as caught:
        Recipe.parse("train: {steps: 1, list: [1]}", overrides=[override])
    assert message in str(caught.value)


def test_an_override_of_a_short_form_says_how_to_write_it() -> None:
    with pytest.raises(ConfigError, match=re.escape("reward.sources.math is 1.0, not a table of keys; set all of it")):
        Recipe.parse("", overrides=["reward.sources.math=1.0", "reward.sources.math.weight=2"])


def test_an_override_changes_one_place_of_a_table_that_an_anchor_put_in_several() -> None:
    recipe = Recipe.parse("a: &t {x: {y: 1}}\nb: *t\nc: {<<: *t}", overrides=["a.x.y=2"])
    assert recipe.data == {"a": {"x": {"y": 2}}, "b": {"x": {"y": 1}}, "c": {"x": {"y": 1}}}


def test_overriding_leaves_the_recipe_that_was_read_as_it_was() -> None:
    recipe = Recipe.parse("train: {steps: 1}")
    changed = recipe.override(["train.steps=2"])
    assert (recipe.data, changed.data) == ({"train": {"steps": 1}}, {"train": {"steps": 2}})


def test_a_mistake_in_an_override_is_not_blamed_on_the_file() -> None:
    text = "train:\n  inner:\n    rate: 0.5"
    for override in ("train.inner={rate: fast}", "train.inner.rate=fast"):
        with pytest.raises(ConfigError, match=r"^--set train\.inner(\.rate)?: train\.inner\.rate: "):
            Recipe.parse(text, overrides=[override]).section("train", Section)


# Where a mistake is.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train:\n  steps: many", "r.yaml:2: train.steps: Input should be a valid integer"),
        ("train:\n  stepz: 3", "r.yaml:2: train.stepz: no such key. Did you mean 'steps'?"),
        ("train:\n\n  inner:\n    rat: 1", "r.yaml:4: train.inner.rat: no such key. Did you mean 'rate'?"),
        ("train:\n  inner:\n  - 1", "r.yaml:2: train.inner: a table of keys belongs here"),
        ("train:\n  inner:", "r.yaml:2: train.inner: a table of keys belongs here (got None)"),
        ("train: 3", "r.yaml:1: train: a table of keys belongs here (got 3)"),
        ("train:\n  inner:\n    names: x", "r.yaml:3: train.inner.names: a list belongs here (got 'x')"),
        (
            "train:\n  inner:\n    names:\n    - a\n    - 2",
            "r.yaml:5: train.inner.names.1: Input should be a valid string (got 2)",
        ),
        (
            "train:\n  inner:\n    either: x",
            "r.yaml:3: train.inner.either: Input should be a valid integer, unable to parse string as an integer "
            "(got 'x'), or a list belongs here (got 'x')",
        ),
        ("d: &d\n  rat: 1\ntrain:\n  inner: *d", "r.yaml:2: train.inner.rat: no such key. Did you mean 'rate'?"),
        ("d: &d\n  rat: 1\ntrain:\n  inner: {<<: *d}", "r.yaml:2: train.inner.rat: no such key. Did you mean 'rate'?"),
        (
            "d: &d {rate: a}\ne: &e {rate: b}\ntrain:\n  inner:\n    <<: [*d, *e]\n    rate: c",
            "r.yaml:6: train.inner.rate: Input should be a valid number, unable to parse string as a number (got 'c')",
        ),
    ],
)
def test_a_mistake_is_reported_with_file_line_and_key(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Recipe.parse(text, "r.yaml").section("train", Section)
    assert str(caught.value).startswith(expected)


def test_all_mistakes_of_a_section_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Recipe.parse("train:\n  steps: x\n  inner:\n    rate: y\n    z: 1", "r.yaml").section("train", Section)
    assert [line.partition(":")[2].partition(":")[0] for line in str(caught.value).splitlines()] == ["2", "4", "5"]


def test_a_section_that_nobody_reads_is_refused() -> None:
    recipe = Recipe.parse("reward: {}\nmodle: {}\n3: {}", "r.yaml")
    with pytest.raises(ConfigError, match=r"r.yaml:2: no section 'modle'\. Did you mean 'model'"):
        recipe.only(["reward", "model"])


# The same for the reward section, whose short forms make wrong recipes that look right.

SOURCES = "reward:\n  sources:\n    math: 1\n    format: 0.1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("other: 1", "r.yaml: no section 'reward'"),
        ("reward:", "r.yaml:1: reward.sources: this key is required"),
        ("reward:\n  sources: {}", "r.yaml:2: reward.sources: "),
        ("reward:\n  sources: [math]", "r.yaml:2: reward.sources: a table of keys belongs here"),
        ("reward:\n  sources:\n    math: [1]", "r.yaml:3: reward.sources.math: a table of keys belongs here"),
        ("reward:\n  sources:\n    math: true", "r.yaml:3: reward.sources.math: a table of keys belongs here"),
        ("reward:\n  sources:\n    math: .nan", "r.yaml:3: reward.sources.math: Input should be a finite number"),
        ("reward:\n  sources:\n    1: 2", "r.yaml:3: reward.sources.1: a name is text; write it in quotes: '1'"),
        ("reward:\n  sources:\n    math: {wieght: 1}", "r.yaml:3: reward.sources.math.wieght: no such key."),
        (
            "reward:\n  sources:\n    math: {weight: true}",
            "r.yaml:3: reward.sources.math.weight: Input should be a valid number (got True)",
        ),
        (
            "reward:\n  sources:\n    math: {weight: '1'}",
            "r.yaml:3: reward.sources.math.weight: Input should be a valid number (got '1')",
        ),
        (
            "reward:\n  sources:\n    math: {on_failure: msk}",
            "r.yaml:3: reward.sources.math.on_failure: Input should be 'mask' (got 'msk'), or Input should be a valid "
            "number (got 'msk')",
        ),
        (
            "reward:\n  sources:\n    math:\n      deadline: 0",
            "r.yaml:4: reward.sources.math.deadline: Input should be greater than 0 (got 0)",
        ),
        ("reward:\n  sources:\n    math:\n      deadline: .inf", "r.yaml:4: reward.sources.math.deadline: "),
        (
            "reward:\n  sources:\n    math:\n      fallback: maht",
            "r.yaml:4: reward.sources.math.fallback: no source 'maht' in this recipe. Did you mean 'math'?",
        ),
        (
            "reward:\n  sources:\n    math: {fallback: exact}\n    exact:\n      fallback: math",
            "r.yaml:3: reward.sources.math.fallback: math -> exact -> math goes round in a circle",
        ),
        (
            "reward:\n  sources:\n    math: {fallback: math}",
            "r.yaml:3: reward.sources.math.fallback: math -> math goes round in a circle",
        ),
        (SOURCES + "  gate: frmat", "r.yaml:5: reward.gate: no source 'frmat' in this recipe. Did you mean 'format'?"),
        (SOURCES + "  gate: [math]", "r.yaml:5: reward.gate: a table of keys belongs here"),
        (SOURCES + "  gate: {source: math, treshold: 1}", "r.yaml:5: reward.gate.treshold: no such key."),
        (SOURCES + "  gate: {threshold: 1}", "r.yaml:5: reward.gate.source: this key is required"),
        (SOURCES + "  tasks:\n    a: math", "r.yaml:6: reward.tasks.a: a table of keys belongs here (got 'math')"),
        (SOURCES + "  tasks:\n    a: []", "r.yaml:6: reward.tasks.a: it names no source"),
        (SOURCES + "  tasks:\n    a: [1]", "r.yaml:6: reward.tasks.a: a list of names belongs here"),
        (SOURCES + "  tasks:\n    a: [math, math]", "r.yaml:6: reward.tasks.a: 'math' is written twice"),
        (SOURCES + "  tasks:\n    a: [mth]", "r.yaml:6: reward.tasks.a.sources: no source 'mth' in this recipe."),
        (
            SOURCES + "  tasks:\n    a:\n      sources: {math: x}",
            "r.yaml:7: reward.tasks.a.sources.math: Input should be a valid number (got 'x')",
        ),
        (
            SOURCES + "  tasks:\n    a: {sources: [math], gate: format}",
            "r.yaml:6: reward.tasks.a.gate: 'format' is not one of the task's sources",
        ),
        (SOURCES + "  imports: a.py", "r.yaml:5: reward.imports: a list belongs here (got 'a.py')"),
        (SOURCES + "  workers: 0", "r.yaml:5: reward.workers: Input should be greater than or equal to 1 (got 0)"),
        (SOURCES + "  weighting: {strategy: dynamic}", "r.yaml:5: reward.weighting.strategy: "),
        (
            "reward:\n  sources:\n    math:\n      settings:\n        precison: 3",
            "r.yaml:5: reward.sources.math.settings.precison: source 'math' has no setting 'precison'.",
        ),
        (
            "reward:\n  sources:\n    math:\n      settings:\n        multiset: x",
            "r.yaml:5: reward.sources.math.settings.multiset: source 'math': multiset: ",
        ),
        (
            "reward:\n  sources:\n    maths: 1",
            "r.yaml:3: reward.sources.maths: no reward source 'maths'. Did you mean 'math'?",
        ),
    ],
)
def test_a_wrong_reward_section(text: str, expected: str) -> None:
    with pytest.raises((ConfigError, RegistryError)) as caught:
        RewardSystem.from_recipe(Recipe.parse(text, "r.yaml"))
    assert str(caught.value).startswith(expected)


def test_overrides_reach_a_recipe_that_was_read_already() -> None:
    recipe = Recipe.parse(SOURCES)
    with RewardSystem.from_recipe(recipe, ["reward.sources.format=0.5"]) as system:
        assert system.weights() == {"*": {"math": 1.0, "format": 0.5}}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda x: (
            st.lists(x, max_size=2)
            | st.dictionaries(
                st.sampled_from(["sources", "gate", "tasks", "math", "source", "weight", "a"]), x, max_size=3
            )
        ),
        max_leaves=10,
    )
)
def test_arbitrary_data_is_a_reward_section_or_a_config_error(data: Any) -> None:
    try:
        settings = Recipe("recipe", {"reward": data}).section("reward", RewardSettings)
    except ConfigError:
        return
    for route in settings.routes().values():
        assert set(settings.weights(route)) == set(route.sources)


# Fingerprints.

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), plain, min_size=2, max_size=4))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(data: dict[str, Any]) -> None:
    assert fingerprint(data) == fingerprint(dict(reversed(data.items())))
    assert re.fullmatch("[0-9a-f]{12}", fingerprint(data))


def test_a_fingerprint_does_not_depend_on_the_order_of_a_set() -> None:
    words = [str(number) for number in range(50)]
    assert fingerprint(set(words)) == fingerprint(sorted(words))


@pytest.mark.parametrize(
    ("one", "other"), [(1, 2), (1, "1"), ([1, 2], [2, 1]), ({"a": 1}, {"a": None}), (None, "null")]
)
def test_different_data_has_different_fingerprints(one: Any, other: Any) -> None:
    assert fingerprint(one) != fingerprint(other)
