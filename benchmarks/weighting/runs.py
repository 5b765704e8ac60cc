"""One run: GRPO of the warm-started model in one world with one strategy, graded on the way; all kept in one file."""

from __future__ import annotations

import json
import os
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.weighting.worlds import IMPORTS, VOICED, WORLDS, World
from mars.system import RewardSystem

STEPS = 50
EVERY = 5
GRADED_ON_THE_WAY = 120
"""How many of the held-out problems, the same ones every time; before and after training all of them are graded."""

TRAIN = {
    "per_device_train_batch_size": 128,
    "num_generations": 8,
    "max_completion_length": 12,
    "learning_rate": 3e-4,
    "lr_scheduler_type": "constant_with_warmup",
    "warmup_steps": 5,
    "adam_beta2": 0.95,
    "beta": 0.0,
}
"""TRL's settings, the same in every run: the demo's with half its batch, and a little room for style. What is not here
is TRL's default, `scale_rewards: group` among it."""


@dataclass(frozen=True)
class Job:
    """One run to do.

    Attributes:
        world: The world's name.
        strategy: The strategy's name.
        seed: Chooses the warm-started model, the problems, and what is drawn.
        steps: Optimizer steps.
        folder: The benchmark's output.
    """

    world: str
    strategy: str
    seed: int
    steps: int
    folder: Path

    @property
    def file(self) -> Path:
        """Where the run is kept once it is done."""
        return self.folder / self.world / f"{self.strategy}-{self.seed}.jsonl"

    def about(self) -> dict[str, Any]:
        """Return what decides how the run goes, as JSON data: the first line of its file.

        The sources' code is part of it; that of the strategies and of the trainer is not.
        """
        world = WORLDS[self.world]
        with RewardSystem(world.reward(self.strategy)) as system:
            fingerprint = system.fingerprint()
        return {
            "about": {
                "world": self.world,
                "strategy": self.strategy,
                "reward": world.reward(self.strategy),
                "fingerprint": fingerprint,
                "referenced": world.referenced,
                "seed": self.seed,
                "steps": self.steps,
                "train": TRAIN,
                "graded": [EVERY, GRADED_ON_THE_WAY],
            }
        }

    def is_done(self) -> bool:
        """Return whether the file holds this very run."""
        if not self.file.exists():
            return False
        with self.file.open() as lines:
            return json.loads(lines.readline()) == json.loads(json.dumps(self.about()))


def prepare(job: Job) -> None:
    """Make the warm-started model of a run's seed, unless it is there."""
    import torch

    from benchmarks.weighting.warm import warm_policy

    torch.set_num_threads(1)
    warm_policy(job.folder, job.seed)


def run(job: Job) -> float:
    """Do a run and write its file, whole or not at all.

    Returns:
        Its wall time in seconds, imports not counted.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        lines = [job.about(), *_train(job, scratch)]
    seconds = time.perf_counter() - start
    lines.append({"seconds": round(seconds, 1), "processor": round(time.process_time(), 1)})
    job.file.parent.mkdir(parents=True, exist_ok=True)
    part = job.file.with_suffix(".part")
    part.write_text("".join(json.dumps(line) + "\n" for line in lines))
    part.replace(job.file)
    return seconds


def training_rows(world: World, size: int, seed: int) -> list[dict[str, Any]]:
    """Return problems to train on; those that the world's verifier cannot judge have no reference."""
    from trainers.tiny import task

    return [
        {
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "reference": row["reference"] if world.has_reference(row["prompt"]) else None,
        }
        for row in task.problems("train", size, seed)
    ]


def _train(job: Job, scratch: str) -> list[dict[str, Any]]:
    """Train, and return the lines: a step's weights, or a graded policy's answers."""
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback
    from transformers.utils import logging
    from trl.trainer.grpo_config import GRPOConfig

    from benchmarks.weighting.warm import warm_policy
    from trainers.grpo import MarsGRPOTrainer

    torch.set_num_threads(1)
    logging.disable_progress_bar()
    world = WORLDS[job.world]
    with RewardSystem(world.reward(job.strategy)) as system:
        args = GRPOConfig(
            scratch,
            **TRAIN,
            max_steps=job.steps,
            seed=job.seed,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            dataloader_pin_memory=False,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        rows = training_rows(
            world, job.steps * TRAIN["per_device_train_batch_size"] // TRAIN["num_generations"], job.seed
        )
        policy = str(warm_policy(job.folder, job.seed))
        voice = True if job.strategy == VOICED else None
        data = Dataset.from_list(rows)
        trainer = MarsGRPOTrainer(policy, system, args, train_dataset=data, monitors="off", voice=voice)
        trainer.remove_callback(PrinterCallback)
        record = _record(trainer, system, job)
        trainer.add_callback(record)
        trainer.train()
        return record.lines


def _record(trainer: Any, system: Any, job: Job) -> Any:
    """Return the callback that grades the policy and notes the weights."""
    from transformers import TrainerCallback

    from trainers.evaluation import evaluate
    from trainers.settings import EvaluateSettings
    from trainers.tiny import task

    problems = [{**row, "prompt": [{"role": "user", "content": row["prompt"]}]} for row in task.problems("test")]
    grader = RewardSystem({"imports": IMPORTS, "sources": {"machine_answer": 1.0}})
    settings = EvaluateSettings(seed=job.seed)

    class Record(TrainerCallback):
        def __init__(self) -> None:
            self.lines: list[dict[str, Any]] = []

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.weights(0)
            self.grade(0, len(problems))

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.weights(state.global_step)
            if state.global_step == job.steps:
                self.grade(state.global_step, len(problems))
            elif state.global_step % EVERY == 0:
                self.grade(state.global_step, GRADED_ON_THE_WAY)

        def weights(self, step: int) -> None:
            [weights], [logs] = system.weights().values(), system.strategy_logs().values()
            self.lines.append({"step": step, "weights": weights, "logs": logs})

        def grade(self, step: int, size: int) -> None:
            model = trainer.accelerator.unwrap_model(trainer.model)
            found = evaluate(
                model, trainer.processing_class, problems[:size], grader, settings, TRAIN["max_completion_length"]
            )
            answers = [[a.sample.prompt, a.sample.completion, a.correct] for a in found.answers]
            self.lines.append({"step": step, "answers": answers})

    return Record()
