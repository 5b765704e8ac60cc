"""`length`: shorter is better, between a target and a limit."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mars.registry import reward
from mars.thinking import ThinkTags, split_thinking
from mars.types import Sample, Score


class LengthSettings(ThinkTags):
    """Options of `length`."""

    target: Annotated[int, Field(ge=0, description="up to this length the value is 1")] = 0
    limit: Annotated[int, Field(gt=0, description="from this length on the value is 0")] = 4096
    part: Annotated[Literal["all", "thinking", "answer"], Field(description="what is measured")] = "all"
    unit: Annotated[Literal["chars", "words"], Field(description="what it is measured in")] = "chars"

    @model_validator(mode="after")
    def _ordered(self) -> LengthSettings:
        if self.limit <= self.target:
            raise ValueError(f"limit ({self.limit}) must be greater than target ({self.target})")
        return self


@reward(
    "length",
    kind="metric",
    deadline=None,
    settings=LengthSettings,
    example=Sample("<think>7 then 2</think>2"),
)
def length(completion: str, settings: LengthSettings) -> Score:
    """1 up to the target length, 0 from the limit on, falling linearly in between.

    Length is measured in the text, not in tokens, so that a trainer and a grader without its tokenizer agree. Silence
    is the shortest completion, so a completion without an answer scores 0, whatever is measured; and because a wrong
    guess is short too, use it behind a gate on correctness (`gate:` in the recipe).

    Args:
        completion: The model's text.
        settings: The options.
    """
    split = split_thinking(completion, settings.open_tag, settings.close_tag)
    if not split.answer.strip():
        return Score(0.0, reason="no answer, so its length earns nothing")
    text = {"all": completion, "thinking": split.thinking, "answer": split.answer}[settings.part]
    size = len(text) if settings.unit == "chars" else len(text.split())
    value = (settings.limit - size) / (settings.limit - settings.target)
    return Score(min(1.0, max(0.0, value)), reason=f"{size} {settings.unit}", details={"length": size})
