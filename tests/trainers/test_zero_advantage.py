"""Prompts that teach nothing: how they are told, and what leaving them out does to the step in each loss of TRL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from trl.trainer.grpo_config import GRPOConfig

from mars import ConfigError, Reward, RewardSystem, Sample, reward
from mars.recipe import Recipe
from trainers.grpo import MarsGRPOTrainer
from trainers.run import Plan
from trainers.signal import Lack, SignalPolicy, lacks

GROUP = 4
BY_TOKEN, BY_ROW = ("dapo", "cispo", "vespo"), ("grpo", "sapo", "luspo", "dr_grpo")
LOSSES = (*BY_TOKEN, *BY_ROW, "bnpo")


@pytest.fixture(autouse=True, scope="module")
def _sources() -> None:
    @reward("zero_given", kind="verifier", deadline=None)
    def given_value(completion: str) -> float:
        return float(completion)  # of "-" there is none: an error, and the sample is masked

    @reward("zero_shaping", deadline=None)
    def shaping(prompt: str) -> float:
        return float(prompt or 0)

    @reward("zero_odd_states_differ", kind="verifier", deadline=None)
    def odd_states_differ(prompt: str, completion: str) -> float:
        """All completions of an even state are right; those of an odd one are worth this or that."""
        return 1.0 if int(prompt[0]) % 2 == 0 else sum(map(ord, completion)) % 9 / 8

    @reward("zero_never_right", kind="verifier", deadline=None)
    def never_right(completion: str) -> float:
        return 0.0


def rewards_of(system: RewardSystem, values: Sequence[object], shaping: Sequence[float] | None = None) -> list[Reward]:
    prompts = shaping or [0.0] * len(values)
    return system.score([Sample(str(value), prompt=repr(p)) for value, p in zip(values, prompts, strict=True)])


@pytest.fixture
def judging() -> Iterator[RewardSystem]:
    with RewardSystem({"sources": {"zero_given": 1.0, "zero_shaping": 1.0}, "weighting": "static"}) as made:
        yield made


@pytest.mark.parametrize(
    ("values", "lack"),
    [
        ([1, 1, 1, 1], Lack.RIGHT),
        ([0, 0, 0, 0], Lack.WRONG),
        ([0, 1, 0, 0], None),
        (["-", "-", "-", "-"], Lack.UNSCORED),
        (["-", 1, 1, "-"], Lack.RIGHT),
        (["-", 1, 0, "-"], None),
        ([1, "-", "-", "-"], Lack.RIGHT),
        ([0.5, 0.5 + 1e-12, 0.5, 0.5], None),
    ],
    ids=["all right", "all wrong", "mixed", "no reward", "masked, else right", "masked, else mixed", "one", "nearly"],
)
def test_a_prompt_lacks_signal_where_its_verdicts_are_exactly_equal(
    judging: RewardSystem, values: list[object], lack: Lack | None
) -> None:
    assert lacks(rewards_of(judging, values), 4, judging, "correctness") == [lack]


def test_rounding_and_shaping_are_no_signal_of_correctness(judging: RewardSystem) -> None:
    # 0.1 + 0.2 and 0.3: as totals they differ in the last digit, and so would any judge of totals find signal.
    found = rewards_of(judging, [0, 0], [0.1 + 0.2, 0.3]) + rewards_of(judging, [1, 1], [0.0, 0.5])
    assert found[0].total != found[1].total
    assert lacks(found, 2, judging, "correctness") == [Lack.WRONG, Lack.RIGHT]
    assert lacks(found, 2, judging, "reward") == [None, None]


def test_a_verifier_that_is_only_logged_decides_nothing() -> None:
    @reward("zero_judge", kind="judge", deadline=None)
    def judge(prompt: str) -> float:
        return float(prompt or 0)

    with RewardSystem({"sources": {"zero_given": 0.0, "zero_judge": 1.0}}) as system:
        found = rewards_of(system, [0, 0], [0.25, 0.75]) + rewards_of(system, [0, 1], [0.5, 0.5])
        assert lacks(found, 2, system, "correctness") == [None, Lack.EQUAL]
        assert lacks(rewards_of(system, [0, 0], [0.5, 0.5]), 2, system, "correctness") == [Lack.WRONG]


def test_a_gate_decides_whatever_it_weighs() -> None:
    with RewardSystem({"sources": {"zero_given": 0.0, "zero_shaping": 1.0}, "gate": "zero_given"}) as system:
        found = rewards_of(system, [1, 1], [0.25, 0.75])
        assert lacks(found, 2, system, "correctness") == [Lack.RIGHT]


def test_a_task_without_a_verdict_is_judged_by_its_totals() -> None:
    with RewardSystem({"sources": {"zero_shaping": 1.0}}) as system:
        found = rewards_of(system, [0, 0, 0, 0], [0.5, 0.5, 0.5, 0.75])
        assert lacks(found, 2, system, "correctness") == [Lack.EQUAL, None]


def test_equal_totals_of_unequal_parts_teach_where_sources_are_normalised_apart(judging: RewardSystem) -> None:
    found = rewards_of(judging, [0.25, 0.75], [0.75, 0.25])
    assert lacks(found, 2, judging, "reward") == [Lack.EQUAL]
    assert lacks(found, 2, judging, "reward", decoupled=True) == [None]


@given(values=st.lists(st.sampled_from([0, 0.5, 1, "-"]), min_size=4, max_size=4), order=st.permutations(range(4)))
def test_the_order_of_completions_does_not_matter(values: list[object], order: list[int]) -> None:
    with RewardSystem({"sources": {"zero_given": 1.0}}) as system:
        found = rewards_of(system, values)
        assert lacks(found, 4, system, "correctness") == lacks([found[i] for i in order], 4, system, "correctness")


def problems(rows: Dataset, odd: Sequence[bool]) -> list[dict[str, Any]]:
    """Return problems that start in odd or even states, each as often as it is answered."""
    by_kind: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for row in map(dict, rows):
        by_kind[int(row["prompt"][0]["content"][0]) % 2 == 1].append(row)
    return [row for one in odd for row in [by_kind[one].pop(0)] * GROUP]


@dataclasses.dataclass
class Step:
    """What one step did: its losses and gradients added up, and what was logged."""

    loss: float
    gradient: torch.Tensor
    kept: float
    batches: list[dict[str, Any]]


def step(
    model: str,
    config: GRPOConfig,
    inputs: list[dict[str, Any]],
    policy: SignalPolicy,
    source: str = "zero_odd_states_differ",
    splits: int = 1,
) -> Step:
    """Generate, score and differentiate once with the real trainer; the same seed generates the same completions."""
    options = {"per_device_train_batch_size": len(inputs) // splits, "gradient_accumulation_steps": splits}
    config = dataclasses.replace(config, **options, steps_per_generation=None, generation_batch_size=None)
    with RewardSystem({"sources": {source: 1}}) as system:
        data = Dataset.from_list(inputs)
        trainer = MarsGRPOTrainer(model, system, config, train_dataset=data, signal=policy)
        torch.manual_seed(3)
        assert trainer.model is not None
        trainer.model.train()
        trainer.current_gradient_accumulation_steps = splits
        total, batches = 0.0, []
        for _ in range(splits):
            batches.append(trainer._prepare_inputs(inputs))
            loss = trainer._compute_loss(trainer.model, batches[-1])
            loss.backward()
            trainer._step += 1
            total += loss.item()
    gradient = torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])
    return Step(total, gradient, trainer._metrics["train"].get("mars/kept_share", [1.0])[0], batches)


@pytest.fixture
def six_tokens(config: GRPOConfig) -> GRPOConfig:
    """Every completion has six tokens, so that half of the prompts have half of the tokens."""
    config.generation_kwargs = {"min_new_tokens": 6}
    return config


MASKED = SignalPolicy("mask")
WHOLE = SignalPolicy("mask", normalizer="all")
HALF = (True, False, True, False)


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("splits", [1, 2])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_step_doubles_with_half_of_the_prompts_masked_or_stays_as_it_was(
    nonsense: str, six_tokens: GRPOConfig, rows: Dataset, loss: str, splits: int
) -> None:
    six_tokens.loss_type = loss
    inputs = problems(rows, HALF)
    before, kept, whole = (
        step(nonsense, six_tokens, inputs, policy, splits=splits) for policy in (SignalPolicy(), MASKED, WHOLE)
    )
    assert kept.kept == whole.kept == 0.5
    assert before.gradient.norm() > 1e-3
    assert same(whole.gradient, before.gradient)
    assert whole.loss == pytest.approx(before.loss, abs=1e-6)
    if loss == "bnpo" and splits > 1:
        return  # divides in each micro-batch by what happens to be kept there, as the module says
    assert same(kept.gradient, 2 * before.gradient)
    assert kept.loss == pytest.approx(2 * before.loss, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("policy", [MASKED, WHOLE], ids=["kept", "all"])
def test_a_batch_without_any_signal_moves_nothing(
    nonsense: str, config: GRPOConfig, rows: Dataset, loss: str, policy: SignalPolicy
) -> None:
    config.loss_type, config.beta = loss, 0.1
    found = step(nonsense, config, problems(rows, (True, False)), policy, source="zero_never_right")
    assert found.kept == 0.0
    assert found.loss == 0.0
    assert not found.gradient.any() and not found.gradient.isnan().any()


@pytest.mark.parametrize("loss", ["dapo", "grpo"])
def test_masking_equals_training_on_the_other_prompts_alone(
    nonsense: str, config: GRPOConfig, rows: Dataset, loss: str
) -> None:
    # With a reference model and with completions of any length.
    config.loss_type, config.beta = loss, 0.5
    found = step(nonsense, config, problems(rows, HALF), MASKED)
    (batch,) = found.batches
    alone = batch["kept_rows"].bool()
    rest = {name: value[alone] for name, value in batch.items() if value.ndim and name != "kept_rows"}
    with RewardSystem({"sources": {"zero_never_right": 1}}) as system:
        trainer = MarsGRPOTrainer(nonsense, system, config, train_dataset=rows)
        assert trainer.model is not None
        trainer.current_gradient_accumulation_steps = 1
        rest["num_items_in_batch"] = rest["completion_mask"].sum()
        loss_alone = trainer._compute_loss(trainer.model.train(), rest)
        loss_alone.backward()
    assert found.loss == pytest.approx(loss_alone.item(), abs=1e-6)
    gradient = torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])
    assert same(found.gradient, gradient)


def test_prompts_without_signal_are_counted_also_where_they_are_kept(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    with RewardSystem({"sources": {"zero_never_right": 1}}) as system:
        trainer = MarsGRPOTrainer(nonsense, system, config, train_dataset=rows)
        trainer.train()
    row = trainer.state.log_history[0]
    assert (row["mars/no_signal"], row["mars/no_signal/wrong"], row["mars/no_signal/right"]) == (1.0, 1.0, 0.0)
    assert "mars/kept_share" not in row


def test_what_the_normaliser_would_scale_along_is_refused(
    nonsense: str, config: GRPOConfig, system: RewardSystem, rows: Dataset
) -> None:
    config.loss_type, config.entropy_coef = "grpo", 0.01
    with pytest.raises(ConfigError, match=r"normalizer: all, or loss_type: dapo"):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, signal=MASKED)
    config.loss_type = "dapo"
    MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, signal=MASKED)


RECIPE = """\
model: {path: tiny}
reward: {sources: {exact: 1}}
train:
  report_to: none
  no_signal: mask
"""


def test_a_recipe_says_what_becomes_of_them(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE)
    policy = Plan.of(Recipe.load(file, ["train.normalizer=all", "train.replace_rounds=3"])).train.signal_policy
    assert policy == SignalPolicy("mask", "correctness", "all", 3)
    for change in ("no_signal=drop", "signal=luck", "normalizer=none", "replace_rounds=0"):
        with pytest.raises(ConfigError, match=rf"train\.{change.partition('=')[0]}"):
            Plan.of(Recipe.load(file, [f"train.{change}"]))
