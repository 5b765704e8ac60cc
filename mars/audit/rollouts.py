"""A run's completions with their rewards as files, so that what a reward taught can be looked at afterwards.

rollouts/
  about.json            the tasks with their sources, and what the recipe says of the monitors
  step-000010.jsonl     a completion a line

A step's file appears whole or not at all, and no other file is touched by it: a run that is killed leaves whole steps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mars.audit.monitors.types import Seen, Step
from mars.belonging import group_of
from mars.declaring import Kind
from mars.errors import DataError
from mars.types import Reward, Sample
from mars.verifying.rows import Row, read_rows
from mars.weighting.task import Task, WeighedSource

FOLDER = "rollouts"
ABOUT = "about.json"
KEEP = 128
"""Completions that are kept of a step, if the recipe says nothing else."""


@dataclass(frozen=True)
class About:
    """What is true of all of a run's completions.

    Attributes:
        tasks: The tasks with their sources, by name or pattern.
        monitors: The recipe's `monitors` section.
    """

    tasks: Mapping[str, Task] = field(default_factory=dict)
    monitors: Any = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"tasks": {name: asdict(task) for name, task in self.tasks.items()}, "monitors": self.monitors}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> About:
        """Read the JSON form."""
        return cls({name: _task(task) for name, task in record["tasks"].items()}, record.get("monitors"))


@dataclass(frozen=True)
class Rollout:
    """One completion of a run.

    Attributes:
        step: The training step after which it was learned from.
        seen: The completion and its reward.
        correct: Whether it is right; `None` without a verdict.
        canary: Whether it answers a canary prompt, which is asked and never trained on.
    """

    step: int
    seen: Seen
    correct: bool | None = None
    canary: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        sample, reward = self.seen.sample, self.seen.reward
        return {
            "step": self.step,
            "prompt": sample.prompt,
            "completion": sample.completion,
            "reference": sample.reference,
            "task": sample.task,
            "group": reward.group,
            "reward": reward.to_dict(),
            "correct": self.correct,
            "canary": self.canary,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Rollout:
        """Read the JSON form."""
        texts = {key: record[key] for key in ("completion", "prompt", "task")}
        if wrong := [key for key, text in texts.items() if not isinstance(text, str)]:
            raise TypeError(f"{wrong[0]!r} must be text, got {type(texts[wrong[0]]).__name__}")
        sample = Sample(**texts, reference=record.get("reference"), group=record.get("group"))
        reward = replace(Reward.from_dict(record["reward"]), group=record.get("group"))
        return cls(int(record["step"]), Seen(sample, reward), record.get("correct"), bool(record.get("canary")))


class RolloutWriter:
    """Writes a run's completions, step by step.

    Args:
        folder: The run's folder.
        keep: The most completions to keep of a step: whole prompts, in order, as many as fit; 0 keeps none. Canaries
            are kept besides.
    """

    def __init__(self, folder: Path, keep: int = KEEP) -> None:
        self._folder = folder / FOLDER
        self._keep = keep

    def begin(self, about: About, step: int = 0) -> None:
        """Start, or go on from a checkpoint: what was written of later steps is removed, for it is done again.

        A run that keeps nothing leaves nothing of an earlier one either, which could pass for its own.

        Args:
            about: What is true of all completions.
            step: The checkpoint's step; 0 at the start.
        """
        for file in _files(self._folder):
            if _number(file) > step:
                file.unlink()
        if not self._keep:
            if not _files(self._folder):
                (self._folder / ABOUT).unlink(missing_ok=True)
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        _write(self._folder / ABOUT, json.dumps(about.to_dict(), indent=1, default=str) + "\n")

    def write(self, step: Step, correct: Callable[[Reward], bool | None]) -> None:
        """Write what is kept of a step.

        Args:
            step: The completions.
            correct: Says whether a reward means "right".
        """
        if not self._keep:
            return
        kept = [Rollout(step.number, seen, correct(seen.reward)) for seen in _whole_prompts(step.seen, self._keep)]
        kept += [Rollout(step.number, seen, correct(seen.reward), canary=True) for seen in step.canaries]
        lines = "".join(json.dumps(rollout.to_dict(), default=str) + "\n" for rollout in kept)
        _write(self._folder / f"step-{step.number:06d}.jsonl", lines)


def read_about(folder: Path) -> About:
    """Read what is true of all completions of a `rollouts` folder.

    Raises:
        DataError: When the file is missing or damaged.
    """
    file = folder / ABOUT
    try:
        return About.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}; it tells what the sources are") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file}: damaged ({type(error).__name__}: {error}); it tells what the sources are") from error


def read_rollouts(folder: Path) -> Iterator[tuple[int, list[Rollout]]]:
    """Read the completions of a `rollouts` folder, one step at a time.

    Raises:
        DataError: When a line is damaged; the message names file and line.
    """
    for file in _files(folder):
        yield _number(file), [_rollout(row) for row in read_rows(file)]


def _rollout(row: Row) -> Rollout:
    try:
        return Rollout.from_dict(row.data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise row.fault(f"not a completion with its reward: {why}. Remove the file to do without this step") from error


def _task(record: Mapping[str, Any]) -> Task:
    sources = {
        name: WeighedSource(**{**source, "kind": Kind(source["kind"])}) for name, source in record["sources"].items()
    }
    return Task(**{**record, "sources": sources})


def _whole_prompts(seen: Sequence[Seen], most: int) -> list[Seen]:
    """Return the first prompts with all of their completions, as many as fit; a first one that is too large is cut."""
    groups: dict[Any, list[Seen]] = {}
    for place, each in enumerate(seen):
        groups.setdefault(group_of(each.sample) or place, []).append(each)
    kept: list[Seen] = []
    for group in groups.values():
        if len(kept) + len(group) > most:
            break
        kept += group
    return kept or list(seen[:most])


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.jsonl"), key=_number)


def _number(file: Path) -> int:
    digits = file.stem.partition("-")[2]
    if not digits.isdecimal():
        raise DataError(f"{file}: not a step's file; those are called step-000010.jsonl. Move it elsewhere")
    return int(digits)


def _write(file: Path, text: str) -> None:
    part = file.with_name(file.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)
