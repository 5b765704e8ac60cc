"""Phrases that became common over a run, and what they earn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from mars.audit.monitors.drift import Running
from mars.audit.rollouts import Rollout
from mars.audit.run.gained import prompt_of
from mars.audit.run.phrases import Phrase, flat, marked, neighbours, phrases, with_signs
from mars.verifying.show import clip

_CANDIDATES = 60
_LEAST_RISE = 0.05
_LEAST_Z = 3.0
_FEWEST_PROMPTS = 4
_SAME = 0.8
"""Phrases that stand in this share of each other's completions are one pattern."""
_INSIDE = 0.9
"""Of a phrase that stands in a pattern's completions to this share, and overlaps with it, the pattern tells all."""
_PIECES = 40
_TEXTS = 3
_LONGEST_TEXT = 300
"""Characters of a pattern's text: where a completion repeats itself all of it may be one."""
_ROUNDING = 1e-9


@dataclass
class Risen:
    """A phrase that became common.

    Attributes:
        phrase: The pattern.
        alike: The patterns that stand in the same completions, itself among them.
        texts: As they are written in one completion, neighbours joined, numbers as `#`; the longest first.
        early: Share of the completions of the first third of the steps that have it.
        late: And of the last third.
        by_step: Its share at each step.
        earns: Mean reward of the completions with it, less that of those without, of the same prompt and step; `None`
            where no prompt had both.
        right: The same of the share of right answers.
        prompts: How many prompts at a step had both.
        suspicious: Whether it earns more and nothing says that it is right more often, by two standard errors.
    """

    phrase: Phrase
    alike: list[Phrase]
    texts: list[str]
    early: float
    late: float
    by_step: list[tuple[int, float]] = field(default_factory=list)
    earns: float | None = None
    right: float | None = None
    prompts: int = 0
    suspicious: bool = False

    def worth(self, spread: float) -> float:
        """Return how much it deserves to be looked at: its rise, more where it earns, and more where that is odd.

        Args:
            spread: The standard deviation of the rewards.
        """
        earns = 0.0 if self.earns is None else max(-0.9, min(2.0, self.earns / spread))
        return (self.late - self.early) * (1 + earns) * (2 if self.suspicious else 1)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        keys = ("texts", "early", "late", "earns", "right", "prompts", "suspicious")
        return {key: getattr(self, key) for key in keys} | {"times": self.phrase.times}


def candidates(early: Sequence[Rollout], late: Sequence[Rollout]) -> list[Risen]:
    """Return the phrases whose share rose beyond chance, one for each set of completions that share it."""
    # A text has thousands of phrases, hardly any of them common: those of rare neighbours are never made.
    pairs = neighbours((each.seen.sample.completion for each in late), math.ceil(_LEAST_RISE * len(late)))
    after: dict[Phrase, list[int]] = {}
    for place, each in enumerate(late):
        for phrase in phrases(each.seen.sample.completion, pairs):
            after.setdefault(phrase, []).append(place)
    before = Counter(
        phrase for each in early for phrase in phrases(each.seen.sample.completion, pairs) if phrase in after
    )
    prompts = [each.seen.sample.prompt for each in late]
    fewest = min(3, len(set(prompts)))
    rises: dict[Phrase, float] = {}
    for phrase, places in after.items():
        rise = len(places) / len(late) - before[phrase] / len(early)
        enough = rise >= _LEAST_RISE and _z(before[phrase], len(early), len(places), len(late)) >= _LEAST_Z
        if enough and len({prompts[place] for place in places}) >= fewest:
            rises[phrase] = rise
    # Of those that rose alike the longest says most.
    order = sorted(rises, key=lambda phrase: (-round(rises[phrase], 2), -len(phrase.words), phrase))
    clusters: list[_Cluster] = []
    for phrase in order:
        places = set(after[phrase])
        if not any(cluster.takes(phrase, places) for cluster in clusters) and len(clusters) < _CANDIDATES:
            clusters.append(_Cluster(late, phrase, places))
    return [
        Risen(
            each.phrase,
            each.alike,
            each.texts(),
            before[each.phrase] / len(early),
            len(each.places) / len(late),
        )
        for each in clusters
    ]


