"""What goes wrong in silence with TRL, found before the first step: each check raises with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from mars.errors import ConfigError, TrainingError, did_you_mean
from mars.rows import Columns
from mars.system import RewardSystem
from mars.thinking import dropped_tags
from mars.types import Reward, Status

_TAG = re.compile(r"<[^<>\s]+>")
_CHOICES = {
    "loss_type": ("bnpo", "cispo", "dapo", "dr_grpo", "grpo", "luspo", "sapo", "vespo"),
    "scale_rewards": ("batch", "group", "none"),
    "multi_objective_aggregation": ("normalize_then_sum", "sum_then_normalize"),
    "importance_sampling_level": ("sequence", "token"),
}


def check_choices(args: Any) -> None:
    """Refuse what TRL refuses only in the midst of the first step, after the held-out problems were graded.

    Args:
        args: TRL's configuration.

    Raises:
        ConfigError: Names the key, and what there is.
    """
    for key, known in _CHOICES.items():
        if (found := getattr(args, key)) not in known:
            raise ConfigError(f"TRL has no {key} {found!r}.{did_you_mean(str(found), known)}", (key,))


def check_tags(system: RewardSystem, tokenizer: Any) -> None:
    """Refuse a tokenizer that drops a tag which a source looks for.

    TRL decodes completions without special tokens: a `<think>` that was registered as special never reaches the reward,
    and a format reward is then 0 for ever.

    Raises:
        TrainingError: Names the tag and the source.
    """
    for name, bound in system.sources.items():
        tags = sorted({tag for value in bound.settings.model_dump().values() for tag in _tags(value)})
        lost = dropped_tags(tokenizer, tags) if tags else []
        if lost:
            raise TrainingError(
                f"the tokenizer drops {', '.join(lost)} when completions are decoded, so the source {name!r} would "
                "never see it. Register it as an ordinary token (`add_tokens`, not as a special one), or tell the "
                "source which tags the model really writes"
            )


def check_tokenizer(tokenizer: Any) -> None:
    """Refuse a tokenizer that reads no text.

    From a folder without tokenizer files transformers makes an empty one instead of failing.

    Raises:
        TrainingError: When nothing, or nothing but unknown tokens, comes of a word.
    """
    ids = set(tokenizer("answer 42", add_special_tokens=False)["input_ids"])
    if ids <= {tokenizer.unk_token_id}:
        raise TrainingError(
            f"the tokenizer of {tokenizer.name_or_path!r} reads no text; are its files (tokenizer.json ...) in the "
            "model's folder? Save it there with `tokenizer.save_pretrained(folder)`"
        )


def _tags(value: Any) -> list[str]:
    return _TAG.findall(value) if isinstance(value, str) else []


def check_reference_source(model: Any, beta: float) -> None:
    """Refuse to let TRL load the reference model from a place that does not hold this policy.

    With `beta > 0` TRL re-loads the reference from `model.config._name_or_path`, whatever weights the policy has by
    then.

    Raises:
        TrainingError: When that place is empty or gone.
    """
    if beta == 0 or isinstance(model, str) or hasattr(model, "peft_config"):
        return
    place = getattr(model.config, "_name_or_path", "")
    missing = not place or (place.startswith(("/", ".")) and not Path(place).exists())
    if missing:
        raise TrainingError(
            f"beta is {beta}, so TRL will load the reference model from {place or 'nowhere'!r}, which does not hold "
            "this policy. Save it first (`model.save_pretrained(folder)`) and pass the folder as the model"
        )


def check_reference_weights(policy: Any, reference: Any) -> None:
    """Refuse a reference model whose weights are not the policy's at the start.

    Raises:
        TrainingError: Names the first parameter that differs.
    """
    if reference is None:
        return
    known = dict(reference.named_parameters())
    for name, parameter in policy.named_parameters():
        other = known.get(name)
        # Sharded parameters are empty on some ranks and cannot be compared there.
        if other is None or parameter.numel() == 0 or parameter.shape != other.shape:
            continue
        if not torch.equal(parameter.detach().to(other.dtype).cpu(), other.detach().cpu()):
            raise TrainingError(
                f"the reference model is not the policy: {name} differs. TRL loaded it from "
                f"{getattr(policy.config, '_name_or_path', '')!r}; the policy was changed since. Save the policy and "
                "pass that folder as the model"
            )


def check_rows(system: RewardSystem, rows: Sequence[Mapping[str, Any]]) -> None:
    """Score the first rows with stand-in answers, and refuse data that no source can score.

    Raises:
        TrainingError: When every one of them fails; the message says why.
    """
    if not rows:
        raise TrainingError("the training data has no rows")
    asked = [Columns().to_sample({**row, "completion": ""}) for row in rows]
    samples = [replace(sample, completion=str(sample.reference or "")) for sample in asked]
    rewards = system.score(samples)
    failed = [reward for reward in rewards if reward.total is None and reward.status is Status.ERROR]
    if len(failed) == len(rewards):
        raise TrainingError(
            f"none of the first {len(rows)} rows can be scored, so training would learn nothing. {most_common(failed)}"
        )


def most_common(rewards: Sequence[Reward]) -> str:
    """Return the reason that most of these rewards give."""
    reasons = [reward.reason for reward in rewards]
    return max(dict.fromkeys(reasons), key=reasons.count) if reasons else "no reason was given"
