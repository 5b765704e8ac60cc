"""What a trainer does about prompts without signal in the batch that it has just scored: keep, mask or replace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from mars.system import RewardSystem
from mars.types import Reward
from trainers.resampling import by_rank, check_replacement, draw, merge
from trainers.signal import Lack, SignalPolicy, lacks
from trainers.zero_advantage import Batch, check_normalizer, leave_out, masked

Generate = Callable[[list[dict[str, Any]]], tuple[Batch, Sequence[Reward]]]
"""Generates for rows of the data and scores: this rank's batch, and the rewards of all ranks in their order."""
_COSTS = ("/seconds", "/tokens", "/money", "/cached")
"""How the measures end that add up over the rounds of a step; all others are of the batch as it was drawn."""


class NoSignal:
    """Finds, counts and deals with prompts that teach nothing.

    Logged: `mars/no_signal` (share of prompts without signal, as drawn; of these `/right` and `/wrong` throughout),
    `mars/kept_share` (share of completions trained on), and of replacement `mars/replaced` (prompts) and
    `mars/generations` (rounds of generation in the step, the first one too).

    Args:
        trainer: A `GRPOTrainer` that was set up.
        system: Gives its rewards.
        policy: What is to be done.

    Raises:
        ConfigError: When it cannot be done with this trainer's options.
    """

    def __init__(self, trainer: Any, system: RewardSystem, policy: SignalPolicy) -> None:
        self.policy = policy
        self._trainer = trainer
        self._system = system
        if policy.no_signal != "keep":
            more_terms = trainer._entropy_bonus_enabled or trainer.aux_loss_enabled
            check_normalizer(trainer.loss_type, policy.normalizer, more_terms=more_terms)
        if policy.no_signal == "replace":
            check_replacement(trainer)

    def settle(self, batch: Batch, rewards: Sequence[Reward], generate: Generate) -> Batch:
        """Return the batch to train on; call it on every rank.

        Args:
            batch: What this rank generated.
            rewards: Those of all ranks, in the order of the ranks.
            generate: Generates anew.
        """
        found = self._lacks(rewards)
        for name, kinds in (("", list(Lack)), ("/right", [Lack.RIGHT]), ("/wrong", [Lack.WRONG])):
            self._log(f"mars/no_signal{name}", sum(lack in kinds for lack in found) / len(found))
        if self.policy.no_signal == "keep":
            return batch
        if self.policy.no_signal == "replace":
            batch, found = self._replaced(batch, found, generate)
        return self._masked(batch, found)

    def loss(self, batch: Batch) -> tuple[Batch, torch.Tensor | float]:
        """Return a micro-batch with its mask, and what its loss is to be multiplied by."""
        return masked(batch, self._trainer.loss_type, self.policy.normalizer)

    def _masked(self, batch: Batch, found: Sequence[Lack | None]) -> Batch:
        trainer, size, rows = self._trainer, self._trainer.num_generations, len(batch["advantages"])
        share = sum(lack is None for lack in found) / len(found)
        self._log("mars/kept_share", share)
        start = trainer.accelerator.process_index * rows  # a prompt may be spread over ranks
        kept = torch.tensor([found[row // size] is None for row in range(start, start + rows)])
        kept = kept.to(batch["completion_mask"].device)
        return leave_out(batch, kept, share, trainer.loss_type, self.policy.normalizer, self._add_up)

    def _replaced(self, batch: Batch, found: list[Lack | None], generate: Generate) -> tuple[Batch, list[Lack | None]]:
        """Generate for other prompts until all have signal, or the rounds are used up.

        Every rank generates for as many prompts as the one that misses most, so that all make the same calls.
        """
        trainer, size = self._trainer, self._trainer.num_generations
        rank, ranks = trainer.accelerator.process_index, trainer.accelerator.num_processes
        drawn: list[int] = []
        replaced = rounds = 0
        while rounds < self.policy.replace_rounds and any(lack is not None for lack in found):
            missing = by_rank(found, ranks, lacking=True)
            need = max(map(len, missing))
            rows = draw(len(trainer.train_dataset), need * ranks, self._key(rounds), drawn)
            drawn += rows
            own = [trainer.train_dataset[row] for row in rows[rank * need : (rank + 1) * need]]
            with self._measures_aside():
                fresh, rewards = generate([dict(row) for row in own for _ in range(size)])
            useful = by_rank(self._lacks(rewards), ranks, lacking=False)
            swaps = [dict(zip(*pair, strict=False)) for pair in zip(missing, useful, strict=True)]
            batch = merge(batch, fresh, swaps[rank], size, trainer._tokenizer.pad_token_id)
            for one, swap in enumerate(swaps):
                for place in swap:
                    found[one * (len(found) // ranks) + place] = None
            replaced += sum(map(len, swaps))
            rounds += 1
        self._log("mars/replaced", float(replaced))
        self._log("mars/generations", 1.0 + rounds)
        return batch, found

    def _lacks(self, rewards: Sequence[Reward]) -> list[Lack | None]:
        decoupled = self._trainer.multi_objective_aggregation == "normalize_then_sum"
        return lacks(rewards, self._trainer.num_generations, self._system, self.policy.signal, decoupled=decoupled)

    def _key(self, rounds: int) -> str:
        """Seed a draw by what a resumed run knows again; a step may generate more than once."""
        trainer = self._trainer
        within = trainer._step % trainer.args.gradient_accumulation_steps
        return f"{trainer.args.seed}/{trainer.state.global_step}/{within}/{rounds}"

    def _add_up(self, number: torch.Tensor) -> torch.Tensor:
        return self._trainer.accelerator.gather(number).sum()

    def _log(self, name: str, value: float) -> None:
        self._trainer._metrics["train"][name].append(value)

    @contextmanager
    def _measures_aside(self) -> Iterator[None]:
        """Keep what a further generation measures out of the means of the step, but for what it cost."""
        metrics = self._trainer._metrics
        first, metrics["train"] = metrics["train"], defaultdict(list)
        try:
            yield
        finally:
            further, metrics["train"] = metrics["train"], first
        first["num_tokens"] = further["num_tokens"]
        for name, values in further.items():
            if name.startswith("mars/") and name.endswith(_COSTS):
                first[name] = [*first[name][:-1], sum(first[name][-1:]) + sum(values)]
