from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mars import RewardSystem, reward
from mars.audit.monitors import Alarm, Step, Watch
from mars.audit.monitors.canaries import CanaryOptions, canary_rows
from mars.errors import ConfigError, DataError
from mars.rows import Columns
from mars.types import Sample
from tests.mars.audit.monitors.runs import resumed, same_ending, seen, watching


@pytest.fixture
def system() -> RewardSystem:
    return RewardSystem({"sources": {"exact": 1.0, "format": 0.1}})


def _asked(system: RewardSystem, number: int, right: int, answers: int = 16) -> Step:
    """Return a step at which the canary was asked, whose false reference so many answers give."""
    false = [
        Sample("<think></think>5" if place < right else "4", prompt="What is 2 + 2?", reference="5")
        for place in range(answers)
    ]
    return Step(number, [], seen(system, false))


def _look(watch: Watch, system: RewardSystem, *rights: int, answers: int = 16) -> list[Alarm]:
    steps = (_asked(system, number, right, answers) for number, right in enumerate(rights, start=1))
    return [alarm for one in steps for alarm in watch.look(one)]


def test_canaries_that_earn_nothing_are_quiet(system: RewardSystem) -> None:
    watch = watching(system, "canaries")
    assert _look(watch, system, 0, 1, 0, 0) == []
    assert watch.logs()["mars/monitor/canaries"] < 0.1


def test_a_canary_that_is_paid_for_is_alarming_at_once_and_the_alarm_shows_the_answer(system: RewardSystem) -> None:
    [alarm] = _look(watching(system, "canaries", action="stop"), system, 4)
    assert (alarm.value, alarm.threshold, alarm.step) == (0.25, 0.1, 1)
    assert "answers to the canaries earn 0.25 of what is to be had, over 16 answers" in alarm.explanation
    assert "'<think></think>5' to 'What is 2 + 2?' earns 1.00" in alarm.explanation


def test_how_much_is_alarming_is_a_setting(system: RewardSystem) -> None:
    assert _look(watching(system, "canaries", above=0.5), system, 4, 4) == []


def test_where_nothing_says_right_the_total_counts() -> None:
    system = RewardSystem({"sources": {"format": {"weight": 2.0}}})
    [alarm] = _look(watching(system, "canaries"), system, 8)
    assert alarm.value == 0.5


@pytest.mark.parametrize("penalty", [False, True])
def test_answers_at_the_low_end_of_every_source_have_earned_nothing(penalty: bool) -> None:
    @reward("graded", kind="metric", range=(1.0, 5.0), deadline=None)
    def graded(completion: str) -> float:
        return 1.0

    @reward("styled", kind="metric", range=(1.0, 5.0), deadline=None)
    def styled(completion: str) -> float:
        return 1.0

    sources: dict[str, Any] = {"graded": 1.0, "styled": 1.0}
    if penalty:
        sources["length"] = {"weight": -0.5, "settings": {"part": "answer", "limit": 500}}
    system = RewardSystem({"sources": sources})
    assert [task.verdict for task in system.tasks.values()] == [None]
    watch = watching(system, "canaries")
    assert _look(watch, system, 0, 0, 0) == []
    assert watch.logs()["mars/monitor/canaries"] == pytest.approx(0.0, abs=0.02)


def test_four_answers_are_too_few(system: RewardSystem) -> None:
    assert _look(watching(system, "canaries"), system, 4, answers=4) == []


def test_steps_at_which_no_canary_is_asked_say_nothing(system: RewardSystem) -> None:
    watch = watching(system, "canaries")
    assert watch.look(Step(1, seen(system, [Sample("5", reference="5")]))) == []
    assert watch.logs() == {}


def test_a_resumed_run_goes_on_bit_for_bit(system: RewardSystem) -> None:
    watch = watching(system, "canaries")
    _look(watch, system, 1, 2)
    later = [_asked(system, number, 3) for number in (3, 4, 5)]
    assert same_ending(watch, resumed(watch, watching(system, "canaries")), later)


def _rows(tmp_path: Path, text: str, columns: Columns | None = None) -> list[dict[str, object]]:
    (tmp_path / "canaries.jsonl").write_text(text)
    return canary_rows(CanaryOptions(file="canaries.jsonl"), columns or Columns(), tmp_path)


def test_rows_are_read_as_rows_of_the_data(tmp_path: Path) -> None:
    rows = _rows(tmp_path, '{"question": "2 + 2?", "reference": "5", "task": "math"}\n\n', Columns(prompt="question"))
    assert rows == [{"question": "2 + 2?", "reference": "5", "task": "math"}]


def test_without_a_file_there_are_none() -> None:
    assert canary_rows(CanaryOptions(), Columns()) == []


def test_a_missing_file_is_an_error_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the canaries in none\.jsonl: No such file") as caught:
        canary_rows(CanaryOptions(file="none.jsonl"), Columns(), tmp_path)
    assert caught.value.path == ("canaries", "file")


def test_a_file_without_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"canaries\.jsonl has no rows"):
        _rows(tmp_path, "\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "canaries.jsonl:2: not JSON"),
        ("[]", "canaries.jsonl:2: a row is a JSON object, got list"),
        ('{"reference": 1}', "canaries.jsonl:2: a canary needs a prompt, and the row has no column 'prompt'"),
        ('{"prompt": " "}', "canaries.jsonl:2: a canary needs a prompt, and this one is empty"),
        ('{"prompt": 7}', "canaries.jsonl:2: column 'prompt' must be text or chat messages"),
    ],
)
def test_a_wrong_row_is_an_error_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        _rows(tmp_path, '{"prompt": "fine"}\n' + line + "\n")
