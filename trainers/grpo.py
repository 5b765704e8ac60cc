"""GRPO driven by MARS: TRL's `GRPOTrainer` with a `RewardSystem` in place of loose reward functions.

system = RewardSystem.from_recipe("recipes/gsm8k.yaml")
trainer = MarsGRPOTrainer("Qwen/Qwen3-0.6B", system, GRPOConfig("runs/x"), train_dataset=dataset)
trainer.train()
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import TrainerCallback
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from mars.adapters.trl import Mode, SourceReward, TotalReward, current_weights, reward_functions, reward_weights
from mars.errors import ConfigError, TrainingError
from mars.rows import Columns
from mars.system import RewardSystem
from mars.thinking import prefilled_thinking
from mars.types import Reward
from trainers.preflight import (
    check_reference_source,
    check_reference_weights,
    check_tags,
    check_tokenizer,
    most_common,
)

logger = logging.getLogger(__name__)
STATE_FILE = "mars_state.json"
Correction = Literal["none", "bypass"]


class MarsGRPOTrainer(GRPOTrainer):
    """TRL's GRPO with the rewards of a `RewardSystem`.

    Every source is logged as a reward of its own; the weights are the system's, refreshed before each batch; statuses,
    weights, accuracy by task and reward time are logged under `mars/`. What would go wrong in silence is an error at
    start or is logged: see `trainers.preflight`.

    Args:
        model: A hub id, a folder, or a model.
        system: Gives the rewards. Its weighting learns once a batch and is saved with every checkpoint.
        args: TRL's configuration; `reward_weights` must be left to the system.
        columns: Which data column plays which role.
        mode: Give TRL each source as a function (`separate`), or the composed total; `auto` composes where it must.
        correction: What to do with rollouts of an earlier policy, which `rollout_func` may return. `bypass` takes the
            importance ratio to the policy that generated them (pi / mu, clipped as in PPO); `none` refuses them.
        max_masked_steps: Stop after so many batches in a row in which no sample got a reward.
        rollout_func: TRL's. It must also return `model_version`, the step whose weights generated each sample.
        **options: Passed to `GRPOTrainer`.

    Raises:
        ConfigError: When the reward cannot be given to TRL as asked.
        TrainingError: When a check before the first step fails.
    """

    def __init__(
        self,
        model: Any,
        system: RewardSystem,
        args: GRPOConfig,
        *,
        columns: Columns | None = None,
        mode: Mode = "auto",
        correction: Correction = "none",
        max_masked_steps: int = 5,
        rollout_func: Callable[..., dict[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        if args.reward_weights is not None:
            raise ConfigError(
                "reward_weights: the weights are the reward system's; set them in the recipe's reward section"
            )
        check_reference_source(model, args.beta)
        tokenizer = options.get("processing_class") or _tokenizer(model)
        options["processing_class"] = tokenizer
        text_tokenizer = getattr(tokenizer, "tokenizer", tokenizer)
        check_tokenizer(text_tokenizer)
        check_tags(system, text_tokenizer)
        prefix = prefilled_thinking(text_tokenizer)
        functions = reward_functions(system, mode=mode, columns=columns, prefix=prefix)
        if isinstance(functions[0], TotalReward) and args.multi_objective_aggregation == "normalize_then_sum":
            raise ConfigError(
                "multi_objective_aggregation: normalize_then_sum normalises each source on its own, which the composed "
                "total (a gate, or weights that differ by task) leaves no room for"
            )
        args = copy.copy(args)  # the caller's may serve another trainer
        args.reward_weights = reward_weights(functions)
        self.system = system
        self.correction: Correction = correction
        self._functions: list[SourceReward] = functions
        self._masked_steps = 0
        self._max_masked_steps = max_masked_steps
        watched = self._watch_rollouts(rollout_func) if rollout_func is not None else None
        super().__init__(model, list(functions), args, rollout_func=watched, **options)
        check_reference_weights(self.accelerator.unwrap_model(self.model), self.ref_model)
        self.add_callback(SystemCheckpoint(system))
        if prefix:
            logger.info("the chat template writes %r before every completion; it is put back before scoring", prefix)

    def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any) -> Any:
        self.reward_weights = torch.tensor(current_weights(self._functions), dtype=torch.float32)
        by_function = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        training = self.model is not None and self.model.training
        rewards = self._functions[0].scorer.rewards
        group = self.num_generations if training else self.num_generations_eval
        self._report_masked(rewards, group, "train" if training else "eval")
        if training:
            self.system.update(rewards)
            self._stop_if_masked(rewards)
        return by_function

    def _report_masked(self, rewards: Sequence[Reward], group: int | None, mode: str) -> None:
        """Log the share of prompts none of whose completions got a reward: they teach nothing."""
        size = group or 1
        groups = [rewards[start : start + size] for start in range(0, len(rewards), size)]
        lost = [members for members in groups if all(reward.total is None for reward in members)]
        self._metrics[mode]["mars/masked_groups"].append(len(lost) / max(1, len(groups)))
        if lost:
            logger.warning(
                "%d of %d prompts got no reward for any completion: %s", len(lost), len(groups), most_common(lost[0])
            )

    def _stop_if_masked(self, rewards: Sequence[Reward]) -> None:
        self._masked_steps = self._masked_steps + 1 if all(reward.total is None for reward in rewards) else 0
        if self._masked_steps >= self._max_masked_steps:
            raise TrainingError(
                f"no sample got a reward in {self._masked_steps} batches in a row, so nothing is being learned. "
                f"{most_common(rewards)}"
            )

    def _watch_rollouts(self, rollout_func: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        """Wrap a rollout function so that stale samples are corrected or refused, never trained on as if they were new.

        Without vLLM, TRL ignores the log-probabilities that the function returns and takes the ratio as 1.
        """

        def rollout(prompts: Any, trainer: Any) -> dict[str, Any]:
            output = rollout_func(prompts, trainer)
            versions = output.get("model_version")
            if versions is None:
                raise TrainingError(
                    "rollout_func returned no 'model_version'. Return, for each sample, the step whose weights "
                    "generated it (trainer.state.global_step at generation), so that stale samples cannot pass for new"
                )
            now = self.state.global_step
            lag = max((now - int(version) for version in versions), default=0)
            self._metrics["train"]["mars/staleness"].append(float(lag))
            if lag > 0 and self.correction == "none":
                raise TrainingError(
                    f"rollouts are {lag} steps old and would be trained on as if they were new. Set "
                    "correction='bypass' and return their log-probabilities, or generate with the current weights"
                )
            if self.correction == "bypass" and output.get("logprobs") is None:
                raise TrainingError(
                    "correction='bypass' needs the 'logprobs' of the policy that generated the rollouts"
                )
            return output

        return rollout

    def _compute_loss(self, model: Any, inputs: Any) -> Any:
        # TRL leaves old_per_token_logps out when it takes the samples for its own; the sampler's are the right ones.
        if self.correction == "bypass" and "sampling_per_token_logps" in inputs:
            inputs["old_per_token_logps"] = inputs["sampling_per_token_logps"]
        return super()._compute_loss(model, inputs)


class SystemCheckpoint(TrainerCallback):
    """Saves the reward system's state (its weighting) in every checkpoint and takes it up again on resume."""

    def __init__(self, system: RewardSystem) -> None:
        self._system = system

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write the state beside the optimizer's."""
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (folder / STATE_FILE).write_text(json.dumps(self._system.state_dict()))

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Load the state of the checkpoint that training goes on from."""
        file = Path(args.output_dir) / f"checkpoint-{state.global_step}" / STATE_FILE
        if state.global_step and file.exists():
            self._system.load_state_dict(json.loads(file.read_text()))


def _tokenizer(model: Any) -> Any:
    from transformers import AutoTokenizer

    place = model if isinstance(model, str) else model.config._name_or_path
    return AutoTokenizer.from_pretrained(place, padding_side="left", truncation_side="left")
