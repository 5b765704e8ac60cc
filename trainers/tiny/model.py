"""The embedded model: a Qwen3 of 0.4 million parameters, made in code."""

from __future__ import annotations

import torch
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from trainers.tiny.tokenizer import END, PAD


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> Qwen3ForCausalLM:
    """Make the model with random weights.

    Args:
        tokenizer: What it reads and writes with (`build_tokenizer()`).
        seed: Chooses the weights; torch's own random state is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen3ForCausalLM(_architecture(tokenizer))
    # `generate` and the trainers read the stop token from here, not from the tokenizer.
    model.generation_config = GenerationConfig(
        bos_token_id=None, eos_token_id=model.config.eos_token_id, pad_token_id=model.config.pad_token_id
    )
    return model


def _architecture(tokenizer: PreTrainedTokenizerFast) -> Qwen3Config:
    vocabulary = tokenizer.get_vocab()
    return Qwen3Config(
        vocab_size=len(vocabulary),
        hidden_size=96,
        intermediate_size=288,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=24,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        # About 1/sqrt(hidden_size). With the default 0.02, made for models ten times as wide, the first hundreds of
        # steps pass before anything is learned, and with some buttons nothing is.
        initializer_range=0.1,
        bos_token_id=None,
        eos_token_id=vocabulary[END],
        pad_token_id=vocabulary[PAD],
    )
