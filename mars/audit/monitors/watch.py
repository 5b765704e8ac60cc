"""Watching a run: every monitor reads each step, and what stays alarming is raised, once until it has passed.

Steps and the scene are all that is needed, so that a run and its log are watched alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mars.audit.monitors import registry
from mars.audit.monitors.options import Options
from mars.audit.monitors.settings import MonitorSettings
from mars.audit.monitors.types import Action, Alarm, Monitor, Reading, Scene, Step

FAILED = "failed"
_FAILED_ADVICE = "The run goes on without this monitor's readings. Turn it off, or report what it could not read."


@dataclass(frozen=True)
class Watched:
    """A monitor at work.

    Attributes:
        monitor: It.
        options: Its settings.
        advice: What its alarms advise.
    """

    monitor: Monitor
    options: Options
    advice: str


@dataclass
class _Streak:
    """How long a reading has been as it is, in readings.

    Attributes:
        alarming: Since when it has been alarming.
        severe: Since when it has been alarming, and not mildly.
        calm: Since when it has not been.
    """

    alarming: int = 0
    severe: int = 0
    calm: int = 0

    def count(self, reading: Reading) -> None:
        """Count a reading."""
        self.alarming = self.alarming + 1 if reading.alarming else 0
        self.severe = self.severe + 1 if reading.alarming and not reading.mild else 0
        self.calm = 0 if reading.alarming else self.calm + 1


class Watch:
    """Monitors over one run.

    Args:
        watched: The monitors, by name.
    """

    def __init__(self, watched: Mapping[str, Watched]) -> None:
        self._watched = dict(watched)
        self._streaks: dict[str, _Streak] = {}
        self._standing: dict[str, Alarm] = {}
        self._raised: dict[str, None] = {}
        self._failures: dict[str, int] = {}
        self.readings: dict[str, list[Reading]] = {}
        """What each monitor measured at the last step."""
        self.alarms: list[Alarm] = []
        """Every alarm that was raised, in order."""

    @classmethod
    def of(cls, settings: MonitorSettings, scene: Scene) -> Watch:
        """Make the monitors of a recipe.

        Raises:
            ConfigError: With the path of the wrong key below the recipe's `monitors`.
        """
        watched = {}
        for name, options in settings.watching.items():
            chosen = registry.get(name)
            watched[name] = Watched(chosen.make(options, scene), options, chosen.advice)
        return cls(watched)

    def look(self, step: Step) -> list[Alarm]:
        """Read one step and return the alarms that it raises. Steps come in order."""
        self.readings = {name: self._read(name, watched, step) for name, watched in self._watched.items()}
        raised = []
        for name, readings in self.readings.items():
            for reading in readings:
                alarm = self._follow(name, reading, step.number)
                if alarm is not None:
                    raised.append(alarm)
        self.alarms += raised
        return raised

    def _read(self, name: str, watched: Watched, step: Step) -> list[Reading]:
        try:
            readings = list(watched.monitor.read(step))
            for one in readings:
                if not isinstance(one, Reading):
                    raise TypeError(f"a monitor returns readings, got {one!r:.80}")
        except Exception as error:
            # What a monitor cannot cope with must not cost the run that it watches.
            count = self._failures[name] = self._failures.get(name, 0) + 1
            said = f"monitor failed: {type(error).__name__}: {error}"
            return [Reading(FAILED, float(count), 0.0, True, f"{said:.300} ({_times(count)} so far)")]
        if name in self._failures:
            readings.append(Reading(FAILED, float(self._failures[name]), 0.0, False, "the monitor reads again"))
        return readings

    def _follow(self, name: str, reading: Reading, number: int) -> Alarm | None:
        """Count how long a reading has been alarming or calm; return its alarm when it has just been raised."""
        key = _key(name, reading.name)
        if reading.value is None or not (reading.alarming or key in self._streaks):
            return None
        streak = self._streaks.setdefault(key, _Streak())
        streak.count(reading)
        watched = self._watched[name]
        failed = name in self._failures and reading.name == FAILED
        if streak.calm >= watched.options.passing:
            self._standing.pop(key, None)
            del self._streaks[key]
        patience = 1 if failed else watched.options.patience
        mild = streak.severe < patience
        known = self._standing.get(key)
        if streak.alarming < patience or (known is not None and (mild or not known.mild)):
            return None
        alarm = Alarm(
            monitor=name,
            name=reading.name,
            step=number,
            value=reading.value,
            threshold=reading.threshold,
            action=Action.WARN if failed else Action.LOG if mild else watched.options.action,
            explanation=reading.explanation,
            advice=_FAILED_ADVICE if failed else watched.advice,
            mild=mild,
        )
        self._standing[key] = alarm
        self._raised[key] = None
        return alarm

    @property
    def standing(self) -> list[Alarm]:
        """The alarms that have been raised and have not passed, in the order in which they were raised."""
        return list(self._standing.values())

    def logs(self) -> dict[str, float]:
        """Return the last step's measures, and for what was ever alarming whether it is now, by the logs' names."""
        measures = {
            f"mars/monitor/{_key(name, reading.name)}": float(reading.value)
            for name, readings in self.readings.items()
            for reading in readings
            if reading.value is not None
        }
        return measures | {f"mars/alarm/{key}": float(key in self._standing) for key in self._raised}

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on from here, as JSON data."""
        return {
            "monitors": {name: watched.monitor.state_dict() for name, watched in self._watched.items()},
            "streaks": {key: [streak.alarming, streak.severe, streak.calm] for key, streak in self._streaks.items()},
            "standing": {key: alarm.to_dict() for key, alarm in self._standing.items()},
            "raised": list(self._raised),
            "failures": dict(self._failures),
            "alarms": [alarm.to_dict() for alarm in self.alarms],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state. A monitor that it does not know starts anew; one that is off now is forgotten."""
        for name, watched in self._watched.items():
            if name in state["monitors"]:
                watched.monitor.load_state_dict(state["monitors"][name])
        self._streaks = {key: _Streak(*counts) for key, counts in state["streaks"].items() if self._is_on(key)}
        self._standing = {key: Alarm.from_dict(one) for key, one in state["standing"].items() if self._is_on(key)}
        self._raised = dict.fromkeys(filter(self._is_on, state["raised"]))
        self._failures = {name: count for name, count in state["failures"].items() if name in self._watched}
        self.alarms = [Alarm.from_dict(one) for one in state["alarms"]]

    def _is_on(self, key: str) -> bool:
        return key.partition("/")[0] in self._watched


def _key(monitor: str, name: str) -> str:
    return f"{monitor}/{name}" if name else monitor


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
