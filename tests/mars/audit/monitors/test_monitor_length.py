from __future__ import annotations

import pytest

from mars import RewardSystem
from mars.audit.monitors import Action
from mars.types import Sample
from tests.mars.audit.monitors.runs import resumed, run, same_ending, samples, step, watching


@pytest.fixture
def system() -> RewardSystem:
    return RewardSystem({"sources": {"length": {"settings": {"part": "answer", "limit": 500}}}})


def _long(answer: int, thinking: int = 200, task: str = "default") -> list[Sample]:
    return samples(lambda prompt, place: f"<think>{'t' * thinking}</think>{'a' * (answer + place)}", task=task)


def test_answers_that_stay_as_long_as_they_were_are_quiet(system: RewardSystem) -> None:
    watch = watching(system, "length")
    assert run(watch, system, (15, _long(100)), (15, _long(140))) == []
    assert set(watch.logs()) == {"mars/monitor/length/answer/default", "mars/monitor/length/thinking/default"}


def test_answers_that_grow_to_twice_what_they_were_are_alarming(system: RewardSystem) -> None:
    [alarm] = run(watching(system, "length", action="stop"), system, (10, _long(100)), (40, _long(300)))
    assert (alarm.monitor, alarm.name, alarm.action) == ("length", "answer/default", Action.STOP)
    assert alarm.value > alarm.threshold == pytest.approx(203)
    assert "times the 102 at first" in alarm.explanation


def test_answers_that_shrink_to_half_are_alarming(system: RewardSystem) -> None:
    [alarm] = run(watching(system, "length"), system, (10, _long(400)), (40, _long(50)))
    assert alarm.value < alarm.threshold == pytest.approx(200.75)


def test_thoughts_are_watched_by_themselves(system: RewardSystem) -> None:
    [alarm] = run(watching(system, "length"), system, (10, _long(100)), (40, _long(100, thinking=2000)))
    assert alarm.name == "thinking/default"


def test_completions_without_a_thought_leave_the_length_of_thoughts_what_it_is(system: RewardSystem) -> None:
    assert run(watching(system, "length"), system, (10, _long(100)), (40, _long(100, thinking=0))) == []


def test_each_task_has_its_own_length(system: RewardSystem) -> None:
    both = _long(50, task="sums") + _long(500, task="essays")
    swapped = _long(500, task="sums") + _long(500, task="essays")
    [alarm] = run(watching(system, "length"), system, (10, both), (30, swapped))
    assert alarm.name == "answer/sums"


def test_a_few_characters_more_are_nothing_even_if_that_is_twice_as_long(system: RewardSystem) -> None:
    assert run(watching(system, "length"), system, (10, _long(1)), (40, _long(9))) == []


def test_how_many_times_is_a_setting(system: RewardSystem) -> None:
    assert run(watching(system, "length", times=5), system, (10, _long(100)), (40, _long(300))) == []


def _reasoning(thinking: int, right: int) -> list[Sample]:
    return samples(lambda prompt, place: f"<think>{'t' * thinking}</think>{prompt if place < right else 'no'}")


def test_thoughts_that_grow_while_more_is_right_are_noted_and_no_more() -> None:
    system = RewardSystem({"sources": {"exact": 1.0}})
    watch = watching(system, "length", action="stop")
    [note] = run(watch, system, (10, _reasoning(200, 1)), (40, _reasoning(800, 3)))
    assert (note.name, note.action) == ("thinking/default", Action.LOG)


@pytest.mark.parametrize(("thinking", "right"), [(800, 2), (800, 1), (50, 3)])
def test_thoughts_that_grow_for_nothing_or_shrink_are_alarming(thinking: int, right: int) -> None:
    system = RewardSystem({"sources": {"exact": 1.0}})
    phases = (10, _reasoning(200, 2)), (40, _reasoning(thinking, right))
    [alarm] = run(watching(system, "length", action="stop"), system, *phases)
    assert alarm.action is Action.STOP


def test_thoughts_that_went_on_growing_when_less_was_right_again_are_alarming_after_all() -> None:
    system = RewardSystem({"sources": {"exact": 1.0}})
    phases = (10, _reasoning(200, 1)), (40, _reasoning(800, 3)), (60, _reasoning(1600, 1))
    raised = run(watching(system, "length"), system, *phases)
    assert [alarm.action for alarm in raised] == [Action.LOG, Action.WARN]


def test_answers_that_grow_are_alarming_though_more_is_right() -> None:
    system = RewardSystem({"sources": {"exact": {"settings": {}}, "format": 0.1}})
    padded = samples(lambda prompt, place: f"{prompt}" if place < 3 else "n" * 999)
    short = samples(lambda prompt, place: f"{prompt}" if place < 2 else "n" * 60)
    [alarm] = run(watching(system, "length"), system, (10, short), (40, padded))
    assert (alarm.name, alarm.action) == ("answer/default", Action.WARN)


def test_a_step_without_a_thought_is_no_further_reading(system: RewardSystem) -> None:
    watch = watching(system, "length")
    run(watch, system, (1, _long(100)), (1, _long(100, thinking=0)))
    assert set(watch.logs()) == {"mars/monitor/length/answer/default"}


def test_two_prompts_are_too_few(system: RewardSystem) -> None:
    watch = watching(system, "length", baseline=1)
    assert run(watch, system, (1, _long(100)[:8]), (5, _long(900)[:8])) == []


def test_completions_cut_off_in_their_thinking_have_no_answer_to_measure(system: RewardSystem) -> None:
    cut = samples(lambda prompt, place: "<think>" + "t" * 200)
    watch = watching(system, "length")
    assert run(watch, system, (10, _long(100)), (40, cut)) == []


def test_a_resumed_run_goes_on_bit_for_bit(system: RewardSystem) -> None:
    watch = watching(system, "length")
    run(watch, system, (12, _long(100)), (1, _long(333)))
    later = [step(number, system, _long(333)) for number in range(14, 30)]
    assert same_ending(watch, resumed(watch, watching(system, "length")), later)
