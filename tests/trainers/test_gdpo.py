"""`weighting: gdpo`: TRL normalises each source within its group, what a gate leaves of it included."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

import pytest
from datasets import Dataset
from trl.trainer.grpo_config import GRPOConfig

from mars import ConfigError, RewardSystem, reward
from trainers.grpo import MarsGRPOTrainer

EPSILON = 1e-4
WEIGHTS = {"gdpo_right": 1.0, "gdpo_format": 0.5}
WRITTEN = ["11", "10", *["01"] * 6]
"""The worked example of GDPO's weakness: right or not, well formatted or not."""


@pytest.fixture(autouse=True, scope="module")
def _sources() -> None:
    @reward("gdpo_right", kind="verifier", deadline=None)
    def right(completion: str) -> float:
        return float(completion.startswith("1"))

    @reward("gdpo_format", deadline=None)
    def form(completion: str) -> float:
        return float(completion.endswith("1"))

    @reward("gdpo_doubtful", kind="verifier", deadline=None)
    def doubtful(completion: str) -> float:
        if len(completion) % 3 == 0:
            raise RuntimeError("no verdict")
        return float(len(completion) % 2)

    @reward("gdpo_size", deadline=None)
    def size(completion: str) -> float:
        return min(1.0, len(completion) / 16)


def advantages(
    model: str, settings: dict[str, Any], config: GRPOConfig, rows: Dataset, **options: Any
) -> tuple[MarsGRPOTrainer, list[float]]:
    """Train a step, and return the trainer with the advantages that TRL gave to its completions."""
    config.max_steps = 1
    with RewardSystem(settings) as system:
        trainer = MarsGRPOTrainer(model, system, config, train_dataset=rows, **options)
        trainer.train()
    return trainer, list(trainer._logs["advantages"])


def written(prompts: list[Any], trainer: Any) -> dict[str, Any]:
    """Roll out the worked example."""
    tokenizer = trainer.processing_class
    ids = [tokenizer.apply_chat_template(p, add_generation_prompt=True, return_dict=True)["input_ids"] for p in prompts]
    answers = [tokenizer(f"{text}<|im_end|>", add_special_tokens=False)["input_ids"] for text in WRITTEN]
    logprobs = [[-1.0] * len(answer) for answer in answers]
    version = [trainer.state.global_step] * len(prompts)
    return {"prompt_ids": ids, "completion_ids": answers, "logprobs": logprobs, "model_version": version}


def decoupled(columns: Sequence[Sequence[float | None]], weights: Sequence[float], group: int) -> list[float]:
    """Equation 4 and 5 of GDPO (arXiv 2601.05242): normalise by source and group, sum, normalise over the batch."""
    sums: list[float | None] = []
    for start in range(0, len(columns[0]), group):
        terms = [
            relative(column[start : start + group], weight) for column, weight in zip(columns, weights, strict=True)
        ]
        sums += [None if None in row else sum(row) for row in zip(*terms, strict=True)]
    return [0.0 if value is None else value for value in relative(sums, 1.0)]


def relative(values: Sequence[float | None], weight: float) -> list[float | None]:
    seen = [value for value in values if value is not None]
    mean, spread = (fmean(seen), stdev(seen) if len(seen) > 1 else 0.0) if seen else (0.0, 0.0)
    return [None if value is None else weight * (value - mean) / (spread + EPSILON) for value in values]


def test_advantages_are_those_of_the_paper(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    sources = {"gdpo_doubtful": 1.0, "gdpo_size": 0.5}
    trainer, found = advantages(nonsense, {"sources": sources, "weighting": "gdpo"}, config, rows)
    assert trainer.multi_objective_aggregation == "normalize_then_sum"
    assert trainer.reward_func_names == list(sources)
    rewards = trainer._functions[0].scorer.rewards
    columns = [[None if r.total is None else r[name].value for r in rewards] for name in sources]
    assert any(reward.total is None for reward in rewards)
    assert found == pytest.approx(decoupled(columns, list(sources.values()), 4), abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gate": None}, {"11": 2.37, "10": -1.03, "01": -0.22}),
        ({"gate": "gdpo_right"}, {"11": 2.25, "10": 0.70, "01": -0.49}),
    ],
    ids=["a rare slip weighs more than being right", "behind a gate being right comes first"],
)
def test_the_worked_example(
    nonsense: str, config: GRPOConfig, rows: Dataset, changes: dict[str, Any], expected: dict[str, float]
) -> None:
    config.num_generations = 8
    settings = {"sources": dict.fromkeys(WEIGHTS, 1.0), "weighting": "gdpo", **changes}
    _, found = advantages(nonsense, settings, config, rows, rollout_func=written)
    assert dict(zip(WRITTEN, found, strict=True)) == pytest.approx(expected, abs=0.01)


def test_what_is_behind_a_gate_is_normalised_as_the_gate_leaves_it(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    config.num_generations = 8
    settings = {"sources": WEIGHTS, "weighting": "gdpo", "gate": "gdpo_right"}
    trainer, found = advantages(nonsense, settings, config, rows, rollout_func=written)
    right = [1.0, 1.0, *[0.0] * 6]
    gated = [1.0, 0.0, *[0.0] * 6]
    assert list(trainer._logs["rewards"]["gdpo_format"]) == gated
    assert found == pytest.approx(decoupled([right, gated], list(WEIGHTS.values()), 8), abs=1e-3)


def test_the_callers_configuration_stays_as_it_is(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    advantages(nonsense, {"sources": WEIGHTS, "weighting": "gdpo"}, config, rows)
    assert config.multi_objective_aggregation == "sum_then_normalize"
    assert config.reward_weights is None


def test_trls_own_option_goes_with_weights_without_a_gate(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    config.multi_objective_aggregation = "normalize_then_sum"
    trainer, _ = advantages(nonsense, {"sources": WEIGHTS, "weighting": "static"}, config, rows)
    assert trainer.multi_objective_aggregation == "normalize_then_sum"


def test_a_total_cannot_be_normalised_source_by_source(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    with (
        RewardSystem({"sources": WEIGHTS, "weighting": "gdpo"}) as system,
        pytest.raises(ConfigError, match="composed gives one total"),
    ):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, mode="composed")


def test_tasks_that_give_a_source_different_weights_are_refused(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    tasks = {"a": {"sources": {"gdpo_right": 1}}, "b": {"sources": {"gdpo_right": 2}}}
    settings = {"sources": WEIGHTS, "weighting": "gdpo", "tasks": tasks}
    with RewardSystem(settings) as system, pytest.raises(ConfigError, match=r"one weight for all tasks.*'gdpo_right'"):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows)
