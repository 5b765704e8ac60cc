"""A run that is resumed equals one that never stopped, bit for bit."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from trl.trainer.grpo_config import GRPOConfig

from mars import ConfigError, RewardSystem, TrainingError, reward
from trainers.checkpoint import write_whole
from trainers.grpo import MarsGRPOTrainer
from trainers.signal import SignalPolicy

STEPS, STOP = 6, 3
TIMES = ("seconds", "time", "runtime", "per_second", "profiling")
METRICS: dict[str, Any] = {
    "length": {"weight": 1.0, "settings": {"limit": 8}},
    "repetition": 1.0,
    "checkpoint_digits": 1.0,
}
SIGNAL = {"sources": METRICS, "weighting": "signal"}
PROGRESS = {"sources": METRICS, "weighting": "progress"}
CONSTRAINT = {
    "sources": METRICS,
    "weighting": {"strategy": "constraint", "settings": {"targets": {"length": {"at_least": 0.9}}}},
}
GATED = {"sources": {"checkpoint_short": 1.0, **METRICS}}
JUDGED: dict[str, Any] = {
    "sources": {"checkpoint_verified": {"weight": 2.0, "required": False}, "checkpoint_opinion": 1.0},
    "weighting": "reliability",
}


@pytest.fixture(autouse=True, scope="module")
def _sources() -> None:
    @reward("checkpoint_digits", deadline=None)
    def digits(completion: str) -> float:
        return sum(character.isdigit() for character in completion) / max(1, len(completion))

    @reward("checkpoint_short", kind="verifier", deadline=None)
    def short(completion: str) -> float:
        return float(len(completion) < 6)

    @reward("checkpoint_verified", kind="verifier", deadline=None)
    def verified(prompt: str, completion: str, reference: str | None = None) -> float | None:
        return None if reference is None else float(int(prompt[0]) % 2 == 0 or len(completion) % 2)

    @reward("checkpoint_opinion", kind="judge", deadline=None)
    def opinion(completion: str) -> float:
        return float(sum(map(ord, completion)) % 2)


@pytest.fixture
def config(config: GRPOConfig) -> GRPOConfig:
    """Six steps with a checkpoint after each third."""
    config.max_steps, config.save_steps = STEPS, STOP
    config.save_strategy = "steps"  # type: ignore[assignment]
    return config


def run(
    model: str,
    config: GRPOConfig,
    rows: Dataset,
    settings: dict[str, Any],
    *,
    resume: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Train, and return all that two runs are compared by."""
    with RewardSystem(settings) as system:
        trainer = MarsGRPOTrainer(model, system, config, train_dataset=rows, **options)
        trainer.train(resume_from_checkpoint=resume)
        assert trainer.model is not None
        return {
            "weights": system.state_dict(),
            "parameters": {name: value.detach().clone() for name, value in trainer.model.named_parameters()},
            "logs": [untimed(row) for row in trainer.state.log_history if "train_runtime" not in row],
        }


def untimed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sorted(row.items()) if not any(time in name for time in TIMES)}


def assert_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert repr(one["weights"]) == repr(other["weights"])
    assert [repr(row) for row in one["logs"]] == [repr(row) for row in other["logs"]]
    for name, value in one["parameters"].items():
        assert torch.equal(value, other["parameters"][name]), name


def place(config: GRPOConfig) -> Path:
    return Path(config.output_dir or "") / f"checkpoint-{STOP}"


@pytest.mark.parametrize(
    ("settings", "changes", "problems"),
    [
        (PROGRESS, {"steps_per_generation": 2}, 16),
        (CONSTRAINT, {"steps_per_generation": 2, "num_iterations": 2}, 16),
        (GATED, {"steps_per_generation": 8, "gradient_accumulation_steps": 2}, 16),
        (SIGNAL, {}, 4),
        (SIGNAL, {}, 6),
        (SIGNAL, {"logging_steps": 2, "beta": 0.05}, 16),
    ],
    ids=[
        "within a generation",
        "within a generation that is used twice",
        "within a generation, accumulating gradients",
        "in a later pass over the data",
        "at the end of a pass over the data",
        "between two logs, with a reference model",
    ],
)
def test_a_resumed_run_equals_an_unbroken_one(
    nonsense: str, config: GRPOConfig, rows: Dataset, settings: dict[str, Any], changes: dict[str, int], problems: int
) -> None:
    for name, value in changes.items():
        setattr(config, name, value)
    if "steps_per_generation" in changes:
        config.generation_batch_size = config.per_device_train_batch_size * changes["steps_per_generation"]
    rows = rows.select(range(problems))
    unbroken = run(nonsense, config, rows, settings)
    resumed = run(nonsense, config, rows, settings, resume=str(place(config)))
    assert len(unbroken["logs"]) == STEPS // config.logging_steps
    assert unbroken["logs"][-1]["grad_norm"] > 0, "the last step learned something"
    assert_equal(unbroken, resumed)


