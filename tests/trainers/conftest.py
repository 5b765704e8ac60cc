"""A model that answers nonsense at once, which is all that most tests of a trainer need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from datasets import Dataset
from trl.trainer.grpo_config import GRPOConfig

from mars import RewardSystem
from trainers.tiny import task
from trainers.tiny.model import build_model
from trainers.tiny.tokenizer import build_tokenizer

BATCH = 8
GROUP = 4


@pytest.fixture(scope="session")
def nonsense(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of an untrained embedded model with its tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "nonsense"
    tokenizer = build_tokenizer()
    build_model(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def rows() -> Dataset:
    """Sixteen problems of the embedded task, as TRL wants them."""
    problems = task.problems("train", 16)
    return Dataset.from_list([row | {"prompt": [{"role": "user", "content": row["prompt"]}]} for row in problems])


@pytest.fixture
def config(tmp_path: Path) -> GRPOConfig:
    """Two small steps on the CPU, every step logged."""
    return GRPOConfig(
        output_dir=str(tmp_path / "run"),
        max_steps=2,
        per_device_train_batch_size=BATCH,
        num_generations=GROUP,
        max_completion_length=6,
        learning_rate=1e-3,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        disable_tqdm=True,
        seed=0,
    )


@pytest.fixture
def system() -> Iterator[RewardSystem]:
    """Two sources that always have something to say of nonsense, added up."""
    with RewardSystem({"sources": {"length": {"weight": 0.5, "settings": {"limit": 8}}, "repetition": 2.0}}) as made:
        yield made
