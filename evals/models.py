"""Models that run here, through lm-eval's model interface: load one, and let it complete prompts.

What lm-eval leaves to chance is settled in this file, because each of these changes scores without a word:

* Samples of one prompt are drawn apart (`do_sample`, no request cache) from a seed that names the batch's requests.
* Unset sampling options would come from the model's own files or from transformers (top_k = 50, a repetition penalty);
  here they are plain sampling, as trainers do.
* A completion ends at any of the model's end tokens, its own settings' and its tokenizer's.
* A prompt that would be cut to fit the context is an error, and so are weights that the files do not have.
* Thinking stays in the text: its tags are never dropped as special tokens, and what a chat template wrote of it is
  put back. Whether a completion ended by itself or at the limit is noted.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import torch
from lm_eval.api.instance import Instance
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from evals.lm import Ending, NotedHFLM, quiet
from evals.locate import locate
from evals.types import Completion, ModelCard, Request, Sampling
from mars.errors import ConfigError
from mars.rows import text_of
from mars.thinking import prefilled_thinking


def load(name: str, device: str | None = None) -> HuggingFaceModel:
    """Load a model and its tokenizer from a folder or from the hub.

    Args:
        name: A folder that `save_pretrained` wrote, or a hub id.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; by default the first accelerator there is.

    Raises:
        ConfigError: In one line, when there is no such model, it does not load, or weights of it are missing.
    """
    place, where = locate(name), _device(device)
    try:
        with quiet():
            loaded: Any = AutoModelForCausalLM.from_pretrained(place, dtype="auto", output_loading_info=True)
            model, report = loaded
            tokenizer = AutoTokenizer.from_pretrained(place)
            model = model.to(where)
    except Exception as error:
        raise ConfigError(f"--model {name}: does not load: {_first_line(error)}") from error
    if missing := sorted(report["missing_keys"]):
        # Transformers fills these with random numbers and goes on.
        shown = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
        raise ConfigError(f"--model {name}: {len(missing)} of its weights are not in its files: {shown}")
    return HuggingFaceModel(model, tokenizer, name)


class HuggingFaceModel:
    """A transformers model behind lm-eval's interface.

    Args:
        model: The model, where it is to run. It is put into evaluation mode, and stays in it.
        tokenizer: Its tokenizer. With a chat template, prompts become the user's turn; without, they are text.
        name: What results call it.

    Raises:
        ConfigError: When the tokenizer has no end-of-text token, or knows no text.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
        if tokenizer.eos_token_id is None:
            raise ConfigError(f"--model {name}: its tokenizer has no end-of-text token, so nothing it writes can end")
        if not tokenizer("7a", add_special_tokens=False)["input_ids"]:
            # From a folder without one, transformers makes a tokenizer that knows no text, and says nothing.
            raise ConfigError(f"--model {name}: its tokenizer reads no text: are the tokenizer's files there?")
        self._lm = NotedHFLM(model, tokenizer)
        self._tokenizer = tokenizer
        self._prefill = prefilled_thinking(tokenizer)
        facts = {
            "architecture": type(model).__name__,
            "parameters": model.num_parameters(),
            "dtype": str(model.dtype).removeprefix("torch."),
            "device": str(model.device),
            "revision": getattr(model.config, "_commit_hash", None),
            "chat_template": bool(tokenizer.chat_template),
            "prefilled": self._prefill,
            "versions": {name: version(name) for name in ("lm_eval", "transformers", "torch")},
        }
        self.card = ModelCard(name, _fingerprint(model), facts)

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, batch_size: int
    ) -> Iterator[tuple[int, Completion]]:
        """Complete every request; see `evals.types.Model`.

        Raises:
            ConfigError: When a prompt and `max_tokens` do not fit the context together, or memory runs out.
        """
        prompts = [self._render(request.prompt) for request in requests]
        lengths = {prompt: len(self._lm.tok_encode(prompt)) for prompt in set(prompts)}
        room = self._lm.max_length
        if (longest := max(lengths.values(), default=0)) + sampling.max_tokens > room:
            raise ConfigError(
                f"the longest prompt has {longest} tokens; with max_tokens {sampling.max_tokens} that is more than the "
                f"model's context of {room}: use --max-tokens {max(1, room - longest)} or less"
            )
        # The order in which lm-eval takes the requests of one call: longest first, so that memory runs out at once.
        order = sorted(range(len(prompts)), key=lambda i: (-lengths[prompts[i]], prompts[i]))
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            began = time.perf_counter()
            texts, endings = self._complete(
                [prompts[i] for i in batch], sampling, _seed(sampling.seed, [requests[i].key for i in batch])
            )
            seconds = (time.perf_counter() - began) / len(batch)
            for i, text, ending in zip(batch, texts, endings, strict=True):
                yield i, Completion(self._prefill + text, ending.tokens, ending.cut_off, seconds)

    def _render(self, prompt: str | list[dict[str, Any]]) -> str:
        if not self._tokenizer.chat_template:
            return text_of(prompt, "prompt")
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        return self._lm.apply_chat_template(messages)

    def _complete(self, prompts: list[str], sampling: Sampling, seed: int) -> tuple[list[str], list[Ending]]:
        device = self._lm.device
        self._lm.batch_size_per_gpu = len(prompts)
        instances = [
            Instance("generate_until", {}, (prompt, _options(sampling)), i) for i, prompt in enumerate(prompts)
        ]
        try:
            # Whoever evaluates in the middle of training finds the random state as it was.
            with quiet(), torch.random.fork_rng([device] if device.type == "cuda" else []):
                torch.manual_seed(seed)
                return self._lm.complete(instances)
        except torch.OutOfMemoryError as error:
            raise ConfigError(
                f"out of memory with {len(prompts)} completions at a time: use a smaller --batch-size"
            ) from error


def _options(sampling: Sampling) -> dict[str, Any]:
    """Return lm-eval's options. Without `do_sample`, lm-eval would answer repeats from its cache."""
    options: dict[str, Any] = {"max_gen_toks": sampling.max_tokens, "until": [], "temperature": sampling.temperature}
    if sampling.temperature > 0:
        return options | {"do_sample": True, "top_p": 1.0, "top_k": 0}
    return options | {"do_sample": False}


def _seed(seed: int, keys: Sequence[str]) -> int:
    """Return a seed of a batch's own: a batch made again, alone or in another run, says the same."""
    digest = hashlib.sha256("\n".join([str(seed), *keys]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _fingerprint(model: PreTrainedModel) -> str:
    """Return twelve hex digits of the weights: of 64 values of every tensor, as training moves nearly all of them."""
    digest = hashlib.sha256()
    for name, weights in sorted(model.state_dict().items()):
        flat = weights.detach().flatten()
        few = flat[:: max(1, flat.numel() // 64)][:64].to("cpu", torch.float64)
        digest.update(f"{name} {tuple(weights.shape)}".encode() + few.numpy().tobytes())
    return digest.hexdigest()[:12]


def _device(name: str | None) -> torch.device:
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"--device {name}: not a device; say cpu, cuda, cuda:1 or mps") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"--device {name}: this machine has {torch.cuda.device_count()} CUDA devices")
    return device


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
