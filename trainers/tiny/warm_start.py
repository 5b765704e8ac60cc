"""Teach the embedded model to answer, fast or slow at random: what reinforcement learning then starts from.

The model that comes out can run the machine when it writes the states down, and knows the single steps by heart; but
it picks its way of answering by chance, the same for a hard problem as for an easy one. Choosing is left to be learned
from rewards.
"""

from __future__ import annotations

import hashlib
import json
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerFast, TrainerCallback
from transformers.trainer_callback import PrinterCallback
from transformers.utils import logging as transformers_logging
from trl import SFTConfig, SFTTrainer  # pyright: ignore[reportPrivateImportUsage]

from trainers.tiny import task
from trainers.tiny.model import build_model
from trainers.tiny.tokenizer import build_tokenizer

FINGERPRINT = "warm_start.json"


@dataclass(frozen=True, slots=True)
class WarmStart:
    """How the model is taught.

    There are two lessons. In the first most answers are slow, for it is they that are hard to learn: with three in
    ten from the start, twice as many examples taught them less well. Too few fast ones, and some seeds never learn
    the single steps by heart. The second has the mix that the model is to end with, and changes little but when it
    thinks.

    Attributes:
        steps: Optimizer steps, both lessons together.
        batch_size: Answers in a step.
        learning_rate: The highest; it rises for the first twentieth and then follows a cosine down to zero.
        first_lesson: The first lesson's share of the steps.
        slow_at_first: The share of slow answers in the first lesson.
        slow_at_last: The share of slow answers in the second, so about how often the model will think.
    """

    steps: int = 320
    batch_size: int = 64
    learning_rate: float = 7e-3
    first_lesson: float = 0.6
    slow_at_first: float = 0.75
    slow_at_last: float = 0.25


def warm_start(
    directory: Path,
    seed: int = 0,
    *,
    settings: WarmStart | None = None,
    shown: Sequence[dict[str, Any]] | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Path:
    """Train the embedded model and save it with its tokenizer, unless `directory` holds the result already.

    Args:
        directory: Where to save; made when missing. Afterwards `AutoModelForCausalLM.from_pretrained(directory)` and
            `AutoTokenizer.from_pretrained(directory)` load from it.
        seed: Chooses the weights, the problems and the answers.
        settings: How to teach; `WarmStart()` when not given.
        shown: What to show in place of `examples(settings, seed)`, in the same form and number.
        on_step: Called with the steps done and the steps in all, after each. Never called when nothing is to be done.

    Returns:
        `directory`.
    """
    settings = settings or WarmStart()
    fingerprint = _fingerprint(settings, seed, shown)
    mark = directory / FINGERPRINT
    if _read(mark) == fingerprint:
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    mark.unlink(missing_ok=True)  # from here to the end, what lies in the directory is not to be trusted
    with _quiet():
        tokenizer = build_tokenizer()
        model = build_model(tokenizer, seed)
        _teach(model, tokenizer, directory, settings, seed, shown or examples(settings, seed), on_step)
        model.save_pretrained(directory)
        tokenizer.save_pretrained(directory)
    _write(mark, fingerprint)
    return directory


def examples(settings: WarmStart, seed: int) -> list[dict[str, Any]]:
    """Return what the model is shown, in that order: rows of chat messages, `prompt` and `completion`."""
    rng = random.Random(f"tiny warm start {seed}")  # not the seed of `problems`: RL is to see other problems
    total = settings.steps * settings.batch_size
    first = round(settings.first_lesson * total)
    rows = []
    for index, prompt in enumerate(task.draw(rng, total)):
        slow = rng.random() < (settings.slow_at_first if index < first else settings.slow_at_last)
        answer = task.slow_answer(prompt) if slow else task.fast_answer(prompt)
        rows.append(
            {
                "prompt": [{"role": "user", "content": prompt}],
                "completion": [{"role": "assistant", "content": answer}],
            }
        )
    return rows


def _teach(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    directory: Path,
    settings: WarmStart,
    seed: int,
    shown: Sequence[dict[str, Any]],
    on_step: Callable[[int, int], None] | None,
) -> None:
    on_gpu = torch.cuda.is_available()
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(list(shown)),
        args=SFTConfig(
            output_dir=str(directory),
            max_steps=settings.steps,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=max(1, settings.steps // 20),
            train_sampling_strategy="sequential",  # one lesson after the other
            max_length=None,
            seed=seed,
            use_cpu=not on_gpu,
            dataloader_pin_memory=on_gpu,
            bf16=False,
            gradient_checkpointing=False,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        ),
        callbacks=[_Progress(on_step)] if on_step is not None else [],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()


class _Progress(TrainerCallback):
    """Tells a caller how far the training is."""

    def __init__(self, on_step: Callable[[int, int], None]) -> None:
        self.on_step = on_step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.on_step(state.global_step, state.max_steps)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and deprecations off the screen, and put them back afterwards."""
    switches = [
        (datasets.is_progress_bar_enabled, datasets.disable_progress_bars, datasets.enable_progress_bars),
        (
            transformers_logging.is_progress_bar_enabled,
            transformers_logging.disable_progress_bar,
            transformers_logging.enable_progress_bar,
        ),
    ]
    restore = [enable for is_enabled, _, enable in switches if is_enabled()]
    for _, disable, _ in switches:
        disable()
    try:
        with warnings.catch_warnings():
            # TRL turns `gradient_checkpointing` on unless told otherwise, by the name that transformers gives up in 6.
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        for enable in restore:
            enable()


def _fingerprint(settings: WarmStart, seed: int, shown: Sequence[dict[str, Any]] | None) -> dict[str, Any]:
    # The code is part of it: a model that learned other buttons, or reads with another tokenizer, is another model.
    code = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        code.update(source.read_bytes())
    if shown is not None:
        code.update(json.dumps(list(shown)).encode())
    return {"seed": seed, "settings": asdict(settings), "code": code.hexdigest()}


def _read(mark: Path) -> dict[str, Any] | None:
    try:
        return json.loads(mark.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # missing, cut short, or not ours
        return None


def _write(mark: Path, fingerprint: dict[str, Any]) -> None:
    partial = mark.with_suffix(".partial")
    partial.write_text(json.dumps(fingerprint, indent=2) + "\n", encoding="utf-8")
    partial.replace(mark)
