"""A run watched again from its log: the same monitors over the same steps, and what else the page shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from mars.audit.monitors.settings import MonitorSettings
from mars.audit.monitors.types import Alarm, Reading, Scene, Step
from mars.audit.monitors.watch import Watch
from mars.audit.run.curves import Curves
from mars.audit.run.logs import RunLog
from mars.audit.run.rising import Rising, rising
from mars.errors import DataError


@dataclass(frozen=True)
class Raised:
    """An alarm, and how long it stood.

    Attributes:
        alarm: It.
        until: The first step at which it had passed; `None` while it stands.
        worst: The measure that was farthest over the threshold while it stood, and its step.
    """

    alarm: Alarm
    until: int | None
    worst: tuple[float, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        worst, step = self.worst
        return self.alarm.to_dict() | {"until": self.until, "worst": worst, "worst_step": step}


@dataclass
class Replay:
    """What was found in a run's log.

    Attributes:
        log: The log.
        steps: The steps of the log, in order.
        completions: How many completions it holds, canaries left out.
        alarms: What the monitors raised, in order.
        readings: What each monitor measured: by monitor and name, a reading a step, without its words.
        curves: Components, weights and the like over the steps.
        rising: What rose; `None` for a run that is too short.
    """

    log: RunLog
    steps: list[int]
    completions: int
    alarms: list[Raised]
    readings: dict[str, dict[str, dict[int, Reading]]]
    curves: Curves
    rising: Rising | None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the lines of the charts."""
        found = self.rising
        return {
            "place": str(self.log.place),
            "form": self.log.form,
            "steps": [self.steps[0], self.steps[-1]],
            "logged_steps": len(self.steps),
            "completions": self.completions,
            "monitors": list(self.readings),
            "alarms": [raised.to_dict() for raised in self.alarms],
            "rising": None if found is None else found.to_dict(),
        }


@dataclass
class _Standing:
    """Follows alarms until they pass."""

    raised: list[Raised] = field(default_factory=list)

    def follow(self, watch: Watch, step: int, new: list[Alarm]) -> None:
        self.raised += [Raised(alarm, None, (alarm.value, step)) for alarm in new]
        standing = {(alarm.monitor, alarm.name) for alarm in watch.standing}
        for place, each in enumerate(self.raised):
            key = (each.alarm.monitor, each.alarm.name)
            if each.until is not None:
                continue
            if key not in standing:
                self.raised[place] = Raised(each.alarm, step, each.worst)
                continue
            value = next((r.value for r in watch.readings.get(key[0], ()) if r.name == key[1]), None)
            threshold = each.alarm.threshold
            if value is not None and abs(value - threshold) > abs(each.worst[0] - threshold):
                self.raised[place] = Raised(each.alarm, None, (value, step))


def replay(log: RunLog, settings: MonitorSettings, advance: Callable[[int], None] = lambda step: None) -> Replay:
    """Watch a run again.

    Args:
        log: Its completions.
        settings: The monitors.
        advance: Told the number of each step that was read.

    Raises:
        DataError: When the log is empty or damaged; the message names file and line.
    """
    watch = Watch.of(settings, Scene(log.about.tasks))
    curves, standing = Curves(log.about.tasks), _Standing()
    readings: dict[str, dict[str, dict[int, Reading]]] = {}
    steps: list[int] = []
    completions = 0
    for number, rollouts in log.steps():
        trained = [each for each in rollouts if not each.canary]
        canaries = [each.seen for each in rollouts if each.canary]
        steps.append(number)
        completions += len(trained)
        curves.add(number, trained)
        new = watch.look(Step(number, [each.seen for each in trained], canaries))
        standing.follow(watch, number, new)
        for name, found in watch.readings.items():
            for reading in found:
                # The words of thousands of steps are not shown; those of alarms are in the alarms.
                readings.setdefault(name, {}).setdefault(reading.name, {})[number] = replace(reading, explanation="")
        advance(number)
    if not completions:
        raise DataError(f"{log.place}: there is no completion in it")
    return Replay(log, steps, completions, standing.raised, readings, curves, rising(steps, log.steps))
