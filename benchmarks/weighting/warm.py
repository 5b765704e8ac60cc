"""The policy that every run of a seed starts from: the embedded model, taught every style that a world pays for."""

from __future__ import annotations

from pathlib import Path

from benchmarks.weighting.styles import restyled
from trainers.tiny.warm_start import WarmStart, examples, warm_start

LESSONS = WarmStart(steps=480)
"""Half as many again as without styles, of which there is more to learn."""


def warm_policy(folder: Path, seed: int) -> Path:
    """Return the folder with the warm-started model of a seed; made when it is not there.

    Args:
        folder: Where the models of all seeds are kept.
        seed: Chooses the weights, the problems, the answers and their styles.
    """
    return warm_start(folder / f"warm-{seed}", seed, settings=LESSONS, shown=restyled(examples(LESSONS, seed), seed))
