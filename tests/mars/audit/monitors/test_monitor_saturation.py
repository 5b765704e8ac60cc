from __future__ import annotations

import pytest

from mars import RewardSystem, reward
from mars.audit.monitors import Action
from mars.types import Sample
from tests.mars.audit.monitors.runs import resumed, run, same_ending, samples, step, watching


@pytest.fixture
def system() -> RewardSystem:
    return RewardSystem({"sources": {"exact": 1.0, "format": 0.1}, "weighting": "static"})


def _answers(right: int, formed: int = 2) -> list[Sample]:
    """Return completions of which some of four are right, and some of four well formed."""
    return samples(
        lambda prompt, place: ("<think>so</think>" if place < formed else "") + f"{prompt if place < right else 'no'}"
    )


def test_sources_that_tell_completions_apart_are_quiet(system: RewardSystem) -> None:
    watch = watching(system, "saturation")
    assert run(watch, system, (40, _answers(2))) == []
    assert watch.logs() == {"mars/monitor/saturation/exact": 0.0, "mars/monitor/saturation/format": 0.0}


def test_what_is_always_at_its_best_is_noted_and_no_more(system: RewardSystem) -> None:
    [alarm] = run(watching(system, "saturation", action="stop"), system, (20, _answers(2, formed=4)))
    assert (alarm.name, alarm.action, alarm.step) == ("format", Action.LOG, 10)
    assert "the same for all completions of 100% of the prompts, at 1.00 of its range" in alarm.explanation
    assert "that is its best" in alarm.explanation


def test_what_is_always_at_its_worst_is_a_dead_reward(system: RewardSystem) -> None:
    [alarm] = run(watching(system, "saturation"), system, (20, _answers(2, formed=0)))
    assert (alarm.name, alarm.action) == ("format", Action.WARN)
    assert "that is its worst: it is never earned" in alarm.explanation


def test_prompts_that_are_always_right_or_always_wrong_are_alarming(system: RewardSystem) -> None:
    half = samples(lambda prompt, place: f"{prompt if prompt % 2 else 'no'}")
    raised = run(watching(system, "saturation"), system, (20, half))
    [alarm] = [alarm for alarm in raised if alarm.name == "exact"]
    assert alarm.action == Action.WARN
    assert "each prompt is always right or always wrong" in alarm.explanation


def test_shaping_may_come_to_say_the_same_of_the_completions_of_each_prompt(system: RewardSystem) -> None:
    alike = samples(
        lambda prompt, place: ("<think>so</think>" if prompt % 2 else "") + f"{prompt if place < 2 else 'no'}"
    )
    [alarm] = run(watching(system, "saturation"), system, (20, alike))
    assert (alarm.name, alarm.action) == ("format", Action.LOG)
    assert "the completions of a prompt have become alike" in alarm.explanation


def test_a_source_that_says_the_same_of_everything_is_dead() -> None:
    @reward("undecided_judge", kind="judge", deadline=None)
    def undecided_judge(completion: str) -> float:
        return 0.5

    system = RewardSystem({"sources": {"exact": 1.0, "undecided_judge": 1.0}, "weighting": "static"})
    [alarm] = run(watching(system, "saturation"), system, (20, _answers(2)))
    assert (alarm.name, alarm.action) == ("undecided_judge", Action.WARN)
    assert "it says the same of everything" in alarm.explanation


def test_the_best_of_a_source_of_negative_weight_is_its_lowest_value() -> None:
    system = RewardSystem({"sources": {"exact": 1.0, "format": -0.1}, "weighting": "static"})
    [alarm] = run(watching(system, "saturation"), system, (20, _answers(2, formed=0)))
    assert (alarm.name, alarm.action) == ("format", Action.LOG)


def test_what_is_only_logged_may_saturate() -> None:
    system = RewardSystem({"sources": {"exact": 1.0, "format": 0.0}})
    assert run(watching(system, "saturation"), system, (20, _answers(2, formed=0))) == []


def test_behind_a_gate_only_completions_count_that_pass_it() -> None:
    system = RewardSystem({"sources": {"exact": 1.0, "format": 0.1}, "gate": "exact"})
    watch = watching(system, "saturation")
    run(watch, system, (20, _answers(2, formed=2)))
    assert watch.logs()["mars/monitor/saturation/format"] == 1.0


def test_two_prompts_are_too_few(system: RewardSystem) -> None:
    assert run(watching(system, "saturation", patience=1), system, (3, _answers(2, formed=0)[:8])) == []


def test_a_resumed_run_goes_on_bit_for_bit(system: RewardSystem) -> None:
    watch = watching(system, "saturation")
    run(watch, system, (7, _answers(2, formed=0)))
    later = [step(number, system, _answers(1, formed=0)) for number in range(8, 20)]
    assert same_ending(watch, resumed(watch, watching(system, "saturation")), later)
