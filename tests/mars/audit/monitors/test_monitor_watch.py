from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mars import RewardSystem
from mars.audit.monitors import (
    Action,
    Alarm,
    Forgetful,
    MonitorSettings,
    Options,
    Reading,
    RunningOptions,
    Scene,
    Seen,
    Step,
    Watch,
    registry,
)
from mars.audit.monitors.watch import FAILED, Watched
from mars.types import Reward, Sample, Status
from tests.mars.audit.monitors.runs import run, samples, seen, watching


class Scripted(Forgetful):
    """Reads out what it was given, a value a step; above 0.5 is alarming."""

    def __init__(self, values: Sequence[float | None], name: str = "", *, mild: bool = False) -> None:
        self._values = iter(values)
        self._name = name
        self._mild = mild

    def read(self, step: Step) -> list[Reading]:
        value = next(self._values)
        return [Reading(self._name, value, 0.5, (value or 0) > 0.5, f"it is {value}", mild=self._mild)]


class Broken(Forgetful):
    def read(self, step: Step) -> list[Reading]:
        raise ZeroDivisionError("by nothing")


def _watch(patience: int = 1, action: Action = Action.WARN, **monitors: Any) -> Watch:
    options = Options(patience=patience, action=action)
    return Watch({name: Watched(monitor, options, f"see to {name}") for name, monitor in monitors.items()})


def _looks(watch: Watch, steps: int) -> list[list[Alarm]]:
    return [watch.look(Step(number, ())) for number in range(1, steps + 1)]


def _steps_raised(values: Sequence[float | None], patience: int) -> list[int]:
    return [alarm.step for raised in _looks(_watch(patience, x=Scripted(values)), len(values)) for alarm in raised]


def test_an_alarm_says_all_that_there_is_to_say() -> None:
    [[alarm]] = _looks(_watch(action=Action.STOP, x=Scripted([0.9], "part")), 1)
    assert alarm == Alarm("x", "part", 1, 0.9, 0.5, Action.STOP, "it is 0.9", "see to x")
    assert Alarm.from_dict(json.loads(json.dumps(alarm.to_dict()))) == alarm


@pytest.mark.parametrize(
    ("values", "patience", "raised"),
    [
        ([1, 1, 1, 1], 1, [1]),
        ([1, 1, 1, 1], 3, [3]),
        ([1, 0, 1, 0, 1, 0], 2, []),
        ([1, 1, 0, 1, 1, 1], 2, [2]),
        ([1, 1, 0, 0, 1, 1], 2, [2, 6]),
        ([1, None, 1, 1], 2, [3]),
        ([1, 1, None, 0, None, 0, 1, 1], 2, [2, 8]),
        ([0, 0, 0], 1, []),
    ],
)
def test_an_alarm_is_raised_when_it_lasts_and_again_only_after_it_has_passed(
    values: list[float | None], patience: int, raised: list[int]
) -> None:
    assert _steps_raised(values, patience) == raised


def test_an_alarm_of_a_running_mean_passes_after_a_calm_window_so_that_it_does_not_come_and_go() -> None:
    def steps_raised(calm: int) -> list[int]:
        options = RunningOptions(patience=1, window=4)
        watch = Watch({"x": Watched(Scripted([1, *[0] * calm, 1]), options, "")})
        return [alarm.step for raised in _looks(watch, calm + 2) for alarm in raised]

    assert steps_raised(calm=4) == [1]
    assert steps_raised(calm=5) == [1, 7]


def test_what_stands_and_what_was_raised_can_be_asked_for() -> None:
    watch = _watch(x=Scripted([1, 1, 0]), y=Scripted([0, 1, 1]))
    _looks(watch, 3)
    assert [alarm.monitor for alarm in watch.alarms] == ["x", "y"]
    assert [alarm.monitor for alarm in watch.standing] == ["y"]


def test_the_logs_have_the_measures_and_what_is_alarming() -> None:
    watch = _watch(x=Scripted([1, 0.25], "part"), y=Scripted([None, 0]))
    watch.look(Step(1, ()))
    assert watch.logs() == {"mars/monitor/x/part": 1.0, "mars/alarm/x/part": 1.0}
    watch.look(Step(2, ()))
    assert watch.logs() == {"mars/monitor/x/part": 0.25, "mars/monitor/y": 0.0, "mars/alarm/x/part": 0.0}


def test_what_is_mild_is_noted_whatever_the_action() -> None:
    [[alarm]] = _looks(_watch(action=Action.STOP, x=Scripted([1], mild=True)), 1)
    assert alarm.action is Action.LOG


class Moody(Forgetful):
    """Reads out letters: calm, mild or severe."""

    def __init__(self, letters: str) -> None:
        self._letters = iter(letters)

    def read(self, step: Step) -> list[Reading]:
        letter = next(self._letters)
        return [Reading("", 1.0, 0.5, letter in "ms", letter, mild=letter == "m")]


@pytest.mark.parametrize(
    ("letters", "raised"),
    [
        ("mmmssss", [(2, Action.LOG), (5, Action.STOP)]),
        ("ssmmmss", [(2, Action.STOP)]),
        ("smsmsm", [(2, Action.LOG)]),
        ("mmssccss", [(2, Action.LOG), (4, Action.STOP), (8, Action.STOP)]),
    ],
)
def test_a_note_does_not_hide_what_is_worse(letters: str, raised: list[tuple[int, Action]]) -> None:
    found = _looks(_watch(2, Action.STOP, x=Moody(letters)), len(letters))
    assert [(alarm.step, alarm.action) for step in found for alarm in step] == raised


