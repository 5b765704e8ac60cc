"""The data that crosses the rooms of `evals`: requests go to a model, completions come back, records are graded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mars.errors import ConfigError
from mars.thinking import Split, split_thinking
from mars.types import Reward


@dataclass(frozen=True)
class Sampling:
    """How a model is asked to write.

    Attributes:
        temperature: 0 is greedy: the most likely token each time.
        max_tokens: A completion is cut off after this many tokens.
        seed: Chooses the samples.
    """

    temperature: float
    max_tokens: int
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ConfigError(f"the temperature must be 0 or more, got {self.temperature}")
        if self.max_tokens < 1:
            raise ConfigError(f"max_tokens must be 1 or more, got {self.max_tokens}")


@dataclass(frozen=True)
class Request:
    """One completion that is wanted.

    Attributes:
        prompt: The user's text, or chat messages.
        key: Names the problem and the sample. No two requests share one, so no two samples share their randomness.
    """

    prompt: str | list[dict[str, Any]]
    key: str


@dataclass(frozen=True)
class Completion:
    """What a model wrote.

    Attributes:
        text: All of it, thinking included, also the part that a chat template wrote for it.
        tokens: How many tokens the model wrote.
        cut_off: Whether it was stopped by `max_tokens` and not by itself.
        seconds: Its share of the time of the batch it was written in.
    """

    text: str
    tokens: int
    cut_off: bool
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class ModelCard:
    """Which model wrote.

    Attributes:
        name: What the user called it: a folder or a hub id.
        fingerprint: Twelve hex digits of its weights.
        facts: Anything else worth keeping with a result: parameters, dtype, device, versions ...
    """

    name: str
    fingerprint: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Model(Protocol):
    """Anything that completes prompts, wherever it runs."""

    @property
    def card(self) -> ModelCard:
        """Which model this is."""
        ...

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, batch_size: int
    ) -> Iterator[tuple[int, Completion]]:
        """Complete every request; yields the request's index with its completion, in whatever order they are ready.

        The same requests, sampling and batch size give the same completions on the same machine.
        """
        ...


@dataclass(frozen=True)
class Record:
    """One sample of one problem, graded.

    Attributes:
        row: The problem's columns with `completion`, `group` and `sample`: what was scored.
        task: The problem's task.
        group: Names the problem.
        completion: What the model wrote.
        reward: The verdict.
        correct: Whether it is right, or `None` when there is no verdict.
    """

    row: Mapping[str, Any]
    task: str
    group: str
    completion: Completion
    reward: Reward
    correct: bool | None

    @property
    def split(self) -> Split:
        """The completion's thinking and answer."""
        return split_thinking(self.completion.text)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: the scored row, how it was written, and, as `mars score` has it, the reward."""
        generation = {
            "tokens": self.completion.tokens,
            "cut_off": self.completion.cut_off,
            "seconds": round(self.completion.seconds, 6),
        }
        return {**self.row, "correct": self.correct, "generation": generation, "mars": self.reward.to_dict()}
