from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import ConfigError
from mars.declaring import Kind
from mars.types import Reward, Score, Status
from mars.weighting import Task, WeighedSource
from mars.weighting.adaptive import Adaptive
from mars.weighting.reliability import count_pairs
from tests.mars.weighting.made_rewards import FAILED, SKIPPED, rewarded, weights_of

VERIFIER, JUDGE, METRIC = Kind.VERIFIER, Kind.JUDGE, Kind.METRIC
TASK = Task("math", {"tests": WeighedSource(1.0, VERIFIER), "judge": WeighedSource(1.0, JUDGE)}, verdict="tests")
QUICK: dict[str, Any] = {"decay": 0.0, "prior": 0.0}
SILENT = 1e-6


def prompt(task: Task, *pairs: tuple[float | Score, float | Score], group: str = "p") -> list[Reward]:
    """Return the completions of a prompt: what the tests and the judge said of each."""
    return [rewarded(task, group, tests=truth, judge=opinion) for truth, opinion in pairs]


def train(weights: Adaptive, quality: Callable[[int], float], steps: int, seed: int = 0) -> list[float]:
    """Return the judge's weight after each step, of 8 prompts by 8 completions, some solved, some hopeless."""
    chance, curve = random.Random(seed), []
    for step in range(steps):
        batch = []
        for number in range(8):
            ease = chance.choice([0.0, 0.2, 0.5, 0.8, 1.0])
            truths = [float(chance.random() < ease) for _ in range(8)]
            pairs = [(truth, _opinion(chance, truth, quality(step))) for truth in truths]
            batch += prompt(weights.task, *pairs, group=str(number))
        weights.update(batch)
        curve.append(weights.weights()["judge"])
    return curve


def _opinion(chance: random.Random, truth: float, agreement: float) -> float:
    """Return an opinion in 0 .. 1 of a judge that puts a right answer above a wrong one with a given probability."""
    apart = math.sqrt(2) * NormalDist().inv_cdf(agreement)
    return NormalDist().cdf(chance.gauss(apart * truth, 1.0))


def test_the_merit_is_how_far_agreement_is_above_the_least() -> None:
    weights = weights_of(TASK, "reliability", {"max_change": 1.0}, **QUICK)
    weights.update(prompt(TASK, (1.0, 0.9), (1.0, 0.3), (0.0, 0.6), (0.0, 0.1)))
    assert weights.logs() == {"agreement/judge": 0.75, "pairs/judge": 4.0}
    assert weights.weights()["judge"] / weights.weights()["tests"] == pytest.approx((0.75 - 0.6) / 0.4)


def test_a_judge_that_is_never_wrong_keeps_the_recipes_weight() -> None:
    weights = weights_of(TASK, "reliability")
    weights.update(prompt(TASK, (1.0, 0.9), (0.0, 0.1)))
    assert weights.weights() == pytest.approx(TASK.base)


def test_a_tie_is_half_an_agreement() -> None:
    weights = weights_of(TASK, "reliability", **QUICK)
    weights.update(prompt(TASK, (1.0, 0.5), (0.0, 0.5)))
    assert weights.logs()["agreement/judge"] == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_hacked_judge_loses_its_voice_within_ten_steps_and_gets_it_back_once_it_is_mended(seed: int) -> None:
    weights = weights_of(TASK, "reliability")
    curve = train(weights, lambda step: 0.3 if 30 <= step < 50 else 0.9, 80, seed)
    assert min(curve[10:30]) > 0.6
    assert max(curve[40:50]) < SILENT
    assert min(curve[70:]) > 0.6


def test_a_coin_is_silent_all_of_the_time() -> None:
    assert max(train(weights_of(TASK, "reliability"), lambda _: 0.5, 60)[20:]) < SILENT


def test_a_handful_of_comparisons_does_not_swing_a_judge() -> None:
    weights = weights_of(TASK, "reliability")
    weights.update(prompt(TASK, (1.0, 0.1), (0.0, 0.9), (0.0, 0.8)))
    assert weights.weights()["judge"] > 0.9


def test_steps_without_a_comparison_change_nothing() -> None:
    weights = weights_of(TASK, "reliability")
    weights.update(prompt(TASK, (1.0, 0.1), (0.0, 0.9)))
    before = weights.state_dict()["strategy"]
    weights.update(prompt(TASK, (1.0, 0.1), (1.0, 0.9)))
    weights.update([])
    assert weights.state_dict()["strategy"] == before


