"""Synthetic runs: real samples, scored by a real reward system, looked at by a real watch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mars import RewardSystem
from mars.audit.monitors import Alarm, MonitorSettings, Scene, Seen, Step, Watch
from mars.audit.monitors.registry import BUILT_IN
from mars.types import Sample

PROMPTS, COMPLETIONS = 16, 4
Write = Callable[[int, int], str]
"""Writes the completion of a prompt by the numbers of both."""


def only(name: str, **settings: Any) -> MonitorSettings:
    """Return settings with one monitor on."""
    return MonitorSettings.model_validate(dict.fromkeys(BUILT_IN, False) | {name: settings})


def watching(system: RewardSystem, name: str, **settings: Any) -> Watch:
    """Return a watch of one monitor over a system's tasks."""
    return Watch.of(only(name, **settings), Scene(system.tasks))


def samples(
    write: Write, prompts: int = PROMPTS, completions: int = COMPLETIONS, task: str = "default"
) -> list[Sample]:
    """Return the completions of a step; the right answer to prompt 7 is 7."""
    return [
        Sample(write(prompt, place), prompt=f"Q{prompt}", reference=str(prompt), task=task)
        for prompt in range(prompts)
        for place in range(completions)
    ]


def seen(system: RewardSystem, of: Sequence[Sample]) -> list[Seen]:
    """Score samples."""
    return [Seen(sample, reward) for sample, reward in zip(of, system.score(of), strict=True)]


def step(number: int, system: RewardSystem, of: Sequence[Sample]) -> Step:
    """Score the samples of a step."""
    return Step(number, seen(system, of))


def run(watch: Watch, system: RewardSystem, *phases: tuple[int, Sequence[Sample]]) -> list[Alarm]:
    """Look at phases of equal steps, `(steps, samples)`, and return what was raised."""
    number = 1
    raised: list[Alarm] = []
    for steps, of in phases:
        same = seen(system, of)
        for _ in range(steps):
            raised += watch.look(Step(number, same))
            number += 1
    return raised


def resumed(watch: Watch, fresh: Watch) -> Watch:
    """Return a fresh watch that goes on from another one's state, through JSON."""
    fresh.load_state_dict(json.loads(json.dumps(watch.state_dict())))
    return fresh


def same_ending(first: Watch, second: Watch, steps: Iterable[Step]) -> bool:
    """Return whether two watches say the same of further steps, to the last bit."""
    steps = list(steps)
    said = [[(watch.look(one), watch.logs(), watch.readings) for one in steps] for watch in (first, second)]
    return said[0] == said[1] and first.state_dict() == second.state_dict()