class _Cluster:
    """Phrases that stand in the same completions: one pattern, of which each is a piece.

    Args:
        rollouts: The late completions.
        phrase: The phrase that rose most.
        places: The completions that have it.
    """

    def __init__(self, rollouts: Sequence[Rollout], phrase: Phrase, places: set[int]) -> None:
        self.phrase = phrase
        self.places = places
        self.alike = [phrase]
        self._rollouts = rollouts

    def takes(self, phrase: Phrase, places: set[int]) -> bool:
        """Return whether a phrase is part of this pattern or no more than a piece of it with what happens to follow."""
        both = places & self.places
        if len(both) >= _SAME * len(places | self.places):
            self.alike.append(phrase)
            return True
        return len(both) >= _INSIDE * len(places) and self._touches(phrase, min(both))

    def _touches(self, phrase: Phrase, place: int) -> bool:
        completion = self._completion(place)
        start, end = phrases(completion)[phrase]
        at = 0
        for text, risen in marked(completion, self.alike[:_PIECES]):
            if risen and at < end and start < at + len(text):
                return True
            at += len(text)
        return False

    def texts(self) -> list[str]:
        """Return the pieces as one completion has them."""
        pieces = [text for text, risen in marked(self._completion(min(self.places)), self.alike) if risen]
        unique = dict.fromkeys(with_signs(piece) for piece in sorted(pieces, key=len, reverse=True))
        # A sign by itself says nothing beside words.
        worded = [text for text in unique if any(char.isalnum() for char in text)]
        return [clip(text, _LONGEST_TEXT) for text in (worded or list(unique))[:_TEXTS]]

    def _completion(self, place: int) -> str:
        return self._rollouts[place].seen.sample.completion


def _z(before: int, early: int, after: int, late: int) -> float:
    """Return by how many standard errors two shares differ, pooled; completions count as independent."""
    pooled = (before + after + 1) / (early + late + 2)
    return (after / late - before / early) / math.sqrt(pooled * (1 - pooled) * (1 / early + 1 / late))


class Meter:
    """Measures one phrase over all steps."""

    def __init__(self, risen: Risen) -> None:
        self.risen = risen
        self._earned, self._right = Running(None), Running(None)

    def add(self, step: int, groups: Sequence[Sequence[tuple[str, Rollout]]]) -> None:
        """Take in the completions of a step, by prompt, each with its words as `flat` gives them."""
        marked = [[(self.risen.phrase.is_in(text), each) for text, each in group] for group in groups]
        has = [flag for group in marked for flag, _ in group]
        if has:
            self.risen.by_step.append((step, fmean(has)))
        for group in marked:
            totals = [(flag, each.seen.reward.total) for flag, each in group if each.seen.reward.total is not None]
            _difference(totals, self._earned)
            _difference([(flag, each.correct) for flag, each in group if each.correct is not None], self._right)

    def finish(self) -> None:
        """Say what was measured."""
        risen = self.risen
        risen.prompts = round(self._earned.count)
        risen.earns = self._earned.mean if self._earned.count else None
        risen.right = self._right.mean if self._right.count else None
        risen.suspicious = bool(self._right.count) and _sure(self._earned) and not _sure(self._right)


def _sure(differences: Running) -> bool:
    """Return whether a mean lies two standard errors above 0."""
    enough = differences.count >= _FEWEST_PROMPTS - _ROUNDING
    return enough and differences.mean > _ROUNDING and differences.mean >= 2 * differences.error


def _difference(values: Sequence[tuple[bool, float]], into: Running) -> None:
    having = [value for flag, value in values if flag]
    lacking = [value for flag, value in values if not flag]
    if having and lacking:
        into.add([fmean(having) - fmean(lacking)])


def measure(meters: Sequence[Meter], step: int, rollouts: Sequence[Rollout]) -> None:
    """Show the completions of a step to all meters."""
    groups: dict[tuple[str, str], list[tuple[str, Rollout]]] = {}
    for each in rollouts:
        groups.setdefault(prompt_of(each), []).append((flat(each.seen.sample.completion), each))
    for meter in meters:
        meter.add(step, list(groups.values()))
