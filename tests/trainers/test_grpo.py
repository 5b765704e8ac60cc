"""GRPO driven by a reward system: what TRL sees, and the silent traps that are silent no more."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl.trainer.grpo_config import GRPOConfig

from mars import ConfigError, Reward, RewardSystem, TrainingError, reward
from mars.weighting import StaticWeighting
from trainers.grpo import MarsGRPOTrainer

BATCH, GROUP = 8, 4


@pytest.fixture(autouse=True, scope="module")
def _sources() -> None:
    @reward("grpo_raises", kind="verifier", deadline=None)
    def raises(completion: str) -> float:
        raise RuntimeError("the grader is broken")

    @reward("grpo_raises_on_even_states", kind="verifier", deadline=None)
    def raises_on_even_states(prompt: str) -> float:
        if int(prompt[0]) % 2 == 0:
            raise RuntimeError("even states are beyond this grader")
        return 0.5


def trained(model: str, system: RewardSystem, config: GRPOConfig, rows: Dataset, **options: Any) -> MarsGRPOTrainer:
    trainer = MarsGRPOTrainer(model, system, config, train_dataset=rows, **options)
    trainer.train()
    return trainer


def logged(trainer: MarsGRPOTrainer, key: str) -> list[float]:
    return [row[key] for row in trainer.state.log_history if key in row]


def test_every_source_is_logged_and_weights_are_the_systems(
    nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset
) -> None:
    trainer = trained(nonsense, system, config, rows)
    assert trainer.reward_func_names == ["length", "repetition"]
    assert trainer.reward_weights.tolist() == [0.5, 2.0]
    for key in (
        "rewards/length/mean",
        "rewards/repetition/std",
        "mars/length/ok",
        "mars/weight/length",
        "mars/seconds",
    ):
        assert len(logged(trainer, key)) == config.max_steps, key
    assert logged(trainer, "mars/length/ok") == [1.0, 1.0]


def test_the_logged_reward_is_the_composed_total(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    settings = {"sources": {"exact": 1.0, "length": {"weight": 0.5, "settings": {"limit": 8}}}, "gate": "exact"}
    with RewardSystem(settings) as system:
        trainer = trained(nonsense, system, config, rows)
        totals = [r.total for r in trainer._functions[0].scorer.rewards if r.total is not None]
    assert trainer.reward_func_names == ["total", "exact", "length"]
    assert logged(trainer, "reward")[-1] == pytest.approx(sum(totals) / len(totals), abs=1e-6)


def test_weights_that_the_weighting_moves_reach_trl_at_the_next_step(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    settings = {"sources": {"length": 1.0, "repetition": 1.0}}
    with RewardSystem(settings, weighting=_Growing()) as system:
        trainer = trained(nonsense, system, config, rows)
    assert logged(trainer, "mars/weight/length") == [1.0, 2.0]
    assert trainer.reward_weights.tolist() == [2.0, 1.0]


class _Growing(StaticWeighting):
    """Adds one to a weight at each update: the simplest strategy with a state."""

    def __init__(self) -> None:
        super().__init__({})
        self.updates = 0

    def weights(self, task: str) -> Mapping[str, float]:
        return {"length": 1.0 + self.updates, "repetition": 1.0}

    def update(self, batch: Sequence[Reward]) -> None:
        self.updates += 1

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.updates = state["updates"]


def test_the_total_is_made_with_the_weights_of_its_step(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    totals: list[list[tuple[float | None, dict[str, float]]]] = []

    class Remembering(_Growing):
        def update(self, batch: Sequence[Reward]) -> None:
            totals.append([(reward.total, {c.name: c.value or 0.0 for c in reward.components}) for reward in batch])
            super().update(batch)

    settings = {"sources": {"length": {"settings": {"limit": 8}}, "repetition": 1.0}}
    with RewardSystem(settings, weighting=Remembering()) as system:
        trainer = trained(nonsense, system, config, rows, mode="composed")
    for step, batch in enumerate(totals):
        assert [total for total, _ in batch] == [(1 + step) * said["length"] + said["repetition"] for _, said in batch]
    means = [sum(total or 0.0 for total, _ in batch) / len(batch) for batch in totals]
    assert logged(trainer, "reward") == pytest.approx(means, abs=1e-6)


def test_grading_on_the_way_teaches_the_weights_nothing(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    weighting = _Growing()
    config.eval_strategy, config.eval_steps = "steps", 1  # type: ignore[assignment]
    with RewardSystem({"sources": {"length": 1.0, "repetition": 1.0}}, weighting=weighting) as system:
        trainer = trained(nonsense, system, config, rows, eval_dataset=rows)
        assert len(logged(trainer, "eval_mars/weight/length")) == config.max_steps
        assert weighting.updates == config.max_steps
        trainer.evaluate()
    assert weighting.updates == config.max_steps


def test_each_task_has_its_own_weights_and_its_own_curve(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    @reward("grpo_digits", deadline=None)
    def digits(completion: str) -> float:
        return sum(character.isdigit() for character in completion) / max(1, len(completion))

    tasks = {
        "easy": {"sources": {"grpo_digits": 1.0, "length": 1.0}, "weighting": "signal"},
        "hard": {"sources": {"grpo_digits": 2.0, "length": 1.0}},
    }
    settings = {"sources": {"grpo_digits": 1.0, "length": {"settings": {"limit": 8}}}, "tasks": tasks}
    rows = rows.select_columns("prompt").add_column("task", ["easy", "hard"] * 8)  # type: ignore[call-arg]
    config.max_steps = 4
    with RewardSystem(settings) as system:
        trainer = trained(nonsense, system, config, rows)
    curves = {name: logged(trainer, f"mars/weight/{name}") for name in ("easy/grpo_digits", "easy/length")}
    assert len(set(curves["easy/grpo_digits"])) > 1, "they adapt"
    for digit, length in zip(*curves.values(), strict=True):
        assert digit + length == pytest.approx(2.0)
    assert logged(trainer, "mars/weight/hard/grpo_digits") == [2.0] * 4
    assert logged(trainer, "mars/weight/hard/length") == [1.0] * 4


def test_the_weightings_state_is_saved_and_taken_up_again(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    config.save_strategy, config.save_steps = "steps", 1  # type: ignore[assignment]
    settings = {"sources": {"length": 1.0, "repetition": 1.0}}
    with RewardSystem(settings, weighting=_Growing()) as system:
        trained(nonsense, system, config, rows)
    resumed = _Growing()
    config.reward_weights = None
    with RewardSystem(settings, weighting=resumed) as system:
        trainer = MarsGRPOTrainer(nonsense, system, config, train_dataset=rows)
        trainer.train(resume_from_checkpoint=str(Path(config.output_dir or "") / "checkpoint-1"))
    assert resumed.updates == 2, "one update was in the checkpoint, one step was left to train"


def test_a_source_that_raises_masks_its_samples_and_the_run_goes_on(
    nonsense: str, config: GRPOConfig, rows: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        RewardSystem({"sources": {"grpo_raises_on_even_states": 1, "length": 1}}) as system,
        caplog.at_level(logging.WARNING),
    ):
        trainer = trained(nonsense, system, config, rows)
    assert trainer.state.global_step == config.max_steps
    assert sum(logged(trainer, "mars/grpo_raises_on_even_states/error")) > 0
    assert all(math.isfinite(loss) for loss in logged(trainer, "loss"))
    assert "even states are beyond this grader" in caplog.text


def test_a_prompt_without_any_reward_teaches_nothing_and_is_reported(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    before = torch.cat([p.flatten() for p in AutoModelForCausalLM.from_pretrained(nonsense).parameters()])
    with RewardSystem({"sources": {"grpo_raises": 1, "length": 1}}) as system:
        trainer = trained(nonsense, system, config, rows)
    assert logged(trainer, "mars/masked_groups") == [1.0, 1.0]
    after = torch.cat([p.flatten() for p in trainer.model.parameters()])  # type: ignore[union-attr]
    assert torch.equal(before, after.detach()), "all rewards were masked, so no weight may move"


def test_training_stops_when_no_sample_gets_a_reward_for_long(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    with (
        RewardSystem({"sources": {"grpo_raises": 1}}) as system,
        pytest.raises(TrainingError, match=r"2 batches in a row.*the grader is broken"),
    ):
        trained(nonsense, system, config, rows, max_masked_steps=2)


def rollouts(versions: Callable[[int], int] | None, logprob: float = -5.0) -> Callable[..., dict[str, Any]]:
    """A rollout function that writes 4 and ends, as a policy of some earlier step might have."""

    def roll(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        tokenizer = trainer.processing_class
        ids = [
            tokenizer.apply_chat_template(p, add_generation_prompt=True, return_dict=True)["input_ids"] for p in prompts
        ]
        answers = [tokenizer(f"{i % 3}<|im_end|>", add_special_tokens=False)["input_ids"] for i in range(len(prompts))]
        output: dict[str, Any] = {
            "prompt_ids": ids,
            "completion_ids": answers,
            "logprobs": [[logprob] * len(a) for a in answers],
        }
        if versions is not None:
            output["model_version"] = [versions(trainer.state.global_step)] * len(prompts)
        return output

    return roll


@pytest.mark.parametrize(
    ("versions", "error"),
    [
        (None, "model_version"),
        (lambda step: step - 3, "3 steps old"),
    ],
    ids=["age unknown", "stale"],
)
def test_stale_rollouts_without_a_correction_are_refused(
    nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset, versions: Any, error: str
) -> None:
    with pytest.raises(TrainingError, match=error):
        trained(nonsense, system, config, rows, rollout_func=rollouts(versions))


def test_fresh_rollouts_need_no_correction(
    nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset
) -> None:
    trainer = trained(nonsense, system, config, rows, rollout_func=rollouts(lambda step: step))
    assert logged(trainer, "mars/staleness") == [0.0, 0.0]


def test_bypass_trains_on_the_ratio_to_the_policy_that_generated(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    # The sampler gave its tokens log-probability -9; the untrained policy gives each about -4.7, so pi/mu is far above
    # the clip. TRL left alone takes the ratio for 1 and clips nothing.
    @reward("grpo_likes_a_one", deadline=None)
    def likes_a_one(completion: str) -> float:
        return float(completion == "1")

    with RewardSystem({"sources": {"grpo_likes_a_one": 1}}) as system:
        stale = rollouts(lambda step: step - 1, logprob=-9.0)
        trainer = trained(nonsense, system, config, rows, rollout_func=stale, correction="bypass")
    assert logged(trainer, "mars/staleness") == [1.0, 1.0]
    assert max(logged(trainer, "clip_ratio/region_mean")) > 0.1


def test_a_think_tag_that_the_tokenizer_drops_is_found_at_start(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(nonsense)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<think>", "</think>"]})
    with (
        RewardSystem({"sources": {"format": 1}}) as system,
        pytest.raises(TrainingError, match=r"drops.*<think>.*'format'"),
    ):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, processing_class=tokenizer)


def test_a_model_without_its_tokenizer_is_found_at_start(
    nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset, tmp_path: Path
) -> None:
    AutoModelForCausalLM.from_pretrained(nonsense).save_pretrained(tmp_path / "bare")
    with pytest.raises(TrainingError, match="reads no text"):
        MarsGRPOTrainer(str(tmp_path / "bare"), system, config, train_dataset=rows)


def test_a_prefilled_think_tag_is_put_back_before_scoring(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    tokenizer = AutoTokenizer.from_pretrained(nonsense)
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "'<|im_start|>assistant\n'", "'<|im_start|>assistant\n<think>'"
    ).replace("<|im_start|>assistant\n{%", "<|im_start|>assistant\n<think>{%")
    with RewardSystem({"sources": {"length": 1}}) as system:
        trainer = trained(nonsense, system, config, rows, processing_class=tokenizer)
        completions = [sample.completion for sample in trainer._functions[0].scorer.samples]
    assert all(completion.startswith("<think>") for completion in completions)


@pytest.mark.parametrize("case", ["changed", "gone", "nowhere"])
def test_a_reference_model_from_the_wrong_place_is_found_at_start(
    nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset, tmp_path: Path, case: str
) -> None:
    config.beta = 0.04
    place = tmp_path / "policy"
    shutil.copytree(nonsense, place)
    model = AutoModelForCausalLM.from_pretrained(place)
    tokenizer = AutoTokenizer.from_pretrained(place)
    if case == "changed":
        with torch.no_grad():
            next(model.parameters()).add_(1.0)
    if case == "gone":
        shutil.rmtree(place)
    if case == "nowhere":
        model.config._name_or_path = ""
    with pytest.raises(TrainingError, match="reference model"):
        MarsGRPOTrainer(model, system, config, train_dataset=rows, processing_class=tokenizer)


def test_a_reference_model_that_is_the_policy_is_accepted(
    nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset
) -> None:
    config.beta = 0.04
    trainer = trained(nonsense, system, config, rows)
    assert logged(trainer, "kl")[0] == pytest.approx(0.0, abs=1e-5)


def test_weights_belong_to_the_system(nonsense: str, system: RewardSystem, config: GRPOConfig, rows: Dataset) -> None:
    config.reward_weights = [1.0, 1.0]
    with pytest.raises(ConfigError, match="reward_weights"):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows)


def test_decoupled_normalisation_is_refused_for_a_composed_total(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    config.multi_objective_aggregation = "normalize_then_sum"
    with (
        RewardSystem({"sources": {"exact": 1, "length": 1}, "gate": "exact"}) as system,
        pytest.raises(ConfigError, match="normalize_then_sum"),
    ):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows)


def test_what_we_rely_on_within_trl_is_where_we_expect_it() -> None:
    import inspect

    from trl.trainer.grpo_trainer import GRPOTrainer
    from trl.trainer.utils import RepeatSampler

    expected = {
        "_calculate_rewards": ["self", "inputs", "prompts", "completions", "completion_ids_list"],
        "_generate_and_score_completions": ["self", "inputs"],
        "_compute_loss": ["self", "model", "inputs"],
        "_save_checkpoint": ["self", "model", "trial"],
        "_load_optimizer_and_scheduler": ["self", "checkpoint"],
        "_get_train_sampler": ["self", "dataset"],
        "_get_output_dir": ["self", "trial"],
    }
    for name, arguments in expected.items():
        assert list(inspect.signature(getattr(GRPOTrainer, name)).parameters) == arguments
    cycle = inspect.getsource(GRPOTrainer._prepare_inputs)
    assert "generate_every = self.args.steps_per_generation * self.num_iterations" in cycle
    assert "self._step % generate_every == 0 or self._buffered_inputs is None" in cycle
    assert "torch.randperm(self.num_samples, generator=self.generator)" in inspect.getsource(RepeatSampler.__iter__)
    training = inspect.getsource(GRPOTrainer._inner_training_loop)
    start = training.index("self._tr_loss =")
    assert start < training.index("self._globalstep_last_logged =") < training.index("on_train_begin(")
