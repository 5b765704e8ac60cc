"""The files of the runs, read back: what the policy did at each graded step, and the weights at every step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.weighting.sources import is_praising, is_stopped, thought_length
from trainers.tiny import task


@dataclass(frozen=True)
class Graded:
    """What a policy does on held-out problems. All but `thinking` are shares.

    Attributes:
        hard: Right answers to the problems of three and six steps.
        easy: Right answers to those of one step.
        format: Answers that end in a full stop.
        praise: Answers that flatter.
        thinking: Mean characters of thinking, each number of steps counting the same, as in training.
    """

    hard: float
    easy: float
    format: float
    praise: float
    thinking: float

    @classmethod
    def of(cls, answers: Sequence[tuple[str, str, bool]]) -> Graded:
        """Measure answers: prompt, completion, and whether it is right."""
        by_steps: dict[int, list[tuple[str, bool]]] = {steps: [] for steps in (task.EASY_STEPS, *task.HARD_STEPS)}
        for prompt, completion, right in answers:
            by_steps[len(prompt) - len("7=")].append((completion, right))
        hard = [right for steps in task.HARD_STEPS for _, right in by_steps[steps]]
        completions = [completion for _, completion, _ in answers]
        return cls(
            hard=fmean(hard),
            easy=fmean(right for _, right in by_steps[task.EASY_STEPS]),
            format=fmean(map(is_stopped, completions)),
            praise=fmean(map(is_praising, completions)),
            thinking=fmean(fmean(thought_length(said) for said, _ in group) for group in by_steps.values()),
        )


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        world: The world's name.
        strategy: The strategy's name.
        seed: Its seed.
        steps: Optimizer steps.
        graded: The policy by step, from step 0 on, always on the same problems.
        end: The policy after the last step, on all held-out problems.
        weights: The weights by step, from step 0 on: by source.
        seconds: Wall time.
    """

    world: str
    strategy: str
    seed: int
    steps: int
    graded: dict[int, Graded]
    end: Graded
    weights: dict[int, dict[str, float]]
    seconds: float

    @property
    def on_the_way(self) -> float:
        """The mean accuracy on hard problems over the graded steps after the start: high where it is learned soon."""
        return fmean(graded.hard for step, graded in self.graded.items() if step)

    def steps_to(self, accuracy: float) -> int | None:
        """Return the first graded step at which the accuracy on hard problems is reached; `None`: it never is."""
        return next((step for step, graded in sorted(self.graded.items()) if graded.hard >= accuracy), None)

    def last_third(self) -> list[Graded]:
        """Return the graded policies of the last third of the run, its end included."""
        return [graded for step, graded in sorted(self.graded.items()) if step > self.steps * 2 / 3]


def read(file: Path) -> Run:
    """Read the file of a run."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    about: dict[str, Any] = lines[0]["about"]
    answers = {line["step"]: line["answers"] for line in lines if "answers" in line}
    _, on_the_way = about["graded"]
    return Run(
        world=about["world"],
        strategy=about["strategy"],
        seed=about["seed"],
        steps=about["steps"],
        graded={step: Graded.of(given[:on_the_way]) for step, given in answers.items()},
        end=Graded.of(answers[about["steps"]]),
        weights={line["step"]: line["weights"] for line in lines if "weights" in line},
        seconds=lines[-1]["seconds"],
    )
