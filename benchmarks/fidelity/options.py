"""How to replay, the same for every section."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How to replay.

    Attributes:
        backend: The sandbox's backend, for sections that run code.
        workers: How much is judged at once.
        limit: Only the first records of each file; None takes all.
        guard_s: Seconds that a verifier is timed at most when throughput is measured.
    """

    backend: str = "local"
    workers: int = 2
    limit: int | None = None
    guard_s: float = 120.0
