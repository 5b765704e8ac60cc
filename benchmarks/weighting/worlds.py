"""The worlds: a reward section each, chosen so that its static sum shows what the world's name says.

All are the embedded task. Its accuracy is a matter of thinking before the answer. One source pays for the right answer,
the other for something else; they count the same in the recipe but where a world says otherwise. What a strategy has
to be told of a world (a target, a schedule) was written down before any run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mars.system import RewardSystem

BASELINE = "static"
ALONE = "alone"
"""No strategy: the verifier alone, the other source of weight 0. What there is to win or to lose."""

STRATEGIES = (
    BASELINE,
    "gdpo",
    "gated",
    "variance",
    "signal",
    "progress",
    "reliability",
    "constraint",
    "schedule",
    ALONE,
)
VOICED = "static-voice"
"""The static sum with `voice`, which adapted weights have and a static sum has not: what it is worth by itself."""
INSIDE: Mapping[str, str] = {"gate": "static", "gated-variance": "variance", "gated-progress": "progress"}
"""Names for `gated` with another strategy inside than its own: `gate` leaves the shaping's weights as they are."""

IMPORTS = ["benchmarks.weighting.sources"]


@dataclass(frozen=True)
class Limit:
    """What must hold of the trained policy.

    Attributes:
        measure: An attribute of `results.Graded`.
        low: Its lowest value.
        high: Its highest.
        text: The limit in words.
    """

    measure: str
    low: float
    high: float
    text: str

    def holds(self, value: float) -> bool:
        """Return whether a value is within."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class World:
    """One reward to learn from, the same for every strategy.

    Attributes:
        name: What the command line and the files call it.
        title: What it shows, in a few words.
        sources: The `sources` of the reward section: the verifier, and the other one.
        settings: What a strategy is told of this world, by strategy.
        measure: What the table shows beside accuracy: an attribute of `results.Graded`.
        referenced: The share of problems that the verifier can judge.
        limit: What must hold of the trained policy, if anything.
        strategies: The strategies that are compared in it.
    """

    name: str
    title: str
    sources: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Mapping[str, Any]]
    measure: str
    referenced: float = 1.0
    limit: Limit | None = None
    strategies: Sequence[str] = STRATEGIES

    @property
    def other(self) -> str:
        """The source beside the verifier."""
        return list(self.sources)[1]

    def reward(self, strategy: str) -> dict[str, Any]:
        """Return the reward section with a strategy; `auto` leaves the choice to MARS."""
        sources = {name: dict(source) for name, source in self.sources.items()}
        weighting: dict[str, Any] = {"strategy": strategy, "settings": dict(self.settings.get(strategy, {}))}
        if strategy == VOICED:
            weighting = {"strategy": BASELINE}
        if strategy in INSIDE:
            weighting = {"strategy": "gated", "settings": {"shaping": INSIDE[strategy]}}
        if strategy == ALONE:
            sources[self.other]["weight"] = 0.0
            weighting = {"strategy": BASELINE}
        return {"imports": IMPORTS, "sources": sources, "weighting": weighting}

    def has_reference(self, prompt: str) -> bool:
        """Return whether the verifier can judge a problem: a property of its text, the same in every run."""
        rank = int.from_bytes(hashlib.sha256(f"reference {prompt}".encode()).digest()[:8]) / 2**64
        return rank < self.referenced

    def default(self) -> str:
        """Return the strategy that `auto` is in this world."""
        with RewardSystem(self.reward("auto")) as system:
            [state] = system.weighting.state_dict().values()
        return state["name"]["strategy"]


_JUDGED: Mapping[str, Mapping[str, Any]] = {
    "gated": {"gate": "verified"},
    "constraint": {"targets": {"verified": {"at_least": 0.95}}},
    "schedule": {"points": {"judge": {0: 1, 25: 0.2}}},
}
WORLDS = {
    world.name: world
    for world in (
        World(
            "format",
            "a format reward that saturates",
            {"correct": {"source": "machine_answer"}, "format": {"source": "full_stop"}},
            settings={
                "reliability": {"judges": ["format"]},
                "constraint": {"targets": {"format": {"at_least": 0.95}}},
                "schedule": {"points": {"format": {0: 1, 25: 0.2}}},
            },
            measure="format",
            limit=Limit("format", 0.95, 1.0, "at least 95% of the answers end in a full stop"),
        ),
        World(
            "noisy",
            "a noisy judge",
            {"verified": {"source": "machine_answer", "required": False}, "judge": {"source": "noisy_judge"}},
            settings=_JUDGED,
            measure="easy",
            referenced=0.3,
            strategies=(*STRATEGIES, VOICED),
        ),
        World(
            "hackable",
            "a hackable judge",
            {"verified": {"source": "machine_answer", "required": False}, "judge": {"source": "vain_judge"}},
            settings=_JUDGED,
            measure="praise",
            referenced=0.3,
            strategies=(*STRATEGIES, VOICED),
        ),
        World(
            "length",
            "accuracy against length",
            {"correct": {"source": "machine_answer"}, "brevity": {"source": "short_thought", "weight": 2.0}},
            settings={
                "reliability": {"judges": ["brevity"]},
                "constraint": {"targets": {"brevity": {"at_least": 1 - 3.5 / 8}}},
                "schedule": {"points": {"brevity": {0: 0.2, 25: 1}}},
            },
            measure="thinking",
            limit=Limit("thinking", 0.0, 3.5, "a thought has at most 3.5 characters on average"),
        ),
        World(
            "shaping",
            "two kinds of shaping",
            {
                "correct": {"source": "machine_answer"},
                "format": {"source": "full_stop", "weight": 0.5},
                "brevity": {"source": "short_thought", "weight": 0.5},
            },
            settings={"constraint": {"targets": {"format": {"at_least": 0.95}}}},
            measure="thinking",
            limit=Limit("format", 0.95, 1.0, "at least 95% of the answers end in a full stop"),
            strategies=(BASELINE, "gdpo", "gated", *INSIDE, "signal", "constraint"),
        ),
    )
}
