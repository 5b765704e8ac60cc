r"""A right answer in a poor format beside a wrong one in a good format, for every strategy.

One prompt, eight completions, (correct, format) = (1, 1), (1, 0), and (0, 1) six times: nearly all have learned the
format, few the task. Each strategy sees that batch until its weights have settled; then the advantages of a
group-relative trainer are those of GRPO, $A = (r - \mu_g) / (\sigma_g + \epsilon)$, or of GDPO, which TRL computes as
$A = \mathrm{norm}_B(\sum_k w_k (r_k - \mu_{g,k}) / (\sigma_{g,k} + \epsilon))$, deviations with n - 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

import pytest

from mars import RewardSystem, Sample, reward
from mars.weighting.strategies import BUILT_IN
from mars.weighting.tasks import TaskWeighting

GROUP = [(1.0, 1.0), (1.0, 0.0), *[(0.0, 1.0)] * 6]
SAMPLES = [Sample("", "one prompt", meta={"is_right": right, "is_neat": neat}) for right, neat in GROUP]
SETTLED = 300

ABOVE, TIE, BELOW = "above", "as good as", "below"

# For each strategy: what the recipe says, and where the right but ill-formatted answer ranks beside the wrong ones.
EXPECTED: dict[str, tuple[dict[str, Any], str, str]] = {
    "static": ({}, TIE, "a sum cannot tell one slip from the other"),
    "gated": ({}, ABOVE, "format counts only where the answer is right"),
    "gdpo": ({}, BELOW, "its known fault: what nearly all have has a small deviation, by which a slip is divided"),
    "variance": ({}, ABOVE, "what is mostly earned varies less"),
    "signal": ({}, ABOVE, "what is mostly earned tells fewer completions apart"),
    "progress": ({}, TIE, "nothing is learned here, so all sources are as slow"),
    "reliability": ({"judges": ["format"]}, ABOVE, "a source that prefers the wrong answers is silenced"),
    "constraint": ({"targets": {"format": {"at_least": 0.85}}}, ABOVE, "the demand is met, so its weight falls"),
    "schedule": ({"points": {"format": {0: 1, 50: 0.2}}}, ABOVE, "the plan lets format go"),
}


@pytest.fixture(autouse=True)
def two_sources() -> None:
    @reward("correct", kind="verifier", deadline=None)
    def correct(is_right: float) -> float:
        return is_right

    @reward("format_of_it", kind="metric", deadline=None)
    def format_of_it(is_neat: float) -> float:
        return is_neat


def settled(weighting: object, weights: tuple[float, float] = (1.0, 1.0)) -> tuple[list[float], dict[str, float]]:
    """Return the advantages of the group, and the weights, once the system's weights have settled."""
    sources = {"correct": weights[0], "format": {"source": "format_of_it", "weight": weights[1]}}
    with RewardSystem({"sources": sources, "weighting": weighting}) as system:
        for _ in range(SETTLED):
            system.update(system.score(SAMPLES))
        before = system.weights()["*"]
        rewards = system.score(SAMPLES)
        system.update(rewards)
        found = system.weights()["*"]
        assert found == pytest.approx(before, abs=1e-3)
        assert isinstance(system.weighting, TaskWeighting)
        if system.weighting.aggregation == "sum_then_normalize":
            totals = [found.total for found in rewards if found.total is not None]
            return normalised(totals), found
        columns = {name: normalised([one[name].value or 0.0 for one in rewards]) for name in found}
        return normalised(
            [sum(found[name] * column[place] for name, column in columns.items()) for place in range(len(GROUP))]
        ), found


def normalised(values: Sequence[float]) -> list[float]:
    return [(value - fmean(values)) / (stdev(values) + 1e-4) for value in values]


def rank(advantages: Sequence[float]) -> str:
    right, wrong = advantages[1], advantages[2]
    return TIE if right == pytest.approx(wrong) else ABOVE if right > wrong else BELOW


def test_every_strategy_has_an_expectation() -> None:
    assert set(EXPECTED) == set(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_where_right_but_ill_formatted_ranks_beside_wrong_but_well_formatted(name: str) -> None:
    settings, expected, why = EXPECTED[name]
    advantages, _ = settled({"strategy": name, "settings": settings})
    assert advantages[0] > max(advantages[1:]), "right and well formatted is best by every strategy"
    assert rank(advantages) == expected, why


def test_the_default_puts_right_before_pretty() -> None:
    advantages, _ = settled("auto")
    assert rank(advantages) == ABOVE


def test_a_demand_that_is_missed_outranks_correctness_until_it_is_met() -> None:
    targets = {"format": {"at_least": 0.95}}
    advantages, _ = settled({"strategy": "constraint", "settings": {"targets": targets}})
    assert rank(advantages) == BELOW


@pytest.mark.parametrize("shaping", ["variance", "signal", "progress", "static"])
def test_behind_a_gate_right_comes_first_whatever_weighs_the_shaping(shaping: str) -> None:
    advantages, _ = settled({"strategy": "gated", "settings": {"shaping": shaping}}, weights=(1.0, 0.9))
    assert rank(advantages) == ABOVE


NUMBERS: list[tuple[Any, tuple[float, float], tuple[float, float]]] = [
    ("static", (1.0, 1.0), (-0.35, -0.35)),
    ("gdpo", (1.0, 1.0), (-1.03, -0.22)),
    ({"strategy": "gated", "settings": {"shaping": "static"}}, (0.9, 0.1), (1.50, -0.54)),
    ({"strategy": "variance", "settings": {"offset": 0}}, (1.0, 1.0), (1.34, -0.53)),
]


@pytest.mark.parametrize(("weighting", "weights", "expected"), NUMBERS)
def test_the_advantages_are_those_of_the_published_rules(
    weighting: object, weights: tuple[float, float], expected: tuple[float, float]
) -> None:
    advantages, _ = settled(weighting, weights)
    assert (advantages[1], advantages[2]) == pytest.approx(expected, abs=0.006)
