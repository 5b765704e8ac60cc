"""`length`: what a right answer is worth for its length."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mars.errors import DataError
from mars.registry import reward
from mars.shaping import curves
from mars.shaping.budgets import Budgets, budget_for, level_in
from mars.shaping.extent import Extent, extent, number_in
from mars.thinking import split_thinking
from mars.types import Sample, Score

Share = Annotated[float, Field(ge=0, le=1)]


class LengthSettings(Extent):
    """Options of `length`. Each belongs to the shapes that its description begins with, or to all of them."""

    shape: Annotated[
        Literal["linear", "cosine", "budget", "exactly", "at_most"], Field(description="how the value falls")
    ] = "linear"
    floor: Annotated[int, Field(ge=0, description="shorter than this is 0; 1 refuses the empty thought")] = 0
    target: Annotated[int, Field(ge=0, description="linear: up to this length the value is 1")] = 0
    limit: Annotated[int, Field(gt=0, description="linear, cosine: from this length on the value is 0")] = 4096
    correct: Annotated[
        str | None, Field(description="cosine: the column that says whether the answer is right; none: all are")
    ] = None
    correct_long: Annotated[Share, Field(description="cosine: what a right answer falls to, from 1")] = 0.75
    wrong_long: Annotated[Share, Field(description="cosine: what a wrong answer rises to, from 0")] = 0.25
    budgets: Annotated[
        Budgets, Field(description="budget: length by level, {easy: 200, hard: 900} or {0: 200, 1: 900}")
    ] = Field(default_factory=dict)
    difficulty: Annotated[str, Field(min_length=1, description="budget: the column with the level")] = "difficulty"
    overrun: Annotated[float, Field(gt=1, le=100, description="budget: times the budget at which the value is 0")] = 2.0
    asked: Annotated[str, Field(min_length=1, description="exactly, at_most: the column with the length asked for")] = (
        "asked_length"
    )
    slope: Annotated[float, Field(gt=0, le=1, description="exactly, at_most: what one unit too many costs")] = 0.0003

    @model_validator(mode="after")
    def _consistent(self) -> LengthSettings:
        for option, shapes in _BELONGS.items():
            if option in self.model_fields_set and self.shape not in shapes:
                raise ValueError(f"{option} belongs to the shape {' or '.join(shapes)}, not to {self.shape}")
        if self.shape == "linear" and self.limit <= self.target:
            raise ValueError(f"limit ({self.limit}) must be greater than target ({self.target})")
        if self.correct_long < self.wrong_long:
            raise ValueError("correct_long is below wrong_long: a long wrong answer would beat a long right one")
        if self.shape == "budget" and not self.budgets:
            raise ValueError("the shape budget needs budgets: {easy: 200, hard: 900}, or on a scale {0: 200, 1: 900}")
        if not all(isinstance(level, str) or math.isfinite(level) for level in self.budgets):
            raise ValueError("a level of budgets on a scale is a finite number")
        if any(budget < 1 for budget in self.budgets.values()):
            raise ValueError("a budget is a length of 1 or more")
        return self


_BELONGS = {
    "target": ("linear",),
    "limit": ("linear", "cosine"),
    **dict.fromkeys(("correct", "correct_long", "wrong_long"), ("cosine",)),
    **dict.fromkeys(("budgets", "difficulty", "overrun"), ("budget",)),
    **dict.fromkeys(("asked", "slope"), ("exactly", "at_most")),
}


@reward(
    "length",
    kind="metric",
    deadline=None,
    settings=LengthSettings,
    example=Sample("<think>7 then 2</think>2", meta={"difficulty": 0.5, "asked_length": 20, "completion_ids": [7, 2]}),
)
def length(completion: str, meta: Mapping[str, Any], settings: LengthSettings) -> Score:
    """1 for a good length down to 0 for a bad one, along one of five curves.

    `linear`: 1 up to the target, 0 from the limit on, a line in between. With target = L_max - L_cache and limit =
    L_max it is the soft overlong punishment of DAPO (arXiv 2503.14476, eq. 13) plus one; the source `overlong` gives
    it as the paper has it.

    `cosine`: the cosine reward of Yeo et al. (arXiv 2502.03373), a right answer falling from 1 to `correct_long` and
    a wrong one rising from 0 to `wrong_long` at the limit, and 0 from there on. The paper's own values, moved and
    scaled into 0 to 1. Which answers are right stands in a column, or all are and a gate sees to it.

    `budget`: 1 up to the budget of the problem's difficulty, 0 from `overrun` budgets on. The budgets are named, or
    interpolated as DAST does (arXiv 2503.04472).

    `exactly`, `at_most`: the length that the prompt asked for, L1-Exact and L1-Max (arXiv 2503.04697).

    The formulas stand in `mars.shaping.curves`. Silence is the shortest completion, so a completion without an answer
    scores 0, whatever is measured; and because a wrong guess is short too, use it behind a gate on correctness
    (`gate:` in the recipe). By default length is measured in the text, so that a trainer and a grader without its
    tokenizer agree.

    Args:
        completion: The model's text.
        meta: The other columns, of which some shapes read one.
        settings: The options.
    """
    split = split_thinking(completion, settings.open_tag, settings.close_tag)
    size = extent(completion, split, meta, settings)
    if not split.answer.strip():
        return Score(0.0, reason="no answer, so its length earns nothing", details={"length": size})
    value, beside = _CURVES[settings.shape](size, meta, settings)
    if size < settings.floor:
        value, beside = 0.0, f", fewer than {settings.floor}"
    return Score(value, reason=f"{size} {settings.unit}{beside}", details={"length": size})


def _linear(size: int, meta: Mapping[str, Any], settings: LengthSettings) -> tuple[float, str]:
    return curves.linear(size, settings.target, settings.limit), ""


def _cosine(size: int, meta: Mapping[str, Any], settings: LengthSettings) -> tuple[float, str]:
    correct = True if settings.correct is None else _verdict(meta.get(settings.correct), settings.correct)
    said = "" if settings.correct is None else f" of a {'right' if correct else 'wrong'} answer"
    if size >= settings.limit:
        return 0.0, f"{said}, at the limit of {settings.limit}"
    ends = (1.0, settings.correct_long) if correct else (0.0, settings.wrong_long)
    return curves.cosine(size, settings.limit, *ends), said


def _budget(size: int, meta: Mapping[str, Any], settings: LengthSettings) -> tuple[float, str]:
    budget = budget_for(level_in(meta, settings.difficulty), settings.budgets)
    return curves.linear(size, budget, settings.overrun * budget), f" of a budget of {budget:g}"


def _exactly(size: int, meta: Mapping[str, Any], settings: LengthSettings) -> tuple[float, str]:
    asked = number_in(meta, settings.asked, "length that was asked for")
    return curves.asked_exactly(size, asked, settings.slope), f", asked for {asked:g}"


def _at_most(size: int, meta: Mapping[str, Any], settings: LengthSettings) -> tuple[float, str]:
    asked = number_in(meta, settings.asked, "length that was asked for")
    return curves.asked_at_most(size, asked, settings.slope), f", asked for {asked:g} at most"


_CURVES = {"linear": _linear, "cosine": _cosine, "budget": _budget, "exactly": _exactly, "at_most": _at_most}


def _verdict(said: Any, column: str) -> bool:
    """Read a column that says whether the answer is right; anything but yes and no is no verdict."""
    if said in (True, False):
        return bool(said)
    raise DataError(f"the column {column!r} does not say whether the answer is right: {said!r:.40}; it holds booleans")
