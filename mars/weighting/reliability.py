"""Weight for judges as far as they agree with a verifier; a hacked judge loses its voice."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mars.config import Number
from mars.errors import ConfigError
from mars.types import Reward
from mars.weighting.batch import Batch
from mars.weighting.bounds import Bounds
from mars.weighting.naming import checked_counted, checked_movable, checked_source
from mars.weighting.strategies import strategy
from mars.weighting.task import Task


class ReliabilitySettings(BaseModel):
    """Settings of `reliability`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    judges: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="the sources whose word is in doubt; by default every judge that counts"
    )
    trusted: str | None = Field(
        default=None,
        description="the source they are held against, of any weight, 0 too; by default the verdict or a verifier",
    )
    pairs: Literal["prompt", "batch"] = Field(
        default="prompt", description="compare completions of a prompt with each other, or all of a batch"
    )
    decay: Number = Field(
        default=0.9, ge=0, lt=1, description="share of the counts that is left after a step of many pairs"
    )
    prior: Number = Field(
        default=100.0,
        ge=0,
        description="pairs that a judge is taken to have got right at the start; so many are remembered at least",
    )
    least: Number = Field(
        default=0.6, ge=0.5, lt=1, description="agreement up to which a judge is silent; a coin's is 0.5"
    )
    power: Number = Field(
        default=1.0, gt=0, le=10, description="above 1, less agreement costs more; below 1, it costs less"
    )


