"""Prompts without signal give way to others: which ones, how often, and what the batch looks like afterwards."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from transformers import AutoTokenizer
from trl.trainer.grpo_config import GRPOConfig

from mars import ConfigError, RewardSystem, TrainingError, reward
from mars.recipe import Recipe
from trainers.grpo import MarsGRPOTrainer
from trainers.resampling import by_rank, draw, merge
from trainers.run import run
from trainers.signal import Lack, SignalPolicy

GROUP = 4
PAD = 99


@pytest.fixture(autouse=True, scope="module")
def _sources() -> None:
    @reward("resample_odd_states_differ", kind="verifier", deadline=None)
    def odd_states_differ(prompt: str, completion: str) -> float:
        """All completions of an even state are right; those of an odd one are worth this or that."""
        return 1.0 if int(prompt[0]) % 2 == 0 else sum(map(ord, completion)) % 9 / 8

    @reward("resample_never_right", kind="verifier", deadline=None)
    def never_right(completion: str) -> float:
        return 0.0


@given(
    rows=st.integers(1, 50), counts=st.lists(st.integers(0, 20), max_size=4), step=st.integers(0, 10**6), data=st.data()
)
def test_draws_repeat_by_their_key_and_no_row_comes_twice_while_there_are_others(
    rows: int, counts: list[int], step: int, data: st.DataObject
) -> None:
    drawn: list[int] = []
    for turn, count in enumerate(counts):
        key = f"0/{step}/{turn}"
        found = draw(rows, count, key, drawn)
        assert found == draw(rows, count, key, drawn)
        assert len(found) == count and all(0 <= row < rows for row in found)
        drawn += found
    assert len(set(drawn)) == min(len(drawn), rows) or len(drawn) > rows


def test_another_step_draws_other_rows() -> None:
    assert len({tuple(draw(1000, 5, f"0/{step}/0/0")) for step in range(20)}) == 20


@given(st.lists(st.sampled_from([None, Lack.RIGHT, Lack.WRONG]), min_size=4, max_size=4), st.sampled_from([1, 2, 4]))
def test_every_prompt_is_either_with_signal_or_without_on_its_rank(found: list[Lack | None], ranks: int) -> None:
    each = len(found) // ranks
    for rank in range(ranks):
        without, having = (by_rank(found, ranks, lacking=lacking)[rank] for lacking in (True, False))
        assert sorted([*without, *having]) == list(range(each))
        assert all(found[rank * each + place] is not None for place in without)


def batch_of(prompts: list[list[int]], answers: list[list[int]]) -> dict[str, Any]:
    """Pad as TRL does: prompts on the left, completions on the right."""
    wide, long = max(map(len, prompts)), max(map(len, answers))
    return {
        "prompt_ids": torch.tensor([[PAD] * (wide - len(p)) + p for p in prompts]),
        "prompt_mask": torch.tensor([[0] * (wide - len(p)) + [1] * len(p) for p in prompts]),
        "completion_ids": torch.tensor([a + [PAD] * (long - len(a)) for a in answers]),
        "completion_mask": torch.tensor([[1] * len(a) + [0] * (long - len(a)) for a in answers]),
        "old_per_token_logps": torch.tensor([[-float(t) for t in a] + [0.0] * (long - len(a)) for a in answers]),
        "importance_sampling_ratio": torch.tensor([[1.0 + len(p)] for p in prompts]),
        "advantages": torch.tensor([float(sum(a)) for a in answers]),
        "num_items_in_batch": torch.tensor(sum(map(len, answers))),
    }


def rows_of(batch: dict[str, Any]) -> list[tuple[list[int], list[int], float]]:
    """Return what a batch says, without its padding."""
    every = range(len(batch["advantages"]))
    return [
        (
            batch["prompt_ids"][i][batch["prompt_mask"][i].bool()].tolist(),
            batch["completion_ids"][i][batch["completion_mask"][i].bool()].tolist(),
            batch["advantages"][i].item(),
        )
        for i in every
    ]


texts = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@given(
    first=st.lists(st.tuples(texts, texts), min_size=4, max_size=4),
    fresh=st.lists(st.tuples(texts, texts), min_size=2, max_size=6).filter(lambda rows: len(rows) % 2 == 0),
    where=st.permutations([0, 1]),
)
def test_merging_says_what_both_batches_said_whatever_their_paddings(first: Any, fresh: Any, where: list[int]) -> None:
    swaps = dict(zip(where, range(len(fresh) // 2), strict=False))
    one, two = (batch_of([p for p, _ in rows], [a for _, a in rows]) for rows in (first, fresh))
    before = rows_of(one)
    merged = merge(one, two, swaps, 2, PAD)
    expected = list(before)
    for old, new in swaps.items():
        expected[2 * old : 2 * old + 2] = rows_of(two)[2 * new : 2 * new + 2]
    assert rows_of(merged) == expected
    assert rows_of(one) == before, "what was merged stays as it was"
    mask = merged["completion_mask"].bool()
    assert (merged["completion_ids"][~mask] == PAD).all()
    assert torch.equal(merged["old_per_token_logps"][mask], -merged["completion_ids"][mask].float())
    assert merged["importance_sampling_ratio"].shape == (4, 1)


def test_what_cannot_be_merged_is_refused() -> None:
    batch = batch_of([[1], [2]], [[3], [4]])
    with pytest.raises(TrainingError, match="'pixel_values'"):
        merge(batch | {"pixel_values": torch.zeros(2, 3)}, batch, {0: 0}, 2, PAD)
    with pytest.raises(TrainingError, match="'old_per_token_logps'"):
        merge(batch, {k: v for k, v in batch.items() if k != "old_per_token_logps"}, {0: 0}, 2, PAD)


def odd(rows: Dataset, *, start: bool) -> list[dict[str, Any]]:
    return [dict(row) for row in map(dict, rows) if (int(row["prompt"][0]["content"][0]) % 2 == 1) is start]


def trained(
    model: str,
    config: GRPOConfig,
    rows: Dataset,
    rounds: int,
    source: str = "resample_odd_states_differ",
    resume: str | None = None,
) -> tuple[MarsGRPOTrainer, list[list[Any]]]:
    """Train, and return beside the trainer the prompts that were generated for, call by call."""
    asked: list[list[Any]] = []

    class Watched(MarsGRPOTrainer):
        def _generate(self, prompts: list[Any]) -> Any:
            asked.append([prompt[0]["content"] for prompt in prompts])
            return super()._generate(prompts)

    with RewardSystem({"sources": {source: 1}}) as system:
        policy = SignalPolicy("replace", replace_rounds=rounds)
        trainer = Watched(model, system, config, train_dataset=rows, signal=policy)
        trainer.train(resume_from_checkpoint=resume)
    return trainer, asked


def logged(trainer: MarsGRPOTrainer, key: str) -> list[float]:
    return [row[key] for row in trainer.state.log_history if key in row]


def test_prompts_without_signal_give_way_to_others_that_have_it(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    trainer, asked = trained(nonsense, config, rows, rounds=20)
    without = [round(share * 2) for share in logged(trainer, "mars/no_signal")]
    assert sum(without) > 0
    assert logged(trainer, "mars/no_signal/right") == logged(trainer, "mars/no_signal")
    assert logged(trainer, "mars/replaced") == without
    assert logged(trainer, "mars/kept_share") == [1.0] * config.max_steps
    assert sum(logged(trainer, "mars/generations")) == len(asked)
    again = [prompts for prompts in asked if len(prompts) < 2 * GROUP]
    assert all(prompts == [p for p in prompts[::GROUP] for _ in range(GROUP)] for prompts in asked), "whole prompts"
    assert again or 2 in without, "no more is generated than is missing"


def test_what_is_trained_on_are_the_rows_that_took_their_place(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    even = odd(rows, start=False)[:2]
    with RewardSystem({"sources": {"resample_odd_states_differ": 1}}) as system:
        data = Dataset.from_list([*even, *odd(rows, start=True)])
        policy = SignalPolicy("replace", replace_rounds=20)
        trainer = MarsGRPOTrainer(nonsense, system, config, train_dataset=data, signal=policy)
        assert trainer.model is not None
        trainer.model.train()
        batch = trainer._generate_and_score_completions([even[0]] * GROUP + [even[1]] * GROUP)
    prompts = AutoTokenizer.from_pretrained(nonsense).batch_decode(batch["prompt_ids"], skip_special_tokens=True)
    shown = {prompt.strip().split("\n")[1][0] for prompt in prompts}
    assert shown and all(int(state) % 2 == 1 for state in shown)
    assert batch["kept_rows"].all()
    assert batch["num_items_in_batch"] == batch["completion_mask"].sum()
    groups = batch["advantages"].view(-1, GROUP)
    assert torch.allclose(groups.mean(dim=1), torch.zeros(2), atol=1e-5) and (groups.std(dim=1) > 0.5).all()


def test_rounds_are_capped_and_what_is_left_is_masked(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    trainer, asked = trained(nonsense, config, rows, rounds=2, source="resample_never_right")
    assert logged(trainer, "mars/generations") == [3.0, 3.0]
    assert len(asked) == 3 * config.max_steps
    assert logged(trainer, "mars/replaced") == logged(trainer, "mars/kept_share") == [0.0, 0.0]
    assert logged(trainer, "loss") == [0.0, 0.0]


def test_the_same_seed_asks_the_same_prompts(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    config.max_steps = 1
    (_, one), (_, two) = (trained(nonsense, config, rows, rounds=1, source="resample_never_right") for _ in range(2))
    assert one == two
    other = dataclasses.replace(config, seed=1, steps_per_generation=None)
    _, three = trained(nonsense, other, rows, rounds=1, source="resample_never_right")
    assert three != one


def test_a_run_that_is_resumed_asks_what_it_would_have_asked(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    config.save_strategy, config.save_steps = "steps", 1  # type: ignore[assignment]
    _, whole = trained(nonsense, config, rows, rounds=1, source="resample_never_right")
    checkpoint = str(Path(config.output_dir or "") / "checkpoint-1")
    _, resumed = trained(nonsense, config, rows, rounds=1, source="resample_never_right", resume=checkpoint)
    assert resumed == whole[len(whole) // 2 :]


def test_the_weighting_learns_once_a_step_from_what_the_data_gave(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    seen: list[int] = []
    with RewardSystem({"sources": {"resample_never_right": 1}}) as system:
        update = system.update
        system.update = lambda rewards: (seen.append(len(rewards)), update(rewards))[1]  # type: ignore[method-assign]
        policy = SignalPolicy("replace", replace_rounds=2)
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, signal=policy).train()
    assert seen == [2 * GROUP] * config.max_steps


def test_measures_are_of_the_batch_as_drawn(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    trainer, _ = trained(nonsense, config, rows, rounds=3)
    with RewardSystem({"sources": {"resample_odd_states_differ": 1}}) as system:
        plain = MarsGRPOTrainer(nonsense, system, config, train_dataset=rows)
        plain.train()
    for key in (
        "reward",
        "mars/no_signal",
        "completions/mean_length",
        "mars/accuracy/hard",
        "mars/monitor/length/answer/hard",
    ):
        assert logged(trainer, key)[0] == logged(plain, key)[0], key
    assert logged(trainer, "num_tokens")[0] > logged(plain, "num_tokens")[0], "but all that was generated is counted"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"scale_rewards": "batch"}, "scale_rewards: batch"),
        ({"multi_objective_aggregation": "normalize_then_sum"}, "normalize_then_sum"),
    ],
    ids=["scaled by the batch", "decoupled"],
)
def test_what_cannot_be_replaced_in_is_refused_at_start(
    nonsense: str, config: GRPOConfig, system: RewardSystem, rows: Dataset, change: dict[str, Any], why: str
) -> None:
    for name, value in change.items():
        setattr(config, name, value)
    with pytest.raises(ConfigError, match=why) as caught:
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, signal=SignalPolicy("replace"))
    assert caught.value.path == ("no_signal",)


def test_streams_and_rollout_functions_are_refused_at_start(
    nonsense: str, config: GRPOConfig, system: RewardSystem, rows: Dataset
) -> None:
    policy = SignalPolicy("replace")
    with pytest.raises(ConfigError, match="stream"):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows.to_iterable_dataset(), signal=policy)
    with pytest.raises(ConfigError, match="rollout_func"):
        MarsGRPOTrainer(nonsense, system, config, train_dataset=rows, signal=policy, rollout_func=lambda *_: {})


RECIPE = """\
model: {{path: {model}}}
data: {{source: tiny, size: 16, test_size: 2}}
reward: {{sources: {{exact: 1}}}}
train:
  report_to: none
  per_device_train_batch_size: 8
  num_generations: 4
{more}
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("  no_signal: replace\n  scale_rewards: batch", r"8: train\.no_signal: replace mixes batches"),
        ("  loss_type: gspo", r"8: train\.loss_type: TRL has no loss_type 'gspo'\. Did you mean '\w+'\?"),
        ("  voice: true\n  scale_rewards: none", r"8: train\.voice: true asks for .*leave voice out"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_told_by_its_line(
    nonsense: str, tmp_path: Path, more: str, said: str
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE.format(model=nonsense, more=more))
    with pytest.raises(ConfigError, match=rf"recipe\.yaml:{said}"):
        run(Recipe.load(file, [f"output={tmp_path / 'run'}"]), Console(quiet=True))
