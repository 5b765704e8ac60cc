"""What a checkpoint must hold beside TRL's own files, so that a run that is resumed equals one that never stopped.

TRL saves neither where it stands among the batches that it generated and has not trained on yet, nor the measures that
it has not logged yet, nor the order of the next pass over the data.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate.utils import send_to_device
from transformers import TrainerCallback

from mars.errors import TrainingError
from trainers import ranks

logger = logging.getLogger(__name__)


class Stateful(Protocol):
    """What has a state that a checkpoint keeps; it is the same on every rank."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to go on from here, as JSON data."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        ...


class Checkpoint(TrainerCallback):
    """Saves and restores what TRL does not.

    `mars_NAME.json` has the state of one part, written by rank 0 and loaded by all. `mars_trainer_RANK.pt` has where
    each rank stands in its work. Both are written before TRL's files, whose `trainer_state.json` comes last: where that
    is whole, these are.

    Args:
        trainer: The trainer.
        parts: What has a state of its own, by name.
    """

    def __init__(self, trainer: Any, parts: Mapping[str, Stateful]) -> None:
        self.parts = dict(parts)
        self._trainer = trainer
        self._place: dict[str, Any] | None = None

    def save(self, folder: Path) -> None:
        """Write the files of this rank; call it on every rank."""
        folder.mkdir(parents=True, exist_ok=True)
        if self._trainer.args.should_save:
            for name, part in self.parts.items():
                text = json.dumps(part.state_dict())
                write_whole(folder / f"mars_{name}.json", lambda file, text=text: file.write_text(text))
        place = self._standing()
        write_whole(folder / self._file, lambda file: torch.save(place, file))
        self._trainer.accelerator.wait_for_everyone()

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint; call it on every rank. One of an older version lacks files: that is a warning.

        Raises:
            ConfigError: When the state is of another recipe.
            TrainingError: When a file cannot be read.
        """
        for name, part in self.parts.items():
            file = folder / f"mars_{name}.json"
            text = ranks.from_the_first(file.read_text(errors="replace") if file.exists() else None)
            if text is None:
                logger.warning("%s has no %s: its state starts anew", folder, file.name)
                continue
            part.load_state_dict(_parsed(text, file))
        self._trainer.skip_passes(int(self._trainer.state.epoch or 0))
        self._load_place(folder)
        if getattr(self._trainer.args, "sync_ref_model", False):
            logger.warning(
                "sync_ref_model: no checkpoint holds the reference model as it was mixed; it starts anew from %r",
                getattr(self._trainer.model.config, "_name_or_path", ""),
            )

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take up the measures that were not logged yet, which training has just reset."""
        place, self._place = self._place, None
        if place is not None:
            self._trainer._tr_loss = place["loss"].to(args.device)
            self._trainer._globalstep_last_logged = place["last_logged"]

    @property
    def _file(self) -> str:
        return f"mars_trainer_{self._trainer.accelerator.process_index}.pt"

    @property
    def _run(self) -> dict[str, int]:
        """What must be the same for a rank to go on where it stood."""
        args = self._trainer.args
        return {
            "ranks": self._trainer.accelerator.num_processes,
            "per_device_train_batch_size": args.per_device_train_batch_size,
            "steps_per_generation": args.steps_per_generation,
            "num_iterations": self._trainer.num_iterations,
        }

    def _standing(self) -> dict[str, Any]:
        """Return where this rank stands: plain data and tensors, which load without running any code."""
        trainer = self._trainer
        cycle = trainer.args.steps_per_generation * trainer.num_iterations
        return {
            "run": self._run,
            "step": trainer._step,
            # At the end of a cycle the next step generates anew, whatever is left.
            "generated": trainer._buffered_inputs if trainer._step % cycle else None,
            "measures": {
                name: [float(value) for value in values] for name, values in trainer._metrics["train"].items()
            },
            "masked_steps": trainer.masked_steps,
            "loss": trainer._tr_loss.detach(),
            "last_logged": trainer._globalstep_last_logged,
        }

    def _load_place(self, folder: Path) -> None:
        trainer, file = self._trainer, folder / self._file
        why, place = "", None
        if not ranks.everywhere(found=file.exists()):
            why = f"it has no {file.name}, on some rank at least"
        else:
            place = self._read(file)
            if place["run"] != self._run:
                why = f"it is of a run with {place['run']}, this one has {self._run}"
        if why or place is None:
            logger.warning("%s: %s; the run goes on, but not just as it would have without the stop", folder, why)
            return
        trainer._step = place["step"]
        trainer._buffered_inputs = send_to_device(place["generated"], trainer.accelerator.device)
        trainer._metrics["train"] = defaultdict(list, place["measures"])
        trainer.masked_steps = place["masked_steps"]
        self._place = place

    def _read(self, file: Path) -> dict[str, Any]:
        place, problem = {}, None
        try:
            place = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file raises as many things as there are ways to damage it
            problem = f"{file} is damaged ({type(error).__name__}); resume from an earlier checkpoint"
        if problem := ranks.first(problem):
            raise TrainingError(problem)
        return place


def write_whole(file: Path, write: Callable[[Path], Any]) -> None:
    """Write a file whole or not at all."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    write(unfinished)
    unfinished.replace(file)


def _parsed(text: str, file: Path) -> dict[str, Any]:
    try:
        state = json.loads(text)
    except ValueError as error:
        raise TrainingError(f"{file}: {error}; resume from an earlier checkpoint") from error
    if not isinstance(state, dict):
        raise TrainingError(f"{file} holds no state; resume from an earlier checkpoint")
    return state
