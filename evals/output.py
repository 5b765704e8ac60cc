"""The files of a run: `records.jsonl`, one row a sample, and `result.json`, which exists only when all is written."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from evals.runner import EvalResult
from mars.errors import ConfigError

RECORDS = "records.jsonl"
RESULT = "result.json"


def prepare_folder(folder: Path) -> None:
    """Make the folder, so that a wrong one is found before the model writes and not after.

    Args:
        folder: Where the files will go.

    Raises:
        ConfigError: When it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(f"--output {folder}: cannot be written to: {error.strerror}") from error


def write_result(result: EvalResult, folder: Path) -> None:
    """Write a run's files, in place of those of an earlier run.

    An earlier `result.json` goes first and the new one comes last: it never lies beside the records of another run.

    Args:
        result: The run.
        folder: Where to write.
    """
    (folder / RESULT).unlink(missing_ok=True)
    with _replacing(folder / RECORDS) as file:
        for record in result.records:
            # ASCII, because a model may write half a surrogate pair; whatever JSON does not know becomes its text.
            file.write(json.dumps(record.to_dict(), default=str) + "\n")
    with _replacing(folder / RESULT) as file:
        file.write(json.dumps(result.to_dict(), indent=2, default=str) + "\n")


@contextmanager
def _replacing(path: Path) -> Iterator[IO[str]]:
    """Open a file beside `path` that takes its place when the block ends, and is gone if it fails."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
