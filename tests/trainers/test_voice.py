"""A prompt of which only part of the reward speaks teaches by that part."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from datasets import Dataset
from trl.trainer.grpo_config import GRPOConfig

from mars import ConfigError, RewardSystem, Sample, reward
from mars.types import Reward, Status
from trainers.grpo import MarsGRPOTrainer
from trainers.voice import voices

GROUP = 4


@pytest.fixture
def sources() -> dict[str, Any]:
    """A verifier that speaks where there is a reference, and a judge that always does."""

    @reward("spoken_for", kind="verifier", deadline=None)
    def spoken_for(completion: str, reference: str | None = None) -> float | None:
        return None if reference is None else float(len(completion) % 2)

    @reward("opinion", kind="judge", deadline=None)
    def opinion(completion: str) -> float:
        return float(sum(map(ord, completion)) % 7) / 6

    return {"spoken_for": {"weight": 3.0, "required": False}, "opinion": 1.0}


def _rewards(system: RewardSystem) -> list:
    references = [["1"] * GROUP, [None] * GROUP]
    prompts = ["with", "without"]
    samples = [
        Sample("x" * place, prompt, reference=one)
        for prompt, given in zip(prompts, references, strict=True)
        for place, one in enumerate(given)
    ]
    return system.score(samples)


def test_a_prompts_voice_is_the_share_of_the_weight_that_spoke(sources: dict[str, Any]) -> None:
    with RewardSystem({"sources": sources}) as system:
        assert voices(_rewards(system), GROUP, system, None) == [1.0] * GROUP + [0.25] * GROUP


def test_a_strategy_that_does_not_ask_for_it_leaves_every_prompt_its_voice(sources: dict[str, Any]) -> None:
    with RewardSystem({"sources": sources, "weighting": "static"}) as system:
        assert voices(_rewards(system), GROUP, system, None) == [1.0] * GROUP * 2
        assert voices(_rewards(system), GROUP, system, True) == [1.0] * GROUP + [0.25] * GROUP


def test_a_completion_without_a_reward_has_no_say_in_it(sources: dict[str, Any]) -> None:
    with RewardSystem({"sources": sources}) as system:
        masked = Reward(None, Status.ERROR, "", (), "default")
        *_, unverified = _rewards(system)
        assert voices([unverified, masked], 2, system, True) == [0.25, 0.25]
        assert voices([masked, masked], 2, system, True) == [1.0, 1.0]


def test_the_trainers_advantages_are_multiplied_by_it(
    sources: dict[str, Any], nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    def advantages(voice: bool) -> tuple[torch.Tensor, float]:
        half = rows.map(lambda row, place: {"reference": row["reference"] if place % 2 else None}, with_indices=True)
        with RewardSystem({"sources": sources, "weighting": "static"}) as system:
            trainer = MarsGRPOTrainer(nonsense, system, config, train_dataset=half, voice=voice, monitors="off")
            batch = next(iter(trainer.get_train_dataloader()))
            assert trainer.model is not None
            trainer.model.train()
            torch.manual_seed(0)
            return trainer._generate_and_score_completions(batch)["advantages"], trainer._metrics["train"][
                "mars/voice"
            ][0]

    plain, everything = advantages(voice=False)
    spoken, share = advantages(voice=True)
    expected = torch.where(plain == 0, torch.ones(()), spoken / plain)
    assert everything == 1.0
    assert 0.25 <= share < 1.0
    assert set(expected.round(decimals=4).tolist()) <= {1.0, 0.25}
    assert 0.25 in expected.round(decimals=4).tolist()


@pytest.mark.parametrize("change", [{"scale_rewards": "none"}, {"multi_objective_aggregation": "normalize_then_sum"}])
def test_a_voice_that_would_change_nothing_is_refused(
    sources: dict[str, Any], nonsense: str, config: GRPOConfig, rows: Dataset, change: dict[str, Any]
) -> None:
    (name, value), *_ = change.items()
    setattr(config, name, value)
    with (
        RewardSystem({"sources": sources, "weighting": "static"}) as system,
        pytest.raises(ConfigError, match=f"{name}: {value}") as caught,
    ):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, voice=True)
    assert caught.value.path == ("voice",)
