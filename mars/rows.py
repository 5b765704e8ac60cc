"""From data rows to samples: one mapping, so that the scorer, the trainer and the grader see the same text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mars.errors import DataError
from mars.thinking import CLOSE, OPEN
from mars.types import Sample

ROLES = ("completion", "prompt", "reference", "task", "group")


PACKED = "mars_row"
"""A column that holds all other columns of its row as JSON text, where a table would change their types."""


class Columns(BaseModel):
    """The `columns` section of a recipe: which column of the data plays which role.

    A role left at its default may be absent from the data; one that the recipe names must be there. All other columns
    reach the sources under their own names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    completion: str = Field(default="completion", description="the model's answer: text, or chat messages")
    prompt: str = Field(default="prompt", description="what it was asked: text, or chat messages")
    reference: str = Field(default="reference", description="the right answer")
    task: str = Field(default="task", description="the kind of task, which picks the sources")
    group: str = Field(default="group", description="names the prompt that completions share")

    @model_validator(mode="after")
    def _distinct(self) -> Columns:
        columns = [getattr(self, role) for role in ROLES]
        for role, column in zip(ROLES, columns, strict=True):
            if columns.count(column) > 1:
                raise ValueError(f"the column {column!r} has two roles, {role} among them; a column has one")
        return self

    def to_sample(self, row: Mapping[str, Any], prefix: str = "") -> Sample:
        """Make a sample of a data row.

        Args:
            row: The row. A column that is null counts as absent.
            prefix: What a chat template wrote of the completion before the model did; put in front of it.

        Raises:
            DataError: When a column that the recipe names is absent, or the completion is no text.
        """
        if isinstance(packed := row.get(PACKED), str):
            row = {name: value for name, value in row.items() if name != PACKED} | json.loads(packed)
        found = {role: self._find(row, role) for role in ROLES}
        if found["completion"] is None:
            raise DataError(self._absent("completion", row))
        named = {getattr(self, role) for role in ROLES}
        task, group = found["task"], found["group"]
        return Sample(
            completion=_with_prefix(prefix, text_of(found["completion"], self.completion, completion=True)),
            prompt="" if found["prompt"] is None else text_of(found["prompt"], self.prompt),
            reference=found["reference"],
            task="default" if task is None else str(task),
            group=None if group is None else str(group),
            meta={name: value for name, value in row.items() if name not in named and value is not None},
        )

    def _find(self, row: Mapping[str, Any], role: str) -> Any:
        column = getattr(self, role)
        if column not in row and role in self.model_fields_set:
            raise DataError(self._absent(role, row))
        return row.get(column)

    def _absent(self, role: str, row: Mapping[str, Any]) -> str:
        return (
            f"the row has no column {getattr(self, role)!r} to be the {role} (columns: {{{role}: ...}}); "
            f"it has {', '.join(map(repr, row)) or 'none'}"
        )


def parse_row(line: bytes) -> dict[str, Any]:
    """Read one line of a JSONL file.

    Raises:
        DataError: When it is no JSON object; the caller adds where it stands.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON ({error})") from error
    if not isinstance(row, dict):
        raise DataError(f"a row is a JSON object, got {type(row).__name__}")
    return row


def _with_prefix(prefix: str, text: str) -> str:
    # Where messages were parsed, the thinking has its opening tag back already.
    return text if text.startswith(OPEN) and prefix.startswith(OPEN) else prefix + text


def text_of(value: Any, column: str, *, completion: bool = False) -> str:
    """Return the text of a prompt or completion that may be chat messages.

    One message is its content; a conversation is its messages, each under its role. Of a completion, only what the
    assistant wrote counts, whatever the tools answered in between.

    Args:
        value: Text, or a list of `{"role": ..., "content": ...}`.
        column: The column's name, for the error.
        completion: Whether to keep the assistant's messages only.

    Raises:
        DataError: When it is neither.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not all(isinstance(message, Mapping) for message in value):
        raise DataError(f"column {column!r} must be text or chat messages, got {type(value).__name__}")
    if completion:
        return "\n".join(_said(message) for message in value if message.get("role", "assistant") == "assistant")
    if len(value) == 1:
        return _content(value[0])
    return "\n\n".join(f"{message.get('role', 'user')}: {_content(message)}" for message in value)


def _said(message: Mapping[str, Any]) -> str:
    """Return what the assistant wrote, with the thinking that a parser took out of it put back."""
    thinking = message.get("reasoning_content") or message.get("thinking")
    return f"{OPEN}{thinking}{CLOSE}{_content(message)}" if isinstance(thinking, str) else _content(message)


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return "" if content is None else str(content)
