"""Rows of graded or ungraded answers: reading them in bounded memory, and finding the reference and the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mars.errors import DataError
from mars.rows import parse_row, text_of
from mars.types import Sample

GOLD = ("gold", "reference", "answer")
ANSWER = ("pred", "response", "completion")
PROMPT = ("prompt", "question", "problem")
"""Where a reference, an answer and a question are looked for when no field is named: the first that the file has."""

CHUNK_ROWS = 256
CHUNK_BYTES = 8 << 20
"""Rows that are verified at a time: as many as keep the workers busy, and never more text than this."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a JSONL file.

    Attributes:
        file: Where it stands.
        line: Its line, counted from 1.
        data: What it says.
        size: Its length in bytes.
    """

    file: Path
    line: int
    data: Mapping[str, Any]
    size: int

    def fault(self, what: str) -> DataError:
        """Make the error that names this row."""
        return DataError(f"{self.file}:{self.line}: {what}")

    def get(self, field: str) -> Any:
        """Return what the row has under a key.

        Raises:
            DataError: When it has nothing there; the message names file, line and key.
        """
        if (value := self.data.get(field)) is None:
            has = ", ".join(map(repr, self.data)) or "none"
            raise self.fault(
                f"{field!r} is null" if field in self.data else f"the row has no {field!r}; its keys are {has}"
            )
        return value

    @property
    def id(self) -> Any:
        """The row's own name, if it has one."""
        return self.data.get("id")


@dataclass(frozen=True, slots=True)
class Fields:
    """Which keys of a row hold what.

    Attributes:
        gold: The reference.
        answer: The answer that is verified.
    """

    gold: str
    answer: str

    def sample(self, row: Row) -> Sample:
        """Make what a verifier is asked of a row.

        Raises:
            DataError: When the row lacks a field, or its answer is no text; the message names file, line and key.
        """
        taken = {self.gold, self.answer}
        prompt = next((row.data[key] for key in PROMPT if key in row.data and key not in taken), "")
        return Sample(
            completion=_text(row, self.answer),
            prompt=prompt if isinstance(prompt, str) else "",
            reference=row.get(self.gold),
            meta={key: value for key, value in row.data.items() if key not in taken and value is not None},
        )


def read_rows(file: Path) -> Iterator[Row]:
    """Read the rows of a JSONL file, one after the other; blank lines are no rows.

    Raises:
        DataError: When the file cannot be opened, or a line is no JSON object; the message names file and line.
    """
    try:
        lines = file.open("rb")
    except OSError as error:
        raise DataError(f"cannot open {file}: {error.strerror}") from error
    with lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                data = parse_row(line)
            except DataError as error:
                raise DataError(f"{file}:{number}: {error}") from error
            yield Row(file, number, data, len(line))


def find_field(file: Path, named: str | None, usual: Sequence[str], option: str) -> str:
    """Return the key that holds something: the one that was named, or the first usual one that the first row has.

    Args:
        file: The rows.
        named: What the user said, if anything.
        usual: Where to look else.
        option: The option that names it, for the message.

    Raises:
        DataError: When the file is empty, or its first row has none of the usual keys.
    """
    if named is not None:
        return named
    first = next(read_rows(file), None)
    if first is None:
        raise DataError(f"{file} has no rows")
    for key in usual:
        if key in first.data:
            return key
    has = ", ".join(map(repr, first.data)) or "none"
    raise first.fault(f"the row has none of {', '.join(map(repr, usual))}; say {option} with one of its keys: {has}")


def find_fields(file: Path, gold: str | None = None, answer: str | None = None) -> Fields:
    """Return the fields of a file: those that were named, and the usual ones for the others.

    Raises:
        DataError: When there is neither.
    """
    found = find_field(file, gold, [key for key in GOLD if key != answer], "--gold-field")
    return Fields(found, find_field(file, answer, [key for key in ANSWER if key != found], "--answer-field"))


def chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Cut rows into runs that are verified together, bounded by number and by size."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += row.size
        if len(chunk) == CHUNK_ROWS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _text(row: Row, field: str) -> str:
    value = row.get(field)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    try:
        return text_of(value, field, completion=True)
    except DataError as error:
        raise row.fault(str(error)) from error
