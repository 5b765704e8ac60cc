from __future__ import annotations

from typing import Any

import pytest

from mars import RewardSystem, reward
from mars.types import Sample
from tests.mars.audit.monitors.runs import resumed, run, same_ending, samples, step, watching


def _system(weight: float, **settings: Any) -> RewardSystem:
    @reward("flattery", kind="judge", deadline=None)
    def flattery(completion: str) -> float:
        return min(1.0, completion.count("!") / 3)

    return RewardSystem({"sources": {"exact": 1.0, "flattery": weight}, "weighting": "static"} | settings)


def _answers(right: int, shouts: bool = True) -> list[Sample]:
    """Return completions of which `right` of four are right; two of four flatter, right or not."""
    return samples(
        lambda prompt, place: (
            f"<think>{'!' * 3 * (place % 2) if shouts else ''}</think>{prompt if place < right else 'no'}"
        )
    )


def test_a_reward_that_varies_by_what_is_right_is_quiet() -> None:
    system = _system(0.2)
    watch = watching(system, "dominance")
    assert run(watch, system, (40, _answers(2))) == []
    shares = watch.logs()
    assert shares["mars/monitor/dominance/exact"] > 0.9
    assert sum(shares.values()) == pytest.approx(1.0)


def test_a_judge_that_drowns_the_verdict_is_alarming_and_the_alarm_has_the_numbers() -> None:
    system = _system(10.0)
    [alarm] = run(watching(system, "dominance"), system, (40, _answers(2)))
    assert alarm.name == "flattery"
    assert alarm.step == 10
    assert alarm.explanation == (
        "'flattery' makes up 99% of the variance of the total within prompts, while the mean verdict is 0.50"
    )


def test_shaping_is_alarming_where_nothing_is_ever_right() -> None:
    system = _system(0.1)
    assert run(watching(system, "dominance"), system, (12, _answers(0)))[0].name == "flattery"


def test_shaping_may_be_all_that_is_left_where_everything_is_right() -> None:
    system = _system(0.1)
    assert run(watching(system, "dominance"), system, (40, _answers(4))) == []


def test_what_a_closed_gate_keeps_out_does_not_dominate() -> None:
    system = _system(10.0, gate="exact")
    watch = watching(system, "dominance")
    assert run(watch, system, (40, _answers(0))) == []


def test_one_source_alone_dominates_by_design() -> None:
    system = _system(0.0)
    assert watching(system, "dominance").look(step(1, system, _answers(2))) == []


def test_tasks_are_read_apart() -> None:
    both = ["exact", "flattery"]
    system = _system(10.0, tasks={"default": both, "other": {"sources": both, "gate": "exact"}})
    watch = watching(system, "dominance")
    [alarm] = run(
        watch, system, (12, _answers(2) + samples(lambda prompt, place: f"{prompt + place % 2}", task="other"))
    )
    assert alarm.name == "default/flattery"


def test_two_prompts_are_too_few() -> None:
    system = _system(10.0)
    assert run(watching(system, "dominance", patience=1), system, (3, _answers(2)[:8])) == []


def test_a_resumed_run_goes_on_bit_for_bit() -> None:
    system = _system(10.0)
    watch = watching(system, "dominance")
    run(watch, system, (7, _answers(2)))
    later = [step(number, system, _answers(1)) for number in range(8, 20)]
    assert same_ending(watch, resumed(watch, watching(system, "dominance")), later)
