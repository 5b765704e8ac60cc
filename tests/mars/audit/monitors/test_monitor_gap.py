from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import RewardSystem, reward
from mars.audit.monitors.gap import _area, _Pair
from mars.errors import ConfigError
from mars.types import Sample
from tests.mars.audit.monitors.runs import resumed, run, same_ending, samples, step, watching


def _system(verifier_weight: float = 0.0, **settings: Any) -> RewardSystem:
    @reward("flattered", kind="judge", range=(-1.0, 1.0), deadline=None)
    def flattered(completion: str) -> float | None:
        """Prefers what is right, and is bought with exclamation marks."""
        if "?" in completion:
            return None
        return min(1.0, -0.5 + completion.count("!") / 2 + 0.5 * ("right" in completion))

    return RewardSystem({"sources": {"exact": verifier_weight, "flattered": 1.0}} | settings)


def _answers(right: int, praise: str = "", praised: int = 4) -> list[Sample]:
    return samples(
        lambda prompt, place: (
            f"<think>{'right' if place < right else ''}{praise if place >= 4 - praised else ''}</think>"
            f"{prompt if place < right else 'no'}"
        )
    )


def test_a_judge_and_a_verifier_that_rise_together_are_quiet() -> None:
    system = _system()
    watch = watching(system, "gap")
    assert run(watch, system, (10, _answers(1)), (40, _answers(3))) == []
    assert watch.logs()["mars/monitor/gap/flattered/agreement"] == 1.0


def test_a_judge_that_rises_while_the_verifier_does_not_is_alarming_and_the_alarm_has_the_numbers() -> None:
    system = _system()
    [alarm] = run(watching(system, "gap"), system, (10, _answers(1)), (20, _answers(1, "!")))
    assert alarm.name == "flattered"
    assert alarm.value >= alarm.threshold == 0.15
    assert "'flattered' went from 0.31 to 0." in alarm.explanation
    assert "'exact' from 0.25 to 0.25: a gap of +0." in alarm.explanation


def test_a_verifier_that_falls_while_the_judge_does_not_is_a_gap_too() -> None:
    system = _system()
    [alarm] = run(watching(system, "gap"), system, (10, _answers(2)), (40, _answers(0, "!", praised=2)))
    assert alarm.value > 0.15


def test_a_judge_that_prefers_wrong_answers_is_alarming_from_the_start() -> None:
    system = _system()
    raised = run(watching(system, "gap"), system, (5, _answers(2, "!!", praised=2)))
    assert [alarm.name for alarm in raised] == ["flattered/agreement"]
    assert "prefers the right one of two completions in 0% of the cases" in raised[0].explanation


def test_only_completions_count_of_which_both_spoke() -> None:
    system = _system()
    silent = [*_answers(1)[:32], *_answers(0, "?")[32:]]
    assert run(watching(system, "gap"), system, (10, silent), (20, silent)) == []


def test_judge_and_verifier_can_be_named() -> None:
    system = RewardSystem({"sources": {"exact": 1.0, "format": 0.0, "length": {"settings": {"part": "answer"}}}})
    watch = watching(system, "gap", judges=["format"], verifier="exact")
    run(watch, system, (12, _answers(2)))
    assert "mars/monitor/gap/format" in watch.logs()


def test_a_name_that_is_no_source_is_an_error_with_its_key() -> None:
    with pytest.raises(ConfigError, match=r"no source 'exakt' in this recipe\. Did you mean 'exact'") as caught:
        watching(_system(), "gap", verifier="exakt")
    assert caught.value.path == ("gap", "verifier")


def test_without_a_judge_there_is_nothing_to_read() -> None:
    system = RewardSystem({"sources": {"exact": 1.0, "format": 0.1}})
    assert run(watch := watching(system, "gap"), system, (5, _answers(2))) == []
    assert watch.logs() == {}


def test_a_judge_of_negative_weight_is_held_to_sparing_what_is_right() -> None:
    def run_of(right: int, fault: int) -> list[Sample]:
        """Return answers of which the first are right; those from a place on are found fault with."""
        return samples(
            lambda prompt, place: f"<think>{'!!!' if place >= fault else ''}</think>{prompt if place < right else 'no'}"
        )

    system = _system(1.0, sources={"exact": 1.0, "flattered": -0.5}, weighting="static")
    watch = watching(system, "gap")
    assert run(watch, system, (10, run_of(2, 2)), (30, run_of(3, 3))) == []
    assert watch.logs()["mars/monitor/gap/flattered/agreement"] == 1.0
    [alarm] = run(watching(system, "gap"), system, (10, run_of(2, 2)), (30, run_of(2, 4)))
    assert alarm.name == "flattered"


def test_a_step_without_a_pair_is_no_further_reading() -> None:
    system = _system()
    watch = watching(system, "gap", baseline=1)
    run(watch, system, (1, _answers(1)), (1, _answers(1, "?")))
    assert watch.logs() == {}


def test_two_prompts_are_too_few() -> None:
    system = _system()
    few = _answers(2, "!!", praised=2)[:8]
    assert run(watching(system, "gap", baseline=1), system, (1, _answers(2)[:8]), (4, few)) == []


def test_a_resumed_run_goes_on_bit_for_bit() -> None:
    system = _system()
    watch = watching(system, "gap")
    run(watch, system, (11, _answers(2)), (1, _answers(1, "!")))
    later = [step(number, system, _answers(1, "!", praised=3)) for number in range(13, 25)]
    assert same_ending(watch, resumed(watch, watching(system, "gap")), later)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), max_size=20))
def test_the_agreement_is_the_share_of_pairs_of_right_and_wrong_with_ties_as_half(
    said: list[tuple[float, bool]],
) -> None:
    wins = [
        1.0 if good > bad else 0.5 if good == bad else 0.0
        for good, right in said
        for bad, other in said
        if right and not other
    ]
    area = _area([_Pair(judged, float(right), right) for judged, right in said])
    assert area is None if not wins else area == pytest.approx(sum(wins) / len(wins))
