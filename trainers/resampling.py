"""Other prompts in place of those without signal: which ones are drawn, and how their completions join the batch.

Dynamic sampling as in DAPO (arXiv 2503.14476, section 3.2), with a cap: prompts are drawn and answered anew until each
rank's batch is full of prompts with signal, or the rounds are used up. It biases what is trained on toward problems of
middle difficulty, and pays for it in generation.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from datasets import IterableDataset

from mars.errors import ConfigError, TrainingError
from trainers.signal import Lack
from trainers.zero_advantage import COUNT, LOSS_MASK, Batch


@dataclass(frozen=True)
class Padding:
    """How a tensor of rows is made wider: on which side, and with what."""

    side: str
    value: float


def paddings(pad_token: int) -> dict[str, Padding | None]:
    """Return how each tensor of TRL's batches is padded; `None`: it has one value a row."""
    return {
        "prompt_ids": Padding("left", pad_token),
        "prompt_mask": Padding("left", 0),
        "completion_ids": Padding("right", pad_token),
        "completion_mask": Padding("right", 0),
        "old_per_token_logps": Padding("right", 0.0),
        "ref_per_token_logps": Padding("right", 0.0),
        "sampling_per_token_logps": Padding("right", 0.0),
        "importance_sampling_ratio": Padding("right", 1.0),
        LOSS_MASK: Padding("right", 1),
        "advantages": None,
    }


def draw(rows: int, count: int, key: str, drawn: Collection[int] = ()) -> list[int]:
    """Return rows of the data, the same ones for the same arguments and thus on every rank and after a resume.

    Args:
        rows: How many rows the data has.
        count: How many to draw.
        key: Seeds the draw.
        drawn: What this step drew before; it is not drawn again while there is anything else.
    """
    generator = random.Random(key)
    taken, found = set(drawn), []
    for _ in range(count):
        if len(taken) >= rows:
            taken = set()
        while (row := generator.randrange(rows)) in taken:
            pass
        taken.add(row)
        found.append(row)
    return found


def by_rank(found: Sequence[Lack | None], ranks: int, *, lacking: bool) -> list[list[int]]:
    """Return for each rank its prompts that lack signal, or those that have it, by their place on the rank."""
    each = len(found) // ranks
    places = [found[rank * each : (rank + 1) * each] for rank in range(ranks)]
    return [[place for place, lack in enumerate(own) if (lack is not None) is lacking] for own in places]


def merge(batch: Batch, fresh: Batch, prompts: Mapping[int, int], size: int, pad_token: int) -> Batch:
    """Return a batch in which the completions of some prompts are replaced by those of others.

    Rows keep their number and place; both batches are padded to what the wider one needs, prompts on the left and
    completions on the right.

    Args:
        batch: What TRL generated first.
        fresh: What it generated then.
        prompts: For each prompt to replace, by its place in `batch`, the one of `fresh` that takes its place.
        size: How many completions a prompt has.
        pad_token: Pads the token ids.

    Raises:
        TrainingError: When the batches hold something of which it is not known how to merge it.
    """
    known = paddings(pad_token)
    names = [name for name in batch if name != COUNT]
    if unknown := sorted({*batch, *fresh} - {COUNT, *known}) or sorted(batch.keys() ^ fresh.keys()):
        raise TrainingError(f"no_signal: replace cannot merge {unknown[0]!r} of two batches; use no_signal: mask")
    old = [prompt * size + offset for prompt in prompts for offset in range(size)]
    new = [prompt * size + offset for prompt in prompts.values() for offset in range(size)]
    merged = dict(batch)
    for name in names:
        first, second = batch[name], fresh[name]
        if (padding := known[name]) is not None:
            width = max(first.shape[1], second.shape[1])
            first, second = _widened(first, width, padding), _widened(second, width, padding)
        merged[name] = first.clone()
        merged[name][old] = second[new].to(first.dtype)
    return merged


def _widened(rows: torch.Tensor, width: int, padding: Padding) -> torch.Tensor:
    more = width - rows.shape[1]
    sides = (more, 0) if padding.side == "left" else (0, more)
    return torch.nn.functional.pad(rows, sides, value=padding.value)


def check_replacement(trainer: Any) -> None:
    """Refuse what prompts cannot be replaced in.

    Args:
        trainer: A `GRPOTrainer` that was set up.

    Raises:
        ConfigError: Says why, and what to set instead.
    """
    if why := _why_not(trainer):
        raise ConfigError(f"replace {why}; use no_signal: mask", ("no_signal",))


def _why_not(trainer: Any) -> str | None:
    args, data = trainer.args, trainer.train_dataset
    local = args.per_device_train_batch_size * args.steps_per_generation
    if local % trainer.num_generations:
        return (
            f"needs whole prompts on each device: per_device_train_batch_size x steps_per_generation is {local}, "
            f"which num_generations ({trainer.num_generations}) does not divide"
        )
    if isinstance(data, IterableDataset) or not hasattr(data, "__getitem__"):
        return "draws rows by number, which a data set that is a stream does not have"
    if trainer.rollout_func is not None:
        return "asks for prompts of its own choice, which a rollout_func that follows the data cannot know"
    if trainer.tools or trainer.environment_factories is not None:
        return "cannot run tools or environments a second time in a step"
    if {"image", "images"} & set(data.column_names):
        return "cannot merge images of two batches"
    if trainer.multi_objective_aggregation == "normalize_then_sum":
        return "mixes batches, over each of which normalize_then_sum normalises"
    if trainer.scale_rewards == "batch":
        return "mixes batches, over each of which scale_rewards: batch normalises"
    return None
