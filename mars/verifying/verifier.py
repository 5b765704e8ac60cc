"""A verifier: any registered reward source, asked whether answers are right."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

from mars import registry
from mars.errors import ConfigError
from mars.execution.engine import Engine
from mars.registry import BoundSource
from mars.types import Sample, Score, Status

DEFAULT = "math"
_AHEAD = 2
_EXPLAINED = ("extracted", "stage", "rule", "reference_form", "answer_form", "policy", "version")
T = TypeVar("T")


class Verifier:
    """Asks one reward source for verdicts, in killable workers where the source runs there.

        with Verifier("math", {"profile": "gsm8k"}) as verifier:
            [score] = verifier.scores([Sample("The answer is 42.", reference="42")])

    Args:
        source: The name of a registered source.
        settings: Its settings.
        workers: Worker processes; by default one a core.
        engine: Runs the source; give one to share its workers between verifiers, and close it afterwards.

    Raises:
        RegistryError: When there is no such source.
        ConfigError: When a setting is wrong.
    """

    def __init__(
        self,
        source: str = DEFAULT,
        settings: Mapping[str, Any] | None = None,
        workers: int | None = None,
        engine: Engine | None = None,
    ) -> None:
        self.bound = registry.get(source).configure(settings)
        self.workers = workers or len(os.sched_getaffinity(0))
        self._shared = engine is not None
        self._engine = engine or Engine(self.workers)

    def wake(self) -> None:
        """Start the workers and let them import what they need, so that no sample's time has it in it."""
        source = self.bound.source
        if source.isolated and source.example is not None:
            # As many different samples as there are workers: a worker that is still starting can take only one.
            said = source.example.completion
            self.scores([replace(source.example, completion=said + " " * n) for n in range(self.workers)])

    def scores(self, samples: Sequence[Sample]) -> list[Score]:
        """Return what the source says of each sample, in order."""
        return self._engine.submit(self.bound, samples).result()

    def stream(self, batches: Iterable[tuple[T, Sequence[Sample]]]) -> Iterator[tuple[T, list[Score]]]:
        """Score batches in order, with the next one already at the workers while one is waited for.

        Args:
            batches: Samples, each batch with whatever belongs to it.

        Yields:
            What belongs to a batch, with the scores of its samples.
        """
        waiting: deque[tuple[T, Any]] = deque()
        for mine, samples in batches:
            waiting.append((mine, self._engine.submit(self.bound, samples)))
            if len(waiting) == _AHEAD:
                first, pending = waiting.popleft()
                yield first, pending.result()
        for mine, pending in waiting:
            yield mine, pending.result()

    def close(self) -> None:
        """End the workers, but those of an engine that was given."""
        if not self._shared:
            self._engine.close()

    def __enter__(self) -> Verifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def accepted(bound: BoundSource, score: Score) -> bool | None:
    """Return whether a score says that the answer is right: from the middle of the source's range upwards.

    Returns:
        `None` when there is no verdict.
    """
    if score.value is None:
        return None
    low, high = bound.source.range
    return score.value >= (low + high) / 2


def explained(bound: BoundSource, score: Score) -> dict[str, Any]:
    """Return a verdict with all that explains it, as JSON data; what the source does not tell is `None`.

    Args:
        bound: The source that gave the score.
        score: What it said.
    """
    return {
        "verdict": accepted(bound, score),
        "status": score.status.value,
        "reason": score.reason or _plain_reason(score),
        **{key: score.details.get(key) for key in _EXPLAINED},
        "seconds": round(score.seconds, 6),
    }


def verify(
    gold: object, answer: str, *, source: str = DEFAULT, profile: str | None = None, **settings: Any
) -> dict[str, Any]:
    """Verify one answer.

    Args:
        gold: The reference.
        answer: The response, or the answer alone.
        source: The verifier.
        profile: Its profile; the source's own default when not given.
        **settings: Its other settings.

    Returns:
        The verdict with all that explains it: one record of `mars verify`.
    """
    with Verifier(source, with_profile(source, profile, settings), workers=1) as verifier:
        [score] = verifier.scores([Sample(answer, reference=gold)])
        return explained(verifier.bound, score)


def with_profile(source: str, profile: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with a profile among them, if one is named.

    Raises:
        ConfigError: When the source knows no profiles.
    """
    if profile is None:
        return dict(settings)
    if "profile" not in registry.get(source).settings.model_fields:
        raise ConfigError(f"--profile {profile}: the source {source!r} has no profiles")
    return {**settings, "profile": profile}


def _plain_reason(score: Score) -> str:
    return f"the source says {score.value:g}" if score.status is Status.OK and score.value is not None else score.status
