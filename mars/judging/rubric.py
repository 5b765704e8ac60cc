"""Rubrics: weighted criteria with ordered levels, from a data row or from the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from mars.plugins import explain

MET = ("not met", "met")
"""The levels of a criterion that names none."""
MOST_CRITERIA = 100
Text = Annotated[str, Field(min_length=1, max_length=10_000)]


class Criterion(BaseModel):
    """One thing that an answer is looked at for.

    A negative weight is a pitfall: reaching its levels takes away.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text = Field(description="its name, which no other criterion of the rubric has")
    text: str = Field(default="", max_length=10_000, description="what is looked for")
    weight: float = Field(default=1.0, allow_inf_nan=False, description="what it counts for; below 0: a pitfall")
    levels: tuple[Text, ...] = Field(default=MET, min_length=2, description="from worst (of a pitfall: absent) to best")

    @model_validator(mode="before")
    @classmethod
    def _named_by_text(cls, data: Any) -> Any:
        # A criterion without a name goes by its text, as data sets write them.
        if isinstance(data, Mapping) and "name" not in data and isinstance(data.get("text"), str):
            return {**data, "name": data["text"]}
        return data

    @model_validator(mode="after")
    def _levels_differ(self) -> Criterion:
        if len(set(self.levels)) < len(self.levels):
            raise ValueError(f"criterion {self.name!r}: two levels are the same text")
        if self.weight == 0:
            raise ValueError(f"criterion {self.name!r}: a weight of 0 counts for nothing; leave it out")
        return self


def check_rubric(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """Check a rubric as a whole: it has criteria, no two of one name, and something to be gained.

    Raises:
        ValueError: When it cannot be used.
    """
    if not criteria:
        raise ValueError("a rubric has at least one criterion")
    if len(criteria) > MOST_CRITERIA:
        raise ValueError(f"a rubric has at most {MOST_CRITERIA} criteria, got {len(criteria)}")
    names = [criterion.name for criterion in criteria]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two criteria are called {name!r}")
    if sum(criterion.weight for criterion in criteria if criterion.weight > 0) <= 0:
        raise ValueError("no criterion has a weight above 0, so nothing could be gained")
    return tuple(criteria)


_criteria = TypeAdapter(tuple[Criterion, ...])


def read_rubric(column: Any) -> tuple[Criterion, ...]:
    """Read the rubric of a data row.

    Args:
        column: A list of `{name, text, weight, levels}`.

    Raises:
        ValueError: When it is no rubric; the message says what is wrong.
    """
    if not isinstance(column, list | tuple):
        raise ValueError(f"a rubric is a list of criteria, got {type(column).__name__}")
    try:
        return check_rubric(_criteria.validate_python(column))
    except ValidationError as error:
        raise ValueError(explain(error)) from error


def rubric_text(criteria: Sequence[Criterion]) -> str:
    """Return a rubric as the judge reads it: criteria by number, and their levels by number."""
    lines = []
    for number, criterion in enumerate(criteria, start=1):
        told = f": {criterion.text}" if criterion.text and criterion.text != criterion.name else ""
        lines.append(f"Criterion {number}. {criterion.name}{told}")
        lines += [f"  level {level}: {text}" for level, text in enumerate(criterion.levels)]
    return "\n".join(lines)


def rubric_value(criteria: Sequence[Criterion], reached: Mapping[str, int]) -> float:
    r"""Return what an answer is worth by a rubric, 0 to 1.

    With $l_i \in [0, 1]$ the share of the way from the worst level to the best:

    $$v = \max\left(0, \frac{\sum_i w_i\, l_i}{\sum_{w_i > 0} w_i}\right)$$

    So all good criteria at their best and no pitfall is 1, and pitfalls take away but never below 0 (the rule of
    HealthBench, arXiv 2505.08775). Without pitfalls it is the weighted mean.

    Args:
        criteria: The rubric.
        reached: The level of each criterion, by name, counted from 0.
    """
    gained = sum(c.weight * reached[c.name] / (len(c.levels) - 1) for c in criteria)
    # Pitfalls alone, as one of them is asked about by itself, have nothing to be gained.
    best = sum(c.weight for c in criteria if c.weight > 0) or 1.0
    return min(1.0, max(0.0, gained / best))