@pytest.mark.parametrize("returned", [[0.5], [None], [("", 1.0)], 3])
def test_what_is_no_reading_ends_no_run(returned: Any) -> None:
    class Wrong(Forgetful):
        def read(self, step: Step) -> Any:
            return returned

    [[alarm]] = _looks(_watch(x=Wrong()), 1)
    assert (alarm.name, alarm.action) == (FAILED, Action.WARN)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_a_failure(value: float) -> None:
    watch = _watch(x=Scripted([value]))
    [[alarm]] = _looks(watch, 1)
    assert "value and threshold must be finite" in alarm.explanation
    assert json.dumps(watch.state_dict(), allow_nan=False)


def test_a_monitor_that_reads_again_is_no_longer_alarming() -> None:
    class Once(Forgetful):
        def read(self, step: Step) -> list[Reading]:
            if step.number == 1:
                raise ValueError("not yet")
            return []

    watch = _watch(patience=2, x=Once())
    raised = _looks(watch, 3)
    assert [len(alarms) for alarms in raised] == [1, 0, 0]
    assert watch.standing == []


def test_names_that_were_never_alarming_leave_nothing_in_the_state() -> None:
    watch = _watch(x=Scripted([0, 0, 0]), y=Scripted([1, 0, 0]))
    _looks(watch, 3)
    assert watch.state_dict()["streaks"] == {}


def test_a_monitor_that_fails_is_said_once_and_ends_no_run() -> None:
    watch = _watch(patience=5, action=Action.STOP, x=Broken(), y=Scripted([0, 0, 0]))
    raised = _looks(watch, 3)
    [alarm] = [alarm for step in raised for alarm in step]
    assert (alarm.step, alarm.name, alarm.action) == (1, "failed", Action.WARN)
    assert "monitor failed: ZeroDivisionError: by nothing" in alarm.explanation
    assert watch.logs()["mars/monitor/x/failed"] == 3
    assert watch.logs()["mars/monitor/y"] == 0


def test_a_state_goes_on_where_it_was_and_forgets_monitors_that_are_off() -> None:
    watch = _watch(patience=2, x=Scripted([1, 1]), y=Scripted([0, 1]), z=Broken())
    _looks(watch, 2)
    state: Mapping[str, Any] = json.loads(json.dumps(watch.state_dict()))
    again = _watch(patience=2, x=Scripted([1]), y=Scripted([1]))
    again.load_state_dict(state)
    assert [alarm.monitor for alarm in again.standing] == ["x"]
    assert [alarm.monitor for alarm in again.look(Step(3, ()))] == ["y"]
    assert [alarm.monitor for alarm in again.alarms] == ["z", "x", "y"]


@pytest.mark.parametrize("name", registry.BUILT_IN)
def test_no_monitor_fails_on_steps_without_rewards(name: str) -> None:
    system = RewardSystem({"sources": {"exact": 1.0, "format": 0.1}})
    unscored = Seen(Sample("", prompt=""), Reward(None, Status.ERROR, "no sources", (), "unheard of"))
    undecided = Seen(Sample("x", reference="x"), system.score([Sample("x")])[0])
    watch = watching(system, name)
    for step in (Step(1, ()), Step(2, [unscored], [unscored]), Step(3, [undecided] * 40, [undecided] * 40)):
        assert not _failed(watch, step)


PIECES = st.sampled_from(
    ["<think>", "</think>", "\\boxed{", "}", "3", " or ", "so", "\n", "<answer>", "!", "\x00", "的"]
)


@given(
    st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=12),
    st.sampled_from(["a", "b", "c/d"]),
    st.integers(1, 4),
)
def test_no_monitor_fails_whatever_models_write(texts: list[str], task: str, prompts: int) -> None:
    system = RewardSystem(
        {
            "sources": {"exact": 1.0, "format": 0.1, "length": {"weight": -0.1, "settings": {"part": "answer"}}},
            "tasks": {"a": ["exact", "format"], "b": ["format", "length"]},
        }
    )
    watch = Watch.of(MonitorSettings(), Scene(system.tasks))
    written = [
        Sample(text, prompt=f"Q{place % prompts}", reference="3", task=task if place % 3 else "a")
        for place, text in enumerate(texts)
    ]
    scored = seen(system, written)
    for number in range(3):
        assert not _failed(watch, Step(number, scored, scored))


def _failed(watch: Watch, step: Step) -> list[Reading]:
    watch.look(step)
    return [reading for readings in watch.readings.values() for reading in readings if reading.name == FAILED]


def test_a_healthy_run_under_every_monitor_raises_no_more_than_notes() -> None:
    system = RewardSystem({"sources": {"exact": 1.0, "format": 0.1}})
    watch = Watch.of(MonitorSettings(), Scene(system.tasks))
    better = [
        samples(lambda p, place, good=good: f"<think>so it is</think>{p if (p + place) % 8 < good else 'no'}")
        for good in (2, 3, 4, 5, 6)
    ]
    raised = run(watch, system, *((10, phase) for phase in better))
    assert {alarm.action for alarm in raised} <= {Action.LOG}
    assert len(watch.logs()) > 5
