"""Scored completions that something else logged: rows of `mars score`, and TRL's tables of completions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mars.audit.monitors.types import Seen
from mars.belonging import group_of
from mars.errors import DataError
from mars.rows import Columns, text_of
from mars.scoring import CHUNK, KEY
from mars.types import Component, Reward, Sample, Score, Status
from mars.verifying.rows import read_rows
from mars.weighting.task import Task

TOTAL = "total"
_NO_SOURCES = frozenset({"step", "advantage", "status", "reason", TOTAL})


@dataclass(frozen=True)
class Scored:
    """One completion that was scored.

    Attributes:
        place: Where it stands, for errors.
        step: The training step.
        seen: The completion and its reward.
    """

    place: str
    step: int
    seen: Seen


def scored_rows(file: Path, columns: Columns) -> Iterator[Scored]:
    """Read what `mars score` wrote. Without a key `step`, every 256 rows count as one.

    Raises:
        DataError: When a row is damaged or was not written by it; the message names the line.
    """
    for place, row in enumerate(read_rows(file)):
        record = row.data.get(KEY)
        if not isinstance(record, Mapping):
            raise row.fault(f"no {KEY!r}, the verdict that `mars score` writes; score the file first")
        try:
            step = int(row.data.get("step", 1 + place // CHUNK))
            data = {name: value for name, value in row.data.items() if name not in (KEY, "step")}
            sample = columns.to_sample(data)
            reward = replace(Reward.from_dict(record), group="\n".join(group_of(sample) or ()) or None)
        except DataError as error:
            raise row.fault(str(error)) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise row.fault(f"{KEY!r} is no verdict of `mars score` ({type(error).__name__}: {error})") from error
        yield Scored(f"{row.file}:{row.line}", step, Seen(sample, reward))


def scored_tables(files: Sequence[Path], tasks: Mapping[str, Task]) -> Iterator[Scored]:
    """Read the tables that TRL writes with `log_completions=True`: a file a log, a column a reward function.

    Which columns are sources is told by their values: numbers. They do not say the weights: those are the tasks', or 1.

    Args:
        files: The tables, in order of their steps.
        tasks: The recipe's tasks; a table without a column `task` is of the only one.

    Raises:
        DataError: When a table cannot be read; the message names the file.
    """
    import pyarrow.parquet as parquet

    only = next(iter(tasks)) if len(tasks) == 1 else "default"
    for file in files:
        try:
            rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
        except Exception as error:
            why = str(error).partition("\n")[0]
            raise DataError(f"{file}: cannot be read as a table ({why}). Remove it to do without this step") from error
        if missing := {"step", "prompt", "completion"} - set(rows[0] if rows else ("step", "prompt", "completion")):
            raise DataError(f"{file}: no column {min(missing)!r}, so TRL did not write it. Remove it")
        # Every value of a source may be missing in one file; a column of texts is none.
        names = [name for name in (rows[0] if rows else ()) if name not in _NO_SOURCES and _is_numeric(rows, name)]
        for number, row in enumerate(rows, start=1):
            place = f"{file}: row {number}"
            try:
                sample = Sample(
                    completion=text_of(row["completion"], "completion", completion=True),
                    prompt=text_of(row["prompt"], "prompt"),
                    task=str(row.get("task") or only),
                )
            except DataError as error:
                raise DataError(f"{place}: {error}") from error
            yield Scored(place, int(row["step"]), Seen(sample, _reward(row, names, sample, tasks)))


def _is_numeric(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    values = [row[name] for row in rows if row[name] is not None]
    return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _reward(row: Mapping[str, Any], names: Sequence[str], sample: Sample, tasks: Mapping[str, Task]) -> Reward:
    base = tasks[sample.task].base if sample.task in tasks else {}
    components = tuple(_component(name, row[name], base.get(name, 1.0)) for name in names)
    status = Status(row["status"]) if row.get("status") in list(Status) else Status.OK
    total = _number(row.get(TOTAL)) if TOTAL in row else math.fsum(each.share for each in components)
    if status is not Status.OK or all(each.value is None for each in components):
        total = None
    if total is None and status is Status.OK:
        status = Status.ERROR
    return Reward(total, status, str(row.get("reason") or ""), components, sample.task, sample.prompt or None)


def _component(name: str, logged: Any, weight: float) -> Component:
    value = _number(logged)
    if value is None:
        return Component(name, Score.failed(Status.UNDECIDED, "no value was logged"), weight, None, 0.0)
    return Component(name, Score(value), weight, value, weight * value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
