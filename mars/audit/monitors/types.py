"""What monitors see, say and raise. Plain frozen dataclasses, so that a run and its log are watched alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from mars.types import Reward, Sample
from mars.weighting.task import Task


class Action(StrEnum):
    """What an alarm does."""

    LOG = "log"
    """It is recorded, and shown on the page."""
    WARN = "warn"
    """It is also said aloud, once until it has passed."""
    STOP = "stop"
    """It also ends the run, in order, with a checkpoint."""


@dataclass(frozen=True)
class Seen:
    """One completion and its reward."""

    sample: Sample
    reward: Reward


@dataclass(frozen=True)
class Step:
    """What one training step shows to the monitors.

    Attributes:
        number: The optimizer step at which the completions were scored.
        seen: The completions of all ranks, in order.
        canaries: Answers to the canary prompts, where they were asked at this step.
    """

    number: int
    seen: Sequence[Seen]
    canaries: Sequence[Seen] = ()


@dataclass(frozen=True)
class Reading:
    """What a monitor measured at one step.

    Attributes:
        name: What was measured, within the monitor: a task, a source; empty when there is only one thing to measure.
        value: The measure; `None` where there was nothing to measure.
        threshold: From where on it is alarming.
        alarming: Whether it is.
        explanation: What was seen, with the numbers, in a line.
        mild: Whether it is worth a note at most, whatever the action: what is alarming may also be good news.
    """

    name: str
    value: float | None
    threshold: float
    alarming: bool
    explanation: str
    mild: bool = False

    def __post_init__(self) -> None:
        for what in (self.value, self.threshold):
            if what is not None and not math.isfinite(what):
                raise ValueError(f"a reading's value and threshold must be finite, got {what!r}")


@dataclass(frozen=True)
class Alarm:
    """A reading that is alarming, and what to do about it.

    Attributes:
        monitor: The monitor's name.
        name: What was measured; see `Reading.name`.
        step: The training step.
        value: The measure.
        threshold: From where on it is alarming.
        action: What it does.
        explanation: What was seen, in a line.
        advice: What it may mean and what can be done, in a line or two.
        mild: Whether its reading was; see `Reading.mild`. It makes way for one that is not.
    """

    monitor: str
    name: str
    step: int
    value: float
    threshold: float
    action: Action
    explanation: str
    advice: str
    mild: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Alarm:
        """Read the JSON form."""
        return cls(**{**record, "action": Action(record["action"])})


@dataclass(frozen=True)
class Scene:
    """What monitors know of a run before its first step.

    Attributes:
        tasks: The tasks with their sources (kinds, ranges, weights), by name or pattern.
    """

    tasks: Mapping[str, Task] = field(default_factory=dict)


class Monitor(Protocol):
    """Watches one thing over a run."""

    def read(self, step: Step) -> list[Reading]:
        """Measure one step. Steps come in order; what is compared with the past is remembered."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what is remembered, as JSON data."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        ...
