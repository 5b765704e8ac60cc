"""The last words of a run tell an alarm from a note."""

from __future__ import annotations

from pathlib import Path

from mars.audit.monitors.types import Action, Alarm
from trainers.closing import closing_words
from trainers.run import Outcome


def _alarm(monitor: str, action: Action) -> Alarm:
    return Alarm(monitor, "x", 3, 1.0, 0.9, action, "seen", "advice")


def _said(*alarms: Alarm) -> list[str]:
    outcome = Outcome(Path("runs/x"), None, None, stopped=False, seconds={}, alarms=alarms)
    return [str(word) for word in closing_words(outcome, Path("r.yaml"), [])]


def test_what_is_only_logged_is_a_note_and_the_rest_an_alarm() -> None:
    first, second, *_ = _said(_alarm("saturation", Action.LOG), _alarm("gap", Action.WARN), _alarm("gap", Action.STOP))
    assert "2 alarms of the monitors: gap" in first
    assert "1 note of the monitors: saturation" in second


def test_a_calm_run_has_no_words_for_it() -> None:
    assert not [word for word in _said() if "monitors" in word or "mars audit run" in word]
