"""The embedded tokenizer: one token for each ASCII character, and one for each mark of a chat."""

from __future__ import annotations

import string

from tokenizers import AddedToken, Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

PAD, UNKNOWN, START, END = "<pad>", "<unk>", "<|im_start|>", "<|im_end|>"
THINK, END_THINK = "<think>", "</think>"
ROLES = ("system", "user", "assistant")

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}"
    "<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is not none %}"
    "{{ '<think>' if enable_thinking else '<think></think>' }}"
    "{% endif %}"
    "{% endif %}"
)
"""As Qwen3 has it: `enable_thinking` opens a thought (true) or an empty one (false), and unset leaves the choice to
the model. With it set, the opening tag is part of the prompt, and so not part of what the model writes."""


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Make the tokenizer. ASCII text survives being encoded and decoded; any other character becomes `<unk>`.

    The task needs fewer characters; the others are there so that a prompt in plain English reaches the model whole.

    `<think>` and `</think>` are single tokens but not *special* ones: trainers decode completions with
    `skip_special_tokens=True`, and a reward must see where the thought ends.
    """
    vocabulary = {token: index for index, token in enumerate((PAD, UNKNOWN, START, END, *string.printable))}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token=UNKNOWN))  # without merges: by character
    core.decoder = decoders.Fuse()  # type: ignore[assignment]
    core.add_tokens([AddedToken(text, normalized=False) for text in (THINK, END_THINK, *ROLES)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        unk_token=UNKNOWN,
        eos_token=END,
        additional_special_tokens=[START],
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
