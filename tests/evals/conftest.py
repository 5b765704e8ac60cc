"""An untrained embedded model, and a model that says what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from evals.types import Completion, ModelCard, Request, Sampling
from trainers.tiny.model import build_model
from trainers.tiny.tokenizer import build_tokenizer


@pytest.fixture(scope="session", autouse=True)
def _two_threads() -> None:
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an untrained embedded model with its tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "untrained"
    tokenizer = build_tokenizer()
    build_model(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@dataclass
class Scripted:
    """A model whose every completion a function gives; it answers in reverse order, as a batching one may."""

    say: Callable[[Request], str | Completion]
    card: ModelCard = field(default_factory=lambda: ModelCard("scripted", "0" * 12))
    asked: list[Request] = field(default_factory=list)

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, batch_size: int
    ) -> Iterator[tuple[int, Completion]]:
        self.asked.extend(requests)
        for index in reversed(range(len(requests))):
            said = self.say(requests[index])
            yield index, said if isinstance(said, Completion) else Completion(said, len(said), cut_off=False)


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted
