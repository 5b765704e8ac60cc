from __future__ import annotations

import pytest

from mars import RewardSystem
from mars.types import Sample
from tests.mars.audit.monitors.runs import resumed, run, same_ending, samples, step, watching


@pytest.fixture
def system() -> RewardSystem:
    return RewardSystem(
        {"sources": {"exact": 1.0, "length": {"weight": 0.3, "settings": {"part": "thinking"}}}, "gate": "exact"}
    )


def _answers(thinking: int, right: tuple[int, int], task: str = "default", empty: str = "") -> list[Sample]:
    """Return completions of which some of eight think; so many of a hundred prompts are right with and without it."""

    def write(prompt: int, place: int) -> str:
        thinks = place < thinking
        good = prompt % 4 * 25 < right[0 if thinks else 1]
        return f"<think>{'so it is' if thinks else empty}</think>{prompt if good else 'no'}"

    return samples(write, completions=8, task=task)


def test_a_run_that_goes_on_thinking_is_quiet(system: RewardSystem) -> None:
    watch = watching(system, "empty_thinking")
    assert run(watch, system, (40, _answers(7, (75, 25)))) == []
    assert watch.logs() == {"mars/monitor/empty_thinking/default": pytest.approx(1 / 8)}


def test_thinking_that_ceases_where_it_was_worth_something_is_alarming(system: RewardSystem) -> None:
    [alarm] = run(watching(system, "empty_thinking"), system, (10, _answers(7, (75, 25))), (40, _answers(0, (75, 25))))
    assert alarm.name == "default"
    assert alarm.value > alarm.threshold == pytest.approx(1 - 0.5 * 7 / 8)
    assert f"{alarm.value:.0%} of the answers of the task 'default' have no thought, 12% at first" in alarm.explanation
    assert "without a thought 0.25 are right, with one 0.75 were" in alarm.explanation


def test_a_model_that_rarely_thought_may_collapse_all_the_same(system: RewardSystem) -> None:
    assert run(watching(system, "empty_thinking"), system, (10, _answers(2, (75, 25))), (40, _answers(0, (75, 25))))


def test_thinking_that_ceases_where_it_makes_no_difference_is_what_was_taught(system: RewardSystem) -> None:
    easy, no_more = _answers(4, (100, 100)), _answers(0, (100, 100))
    assert run(watching(system, "empty_thinking"), system, (10, easy), (60, no_more)) == []


def test_a_model_that_learns_when_to_think_is_quiet_and_one_that_stops_on_hard_problems_is_not(
    system: RewardSystem,
) -> None:
    start = _answers(2, (100, 100), "easy") + _answers(2, (75, 25), "hard")
    learned = _answers(0, (100, 100), "easy") + _answers(8, (75, 25), "hard")
    lazy = _answers(0, (100, 100), "easy") + _answers(0, (75, 25), "hard")
    assert run(watching(system, "empty_thinking"), system, (10, start), (60, learned)) == []
    assert [alarm.name for alarm in run(watching(system, "empty_thinking"), system, (10, start), (60, lazy))] == [
        "hard"
    ]


def test_without_a_verdict_thinking_that_ceases_is_alarming() -> None:
    system = RewardSystem({"sources": {"format": 1.0}})
    assert run(watching(system, "empty_thinking"), system, (10, _answers(8, (0, 0))), (40, _answers(0, (0, 0))))


def test_a_model_that_never_thinks_has_nothing_to_lose(system: RewardSystem) -> None:
    assert run(watching(system, "empty_thinking"), system, (60, _answers(0, (75, 25)))) == []


def test_a_share_that_is_always_alarming_can_be_set(system: RewardSystem) -> None:
    [alarm] = run(watching(system, "empty_thinking", above=0.9), system, (5, _answers(0, (75, 25))))
    assert (alarm.value, alarm.threshold) == (1.0, 0.9)


@pytest.mark.parametrize(("empty", "characters"), [("\n\n", 0), ("...", 0), ("Okay.", 4)])
def test_signs_and_white_space_are_no_thought_and_how_short_one_is_can_be_set(
    system: RewardSystem, empty: str, characters: int
) -> None:
    watch = watching(system, "empty_thinking", characters=characters)
    run(watch, system, (1, _answers(4, (75, 25), empty=empty)))
    assert watch.logs() == {"mars/monitor/empty_thinking/default": 0.5}


def test_thoughts_that_are_no_longer_opened_are_missed_as_empty_ones_are(system: RewardSystem) -> None:
    untagged = samples(lambda prompt, place: str(prompt) if prompt % 4 == 0 else "no", completions=8)
    [alarm] = run(watching(system, "empty_thinking"), system, (10, _answers(7, (75, 25))), (40, untagged))
    assert alarm.name == "default"
    assert "without a thought 0.25 are right, with one 0.75 were" in alarm.explanation


def test_where_no_thought_was_ever_opened_nothing_is_said(system: RewardSystem) -> None:
    watch = watching(system, "empty_thinking")
    assert run(watch, system, (5, samples(lambda prompt, place: str(prompt)))) == []
    assert watch.logs() == {}


def test_two_prompts_are_too_few(system: RewardSystem) -> None:
    phases = (1, _answers(8, (100, 0))[:16]), (5, _answers(0, (100, 0))[:16])
    assert run(watching(system, "empty_thinking", baseline=1), system, *phases) == []


def test_a_resumed_run_goes_on_bit_for_bit(system: RewardSystem) -> None:
    watch = watching(system, "empty_thinking")
    run(watch, system, (11, _answers(7, (75, 25))), (1, _answers(0, (75, 25))))
    later = [step(number, system, _answers(0, (75, 25))) for number in range(13, 25)]
    assert same_ending(watch, resumed(watch, watching(system, "empty_thinking")), later)
