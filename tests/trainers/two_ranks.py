"""What `test_ranks.py` runs on each of two ranks: trains, stops, resumes, and writes down what became of it."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import torch.distributed as dist
from datasets import Dataset
from transformers import TrainerControl
from trl.trainer.grpo_config import GRPOConfig

from mars import Reward, RewardSystem, TrainingError, reward
from mars.audit.monitors import Forgetful, Options, Reading, Scene, Step, monitor
from trainers import ranks
from trainers.callbacks import GracefulStop
from trainers.grpo import MarsGRPOTrainer
from trainers.tiny import task

STEPS = 4
SETTINGS: dict[str, Any] = {
    "sources": {"length": {"weight": 1.0, "settings": {"limit": 8}}, "two_ranks_digits": 1.0, "repetition": 0.5},
    "weighting": "signal",
}


def register() -> None:
    """Make the sources known."""

    @reward("two_ranks_digits", deadline=None)
    def digits(completion: str) -> float:
        return sum(character.isdigit() for character in completion) / max(1, len(completion))

    @reward("two_ranks_second_fails", kind="verifier", deadline=None)
    def second_fails(completion: str) -> float:
        if dist.get_rank() == 1:
            raise RuntimeError("the second rank's grader is down")
        return 1 / (1 + len(completion))

    @reward("two_ranks_fails", kind="verifier", deadline=None)
    def fails(completion: str) -> float:
        raise RuntimeError("every grader is down")


@monitor("two_ranks_differ", advice="Nothing can be done about having two ranks.")
class Differ(Forgetful):
    """Alarmed on the first rank only, as one that asks a service may be."""

    def __init__(self, options: Options, scene: Scene) -> None:
        self.shown: list[list[str]] = []

    def read(self, step: Step) -> list[Reading]:
        """Remember what was shown."""
        self.shown.append([one.sample.completion for one in (*step.seen, *step.canaries)])
        return [Reading("", 1.0, 0.5, dist.get_rank() == 0, "the first rank is alarmed")]


def remember(scored: list[Sequence[Reward]]) -> None:
    """Keep what this rank scores, and let it go on as ever."""
    pooled = ranks.pooled

    def remembering(rewards: Sequence[Reward]) -> Sequence[Reward]:
        scored.append(rewards)
        return pooled(rewards)

    ranks.pooled = remembering


def trainer_of(
    model: str, folder: Path, settings: dict[str, Any], steps: int = STEPS, **options: Any
) -> MarsGRPOTrainer:
    """Make a trainer with one group a step, half of it on each rank, and two steps a generation."""
    problems = task.problems("train", 8)
    rows = [row | {"prompt": [{"role": "user", "content": row["prompt"]}]} for row in problems]
    config = GRPOConfig(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=2,
        num_generations=8,
        steps_per_generation=2,
        max_completion_length=6,
        learning_rate=1e-2,
        logging_steps=1,
        save_steps=3,
        report_to="none",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        disable_tqdm=True,
        ddp_backend="gloo",
        ddp_timeout=90,
        seed=0,
    )
    return MarsGRPOTrainer(model, RewardSystem(settings), config, train_dataset=Dataset.from_list(rows), **options)


def outcome(trainer: MarsGRPOTrainer) -> dict[str, Any]:
    """Return what two runs, or two ranks, are compared by."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    parameters = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    return {"weights": repr(trainer.system.weights()), "parameters": parameters.numpy().tobytes()}


def watched(model: str, folder: Path) -> dict[str, Any]:
    """Train with a monitor that stops the run at the second batch, and return what this rank saw of it."""
    canaries = [{"prompt": [{"role": "user", "content": "7a="}], "reference": "none", "task": "easy"}]
    asking = {"file": "given.jsonl", "every": 2, "samples": 3}
    monitors = {"two_ranks_differ": {"patience": 2, "action": "stop"}, "canaries": asking}
    trainer = trainer_of(model, folder / "watched", SETTINGS, 8, monitors=monitors, canaries=canaries)
    trainer.train()
    differ: Any = trainer.monitoring.watch._watched["two_ranks_differ"].monitor
    return {
        "shown": differ.shown,
        "steps": trainer.state.global_step,
        "halted": trainer.monitoring.halted,
        "parameters": outcome(trainer)["parameters"],
    }


def stop_of(trainer: MarsGRPOTrainer) -> str | None:
    """Train, and return why it was stopped."""
    try:
        trainer.train()
    except TrainingError as error:
        return str(error)
    return None


def stops(stop: GracefulStop) -> bool:
    """Return whether training stops at the end of this step."""
    control = TrainerControl()
    stop.on_step_end(None, None, control)
    return control.should_training_stop and control.should_save and stop.requested


def main(model: str, folder: Path) -> None:
    """Do everything, and write it to a file of this rank."""
    register()
    scored: list[Sequence[Reward]] = []
    remember(scored)
    whole = trainer_of(model, folder / "run", SETTINGS)
    rank = whole.accelerator.process_index
    whole.train()
    found: dict[str, Any] = {"whole": outcome(whole), "scored": list(scored)}
    resumed = trainer_of(model, folder / "run", SETTINGS)
    resumed.train(resume_from_checkpoint=str(folder / "run" / "checkpoint-3"))
    found["resumed"] = outcome(resumed)
    elsewhere = trainer_of(model, folder / "elsewhere", SETTINGS)
    elsewhere.create_optimizer()
    elsewhere.get_train_dataloader()
    # As where the folder of a checkpoint can be seen from the first rank only.
    elsewhere.checkpoint.load(folder / ("run" if rank == 0 else "elsewhere") / "checkpoint-3")
    found["loaded"] = repr(elsewhere.system.weights())
    one = {"sources": {"two_ranks_second_fails": 1}}
    found["one fails"] = stop_of(trainer_of(model, folder / "one", one, 1, max_masked_steps=1))
    both = {"sources": {"two_ranks_fails": 1}}
    found["all fail"] = stop_of(trainer_of(model, folder / "all", both, 1, max_masked_steps=1))
    found["watched"] = watched(model, folder)
    stop = GracefulStop(print)
    found["unasked"] = stops(stop)
    if rank == 1:
        stop._on_signal(2, None)
    found["asked"] = stops(stop)
    (folder / f"rank-{rank}.pickle").write_bytes(pickle.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