def test_only_what_both_said_themselves_is_compared() -> None:
    weights = weights_of(TASK, "reliability", **QUICK)
    told = prompt(TASK, (1.0, 0.9), (0.0, 0.1), (FAILED, 0.8), (SKIPPED, 0.7), (0.0, FAILED))
    stood_in = rewarded(TASK, "p", tests=FAILED, judge=0.8, stand_ins={"tests": ("judge", Score(1.0))})
    substituted = rewarded(TASK, "p", tests=FAILED, judge=0.8, substitutes={"tests": 1.0})
    assert stood_in["tests"].value == substituted["tests"].value == 1.0
    weights.update([*told, stood_in, substituted])
    assert weights.logs() == {"agreement/judge": 1.0, "pairs/judge": 1.0}


def test_a_judge_behind_a_closed_gate_is_heard() -> None:
    task = Task("math", TASK.sources, verdict="tests", gate="tests")
    weights = weights_of(task, "reliability", **QUICK)
    rewards = prompt(task, (1.0, 0.2), (0.0, 0.9))
    assert rewards[1]["judge"].note.startswith("not counted")
    weights.update(rewards)
    assert weights.logs() == {"agreement/judge": 0.0, "pairs/judge": 1.0}


def test_completions_are_compared_within_their_prompt_unless_the_recipe_says_batch() -> None:
    easy = prompt(TASK, (1.0, 0.8), (0.0, 0.9), group="easy")
    hard = prompt(TASK, (1.0, 0.1), (0.0, 0.2), (0.0, 0.2), group="hard")
    within = weights_of(TASK, "reliability", **QUICK)
    across = weights_of(TASK, "reliability", pairs="batch", **QUICK)
    for weights in (within, across):
        weights.update(easy + hard)
    assert within.logs() == {"agreement/judge": 0.0, "pairs/judge": 3.0}
    assert across.logs() == {"agreement/judge": 2 / 6, "pairs/judge": 6.0}


def test_a_held_out_verifier_of_weight_0_suffices_and_others_take_up_the_weight() -> None:
    sources = {
        "judge": WeighedSource(1.0, JUDGE),
        "format": WeighedSource(0.1, METRIC),
        "tests": WeighedSource(0.0, VERIFIER),
    }
    task = Task("math", sources)
    weights = weights_of(task, "reliability", {"max_change": 1.0}, **QUICK)
    weights.update(
        [
            rewarded(task, "p", judge=0.1, format=0.5, tests=1.0),
            rewarded(task, "p", judge=0.9, format=0.5, tests=0.0),
        ]
    )
    assert weights.weights() == pytest.approx({"judge": 0.0, "format": 1.1, "tests": 0.0}, abs=SILENT)


def test_a_lone_judge_keeps_its_weight_and_its_agreement_is_logged() -> None:
    task = Task("math", {"judge": WeighedSource(1.0, JUDGE), "tests": WeighedSource(0.0, VERIFIER)})
    weights = weights_of(task, "reliability", **QUICK)
    weights.update([rewarded(task, "p", judge=value, tests=1 - value) for value in (0.0, 1.0)])
    assert weights.weights() == task.base
    assert weights.logs()["agreement/judge"] == 0.0


def test_a_judge_of_negative_weight_agrees_where_it_is_lower_for_the_right_one() -> None:
    task = Task("math", {"tests": WeighedSource(1.0, VERIFIER), "judge": WeighedSource(-1.0, JUDGE)}, verdict="tests")
    weights = weights_of(task, "reliability", **QUICK)
    weights.update(prompt(task, (1.0, 0.1), (0.0, 0.9)))
    assert weights.logs()["agreement/judge"] == 1.0


def test_with_a_greater_power_less_agreement_costs_more() -> None:
    batch = prompt(TASK, (1.0, 0.9), (1.0, 0.3), (0.0, 0.6), (0.0, 0.1))
    plain, steep = (weights_of(TASK, "reliability", {"max_change": 1.0}, power=p, **QUICK) for p in (1.0, 3.0))
    for weights in (plain, steep):
        weights.update(batch)
    assert steep.weights()["judge"] < plain.weights()["judge"]


