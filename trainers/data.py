"""Loading problems: from files, the hub or a problem set, into the rows that TRL trains on.

Every row ends up with `prompt` (chat messages or text), `reference`, `task` and `group` where the data has them, and
all other columns under their own names, which is what `mars.rows.Columns()` reads.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, load_dataset, load_from_disk

from mars import problems
from mars.errors import DataError
from mars.rows import PACKED, ROLES, Columns, parse_row
from trainers.settings import DataSettings

_LOADERS = {".jsonl": "json", ".json": "json", ".parquet": "parquet", ".csv": "csv"}


def training_rows(settings: DataSettings, columns: Columns) -> Dataset:
    """Load the rows to train on.

    Raises:
        DataError: When they cannot be loaded or lack a column.
    """
    raw = _load(settings.source, settings.split, settings, settings.size)
    return _prepare(_head(raw, settings.size), settings, columns, settings.source)


def test_rows(settings: DataSettings, columns: Columns) -> Dataset | None:
    """Load the held-out rows, or return `None` when the recipe names none and the source has no test split.

    Raises:
        DataError: When those that the recipe names cannot be loaded.
    """
    named = settings.test is not None or settings.test_split is not None
    source = settings.test or settings.source
    if settings.test is None and settings.test_split is not None and Path(source).suffix in _LOADERS:
        raise DataError(f"data.test_split: the file {source} has no splits; name another file as data.test")
    # A single file is one split; reading it again as the test would grade the model on what it was trained on.
    if not named and Path(source).suffix in _LOADERS:
        return None
    split = settings.test_split or ("train" if Path(source).suffix in _LOADERS else "test")
    try:
        raw = _load(source, split, settings, settings.test_size)
    except DataError:
        if named:
            raise
        return None
    return _prepare(_head(raw, settings.test_size), settings, columns, source)


def asked(
    rows: Sequence[Mapping[str, Any]], settings: DataSettings, columns: Columns, source: str
) -> list[dict[str, Any]]:
    """Return rows that were read already in the form of the training rows, asked in the same way.

    Raises:
        DataError: When they lack a column.
    """
    packed = Dataset.from_list([{PACKED: json.dumps(row)} for row in rows])
    return [dict(row) for row in _prepare(packed, settings, columns, source)]


def _load(source: str, split: str, settings: DataSettings, size: int | None) -> Dataset:
    path = Path(source)
    try:
        if path.suffix in _LOADERS:
            if not path.is_file():
                raise DataError(f"data: there is no file {source}")
            if path.suffix == ".jsonl":
                return _read_jsonl(path)
            return load_dataset(_LOADERS[path.suffix], data_files=str(path), split="train")  # type: ignore[return-value]
        if (path / "dataset_info.json").exists() or (path / "dataset_dict.json").exists():
            return _split_of(load_from_disk(source), split, source)
        if source in problems.names():
            return Dataset.from_list(problems.problems(source, split, size, settings.seed))
        return load_dataset(source, settings.config, split=split)  # type: ignore[return-value]
    except DataError:
        raise
    except Exception as error:
        known = ", ".join(problems.names())
        raise DataError(
            f"data: cannot load {source!r} (split {split!r}): {type(error).__name__}: {str(error).splitlines()[0]}. "
            f"It must be a .jsonl, .parquet or .csv file, a folder, a hub data set, or one of: {known}"
        ) from error


def _read_jsonl(path: Path) -> Dataset:
    """Read a JSONL file as `mars score` does.

    Arrow would make dates of texts, floats of integers, and one type of a column; a reference must reach the trainer as
    it reaches the scorer. So only the prompt becomes a column, and the row travels beside it as the JSON text it is.
    """
    rows = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                rows.append({PACKED: json.dumps(parse_row(line))})
            except DataError as error:
                raise DataError(f"{path}:{number}: {error}") from error
    if not rows:
        raise DataError(f"data: {path} has no rows")
    return Dataset.from_list(rows)


def _split_of(loaded: Dataset | DatasetDict, split: str, source: str) -> Dataset:
    if isinstance(loaded, Dataset):
        if split != "train":
            raise DataError(f"data: {source} is one data set without splits, so it has no split {split!r}")
        return loaded
    if split not in loaded:
        raise DataError(f"data: {source} has no split {split!r}; it has {', '.join(map(str, loaded))}")
    return loaded[split]


def _head(rows: Dataset, size: int | None) -> Dataset:
    return rows if size is None or size >= len(rows) else rows.select(range(size))


def _prepare(rows: Dataset, settings: DataSettings, columns: Columns, source: str) -> Dataset:
    if rows.column_names == [PACKED]:
        return rows.map(_ask_packed, fn_kwargs={"settings": settings, "columns": columns, "source": source})
    roles = _roles(rows.column_names, columns, source)
    for role, column in roles.items():
        if column in rows.column_names and column != role:
            if role in rows.column_names:
                rows = rows.remove_columns(role)
            rows = rows.rename_column(column, role)
    return rows.map(_ask, fn_kwargs={"settings": settings}, desc="prompts")


def _roles(present: Collection[str], columns: Columns, source: str) -> dict[str, str]:
    """Return which column plays which role, after checking that those that must be there are."""
    roles = {role: getattr(columns, role) for role in ROLES if role != "completion"}
    for role, column in roles.items():
        if column not in present and (role == "prompt" or role in columns.model_fields_set):
            raise DataError(
                f"data: {source} has no column {column!r} to be the {role} (columns: {{{role}: ...}}); "
                f"it has {', '.join(map(repr, present))}"
            )
    return roles


def _ask_packed(row: dict[str, Any], settings: DataSettings, columns: Columns, source: str) -> dict[str, Any]:
    """Make the prompt of a packed row, and give its other columns the names of their roles."""
    data = json.loads(row[PACKED])
    named: dict[str, Any] = {}
    for role, column in _roles(data, columns, source).items():
        if column in data:
            named[role] = data.pop(column)
    prompt = _ask({"prompt": named.pop("prompt")}, settings)["prompt"]
    data = {name: value for name, value in data.items() if name not in ROLES} | named
    return {"prompt": prompt, PACKED: json.dumps(data)}


def _ask(row: dict[str, Any], settings: DataSettings) -> dict[str, Any]:
    prompt = row["prompt"]
    if prompt is None:
        raise DataError("data: a row's prompt is null")
    if not isinstance(prompt, str):
        return {"prompt": prompt}
    # Not str.format: a prompt full of braces is ordinary mathematics.
    text = settings.template.replace("{prompt}", prompt)
    if not settings.chat:
        return {"prompt": text}
    system = [{"role": "system", "content": settings.system}] if settings.system else []
    return {"prompt": [*system, {"role": "user", "content": text}]}
