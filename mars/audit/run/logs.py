"""Finding a run's completions: those that MARS wrote, TRL's own tables, or rows that `mars score` wrote.

All are read one step at a time, as often as needed, and never held whole.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mars.audit.rollouts import ABOUT, FOLDER, About, Rollout, read_about, read_rollouts
from mars.audit.run.rows import Scored, scored_rows, scored_tables
from mars.audit.run.survey import Survey
from mars.declaring import Kind
from mars.errors import ConfigError, DataError
from mars.rows import Columns
from mars.weighting.task import Task

TABLES = "completions"
"""Where TRL's trainers write the completions that they log."""


@dataclass(frozen=True)
class RunLog:
    """A run's completions.

    Attributes:
        place: The folder or file that holds them.
        form: What they were written by, in words.
        about: What is true of all of them.
        steps: Reads them from the start: each step's number and completions, in order.
    """

    place: Path
    form: str
    about: About
    steps: Callable[[], Iterator[tuple[int, list[Rollout]]]]


@dataclass(frozen=True)
class Known:
    """What the user says of a log that does not say it itself.

    Attributes:
        tasks: The tasks of the recipe, if one was given.
        kinds: The kinds of sources, by name.
        columns: Which key of a row plays which role.
    """

    tasks: Mapping[str, Task] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)


def open_log(place: Path, known: Known | None = None) -> RunLog:
    """Find the completions of a run.

    Args:
        place: A run's folder, its folder of completions, or a JSONL file of scored rows.
        known: What is known of the sources besides.

    Raises:
        ConfigError: When a package is missing that TRL's tables need.
        DataError: When there is nothing to read there.
    """
    known = known or Known()
    if place.is_file():
        return _surveyed(place, "rows of mars score", lambda: scored_rows(place, known.columns), known)
    if not place.is_dir():
        raise DataError(f"there is no folder or file {place}")
    for folder in (place / FOLDER, place):
        if (folder / ABOUT).exists() or any(folder.glob("step-*.jsonl")):
            return _own(folder, known)
    for folder in (place / TABLES, place):
        if files := sorted(folder.glob("completions_*.parquet")):
            _require_arrow()
            return _surveyed(folder, "TRL's log_completions", lambda: scored_tables(files, known.tasks), known)
    raise DataError(
        f"{place} holds no completions: no {FOLDER}/, which `mars train` and MarsGRPOTrainer write, and no {TABLES}/, "
        "which TRL writes with log_completions=True. Name the run's folder, or a file that `mars score` wrote"
    )


def _own(folder: Path, known: Known) -> RunLog:
    about = read_about(folder)
    if known.kinds:
        raise ConfigError("--judge and --verifier: the completions in rollouts/ name the kinds of their sources")
    return RunLog(folder, "mars train", about, lambda: read_rollouts(folder))


def _surveyed(place: Path, form: str, rows: Callable[[], Iterator[Scored]], known: Known) -> RunLog:
    survey = Survey(place, known.tasks, known.kinds)
    for row in rows():
        survey.add(row)
    tasks = survey.tasks()
    return RunLog(place, form, About(tasks), lambda: _by_step(rows(), survey))


def _by_step(rows: Iterator[Scored], survey: Survey) -> Iterator[tuple[int, list[Rollout]]]:
    step: int | None = None
    held: list[Rollout] = []
    for row in rows:
        if step is not None and row.step != step:
            yield step, held
            held = []
            if row.step < step:
                raise DataError(f"{row.place}: step {row.step} stands after step {step}; sort the rows by their step")
        step = row.step
        held.append(Rollout(row.step, row.seen, survey.is_correct(row.seen.reward)))
    if step is not None:
        yield step, held


def _require_arrow() -> None:
    if importlib.util.find_spec("pyarrow") is None:
        raise ConfigError("TRL's tables need the package pyarrow: pip install 'mars-rewards[train]'")