def test_a_resumed_run_goes_on_bit_for_bit() -> None:
    whole, first = weights_of(TASK, "reliability"), weights_of(TASK, "reliability")
    batches = [prompt(TASK, *[(float(n % 2), random.Random(s * 9 + n).random()) for n in range(6)]) for s in range(20)]
    for batch in batches:
        whole.update(batch)
    for batch in batches[:7]:
        first.update(batch)
    resumed = weights_of(TASK, "reliability")
    resumed.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for batch in batches[7:]:
        resumed.update(batch)
    assert resumed.state_dict() == whole.state_dict()


@pytest.mark.parametrize(
    ("sources", "settings", "place", "said"),
    [
        ({"judge": JUDGE, "format": METRIC}, {}, "trusted", "no verifier to hold its judges against; add one"),
        ({"tests": VERIFIER, "format": METRIC}, {}, "judges", r"no judge counts .* judges: \[SOURCE\]"),
        ({"tests": VERIFIER, "judge": JUDGE}, {"trusted": "test"}, "trusted", "Did you mean 'tests'"),
        ({"tests": VERIFIER, "judge": JUDGE}, {"judges": ["juge"]}, "judges", "Did you mean 'judge'"),
        ({"tests": VERIFIER, "judge": JUDGE}, {"judges": ["tests"]}, "judges", "cannot be held against itself"),
        ({"tests": VERIFIER, "judge": JUDGE}, {"judges": []}, "judges", "at least 1 item"),
        ({"tests": VERIFIER, "judge": JUDGE}, {"least": 0.4}, "least", "greater than or equal to 0.5"),
    ],
)
def test_what_cannot_be_held_against_a_verifier_is_refused(
    sources: dict[str, Kind], settings: dict[str, Any], place: str, said: str
) -> None:
    task = Task("math", {name: WeighedSource(1.0, kind) for name, kind in sources.items()})
    with pytest.raises(ConfigError, match=said) as caught:
        weights_of(task, "reliability", **settings)
    assert caught.value.path[:2] == ("settings", place)


def test_a_judge_that_is_only_logged_cannot_be_weighed() -> None:
    sources = {"tests": VERIFIER, "format": METRIC}
    task = Task("math", {n: WeighedSource(1.0, k) for n, k in sources.items()} | {"judge": WeighedSource(0.0, JUDGE)})
    with pytest.raises(ConfigError, match="only logged; give it a weight"):
        weights_of(task, "reliability", judges=["judge"])


def test_another_judge_may_be_the_trusted_one() -> None:
    task = Task("math", {"cheap": WeighedSource(1.0, JUDGE), "dear": WeighedSource(1.0, JUDGE)})
    weights = weights_of(task, "reliability", trusted="dear", **QUICK)
    weights.update([rewarded(task, "p", cheap=value, dear=1 - value) for value in (0.0, 1.0)])
    assert weights.logs() == {"agreement/cheap": 0.0, "pairs/cheap": 1.0}


@given(*[st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1), max_size=12)] * 2)
def test_agreement_is_what_counting_every_pair_gives(right: list[float], wrong: list[float]) -> None:
    won = sum((r > w) + 0.5 * (r == w) for r in right for w in wrong)
    assert count_pairs(right, wrong) == (won, len(right) * len(wrong))


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.floats(0, 1)), max_size=20))
def test_no_weight_is_ever_negative_and_the_sum_stays(said: list[tuple[float, float]]) -> None:
    weights = weights_of(TASK, "reliability", {"max_change": 1.0}, **QUICK)
    weights.update(prompt(TASK, *said))
    assert min(weights.weights().values()) >= 0
    assert sum(weights.weights().values()) == pytest.approx(2.0)


def test_a_completion_without_a_reward_still_shows_what_a_judge_is_worth() -> None:
    task = Task("math", {**TASK.sources, "other": WeighedSource(1.0, VERIFIER)}, verdict="tests")
    weights = weights_of(task, "reliability", **QUICK)
    rewards = [rewarded(task, "p", required=["other"], tests=truth, judge=truth, other=FAILED) for truth in (0.0, 1.0)]
    assert {reward.status for reward in rewards} == {Status.TIMEOUT}
    weights.update(rewards)
    assert weights.logs()["pairs/judge"] == 1.0


def test_a_handful_of_pairs_a_step_is_not_all_that_is_remembered() -> None:
    """At one pair a step a memory of ten steps would be ten pairs, and the judge's weight would be noise."""
    weights = weights_of(TASK, "reliability")
    for _ in range(2000):
        weights.update(prompt(TASK, (1.0, 1.0), (0.0, 0.0)))
    assert weights.logs()["pairs/judge"] == pytest.approx(100, rel=0.01)
