"""Correctness first, shaping inside it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mars.config import Number
from mars.errors import ConfigError
from mars.weighting import strategies
from mars.weighting.batch import Batch
from mars.weighting.bounds import Bounds
from mars.weighting.protocol import Strategy
from mars.weighting.strategies import RegisteredStrategy, strategy
from mars.weighting.task import Task

logger = logging.getLogger(__name__)

SHAPING = "signal"


class GatedSettings(BaseModel):
    """Settings of `gated`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gate: str | None = Field(default=None, description="the source that must be right; by default the only verifier")
    threshold: Number | None = Field(
        default=None, description="from which value on it is right; by default the middle of its range"
    )
    shaping: str = Field(default=SHAPING, description="the strategy that weighs what counts inside the gate")
    settings: dict[str, Any] = Field(default_factory=dict, description="that strategy's own settings")


@strategy("gated", settings=GatedSettings)
class Gated:
    """Correctness first: the others count only where the gate is open, and are weighed among themselves.

    The gate's weight stays as it is, so that no shaping however weighed makes a wrong answer worth a right one, as long
    as shaping takes away less than the gate gives; where the bounds let it take more, that is warned of at the start.
    What shapes does not reach wrong answers at all: a penalty for length is not felt by a wrong answer that is too
    long. The bounds are those of the strategy inside.

    A strategy inside moves weights among the shaping sources alone, so it needs two of them. To weigh shaping against
    correctness put it beside the gate: `gate: correct` and, in place of this strategy, `constraint` or `reliability`.
    """

    def __init__(self, task: Task, settings: GatedSettings) -> None:
        chosen = inside(settings)
        with _inner_places():
            self._shaping: Strategy = chosen.make(replace(task, gate_stays=True), chosen.settings_of(settings.settings))
        self._gate = task.gate

    def merits(self, batch: Batch) -> dict[str, float]:
        """Return what the strategy of the shaping says, but for the gate."""
        return {name: merit for name, merit in self._shaping.merits(batch).items() if name != self._gate}

    def logs(self) -> Mapping[str, float]:
        """Return what the strategy of the shaping has to log."""
        return self._shaping.logs()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the strategy of the shaping."""
        return self._shaping.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._shaping.load_state_dict(state)


def inside(settings: GatedSettings) -> RegisteredStrategy:
    """Return the strategy that weighs what counts inside the gate.

    Raises:
        ConfigError: When it is unknown or cannot stand there, with the path below the recipe's `weighting`.
    """
    with _inner_places():
        chosen = strategies.get(settings.shaping)
    if chosen.name == "gated":
        reason = "a gate stands in no other gate; name the strategy that weighs what counts inside: shaping: signal"
        raise ConfigError(reason, ("settings", "shaping"))
    if chosen.aggregation != "sum_then_normalize":
        reason = (
            f"{chosen.name!r} normalises each source by itself, which undoes a gate; choose another shaping, such as "
            f"{SHAPING!r}, or no gate: weighting: {chosen.name}"
        )
        raise ConfigError(reason, ("settings", "shaping"))
    return chosen


def warn_of_order(task: Task, bounds: Bounds | None) -> None:
    """Warn where shaping can take as much from a right answer as the gate gives, so that a wrong one ranks as high.

    The gate is taken to give all or nothing; of one that gives shares, less lies between right and wrong.

    Args:
        task: The task, with its gate.
        bounds: How far the weights of the shaping may go; `None`: they stay.
    """
    assert task.gate is not None
    gate = task.sources[task.gate]
    given, taken = gate.weight * (gate.high - gate.low), most_taken(task, bounds)
    if taken < given:
        return
    takers = ", ".join(repr(name) for name in task.shaping if _cost(task, name) > 0) or "none of them"
    logger.warning(
        "task %r: being right by %r is worth %.3g, and shaping (%s) can take %.3g from a right answer%s, but nothing "
        "from a wrong one, which may then rank as high. Give %r a weight above %.3g, or the others less.",
        task.name, task.gate, given, takers, taken, "" if bounds is None else " as the weights move",
        task.gate, taken / (gate.high - gate.low),
    )  # fmt: skip


def most_taken(task: Task, bounds: Bounds | None) -> float:
    """Return the most that shaping takes from an answer, wherever its weights go; below 0: the least that it gives."""
    base = {name: abs(task.sources[name].weight) for name in task.shaping}
    floor, ceiling = (1.0, 1.0) if bounds is None else (bounds.floor, bounds.ceiling)
    taken = sum(floor * weight * _cost(task, name) for name, weight in base.items())
    left = (1 - floor) * sum(base.values())
    # The sum is constant, so at worst all that is free to move is with those that take most.
    for name in sorted(base, key=lambda name: _cost(task, name), reverse=True):
        moved = min(left, (ceiling - floor) * base[name])
        taken, left = taken + moved * _cost(task, name), left - moved
    return taken


def _cost(task: Task, name: str) -> float:
    """Return what a source takes at worst by a weight of 1."""
    source = task.sources[name]
    return -source.low if source.weight > 0 else source.high


@contextmanager
def _inner_places() -> Iterator[None]:
    """Point mistakes of the strategy inside to where a recipe writes it: below the settings of `gated`."""
    try:
        yield
    except ConfigError as error:
        place = ("shaping",) if error.path == ("strategy",) else error.path
        raise ConfigError(str(error), ("settings", *place)) from error
