"""Verifying files: one record a row, in order, in bounded memory; and every reference against itself."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mars.errors import DataError
from mars.types import Sample
from mars.verifying.rows import GOLD, Fields, Row, chunks, find_field, find_fields, read_rows
from mars.verifying.verifier import Verifier, explained

Advance = Callable[[int], None]
"""Told how many bytes of the input were dealt with."""


@dataclass
class Counts:
    """What a file came to.

    Attributes:
        verdicts: How many rows got each verdict: true, false, or `None`.
        statuses: How many rows have each status.
        stages: How many verdicts each stage decided; empty for a verifier that tells none.
        seconds: Time inside the verifier, all workers together.
    """

    verdicts: Counter[bool | None] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self.verdicts.total()

    def add(self, record: dict[str, Any]) -> None:
        """Count one record."""
        self.verdicts[record["verdict"]] += 1
        self.statuses[record["status"]] += 1
        if record["stage"] is not None:
            self.stages[record["stage"]] += 1
        self.seconds += record["seconds"]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "rows": self.rows,
            "true": self.verdicts[True],
            "false": self.verdicts[False],
            "null": self.verdicts[None],
            "statuses": dict(self.statuses),
            "stages": dict(self.stages),
            "seconds": round(self.seconds, 6),
        }


@dataclass
class SelfCheck:
    """References against themselves.

    Attributes:
        counts: What all came to.
        refused: The records of those that were not accepted, each with its `gold`.
    """

    counts: Counts = field(default_factory=Counts)
    refused: list[dict[str, Any]] = field(default_factory=list)


def verify_file(
    source: Path,
    target: Path,
    verifier: Verifier,
    *,
    gold_field: str | None = None,
    answer_field: str | None = None,
    advance: Advance = lambda size: None,
) -> Counts:
    """Verify the answers of a JSONL file.

    The output appears under its name only when it is whole: until then, and after an error, it does not exist or is
    what it was.

    Args:
        source: The file to read.
        target: The file to write, a record a row: `line`, the row's `id` if it has one, and the explained verdict.
        verifier: Gives the verdicts.
        gold_field: The key of the reference; by default the first of `gold`, `reference`, `answer`.
        answer_field: The key of the answer; by default the first of `pred`, `response`, `completion`.
        advance: Told how far it is.

    Raises:
        DataError: When a row cannot be read or lacks a field (the message names file, line and key), the output would
            overwrite the input, or a file cannot be opened.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise DataError(f"the output would overwrite the input {source}")
    fields = find_fields(source, gold_field, answer_field)
    counts = Counts()
    with _whole(target) as lines:
        for row, record in records(source, fields, verifier, advance):
            counts.add(record)
            lines.write(json.dumps(_placed(row) | record) + "\n")
    return counts


def self_check(
    source: Path, verifier: Verifier, *, gold_field: str | None = None, advance: Advance = lambda size: None
) -> SelfCheck:
    """Verify every reference of a file against itself: one that is refused can be answered by nobody.

    Args:
        source: The file to read.
        verifier: Gives the verdicts.
        gold_field: The key of the reference; by default the first of `gold`, `reference`, `answer`.
        advance: Told how far it is.

    Raises:
        DataError: When a row cannot be read or lacks the field.
    """
    key = find_field(source, gold_field, GOLD, "--gold-field")
    found = SelfCheck()
    for row, record in records(source, Fields(key, key), verifier, advance):
        found.counts.add(record)
        if record["verdict"] is not True:
            found.refused.append({**_placed(row), "gold": row.get(key), **record})
    return found


def records(
    source: Path, fields: Fields, verifier: Verifier, advance: Advance = lambda size: None
) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Verify the rows of a file, in order.

    Raises:
        DataError: When a row cannot be read or lacks a field.
    """

    def batches() -> Iterator[tuple[list[Row], list[Sample]]]:
        for chunk in chunks(read_rows(source)):
            yield chunk, [fields.sample(row) for row in chunk]

    for chunk, scores in verifier.stream(batches()):
        for row, score in zip(chunk, scores, strict=True):
            yield row, explained(verifier.bound, score)
        advance(sum(row.size for row in chunk))


def _placed(row: Row) -> dict[str, Any]:
    return {"line": row.line} | ({} if row.id is None else {"id": row.id})


@contextlib.contextmanager
def _whole(target: Path) -> Iterator[IO[str]]:
    """Open a file that takes its name when it is whole."""
    # A device or a pipe cannot be replaced, and must not be.
    in_place = target.exists() and not target.is_file()
    end = target if in_place else target.resolve()
    part = end if in_place else end.with_name(f"{end.name}.{os.getpid()}.part")
    try:
        lines = part.open("w", encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror}") from error
    if in_place:
        with lines:
            yield lines
        return
    try:
        with lines:
            yield lines
        part.replace(end)
    finally:
        part.unlink(missing_ok=True)