@strategy(
    "reliability",
    settings=ReliabilitySettings,
    bounds=Bounds(floor=0, ceiling=1000, max_change=0.1, smoothing=0),
)
class Reliability:
    r"""A judge counts as far as it agrees with a trusted verifier where both spoke.

    The merit of judge k is $\max(0, (a_k - l) / (1 - l))^p$, with l `least`, p `power` and $a_k$ its agreement: of the
    pairs of completions of one prompt of which the verifier calls one right and one wrong, the share in which the
    judge puts the right one higher; a tie is half. That is the area under its ROC curve within prompts, and with
    l = 0.5, p = 1 the merit is Somers' D (1962): 1 for a perfect judge, 0 for a coin. All else has merit 1.

    Pairs are of one prompt since that is what a group-relative trainer feels: a judge that only knows easy prompts
    from hard ones is of no use to it, yet looks good when prompts are mixed. `pairs: batch` compares across prompts
    nevertheless, for where prompts with both right and wrong completions are rare, or there is one completion a prompt.

    The counts run on with `decay`, a step without pairs leaves them, and they start at `prior` pairs got right: a judge
    begins with the recipe's weight, and a handful of comparisons does not swing it. Once the prior has faded the counts
    hold 1 / (1 - decay) steps, or `prior` pairs where that is more: a step of few pairs makes less be forgotten.
    "Spoke" means the source itself: no substitute of the recipe's, and no fallback, which might be the judge in the
    verifier's place. A judge behind a closed gate has spoken.

    A trainer that scales each prompt by its own deviation (`scale_rewards: group`) gives a prompt of which only the
    judge speaks the same advantages at a weight of 0.01 as at 1. MARS's multiplies them by the share of the weight that
    spoke (`trainers.voice`); elsewhere only no weight at all silences it, so up to `least` it gets none, and the floor
    is 0.

    Where it loses: it sees only what the verifier sees, so a judge that is right on what can be verified and hacked on
    the rest keeps its voice; and where the two measure different things (style, correctness) it silences the judge for
    that. A weight can only go to another source: with one that counts alone there is but the log, inside `gated` a lone
    judge is refused (name `gate` and this strategy side by side instead), and where a format reward is all that is left
    beside a silent judge, the format is what is trained.
    """

    def __init__(self, task: Task, settings: ReliabilitySettings) -> None:
        self._task = task
        self._settings = settings
        self._trusted = _trusted(task, settings)
        self._judges = _judges(task, settings, self._trusted)
        self._pairs = dict.fromkeys(self._judges, settings.prior)
        self._agreed = dict.fromkeys(self._judges, settings.prior)

    def merits(self, batch: Batch) -> dict[str, float]:
        """Return what each judge's agreement is worth, and 1 for all else."""
        for name in self._judges:
            self._observe(name, batch)
        return {name: self._merit(name) if name in self._judges else 1.0 for name in self._task.counted}

    def _observe(self, name: str, batch: Batch) -> None:
        groups = batch.groups if self._settings.pairs == "prompt" else [batch.rewards]
        counts = [count_pairs(*self._opinions(name, group)) for group in groups]
        pairs = sum(count for _, count in counts)
        if not pairs:
            return
        # A step of few pairs makes little be forgotten, or a handful of them would be all that is remembered.
        few = 1 - pairs / self._settings.prior if self._settings.prior else 0.0
        decay = max(self._settings.decay, few)
        self._pairs[name] = decay * self._pairs[name] + pairs
        self._agreed[name] = decay * self._agreed[name] + sum(agreed for agreed, _ in counts)

    def _opinions(self, name: str, rewards: Sequence[Reward]) -> tuple[list[float], list[float]]:
        """Return the judge's values of what the verifier calls right, and of what it calls wrong; higher is better."""
        right: list[float] = []
        wrong: list[float] = []
        sign = 1.0 if self._task.sources[name].weight > 0 else -1.0
        for reward in rewards:
            truth, opinion = reward[self._trusted].score.value, reward[name].score.value
            if truth is not None and opinion is not None:
                (right if self._task.is_right(self._trusted, truth) else wrong).append(sign * opinion)
        return right, wrong

    def _agreement(self, name: str) -> float | None:
        return self._agreed[name] / self._pairs[name] if self._pairs[name] else None

    def _merit(self, name: str) -> float:
        agreement, least = self._agreement(name), self._settings.least
        if agreement is None:
            return 1.0
        return max(0.0, (agreement - least) / (1 - least)) ** self._settings.power

    def logs(self) -> dict[str, float]:
        """Return each judge's agreement (0 to 1) and over how many pairs, the prior's among them, it was taken."""
        found = {f"pairs/{name}": pairs for name, pairs in self._pairs.items()}
        for name in self._judges:
            agreement = self._agreement(name)
            if agreement is not None:
                found[f"agreement/{name}"] = agreement
        return found

    def state_dict(self) -> dict[str, Any]:
        """Return the running counts."""
        return {"pairs": dict(self._pairs), "agreed": dict(self._agreed)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._pairs = {name: float(state["pairs"][name]) for name in self._judges}
        self._agreed = {name: float(state["agreed"][name]) for name in self._judges}


def count_pairs(right: Sequence[float], wrong: Sequence[float]) -> tuple[float, int]:
    """Return in how many pairs of a right and a wrong one the right one is higher, ties half; and how many there are.

    It is the Mann-Whitney U statistic, found by sorting.
    """
    ranked = sorted(wrong)
    twice = sum(bisect_left(ranked, value) + bisect_right(ranked, value) for value in right)
    return twice / 2, len(right) * len(wrong)


def _trusted(task: Task, settings: ReliabilitySettings) -> str:
    if settings.trusted is not None:
        return checked_source(task, settings.trusted, "trusted")
    if task.trusted is None:
        reason = (
            f"the task {task.name!r} has no verifier to hold its judges against; add one, with weight 0 if it is not "
            "to count, or name the source that you trust: trusted: SOURCE"
        )
        raise ConfigError(reason, ("settings", "trusted"))
    return task.trusted


def _judges(task: Task, settings: ReliabilitySettings, trusted: str) -> tuple[str, ...]:
    """Return the sources in doubt. A lone one is taken too, for its agreement is worth logging."""
    if settings.judges is None:
        judges = tuple(name for name in task.judged if name != trusted)
        if not judges:
            reason = f"no judge counts in the task {task.name!r}; name the sources that are in doubt: judges: [SOURCE]"
            raise ConfigError(reason, ("settings", "judges"))
    else:
        judges = settings.judges
    for name in judges:
        if name == trusted:
            raise ConfigError(f"{name!r} cannot be held against itself", ("settings", "judges"))
        checked_counted(task, name, "judges")
        if task.gate_stays:
            checked_movable(task, name, "judges")
    return judges
