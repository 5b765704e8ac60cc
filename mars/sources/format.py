"""`format`: the completion has the declared shape of thinking and answer."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mars.registry import reward
from mars.types import Sample, Score

_PLACEHOLDER = re.compile(r"\{(think|answer)\}")
_TAG = re.compile(r"<[^<>\s]+>")


def _checked_template(template: str) -> str:
    names = _PLACEHOLDER.findall(template)
    if sorted(names) not in (["answer"], ["answer", "think"]):
        raise ValueError("a template has {answer} once, and {think} at most once")
    if names == ["answer"] and template.strip() == "{answer}":
        raise ValueError("a template of {answer} alone accepts everything; add the tags that must be there")
    if "{think}{answer}" in template.replace(" ", "") or "{answer}{think}" in template.replace(" ", ""):
        raise ValueError("something must stand between {think} and {answer}, or nobody can tell them apart")
    return template


@reward(
    "format",
    kind="metric",
    deadline=None,
    example=Sample("<think>7 then 2</think>2"),
)
def format(
    completion: str,
    *,
    template: Annotated[
        str,
        AfterValidator(_checked_template),
        Field(description="the shape, with {think} and {answer} in it"),
    ] = "<think>{think}</think>{answer}",
    min_thinking: Annotated[int, Field(ge=0, description="fewest characters of thinking")] = 0,
) -> Score:
    """1 where the whole completion has the template's shape, else 0.

    Every fixed part of the template stands exactly once and in order, white space around it is free, the answer is not
    empty, and no tag of the template is hidden in the thinking or the answer. There is no partial credit: models learn
    to collect it.

    Args:
        completion: The model's text.
        template: The shape, such as `<think>{think}</think>{answer}` or
            `<think>{think}</think><answer>{answer}</answer>`.
        min_thinking: Fewest characters of thinking; 1 or more refuses the empty thought.
    """
    pieces = _PLACEHOLDER.split(template)
    literals, names = [piece.strip() for piece in pieces[::2]], pieces[1::2]
    parts: dict[str, str] = {}
    rest = completion.strip()
    if not rest.startswith(literals[0]):
        return Score(0.0, reason=f"does not begin with {literals[0]!r}")
    rest = rest[len(literals[0]) :]
    for name, literal in zip(names, literals[1:], strict=True):
        if literal:
            parts[name], found, rest = rest.partition(literal)
            if not found:
                return Score(0.0, reason=f"{literal!r} is missing")
        else:
            parts[name], rest = rest, ""
    if rest.strip():
        return Score(0.0, reason=f"text after the end: {rest.strip()[:40]!r}")
    for tag in _TAG.findall(template):
        if completion.count(tag) != template.count(tag):
            return Score(0.0, reason=f"{tag!r} stands {completion.count(tag)} times instead of {template.count(tag)}")
    if not parts["answer"].strip():
        return Score(0.0, reason="the answer is empty")
    if len(parts.get("think", "").strip()) < min_thinking:
        return Score(0.0, reason=f"fewer than {min_thinking} characters of thinking")
    return Score(1.0, reason="well formed")
