"""What a strategy knows of the task that it weighs: its sources, what they are worth at the start, what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mars.declaring import Kind


@dataclass(frozen=True)
class WeighedSource:
    """One source of a task.

    Attributes:
        weight: What the recipe says it counts for; 0: it is only logged.
        kind: Verifier, judge, metric or penalty.
        low: The lowest value it gives.
        high: The highest.
        of_correctness: Whether, as a judge, its opinion is of what a verifier would decide.
    """

    weight: float
    kind: Kind
    low: float = 0.0
    high: float = 1.0
    of_correctness: bool = True


@dataclass(frozen=True)
class Task:
    """A task whose sources are weighed.

    Attributes:
        name: Its name or pattern in the recipe.
        sources: Its sources by name, in the recipe's order.
        verdict: The source that says right or wrong, if there is one.
        gate: The source that must be right before the others count, if there is one; it is also the verdict.
        threshold: From which value on the gate is open.
        gate_stays: Whether the gate's weight is not to move: so it is for a strategy inside `gated`.
    """

    name: str
    sources: Mapping[str, WeighedSource]
    verdict: str | None = None
    gate: str | None = None
    threshold: float = 0.5
    gate_stays: bool = False

    @property
    def base(self) -> dict[str, float]:
        """The recipe's weights, by source."""
        return {name: source.weight for name, source in self.sources.items()}

    @property
    def shaping(self) -> tuple[str, ...]:
        """The sources that count, but for the gate: behind a gate these are what a strategy adapts."""
        return tuple(name for name, source in self.sources.items() if source.weight and name != self.gate)

    @property
    def trusted(self) -> str | None:
        """The verifier that a judge is held against: the verdict, or else the first verifier; also one of weight 0."""
        verifiers = [name for name, source in self.sources.items() if source.kind is Kind.VERIFIER]
        return self.verdict if self.verdict in verifiers else next(iter(verifiers), None)

    @property
    def judged(self) -> tuple[str, ...]:
        """The judges of correctness that count."""
        return tuple(
            name for name in self.counted if self.sources[name].kind is Kind.JUDGE and self.sources[name].of_correctness
        )

    @property
    def counted(self) -> tuple[str, ...]:
        """The sources that count."""
        return tuple(name for name, source in self.sources.items() if source.weight)

    @property
    def movable(self) -> tuple[str, ...]:
        """The sources whose weight may move, where there are two or more of them."""
        return self.shaping if self.gate_stays else self.counted

    def is_right(self, name: str, value: float) -> bool:
        """Return whether a value means "right": at the gate's threshold, or above the middle of the source's range."""
        source = self.sources[name]
        return value >= (self.threshold if name == self.gate else (source.low + source.high) / 2)


def verdict_of(sources: Mapping[str, WeighedSource]) -> str | None:
    """Return the first verifier, or else the first judge; before those that are only logged, one that counts."""
    judging = [name for name, source in sources.items() if source.kind in (Kind.VERIFIER, Kind.JUDGE)]
    judging.sort(key=lambda name: (sources[name].kind is Kind.JUDGE, not sources[name].weight))
    return next(iter(judging), None)
