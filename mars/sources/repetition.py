"""`repetition`: a penalty for saying the same thing again and again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mars.registry import reward
from mars.types import Sample, Score


@reward(
    "repetition",
    kind="penalty",
    range=(-1.0, 0.0),
    deadline=None,
    example=Sample("wait let me check again wait let me check again wait let me check again"),
)
def repetition(
    completion: str,
    *,
    ngram: Annotated[int, Field(ge=1, le=64, description="words (or characters) in a row that make one n-gram")] = 4,
    unit: Annotated[Literal["words", "chars"], Field(description="chars suits text without spaces")] = "words",
) -> Score:
    """Minus the share of n-grams that were said before: 0 for no repetition, towards -1 for a loop.

    With N n-grams of which D are distinct, the value is -(1 - D/N). This is the n-gram penalty of Yeo et al.,
    "Demystifying Long Chain-of-Thought Reasoning in LLMs" (arXiv 2502.03373), with a maximum penalty of 1. A text
    shorter than one n-gram repeats nothing.

    Args:
        completion: The model's text.
        ngram: Words (or characters) in a row that make one n-gram.
        unit: What an n-gram is made of.
    """
    tokens = completion.lower().split() if unit == "words" else completion
    count = len(tokens) - ngram + 1
    if count < 1:
        return Score(0.0, reason=f"shorter than {ngram} {unit}")
    # Slices of text are kept as text: a megabyte of them as tuples would fill the memory.
    keep = tuple if unit == "words" else str
    distinct = len({keep(tokens[i : i + ngram]) for i in range(count)})
    repeated = count - distinct
    return Score(-repeated / count, reason=f"{repeated} of {count} {ngram}-grams were said before")
