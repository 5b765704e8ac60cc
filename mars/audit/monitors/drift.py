"""A measure over a run: its running mean beside what it was at first, and whether the difference can be chance.

What is counted are prompts, each with the mean of its completions: completions of one prompt are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mars.audit.monitors.options import DriftOptions

LEAST = 16
"""Prompts without which nothing is said: with fewer, chance alone looks like drift."""
SURE = 3.0
"""Standard errors from which on a difference is no chance."""
MOST = 200
"""Different names that are followed: a column that names every row a task of its own must not fill the memory."""


class Running:
    """A mean that forgets, with its effective count and its standard error.

    With decay d, a step of n values makes the weight $W = dW + n$ and its square's sum $Q = d^2 Q + n$; $W^2 / Q$ is
    the effective number of values (Kish 1965).

    Args:
        window: Steps that it looks back over, so $d = 1 - 1/window$; `None`: it forgets nothing.
    """

    def __init__(self, window: int | None) -> None:
        self._decay = 1.0 if window is None else 1.0 - 1.0 / window
        self._weight = self._square = self._sum = self._squares = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Take in the values of one step."""
        kept = self._decay
        self._weight = kept * self._weight + len(values)
        self._square = kept**2 * self._square + len(values)
        self._sum = kept * self._sum + math.fsum(values)
        self._squares = kept * self._squares + math.fsum(value**2 for value in values)

    @property
    def count(self) -> float:
        """The effective number of values."""
        return self._weight**2 / self._square if self._square > 0 else 0.0

    @property
    def enough(self) -> bool:
        """Whether there are enough values to say something."""
        # Rounding may leave 16 values a hair below 16.
        return self.count >= LEAST - 1e-6

    @property
    def mean(self) -> float:
        """The mean; 0 before the first value."""
        return self._sum / self._weight if self._weight > 0 else 0.0

    @property
    def deviation(self) -> float:
        """The standard deviation of the values; 0 where all are the same."""
        if self._weight <= 0:
            return 0.0
        variance = self._squares / self._weight - self.mean**2
        # What is left of equal values is rounding.
        return math.sqrt(variance) if variance > 1e-12 * self.mean**2 else 0.0

    @property
    def error(self) -> float:
        """The standard error of the mean; 0 where all values are the same."""
        return self.deviation / math.sqrt(self.count - 1) if self.count > 1 else 0.0

    def is_above(self, limit: float) -> bool:
        """Return whether the mean is at or above a limit, and no chance."""
        return self.enough and self.mean - SURE * self.error >= limit

    def is_below(self, limit: float) -> bool:
        """Return whether the mean is below a limit, and no chance."""
        return self.enough and self.mean + SURE * self.error < limit

    def state_dict(self) -> list[float]:
        """Return the sums, as JSON data."""
        return [self._weight, self._square, self._sum, self._squares]

    def load_state_dict(self, state: Sequence[float]) -> None:
        """Go on from a state."""
        self._weight, self._square, self._sum, self._squares = map(float, state)


class Track:
    """One measure: what it was over the first steps, and what it is now.

    Args:
        options: Over how many steps.
    """

    def __init__(self, options: DriftOptions) -> None:
        self._baseline = options.baseline
        self._steps = 0
        self.first = Running(None)
        self.now = Running(options.window)

    def add(self, values: Sequence[float]) -> None:
        """Take in one step: a value a prompt. A step without any is as if it had not been."""
        if not values:
            return
        if self._steps < self._baseline or not self.first.enough:
            self.first.add(values)
        self._steps += 1
        self.now.add(values)

    @property
    def ready(self) -> bool:
        """Whether the baseline is complete and there is enough to compare with it."""
        return self._steps >= self._baseline and self.first.enough and self.now.enough

    @property
    def shift(self) -> float:
        """How far the measure has moved."""
        return self.now.mean - self.first.mean

    @property
    def sure(self) -> bool:
        """Whether it is ready, and the shift is too large to be chance (two-sample z test)."""
        error = math.hypot(self.first.error, self.now.error)
        rounding = 1e-9 * max(abs(self.first.mean), abs(self.now.mean))
        return self.ready and abs(self.shift) > rounding and abs(self.shift) >= SURE * error

    def state_dict(self) -> dict[str, Any]:
        """Return what is remembered, as JSON data."""
        return {"steps": self._steps, "first": self.first.state_dict(), "now": self.now.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._steps = int(state["steps"])
        self.first.load_state_dict(state["first"])
        self.now.load_state_dict(state["now"])


class Drifts:
    """Tracks by name, made as names come up; names beyond the first `MOST` are not followed.

    Args:
        options: Over how many steps.
    """

    def __init__(self, options: DriftOptions) -> None:
        self._options = options
        self._tracks: dict[str, Track] = {}

    def __getitem__(self, name: str) -> Track:
        """Return the track of a name."""
        if name not in self._tracks and len(self._tracks) >= MOST:
            return Track(self._options)
        return self._tracks.setdefault(name, Track(self._options))

    def state_dict(self) -> dict[str, Any]:
        """Return what is remembered, as JSON data."""
        return {name: track.state_dict() for name, track in self._tracks.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._tracks = {}
        for name, one in state.items():
            self._tracks[name] = Track(self._options)
            self._tracks[name].load_state_dict(one)


class Runnings:
    """Running means by name; see `Drifts`.

    Args:
        window: Steps that they look back over.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._means: dict[str, Running] = {}

    def __getitem__(self, name: str) -> Running:
        """Return the running mean of a name."""
        if name not in self._means and len(self._means) >= MOST:
            return Running(self._window)
        return self._means.setdefault(name, Running(self._window))

    def state_dict(self) -> dict[str, Any]:
        """Return what is remembered, as JSON data."""
        return {name: mean.state_dict() for name, mean in self._means.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._means = {}
        for name, one in state.items():
            self._means[name] = Running(self._window)
            self._means[name].load_state_dict(one)
