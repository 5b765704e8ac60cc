"""Which strategy and which gate a task gets, and where a mistake in a recipe's weighting is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mars import ConfigError, RewardSystem, Sample, reward
from mars.weighting.tasks import TaskWeighting


@pytest.fixture(autouse=True)
def kinds() -> None:
    for name, kind, bounds in (
        ("right", "verifier", (0, 1)),
        ("also_right", "verifier", (0, 1)),
        ("graded", "verifier", (-1, 1)),
        ("opinion", "judge", (0, 1)),
        ("neat", "metric", (0, 1)),
        ("brief", "metric", (0, 1)),
        ("long", "penalty", (-1, 0)),
    ):

        @reward(name, kind=kind, range=bounds, deadline=None)
        def said(completion: str) -> float:
            return 0.0

    @reward("polite", kind="judge", deadline=None, of_correctness=False)
    def polite(completion: str) -> float:
        return 1.0


def planned(settings: dict[str, Any]) -> tuple[str, str | None, float]:
    """Return the strategy of a recipe's only task, its gate, and the gate's threshold."""
    with RewardSystem(settings) as system:
        assert isinstance(system.weighting, TaskWeighting)
        [weights] = system.weighting.tasks.values()
        [route] = system.router
        gate = route.gate
        assert (gate.source if gate else None) == weights.task.gate
        return weights.name["strategy"], weights.task.gate, gate.threshold if gate else 0.5


def sources(*names: str, **more: Any) -> dict[str, Any]:
    return {"sources": dict.fromkeys(names, 1.0)} | more


AUTO: list[tuple[dict[str, Any], str, str | None, str]] = [
    (sources("right", "neat", "long"), "gated", "right", "one verifier decides, all else shapes"),
    (sources("right", "neat", gate=None), "static", None, "the recipe says that there is no gate"),
    (sources("right"), "static", None, "nothing shapes"),
    ({"sources": {"right": 1.0, "neat": 0.0}}, "static", None, "nothing that counts shapes"),
    (sources("right", "also_right", "neat"), "static", None, "two verifiers decide"),
    (sources("neat", "long"), "static", None, "nobody decides"),
    (sources("opinion", "neat"), "static", None, "only a judge decides, whom nothing holds to the truth"),
    (sources("right", "opinion", "neat"), "reliability", None, "a judge has a verifier beside it"),
    ({"sources": {"right": 0.0, "opinion": 1.0}}, "reliability", None, "also one of weight 0"),
    (sources("right", "polite", "neat"), "static", None, "what judges something else is held against no verifier"),
    (sources("right", "polite", "opinion"), "reliability", None, "but what judges the same is"),
    (sources("right", "opinion", gate="right"), "gated", "right", "the recipe names a gate"),
    (sources("opinion", "neat", gate="opinion"), "gated", "opinion", "whatever the gate is"),
    ({"sources": {"right": {"required": False}, "neat": 1.0}}, "static", None, "a sample may lack a verdict"),
    ({"sources": {"right": -1.0, "neat": 1.0}}, "static", None, "being right is not what is wanted"),
]


@pytest.mark.parametrize(("settings", "strategy", "gate", "why"), AUTO, ids=[row[-1] for row in AUTO])
def test_what_suits_a_task(settings: dict[str, Any], strategy: str, gate: str | None, why: str) -> None:
    assert planned(settings)[:2] == (strategy, gate)


def test_a_plain_sum_is_had_by_asking_for_it() -> None:
    assert planned(sources("right", "neat", weighting="static")) == ("static", None, 0.5)


def test_the_gate_of_auto_opens_at_the_middle_of_the_range() -> None:
    assert planned(sources("graded", "neat")) == ("gated", "graded", 0.0)


def test_a_named_gate_keeps_its_threshold() -> None:
    assert planned(sources("right", "neat", gate={"source": "right", "threshold": 0.9})) == ("gated", "right", 0.9)


def test_a_threshold_of_the_strategy_stands_before_that_of_the_gate() -> None:
    weighting = {"strategy": "gated", "settings": {"threshold": 0.7}}
    found = planned(sources("right", "neat", gate={"source": "right", "threshold": 0.9}, weighting=weighting))
    assert found == ("gated", "right", 0.7)


def test_gated_takes_the_only_verifier_also_beside_judges() -> None:
    assert planned(sources("opinion", "right", "neat", weighting="gated"))[:2] == ("gated", "right")


def test_gated_takes_the_source_that_it_is_told() -> None:
    weighting = {"strategy": "gated", "settings": {"gate": "also_right"}}
    assert planned(sources("right", "also_right", "neat", weighting=weighting))[:2] == ("gated", "also_right")


def test_a_strategy_other_than_gated_leaves_a_named_gate_where_it_is() -> None:
    assert planned(sources("right", "neat", "brief", gate="right", weighting="signal"))[:2] == ("signal", "right")


def test_a_sample_that_the_gate_of_auto_does_not_judge_is_scored_by_the_others() -> None:
    @reward("judges_numbers", kind="verifier", deadline=None)
    def judges_numbers(completion: str) -> float | None:
        return 1.0 if completion.isdigit() else None

    @reward("half", deadline=None)
    def half(completion: str) -> float:
        return 0.5

    with RewardSystem(sources("judges_numbers", "half")) as system:
        assert [found.total for found in system.score([Sample("7"), Sample("x")])] == [1.5, 0.5]


def test_what_shapes_counts_only_where_the_single_verifier_says_right() -> None:
    @reward("is_seven", kind="verifier", deadline=None)
    def is_seven(completion: str) -> bool:
        return completion == "7"

    @reward("half", deadline=None)
    def half(completion: str) -> float:
        return 0.5

    samples = [Sample("7"), Sample("8")]
    for weighting, totals in (("auto", [1.5, 0.0]), ("static", [1.5, 0.5])):
        with RewardSystem(sources("is_seven", "half", weighting=weighting)) as system:
            assert [found.total for found in system.score(samples)] == totals


def test_tasks_that_trainers_would_have_to_normalise_in_two_ways_are_refused() -> None:
    tasks = {"a": {"sources": ["right"], "weighting": "gdpo"}, "b": {"sources": ["neat"], "weighting": "static"}}
    with pytest.raises(ConfigError, match="'a' is normalised source by source, 'b' is not"):
        RewardSystem(sources("right", "neat", tasks=tasks))


RECIPE = """\
reward:
  sources: {{right: 1.0, also_right: 1.0, neat: 0.5, brief: 0.5}}
  tasks:
    sums:
      sources: [right, neat, brief]
{task}
    prose:
      sources: [neat, brief]
      weighting: static
{section}
"""

# What the recipe says, the line it stands on below `weighting`, and what the message has.
MISTAKES: list[tuple[str, int, str]] = [
    ("weighting: signl", 0, "weighting.strategy: no weighting strategy 'signl'. Did you mean 'signal'?"),
    ("weighting: [signal]", 0, "weighting"),
    ("weighting:\n  strateggy: signal", 1, "weighting.strateggy: no such key. Did you mean 'strategy'?"),
    ("weighting:\n  strategy: signal\n  bounds:\n    flor: 0.1", 3, "weighting.bounds.flor: no bound 'flor'. Did you"),
    (
        "weighting:\n  strategy: signal\n  bounds:\n    floor: 2",
        3,
        "weighting.bounds.floor: floor: Input should be less",
    ),
    ("weighting:\n  strategy: signal\n  bounds: 3", 2, "weighting.bounds"),
    (
        "weighting:\n  strategy: signal\n  settings:\n    speed: 1",
        3,
        "weighting.settings.speed: the strategy 'signal' has",
    ),
    (
        "weighting:\n  strategy: variance\n  settings:\n    ofset: 1",
        3,
        "has no setting 'ofset'. Did you mean 'offset'?",
    ),
    ("weighting:\n  strategy: variance\n  settings:\n    offset: -1", 3, "weighting.settings.offset: the strategy"),
    (
        "weighting:\n  strategy: gated\n  settings:\n    gate: riht",
        3,
        "'riht' is not a source of the task 'sums'. Did you",
    ),
    ("weighting:\n  strategy: gated\n  settings:\n    threshold: 7", 3, "'right' go from 0 to 1: the gate needs"),
    (
        "weighting:\n  strategy: gated\n  settings:\n    shaping: sgnal",
        3,
        "settings.shaping: no weighting strategy 'sgnal'",
    ),
    (
        "weighting:\n  strategy: gated\n  settings:\n    shaping: gated",
        3,
        "settings.shaping: a gate stands in no other",
    ),
    ("weighting:\n  strategy: gated\n  settings:\n    shaping: gdpo", 3, "settings.shaping: 'gdpo' normalises each"),
    (
        "weighting:\n  strategy: gated\n  settings:\n    shaping: variance\n    settings:\n      ofset: 1",
        5,
        "weighting.settings.settings.ofset: the strategy 'variance' has no setting 'ofset'",
    ),
    (
        "weighting:\n  strategy: gated\n  settings:\n    shaping: variance\n    settings:\n      offset: x",
        5,
        "weighting.settings.settings.offset: the strategy 'variance': offset: Input should be a valid number",
    ),
    (
        "weighting:\n  strategy: gated\n  settings:\n    shaping: schedule\n    settings:\n      points:\n"
        "        net: {0: 1}",
        6,
        "weighting.settings.settings.points.net: 'net' is not a source of the task 'sums'",
    ),
]


def indented(text: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in text.splitlines())


@pytest.mark.parametrize(
    ("said", "line", "message"), MISTAKES, ids=[said.split("\n")[-1].strip() for said, *_ in MISTAKES]
)
@pytest.mark.parametrize("place", ["task", "section"])
def test_a_mistake_names_the_line_and_the_key(said: str, line: int, message: str, place: str, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    if place == "task":
        file.write_text(RECIPE.format(task=indented(said, 6), section=""))
        first, key = 6, "reward.tasks.sums.weighting"
    else:
        file.write_text(RECIPE.format(task="", section=indented(said, 2)))
        first, key = 10, "reward.weighting"
    with pytest.raises(ConfigError) as caught:
        RewardSystem.from_recipe(file)
    told = str(caught.value)
    assert told.startswith(f"{file}:{first + line}: {key}"), told
    assert message.removeprefix("weighting") in told


CHOICES = [
    (["right", "also_right", "neat"], r"several verifiers; say which source is the gate \('right', 'also_right'\)"),
    (["neat", "opinion"], r"no verifier; say which source is the gate \('opinion'\)"),
    (["neat", "brief"], r"no verifier; say which source is the gate \('neat', 'brief'\)"),
]


@pytest.mark.parametrize(("names", "message"), CHOICES, ids=["several", "a judge", "none"])
def test_gated_without_a_single_verifier_says_what_to_choose_from(names: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RewardSystem(sources(*names, weighting="gated"))


def test_two_gates_of_one_task_are_refused() -> None:
    weighting = {"strategy": "gated", "settings": {"gate": "also_right"}}
    with pytest.raises(ConfigError, match="is 'right' by the recipe's gate, and 'also_right' here; say it once"):
        RewardSystem(sources("right", "also_right", "neat", gate="right", weighting=weighting))


VERDICTS: list[tuple[dict[str, float], str | None]] = [
    ({"neat": 1.0, "right": 1.0, "also_right": 1.0}, "right"),
    ({"right": 0.0, "also_right": 1.0}, "also_right"),
    ({"opinion": 1.0, "right": 0.0}, "right"),
    ({"neat": 1.0, "opinion": 1.0}, "opinion"),
    ({"neat": 1.0}, None),
]


@pytest.mark.parametrize(("weights", "verdict"), VERDICTS)
def test_what_counts_says_right_or_wrong_before_what_is_only_logged(
    weights: dict[str, float], verdict: str | None
) -> None:
    with RewardSystem({"sources": weights, "weighting": "static"}) as system:
        assert system.tasks["*"].verdict == verdict


def test_of_a_judge_that_may_lose_its_weight_unasked_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    RewardSystem(sources("right", "opinion")).close()
    assert "'opinion' will count as far as agreeing with 'right' on which answers are right" in caplog.text
    caplog.clear()
    for asked in ("reliability", "static"):
        RewardSystem(sources("right", "opinion", weighting=asked)).close()
    RewardSystem({"sources": {"right": 0.0, "opinion": 1.0}}).close()
    assert not caplog.messages


def test_bounds_of_what_never_moves_are_refused() -> None:
    with pytest.raises(ConfigError, match="'static' moves no weight, so it has no bounds; leave them out") as caught:
        RewardSystem(sources("right", "neat", weighting={"strategy": "static", "bounds": {"floor": 0.1}}))
    assert caught.value.path == ("weighting", "bounds")
    assert planned(sources("neat", weighting={"bounds": {"floor": 0.1}}))[0] == "static", "where auto takes it, none"


@pytest.mark.parametrize("place", [("gate",), ("tasks", "sums", "gate")], ids=["section", "task"])
def test_a_gate_that_never_opens_is_told_with_its_place(place: tuple[str, ...]) -> None:
    gate = {"source": "right", "threshold": 7}
    own: dict[str, Any] = {"sources": ["right", "neat"]} | ({"gate": gate} if "tasks" in place else {})
    section = {"gate": gate} if "tasks" not in place else {}
    with pytest.raises(ConfigError, match="the gate 'right' never opens") as caught:
        RewardSystem(sources("right", "neat", tasks={"sums": own}, **section))
    assert caught.value.path == place


def test_an_unknown_strategy_is_told_in_python_too() -> None:
    with pytest.raises(ConfigError, match=r"no weighting strategy 'gatd'\. Did you mean 'gated'\?"):
        RewardSystem(sources("right", weighting="gatd"))
