from __future__ import annotations

import pytest

from mars import RewardSystem, reward
from mars.types import Sample, Score, Status
from tests.mars.audit.monitors.runs import resumed, run, same_ending, samples, step, watching


@pytest.fixture
def system() -> RewardSystem:
    @reward("moody", kind="verifier", deadline=None)
    def moody(completion: str) -> Score:
        if completion in ("timeout", "undecided", "error", "skipped"):
            return Score.failed(Status(completion), f"it said {completion}")
        return Score(1.0)

    return RewardSystem({"sources": {"moody": 1.0}})


def _failing(word: str, of_four: int) -> list[Sample]:
    return samples(lambda prompt, place: word if place < of_four else "fine")


FINE = _failing("timeout", 0)


def test_a_run_without_failures_is_quiet_and_has_nothing_to_log(system: RewardSystem) -> None:
    watch = watching(system, "failures")
    assert run(watch, system, (40, FINE)) == []
    assert watch.logs() == {}


@pytest.mark.parametrize("word", ["timeout", "undecided", "error"])
def test_failures_that_rise_are_alarming_and_the_alarm_has_the_numbers_and_a_reason(
    system: RewardSystem, word: str
) -> None:
    [alarm] = run(watching(system, "failures"), system, (10, FINE), (20, _failing(word, 1)))
    assert alarm.name == f"moody/{word}"
    assert alarm.threshold == pytest.approx(0.1)
    assert f"{alarm.value:.0%} of the scores of 'moody'" in alarm.explanation
    assert f"0% at first; one says: it said {word}" in alarm.explanation


def test_a_share_that_is_high_from_the_start_is_alarming_too(system: RewardSystem) -> None:
    assert run(watching(system, "failures"), system, (5, _failing("timeout", 2)))[0].value == pytest.approx(0.5)


def test_a_share_that_stays_what_it_was_and_is_low_is_quiet(system: RewardSystem) -> None:
    rare = [*_failing("timeout", 1)[:8], *FINE[8:]]
    watch = watching(system, "failures")
    assert run(watch, system, (40, rare)) == []
    assert watch.logs() == {"mars/monitor/failures/moody/timeout": pytest.approx(2 / 64)}


def test_what_is_not_a_sources_to_judge_is_no_failure(system: RewardSystem) -> None:
    assert run(watching(system, "failures"), system, (10, FINE), (20, _failing("skipped", 3))) == []


def test_one_bad_prompt_is_no_drift(system: RewardSystem) -> None:
    unlucky = [*_failing("timeout", 4)[:4], *FINE[4:]]
    assert run(watching(system, "failures", rise=0.05), system, (10, FINE), (1, unlucky), (20, FINE)) == []


def test_two_prompts_are_too_few(system: RewardSystem) -> None:
    assert run(watching(system, "failures"), system, (3, _failing("timeout", 4)[:8])) == []


def test_an_alarm_passes_when_the_failures_do(system: RewardSystem) -> None:
    watch = watching(system, "failures")
    run(watch, system, (10, FINE), (5, _failing("timeout", 2)))
    assert watch.standing
    run(watch, system, (60, FINE))
    assert not watch.standing
    assert watch.logs()["mars/alarm/failures/moody/timeout"] == 0.0


def test_a_resumed_run_goes_on_bit_for_bit(system: RewardSystem) -> None:
    watch = watching(system, "failures")
    run(watch, system, (10, FINE), (1, _failing("timeout", 1)))
    later = [step(number, system, _failing("timeout", 1)) for number in range(12, 24)]
    assert same_ending(watch, resumed(watch, watching(system, "failures")), later)
