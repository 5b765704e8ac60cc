"""Completions that earn more than early ones of the same prompt or task did, right beside right, wrong beside wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from mars.audit.rollouts import Rollout


@dataclass(frozen=True)
class Gained:
    """A late completion that earns more than early ones of the same verdict did.

    Attributes:
        late: The completion.
        early: An early one with the usual reward among those that it is compared with.
        baseline: The mean reward of the early completions with the same verdict: of its prompt or, where there are
            none, of its task.
        of: What they are of, in a word: `prompt` or `task`.
    """

    late: Rollout
    early: Rollout
    baseline: float
    of: str

    @property
    def gain(self) -> float:
        """How much more it earns."""
        return (self.late.seen.reward.total or 0.0) - self.baseline

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        texts = {"late": self.late.to_dict(), "early": self.early.to_dict()}
        return {"gain": self.gain, "baseline": self.baseline, "of": self.of} | texts


class Best:
    """Keeps the late completions that gained most over early ones, one a prompt and verdict.

    Right ones are compared with right ones and wrong ones with wrong ones: to have become right is no trick.
    """

    _EACH = 4

    def __init__(self, early: Sequence[Rollout]) -> None:
        self._early: dict[tuple[Any, ...], list[Rollout]] = {}
        for each in early:
            if each.seen.reward.total is not None:
                for key in self._keys(each).values():
                    self._early.setdefault(key, []).append(each)
        self._means = {key: fmean(map(_total, chosen)) for key, chosen in self._early.items()}
        self._kept: dict[bool, dict[tuple[str, str], tuple[float, Rollout]]] = {True: {}, False: {}}

    def add(self, rollouts: Sequence[Rollout]) -> None:
        """Take in late completions."""
        for each in rollouts:
            found = self._key(each)
            if each.seen.reward.total is None or found is None:
                continue
            gain, prompt, kept = _total(each) - self._means[found[1]], prompt_of(each), self._kept[each.correct is True]
            if gain > 0 and (prompt not in kept or kept[prompt][0] < gain):
                kept[prompt] = (gain, each)
                if len(kept) > self._EACH:
                    del kept[min(kept, key=lambda prompt: kept[prompt][0])]

    def found(self) -> list[Gained]:
        """Return those that are not right first: a wrong answer that earns more is what a hack looks like."""
        return [
            self._gained(late)
            for right in (False, True)
            for _, late in sorted(self._kept[right].values(), key=lambda item: -item[0])
        ]

    def _gained(self, late: Rollout) -> Gained:
        found = self._key(late)
        assert found is not None  # only those that can be compared are kept
        of, key = found
        mean = self._means[key]
        return Gained(late, min(self._early[key], key=lambda each: abs(_total(each) - mean)), mean, of)

    def _key(self, late: Rollout) -> tuple[str, tuple[Any, ...]] | None:
        return next(((of, key) for of, key in self._keys(late).items() if key in self._means), None)

    @staticmethod
    def _keys(each: Rollout) -> dict[str, tuple[Any, ...]]:
        """Return what a completion is compared by, the nearest first."""
        return {"prompt": (*prompt_of(each), each.correct), "task": (each.seen.sample.task, each.correct)}


def _total(rollout: Rollout) -> float:
    return rollout.seen.reward.total or 0.0


def prompt_of(rollout: Rollout) -> tuple[str, str]:
    """Return what names the prompt of a completion."""
    return rollout.seen.sample.task, rollout.seen.sample.prompt
