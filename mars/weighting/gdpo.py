"""Decoupled normalisation: static weights, applied to what each source says relative to its own spread."""

from __future__ import annotations

from mars.weighting.static import Static
from mars.weighting.strategies import strategy


@strategy("gdpo", aggregation="normalize_then_sum", adapts=False)
class Gdpo(Static):
    r"""Each source is normalised within its group before the recipe's weights apply (GDPO, arXiv 2601.05242).

    $A = \mathrm{norm}_B(\sum_k w_k (r_k - \mu_{g,k}) / (\sigma_{g,k} + \epsilon))$, which TRL computes
    (`multi_objective_aggregation="normalize_then_sum"`). A source that is all but saturated has a small deviation, so a
    rare slip weighs more than correctness: put correctness behind a gate, or choose another strategy.
    """