@pytest.mark.parametrize("signal", [SignalPolicy("mask"), SignalPolicy("replace")], ids=["masked", "replaced"])
def test_so_does_one_in_which_prompts_are_left_out_and_judges_have_their_share_of_the_voice(
    nonsense: str, config: GRPOConfig, rows: Dataset, signal: SignalPolicy
) -> None:
    config.steps_per_generation, config.generation_batch_size = 2, 16
    unverified = rows.map(lambda row, place: {"reference": row["reference"] if place % 2 else None}, with_indices=True)
    options: dict[str, Any] = {"signal": signal, "voice": True}
    unbroken = run(nonsense, config, unverified, JUDGED, **options)
    resumed = run(nonsense, config, unverified, JUDGED, resume=str(place(config)), **options)
    assert min(row["mars/voice"] for row in unbroken["logs"] if "mars/voice" in row) < 1.0
    assert max(row["mars/no_signal"] for row in unbroken["logs"] if "mars/no_signal" in row) > 0.0
    assert_equal(unbroken, resumed)


def test_a_reference_model_that_was_mixed_is_said_to_start_anew(
    nonsense: str, config: GRPOConfig, rows: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    config.beta, config.sync_ref_model, config.ref_model_sync_steps = 0.05, True, 1
    run(nonsense, config, rows, SIGNAL)
    with caplog.at_level(logging.WARNING, "trainers.checkpoint"):
        run(nonsense, config, rows, SIGNAL, resume=str(place(config)))
    assert "no checkpoint holds the reference model as it was mixed" in caplog.text


def test_a_checkpoint_that_was_moved_resumes_as_well(
    nonsense: str, config: GRPOConfig, rows: Dataset, tmp_path: Path
) -> None:
    unbroken = run(nonsense, config, rows, SIGNAL)
    moved = shutil.move(place(config), tmp_path / "kept")
    shutil.rmtree(config.output_dir or "")
    assert_equal(unbroken, run(nonsense, config, rows, SIGNAL, resume=str(moved)))


def test_a_checkpoint_of_before_still_loads_and_says_what_it_lacks(
    nonsense: str, config: GRPOConfig, rows: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    config.steps_per_generation, config.generation_batch_size = 2, 16
    unbroken = run(nonsense, config, rows, SIGNAL)
    for file in place(config).glob("mars_*"):
        file.unlink()
    with caplog.at_level(logging.WARNING, "trainers.checkpoint"):
        resumed = run(nonsense, config, rows, SIGNAL, resume=str(place(config)))
    assert "mars_state.json" in caplog.text
    assert "mars_trainer_0.pt" in caplog.text
    assert resumed["weights"] != unbroken["weights"], "what the checkpoint lacks is what makes the difference"
    assert not torch.equal(*(next(iter(one["parameters"].values())) for one in (unbroken, resumed)))


def test_another_way_to_generate_is_told_and_not_mixed_in(
    nonsense: str, config: GRPOConfig, rows: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    config.steps_per_generation, config.generation_batch_size = 2, 16
    run(nonsense, config, rows, SIGNAL)
    config.steps_per_generation, config.generation_batch_size = 1, 8
    with caplog.at_level(logging.WARNING, "trainers.checkpoint"):
        run(nonsense, config, rows, SIGNAL, resume=str(place(config)))
    assert "'steps_per_generation': 2" in caplog.text
    assert "'steps_per_generation': 1" in caplog.text


def test_a_checkpoint_of_another_recipe_is_refused(nonsense: str, config: GRPOConfig, rows: Dataset) -> None:
    run(nonsense, config, rows, SIGNAL)
    with pytest.raises(ConfigError, match=r"'signal'.*'static'.*resume with the recipe of the run"):
        run(nonsense, config, rows, SIGNAL | {"weighting": "static"}, resume=str(place(config)))


@pytest.mark.parametrize(
    ("name", "content"), [("mars_state.json", b"{"), ("mars_state.json", b"5"), ("mars_trainer_0.pt", b"{")]
)
def test_a_damaged_file_is_named(nonsense: str, config: GRPOConfig, rows: Dataset, name: str, content: bytes) -> None:
    run(nonsense, config, rows, SIGNAL)
    (place(config) / name).write_bytes(content)
    with pytest.raises(TrainingError, match=rf"{name}.*earlier checkpoint"):
        run(nonsense, config, rows, SIGNAL, resume=str(place(config)))


def test_trl_marks_a_checkpoint_as_whole_only_when_ours_is_in_it(
    nonsense: str, config: GRPOConfig, rows: Dataset
) -> None:
    run(nonsense, config, rows, SIGNAL)
    ours = {file.name: file.stat().st_mtime_ns for file in place(config).glob("mars_*")}
    assert {"mars_state.json", "mars_trainer_0.pt"} <= ours.keys()
    assert max(ours.values()) <= (place(config) / "trainer_state.json").stat().st_mtime_ns
    assert json.loads((place(config) / "mars_state.json").read_text())["weighting"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text("before")

    def interrupted(unfinished: Path) -> None:
        unfinished.write_text("aft")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(file, interrupted)
    assert file.read_text() == "before"
    write_whole(file, lambda unfinished: unfinished.write_text("after"))
    assert file.read_text() == "after"
