"""Taking completions out of the loss, with a normaliser that is chosen, not a side effect.

TRL's losses differ in what they divide by, and so in what zeroing a row's tokens does to the others:

| `loss_type` | divides by | rows left out, and nothing else done |
| --- | --- | --- |
| `dapo`, `cispo`, `vespo` | the tokens of the generation batch, all ranks | the step stays |
| `grpo`, `sapo`, `luspo` | the rows | the step stays |
| `dr_grpo` | the rows times the longest that a completion may be | the step stays |
| `bnpo` | the tokens of the micro-batch that count | the step grows |

Here it stays with the normaliser `all`, and grows by 1 / kept share with `kept`, in each of them: the share of tokens
where tokens are counted, and of completions otherwise. A kept share is that of the generation batch over all ranks,
but for `bnpo`, which divides in each micro-batch on its own; one of which nothing is kept then counts as 0.

Everything that TRL takes over tokens goes with the row: the KL term (`beta`), the entropy bonus, the entropy quantile.
Attention does not change: the mask is the one that TRL multiplies into the loss for the tokens of tools, so that the
log-probabilities of a row stay comparable with those taken before it was masked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from mars.errors import ConfigError
from trainers.signal import Normalizer

Batch = dict[str, Any]
LOSS_MASK = "tool_mask"
"""TRL's mask of the tokens that count, beside the attention mask; where it is absent all do."""
COUNT = "num_items_in_batch"
KEPT, SCALE = "kept_rows", "loss_scale"
BY_TOKEN = ("dapo", "cispo", "vespo")
BY_ROW = ("grpo", "sapo", "luspo", "dr_grpo")
BY_MICRO_BATCH = ("bnpo",)
_KEY = ("normalizer",)


def check_normalizer(loss_type: str, normalizer: Normalizer, *, more_terms: bool) -> None:
    """Refuse what cannot be normalised as asked.

    Args:
        loss_type: TRL's.
        normalizer: What is asked for.
        more_terms: Whether the loss has terms that no mask may scale: an entropy bonus, a router's loss.

    Raises:
        ConfigError: Says what to set instead.
    """
    if loss_type not in (*BY_TOKEN, *BY_ROW, *BY_MICRO_BATCH):
        raise ConfigError(f"how the loss {loss_type!r} is normalised is not known here; use no_signal: keep", _KEY)
    if more_terms and loss_type in (BY_ROW if normalizer == "kept" else BY_MICRO_BATCH):
        other = "all" if normalizer == "kept" else "kept"
        reason = f"would scale the entropy bonus or router loss along with the loss {loss_type!r}"
        raise ConfigError(f"{normalizer} {reason}; use normalizer: {other}, or loss_type: dapo", _KEY)


def leave_out(
    batch: Batch,
    kept: torch.Tensor,
    share: float,
    loss_type: str,
    normalizer: Normalizer,
    add_up: Callable[[torch.Tensor], torch.Tensor],
) -> Batch:
    """Return a generation batch that says which rows are trained on; `masked` makes it so, in each micro-batch.

    Args:
        batch: What TRL generated, on this rank.
        kept: 1 for each row to keep, 0 for the others; shape `(rows,)`.
        share: The kept share of the rows of all ranks.
        loss_type: TRL's.
        normalizer: What the loss is divided by.
        add_up: Sums a number over all ranks; called on every rank.
    """
    kept = kept.to(batch["completion_mask"])
    out = batch | {KEPT: kept}
    if loss_type in BY_TOKEN:
        counted = loss_mask(batch)  # counted anew also for `all`: rows may have been replaced
        out[COUNT] = add_up((counted * kept.unsqueeze(1) if normalizer == "kept" else counted).sum())
    if normalizer == "kept" and loss_type in BY_ROW and share:
        out[SCALE] = torch.tensor(1 / share, device=kept.device)
    return out


def masked(batch: Batch, loss_type: str, normalizer: Normalizer) -> tuple[Batch, torch.Tensor | float]:
    """Return a micro-batch whose loss counts only the rows to keep, and what its loss is to be multiplied by.

    A batch of which nothing was left out is returned as it is.
    """
    if KEPT not in batch:
        return batch, 1.0
    whole = loss_mask(batch)
    left = whole * batch[KEPT].unsqueeze(1)
    scale = batch.get(SCALE, 1.0)
    if normalizer == "all" and loss_type in BY_MICRO_BATCH:
        scale = left.sum() / whole.sum().clamp(min=1)
    return batch | {LOSS_MASK: left}, scale


def loss_mask(batch: Batch) -> torch.Tensor:
    """Return which tokens count in the loss: those of completions, but for what tools wrote."""
    mask = batch["completion_mask"]
    return mask * batch[LOSS_MASK] if LOSS_MASK in batch else mask
