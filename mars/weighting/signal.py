"""Weight for the sources that still tell completions apart; saturated ones fade."""

from __future__ import annotations

from mars.weighting.batch import Batch
from mars.weighting.protocol import Stateless
from mars.weighting.strategies import NoSettings, strategy
from mars.weighting.task import Task


@strategy("signal")
class Signal(Stateless):
    r"""Share of the variance within groups: what no longer tells completions of a prompt apart fades to its floor.

    The merit of source k is $v_k$, the variance of its values among the completions of a prompt, pooled over the
    prompts of a step, in units of its squared range. Nothing else teaches a group-relative trainer. It is measured
    where the source was observed (behind a gate, among right answers), so that one that speaks of few prompts is not
    taken for a quiet one. A source that was observed in no two completions of any prompt keeps its weight, and where
    no source tells any completions apart all do.

    Where it loses: it takes noise for signal, since a source that disagrees with itself has variance too. Where a judge
    is noisy, use `reliability`. Without a gate it also takes weight off correctness once most answers are right.
    """

    def __init__(self, task: Task, settings: NoSettings) -> None:
        self._task = task

    def merits(self, batch: Batch) -> dict[str, float]:
        """Return each source's variance within groups."""
        merits: dict[str, float] = {}
        for name in self._task.shaping:
            source = self._task.sources[name]
            spread = batch.variance_within(name)
            if spread is not None:
                merits[name] = spread / (source.high - source.low) ** 2
        return merits
